"""The checker itself, fed with histories in which one thing is wrong: each is named. And the plan, which must leave nothing out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.stack.instance import SERVICES
from tests.faults.history import LIFE, Act, Evidence, Item, Result, Signature, Told, Transcript, violations
from tests.faults.plan import ELSEWHERE, ROUNDS, deal, points

SERVICES_SOURCE = Path(__file__).resolve().parents[2] / "services"


def told(topic: str, sequence: int, kind: str, *, state: str = "", name: str = "") -> Told:
    return Told(topic, "t1", sequence, name or f"{topic}-{sequence}", kind, {"state": state} if state else {})


def good() -> Evidence:
    """One transcript of one pupil, signed by a teacher and the school, sent and accepted."""
    moves = [told("records.transcripts", n, "TranscriptMovedV1", state=state) for n, state in enumerate(LIFE, start=1)]
    steps = [told("signing.steps", n, "StepSignedV1") for n in (2, 4)]
    transcript = Transcript(
        id="t1",
        pupil="p1",
        states={"records": "ACCEPTED", "publishing": "ACCEPTED", "district": "ACCEPTED"},
        files={"records": ("x", "p"), "the gateway": ("x", "p")},
        signatures=(
            Signature("xml", "GVCN", "an", "h1", valid=True),
            Signature("pdf", "GVCN", "an", "h2", valid=True),
            Signature("xml", "KY_PHAT_HANH", "mst", "h3", valid=True),
        ),
        expected={("xml", "GVCN"): "an", ("pdf", "GVCN"): "an", ("xml", "KY_PHAT_HANH"): "mst"},
        signers=(("homeroom", "an"), ("issue", "binh")),
    )
    return Evidence(
        pupils={"p1"},
        written=[*moves, *steps],
        topics=[*moves, *steps],
        handles={"district.records.transcripts": {"TranscriptMovedV1"}, "records.signing.steps": {"StepSignedV1"}},
        handled={"district.records.transcripts": {m.id for m in moves}, "records.signing.steps": {s.id for s in steps}},
        transcripts=[transcript],
        items=[Item("t1", "homeroom", "an", "an", "embedded", 2), Item("t1", "issue", "binh", "mst", "embedded", 1)],
        provider={"an": {"h1": 1, "h2": 1}, "mst": {"h3": 1}},
        packages={"k1": "d1"},
        taken={"k1": "d1"},
        arrivals={"k1": 1},
        results=[Result("k1", "t1", 1, "ACCEPTED")],
        acts=[
            Act("sign", "an", ("t1",), "homeroom"),
            Act("sign", "binh", ("t1",), "issue"),
            Act("confirm", "admin", ("t1",)),
            Act("submit", "admin", ("t1",)),
            Act("create", "admin", (), count=1),
        ],
        once={"confirm": {"t1"}, "submit": {"t1"}},
    )


def first(e: Evidence, **changes: object) -> None:
    e.transcripts[0] = replace(e.transcripts[0], **changes)  # type: ignore[arg-type] # any field


def rules(change: Callable[[Evidence], object]) -> set[str]:
    e = good()
    change(e)
    return {v.rule for v in violations(e)}


def test_a_good_history_has_no_violation() -> None:
    assert violations(good()) == []


def test_an_event_that_was_sent_again_is_no_violation() -> None:
    e = good()
    e.topics[1:1] = [e.topics[0]]
    assert violations(e) == []


def test_values_that_a_crash_lost_are_no_violation_when_an_item_says_so() -> None:
    e = good()
    e.provider["an"] |= {"h8": 1, "h9": 1}
    e.items.append(Item("t1", "homeroom", "an", "an", "failed", 2, code="HB-SIG-012", reason="đã dùng hết số chữ ký"))
    assert violations(e) == []


def test_a_hash_may_be_signed_once_for_each_confirmation_of_its_person() -> None:
    e = good()
    e.provider["an"].update(h1=2)
    e.items[0] = replace(e.items[0], confirmations=2)
    assert violations(e) == []
    e.provider["an"].update(h1=3)
    assert {v.rule for v in violations(e)} == {"signed twice"}


def test_a_challenge_that_proved_a_key_or_got_lost_on_the_way_is_no_violation() -> None:
    e = good()
    e.provider["an"] |= {"c1": 1, "c2": 1}
    e.challenges |= {"c1": True, "c2": False, "c3": False}
    assert violations(e) == []


def test_a_transcript_that_was_refused_and_sent_again_is_no_violation() -> None:
    e = good()
    e.packages["k0"] = e.taken["k0"] = "d0"
    e.results.insert(0, Result("k0", "t1", 1, "REJECTED"))
    assert violations(e) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("event lost", lambda e: e.topics.pop()),
        ("event lost", lambda e: e.unpublished.append("records.transcripts: t1#9")),
        ("event from nowhere", lambda e: e.topics.append(told("signing.steps", 5, "StepSignedV1"))),
        ("event from nowhere", lambda e: e.topics.append(replace(e.topics[-1], data={"step": "leader"}))),
        ("effect lost", lambda e: e.handled["records.signing.steps"].pop()),
        ("effect lost", lambda e: e.handled.clear()),
        ("set aside", lambda e: e.set_aside.append("dead letter of records.signing.steps")),
        ("unfinished", lambda e: e.unfinished.append("batch b1")),
        ("transcript lost", lambda e: e.pupils.add("p2")),
        ("transcript lost", lambda e: e.transcripts.append(replace(e.transcripts[0], id="t2"))),
        ("transcript lost", lambda e: e.pupils.clear()),
        ("state differs", lambda e: first(e, states={"records": "ACCEPTED", "district": "SUBMITTED"})),
        ("file differs", lambda e: first(e, files={"records": ("x", "p"), "the gateway": ("x", "other")})),
        ("signature lost", lambda e: first(e, signatures=e.transcripts[0].signatures[1:])),
        ("signature lost", lambda e: first(e, signatures=(replace(s, valid=False) for s in e.transcripts[0].signatures))),
        ("signature lost", lambda e: first(e, expected={**e.transcripts[0].expected, ("xml", "GVCN"): "another"})),
        ("signature lost", lambda e: first(e, expected={("xml", "GVCN"): "an"})),
        ("signature lost", lambda e: first(e, signers=(("homeroom", "an"),))),
        ("signed twice", lambda e: first(e, signatures=(*e.transcripts[0].signatures, e.transcripts[0].signatures[0]))),
        ("signed twice", lambda e: first(e, signers=(("homeroom", "an"), ("homeroom", "an")))),
        ("signed twice", lambda e: e.items.append(e.items[0])),
        ("signed twice", lambda e: e.provider["an"].update(h1=2)),
        ("signature unexplained", lambda e: e.challenges.update({"c1": True})),
        ("signature unexplained", lambda e: e.provider["an"].update(h9=1)),
        ("signature unexplained", lambda e: e.provider["mst"].clear()),
        ("signature unexplained", lambda e: e.items.append(replace(e.items[0], state="failed"))),
        ("sent twice", lambda e: e.results.append(Result("k2", "t1", 1, "ACCEPTED"))),
        ("sent twice", lambda e: e.taken.update(k1="d2")),
        ("sent twice", lambda e: e.taken.update(k2="d2")),
        ("sent twice", lambda e: e.arrivals.update(k1=2)),
        ("not accepted", lambda e: e.results.clear()),
        ("not accepted", lambda e: e.packages.update(k2="d2")),
        ("out of order", lambda e: e.topics.insert(0, e.topics.pop(3))),
        ("out of order", lambda e: (e.topics.pop(3), e.written.pop(3))),
        ("out of order", lambda e: e.topics.append(told("records.transcripts", 9, "TranscriptMovedV1", state="SIGNED"))),
        ("out of order", lambda e: e.topics.reverse()),
        ("audit", lambda e: e.acts.pop()),
        ("audit", lambda e: e.acts.append(e.acts[-1])),
        ("audit", lambda e: e.acts.append(e.acts[0])),
        ("audit", lambda e: e.acts.remove(Act("submit", "admin", ("t1",)))),
        ("audit", lambda e: e.acts.append(Act("confirm", "admin", ("t1",)))),
        ("audit", lambda e: e.acts.append(Act("sign", "nobody", ("t1",), "leader"))),
    ],
)
def test_what_is_wrong_is_named(rule: str, change: Callable[[Evidence], object]) -> None:
    assert rule in rules(change)


def test_the_rounds_of_a_deck_kill_every_process_at_every_point_and_none_twice_in_a_round() -> None:
    for deck in (0, 1):
        rounds = [deal(deck * ROUNDS + seed) for seed in range(1, ROUNDS + 1)]
        hit = sorted((k.process, k.point) for kills in rounds for k in kills)
        assert hit == sorted((process, point) for process, names in points().items() for point in names)
        assert all(3 <= len(kills) <= 5 and len({k.process for k in kills}) == len(kills) for kills in rounds)
        assert all(1 <= k.nth <= points()[k.process][k.point] for kills in rounds for k in kills)


def test_the_plan_knows_every_process_and_every_failpoint_of_the_services() -> None:
    assert points().keys() == {f"{service}-{role}" for service in SERVICES for role in ("web", "worker")}
    named = {point for names in points().values() for point in names}
    source = "\n".join(path.read_text(encoding="utf-8") for path in SERVICES_SOURCE.rglob("*.py"))
    assert set(re.findall(r'failpoints\.reach\("([^"]+)"\)', source)) <= named | set(ELSEWHERE)
    moments = set(re.findall(r'failpoints\.reach\(f"\{[^}]*\}\.([^"]+)"\)', source))
    assert moments == {"before-commit", "committed", "handled", "given-up"}, "giving up is killed in the chassis's own tests"
