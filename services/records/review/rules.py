"""\"Rà soát dữ liệu\" (guide 001, II.1): what was imported, part by part, with what is missing marked. Plain data in, rows out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.chassis.web.look import vn_date
from services.records.review.certificates import person_owner, school_owner
from services.records.schoolyear import PrimaryResult, SecondaryResult
from services.records.store import pupil_of
from services.records.transcripts.jobs import result_of
from services.records.transcripts.needs import PROFILE_FIELDS, of_class, of_pupil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.review.certificates import Standing
    from services.records.schoolyear import Assignment, School, SchoolClass, Staff

PARTS = {
    "pupils": "Hồ sơ học sinh",
    "assignments": "Phân công giảng dạy",
    "results": "Kết quả học tập",
    "awards": "Khen thưởng",
    "signers": "Người ký",
    "printing": "Cấu hình in học bạ",
}
ASSIGNED = "Phân công"
YES, NO = "Có", "Không"


@dataclass(frozen=True)
class Row:
    """`cells` in the order of the table's columns, the first names the row; `class_name` is "" for what belongs to several classes."""

    cells: tuple[str, ...]
    class_name: str
    grade: int
    missing: tuple[str, ...] = ()
    href: str = ""


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)


def part_of(missing: Mapping[str, Any]) -> str:
    """The part that something missing of a pupil belongs to."""
    if missing["field"] in PROFILE_FIELDS:
        return "pupils"
    return "assignments" if missing["field"] == ASSIGNED else "results"


def lacking(pupil: Mapping[str, Any], part: str) -> tuple[str, ...]:
    return tuple(m["message"].rstrip(".") for m in of_pupil(pupil["missing"]) if part_of(m) == part)


def overview(
    classes: Sequence[SchoolClass],
    schools: Mapping[str, School],
    pupils: Iterable[Mapping[str, Any]],
    staff: Mapping[str, Staff],
    *,
    given: Sequence[Assignment],
    certificates: Mapping[str, Standing],
) -> list[dict[str, Any]]:
    """A row a class: how many pupils, and how many of them lack something of a part; `printing` counts what the class itself lacks,
    `signers` who of its signers could not sign today."""
    signing = {c.code: _tasks({c.code: c}, given) for c in classes}
    rows: dict[str, dict[str, Any]] = {
        c.code: {
            "code": c.code,
            "name": c.name,
            "grade": c.grade,
            "finalised": c.finalised,
            "pupils": 0,
            "pupils_lacking": 0,
            "results_lacking": 0,
            "contradictions": 0,
            "assignments_lacking": 0,
            "printing_lacking": len([m for m in of_class(c, staff, schools[c.code]) if m["kind"] != "unfinished"]),
            "signers_lacking": sum(1 for code in signing[c.code] if _unable(code, staff, certificates)),
        }
        for c in classes
    }
    messages: dict[str, set[str]] = {c.code: set() for c in classes}
    for pupil in pupils:
        row = rows.get(pupil["class_code"])
        if row is None:
            continue
        found = of_pupil(pupil["missing"])
        contradicted = any(m.get("kind") == "contradiction" for m in found)
        row["pupils"] += 1
        row["pupils_lacking"] += any(part_of(m) == "pupils" for m in found)
        row["results_lacking"] += any(part_of(m) == "results" and m.get("kind") != "contradiction" for m in found)
        row["contradictions"] += contradicted
        messages[pupil["class_code"]] |= {m["message"] for m in found if part_of(m) == "assignments"}
    for code, row in rows.items():
        row["assignments_lacking"] = len(messages[code])
    return list(rows.values())


def profiles(pupils: Iterable[Document], classes: Mapping[str, SchoolClass]) -> Table:
    columns = (
        "Họ và tên",
        "Mã học sinh",
        "Lớp",
        "Ngày sinh",
        "Giới tính",
        "Dân tộc",
        "Quốc tịch",
        "Nơi sinh",
        "Quê quán",
        "Chỗ ở hiện nay",
        "Số định danh cá nhân",
        "Cha, mẹ hoặc người giám hộ",
        "Trạng thái",
    )
    rows = []
    for document in pupils:
        school_class = classes[document["class_code"]]
        known: tuple[str, ...] = ("",) * 10
        if document["data"] is not None:
            p = pupil_of(document)
            parents = ", ".join(n for n in (p.father, p.mother, p.guardian) if n)
            known = (
                vn_date(p.born),
                p.sex,
                p.ethnicity,
                p.nationality,
                p.birth_place,
                p.home_town,
                p.address,
                p.personal_id,
                parents,
                p.status,
            )
        rows.append(_pupil_row(document, school_class, known, "pupils"))
    return Table(columns, rows)


