"""The judge of withdrawals itself, fed with histories in which one thing is wrong; and its plan, which must leave nothing out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.history import Evidence, Told
from tests.faults.plan import OFF_THE_ROAD
from tests.faults.withdrawals import ACTS, ALWAYS, GROUPS, ROUNDS, STEPS, TOLD, WHERE, Left, Request, deal, points, violations

ROOT = Path(__file__).resolve().parents[2]


def request(end: str, **changes: Any) -> Request:
    made = Request(
        id=f"request-{end}",
        end=end,
        where=WHERE[end],
        steps=STEPS[end],
        told=TOLD[end],
        decisions=0 if end == "recalled" else 1,
        orders=(f"request-{end}",) if end == "withdrawn" else (),
        hashes={"h": 1},
        allowed=1,
        acts=dict.fromkeys(ACTS[end] | ALWAYS, 1),
    )
    return replace(made, **changes)


def good() -> Left:
    moves = [Told("records.transcripts", "t1", n, f"m{n}", "TranscriptMovedV1", {}) for n in (1, 2)]
    events = Evidence(
        written=list(moves),
        topics=list(moves),
        handles={"district.records.transcripts": {"TranscriptMovedV1"}},
        handled={"district.records.transcripts": {"m1", "m2"}},
    )
    return Left(events, [request(end) for end in WHERE])


def changed(end: str, **changes: Any) -> Callable[[Left], None]:
    def change(left: Left) -> None:
        left.requests = [replace(r, **changes) if r.end == end else r for r in left.requests]

    return change


def elsewhere(end: str, who: str, state: str) -> Callable[[Left], None]:
    return changed(end, where={**WHERE[end], who: state})


def acts(end: str, **times: int) -> Mapping[str, int]:
    return {**dict.fromkeys(ACTS[end] | ALWAYS, 1), **{act.replace("_", " "): n for act, n in times.items()}}


def test_a_good_history_of_withdrawals_has_no_violation() -> None:
    assert violations(good()) == []


def test_a_hash_signed_again_for_values_that_were_lost_is_no_violation() -> None:
    left = good()
    changed("refused", hashes={"h": 2}, allowed=2)(left)
    assert violations(left) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("event lost", lambda x: x.events.topics.pop()),
        ("event from nowhere", lambda x: x.events.written.pop()),
        ("effect lost", lambda x: x.events.handled.clear()),
        ("set aside", lambda x: x.events.set_aside.append("dead letter of publishing.signing.requests")),
        ("out of order", lambda x: x.events.topics.reverse()),
        ("end differs", elsewhere("withdrawn", "district", "approved")),
        ("end differs", elsewhere("withdrawn", "the gateway", "ACCEPTED")),
        ("end differs", elsewhere("withdrawn", "records", "WITHDRAWAL_PENDING")),
        ("end differs", elsewhere("refused", "publishing", "PENDING")),
        ("end differs", elsewhere("recalled", "the gateway", "WITHDRAWN")),
        ("end differs", changed("refused", where={"publishing": "REFUSED"})),
        ("done twice", changed("withdrawn", steps=(*STEPS["withdrawn"], "withdraw"))),
        ("done twice", changed("recalled", steps=STEPS["refused"])),
        ("told twice", changed("withdrawn", told=(*TOLD["withdrawn"], "TranscriptWithdrawnV1"))),
        ("told twice", changed("refused", told=(*TOLD["refused"], "TranscriptWithdrawnV1"))),
        ("told twice", changed("refused", decisions=2)),
        ("told twice", changed("recalled", decisions=1)),
        ("signature", changed("withdrawn", hashes={})),
        ("signature", changed("withdrawn", hashes={"h": 1, "g": 1})),
        ("signature", changed("withdrawn", hashes={"h": 0})),
        ("signature", changed("withdrawn", hashes={"h": 2})),
        ("withdrawn twice", changed("withdrawn", orders=("request-withdrawn", "another"))),
        ("withdrawn twice", changed("refused", orders=("request-refused",))),
        ("withdrawn twice", changed("withdrawn", orders=())),
        ("audit", changed("withdrawn", acts=acts("withdrawn", withdrawal_obeyed=2))),
        ("audit", changed("withdrawn", acts=acts("withdrawn", cancel_transcript=0))),
        ("audit", changed("refused", acts=acts("refused", approve_withdrawal=1))),
        ("audit", changed("recalled", acts=acts("recalled", sign=2))),
    ],
)
def test_what_is_wrong_with_a_withdrawal_is_named(rule: str, change: Callable[[Left], object]) -> None:
    left = good()
    change(left)
    assert {v.rule for v in violations(left)} == {rule}


def test_the_rounds_of_withdrawals_hit_every_point_once_and_no_process_twice_in_a_round() -> None:
    rounds = [deal(seed) for seed in range(1, ROUNDS + 1)]
    hit = sorted((k.process, k.point) for kills in rounds for k in kills)
    assert hit == sorted((process, point) for process, names in points().items() for point in names)
    assert all(len({k.process for k in kills}) == len(kills) >= 2 for kills in rounds)
    assert all(1 <= k.nth <= points()[k.process][k.point] for kills in rounds for k in kills)


def test_every_point_and_every_group_of_withdrawals_is_in_the_rounds() -> None:
    named = {point for names in points().values() for point in names}
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "services" / "publishing" / "withdrawals").glob("*.py"))
    assert set(re.findall(r'failpoints\.reach\("([^"]+)"\)', source)) <= named
    groups = {group for of_process in GROUPS.values() for group in of_process}
    assert {g for g in OFF_THE_ROAD if g != "identity.records.corrections"} <= groups
