"""Batches signed by a USB token: real stores, the real signing program, a real PKCS#11 token (SoftHSM2)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc.jwk import KeySet, OKPKey

from infra.local import Stack
from services.chassis import clock
from services.signing import batches, runner
from tests.integration.agent_world import Computer, until_true
from tests.integration.token_world import World, world_of
from tests.unit.agent.softhsm import LOCKED, PIN, Kind

AWAY = dt.timedelta(minutes=6)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@pytest.fixture
def computer(light_stack: Stack, tmp_path: Path) -> Computer:
    return Computer(tmp_path, light_stack.instance.public_url, light_stack.instance.tls / "ca.pem")


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
async def test_a_batch_is_signed_with_one_pin_and_the_page_says_what_to_do(world: World, computer: Computer, kind: Kind) -> None:
    await world.plugged_in(computer, kind)
    transcripts = await world.documents(3)
    batch = await world.started(transcripts)
    page = await world.told(batch, "Chưa kết nối chương trình ký số")
    assert "/ui/identity/agents" in page
    async with computer.running("run") as program:
        await program.says("Mã PIN")
        assert "Giáo viên chủ nhiệm ký duyệt: 3 học bạ" in program.said
        assert "Học sinh 2 – lớp 1A" in program.said
        await world.told(batch, "Nhập mã PIN của USB Token")
        await program.type(PIN)
        items = await world.ended(batch)
        assert [i["state"] for i in items] == ["embedded"] * 3, f"{items}\n{program.said}"
        await program.says("Đã ký 3/3 văn bản.")
    await world.assert_embedded(transcripts)
    assert 'id="token-note"' not in await world.page(batch)
    audited = [a["act"] async for a in world.db["audit"].find({"subject": batch}).sort("_id", 1)]
    assert {"start batch", "agent answered", "sign"} <= set(audited)


async def test_a_program_killed_in_the_middle_takes_the_batch_up_again_where_it_was(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "p256")
    transcripts = await world.documents(60)
    batch = await world.started(transcripts)
    async with computer.running("run") as program:
        await program.says("Mã PIN")
        await program.type(PIN)
        await until_true(lambda: world.count(batch, "returned", "embedded"))
        program.process.kill()
        await program.process.wait()
    answered = await world.count(batch, "returned", "embedded")
    assert 0 < answered < 60
    async with computer.running("run") as program:
        await program.says("Mã PIN")
        asked = re.search(r"ký (\d+) văn bản", program.said)
        assert asked is not None
        assert int(asked[1]) == 60 - answered
        await program.type(PIN)
        items = await world.ended(batch)
    assert [i["state"] for i in items] == ["embedded"] * 60
    await world.assert_embedded(transcripts)


async def test_a_document_that_does_not_fit_its_hash_is_refused_by_the_program_alone(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "p256")
    transcripts = await world.documents(3)
    batch = await world.started(transcripts)
    await until_true(lambda: world.db["agent_jobs"].count_documents({}))
    item = await world.db["items"].find_one({"batch": batch, "number": 1})
    assert item is not None
    other = item["prepared"]["xml"]["signature"].replace(
        b"Gi\xc3\xa1o vi\xc3\xaan ch\xe1\xbb\xa7 nhi\xe1\xbb\x87m", b"L\xc3\xa3nh \xc4\x91\xe1\xba\xa1o"
    )
    assert other != item["prepared"]["xml"]["signature"]
    await world.db["items"].update_one({"_id": item["_id"]}, {"$set": {"prepared.xml.signature": other}})
    async with computer.running("run") as program:
        await program.says("Mã PIN")
        await program.type(PIN)
        items = await world.ended(batch)
        await program.says("Đã ký 2/3 văn bản. 1 văn bản không ký.")
    assert [(i["state"], i.get("code")) for i in items] == [("embedded", None), ("failed", "HB-SIG-064"), ("embedded", None)]
    await world.assert_embedded([transcripts[0], transcripts[2]])


async def test_a_job_signed_by_another_key_is_left_alone_and_can_be_cancelled(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "p256")
    world.pair(computer, dict(KeySet([OKPKey.generate_key("Ed25519", auto_kid=True)]).as_dict(private=False)))
    batch = await world.started(await world.documents(1))
    async with computer.running("run") as program:
        await program.says("không đúng là của máy chủ đã ghép nối")
        assert "Mã PIN" not in program.said
    assert await batches.cancel(world.store, world.who, batch)
    assert [(i["state"], i["code"]) for i in await world.ended(batch)] == [("cancelled", "HB-SIG-013")]


async def test_wrong_pins_and_an_empty_one_end_the_batch_in_words(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "p256")
    transcripts = await world.documents(1)
    async with computer.running("run") as program:
        wrong = await world.started(transcripts)
        for number in range(3):
            await program.says("Mã PIN của thiết bị", number + 1)
            await program.type("000000")
        assert [(i["state"], i["code"]) for i in await world.ended(wrong)] == [("failed", "HB-SIG-056")]
        left = await world.started(transcripts)
        await program.says("Mã PIN của thiết bị", 4)
        await program.type("")
        assert [(i["state"], i["code"]) for i in await world.ended(left)] == [("refused", "HB-SIG-062")]


async def test_a_locked_token_ends_the_batch_without_asking_for_the_pin(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "p256")
    computer.tokens.mark(LOCKED)
    batch = await world.started(await world.documents(1))
    async with computer.running("run") as program:
        assert [(i["state"], i["code"]) for i in await world.ended(batch)] == [("failed", "HB-SIG-057")]
        assert "Mã PIN của thiết bị" not in program.said
    assert "mở khoá" in (await world.page(batch))


async def test_a_token_pulled_out_is_waited_for_and_what_was_signed_stays(world: World, computer: Computer) -> None:
    await world.plugged_in(computer, "rsa2048")
    transcripts = await world.documents(60)
    batch = await world.started(transcripts)
    store, away = computer.tokens.store, computer.tokens.store.with_name("away")
    async with computer.running("run") as program:
        await program.says("Mã PIN")
        await program.type(PIN)
        await until_true(lambda: world.count(batch, "returned", "embedded"))
        store.rename(away)
        store.mkdir()
        await world.told(batch, "Không thấy USB Token")
        signed = await world.count(batch, "returned", "embedded")
        assert 0 < signed < 60
        # nobody plugs it in again: what is there is embedded, the rest waits for another batch
        await world.db["agent_jobs"].update_one({"_id": batch}, {"$set": {"moved_at": clock.now() - AWAY}})
        items = await world.ended(batch)
        assert [i["state"] for i in items].count("embedded") == signed
        assert {i["code"] for i in items if i["state"] != "embedded"} == {"HB-SIG-055"}
        await program.says("đã kết thúc hoặc đã dừng")
        store.rmdir()
        away.rename(store)
        rest = [i["transcript"] for i in items if i["state"] != "embedded"]
        again = await world.started(rest)
        await program.says("Mã PIN của thiết bị", 2)
        await program.type(PIN)
        assert {i["state"] for i in await world.ended(again)} == {"embedded"}
    await world.assert_embedded(transcripts)


@pytest.mark.slow
async def test_a_batch_that_nobody_confirms_in_time_says_what_was_missing(
    world: World, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.plugged_in(computer, "p256")
    transcripts = await world.documents(1)
    monkeypatch.setattr(runner, "CONFIRM_WITHIN", dt.timedelta(seconds=3))
    alone = await world.started(transcripts)
    assert [(i["state"], i["code"]) for i in await world.ended(alone)] == [("expired", "HB-SIG-052")]
    monkeypatch.setattr(runner, "CONFIRM_WITHIN", dt.timedelta(seconds=15))
    async with computer.running("run") as program:
        await until_true(lambda: world.db["agents"].count_documents({}))  # starting it may take longer than it has for the PIN
        asked = await world.started(transcripts)
        await program.says("Mã PIN")
        assert [(i["state"], i["code"]) for i in await world.ended(asked)] == [("expired", "HB-SIG-053")]
        await program.type(PIN)
        await program.says("đã kết thúc hoặc đã dừng")
