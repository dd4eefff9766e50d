"""Every query of records.

Keys are made of codes: `<school>:<year>` for a school year, `<school>:<year>:<class|pupil|staff code>` below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import aggregates, clock
from services.chassis.aggregates import Change
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel, transaction
from services.records.archive import store as archive
from services.records.copies import store as copies
from services.records.corrections import store as corrections
from services.records.digitisation import store as digitisation
from services.records.documents import COLLECTIONS, kind_of
from services.records.dossier import store as dossier
from services.records.export import store as export
from services.records.imports import store as imports
from services.records.learners import store as learners
from services.records.locks import intake
from services.records.locks.locking import class_finalised
from services.records.progress import store as progress
from services.records.review import certificate_store as certificates
from services.records.schoolyear import Assignment, Pupil, School, SchoolClass, Staff
from services.records.summaries import store as summaries
from services.records.transcripts.states import State
from services.records.transfers import store as transfers
from services.records.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.documents import DocumentKind, DocumentRef
    from contracts.event import Event
    from contracts.events.identity import SchoolChangedV1
    from services.chassis.mongo import Database, Document, Session


def key(*parts: str) -> str:
    return ":".join(parts)


async def ensure_indexes(db: Database) -> None:
    await db["transcripts"].create_indexes(
        [
            IndexModel(
                [("school", ASCENDING), ("year", ASCENDING), ("pupil_code", ASCENDING)], unique=True, partialFilterExpression={"live": True}
            ),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING), ("state", ASCENDING)]),
            IndexModel([("school", ASCENDING), ("content.pupil.personal_id", ASCENDING)]),
            IndexModel([("school", ASCENDING), ("_id", ASCENDING)], name="told together"),
        ]
    )
    await db["pupils"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING)])])
    await db["classes"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["staff"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await copies.ensure_indexes(db)
    for keeping in (learners, transfers, archive, certificates):
        await keeping.ensure_indexes(db)
    await intake.ensure_indexes(db)
    await corrections.ensure_indexes(db)
    await digitisation.ensure_indexes(db)
    await dossier.ensure_indexes(db)
    await export.ensure_indexes(db)
    await progress.ensure_indexes(db)
    await imports.ensure_indexes(db)
    await summaries.ensure_indexes(db)
    of_jobs = ([("state", ASCENDING), ("_id", ASCENDING)], [("school", ASCENDING), ("state", ASCENDING)])
    await db["jobs"].create_indexes([IndexModel(keys) for keys in of_jobs])


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    # schools

    async def save_schools(self, session: Session, events: Sequence[Event[SchoolChangedV1]]) -> None:
        for event in events:
            fact = event.data
            known = await self.db["schools"].find_one({"_id": fact.code}, projection={"seq": 1}, session=session)
            if known is not None and known.get("seq", 0) > event.sequence:
                # what was said before the school changed or moved, come late
                continue
            school = {"_id": fact.code, "name": fact.name, "path": list(fact.path), "levels": list(fact.levels), "seq": event.sequence}
            await self.db["schools"].replace_one({"_id": fact.code}, school, upsert=True, session=session)

    async def years(self, school: str) -> list[str]:
        """School years with imported data, newest first."""
        return sorted(await self.db["years"].distinct("year", {"school": school}), reverse=True)

    async def school(self, school: str, year: str) -> School:
        found = await self.db["years"].find_one({"_id": key(school, year)})
        if found is None:
            raise Refused(NOT_FOUND)
        return School.model_validate(found["data"])

    # reading the year

    async def classes(self, school: str, year: str) -> list[Document]:
        return await self.db["classes"].find({"school": school, "year": year, "gone": {"$ne": True}}).sort("code", 1).to_list(None)

    async def school_class(self, school: str, year: str, code: str) -> Document:
        found = await self.db["classes"].find_one({"_id": key(school, year, code)})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def assignments(self, school: str, year: str) -> list[Assignment]:
        found = await self.db["years"].find_one({"_id": key(school, year)}, projection={"assignments": 1})
        return [Assignment.model_validate(a) for a in (found or {}).get("assignments", [])]

    async def staff(self, school: str, year: str) -> dict[str, Staff]:
        found = await self.db["staff"].find({"school": school, "year": year}).to_list(None)
        return {d["data"]["code"]: Staff.model_validate(d["data"]) for d in found}

    async def pupils(
        self, school: str, year: str, *, classes: Iterable[str] | None = None, codes: Iterable[str] | None = None
    ) -> list[Document]:
        wanted: Document = {"school": school, "year": year}
        if classes is not None:
            wanted["class_code"] = {"$in": list(classes)}
        if codes is not None:
            wanted["code"] = {"$in": list(codes)}
        return await self.db["pupils"].find(wanted).sort([("class_code", 1), ("number", 1)]).to_list(None)

    async def incomplete_counts(self, school: str, year: str, *, besides: Iterable[str]) -> dict[str, int]:
        """By class: of how many pupils the import found something missing in other fields than `besides`."""
        lacking = {"missing": {"$elemMatch": {"field": {"$nin": list(besides)}}}}
        rows = self.db["pupils"].aggregate(
            [{"$match": {"school": school, "year": year, **lacking}}, {"$group": {"_id": "$class_code", "n": {"$sum": 1}}}]
        )
        return {row["_id"]: row["n"] async for row in rows}

    async def state_counts(self, school: str, year: str) -> dict[str, dict[str, int]]:
        """By class: how many live transcripts are in each state."""
        rows = self.db["transcripts"].aggregate(
            [
                {"$match": {"school": school, "year": year, "live": True}},
                {"$group": {"_id": {"class": "$class_code", "state": "$state"}, "n": {"$sum": 1}}},
            ]
        )
        counts: dict[str, dict[str, int]] = {}
        async for row in rows:
            counts.setdefault(row["_id"]["class"], {})[row["_id"]["state"]] = row["n"]
        return counts

    # transcripts

    async def transcripts(
        self,
        school: str,
        year: str,
        *,
        classes: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
        states: Iterable[State] | None = None,
        session: Session | None = None,
        kind: DocumentKind = "transcript",
    ) -> list[Document]:
        """Those that are live; with another `kind`, the class summaries."""
        wanted: Document = {"school": school, "year": year, "live": True}
        if classes is not None:
            wanted["class_code"] = {"$in": list(classes)}
        if ids is not None:
            wanted["_id"] = {"$in": list(ids)}
        if states is not None:
            wanted["state"] = {"$in": [s.value for s in states]}
        return await self.db[COLLECTIONS[kind]].find(wanted, session=session).sort([("class_code", 1), ("number", 1)]).to_list(None)

    async def transcript(self, transcript_id: str) -> Document:
        found = await self.db["transcripts"].find_one({"_id": transcript_id})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def load(self, session: Session | None, ids: Iterable[str]) -> dict[str, Document]:
        """Transcripts and class summaries by id, for a change in this transaction."""
        left = set(ids)
        found: dict[str, Document] = {}
        for collection in COLLECTIONS.values():
            if left:
                found |= {d["_id"]: d async for d in self.db[collection].find({"_id": {"$in": list(left)}}, session=session)}
                left -= found.keys()
        return found

    async def document(self, document_id: str) -> Document:
        """Of either kind."""
        found = await self.load(None, [document_id])
        if document_id not in found:
            raise Refused(NOT_FOUND)
        return found[document_id]

    async def save(self, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
        """Saves and tells, for each, the change's own facts and then where the document is now."""
        for kind, collection in COLLECTIONS.items():
            told = [Change(c.document, *c.facts, whereabouts(c.document)) for c in changes if kind_of(c.document) == kind]
            await aggregates.save(self.db, session, collection, told, actor=actor, cause=cause)

    # jobs

    async def add_job(self, job: Document) -> None:
        await self.db["jobs"].insert_one(job)

    async def advance_job(
        self, session: Session, job_id: str, *, done: Sequence[str], created: int, refused: Sequence[Mapping[str, Any]], finished: bool
    ) -> bool:
        """False when the job does not run any more: the transaction must then be abandoned."""
        update: Document = {
            "$pull": {"remaining": {"$in": list(done)}},
            "$inc": {"done": len(done), "created": created},
            "$push": {"refused": {"$each": [dict(r) for r in refused]}},
        }
        if finished:
            update["$set"] = {"state": "finished", "finished_at": clock.now()}
        advanced = await self.db["jobs"].update_one({"_id": job_id, "state": "running"}, update, session=session)
        return advanced.matched_count == 1

    # renderings: transcripts whose PDF is due

    async def queue_renderings(self, session: Session, due: Mapping[str, Document]) -> None:
        if due:
            await self.db["renderings"].insert_many([{"_id": i, "queued_at": clock.now(), **d} for i, d in due.items()], session=session)

    async def due_renderings(self, limit: int) -> list[Document]:
        return await self.db["renderings"].find({"problem": None}).sort("queued_at", 1).to_list(limit)

    async def set_rendering_aside(self, transcript: str, problem: str, told: Refused) -> None:
        """It stands still, and people see why (`told`), until it is cancelled or tried again (menu 2.6)."""

        async def work(session: Session) -> None:
            await self.db["renderings"].update_one({"_id": transcript}, {"$set": {"problem": problem[:500]}}, session=session)
            found = (await self.load(session, [transcript]))[transcript]
            stopped = {"code": told.code, "reason": told.cause}
            await self.save(session, [Change({**found, "stopped": stopped})], actor="records", cause="rendering")

        await transaction(self.db, work)

    async def finish_renderings(self, session: Session, ids: Sequence[str]) -> None:
        await self.db["renderings"].delete_many({"_id": {"$in": list(ids)}}, session=session)


def pupil_of(document: Document) -> Pupil:
    return Pupil.model_validate(document["data"])


def class_of(document: Document) -> SchoolClass:
    """The class as it counts here: finalised in the sector database or in this system."""
    return SchoolClass.model_validate({**document["data"], "finalised": class_finalised(document)})


def document_ref(reference: DocumentRef) -> Document:
    return reference.model_dump(mode="json")
