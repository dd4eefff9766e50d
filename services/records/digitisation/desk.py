"""What is done at the desk where paper transcripts are digitised. Every act is one transaction, with its line in the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.records import ClassImportedV1
from services.chassis import aggregates, audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.mongo import transaction
from services.records.digitisation import form, rules, store
from services.records.digitisation.cases import Digitised, case_of, new_item
from services.records.digitisation.errors import (
    BORN_DIGITAL,
    DATA_CHANGED,
    NO_SUCH_PART,
    NOT_OPEN,
    SCAN_NEEDED,
    TICK_NEEDED,
    TRANSCRIPT_STANDS,
    WRONG_PAPER,
    WRONG_SCAN,
    WRONG_VALUES,
)
from services.records.digitisation.scan import Scan, Unusable, scan_of
from services.records.locks.errors import YEAR_LOCKED
from services.records.locks.store import lock_of
from services.records.printing.settings import days_of
from services.records.rules.completeness import profile_missing, result_missing
from services.records.schoolyear import Assignment, Plain, Pupil
from services.records.store import document_ref, key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.chassis.process import Parts
    from services.records.digitisation.cases import Case
    from services.records.schoolyear import School
    from services.records.store import Store


class YearOrder(Plain):
    """A whole school year is to be digitised: who reviews as clerk, who signs for those who left, and the plan in words."""

    year: str
    reviewer: str
    leader: str
    note: str = ""


class PupilOrder(Plain):
    """One pupil's paper transcript: `paper_school` "" for one of the own school."""

    pupil: str
    year: str
    grade: str
    class_name: str
    paper_school: str = ""
    reviewer: str
    leader: str


class Teacher(Plain):
    """Whom the paper names for a subject: the staff code of who is still here, or the name alone."""

    subject: str
    staff: str = ""
    name: str = ""


class Data(Plain):
    """What stands on the paper, by the names of the form's fields. `teachers` of an imported class are those of the import."""

    values: dict[str, str]
    teachers: tuple[Teacher, ...] = ()
    homeroom: Teacher = Teacher(subject="")


async def newest(records: Store, school: str) -> str:
    """Raises Refused(NOT_FOUND) for a school without data."""
    years = await records.years(school)
    if not years:
        raise Refused(NOT_FOUND)
    return years[0]


async def open_year(records: Store, school: str, order: YearOrder, *, actor: str) -> str:
    """Open the year, or assign it anew; returns it. Raises Refused: WRONG_YEAR, WRONG_PERSON, BORN_DIGITAL, YEAR_LOCKED."""
    now = await newest(records, school)
    year = rules.year_to_digitise(order.year, now, clock.in_vietnam(clock.now()).date())
    who = rules.assigned(order.reviewer, order.leader, await records.staff(school, now))
    note = " ".join(order.note.split())[: rules.LONGEST_REASON]
    db = records.db

    async def work(session: Session) -> None:
        await _open(db, session, school, year)
        born = await store.born_digital(db, school, year)
        if born:
            raise Refused(BORN_DIGITAL, count=born)
        before = await store.plan_of(db, school, year, session)
        fresh = {"_id": key(school, year), "school": school, "year": year, "opened_by": actor, "opened_at": clock.now()}
        changed = {"reviewer": who.reviewer, "leader": who.leader, "note": note}
        await aggregates.save(db, session, store.PLANS, [Change({**(before or fresh), **changed})], actor=actor)
        details = {"year": year, "reviewer": who.reviewer, "leader": who.leader}
        await audit.record(db, session, actor=actor, act="digitising planned", subject=key(school, year), place=school, details=details)

    await transaction(db, work)
    return year


