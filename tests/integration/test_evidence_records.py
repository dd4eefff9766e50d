"""Evidence records on real stores with the sandbox's timestamps: made once, renewed before they age, whatever dies or answers wrongly."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import new as new_hash
from itertools import pairwise
from typing import Any

import httpx
import pytest

from contracts.documents import DocumentRef
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Document, transaction
from services.chassis.process import Parts
from services.means.evidence_checker import check, check_timestamps, read
from services.means.timestamps import TimestampAuthority, TimestampsUnavailable, outgoing
from services.means.validation_data import ValidationSource
from services.signing.ers import making, renewing, writing
from services.signing.ers.making import Making
from services.signing.ers.renewing import Renewing
from services.signing.ers.stamping import Postponed, Stamping
from services.signing.ers.store import begin, ensure_indexes
from services.signing.ers.writing import Writing
from services.signing.providers import read_roots
from tests.integration.pages_world import world_of

DAY = dt.timedelta(days=1)


class Killed(BaseException):
    """As `kill -9` would: nothing after it runs."""


@dataclass
class Archive:
    """Signing's loops over evidence, without the others."""

    parts: Parts
    pki: str
    roots: list[bytes]
    control: httpx.AsyncClient
    owner: str = "one worker"

    @asynccontextmanager
    async def stamping(self, unit: str = "") -> AsyncIterator[Stamping]:
        async with outgoing() as session:
            authority = TimestampAuthority(f"{self.pki}/tsa{f'/{unit}' if unit else ''}", self.roots, session)
            yield Stamping(authority, ValidationSource(self.roots, authority, session), self.roots)

    def with_settings(self, **changes: Any) -> Archive:
        return replace(self, parts=replace(self.parts, settings=self.parts.settings.model_copy(update=changes)))

    async def unit(self, name: str, days: int) -> str:
        order = {"name": name, "valid_to": (clock.now() + days * DAY).isoformat()}
        answer = (await self.control.post("/control/units", json=order)).raise_for_status().json()
        return str(answer["serial"])

    async def sealed(self, count: int) -> list[str]:
        """So many documents as sealing leaves them; their ids."""
        tasks = []
        for number in range(count):
            name = f"{number:03d}-{clock.now().timestamp()}"
            files = {
                kind: (
                    await self.parts.objects.put(f"transcripts/{name}", f".{kind}", f"{kind} {name}".encode(), "text/plain")
                ).model_dump()
                for kind in ("pdf", "xml")
            }
            tasks.append({"_id": name, **files})

        await transaction(self.parts.db, lambda session: begin(self.parts.db, session, tasks))
        return [str(each["_id"]) for each in tasks]

    async def make(self, unit: str = "") -> int:
        async with self.stamping(unit) as stamping:
            making = Making(self.parts, stamping)
            making.store.owner = self.owner
            return await making.round()

    async def renew(self, unit: str = "") -> int:
        async with self.stamping(unit) as stamping:
            return await Renewing(self.parts, stamping).round()

    async def write(self) -> None:
        while await Writing(self.parts).round():
            pass

    async def free(self) -> None:
        """The leases of whoever was killed have ended."""
        for name in ("evidence_trees", "evidence_leases"):
            await self.parts.db[name].update_many({}, {"$unset": {"lease": ""}})

    async def documents(self) -> list[Document]:
        return await self.parts.db["evidence"].find().sort("_id", 1).to_list(None)

    async def trees(self) -> list[Document]:
        return await self.parts.db["evidence_trees"].find({"replaced": False}).to_list(None)

    async def told(self) -> Counter[str]:
        found = await self.parts.db["outbox"].find({"topic": "signing.steps"}).to_list(None)
        assert all('"type":"EvidenceRecordedV1"' in each["body"] for each in found)
        return Counter(each["subject"] for each in found)

    async def judged(self, document: Document) -> list[dt.datetime]:
        """The times of the timestamps in the file of the document, all checked by what goes with the archive's packages."""
        content = await self.parts.objects.get(DocumentRef.model_validate(document["file"]))
        files = await self.parts.objects.get_all([DocumentRef.model_validate(document[kind]) for kind in ("pdf", "xml")])
        record = read(content)
        check(record, lambda algorithm: [new_hash(algorithm, each).digest() for each in files])
        return [each.time for each in check_timestamps(record, self.roots)]


