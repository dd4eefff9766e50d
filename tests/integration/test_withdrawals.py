"""Taking accepted transcripts back on the real stack: asked for, signed by the school, decided by the unit, obeyed by the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
from lxml import etree

from infra.demo.people import Person, Refusal
from infra.demo.road import Road
from tests.conftest import Travelled

REASON = "Sai điểm môn Toán học kỳ II, đã đối chiếu sổ theo dõi"
NO = "Thông tin trên học bạ đã chính xác, không cần thu hồi"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
API = "/api/publishing/withdrawals"
OVERSIGHT = "/api/district/withdrawals"


async def accepted(admin: Person, class_code: str) -> list[str]:
    rows = (await admin.get("/api/publishing/submissions", **{"class": class_code, "state": "ACCEPTED"}))["submissions"]
    return [row["transcript"] for row in rows]


async def states(admin: Person, requests: list[str]) -> list[str]:
    return [(await admin.get(f"{API}/{request}"))["state"] for request in requests]


async def until_all(road: Road, requests: list[str], state: str) -> None:
    async def there() -> int:
        return (await states(road.admin, requests)).count(state)

    await road.until(there, len(requests))


async def until_state(road: Road, transcript: str, state: str) -> None:
    async def there() -> int:
        return int((await road.admin.get(f"/api/records/transcripts/{transcript}"))["state"] == state)

    await road.until(there, 1)


async def sign(road: Road, number: int) -> None:
    """The issuer signs what waits, once all of it has come."""
    issuer = road.staff[road.export.issuer.code]

    async def waiting() -> int:
        return len((await issuer.get("/api/signing/queue", step="issue", kind="withdrawal_request"))["transcripts"])

    await road.until(waiting, number)
    user = f"mst-{road.export.school.tax_code}"
    order = {"step": "issue", "kind": "withdrawal_request", "all": True, "login": {"user": user, "password": road.provider_passwords[user]}}
    started = await issuer.post("/api/signing/batches", order)
    assert started["accepted"] == number

    async def signed() -> int:
        return int((await issuer.get(f"/api/signing/batches/{started['batch']}"))["signed"])

    await road.until(signed, number)


async def asked(road: Road, transcripts: list[str]) -> list[str]:
    """Requests that wait for the oversight unit."""
    made = await road.admin.post(API, {"transcripts": transcripts, "reason": REASON})
    assert made["refused"] == []
    requests: list[str] = made["requests"]
    assert (await road.admin.post(f"{API}/send", {"requests": requests}))["done"] == len(transcripts)
    await sign(road, len(transcripts))
    await until_all(road, requests, "PENDING")
    return requests


def go(travelled: Travelled, work: Callable[[Road], Awaitable[None]]) -> None:
    travelled.go_on(work)


def test_a_request_that_is_refused_or_taken_back_leaves_the_transcript_accepted(travelled: Travelled) -> None:
    async def work(road: Road) -> None:
        first, second = (await accepted(road.admin, "1A"))[:2]
        refused, recalled = await asked(road, [first, second])
        await until_state(road, first, "WITHDRAWAL_PENDING")
        signed = etree.fromstring(await road.officer.download(f"{OVERSIGHT}/{refused}/request.xml"))
        assert signed.findtext(".//{urn:hocba:withdrawal:1}LyDo") == REASON
        assert len(signed[1]) == 1
        assert (await road.admin.post(f"{API}/recall", {"requests": [recalled]}))["done"] == 1
        with pytest.raises(Refusal, match="HB-DIS-021"):
            await road.officer.post(f"{OVERSIGHT}/refuse", {"ids": [refused], "reason": ""})
        assert await road.officer.post(f"{OVERSIGHT}/refuse", {"ids": [refused], "reason": NO}) == {"done": 1, "refused": []}
        again = await road.officer.post(f"{OVERSIGHT}/approve", {"ids": [refused]})
        assert [r["code"] for r in again["refused"]] == ["HB-DIS-020"]
        await until_all(road, [refused], "REFUSED")
        told = await road.admin.get(f"{API}/{refused}")
        assert (told["note"], [s["act"] for s in told["history"]]) == (NO, ["draft", "send", "sign", "claim", "refuse"])
        for transcript in (first, second):
            await until_state(road, transcript, "ACCEPTED")

        async def seen() -> int:
            rows = (await road.officer.get(OVERSIGHT))["withdrawals"]
            return sum((r["id"], r["state"]) in {(refused, "refused"), (recalled, "recalled")} for r in rows)

        await road.until(seen, 2)

    go(travelled, work)


def test_what_is_not_accepted_or_asked_for_already_is_refused_and_drafts_can_be_undone(travelled: Travelled) -> None:
    async def work(road: Road) -> None:
        transcript = (await accepted(road.admin, "2A"))[0]
        with pytest.raises(Refusal, match="HB-PUB-022"):
            await road.admin.post(API, {"transcripts": [transcript], "reason": "ngắn"})
        made = await road.admin.post(API, {"transcripts": [transcript, UNKNOWN], "reason": REASON})
        assert (made["done"], [r["id"] for r in made["refused"]]) == (1, [UNKNOWN])
        twice = await road.admin.post(API, {"transcripts": [transcript], "reason": REASON})
        assert [r["code"] for r in twice["refused"]] == ["HB-PUB-021"]
        [request] = made["requests"]
        assert (await road.admin.post(f"{API}/{request}/reason", {"reason": NO}))["reason"] == NO
        assert (await road.admin.post(f"{API}/send", {"requests": [request]}))["done"] == 1
        double = await road.admin.post(f"{API}/send", {"requests": [request]})
        assert [r["code"] for r in double["refused"]] == ["HB-PUB-023"]
        issuer = road.staff[road.export.issuer.code]

        async def waiting() -> int:
            return len((await issuer.get("/api/signing/queue", step="issue", kind="withdrawal_request"))["transcripts"])

        await road.until(waiting, 1)
        declined = await issuer.post(
            "/api/signing/returns", {"step": "issue", "kind": "withdrawal_request", "transcripts": [request], "reason": NO}
        )
        assert declined["returned"] == 1
        await until_all(road, [request], "DRAFT")
        assert NO in (await road.admin.get(f"{API}/{request}"))["note"]
        assert (await road.admin.post(f"{API}/delete", {"requests": [request]}))["done"] == 1
        assert [w["id"] for w in (await road.admin.get(API))["withdrawals"] if w["id"] == request] == []
        for stranger in (road.staff[road.export.classes[0].homeroom], road.officer):
            with pytest.raises(Refusal, match="HB-ACC-403"):
                await stranger.post(API, {"transcripts": [transcript], "reason": REASON})

    go(travelled, work)


@pytest.mark.slow
def test_an_approved_withdrawal_opens_the_way_for_the_next_version(travelled: Travelled) -> None:
    """The gateway fails, then loses its answer; the document is taken back once, cancelled, made anew, signed, sent and accepted."""
    gateway = travelled.info["sandbox"]["gateway"]

    async def work(road: Road) -> None:
        transcript = (await accepted(road.admin, "3A"))[0]
        async with httpx.AsyncClient(base_url=gateway, timeout=30, trust_env=False) as outside:
            for order in ({"fail_next": 1}, {"lose_answer_next": 1}):
                (await outside.post("/control/faults", json={"endpoint": "withdrawals", **order})).raise_for_status()
            [request] = await asked(road, [transcript])
            assert (await road.officer.post(f"{OVERSIGHT}/approve", {"all": True, "state": "pending"}))["done"] == 1
            await until_all(road, [request], "WITHDRAWN")
            held = (await outside.get(f"/v1/transcripts/{transcript}")).json()
            assert (held["status"], held["version"]) == ("WITHDRAWN", 1)
            await until_state(road, transcript, "WITHDRAWN")
            reason = {"transcripts": [transcript], "reason": REASON}
            assert (await road.admin.post("/api/records/cancellations", reason))["done"] == 1
            new = await _made_anew(road, transcript)
            now = (await outside.get(f"/v1/transcripts/{new}")).json()
            assert (now["status"], now["version"]) == ("ACCEPTED", 2)
            ledger: dict[str, Any] = (await outside.get("/control/ledger", params={"school": road.export.school.code})).json()
            assert [w["uuid"] for w in ledger["withdrawals"]] == [transcript]

    go(travelled, work)


async def _made_anew(road: Road, cancelled: str) -> str:
    """Version 2 of the pupil's transcript, from its creation to the gateway's answer."""
    await until_state(road, cancelled, "CANCELLED")
    await road.admin.post("/api/records/transcripts", {"classes": ["3A"]})
    found: dict[str, Any] = {}

    async def created() -> int:
        rows = (await road.admin.get("/api/records/transcripts"))["transcripts"]
        found.update(next((r for r in rows if r["class"] == "3A" and r["version"] == 2), {}))
        return int(bool(found))

    await road.until(created, 1)
    for step in ("subjects", "homeroom", "leader", "issue"):
        await road.sign(step)
    await until_state(road, found["id"], "SIGNED")
    assert (await road.admin.post("/api/records/confirmations", {"transcripts": [found["id"]]}))["done"] == 1

    async def sent() -> int:
        return int((await road.admin.post("/api/publishing/submissions", {"transcripts": [found["id"]]}))["requested"])

    await road.until(sent, 1)
    await until_state(road, found["id"], "ACCEPTED")
    return str(found["id"])


@pytest.mark.slow
def test_an_accepted_class_summary_is_taken_back_on_the_same_road(travelled: Travelled) -> None:
    """Made, signed and sent as every class summary, then withdrawn and cancelled; the class's transcripts stay as they are."""
    gateway, code, kind = travelled.info["sandbox"]["gateway"], "4A", "class_summary"

    async def work(road: Road) -> None:
        before = {t["id"]: t["state"] for t in (await road.admin.get("/api/records/transcripts", **{"class": code}))["transcripts"]}
        [created] = (await road.admin.post("/api/records/summaries", {"classes": [code]}))["created"]
        summary = created["summary"]
        room = next(c for c in road.export.classes if c.code == code)
        for step, signer in (("homeroom", room.homeroom), ("leader", room.leader), ("issue", road.export.issuer.code)):
            await road.until(partial(road.sign_waiting, road.staff[signer], step, "class_summary"), 1)

        async def moved_to(state: str) -> int:
            return int((await road.admin.get(f"/api/records/summaries/{summary}"))["state"] == state)

        await road.until(partial(moved_to, "SIGNED"), 1)
        await road.admin.post("/api/records/confirmations", {"classes": [code], "kind": kind})

        async def sent() -> int:
            return int((await road.admin.post("/api/publishing/submissions", {"transcripts": [summary], "kind": kind}))["requested"])

        await road.until(sent, 1)
        await road.until(partial(moved_to, "ACCEPTED"), 1)
        [request] = await asked(road, [summary])
        assert (await road.admin.get(f"{API}/{request}"))["pupil_name"] == f"Bảng tổng hợp lớp {code}"
        assert await road.officer.post(f"{OVERSIGHT}/approve", {"ids": [request]}) == {"done": 1, "refused": []}
        await until_all(road, [request], "WITHDRAWN")
        await road.until(partial(moved_to, "WITHDRAWN"), 1)
        async with httpx.AsyncClient(base_url=gateway, timeout=30, trust_env=False) as outside:
            assert (await outside.get(f"/v1/transcripts/{summary}")).json()["status"] == "WITHDRAWN"
        cancelled = await road.admin.post("/api/records/cancellations", {"transcripts": [summary], "reason": REASON, "kind": kind})
        assert cancelled["done"] == 1
        after = {t["id"]: t["state"] for t in (await road.admin.get("/api/records/transcripts", **{"class": code}))["transcripts"]}
        assert after == before

    go(travelled, work)
