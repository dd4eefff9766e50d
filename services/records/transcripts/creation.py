"""Creating transcripts: a job that works through a selection, a few at a time, and says of each refused pupil why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.events.records import TranscriptCreatedV1
from services.chassis import audit, clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import Document, Session, transaction
from services.chassis.origin import asking
from services.records.errors import ALREADY_CREATED, NOTHING_SELECTED, UNPRINTABLE
from services.records.render.pooled import build
from services.records.rules.completeness import missing
from services.records.schoolyear import PrimaryResult, Result, SecondaryResult
from services.records.store import class_of, document_ref, pupil_of
from services.records.transcripts.content import required_signers, transcript_content
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.process import Parts
    from services.records.schoolyear import Assignment, School, SchoolClass, Staff
    from services.records.store import Store

CHUNK = 40


@dataclass(frozen=True)
class YearData:
    """What all transcripts of a school year share."""

    school: School
    classes: Mapping[str, SchoolClass]
    assignments: Sequence[Assignment]
    staff: Mapping[str, Staff]

    @classmethod
    async def load(cls, store: Store, school: str, year: str) -> YearData:
        return cls(
            await store.school(school, year),
            {d["code"]: class_of(d) for d in await store.classes(school, year)},
            await store.assignments(school, year),
            await store.staff(school, year),
        )


async def start(store: Store, *, school: str, year: str, pupils: Sequence[Document], actor: str) -> str:
    """Queue a creation job for these pupils; returns its id. Raises Refused(NOTHING_SELECTED)."""
    if not pupils:
        raise Refused(NOTHING_SELECTED)
    job_id = str(uuid4())
    at_hand = asking()
    await store.add_job(
        {
            "_id": job_id,
            "kind": "create",
            "school": school,
            "year": year,
            "actor": actor,
            "request_id": at_hand.request_id if at_hand else None,
            "at": clock.now(),
            "state": "running",
            "total": len(pupils),
            "done": 0,
            "created": 0,
            "refused": [],
            "remaining": [p["code"] for p in pupils],
        }
    )
    return job_id


class Creation:
    """The worker's side."""

    def __init__(self, parts: Parts, store: Store) -> None:
        self.parts = parts
        self.store = store
        self.owner = owner_token()
        self.lease_seconds = parts.settings.lease_seconds

    async def round(self) -> int:
        """Take one job and finish it, chunk by chunk; returns how many pupils were dealt with."""
        jobs = self.store.db["jobs"]
        job = await claim(jobs, {"state": "running"}, self.owner, self.lease_seconds)
        if job is None:
            return 0
        year = await YearData.load(self.store, job["school"], job["year"])
        remaining: list[str] = job["remaining"]
        for start_at in range(0, len(remaining), CHUNK):
            if not await renew(jobs, job["_id"], self.owner, self.lease_seconds):
                return 0
            codes = remaining[start_at : start_at + CHUNK]
            await self._chunk(job, codes, year, last=start_at + CHUNK >= len(remaining))
        await release(jobs, job["_id"], self.owner)
        return len(remaining)

    async def _chunk(self, job: Document, codes: Sequence[str], year: YearData, *, last: bool) -> None:
        pupils = await self.store.pupils(job["school"], job["year"], codes=codes)
        existing = {t["pupil_code"] for t in await self.store.transcripts(job["school"], job["year"])}
        refused: list[dict[str, Any]] = []
        new: list[Change] = []
        for pupil in pupils:
            reasons = self._reasons(pupil, year, exists=pupil["code"] in existing)
            if not reasons:
                try:
                    new.append(await self._make(pupil, year))
                except Refused as refusal:
                    reasons = [{"field": "", "code": refusal.code, "reason": refusal.cause}]
            refused.extend({"pupil": pupil["code"], "class": pupil["class_code"], **r} for r in reasons)
        failpoints.reach("records.create.stored")

        async def work(session: Session) -> None:
            await self.store.save(session, new, actor=job["actor"], cause=job["_id"])
            await self.store.advance_job(session, job["_id"], done=codes, created=len(new), refused=refused, finished=last)
            details = {"created": len(new), "refused": len(codes) - len(new)}
            await audit.record(
                self.store.db,
                session,
                actor=job["actor"],
                act="create",
                subject=job["_id"],
                place=job["school"],
                request_id=job.get("request_id"),
                details=details,
            )
            failpoints.reach("records.create.before-commit")

        await transaction(self.store.db, work)
        failpoints.reach("records.create.committed")

    @staticmethod
    def _reasons(pupil: Document, year: YearData, *, exists: bool) -> list[dict[str, Any]]:
        if exists:
            return [{"field": "", "code": ALREADY_CREATED.code, "reason": ALREADY_CREATED.cause}]
        if pupil["data"] is None or pupil["result"] is None:
            return [{"field": m["field"], "code": "HB-REC-006", "reason": m["message"]} for m in pupil["missing"]]
        lacking = missing(
            pupil=pupil_of(pupil),
            result=result_of(pupil),
            school_class=year.classes[pupil["class_code"]],
            assignments=year.assignments,
            staff=year.staff,
            school=year.school,
        )
        return [{"field": m.field, "code": "HB-REC-006", "reason": m.message_vi} for m in lacking]

    async def _make(self, pupil: Document, year: YearData) -> Change:
        school, school_class = year.school, year.classes[pupil["class_code"]]
        content = transcript_content(
            transcript_id=str(uuid4()),
            version=1,
            replaces=None,
            created_at=clock.now(),
            school=school,
            school_class=school_class,
            pupil=pupil_of(pupil),
            result=result_of(pupil),
            assignments=year.assignments,
            staff=year.staff,
            public_url=self.parts.settings.public_url,
        )
        content_xml, problem = await self.parts.pool.run(build, content.model_dump_json())
        if problem:
            raise Refused(UNPRINTABLE, problem=problem)
        xml = await self.parts.objects.put(f"transcripts/{content.id}", ".xml", content_xml, "application/xml")
        fact = TranscriptCreatedV1(
            school=school.code,
            year=school.year,
            level=school.level,
            class_code=school_class.code,
            grade=school_class.grade,
            version=content.version,
            pupil_code=pupil["code"],
            pupil_name=content.pupil.name,
            content=xml,
            required=required_signers(content),
        )
        document = {
            "_id": content.id,
            "school": school.code,
            "year": school.year,
            "level": school.level,
            "class_code": school_class.code,
            "grade": school_class.grade,
            "pupil_code": pupil["code"],
            "pupil_name": content.pupil.name,
            "number": pupil["number"],
            "version": content.version,
            "replaces": None,
            "live": True,
            "state": State.AWAITING_SUBJECT_TEACHERS.value,
            "content": content.model_dump(mode="json"),
            "xml": document_ref(xml),
            "pdf": None,
            "signatures": [],
            "created_at": content.created_at,
        }
        return Change(document, fact)


def result_of(pupil: Document) -> Result:
    kind = PrimaryResult if pupil["result"]["kind"] == "primary" else SecondaryResult
    return kind.model_validate(pupil["result"])