@pytest.fixture
async def archive(light_stack: Stack) -> AsyncIterator[Archive]:
    pki = light_stack.info["sandbox"]["pki"]
    async with world_of(light_stack) as world, httpx.AsyncClient(base_url=pki, timeout=60, trust_env=False) as control:
        parts = world.parts["signing"]
        await ensure_indexes(parts.db)
        settings = parts.settings.model_copy(update={"evidence_wait_seconds": 0.0})
        assert settings.trust_dir is not None
        yield Archive(replace(parts, settings=settings), pki, read_roots(settings.trust_dir), control)
        (await control.delete("/control/faults")).raise_for_status()


async def test_many_documents_share_one_timestamp_and_each_has_its_own_checked_file(archive: Archive) -> None:
    await archive.sealed(11)
    assert await archive.make() == 11
    await archive.write()
    [tree] = await archive.trees()
    assert (tree["count"], len(tree["stamps"]), tree["behind"]) == (11, 1, False)
    documents = await archive.documents()
    times = [await archive.judged(each) for each in documents]
    assert len({tuple(each) for each in times}) == 1
    assert len({each["file"]["sha256"] for each in documents}) == 11
    assert set((await archive.told()).values()) == {1}
    assert await archive.make() == 0


async def test_documents_wait_for_others_until_enough_are_there_or_one_has_waited_long_enough(archive: Archive) -> None:
    patient = archive.with_settings(evidence_wait_seconds=3600.0, evidence_most=4)
    await patient.sealed(3)
    assert await patient.make() == 0
    await patient.sealed(1)
    assert await patient.make() == 4
    await patient.sealed(1)
    assert await patient.make() == 0
    await patient.parts.db["evidence"].update_many({"tree": None}, {"$set": {"waiting_since": clock.now() - 2 * DAY}})
    assert await patient.make() == 1


async def test_while_the_authority_is_away_or_answers_wrongly_documents_wait_and_nothing_is_kept(archive: Archive) -> None:
    await archive.sealed(2)
    for fault, problem in (({"down": True}, TimestampsUnavailable), ({"down": False, "wrong_signature_next": 1}, Postponed)):
        (await archive.control.post("/control/faults", json={"endpoint": "tsa", **fault})).raise_for_status()
        with pytest.raises(problem):
            await archive.make()
        assert await archive.trees() == []
        await archive.free()
    assert await archive.make() == 2
    await archive.write()
    assert [len(await archive.judged(each)) for each in await archive.documents()] == [1, 1]


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("step", ["making", "writing", "renewing"])
async def test_a_worker_that_dies_at_any_step_is_followed_by_one_with_the_same_effect_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    await archive.unit("ends-soon", 30)
    await archive.sealed(5)

    async def dies(db: Any, work: Any) -> None:
        if moment == "after the commit":
            await transaction(db, work)
        raise Killed

    async def day() -> None:
        await archive.make("ends-soon")
        await archive.write()
        await archive.renew()
        await archive.write()

    module = {"making": making, "writing": writing, "renewing": renewing}[step]
    with monkeypatch.context() as patched:
        patched.setattr(module, "transaction", dies)
        with pytest.raises(Killed):
            await day()
    await archive.free()
    await day()
    [tree] = await archive.trees()
    assert (tree["count"], len(tree["stamps"]), tree["behind"]) == (5, 2, False)
    for each in await archive.documents():
        assert len(await archive.judged(each)) == 2
    told = await archive.told()
    assert len(told) == 5
    # made and renewed: who died while renewing left the files of before to be written, or not
    assert set(told.values()) == {2}


