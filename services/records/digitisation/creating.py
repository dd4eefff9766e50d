"""From a reviewed paper transcript to what its digital one says; what creating (`transcripts.creation`) asks of digitising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis import clock
from services.chassis.errors import CONFLICT, Refused
from services.records.digitisation import store
from services.records.digitisation.cases import Digitised as Shared
from services.records.digitisation.errors import BEFORE_THE_PROGRAMME, NOT_REVIEWED
from services.records.digitisation.rules import FIRST_YEAR, Progress, Seen
from services.records.errors import NOT_COMPLETE
from services.records.rules.completeness import class_missing, profile_missing, result_missing
from services.records.schoolyear import Digitised, DigitisedPart, Pupil, SubjectTeacher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.records.digitisation.cases import Case
    from services.records.schoolyear import School, SchoolClass, Semester, Staff
    from services.records.store import Store

STUDYING = "Trạng thái"


@dataclass(frozen=True)
class Paper:
    """One case with who there is to sign, and the school that makes the transcript: as it is now, in the year of the paper."""

    case: Case
    staff: Mapping[str, Staff]
    school: School
    paper_school: str

    @property
    def item(self) -> Document:
        return self.case.item

    def school_class(self) -> SchoolClass:
        """With those who sign in place of those whom the paper names."""
        homeroom = next(p.signer for p in self.case.parts if p.kind == "homeroom")
        return self.case.school_class.model_copy(update={"homeroom": homeroom, "leader": self.case.who.leader})

    def reasons(self) -> list[dict[str, Any]]:
        """Why no transcript can be made of it: {field, code, reason}; a year that is over asks for no pupil who is "Đang học"."""
        case = self.case
        if case.item["year"] < FIRST_YEAR:
            return [{"field": "", "code": BEFORE_THE_PROGRAMME.code, "reason": BEFORE_THE_PROGRAMME.cause}]
        if case.progress in (Progress.NO_SCAN, Progress.NO_DATA):
            return [_not_reviewed("", "Chưa có bản quét học bạ giấy, hoặc chưa có dữ liệu.")]
        open_parts = [p.title for p in case.parts if case.seen(p) is not Seen.CHECKED]
        found = [_not_reviewed(title, f"Chưa đối chiếu với học bạ giấy: {title}.") for title in open_parts]
        pupil, grade = Pupil.model_validate(case.pupil["data"]), case.school_class.grade
        lacking = [*class_missing(self.school_class(), self.staff, self.school)]
        lacking += [m for m in profile_missing(pupil) if m.field != STUDYING]
        lacking += result_missing(case.result, grade, case.item["year"]) if case.circular else []
        for code in {p.signer for p in case.parts} - {self.school_class().homeroom, self.school_class().leader}:
            person = self.staff.get(code)
            if person is not None and not person.personal_id:
                found.append(_incomplete("Phân công", f"Giáo viên {person.name} chưa có số định danh cá nhân hợp lệ."))
        return found + [_incomplete(m.field, m.message_vi) for m in lacking]

    def teachers(self) -> tuple[SubjectTeacher, ...]:
        """Who signs for which subjects: everybody once, in the order of the parts."""
        subjects: dict[str, dict[str, None]] = {}
        single: dict[str, list[tuple[str, Semester]]] = {}
        for part in self.case.parts:
            if part.kind == "subjects":
                subjects.setdefault(part.signer, {}).update(dict.fromkeys(part.subjects))
                single.setdefault(part.signer, []).extend(part.one_semester)
        return tuple(
            SubjectTeacher(
                staff=code,
                name=self.staff[code].name,
                personal_id=self.staff[code].personal_id,
                subjects=tuple(theirs),
                # who signs both as one who taught here and for one who left signs for the whole year
                one_semester=tuple(each for each in single[code] if [s for s, _ in single[code]].count(each[0]) == 1),
            )
            for code, theirs in subjects.items()
        )

    def digitised(self) -> Digitised:
        scan = self.item["scan"]
        return Digitised(
            scan_sha256=scan["document"]["sha256"],
            scan_bytes=scan["document"]["size"],
            scan_pages=scan["pages"],
            paper_school=self.paper_school,
            circular=self.case.circular,
            parts=tuple(self._part(p.key) for p in self.case.parts),
        )

    def _part(self, part_key: str) -> DigitisedPart:
        part = next(p for p in self.case.parts if p.key == part_key)
        check = self.case.check(part)
        assert check is not None, "only what is reviewed becomes a transcript"
        by = self.staff.get(check["by"])
        return DigitisedPart(
            kind=part.kind,
            subjects=part.subjects,
            written_by=part.written_by,
            reviewed_by=check["by"],
            reviewed_name=by.name if by else check["by"],
            reviewed_at=check["at"],
            signed_by=part.signer,
            signed_name=self.staff[part.signer].name,
        )


def _not_reviewed(field: str, reason: str) -> dict[str, Any]:
    return {"field": field, "code": NOT_REVIEWED.code, "reason": reason}


def _incomplete(field: str, reason: str) -> dict[str, Any]:
    return {"field": field, "code": NOT_COMPLETE.code, "reason": reason}


async def papers_of(records: Store, school: str, year: str, pupils: Sequence[Document]) -> dict[str, Paper]:
    """By pupil code, of those pupils whose year is digitised; the others are as if there were no digitising."""
    shared = await Shared.of(records, school, year, pupils=[p["code"] for p in pupils])
    if shared.plan is None and not shared.items:
        return {}
    years = await records.years(school)
    now, then = await records.school(school, years[0]), await records.school(school, year)
    today = clock.in_vietnam(clock.now()).date()
    of_today = now.model_copy(update={"year": year, "print_date": today})
    found = {}
    for pupil in pupils:
        case = shared.case(pupil)
        if case is not None:
            named = case.item["paper_school"] or (then.name if then.name != now.name else "")
            found[pupil["code"]] = Paper(case, shared.now, of_today, named)
    return found


async def hold(db: Database, session: Session, papers: Sequence[Paper]) -> None:
    """Keeps what was reviewed as it was read until the transaction is through. Raises Refused(CONFLICT)."""
    for paper in papers:
        # a write, so that whoever changes the review at this moment collides with it
        unchanged = {"_id": paper.item["_id"], "sequence": paper.item["sequence"]}
        held = await db[store.ITEMS].update_one(unchanged, {"$set": {"created_from_at": clock.now()}}, session=session)
        if held.matched_count != 1:
            raise Refused(CONFLICT)
