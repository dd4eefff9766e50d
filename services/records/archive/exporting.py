"""Packing a locked year: ordered by a person, done by the worker part by part, taken up again where it stopped.

A part is a piece of the package of about 8 MiB, kept as an object of its own. Its bytes and what the closing has to know of its
entries are written down together, so memory stays flat and a crash costs one part.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import Document, DuplicateKeyError, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.chassis.origin import asking
from services.records.archive import plan, store
from services.records.archive.errors import EXPORT_RUNNING, STORED_FILE_DAMAGED, YEAR_NOT_LOCKED
from services.records.archive.packing import Written, closing, written
from services.records.archive.sources import others
from services.records.locks.locking import locks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database
    from services.chassis.process import Parts
    from services.records.archive.sealing import Seal
    from services.records.store import Store

PART_BYTES = 8 << 20
MOST_ITEMS = 500
"""Items read ahead for one part."""
log = logging.getLogger(__name__)


async def start(db: Database, *, school: str, year: str, actor: str) -> str:
    """Order an export; returns its id. Raises Refused: YEAR_NOT_LOCKED, EXPORT_RUNNING."""
    export_id, at_hand = str(uuid4()), asking()

    async def work(session: Session) -> None:
        if not (await locks_of(db, school, year, pupils=(), session=session)).final:
            raise Refused(YEAR_NOT_LOCKED, year=year)
        number = 1 + await store.count(db, school, year, session)
        document = {
            "_id": export_id,
            "school": school,
            "year": year,
            "number": number,
            "state": store.PLANNING,
            "running": True,
            "total": 0,
            "done": 0,
            "parts": 0,
            "bytes": 0,
            "by": actor,
            "at": clock.now(),
            "finished_at": None,
            "manifest": None,
            "problem": None,
            "request_id": at_hand.request_id if at_hand else None,
        }
        await store.add(db, session, document)
        details = {"year": year, "number": number}
        await audit.record(db, session, actor=actor, act="archive export ordered", subject=export_id, place=school, details=details)

    try:
        await transaction(db, work)
    except DuplicateKeyError as problem:
        raise Refused(EXPORT_RUNNING) from problem
    return export_id


class Exporting:
    """The worker's side."""

    def __init__(self, parts: Parts, records: Store, seal: Seal, *, part_bytes: int = PART_BYTES) -> None:
        self.parts = parts
        self.db = records.db
        self.records = records
        self.seal = seal
        self.owner = owner_token()
        self.part_bytes = part_bytes

    async def round(self) -> int:
        """Take one export and work on it until it is closed, or lost to another worker; 0 when there is none."""
        exports = self.db[store.EXPORTS]
        export = await claim(exports, {"running": True}, self.owner, self.parts.settings.lease_seconds)
        if export is None:
            return 0
        try:
            going = await self._plan(export) if export["state"] == store.PLANNING else True
            while going:
                going = await self.step(export["_id"])
        except (DamagedObject, MissingObject) as problem:
            await self._give_up(export, str(problem))
        await release(exports, export["_id"], self.owner)
        return 1

    async def step(self, export_id: str) -> bool:
        """Write the next part; False when nothing is left to do here."""
        exports = self.db[store.EXPORTS]
        if not await renew(exports, export_id, self.owner, self.parts.settings.lease_seconds):
            return False
        export = await exports.find_one({"_id": export_id, "state": store.PACKING})
        if export is None:
            return False
        items = await store.items_from(self.db, export_id, export["done"], MOST_ITEMS)
        if items:
            return await self._part(export, items)
        return await self._close(export)

    async def _plan(self, export: Document) -> bool:
        school, year = export["school"], export["year"]
        classes = await self.records.classes(school, year)
        transcripts = await store.standing(self.db, school, year)
        names = plan.folders(c["code"] for c in classes)
        names |= plan.folders({t["class_code"] for t in transcripts} - names.keys())
        extra = await others(self.db, school, year, names)
        documents = [item for t in transcripts for item in plan.sealed_files(t, f"hoc-ba/{names[t['class_code']]}")]
        sealed = sum(t["state"] in plan.SEALED for t in transcripts)
        counts = {"sealed": sealed, "unsealed": len(transcripts) - sealed, "others": len(extra)}
        files = plan.beside(
            await self.records.school(school, year),
            at=export["at"],
            by=export["by"],
            number=export["number"],
            counts=counts,
            certificate=self.seal.certificate,
        )
        files.append(plan.index(transcripts, names))
        for each in classes:
            pupils = await self.records.pupils(school, year, classes=[each["code"]])
            theirs = {t["pupil_code"]: t for t in transcripts if t["class_code"] == each["code"]}
            body = await self.parts.pool.run(plan.class_list, each["data"]["name"], pupils, theirs)
            files.append((f"danh-sach/{names[each['code']]}.xlsx", body))
        kept = [(name, await self._put(export["_id"], content)) for name, content in files]
        return await store.keep_plan(self.db, export["_id"], [*kept, *documents, *extra])

    async def _put(self, export_id: str, content: bytes) -> DocumentRef:
        return await self.parts.objects.put(f"archives/{export_id}", ".part", content, "application/octet-stream")

    async def _part(self, export: Document, items: Sequence[tuple[str, DocumentRef]]) -> bool:
        taken, size = 0, 0
        while taken < len(items) and (not taken or size + items[taken][1].size <= self.part_bytes):
            size += items[taken][1].size
            taken += 1
        pieces: list[bytes] = []
        entries: list[Written] = []
        offset = export["bytes"]
        for name, ref in items[:taken]:
            piece, one = written(name, await self.parts.objects.get(ref), offset)
            pieces.append(piece)
            entries.append(one)
            offset += len(piece)
        ref = await self._put(export["_id"], b"".join(pieces))
        return await self._keep(export, ref, entries, {"done": export["done"] + taken})

    async def _keep(self, export: Document, ref: DocumentRef, entries: Sequence[Written], changes: Document) -> bool:
        """False when another worker was faster."""

        async def work(session: Session) -> bool:
            after = {**changes, "parts": export["parts"] + 1, "bytes": export["bytes"] + ref.size}
            if not await store.advance(self.db, session, export, after):
                return False
            await store.keep_part(self.db, session, export["_id"], n=export["parts"], start=export["bytes"], ref=ref, entries=entries)
            return True

        return await transaction(self.db, work)

    async def _close(self, export: Document) -> bool:
        school = await self.records.school(export["school"], export["year"])
        told = {
            "id": export["_id"],
            "kind": "archive",
            "school": {"code": school.code, "name": school.name},
            "year": export["year"],
            "number": export["number"],
            "made_at": clock.in_vietnam(export["at"]).isoformat(timespec="seconds"),
            "made_by": export["by"],
        }
        entries = await store.written_entries(self.db, export["_id"])
        body, manifest = closing(entries, told, export["bytes"], self.seal.over)
        ref = await self._put(export["_id"], body)

        async def work(session: Session) -> None:
            after = {"parts": export["parts"] + 1, "bytes": export["bytes"] + ref.size}
            if not await store.advance(self.db, session, export, after):
                return
            await store.keep_part(self.db, session, export["_id"], n=export["parts"], start=export["bytes"], ref=ref, entries=())
            end = {"state": store.FINISHED, "finished_at": clock.now(), "manifest": manifest}
            await store.finish(self.db, session, export["_id"], end)
            details = {"year": export["year"], "files": len(entries), "bytes": after["bytes"], "sha256": manifest}
            await self._told(session, export, "archive exported", details)

        await transaction(self.db, work)
        await store.drop_items(self.db, export["_id"])
        return False

    async def _give_up(self, export: Document, name: str) -> None:
        log.critical("a stored document is damaged", extra={"export": export["_id"], "object": name})
        refusal = Refused(STORED_FILE_DAMAGED, name=name)

        async def work(session: Session) -> None:
            problem = {"code": refusal.code, "reason": refusal.cause}
            end = {"state": store.FAILED, "finished_at": clock.now(), "problem": problem}
            await store.finish(self.db, session, export["_id"], end)
            await self._told(session, export, "archive export failed", {"year": export["year"], "code": refusal.code})

        await transaction(self.db, work)
        await store.drop_items(self.db, export["_id"])

    async def _told(self, session: Session, export: Document, act: str, details: Document) -> None:
        await audit.record(
            self.db,
            session,
            actor=export["by"],
            act=act,
            subject=export["_id"],
            place=export["school"],
            request_id=export["request_id"],
            details=details,
        )
