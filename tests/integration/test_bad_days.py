"""Things that go wrong outside: providers, phones, the gateway, and our own processes."""

from __future__ import annotations

import asyncio
import io
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from minio import Minio

from infra.demo.people import Person, Refusal
from infra.demo.road import Road
from infra.demo.school import read
from infra.local import Stack
from tests.conftest import Travelled, make_school


@pytest.fixture(scope="module")
def school(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Travelled:
    """A school whose transcripts were created and wait for their subject teachers."""
    folder = make_school(tmp_path_factory.mktemp("bad-day"), code="31300092", province="033", pupils=4, defects=0, seed=7)
    road = Road(stack.info, read(folder), lambda _: None)

    async def go() -> None:
        for stage in (road.organisations, road.import_year, road.accounts, road.certificates, road.create):
            await stage()

    asyncio.run(go())
    return Travelled(stack.info, road, folder, Path(stack.info["sandbox"]["trust"]))


@pytest.fixture
def provider(stack: Stack) -> Iterator[httpx.Client]:
    """Control of the remote signing provider; it behaves again afterwards."""
    with httpx.Client(base_url=stack.info["sandbox"]["provider"]) as control:
        yield control
        control.delete("/control/faults").raise_for_status()
        control.post("/control/phone", json={"mode": "auto", "delay_ms": 500}).raise_for_status()


@pytest.fixture
def gateway(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.info["sandbox"]["gateway"]) as control:
        yield control
        control.delete("/control/faults").raise_for_status()


def specialist(school: Travelled, nth: int) -> str:
    """A subject teacher who is nobody's homeroom teacher, so that something waits for them from the start."""
    homerooms = {c.homeroom for c in school.road.export.classes} | {c.leader for c in school.road.export.classes}
    return sorted(school.road.export.signing_staff - homerooms)[nth]


async def waiting(person: Person, step: str = "subjects") -> list[str]:
    return [t["id"] for t in (await person.get("/api/signing/queue", step=step))["transcripts"]]


async def start(school: Travelled, person: Person, ids: list[str], *, password: str | None = None) -> dict[str, Any]:
    login = {"user": person.username, "password": password or school.road.provider_passwords[person.username]}
    return dict(await person.post("/api/signing/batches", {"step": "subjects", "transcripts": ids, "login": login}))


async def ended(school: Travelled, person: Person, batch: str) -> dict[str, Any]:
    progress: dict[str, Any] = {}

    async def finished() -> int:
        progress.update(await person.get(f"/api/signing/batches/{batch}"))
        return 1 if progress["state"] == "finished" else 0

    await school.road.until(finished, 1)
    return progress


def test_a_wrong_signature_from_the_provider_is_refused_and_the_others_go_on(school: Travelled, provider: httpx.Client) -> None:
    provider.post("/control/faults", json={"wrong_signature_next": 1}).raise_for_status()

    async def day() -> tuple[int, dict[str, Any], list[str]]:
        async with school.signed_in(specialist(school, 0)) as teacher:
            ids = await waiting(teacher)
            progress = await ended(school, teacher, (await start(school, teacher, ids))["batch"])
            return len(ids), progress, await waiting(teacher)

    count, progress, left = asyncio.run(day())
    failed = [i for i in progress["items"] if i["state"] == "failed"]
    assert [i["code"] for i in failed] == ["HB-SIG-011"]
    assert progress["signed"] == count - 1
    assert left == [failed[0]["transcript"]]


def test_a_refusal_on_the_phone_leaves_everything_waiting_with_the_reason(school: Travelled, provider: httpx.Client) -> None:
    user = specialist(school, 1)
    provider.post("/control/phone", json={"mode": "reject", "delay_ms": 100, "user": user}).raise_for_status()

    async def day() -> tuple[list[str], dict[str, Any], list[str]]:
        async with school.signed_in(specialist(school, 1)) as teacher:
            ids = await waiting(teacher)
            progress = await ended(school, teacher, (await start(school, teacher, ids))["batch"])
            return ids, progress, await waiting(teacher)

    ids, progress, left = asyncio.run(day())
    assert {(i["state"], i["code"]) for i in progress["items"]} == {("refused", "HB-SIG-009")}
    assert left == ids


def test_a_transcript_is_in_one_batch_at_a_time_and_a_cancelled_batch_lets_it_go(school: Travelled, provider: httpx.Client) -> None:
    user = specialist(school, 1)
    provider.post("/control/phone", json={"mode": "manual", "user": user}).raise_for_status()

    async def day() -> tuple[list[str], dict[str, Any], dict[str, Any], list[str]]:
        async with school.signed_in(specialist(school, 1)) as teacher:
            ids = await waiting(teacher)
            first = await start(school, teacher, ids)
            second = await start(school, teacher, ids)
            assert (await teacher.post(f"/api/signing/batches/{first['batch']}/cancel"))["cancelled"]
            return ids, second, await ended(school, teacher, first["batch"]), await waiting(teacher)

    ids, second, progress, left = asyncio.run(day())
    assert second["batch"] is None
    assert {r["code"] for r in second["refused"]} == {"HB-SIG-007"}
    assert {i["state"] for i in progress["items"]} == {"cancelled"}
    assert left == ids


def test_a_wrong_provider_password_starts_nothing_and_says_so_in_the_guides_words(school: Travelled) -> None:
    async def day() -> None:
        async with school.signed_in(specialist(school, 1)) as teacher:
            with pytest.raises(Refusal, match="Thông tin thẻ không tồn tại hoặc không đúng"):
                await start(school, teacher, await waiting(teacher), password="sai-mat-khau")

    asyncio.run(day())


def test_what_waits_for_somebody_else_cannot_be_signed(school: Travelled) -> None:
    async def day() -> dict[str, Any]:
        async with school.signed_in(specialist(school, 0)) as other:
            foreign = await waiting(other)
        async with school.signed_in(school.road.export.classes[-1].homeroom) as teacher:
            mine = set(await waiting(teacher))
            return await start(school, teacher, [t for t in foreign if t not in mine] or ["00000000-0000-0000-0000-000000000000"])

    answer = asyncio.run(day())
    assert answer["batch"] is None
    assert {r["code"] for r in answer["refused"]} == {"HB-SIG-006"}


@pytest.fixture(scope="module")
def signed(school: Travelled, stack: Stack) -> Travelled:
    """The same school after all have signed, although every worker that has a part in it was killed on the way."""

    async def go(road: Road) -> None:
        async def trouble() -> None:
            for process in ("signing-worker", "records-worker", "signing-worker", "identity-web"):
                await asyncio.sleep(4)
                await asyncio.to_thread(stack.kill, process, signal.SIGKILL)

        troubled = asyncio.create_task(trouble())
        await road.sign("subjects")
        await troubled
        for step in ("homeroom", "leader", "issue"):
            await road.sign(step)

    school.go_on(go)
    return school


def test_killed_processes_lose_no_transcript_and_double_no_signature(signed: Travelled, stack: Stack) -> None:
    assert stack.restarts("signing-worker") >= 2

    async def look() -> list[dict[str, Any]]:
        async with signed.signed_in("admin") as admin:
            rows = (await admin.get("/api/records/transcripts"))["transcripts"]
            return [dict(await admin.get(f"/api/records/transcripts/{row['id']}")) for row in rows]

    transcripts = asyncio.run(look())
    assert len(transcripts) == signed.outcome.created == 20
    for transcript in transcripts:
        assert transcript["state"] == "SIGNED"
        who = Counter((s["role"], s["person"]) for s in transcript["signatures"])
        assert set(who.values()) == {1}, transcript["id"]
        assert [s["role"] for s in transcript["signatures"]][-3:] == ["homeroom", "leader", "issue"]


async def settled(school: Travelled, admin: Person, count: int) -> Counter[str]:
    states: Counter[str] = Counter()

    async def decided() -> int:
        states.clear()
        states.update(t["state"] for t in (await admin.get("/api/records/transcripts"))["transcripts"])
        return states["ACCEPTED"] + states["REJECTED"]

    await school.road.until(decided, count)
    return states


def test_a_damaged_document_is_stopped_alone_and_goes_out_once_it_is_restored(signed: Travelled, stack: Stack) -> None:
    store = Minio(
        endpoint=stack.info["objects"],
        access_key="signing",
        secret_key=Path(stack.info["secrets"]["minio-signing"]).read_text().strip(),
        secure=False,
    )

    def put(reference: dict[str, Any], content: bytes) -> None:
        store.put_object(bucket_name=reference["bucket"], object_name=reference["key"], data=io.BytesIO(content), length=len(content))

    async def day() -> tuple[dict[str, str], str, dict[str, str]]:
        async with signed.signed_in("admin") as admin:
            ids = [t["id"] for t in (await admin.get("/api/records/transcripts", **{"class": "1A"}))["transcripts"]]
            pdf = (await admin.get(f"/api/records/transcripts/{ids[0]}"))["documents"]["pdf"]
            original = await admin.download(f"/api/records/transcripts/{ids[0]}/document.pdf")
            await asyncio.to_thread(put, pdf, original[:-1] + b" ")
            await admin.post("/api/records/confirmations", {"classes": ["1A"]})

            async def known() -> int:
                return len((await admin.get("/api/publishing/submissions"))["submissions"])

            async def states() -> dict[str, str]:
                rows = (await admin.get("/api/records/transcripts", **{"class": "1A"}))["transcripts"]
                return {row["id"]: row["state"] for row in rows}

            async def decided() -> int:
                return sum(state in {"ACCEPTED", "REJECTED"} for state in (await states()).values())

            async def accepted() -> int:
                return sum(state == "ACCEPTED" for state in (await states()).values())

            await signed.road.until(known, len(ids))
            await admin.post("/api/publishing/submissions", {"classes": ["1A"]})
            await signed.road.until(decided, len(ids))
            first = await states()
            refused = (await admin.get("/api/publishing/submissions", state="REJECTED"))["submissions"]
            assert [r["transcript"] for r in refused] == [ids[0]]
            await asyncio.to_thread(put, pdf, original)
            await admin.post("/api/publishing/submissions", {"classes": ["1A"]})
            await signed.road.until(accepted, len(ids))
            return first, refused[0]["refusal"]["code"], await states()

    first, code, last = asyncio.run(day())
    assert sorted(first.values()) == ["ACCEPTED", "ACCEPTED", "ACCEPTED", "REJECTED"]
    assert code == "HB-PUB-006"
    assert set(last.values()) == {"ACCEPTED"}


def test_a_bad_gateway_day_ends_with_each_transcript_once_in_its_true_state(signed: Travelled, gateway: httpx.Client) -> None:
    """It refuses one, takes a package and does not say so, answers before its answer, and says everything three times."""
    faults = {"reject_next": 1, "timeout_after_accept": 1, "duplicate_callback": 2, "callback_before_answer": True}
    gateway.post("/control/faults", json=faults).raise_for_status()

    async def day() -> tuple[Counter[str], list[dict[str, Any]]]:
        async with signed.signed_in("admin") as admin:
            assert (await admin.post("/api/records/confirmations", {"all": True}))["done"] == 16

            async def known() -> int:
                return len((await admin.get("/api/publishing/submissions"))["submissions"])

            await signed.road.until(known, 20)
            await admin.post("/api/publishing/submissions", {"all": True})
            states = await settled(signed, admin, 20)
            return states, (await admin.get("/api/publishing/submissions", state="REJECTED"))["submissions"]

    states, refused = asyncio.run(day())
    assert states == Counter({"ACCEPTED": 19, "REJECTED": 1})
    assert refused[0]["refusal"]["code"] == "NG-901"
    assert refused[0]["refusal"]["reason"]


def test_a_refused_transcript_is_sent_again_and_its_result_is_found_though_no_call_comes(signed: Travelled, gateway: httpx.Client) -> None:
    gateway.post("/control/faults", json={"no_callback": True}).raise_for_status()

    async def day() -> tuple[dict[str, Any], Counter[str]]:
        async with signed.signed_in("admin") as admin:
            again = await admin.post("/api/publishing/submissions", {"all": True})
            states: Counter[str] = Counter()

            async def accepted() -> int:
                states.clear()
                states.update(t["state"] for t in (await admin.get("/api/records/transcripts"))["transcripts"])
                return states["ACCEPTED"]

            await signed.road.until(accepted, 20)
            return again, states

    again, states = asyncio.run(day())
    assert again["requested"] == 1
    assert states == Counter({"ACCEPTED": 20})
