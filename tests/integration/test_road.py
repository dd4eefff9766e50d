"""The whole road on the real stack: what went in, what came out, and who may look at it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from infra.demo.people import Refusal
from tests.conftest import Travelled

EXPECTED = "expected.json"


def test_every_complete_pupil_is_accepted_and_the_others_are_refused_with_the_field(
    travelled: Travelled, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = travelled.outcome
    assert outcome.pupils == 15
    assert len(outcome.refused) == 1
    assert outcome.refused[0]["field"] == "Số định danh cá nhân"
    assert outcome.accepted == outcome.created == 14


def test_a_homeroom_teacher_sees_the_own_class_with_its_states(travelled: Travelled) -> None:
    first = travelled.road.export.classes[0]

    async def look() -> list[dict[str, object]]:
        async with travelled.signed_in(first.homeroom) as teacher:
            return list((await teacher.get("/api/records/classes"))["classes"])

    rows = asyncio.run(look())
    assert first.code in {row["code"] for row in rows}


def test_a_subject_teacher_does_not_see_classes_that_they_do_not_teach(travelled: Travelled) -> None:
    first, last = travelled.road.export.classes[0], travelled.road.export.classes[-1]

    async def look() -> None:
        async with travelled.signed_in(first.homeroom) as teacher:
            visible = {row["code"] for row in (await teacher.get("/api/records/classes"))["classes"]}
            assert last.code not in visible
            with pytest.raises(Refusal, match="HB-ACC-403"):
                await teacher.get(f"/api/records/classes/{last.code}/pupils")

    asyncio.run(look())


def test_a_transcript_names_its_signers_in_the_order_of_the_policy(travelled: Travelled) -> None:
    async def look() -> dict[str, object]:
        async with travelled.signed_in("admin") as admin:
            rows = (await admin.get("/api/records/transcripts"))["transcripts"]
            return dict(await admin.get(f"/api/records/transcripts/{rows[0]['id']}"))

    transcript = asyncio.run(look())
    signatures = transcript["signatures"]
    assert isinstance(signatures, list)
    roles = [s["role"] for s in signatures]
    assert roles[-3:] == ["homeroom", "leader", "issue"]
    assert set(roles[:-3]) == {"subjects"}
    assert transcript["state"] == "ACCEPTED"


def test_the_district_counts_what_the_gateway_accepted(travelled: Travelled) -> None:
    async def look() -> dict[str, object]:
        async with travelled.signed_in("officer") as officer:
            return dict(await officer.get("/api/district/statistics"))

    numbers = asyncio.run(look())
    schools = numbers["schools"]
    assert isinstance(schools, list)
    ours = next(s for s in schools if s["school"] == "31300091")
    assert (ours["pupils"], ours["accepted"], ours["not_created"]) == (15, 14, 1)


def test_nobody_without_a_session_gets_any_data(travelled: Travelled) -> None:
    with httpx.Client(base_url=travelled.info["public_url"], verify=travelled.road.trust) as stranger:
        for path in ("/api/records/classes", "/api/signing/queue?step=homeroom", "/api/district/statistics", "/api/publishing/submissions"):
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["code"] == "HB-ACC-401"
        assert stranger.get("/ui/records/classes").headers["location"].endswith("/ui/identity/sign-in")


def test_a_token_in_the_request_is_not_taken_from_the_outside(travelled: Travelled) -> None:
    with httpx.Client(base_url=travelled.info["public_url"], verify=travelled.road.trust) as stranger:
        answer = stranger.get("/api/records/classes", headers={"Authorization": "Bearer x.y.z", "X-Internal-Token": "x.y.z"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "HB-ACC-401"


def test_an_officer_cannot_import_and_a_teacher_cannot_confirm(travelled: Travelled) -> None:
    teacher_code = travelled.road.export.classes[0].homeroom

    async def attempt() -> None:
        async with travelled.signed_in("officer") as officer:
            with pytest.raises(Refusal, match="403"):
                await officer.upload("/api/records/imports", {"a.xlsx": b"x"})
        async with travelled.signed_in(teacher_code) as teacher:
            with pytest.raises(Refusal, match="HB-ACC-403"):
                await teacher.post("/api/records/confirmations", {"all": True})

    asyncio.run(attempt())


def test_creating_again_refuses_each_pupil_who_has_a_transcript(travelled: Travelled) -> None:
    async def attempt() -> dict[str, object]:
        async with travelled.signed_in("admin") as admin:
            job = (await admin.post("/api/records/transcripts", {"classes": ["1A"]}))["job"]
            state: dict[str, object] = {}

            async def finished() -> int:
                state.update(await admin.get(f"/api/records/jobs/{job}"))
                return 1 if state["state"] == "finished" else 0

            await travelled.road.until(finished, 1)
            return state

    state = asyncio.run(attempt())
    assert state["created"] == 0
    refused = state["refused"]
    assert isinstance(refused, list)
    assert {r["code"] for r in refused} <= {"HB-REC-007", "HB-REC-006"}
    assert len(refused) == 3


def test_what_is_accepted_cannot_be_confirmed_undone_or_sent_again(travelled: Travelled) -> None:
    async def attempt() -> tuple[dict[str, object], dict[str, object]]:
        async with travelled.signed_in("admin") as admin:
            ids = [t["id"] for t in (await admin.get("/api/records/transcripts"))["transcripts"]]
            undone = await admin.post("/api/records/confirmations/undo", {"transcripts": ids})
            sent = await admin.post("/api/publishing/submissions", {"transcripts": ids})
            return undone, sent

    undone, sent = asyncio.run(attempt())
    assert undone["done"] == 0
    assert sent["requested"] == 0
    assert isinstance(sent["refused"], list)
    assert {r["code"] for r in sent["refused"]} == {"HB-PUB-002"}


def test_an_import_writes_nothing_before_it_is_confirmed_and_only_once(travelled: Travelled) -> None:
    async def attempt() -> None:
        async with travelled.signed_in("admin") as admin:
            before = await admin.get("/api/records/classes")
            preview = await admin.upload("/api/records/imports", travelled.road.export.files)
            assert preview["state"] == "previewed"
            assert await admin.get("/api/records/classes") == before
            assert (await admin.post(f"/api/records/imports/{preview['id']}/confirm"))["state"] == "confirmed"
            with pytest.raises(Refusal, match="HB-REC-003"):
                await admin.post(f"/api/records/imports/{preview['id']}/confirm")
            assert await admin.get("/api/records/classes") == before

    asyncio.run(attempt())


def test_the_logs_hold_no_names_and_no_personal_numbers(travelled: Travelled) -> None:
    from pathlib import Path

    export = travelled.road.export
    personal = {s.personal_id for s in export.staff} | {s.name for s in export.staff}
    logs = Path(travelled.info["logs"])
    services = [p for p in logs.glob("*.log") if p.name.split("-")[0] in {"identity", "records", "signing", "publishing", "district"}]
    assert len(services) == 10
    for log in services:
        text = log.read_text(encoding="utf-8")
        assert not [word for word in personal if word in text], log.name
        assert all(json.loads(line)["service"] for line in text.splitlines()[:50] if line.startswith("{"))
