"""Documents are taken back while processes are killed at every point between the draft and the cancellation: `make faults`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pymongo.database import Database

from infra.demo.road import Road
from infra.demo.school import read
from infra.local import Stack
from tests.conftest import make_school
from tests.faults.evidence import Collector, Document, databases, xml_hashes
from tests.faults.history import Evidence, effects_lost, events_from_nowhere, events_lost
from tests.faults.patient import PatientRoad
from tests.faults.plan import Kill
from tests.faults.test_road_faults import killing, where_things_stand
from tests.faults.withdrawals import ROUNDS, Left, Request, deal, violations
from tests.integration.agent_world import until_true

__all__ = ["killing"]
pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]

PUPILS = 7
"""A class: of each round's four documents two are gone for good, and a primary school has five classes."""
REASON = "Sai điểm môn Toán học kỳ II, đã đối chiếu sổ theo dõi"
NO = "Thông tin trên học bạ đã chính xác, không cần thu hồi"
API, OVERSIGHT = "/api/publishing/withdrawals", "/api/district/withdrawals"
SETTLED_WITHIN = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def road(killing: Stack, tmp_path_factory: pytest.TempPathFactory) -> PatientRoad:
    """A primary school with everything accepted."""
    folder = tmp_path_factory.mktemp("withdrawals")
    made = await asyncio.to_thread(make_school, folder, code="63000091", province="163", pupils=PUPILS, defects=0)
    travelled = PatientRoad(killing.info, read(made), lambda _: None)
    await travelled.run()
    return travelled


async def accepted(road: Road, number: int) -> list[str]:
    found = (await road.admin.get("/api/records/transcripts"))["transcripts"]
    return [t["id"] for t in found if t["state"] == "ACCEPTED"][:number]


