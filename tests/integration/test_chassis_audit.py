"""The audit trail is one chain, whoever writes, seals or dies; what root does to it afterwards is named."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.events.records import RecordsActsSealedV1
from infra.local import Stack
from services.chassis import audit, audit_seal, clock
from services.chassis.audit_chain import START, Fault, Head, What, digest, link
from services.chassis.audit_seal import Sealer, head_of
from services.chassis.audit_tell import portions, told_as
from services.chassis.audit_verify import verify
from services.chassis.mongo import Database, Session, transaction
from tests.integration.chassis_service import ROOT, SERVICE, Toy, root, until


@pytest.fixture(autouse=True)
async def trail(toy: Toy) -> AsyncIterator[None]:
    """An empty one."""
    for name in ("audit", audit_seal.LEASES):
        await toy.db[name].drop()
    await audit_seal.ensure_indexes(toy.db)
    yield
    toy.end_processes()
    await toy.db["audit"].drop()


async def act(toy: Toy, actor: str, nth: int) -> None:
    """As a service does it: the state and what is told of it in one transaction."""
    details = {"before": nth - 1, "after": {"balls": nth, "at": clock.now()}}

    async def work(session: Session) -> None:
        box = f"{actor}/{nth}"
        await toy.db["boxes"].insert_one({"_id": box}, session=session)
        await audit.record(toy.db, session, actor=actor, act="put", subject=box, details=details)

    await transaction(toy.db, work)


async def sealed(toy: Toy, acts: int) -> Head:
    """So many acts, all of them in the chain."""
    for nth in range(1, acts + 1):
        await act(toy, "writer", nth)
    while await Sealer(toy.db, lease_seconds=0.001).seal():
        pass
    head = await head_of(toy.db)
    assert head.number == acts
    return head


def tamper(stores: Stack, wanted: dict[str, Any], change: dict[str, Any] | None) -> None:
    """Past the service, with all rights; None deletes."""
    with root(stores) as client:
        trail = client[SERVICE]["audit"]
        if change is None:
            assert trail.delete_one(wanted).deleted_count == 1
        else:
            assert trail.update_one(wanted, change).modified_count == 1


async def id_of(toy: Toy, number: int) -> str:
    entry = await toy.db["audit"].find_one({"number": number})
    assert entry is not None
    return str(entry["_id"])


async def fault_of(toy: Toy, head: Head | None = None) -> Fault:
    _, fault = await verify(toy.db, head)
    assert fault is not None
    return fault


async def test_acts_of_several_writers_become_one_sound_chain_with_two_sealers_at_work(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both believe that they hold the lease, as a sealer does that was held up for longer than it lasts."""
    monkeypatch.setattr(audit_seal, "BATCH", 3)
    writers, acts = 4, 15
    busy = True

    async def write(actor: str) -> None:
        for nth in range(acts):
            await act(toy, actor, nth)

    async def seal() -> None:
        sealer = Sealer(toy.db)
        sealer.held, sealer._look_again = True, float("inf")
        while busy or await toy.db["audit"].count_documents({"number": None}):
            await sealer.seal()
            sealer._look_again = float("inf")

    sealers = [asyncio.create_task(seal()) for _ in range(2)]
    await asyncio.gather(*(write(f"writer-{n}") for n in range(writers)))
    busy = False
    await asyncio.gather(*sealers)
    head, fault = await verify(toy.db, minutes=0)
    assert (head.number, fault) == (writers * acts, None)
    assert head == await head_of(toy.db)


