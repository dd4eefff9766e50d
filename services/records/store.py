"""Every query of records.

Keys are made of codes: `<school>:<year>` for a school year, `<school>:<year>:<class|pupil|staff code>` below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.records import ClassImportedV1, StaffImportedV1, StaffMember, TranscriptMovedV1
from services.chassis import aggregates, audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, DeleteOne, IndexModel, ReplaceOne, transaction
from services.records.errors import IMPORT_RUNNING
from services.records.schoolyear import Assignment, Pupil, School, SchoolClass, Staff
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.documents import DocumentRef
    from contracts.event import Event
    from contracts.events.identity import SchoolChangedV1
    from services.chassis.mongo import Database, Document, Session
    from services.records.imports.preview import Preview


def key(*parts: str) -> str:
    return ":".join(parts)


async def ensure_indexes(db: Database) -> None:
    await db["transcripts"].create_indexes(
        [
            IndexModel(
                [("school", ASCENDING), ("year", ASCENDING), ("pupil_code", ASCENDING)], unique=True, partialFilterExpression={"live": True}
            ),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING), ("state", ASCENDING)]),
        ]
    )
    await db["pupils"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING)])])
    await db["classes"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["staff"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["jobs"].create_indexes([IndexModel([("state", ASCENDING), ("_id", ASCENDING)])])


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

    # imports

    async def add_import(self, document: Document, *, actor: str) -> None:
        async def work(session: Session) -> None:
            await self.db["imports"].insert_one(document, session=session)
            details = {"year": document["year"], "files": len(document["files"]), **document["counts"]}
            await audit.record(
                self.db, session, actor=actor, act="import read", subject=document["_id"], place=document["school"], details=details
            )

        await transaction(self.db, work)

    async def import_of(self, school: str, import_id: str) -> Document:
        found = await self.db["imports"].find_one({"_id": import_id, "school": school})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def imports(self, school: str) -> list[Document]:
        return await self.db["imports"].find({"school": school}).sort("at", -1).to_list(20)

    async def apply_import(self, import_id: str, preview: Preview, blocked: Mapping[str, list[dict[str, Any]]], *, actor: str) -> None:
        """Write a confirmed preview in one transaction: all of it or nothing.

        `blocked` lists, by pupil code, what forbids a transcript. What the export no longer has is taken out,
        except pupils who already have a transcript.
        """
        assert preview.school is not None
        school, year = preview.school.code, preview.school.year
        prefix = {"school": school, "year": year}

        async def work(session: Session) -> None:
            assert preview.school is not None
            claimed = await self.db["imports"].update_one(
                {"_id": import_id, "state": "previewed"}, {"$set": {"state": "confirmed", "confirmed_by": actor}}, session=session
            )
            if claimed.modified_count != 1:
                now = await self.db["imports"].find_one({"_id": import_id}, session=session)
                raise Refused(IMPORT_RUNNING, state=(now or {}).get("state", "?"))
            before = await self.db["years"].find_one({"_id": key(school, year)}, session=session)
            year_document = {
                "_id": key(school, year),
                **prefix,
                "sequence": (before or {}).get("sequence", 0),
                "data": preview.school.model_dump(mode="json"),
                "assignments": [a.model_dump(mode="json") for a in preview.assignments],
            }
            fact = StaffImportedV1(school=school, year=year, staff=_members(preview))
            await aggregates.save(self.db, session, "years", [Change(year_document, fact)], actor=actor, cause=import_id)
            await self._replace_all(
                session, "staff", prefix, {key(school, year, s.code): {"data": s.model_dump(mode="json")} for s in preview.staff}
            )
            await self._replace_classes(session, preview, blocked, actor=actor, cause=import_id)
            await self._replace_all(session, "pupils", prefix, _pupil_documents(preview, blocked))
            details = {"import": import_id, "pupils": len(preview.pupils), "classes": len(preview.classes), "year": year}
            subject = key(school, year)
            await audit.record(self.db, session, actor=actor, act="import", subject=subject, place=school, details=details)

        await transaction(self.db, work)

    async def _replace_all(self, session: Session, collection: str, prefix: Mapping[str, str], documents: Mapping[str, Document]) -> None:
        kept: set[str] = set()
        if collection == "pupils":
            codes = await self.db["transcripts"].distinct("pupil_code", {**prefix, "live": True}, session=session)
            kept = {key(prefix["school"], prefix["year"], c) for c in codes}
        old = {d["_id"] async for d in self.db[collection].find(prefix, projection={"_id": 1}, session=session)}
        writes: list[Any] = [ReplaceOne({"_id": i}, {"_id": i, **prefix, **d}, upsert=True) for i, d in documents.items()]
        writes += [DeleteOne({"_id": i}) for i in old - documents.keys() - kept]
        if writes:
            await self.db[collection].bulk_write(writes, ordered=False, session=session)

    async def _replace_classes(
        self, session: Session, preview: Preview, blocked: Mapping[str, list[dict[str, Any]]], *, actor: str, cause: str
    ) -> None:
        assert preview.school is not None
        school, year = preview.school.code, preview.school.year
        sequences = {d["_id"]: d["sequence"] async for d in self.db["classes"].find({"school": school, "year": year}, session=session)}
        classes_of = {p.code: p.class_code for p in preview.pupils} | {r.pupil: r.class_code for r in preview.refused_pupils}
        changes = []
        for c in preview.classes:
            pupils = [code for code, class_code in classes_of.items() if class_code == c.code]
            refused = sum(1 for code in pupils if blocked.get(code))
            class_id = key(school, year, c.code)
            document = {
                "_id": class_id,
                "school": school,
                "year": year,
                "code": c.code,
                "sequence": sequences.get(class_id, 0),
                "data": c.model_dump(mode="json"),
                "pupils": len(pupils),
                "refused": refused,
            }
            fact = ClassImportedV1(school=school, year=year, code=c.code, name=c.name, grade=c.grade, pupils=len(pupils), refused=refused)
            changes.append(Change(document, fact))
        await aggregates.save(self.db, session, "classes", changes, actor=actor, cause=cause)

    # reading the year

    async def classes(self, school: str, year: str) -> list[Document]:
        return await self.db["classes"].find({"school": school, "year": year}).sort("code", 1).to_list(None)

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
    ) -> list[Document]:
        wanted: Document = {"school": school, "year": year, "live": True}
        if classes is not None:
            wanted["class_code"] = {"$in": list(classes)}
        if ids is not None:
            wanted["_id"] = {"$in": list(ids)}
        if states is not None:
            wanted["state"] = {"$in": [s.value for s in states]}
        return await self.db["transcripts"].find(wanted, session=session).sort([("class_code", 1), ("number", 1)]).to_list(None)

    async def transcript(self, transcript_id: str) -> Document:
        found = await self.db["transcripts"].find_one({"_id": transcript_id})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def load(self, session: Session, ids: Iterable[str]) -> dict[str, Document]:
        """Transcripts by id for a change in this transaction."""
        found = await self.db["transcripts"].find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return {d["_id"]: d for d in found}

    async def save(self, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
        """Saves and tells, for each, the change's own facts and then where the transcript is now."""
        told = [Change(c.document, *c.facts, _whereabouts(c.document)) for c in changes]
        await aggregates.save(self.db, session, "transcripts", told, actor=actor, cause=cause)

    # jobs

    async def add_job(self, job: Document) -> None:
        await self.db["jobs"].insert_one(job)

    async def job(self, school: str, job_id: str) -> Document:
        found = await self.db["jobs"].find_one({"_id": job_id, "school": school})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def advance_job(
        self, session: Session, job_id: str, *, done: Sequence[str], created: int, refused: Sequence[Mapping[str, Any]], finished: bool
    ) -> None:
        update: Document = {
            "$pull": {"remaining": {"$in": list(done)}},
            "$inc": {"done": len(done), "created": created},
            "$push": {"refused": {"$each": [dict(r) for r in refused]}},
        }
        if finished:
            update["$set"] = {"state": "finished", "finished_at": clock.now()}
        await self.db["jobs"].update_one({"_id": job_id}, update, session=session)

    # renderings: transcripts whose PDF is due

    async def queue_renderings(self, session: Session, due: Mapping[str, Document]) -> None:
        if due:
            await self.db["renderings"].insert_many([{"_id": i, "queued_at": clock.now(), **d} for i, d in due.items()], session=session)

    async def due_renderings(self, limit: int) -> list[Document]:
        return await self.db["renderings"].find({"problem": None}).sort("queued_at", 1).to_list(limit)

    async def set_rendering_aside(self, transcript: str, problem: str) -> None:
        await self.db["renderings"].update_one({"_id": transcript}, {"$set": {"problem": problem[:500]}})

    async def finish_renderings(self, session: Session, ids: Sequence[str]) -> None:
        await self.db["renderings"].delete_many({"_id": {"$in": list(ids)}}, session=session)