async def requests_of(road: Road, transcripts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The open request for each document, or the newest one."""
    found: dict[str, dict[str, Any]] = {}
    for row in reversed((await road.admin.get(API))["withdrawals"]):
        if row["transcript"] in transcripts:
            found[row["transcript"]] = row
    return found


async def states(road: Road, requests: Sequence[str]) -> list[str]:
    """As publishing has them."""
    return [(await road.admin.get(f"{API}/{request}"))["state"] for request in requests]


async def asked(road: Road, transcripts: list[str]) -> list[str]:
    """Drafted, sent, signed, and waiting at the oversight unit."""
    await road.admin.post(API, {"transcripts": transcripts, "reason": REASON})
    known = await requests_of(road, transcripts)
    requests = [known[t]["id"] for t in transcripts]
    await road.admin.post(f"{API}/send", {"requests": requests})
    issuer, user = road.staff[road.export.issuer.code], f"mst-{road.export.school.tax_code}"
    login = {"user": user, "password": road.provider_passwords[user]}

    async def signed() -> int:
        queue = (await issuer.get("/api/signing/queue", step="issue", kind="withdrawal_request"))["transcripts"]
        ids = [t["id"] for t in queue if t["id"] in requests and not t["in_batch"]]
        if ids:
            order = {"step": "issue", "kind": "withdrawal_request", "transcripts": ids, "login": login}
            await issuer.post("/api/signing/batches", order)
        return (await states(road, requests)).count("PENDING")

    await road.until(signed, len(requests))

    async def seen() -> int:
        rows = (await road.officer.get(OVERSIGHT, state="pending"))["withdrawals"]
        return len({r["id"] for r in rows} & set(requests))

    await road.until(seen, len(requests))
    return requests


async def ended(road: Road, requests: list[str]) -> dict[str, str]:
    """The school takes one back, the unit refuses one and approves the others, which the school then cancels. By request: its end."""
    recalled, refused, *approved = requests
    await road.admin.post(f"{API}/recall", {"requests": [recalled]})
    await road.officer.post(f"{OVERSIGHT}/refuse", {"ids": [refused], "reason": NO})
    await road.officer.post(f"{OVERSIGHT}/approve", {"ids": approved})
    ends = {recalled: "recalled", refused: "refused"} | dict.fromkeys(approved, "withdrawn")

    async def over() -> int:
        found = dict(zip(requests, await states(road, requests), strict=True))
        return sum(state == ends[request].upper() for request, state in found.items())

    await road.until(over, len(requests))
    gone = [(await road.admin.get(f"{API}/{request}"))["transcript"] for request in approved]

    async def in_state(state: str) -> int:
        return [(await road.admin.get(f"/api/records/transcripts/{t}"))["state"] for t in gone].count(state)

    await road.until(lambda: in_state("WITHDRAWN"), len(gone))
    await road.admin.post("/api/records/cancellations", {"transcripts": gone, "reason": REASON})
    await road.until(lambda: in_state("CANCELLED"), len(gone))
    return ends


async def left_behind(stack: Stack, road: Road, ends: Mapping[str, str]) -> Left:
    """After a while in which what is still on its way may arrive."""
    deadline = time.monotonic() + SETTLED_WITHIN
    while True:
        events = Evidence()
        await Collector(stack, road).events(events)
        # what was told between a look at the outboxes and one at the topics has come from somewhere by the next look
        moving = [events.unpublished, *(list(rule(events)) for rule in (events_lost, effects_lost, events_from_nowhere))]
        if not any(moving) or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    async with httpx.AsyncClient(timeout=30, trust_env=False) as outside:
        sandbox = stack.info["sandbox"]
        ledger = (await outside.get(f"{sandbox['gateway']}/control/ledger", params={"school": road.export.school.code})).json()
        signed = (await outside.get(f"{sandbox['provider']}/control/signed")).json()[f"mst-{road.export.school.tax_code}"]
    files = {r: await road.officer.download(f"{OVERSIGHT}/{r}/request.xml") for r in ends}
    with databases(stack) as dbs:
        requests = [
            judged(dbs, events, ledger, request=r, end=end, hashes={h: signed.get(h, 0) for h in xml_hashes(files[r]).values()})
            for r, end in ends.items()
        ]
    return Left(events, requests)


def judged(
    dbs: Mapping[str, Database[Document]], events: Evidence, ledger: Mapping[str, Any], *, request: str, end: str, hashes: dict[str, int]
) -> Request:
    own = dbs["publishing"]["withdrawals"].find_one({"_id": request}) or {}
    seen = dbs["district"]["withdrawals"].find_one({"_id": request}) or {}
    document = dbs["records"]["transcripts"].find_one({"_id": own["transcript"]}) or {}
    gone = [w["id"] for w in ledger["withdrawals"] if w["uuid"] == own["transcript"] and w["state"] == "WITHDRAWN"]
    told = {t.id: t for t in events.topics if t.subject == request}.values()
    batches = {i["batch"] for i in dbs["signing"]["items"].find({"transcript": request})}
    asked_again = [b.get("asked_again", 0) for b in dbs["signing"]["batches"].find({"_id": {"$in": list(batches)}})]
    acts = Counter(a["act"] for service in ("publishing", "district") for a in dbs[service]["audit"].find({"subject": request}))
    acts += Counter(a["act"] for a in dbs["signing"]["audit"].find({"act": "sign", "details.signed": request}))
    cancelled = dbs["records"]["audit"].count_documents({"act": "cancel transcript", "subject": own["transcript"]})
    return Request(
        id=request,
        end=end,
        where={
            "publishing": own["state"],
            "district": seen.get("state", "nowhere"),
            "records": document.get("state", "nowhere"),
            "the gateway": "WITHDRAWN" if gone else "ACCEPTED",
        },
        steps=tuple(s["act"] for s in own["history"]),
        told=tuple(t.type for t in told if t.topic == "publishing.withdrawals"),
        decisions=sum(t.topic == "district.decisions" for t in told),
        orders=tuple(gone),
        hashes=hashes,
        allowed=1 + max(asked_again, default=0),
        acts=acts + Counter({"cancel transcript": cancelled}),
    )


async def judge(stack: Stack, road: Road, kills: Sequence[Kill], say: Callable[[str], None]) -> None:
    before = {k.process: stack.restarts(k.process) for k in kills}
    began = time.monotonic()
    transcripts = await accepted(road, 4)
    assert len(transcripts) == 4
    await asyncio.to_thread(stack.arm, {k.process: k.failpoint for k in kills})
    try:
        ends = await ended(road, await asked(road, transcripts))

        async def all_dead() -> bool:
            return not stack.armed()

        await until_true(all_dead)
    except TimeoutError as stood_still:
        stood_still.add_note(f"{stack.armed()}\n{where_things_stand(stack)}")
        raise
    finally:
        if stack.armed():
            await asyncio.to_thread(stack.arm, {})
        say(f"{', '.join(f'{k.process} {k.failpoint}' for k in kills)}: {time.monotonic() - began:.0f} s")
    assert all(stack.restarts(p) > n for p, n in before.items())
    assert violations(await left_behind(stack, road, ends)) == []


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """To whoever waits."""

    def said(words: str) -> None:
        with capsys.disabled():
            print(f"\n  {words}")  # noqa: T201 - whoever waits wants to know

    return said


@pytest.mark.parametrize("seed", range(1, ROUNDS + 1))
async def test_withdrawals_with_dealt_kills_end_once_in_the_true_state_everywhere(
    killing: Stack, road: PatientRoad, seed: int, say: Callable[[str], None]
) -> None:
    await judge(killing, road, deal(seed), say)