async def open_pupil(records: Store, school: str, order: PupilOrder, *, actor: str) -> str:
    """Open one pupil's paper transcript of one year, or assign it anew; returns the year.

    Raises Refused: WRONG_YEAR, WRONG_PERSON, WRONG_PAPER, TRANSCRIPT_STANDS, YEAR_LOCKED.
    """
    now = await newest(records, school)
    year = rules.year_to_digitise(order.year, now, clock.in_vietnam(clock.now()).date())
    paper_school = " ".join(order.paper_school.split())[: rules.LONGEST_NAME]
    who = rules.assigned(order.reviewer, order.leader, await records.staff(school, now), brought=bool(paper_school))
    known = await records.pupils(school, now, codes=[order.pupil.strip()])
    if not known or known[0]["data"] is None:
        raise Refused(WRONG_PAPER, reason=f"Không có học sinh mã “{order.pupil.strip()[:40]}” trong năm học {now}.")
    profile = Pupil.model_validate(known[0]["data"])
    of_now = await records.school(school, now)
    grade_now = int((await records.school_class(school, now, known[0]["class_code"]))["data"]["grade"])
    grade = rules.paper_grade(order.grade, of_now.level, now=grade_now, years=int(now[:4]) - int(year[:4]))
    class_name = rules.name_in(order.class_name, "tên lớp ghi trên học bạ giấy")
    db = records.db

    async def work(session: Session) -> None:
        await _open(db, session, school, year)
        if await store.live_transcript(db, school, year, profile.code, session):
            raise Refused(TRANSCRIPT_STANDS)
        await _year(records, session, of_now, year, actor)
        await _staff(db, session, [who.reviewer, who.leader], of=(school, now), into=year)
        there = await db["pupils"].find_one({"_id": key(school, year, profile.code)}, session=session)
        if there is None:
            place = await _class_for(db, session, school, year, class_name, paper_school, grade, who.leader, actor)
            data = profile.model_copy(update={"class_code": place["code"], "status": "Đang học"})
            document = {
                "_id": key(school, year, profile.code),
                "school": school,
                "year": year,
                "code": profile.code,
                "class_code": place["code"],
                "number": place["pupils"],
                "name": profile.name,
                "data": data.model_dump(mode="json"),
                "result": None,
                "missing": [{"field": "Kết quả", "kind": "missing", "message": "Chưa nhập dữ liệu học bạ giấy.", "article": ""}],
                "from_paper": True,
            }
            await db["pupils"].insert_one(document, session=session)
        before = await store.item_of(db, school, year, profile.code, session)
        teachers: dict[str, Any] = {} if there is not None and not who.brought else {"teachers": [], "homeroom": {"staff": "", "name": ""}}
        item = {
            **(before or {**new_item(school, year, profile.code), **teachers}),
            "reviewer": who.reviewer,
            "leader": who.leader,
            "brought": who.brought,
            "paper_school": paper_school,
        }
        await _keep(db, session, item, "open", actor)
        await _record(db, session, item, "paper transcript opened", actor, reviewer=who.reviewer, leader=who.leader)

    await transaction(db, work)
    return year


async def type_data(records: Store, case: Case, data: Data, *, actor: str) -> None:
    """Take what was typed. Raises Refused: WRONG_VALUES (see `form.read` for which), TRANSCRIPT_STANDS, YEAR_LOCKED, CONFLICT."""
    db, item, grade = records.db, case.item, case.school_class.grade
    read = form.read(data.values, case.pupil["code"], grade, item["year"])
    if read.wrong:
        raise Refused(WRONG_VALUES, count=len(read.wrong))
    lacking = profile_missing(Pupil.model_validate(case.pupil["data"])) if case.pupil["data"] else []
    if case.circular:
        lacking += result_missing(read.result, grade, item["year"])
    now = await newest(records, item["school"])
    here = await records.staff(item["school"], now)
    named = [t for t in data.teachers if t.staff in here and not case.who.brought]
    own = data.homeroom if data.homeroom.staff in here and not case.who.brought else None

    async def work(session: Session) -> None:
        await _changeable(db, session, case)
        result = read.result.model_dump(mode="json")
        told = [{"field": m.field, "kind": m.kind, "message": m.message_vi, "article": m.article or ""} for m in lacking]
        await db["pupils"].update_one({"_id": case.pupil["_id"]}, {"$set": {"result": result, "missing": told}}, session=session)
        changed = dict(item)
        if item["teachers"] is not None:
            changed |= {
                "teachers": [_named(t, here, brought=case.who.brought) for t in data.teachers if t.staff or t.name.strip()],
                "homeroom": _named(data.homeroom, here, brought=case.who.brought),
            }
            await _staff(db, session, [t.staff for t in (*named, *([own] if own else []))], of=(item["school"], now), into=item["year"])
            await _assign(db, session, case, named, actor)
        await _keep(db, session, changed, "type", actor)
        await _record(db, session, item, "paper transcript typed", actor)

    await transaction(db, work)