def _pupil_row(document: Document, school_class: SchoolClass, known: tuple[str, ...], part: str) -> Row:
    named = document["name"] or f"Học sinh mã {document['code']}"
    return Row((named, document["code"], school_class.name, *known), school_class.name, school_class.grade, lacking(document, part))


def results(pupils: Sequence[Document], classes: Mapping[str, SchoolClass], *, semesters: bool) -> Table:
    """A column a subject: level and mark, or the year's result; with `semesters` each in its own column, for the workbook."""
    parsed = [(d, result_of(d) if d["result"] else None) for d in pupils]
    subjects = list(dict.fromkeys(s.name for _, r in parsed if r is not None for s in r.subjects))
    secondary = any(isinstance(r, SecondaryResult) for _, r in parsed)
    terms = ("HKI", "HKII", "CN") if semesters and secondary else ("",)
    columns = [f"{name} {term}".strip() for name in subjects for term in terms]
    summed = ["Kết quả học tập", "Kết quả rèn luyện"] if secondary else ["Đánh giá kết quả giáo dục"]
    rows = []
    for document, result in parsed:
        cells: list[str] = []
        held = {s.name: s for s in result.subjects} if result is not None else {}
        for name in subjects:
            cells += _marks(held.get(name), len(terms))
        if isinstance(result, SecondaryResult):
            cells += [result.study[2], result.conduct[2]]
        else:
            cells += [result.rating if result is not None else ""] + [""] * (len(summed) - 1)
        cells.append("" if result is None else YES if result.promoted else NO)
        rows.append(_pupil_row(document, classes[document["class_code"]], tuple(cells), "results"))
    return Table(("Họ và tên", "Mã học sinh", "Lớp", *columns, *summed, "Được lên lớp"), rows)


def _marks(subject: Any, terms: int) -> list[str]:
    if subject is None:
        return [""] * terms
    if hasattr(subject, "level"):
        shown = f"{subject.level} {subject.mark}" if subject.mark is not None else subject.level
        return [shown, *[""] * (terms - 1)]
    year = f"{subject.year} (đánh giá lại: {subject.reassessed})" if subject.reassessed else subject.year
    every = [subject.semester1, subject.semester2, year] if terms > 1 else [year]
    return [mark.replace(".", ",") for mark in every]


def awards(pupils: Iterable[Document], classes: Mapping[str, SchoolClass]) -> Table:
    """Awards, contests and vocational certificates; a pupil without any of them stands there too, so that nobody is overlooked."""
    rows = []
    for document in pupils:
        result = result_of(document) if document["result"] else None
        known: tuple[str, ...] = ("", "", "", "")
        if isinstance(result, PrimaryResult):
            known = (result.rating, result.award, "", "")
        elif isinstance(result, SecondaryResult):
            known = (f"{result.study[2]} / {result.conduct[2]}", result.award, result.contests, result.certificate)
        rows.append(_pupil_row(document, classes[document["class_code"]], known, "awards"))
    columns = ("Họ và tên", "Mã học sinh", "Lớp", "Kết quả cả năm", "Khen thưởng", "Kết quả tham gia các cuộc thi", "Chứng chỉ")
    return Table(columns, rows)


def assignments(
    classes: Mapping[str, SchoolClass], given: Sequence[Assignment], staff: Mapping[str, Staff], pupils: Iterable[Mapping[str, Any]]
) -> Table:
    """Who teaches what in which semester; the homeroom teacher first. What results have and nobody teaches is told in that row."""
    messages: dict[str, dict[str, None]] = {code: {} for code in classes}
    for pupil in pupils:
        if pupil["class_code"] in messages:
            messages[pupil["class_code"]].update(dict.fromkeys(lacking(pupil, "assignments")))
    rows = []
    for code, school_class in classes.items():
        name = _named(school_class.homeroom, staff)
        # what concerns no subject that is assigned has no row of its own
        subjects = list(dict.fromkeys(a.subject_name for a in given if a.class_code == code))
        rest = tuple(m for m in messages[code] if not any(s in m for s in subjects))
        rows.append(
            Row(
                (school_class.name, "Chủ nhiệm", name, name),
                school_class.name,
                school_class.grade,
                (*_unknown([school_class.homeroom], staff), *rest),
            )
        )
        for subject in subjects:
            by_term = [
                [a.staff for a in given if a.class_code == code and a.subject_name == subject and a.semester == term] for term in (1, 2)
            ]
            gaps = [f"Chưa phân công học kỳ {words}" for codes, words in zip(by_term, ("I", "II"), strict=True) if not codes]
            shown = tuple(", ".join(_named(c, staff) for c in dict.fromkeys(codes)) for codes in by_term)
            unknown = _unknown(dict.fromkeys(c for codes in by_term for c in codes), staff)
            rows.append(Row((school_class.name, subject, *shown), school_class.name, school_class.grade, (*gaps, *unknown)))
    return Table(("Lớp", "Môn học", "Học kỳ I", "Học kỳ II"), rows)


