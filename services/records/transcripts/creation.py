"""Creating transcripts: the worker that goes through a job, a few pupils at a time, and says of each refused pupil why."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.events.records import TranscriptCreatedV1
from services.chassis import audit, clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, Refused
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import Document, Session, transaction
from services.records.corrections.store import counted, finished_of
from services.records.digitisation.creating import hold as hold_papers
from services.records.digitisation.creating import papers_of
from services.records.errors import ALREADY_CREATED, NOT_COMPLETE, UNPRINTABLE
from services.records.locks.locking import locks_of
from services.records.render.pooled import build
from services.records.rules.completeness import missing
from services.records.store import document_ref, pupil_of
from services.records.transcripts.assigned import still_here
from services.records.transcripts.content import required_signers, subject_teachers, transcript_content, without_comments
from services.records.transcripts.errors import GONE, SIGNER_LEFT
from services.records.transcripts.holding import hold
from services.records.transcripts.jobs import KIND, Options, result_of
from services.records.transcripts.needs import of_class, of_pupil
from services.records.transcripts.states import State
from services.records.transcripts.versions import Earlier, earlier_of, replaced_of
from services.records.transcripts.year_data import YearData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.documents import DocumentRef
    from services.chassis.errors import Refusal
    from services.chassis.process import Parts
    from services.records.digitisation.creating import Paper
    from services.records.locks.locking import Locks
    from services.records.schoolyear import Corrections, Result, SchoolClass, TranscriptContent
    from services.records.store import Store
    from services.records.transcripts.versions import Replaced

CHUNK = 40


class JobStopped(Exception):
    """Somebody cancelled the job, or another worker has it."""


@dataclass(frozen=True)
class Before:
    """What came before the pupils of one chunk: live and cancelled transcripts of the year, earlier years, corrections, locks;

    `papers`: of whom the year is digitised from paper. `here`: of an earlier year, who is on the staff now; None for the newest.
    """

    live: frozenset[str]
    replaced: Mapping[str, Replaced]
    earlier: Earlier
    corrections: Mapping[str, Corrections]
    locks: Locks
    papers: Mapping[str, Paper] = field(default_factory=dict)
    here: frozenset[str] | None = None

    def is_here(self, person: str) -> bool:
        return self.here is None or person in self.here


def reasons(pupil: Document, year: YearData, before: Before) -> list[dict[str, Any]]:
    """Why no transcript can be created for this pupil: {field, code, reason}, empty when one can."""
    if pupil["code"] in before.live:
        return _refusal(ALREADY_CREATED)
    lock = before.locks.why_not(pupil["class_code"], pupil["code"], what="create")
    if lock is not None:
        return _refusal(lock)
    school_class = year.classes.get(pupil["class_code"])
    if school_class is None:
        return _refusal(GONE)
    if pupil["code"] in before.papers:
        return before.papers[pupil["code"]].reasons()
    school = year.schools[school_class.code]
    if pupil["data"] is None or pupil["result"] is None:
        lacking = [*of_class(school_class, year.staff, school), *of_pupil(pupil["missing"])]
        return [{"field": m["field"], "code": NOT_COMPLETE.code, "reason": m["message"]} for m in lacking]
    result = result_of(pupil)
    found = missing(pupil_of(pupil), result, school_class, year.assignments, year.staff, school)
    incomplete = [{"field": m.field, "code": NOT_COMPLETE.code, "reason": m.message_vi} for m in found]
    return incomplete or _signers_left(school_class, result, year, before)


def _signers_left(school_class: SchoolClass, result: Result, year: YearData, before: Before) -> list[dict[str, Any]]:
    teachers = (t.staff for t in subject_teachers(school_class, result, year.assignments, year.staff))
    left = [year.staff[s].name for s in dict.fromkeys((*teachers, school_class.homeroom, school_class.leader)) if not before.is_here(s)]
    return _refusal(SIGNER_LEFT, names=", ".join(left)) if left else []


def _refusal(refusal: Refusal, **details: object) -> list[dict[str, Any]]:
    return [{"field": "", "code": refusal.code, "reason": Refused(refusal, **details).cause}]


def content_of(pupil: Document, year: YearData, before: Before, options: Options, public_url: str) -> TranscriptContent:
    """Version 1, or one more than the cancelled transcript that it replaces."""
    school_class = year.classes[pupil["class_code"]]
    replaced = before.replaced.get(pupil["code"])
    person = pupil_of(pupil)
    result = result_of(pupil)
    paper = before.papers.get(pupil["code"])
    content = transcript_content(
        transcript_id=str(uuid4()),
        version=replaced.version + 1 if replaced else 1,
        replaces=replaced.transcript if replaced else None,
        created_at=clock.now(),
        school=paper.school if paper else year.schools[school_class.code],
        school_class=paper.school_class() if paper else school_class,
        pupil=person,
        result=without_comments(result) if options.comments == "none" else result,
        assignments=() if paper else year.assignments,
        staff=paper.staff if paper else year.staff,
        public_url=public_url,
        previous=before.earlier.previous.get(person.personal_id),
        history=before.earlier.history.get(person.personal_id, ()),
        corrections=before.corrections.get(pupil["code"]),
    )
    return content.model_copy(update={"subject_teachers": paper.teachers(), "digitised": paper.digitised()}) if paper else content


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
        job = await claim(jobs, {"state": "running", "kind": KIND}, self.owner, self.lease_seconds)
        if job is None:
            return 0
        remaining: list[str] = job["remaining"]
        for start_at in range(0, len(remaining), CHUNK):
            codes = remaining[start_at : start_at + CHUNK]
            try:
                await self._settle(job, codes, last=start_at + CHUNK >= len(remaining))
            except JobStopped:
                break
        await release(jobs, job["_id"], self.owner)
        return len(remaining)

    async def _settle(self, job: Document, codes: Sequence[str], *, last: bool) -> None:
        """Deal with these pupils. Whenever somebody else was quicker with one, all is looked at anew, so each time fewer are left."""
        while True:
            if not await renew(self.store.db["jobs"], job["_id"], self.owner, self.lease_seconds):
                raise JobStopped
            try:
                return await self._chunk(job, codes, last=last)
            except Refused as refusal:
                if refusal.refusal is not CONFLICT:
                    raise

    async def _chunk(self, job: Document, codes: Sequence[str], *, last: bool) -> None:
        school, school_year = job["school"], job["year"]
        year = await YearData.load(self.store, school, school_year)
        pupils = await self.store.pupils(school, school_year, codes=codes)
        before = await self._before(school, school_year, pupils)
        options = Options.model_validate(job["options"])
        gone = set(codes) - {p["code"] for p in pupils}
        refused: list[dict[str, Any]] = [{"pupil": code, "class": "", **_refusal(GONE)[0]} for code in gone]
        ready: list[tuple[Document, TranscriptContent]] = []
        for pupil in pupils:
            why_not = reasons(pupil, year, before)
            refused.extend({"pupil": pupil["code"], "class": pupil["class_code"], **r} for r in why_not)
            if not why_not:
                ready.append((pupil, content_of(pupil, year, before, options, self.parts.settings.public_url)))
        new, unprintable = await self._make(ready)
        refused += unprintable
        failpoints.reach("records.create.stored")

        async def work(session: Session) -> None:
            if not await self.store.advance_job(session, job["_id"], done=codes, created=len(new), refused=refused, finished=last):
                raise JobStopped
            await hold(self.store.db, session, school, school_year, [pupil for pupil, _ in ready])
            await hold_papers(self.store.db, session, [before.papers[p["code"]] for p, _ in ready if p["code"] in before.papers])
            if ready and await self._before(school, school_year, pupils, session) != before:
                raise Refused(CONFLICT)
            await self.store.save(session, new, actor=job["actor"], cause=job["_id"])
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

    async def _before(self, school: str, year: str, pupils: Sequence[Document], session: Session | None = None) -> Before:
        codes = [p["code"] for p in pupils]
        locks = await locks_of(self.store.db, school, year, pupils=codes, session=session)
        personal_ids = {p["data"]["personal_id"] for p in pupils if p["data"] is not None} - {""}
        return Before(
            locks.transcripts,
            await replaced_of(self.store.db, school, year, codes, session),
            await earlier_of(self.store.db, school, year, personal_ids, session),
            {code: counted(done) for code, done in (await finished_of(self.store.db, school, year, codes, session)).items()},
            locks,
            await papers_of(self.store, school, year, pupils),
            await still_here(self.store, school, year),
        )

    async def _make(self, ready: Sequence[tuple[Document, TranscriptContent]]) -> tuple[list[Change], list[dict[str, Any]]]:
        """The documents, written by the pool side by side; and of whom none can be made."""
        outcomes = await self.parts.pool.map(build, [(content.model_dump_json(),) for _, content in ready])
        made: list[tuple[Document, TranscriptContent, bytes]] = []
        refused = []
        for (pupil, content), outcome in zip(ready, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            xml, problem = outcome
            if problem:
                cause = Refused(UNPRINTABLE, problem=problem).cause
                refused.append(
                    {"pupil": pupil["code"], "class": pupil["class_code"], "field": "", "code": UNPRINTABLE.code, "reason": cause}
                )
            else:
                made.append((pupil, content, xml))
        put = self.parts.objects.put
        references = await asyncio.gather(*(put(f"transcripts/{c.id}", ".xml", xml, "application/xml") for _, c, xml in made))
        return [_change(p, c, reference) for (p, c, _), reference in zip(made, references, strict=True)], refused


def _change(pupil: Document, content: TranscriptContent, xml: DocumentRef) -> Change:
    school, school_class = content.school, content.school_class
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
        "class_code": school_class.code,
        "grade": school_class.grade,
        "pupil_code": pupil["code"],
        "pupil_name": content.pupil.name,
        "number": pupil["number"],
        "version": content.version,
        "replaces": content.replaces,
        "live": True,
        "state": State.AWAITING_SUBJECT_TEACHERS.value,
        "content": content.model_dump(mode="json"),
        "xml": document_ref(xml),
        "pdf": None,
        "signatures": [],
        "created_at": content.created_at,
    }
    return Change(document, fact)