async def test_a_sealer_overtaken_between_reading_the_head_and_writing_begins_again_on_the_new_head(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor gives the same number to an older entry that was committed meanwhile."""
    monkeypatch.setattr(audit_seal, "BATCH", 1)
    heads: list[Head] = []

    async def head_and_pause(db: Database, session: Session | None = None) -> Head:
        head = await head_of(db, session)
        if session:
            heads.append(head)
            if len(heads) == 1:
                old = {"_id": "older", "at": clock.now() - dt.timedelta(minutes=1), "actor": "a", "act": "put", "subject": "s"}
                await toy.db["audit"].insert_one(old)
                assert await Sealer(toy.db, lease_seconds=0.001).seal() == 1
        return head

    await act(toy, "writer", 1)
    overtaken = Sealer(toy.db, lease_seconds=0.001)
    monkeypatch.setattr(audit_seal, "head_of", head_and_pause)
    assert await overtaken.seal() == 1
    assert [head.number for head in heads] == [0, 0, 1]
    assert await id_of(toy, 1) == "older"
    head, fault = await verify(toy.db, minutes=0)
    assert (head.number, fault) == (2, None)


async def test_an_act_that_was_abandoned_leaves_no_entry_and_no_gap(toy: Toy) -> None:
    await act(toy, "writer", 1)

    async def work(session: Session) -> None:
        await audit.record(toy.db, session, actor="writer", act="put", subject="box")
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(toy.db, work)
    await act(toy, "writer", 2)
    assert await Sealer(toy.db).seal() == 2
    assert (await verify(toy.db, minutes=0))[1] is None


async def test_entries_recorded_before_there_was_a_chain_are_sealed_like_all_others(toy: Toy) -> None:
    old: dict[str, Any] = {"actor": "a", "act": "put", "subject": "s", "request_id": None, "details": {}}
    at = clock.now() - dt.timedelta(days=30)
    await toy.db["audit"].insert_many([{"_id": f"old-{n}", "at": at + dt.timedelta(days=n), **old} for n in (2, 1, 3)])
    assert await Sealer(toy.db).seal() == 3
    assert [await id_of(toy, n) for n in (1, 2, 3)] == ["old-1", "old-2", "old-3"]
    assert (await verify(toy.db, minutes=0))[1] is None


async def test_what_was_sealed_before_entries_had_a_place_stays_sound_and_the_chain_goes_on(toy: Toy) -> None:
    """Those entries have neither `place` nor `origin`, and their hash covers that."""
    bare: dict[str, Any] = {"at": clock.now(), "actor": "a", "act": "put", "subject": "s", "request_id": None, "details": {}}
    head = START
    for nth in (1, 2):
        fields = link({"_id": f"sealed-{nth}", **bare}, head)
        head = Head(fields["number"], fields["hash"])
        await toy.db["audit"].insert_one({"_id": f"sealed-{nth}", **bare, **fields})
    await act(toy, "writer", 3)
    assert await Sealer(toy.db).seal() == 1
    assert (await verify(toy.db, head, minutes=0))[1] is None
    newest = await toy.db["audit"].find_one({"number": 3})
    assert newest is not None
    assert (newest["place"], newest["origin"]) == (None, None)


@pytest.mark.parametrize("field", ["place", "origin"])
async def test_a_changed_place_or_origin_is_named(toy: Toy, stores: Stack, field: str) -> None:
    await sealed(toy, 2)
    tamper(stores, {"number": 2}, {"$set": {field: "elsewhere"}})
    assert (await fault_of(toy)).what is What.CHANGED


def told_numbers(documents: list[dict[str, Any]]) -> list[int]:
    return sorted(told["number"] for d in documents for told in json.loads(d["body"])["data"]["acts"])


async def test_what_two_sealers_seal_is_told_once_each_under_its_number(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both believe that they hold the lease."""
    monkeypatch.setattr(audit_seal, "BATCH", 3)
    for nth in range(20):
        await act(toy, "writer", nth)

    async def seal() -> None:
        sealer = Sealer(toy.db, tell=told_as(RecordsActsSealedV1)(toy.db))
        while await toy.db["audit"].count_documents({"number": None}):
            sealer.held, sealer._look_again = True, float("inf")
            await sealer.seal()

    await asyncio.gather(seal(), seal())
    told = await toy.db["outbox"].find({"topic": "records.audit"}).sort("sequence", 1).to_list(None)
    assert told_numbers(told) == list(range(1, 21))
    assert {d["subject"] for d in told} == {"records"}
    assert [d["sequence"] for d in told] == [json.loads(d["body"])["data"]["acts"][-1]["number"] for d in told]
    assert (await verify(toy.db, minutes=0))[1] is None


async def test_what_cannot_be_told_is_not_sealed_and_is_both_later(toy: Toy) -> None:
    await act(toy, "writer", 1)

    async def fail(_session: Session, _acts: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await Sealer(toy.db, lease_seconds=0.001, tell=fail).seal()
    assert await head_of(toy.db) == START
    assert await Sealer(toy.db, lease_seconds=0.001, tell=told_as(RecordsActsSealedV1)(toy.db)).seal() == 1
    assert told_numbers(await toy.db["outbox"].find({"topic": "records.audit"}).to_list(None)) == [1]


async def test_a_batch_that_is_told_in_portions_loses_nothing(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "__defaults__", (1500,))
    for nth in range(7):
        await act(toy, "writer", nth)
    assert await Sealer(toy.db, tell=told_as(RecordsActsSealedV1)(toy.db)).seal() == 7
    told = await toy.db["outbox"].find({"topic": "records.audit"}).to_list(None)
    assert len(told) > 1
    assert told_numbers(told) == list(range(1, 8))


async def test_without_the_lease_nothing_is_sealed(toy: Toy) -> None:
    holder, other = Sealer(toy.db), Sealer(toy.db)
    await holder.seal()
    await act(toy, "writer", 1)
    assert await other.seal() == 0
    assert await holder.seal() == 1


async def test_a_sealer_that_ends_in_order_gives_its_lease_back_at_once(toy: Toy) -> None:
    first, second = Sealer(toy.db), Sealer(toy.db)
    running = asyncio.create_task(first.run())
    await until(lambda: asyncio.sleep(0, first.held))
    running.cancel()
    await asyncio.wait([running])
    await act(toy, "writer", 1)
    assert await second.seal() == 1


@pytest.mark.parametrize("moment", ["before-commit", "committed"])
async def test_a_sealer_killed_around_its_commit_does_no_harm(toy: Toy, moment: str) -> None:
    for nth in range(5):
        await act(toy, "writer", nth)
    killed, _ = await toy.ended(toy.start("relay", failpoint=f"transaction.{moment}:1"))
    assert killed == -signal.SIGKILL
    assert (await head_of(toy.db)).number == (0 if moment == "before-commit" else 5)
    await act(toy, "writer", 5)
    await toy.db[audit_seal.LEASES].delete_many({})  # rather than wait for the lease of the dead
    again = toy.start("relay")
    await until(lambda: all_sealed(toy, 6))
    assert (await verify(toy.db, minutes=0))[1] is None
    again.terminate()
    status, logged = await toy.ended(again)
    assert status == 0
    assert [line["message"] for line in logged if line["level"] in ("ERROR", "CRITICAL")] == []


async def all_sealed(toy: Toy, number: int) -> bool:
    return (await head_of(toy.db)).number == number


async def test_the_head_is_told_to_the_log_at_once_and_after_many_entries(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=audit_seal.__name__)
    monkeypatch.setattr(audit_seal, "TELL_ENTRIES", 3)
    sealer = Sealer(toy.db, lease_seconds=0.001)
    for nth in range(1, 8):
        await act(toy, "writer", nth)
        await sealer.seal()
    told = [Head.parse(str(getattr(record, "head"))) for record in caplog.records if hasattr(record, "head")]  # noqa: B009 - from `extra`
    assert [head.number for head in told] == [1, 4]
    assert [(await verify(toy.db, head))[1] for head in told] == [None, None]


async def test_a_changed_entry_is_named(toy: Toy, stores: Stack) -> None:
    await sealed(toy, 6)
    known = await id_of(toy, 4)
    tamper(stores, {"number": 4}, {"$set": {"details.after.balls": 400}})
    fault = await fault_of(toy)
    assert (fault.what, fault.number, fault.id) == (What.CHANGED, 4, known)
    assert (await verify(toy.db))[0].number == 3


async def test_a_changed_entry_with_its_hash_made_anew_is_noticed_at_the_next(toy: Toy, stores: Stack) -> None:
    await sealed(toy, 6)
    entry = await toy.db["audit"].find_one({"number": 4})
    assert entry is not None
    tamper(stores, {"number": 4}, {"$set": {"actor": "nobody", "hash": digest({**entry, "actor": "nobody"})}})
    fault = await fault_of(toy)
    assert (fault.what, fault.number, fault.id) == (What.ORDER, 5, await id_of(toy, 5))


async def test_a_deleted_entry_leaves_its_number_missing(toy: Toy, stores: Stack) -> None:
    await sealed(toy, 6)
    tamper(stores, {"number": 4}, None)
    fault = await fault_of(toy)
    assert (fault.what, fault.number, fault.id) == (What.MISSING, 4, None)


async def test_an_entry_taken_out_of_the_chain_to_be_sealed_again_leaves_its_number_missing(toy: Toy, stores: Stack) -> None:
    await sealed(toy, 6)
    tamper(stores, {"number": 4}, {"$unset": {"number": "", "previous": "", "hash": ""}, "$set": {"actor": "nobody"}})
    assert await Sealer(toy.db, lease_seconds=0.001).seal() == 1
    fault = await fault_of(toy)
    assert (fault.what, fault.number) == (What.MISSING, 4)


async def test_an_entry_whose_number_is_no_number_any_more_is_noticed(toy: Toy, stores: Stack) -> None:
    await sealed(toy, 3)
    known = await id_of(toy, 3)
    tamper(stores, {"number": 3}, {"$set": {"number": "3"}})
    fault = await fault_of(toy)
    assert (fault.what, fault.id) == (What.ORDER, known)


async def test_a_cut_end_is_noticed_by_the_head_that_was_noted_also_when_the_chain_went_on(toy: Toy, stores: Stack) -> None:
    head = await sealed(toy, 6)
    tamper(stores, {"number": 6}, None)
    assert (await verify(toy.db))[1] is None
    fault = await fault_of(toy, head)
    assert (fault.what, fault.number) == (What.CUT, 6)
    await act(toy, "other", 1)
    assert await Sealer(toy.db, lease_seconds=0.001).seal() == 1
    fault = await fault_of(toy, head)
    assert (fault.what, fault.number) == (What.REWRITTEN, 6)


async def test_an_entry_that_nobody_seals_is_named_after_the_time_it_may_wait(toy: Toy) -> None:
    await sealed(toy, 2)
    await act(toy, "writer", 3)
    waiting = await toy.db["audit"].find_one({"number": None})
    assert waiting is not None
    assert (await verify(toy.db))[1] is None
    _, fault = await verify(toy.db, minutes=0)
    assert fault is not None
    assert (fault.what, fault.id) == (What.UNSEALED, waiting["_id"])


def command(toy: Toy, *arguments: str) -> tuple[int, dict[str, Any]]:
    line = [sys.executable, "-m", "services.chassis.audit_verify", "--service", SERVICE, *arguments]
    own = {**os.environ, **toy.environment, "HOCBA_ADMIN_PORT": "0"}
    done = subprocess.run(line, env=own, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"problem": done.stderr}


async def test_the_command_answers_with_exit_status_and_the_first_bad_record(toy: Toy, stores: Stack) -> None:
    assert command(toy) == (0, {"service": SERVICE, "sound": 0, "head": str(START), "fault": None})
    head = await sealed(toy, 6)
    assert command(toy, "--head", str(head)) == (0, {"service": SERVICE, "sound": 6, "head": str(head), "fault": None})
    tamper(stores, {"number": 2}, {"$set": {"actor": "nobody"}})
    status, answer = command(toy, "--head", str(head))
    assert (status, answer["sound"], answer["fault"]["what"], answer["fault"]["number"]) == (1, 1, "changed content", 2)
    assert answer["fault"]["id"] == await id_of(toy, 2)
    assert command(toy, "--head", "6")[0] == 2