def _named(code: str, staff: Mapping[str, Staff]) -> str:
    return staff[code].name if code in staff else code or "chưa phân công"


def _unknown(codes: Iterable[str], staff: Mapping[str, Staff]) -> tuple[str, ...]:
    return tuple(f"“{c}” không có trong danh sách cán bộ" for c in codes if c and c not in staff)


def _tasks(classes: Mapping[str, SchoolClass], given: Sequence[Assignment]) -> dict[str, dict[str, None]]:
    """By staff code ("" for nobody), what this person signs in these classes."""
    tasks: dict[str, dict[str, None]] = {}
    for code, school_class in classes.items():
        tasks.setdefault(school_class.homeroom, {})[f"Chủ nhiệm {school_class.name}"] = None
        tasks.setdefault(school_class.leader, {})[f"Lãnh đạo ký {school_class.name}"] = None
        for a in given:
            if a.class_code == code:
                tasks.setdefault(a.staff, {})[f"{a.subject_name} {school_class.name}"] = None
    return tasks


def _unable(code: str, staff: Mapping[str, Staff], certificates: Mapping[str, Standing]) -> tuple[str, ...]:
    """Why this person could not sign today."""
    person = staff.get(code)
    if person is None:
        return ("Không có trong danh sách cán bộ",)
    nameless = () if person.personal_id else ("Chưa có số định danh cá nhân hợp lệ",)
    lacking = certificates[person_owner(code)].missing
    return (*nameless, lacking) if lacking else nameless


def owners(classes: Mapping[str, SchoolClass], given: Sequence[Assignment], school: str) -> list[str]:
    """Whose certificates sign in these classes: persons, and the school."""
    return [*(person_owner(code) for code in _tasks(classes, given) if code), school_owner(school)]


def signers(
    classes: Mapping[str, SchoolClass],
    given: Sequence[Assignment],
    staff: Mapping[str, Staff],
    *,
    certificates: Mapping[str, Standing],
    school: School,
) -> Table:
    """Everybody who will have to sign for one of these classes, with what they sign and how their certificate stands; at last the school.

    `certificates`: of all `owners` of these classes.
    """
    rows = []
    for code, signed in _tasks(classes, given).items():
        person = staff.get(code)
        known = (person.name, code, person.position, person.personal_id) if person else (code or "Chưa phân công", code, "", "")
        words = certificates[person_owner(code)].words if person else ""
        rows.append(Row((*known, words, "; ".join(signed)), "", 0, _unable(code, staff, certificates)))
    own = certificates[school_owner(school.code)]
    sealing = (school.name, school.code, "Chứng thư số nhà trường", "", own.words, "Ký phát hành")
    rows.append(Row(sealing, "", 0, (own.missing,) if own.missing else ()))
    return Table(("Họ và tên", "Mã cán bộ", "Chức vụ", "Số định danh cá nhân", "Chứng thư số", "Ký"), rows)


def printing(classes: Mapping[str, SchoolClass], schools: Mapping[str, School], staff: Mapping[str, Staff]) -> Table:
    rows = []
    for code, c in classes.items():
        school = schools[code]
        finalised = YES if c.finalised else NO
        cells = (c.name, school.print_place, vn_date(school.print_date), _named(c.leader, staff), _named(c.homeroom, staff), finalised)
        rows.append(Row(cells, c.name, c.grade, tuple(m["message"].rstrip(".") for m in of_class(c, staff, school))))
    return Table(("Lớp", "Địa danh", "Ngày ký", "Lãnh đạo ký", "Giáo viên chủ nhiệm", "Hoàn thành tổng kết"), rows)