async def keep_scan(parts: Parts, records: Store, case: Case, files: Sequence[bytes], *, actor: str) -> None:
    """Raises Refused: WRONG_SCAN, TRANSCRIPT_STANDS, YEAR_LOCKED, CONFLICT."""
    found: Scan | Unusable = await parts.pool.run(scan_of, list(files))
    if isinstance(found, Unusable):
        raise Refused(WRONG_SCAN, reason=found.reason)
    db, item = records.db, case.item
    kept = await parts.objects.put(f"digitised/{item['_id']}", ".pdf", found.content, "application/pdf")

    async def work(session: Session) -> None:
        await _changeable(db, session, case)
        scan = {"document": document_ref(kept), "pages": found.pages, "by": actor, "at": clock.now()}
        await _keep(db, session, {**item, "scan": scan}, "scan", actor)
        await _record(db, session, item, "scan of a paper transcript kept", actor, sha256=kept.sha256)

    await transaction(db, work)


async def review(
    records: Store, case: Case, part_key: str, digest: str, *, reason: str = "", ok: bool, ticked: bool = False, actor: str
) -> None:
    """ "Đã đối chiếu" (`ok`), or "Trả lại" with a reason. `digest`: of the part as the page showed it.

    Raises Refused: NO_SUCH_PART, SCAN_NEEDED, TICK_NEEDED, REASON_NEEDED, DATA_CHANGED, TRANSCRIPT_STANDS, YEAR_LOCKED, CONFLICT.
    """
    db, item, part = records.db, case.item, case.part(part_key)
    if part is None:
        raise Refused(NO_SUCH_PART)
    if not case.scan or case.result is None:
        raise Refused(SCAN_NEEDED)
    if ok and part.kind == "profile" and not ticked:
        raise Refused(TICK_NEEDED)
    words = "" if ok else rules.reason_in(reason)
    if digest != case.digest(part):
        raise Refused(DATA_CHANGED)

    async def work(session: Session) -> None:
        await _changeable(db, session, case)
        check = {"part": part.key, "ok": ok, "by": actor, "at": clock.now(), "digest": digest, "reason": words}
        checks = [*(c for c in item["checks"] if c["part"] != part.key), check]
        await _keep(db, session, {**item, "checks": checks}, "check" if ok else "send back", actor, part=part.title, reason=words)
        act = "part of a paper transcript reviewed" if ok else "part of a paper transcript sent back"
        await _record(db, session, item, act, actor, part=part.key)

    await transaction(db, work)


async def opened(records: Store, school: str, year: str, pupil: str) -> tuple[Digitised, Case]:
    """Raises Refused(NOT_OPEN)."""
    shared, case = await case_of(records, school, year, pupil)
    if case is None:
        raise Refused(NOT_OPEN)
    return shared, case


# inside a transaction


async def _open(db: Database, session: Session, school: str, year: str) -> None:
    if (await lock_of(db, school, year, session))["locked"]:
        raise Refused(YEAR_LOCKED)


async def _changeable(db: Database, session: Session, case: Case) -> None:
    """That nothing was made of it, and data are as they were read. Raises Refused."""
    item = case.item
    await _open(db, session, item["school"], item["year"])
    if await store.live_transcript(db, item["school"], item["year"], item["pupil_code"], session):
        raise Refused(TRANSCRIPT_STANDS)
    if await db["pupils"].find_one({"_id": case.pupil["_id"]}, session=session) != case.pupil:
        raise Refused(CONFLICT)


async def _keep(db: Database, session: Session, item: Document, did: str, actor: str, **told: str) -> None:
    """Saves the item, refused when somebody changed it meanwhile."""
    line = {"at": clock.now(), "by": actor, "act": did, **told}
    await aggregates.save(db, session, store.ITEMS, [Change({**item, "history": [*item["history"], line]})], actor=actor)