def _whereabouts(transcript: Document) -> TranscriptMovedV1:
    return TranscriptMovedV1.model_validate({k: transcript[k] for k in ("school", "year", "class_code", "grade", "state")})


def _members(preview: Preview) -> tuple[StaffMember, ...]:
    teaching = {a.staff for a in preview.assignments}
    homerooms: dict[str, list[str]] = {}
    for c in preview.classes:
        homerooms.setdefault(c.homeroom, []).append(c.code)
    return tuple(
        StaffMember(
            code=s.code,
            name=s.name,
            personal_id=s.personal_id,
            position=s.position,
            administrator=s.administrator,
            issuer=s.issuer,
            teaches=s.code in teaching,
            homeroom_of=tuple(homerooms.get(s.code, ())),
        )
        for s in preview.staff
    )


def _pupil_documents(preview: Preview, blocked: Mapping[str, list[dict[str, Any]]]) -> dict[str, Document]:
    assert preview.school is not None
    school, year = preview.school.code, preview.school.year
    documents: dict[str, Document] = {}
    for number, pupil in enumerate(preview.pupils):
        result = preview.results.get(pupil.code)
        documents[key(school, year, pupil.code)] = {
            "code": pupil.code,
            "class_code": pupil.class_code,
            "number": number,
            "name": pupil.name,
            "data": pupil.model_dump(mode="json"),
            "result": result.model_dump(mode="json") if result else None,
            "missing": blocked.get(pupil.code, []),
        }
    for number, refused in enumerate(preview.refused_pupils, start=len(preview.pupils)):
        document = documents.setdefault(
            key(school, year, refused.pupil),
            {
                "code": refused.pupil,
                "class_code": refused.class_code,
                "number": number,
                "name": preview.names.get(refused.pupil, ""),
                "data": None,
                "result": None,
                "missing": blocked.get(refused.pupil, []),
            },
        )
        document["data"] = None
    return documents


def pupil_of(document: Document) -> Pupil:
    return Pupil.model_validate(document["data"])


def class_of(document: Document) -> SchoolClass:
    return SchoolClass.model_validate(document["data"])


def document_ref(reference: DocumentRef) -> Document:
    return reference.model_dump(mode="json")
