"""What the dialogue before creating shows: form, comments, and who will sign for each class ("rà soát lại thông tin ký liên quan")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.records.cells import key
from services.records.rules.ruleset import NoRuleSetError, rules_for
from services.records.transcripts.jobs import waiting_for_summer
from services.records.transcripts.needs import of_class, of_pupil
from services.records.transcripts.year_data import YearData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.schoolyear import Staff
    from services.records.transcripts.reading import Reading

FORMS = {"TH": "Học bạ tiểu học", "THCS": "Học bạ trung học cơ sở", "THPT": "Học bạ trung học phổ thông"}
COMMENTS = {"subject": "Nhận xét của giáo viên từng môn học", "none": "Không ghi nhận xét môn học"}


async def review(looked_at: Reading, pupils: Sequence[Document]) -> dict[str, Any]:
    """`ready`: how many of these pupils lack nothing; `waiting`: how many must be assessed again or trained in summer."""
    data = await YearData.load(looked_at.store, looked_at.school, looked_at.year)
    school = await looked_at.store.school(looked_at.school, looked_at.year)
    grades = {code: c.grade for code, c in data.classes.items()}
    # a class that the last import no longer has is told by the job itself
    codes = [code for code in dict.fromkeys(p["class_code"] for p in pupils) if code in data.classes]
    classes = [_class(code, [p for p in pupils if p["class_code"] == code], data) for code in codes]
    circulars = {_circular(grades[code], looked_at.year) for code in codes} - {""}
    return {
        "form": FORMS[school.level],
        "circulars": sorted(circulars),
        "pupils": len(pupils),
        "ready": sum(row["ready"] for row in classes),
        "waiting": len(waiting_for_summer(pupils, grades, looked_at.year)),
        "commented": sum(1 for p in pupils if p["result"] is not None and any(s["comment"] for s in p["result"]["subjects"])),
        "classes": classes,
    }


def _class(code: str, pupils: Sequence[Document], data: YearData) -> dict[str, Any]:
    school_class, school = data.classes[code], data.schools[code]
    needs = [m["message"] for m in of_class(school_class, data.staff, school)]
    leader = data.staff.get(school_class.leader)
    return {
        "code": code,
        "name": school_class.name,
        "pupils": len(pupils),
        "ready": 0 if needs else sum(1 for p in pupils if not of_pupil(p["missing"])),
        "needs": needs,
        "teachers": _teachers(code, pupils, data),
        "homeroom": _name(school_class.homeroom, data.staff),
        "leader": _name(school_class.leader, data.staff),
        "position": leader.position if leader else "",
        "place": school.print_place,
        "date": school.print_date.isoformat(),
    }


def _teachers(code: str, pupils: Sequence[Document], data: YearData) -> list[dict[str, Any]]:
    """Who signs for which subjects that these pupils have."""
    standing = {key(s["name"]) for p in pupils if p["result"] is not None for s in p["result"]["subjects"]}
    subjects: dict[str, dict[str, None]] = {}
    for a in data.assignments:
        if a.class_code == code and key(a.subject_name) in standing:
            subjects.setdefault(a.staff, {})[a.subject_name] = None
    return [{"name": _name(staff, data.staff), "subjects": list(names)} for staff, names in subjects.items()]


def _name(code: str, staff: Mapping[str, Staff]) -> str:
    return staff[code].name if code in staff else f"Mã cán bộ {code}" if code else ""


def _circular(grade: int, year: str) -> str:
    try:
        return rules_for(grade, year).circular
    except NoRuleSetError:
        return ""