async def _record(db: Database, session: Session, item: Document, act: str, actor: str, **told: object) -> None:
    details = {"year": item["year"], "pupil": item["pupil_code"], **told}
    await audit.record(db, session, actor=actor, act=act, subject=item["_id"], place=item["school"], details=details)


def _named(teacher: Teacher, here: Mapping[str, object], *, brought: bool) -> dict[str, str]:
    staff = teacher.staff if teacher.staff in here and not brought else ""
    return {"subject": teacher.subject, "staff": staff, "name": "" if staff else " ".join(teacher.name.split())[: rules.LONGEST_NAME]}


async def _year(records: Store, session: Session, of_now: School, year: str, actor: str) -> None:
    """The school year, where nothing of it was imported: as the school is now, without staff or assignments."""
    db, place = records.db, key(of_now.code, year)
    if await db["years"].find_one({"_id": place}, projection={"_id": 1}, session=session):
        return
    data = of_now.model_copy(update={"year": year, "print_date": min(clock.in_vietnam(clock.now()).date(), days_of(year)[1])})
    document = {"_id": place, "school": of_now.code, "year": year, "data": data.model_dump(mode="json"), "assignments": []}
    await aggregates.save(db, session, "years", [Change({**document, "from_paper": True})], actor=actor)


async def _staff(db: Database, session: Session, codes: Sequence[str], *, of: tuple[str, str], into: str) -> None:
    """People of today (`of`: school and its newest year) who have a part in that year stand in its list of staff too."""
    school, now = of
    for code in dict.fromkeys(codes):
        found = await db["staff"].find_one({"_id": key(school, now, code)}, session=session)
        if found is not None:
            fields = {"school": school, "year": into, "data": found["data"]}
            await db["staff"].update_one({"_id": key(school, into, code)}, {"$setOnInsert": fields}, upsert=True, session=session)


async def _class_for(  # noqa: PLR0917 - what the paper says of the class
    db: Database, session: Session, school: str, year: str, name: str, paper_school: str, grade: int, leader: str, actor: str
) -> Document:
    """The class of the year by its name, or a new one that is known from paper alone; with one pupil more."""
    same = {"school": school, "year": year, "data.grade": grade, "gone": {"$ne": True}}
    code = rules.class_code_of(name, paper_school)
    found: Document | None = await db["classes"].find_one({"_id": key(school, year, code)}, session=session)
    if found is None and not paper_school:
        found = await db["classes"].find_one({**same, "data.name": name}, session=session)
    if found is None:
        data = {"code": code, "name": name, "grade": grade, "homeroom": leader, "leader": leader, "finalised": True}
        place = {"_id": key(school, year, code), "school": school, "year": year, "code": code, "data": data}
        found = {**place, "pupils": 0, "refused": 0, "gone": False, "from_paper": True}
    after = {**found, "pupils": found["pupils"] + 1}
    data = after["data"]
    fact = ClassImportedV1(
        school=school,
        year=year,
        code=after["code"],
        name=data["name"],
        grade=data["grade"],
        pupils=after["pupils"],
        refused=after["refused"],
    )
    await aggregates.save(db, session, "classes", [Change(after, fact)], actor=actor)
    return after


async def _assign(db: Database, session: Session, case: Case, teachers: Sequence[Teacher], actor: str) -> None:
    """Who is named for a subject is assigned to the class, so that it is theirs to see."""
    place = key(case.item["school"], case.item["year"])
    found = await db["years"].find_one({"_id": place}, session=session)
    if found is None:
        raise Refused(CONFLICT)
    known = {(a["class_code"], a["subject_name"], a["staff"]) for a in found["assignments"]}
    code = case.school_class.code
    new = [
        Assignment(class_code=code, subject=t.subject, subject_name=t.subject, semester=semester, staff=t.staff).model_dump(mode="json")
        for t in teachers
        if (code, t.subject, t.staff) not in known
        for semester in (1, 2)
    ]
    if new:
        await aggregates.save(db, session, "years", [Change({**found, "assignments": [*found["assignments"], *new]})], actor=actor)