async def test_one_new_timestamp_of_a_newer_unit_renews_all_trees_and_no_document_changes(archive: Archive) -> None:
    await archive.unit("ends-soon", 30)
    for _ in range(3):
        await archive.sealed(4)
        await archive.make("ends-soon")
    await archive.write()
    before = await archive.documents()
    assert await archive.renew("ends-soon") == 0, "a unit that ends no later renews nothing"
    assert await archive.renew() == 3
    await archive.write()
    after = await archive.documents()
    trees = await archive.trees()
    assert [(each["pdf"], each["xml"]) for each in after] == [(each["pdf"], each["xml"]) for each in before]
    assert len({bytes(tree["stamps"][-1]["token"]) for tree in trees}) == 1
    assert min(tree["ends"] for tree in trees) > clock.now() + 3000 * DAY
    for each in after:
        times = await archive.judged(each)
        assert len(times) == 2
        assert all(one <= other for one, other in pairwise(times))
    assert await archive.renew() == 0, "what was renewed is not due"


async def test_a_stronger_hash_algorithm_in_the_settings_moves_every_tree_to_it_with_all_evidence_so_far(archive: Archive) -> None:
    await archive.unit("ends-soon", 30)
    await archive.sealed(6)
    await archive.make("ends-soon")
    await archive.renew()
    await archive.write()
    stronger = archive.with_settings(evidence_hash="sha512")
    assert await stronger.renew() == 1
    await stronger.write()
    [tree] = await stronger.trees()
    assert (tree["algorithm"], tree["count"]) == ("sha512", 6)
    for each in await stronger.documents():
        content = await stronger.parts.objects.get(DocumentRef.model_validate(each["file"]))
        assert [[stamp.algorithm for stamp in chain] for chain in read(content).chains] == [["sha256", "sha256"], ["sha512"]]
        assert len(await stronger.judged(each)) == 3
    assert await stronger.renew() == 0
    await stronger.sealed(1)
    assert await stronger.make() == 1, "and what is sealed from now on is in the stronger one at once"
    await stronger.write()
    assert sorted([len(await stronger.judged(each)) for each in await stronger.documents()]) == [1] + [3] * 6


async def test_a_unit_that_was_revoked_renews_nothing_and_is_told(archive: Archive) -> None:
    serial = await archive.unit("revoked-later", 40)
    await archive.sealed(2)
    await archive.make("revoked-later")
    await archive.write()
    (await archive.control.post("/control/revoke", json={"serial": serial})).raise_for_status()
    assert await archive.renew() == 0
    [tree] = await archive.trees()
    assert (tree["unprovable"], len(tree["stamps"])) == (True, 1)
    await archive.renew()
    figures = await Renewing(archive.parts, Stamping.__new__(Stamping)).store.figures(clock.now(), 180 * DAY)
    assert (figures["lost"], figures["overdue"]) == (1, 1)


async def test_a_damaged_document_is_set_aside_alone_when_its_tree_moves_to_a_stronger_algorithm(archive: Archive) -> None:
    ids = await archive.sealed(3)
    await archive.make()
    await archive.write()
    wrong = {"pdf.sha256": "0" * 64}
    await archive.parts.db["evidence"].update_one({"transcript": ids[1]}, {"$set": wrong})
    stronger = archive.with_settings(evidence_hash="sha384")
    assert await stronger.renew() == 1
    await stronger.write()
    assert [(each["damaged"], each["algorithms"]) for each in await stronger.documents()] == [
        (False, ["sha256"]),
        (True, []),
        (False, ["sha256"]),
    ]


async def test_two_workers_at_once_make_and_write_every_record_once(archive: Archive) -> None:
    await archive.sealed(9)
    assert sorted(await asyncio.gather(archive.make(), replace(archive, owner="another worker").make())) == [0, 9]
    await asyncio.gather(archive.write(), archive.write())
    await archive.free()
    await archive.write()
    assert set((await archive.told()).values()) == {1}
    assert len(await archive.trees()) == 1
