"""Preview of an import: what would be written, what is refused and why. Pure: no database, no clock, no network.

Problems of one row leave out only that row's pupil. Problems of a class leave out the class. Problems of the structure block all.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from services.records import cells
from services.records.cells import BadCell, key, text
from services.records.imports import findings as found
from services.records.imports.findings import Finding, Place, RefusalKind, RefusedPupil, Report
from services.records.imports.profile_sheets import PERSONAL_ID, PUPILS, Profile, personal_id, read_profile
from services.records.imports.result_layout import kind_of
from services.records.imports.result_sheets import ResultRow, Results, read_results
from services.records.imports.tables import IgnoredColumn, MatchedColumn, Row, Table
from services.records.imports.workbooks import Sheet, read_workbooks
from services.records.rules.completeness import FORM_FIELDS, IDENTITY_FIELDS, PARENT_FIELDS, STUDYING, result_missing
from services.records.rules.remarks import remarks
from services.records.schoolyear import Assignment, Level, Pupil, Result, School, SchoolClass, Staff

M = TypeVar("M")
_SEXES = {"nam": "Nam", "nu": "Nữ"}
_HEADERS = {column.field: column.header for column in PUPILS}


class Preview(BaseModel):
    """What an upload would write. `blocked`: nothing of it may be written.

    `results` by pupil code, of accepted pupils only; `names` of all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    school: School | None
    staff: tuple[Staff, ...]
    classes: tuple[SchoolClass, ...]
    assignments: tuple[Assignment, ...]
    pupils: tuple[Pupil, ...]
    results: dict[str, Result]
    names: dict[str, str]
    findings: tuple[Finding, ...]
    refused_pupils: tuple[RefusedPupil, ...]
    ignored_columns: tuple[IgnoredColumn, ...]
    columns: tuple[MatchedColumn, ...]
    blocked: bool


def preview(files: Mapping[str, bytes], *, school_code: str | None = None, level: Level | None = None, year: str | None = None) -> Preview:
    """Read and judge an upload: the school workbook and the classes' results workbooks, by file name.

    With `school_code`, `level`, `year` given, data of another school, level or school year is blocked.
    Raises WorkbookRefused when the upload as a whole is empty or too large; everything else is a finding.
    """
    report = Report()
    return _seen(read_workbooks(files, report), report, school_code, level, year)


def preview_of(sheets: Sequence[Sheet], *, school_code: str | None = None, level: Level | None = None, year: str | None = None) -> Preview:
    """The same for sheets that came in another way than as workbooks."""
    return _seen(sheets, Report(), school_code, level, year)


def _seen(sheets: Sequence[Sheet], report: Report, school_code: str | None, level: Level | None, year: str | None) -> Preview:
    profile = read_profile([sheet for sheet in sheets if kind_of(sheet) is None], report)
    ignored, columns = list(profile.ignored), list(profile.columns)
    pupils: list[Pupil] = []
    results: dict[str, Result] = {}
    names: dict[str, str] = {}
    if profile.school:
        _expect(profile.school, school_code, level, year, report)
        read = read_results(sheets, profile.school, profile.classes, report)
        ignored += read.ignored
        columns += read.columns
        if profile.pupils:
            pupils, results, names = _accepted(profile, profile.school, profile.pupils, read, report)
    return Preview(
        school=profile.school,
        staff=tuple(profile.staff),
        classes=tuple(profile.classes.values()),
        assignments=tuple(profile.assignments),
        pupils=tuple(pupils),
        results=results,
        names=names,
        findings=tuple(report.findings),
        refused_pupils=tuple(report.refused),
        ignored_columns=tuple(ignored),
        columns=tuple(columns),
        blocked=report.blocked,
    )


def _expect(school: School, school_code: str | None, level: Level | None, year: str | None, report: Report) -> None:
    place = Place(sheet="Trường")
    for name, wanted, given in (("mã trường", school_code, school.code), ("cấp học", level, school.level), ("năm học", year, school.year)):
        if wanted is not None and wanted != given:
            report.block(found.SCHOOL_OTHER, place, f"Dữ liệu có {name} “{given}”, không phải “{wanted}”.")


@dataclass
class _Entry:
    """A row of the pupils' sheet on its way: `pupil` once it is complete, `sound` while nothing has refused it."""

    row: Row
    code: str
    class_code: str
    personal_id: str
    pupil: Pupil | None


def _accepted(
    profile: Profile, school: School, table: Table, read: Results, report: Report
) -> tuple[list[Pupil], dict[str, Result], dict[str, str]]:
    entries = [_entry(table, row, school, report) for row in table.rows()]
    if not entries:
        report.block(found.SHEET_EMPTY, table.place(), "Sheet “Học sinh” không có dòng dữ liệu nào.")
    _refuse_doubles(table, entries, report)
    blocked = _blocked_classes(profile.classes, entries, read, report)
    by_pupil: dict[str, list[ResultRow]] = defaultdict(list)
    for line in read.rows:
        by_pupil[line.pupil].append(line)
    _refuse_strangers(by_pupil, {entry.code for entry in entries}, report)
    for entry in entries:
        _judge_class_and_result(table, entry, profile, blocked=blocked, lines=by_pupil.get(entry.code, []), report=report)
    refused = {refusal.pupil for refusal in report.refused}
    pupils = [entry.pupil for entry in entries if entry.pupil and entry.code not in refused]
    results = {pupil.code: line.result for pupil in pupils for line in by_pupil.get(pupil.code, []) if line.result}
    for pupil in pupils:
        if pupil.code in results:
            grade = profile.classes[pupil.class_code].grade
            _judge_result(by_pupil[pupil.code][0], results[pupil.code], pupil, grade=grade, year=school.year, report=report)
    return pupils, results, {entry.code: text(entry.row["name"]) for entry in entries}


def _entry(table: Table, row: Row, school: School, report: Report) -> _Entry:
    code, class_code = cells.code(row["code"]), cells.code(row["class_code"])
    number, padded = personal_id(row["personal_id"])
    faults = 0

    def refuse(field: str, kind: RefusalKind, message: str) -> None:
        nonlocal faults
        faults += 1
        which = found.PUPIL_MISSING if kind == "missing" else found.PUPIL_INVALID
        report.refuse(which, table.place(row, field), message, kind=kind, pupil=code, class_code=class_code, field=_HEADERS[field])

    for field, header in IDENTITY_FIELDS.items():
        if not text(row[field]):
            refuse(field, "missing", f"Thiếu “{header}”.")
    if number and not PERSONAL_ID.fullmatch(number):
        refuse("personal_id", "invalid", "Số định danh cá nhân phải có đúng 12 chữ số.")
    sex = _SEXES.get(key(text(row["sex"])), "")
    if text(row["sex"]) and not sex:
        refuse("sex", "invalid", f"Giới tính “{text(row['sex'])}” không phải là Nam hoặc Nữ.")
    born = enrolled_on = None
    try:
        born = cells.date(row["born"])
    except BadCell as bad:
        refuse("born", "invalid", f"Ngày sinh {bad}.")
    try:
        enrolled_on = cells.date(row["enrolled_on"])
    except BadCell as bad:
        refuse("enrolled_on", "invalid", f"Ngày nhập học {bad}.")
    if born and born >= dt.date(int(school.year[5:]), 1, 1):
        refuse("born", "invalid", f"Ngày sinh {text(born)} sau năm học {school.year}.")
    if faults:
        return _Entry(row, code, class_code, number, None)
    if padded:
        message = "Số định danh cá nhân bị Excel đổi thành số; đã thêm lại số 0 ở đầu."
        report.add(found.PERSONAL_ID_PADDED, table.place(row, "personal_id"), message, pupil=code, class_code=class_code)
    plain = {field: text(row[field]) for field in (*FORM_FIELDS, *PARENT_FIELDS, "father_job", "mother_job", "guardian", "register_number")}
    pupil = Pupil.model_validate(
        plain
        | {"code": code, "class_code": class_code, "name": text(row["name"]), "born": born, "sex": sex, "personal_id": number}
        | {"birth_place": text(row["birth_place"]), "enrolled_on": enrolled_on, "status": text(row["status"]) or "Đang học"}
    )
    _doubts(table, row, pupil, report)
    return _Entry(row, code, class_code, number, pupil)


def _doubts(table: Table, row: Row, pupil: Pupil, report: Report) -> None:
    """What looks wrong but may be right; and what creation will ask for."""
    for field, header in FORM_FIELDS.items():
        if not getattr(pupil, field):
            _warn(
                report, found.PROFILE_INCOMPLETE, table, row, field=field, pupil=pupil, message=f"Thiếu “{header}”; chưa tạo được học bạ."
            )
    for field, header in PARENT_FIELDS.items():
        if not getattr(pupil, field):
            _warn(report, found.PARENT_BLANK, table, row, field=field, pupil=pupil, message=f"“{header}” để trống.")
    # digits 4 to 6: century with sex (0 man, 1 woman of the 1900s; 2, 3 of the 2000s) and year of birth
    digit = (pupil.born.year // 100 - 19) * 2 + (pupil.sex == "Nữ")
    if pupil.personal_id[3:6] != f"{digit}{pupil.born.year % 100:02d}":
        message = "Số định danh cá nhân không khớp với giới tính hoặc năm sinh."
        _warn(report, found.PERSONAL_ID_DOUBT, table, row, field="personal_id", pupil=pupil, message=message)


def _warn(report: Report, code: found.Code, table: Table, row: Row, *, field: str, pupil: Pupil, message: str) -> None:
    place = Place(table.sheet.file, table.sheet.name, row.number, table.headers.get(field, _HEADERS[field]))
    report.add(code, place, message, pupil=pupil.code, class_code=pupil.class_code, field=_HEADERS[field])


def _refuse_doubles(table: Table, entries: Sequence[_Entry], report: Report) -> None:
    """One pupil twice, and two pupils with one personal id: nobody can say here which is right, so all of them are refused."""
    by_code, by_id = defaultdict(list), defaultdict(list)
    for entry in entries:
        by_code[entry.code].append(entry)
        by_id[entry.personal_id].append(entry)
    for code, same in by_code.items():
        for entry in same if code and len(same) > 1 else []:
            message = f"Học sinh “{code}” có {len(same)} dòng ({_numbers(same)})."
            place = table.place(entry.row, "code")
            report.refuse(
                found.PUPIL_DUPLICATE, place, message, kind="duplicate", pupil=code, class_code=entry.class_code, field=_HEADERS["code"]
            )
    for number, same in by_id.items():
        if PERSONAL_ID.fullmatch(number) and len({entry.code for entry in same}) > 1:
            for entry in same:
                message = f"Số định danh cá nhân trùng giữa các dòng {_numbers(same)}."
                place = table.place(entry.row, "personal_id")
                report.refuse(
                    found.PERSONAL_ID_DUPLICATE,
                    place,
                    message,
                    kind="duplicate",
                    pupil=entry.code,
                    class_code=entry.class_code,
                    field=_HEADERS["personal_id"],
                )


def _numbers(entries: Sequence[_Entry]) -> str:
    return ", ".join(str(entry.row.number) for entry in entries)


def _blocked_classes(classes: Mapping[str, SchoolClass], entries: Sequence[_Entry], read: Results, report: Report) -> dict[str, str]:
    """Classes with pupils but no usable results sheet, with the reason."""
    blocked = dict(read.blocked)
    with_results = {line.class_code for line in read.rows}
    for code in dict.fromkeys(entry.class_code for entry in entries):
        if code in classes and code not in with_results:
            blocked[code] = f"Chưa có kết quả của lớp {code}."
            report.add(found.RESULTS_MISSING, Place(), blocked[code], class_code=code)
    return blocked


def _refuse_strangers(by_pupil: Mapping[str, Sequence[ResultRow]], known: set[str], report: Report) -> None:
    for code, lines in by_pupil.items():
        if not code or code not in known:
            for line in lines:
                said = f"Học sinh “{code}” có kết quả nhưng không có hồ sơ." if code else f"Dòng {line.number} thiếu mã học sinh."
                place = line.sheet.place(line.number, "Mã học sinh")
                report.refuse(
                    found.RESULT_WITHOUT_PUPIL, place, said, kind="unmatched", pupil=code, class_code=line.class_code, field="Mã học sinh"
                )


def _judge_class_and_result(
    table: Table, entry: _Entry, profile: Profile, *, blocked: Mapping[str, str], lines: Sequence[ResultRow], report: Report
) -> None:
    code, class_code = entry.code, entry.class_code
    if not class_code or not code:
        return
    if class_code not in profile.classes:
        message = f"Lớp “{class_code}” không có trong sheet Lớp."
        place = table.place(entry.row, "class_code")
        report.refuse(found.PUPIL_CLASS, place, message, kind="unknown", pupil=code, class_code=class_code, field=_HEADERS["class_code"])
        return
    if class_code in blocked:
        report.leave_out(code, class_code, "Kết quả", "blocked", blocked[class_code])
        return
    if not lines:
        if entry.pupil and key(entry.pupil.status) != STUDYING:
            return
        message = f"Học sinh “{code}” chưa có dòng kết quả."
        report.refuse(
            found.PUPIL_WITHOUT_RESULT,
            table.place(entry.row, "code"),
            message,
            kind="unmatched",
            pupil=code,
            class_code=class_code,
            field="Kết quả",
        )
        return
    for line in lines[1:]:
        message = f"Học sinh “{code}” có {len(lines)} dòng kết quả."
        place = line.sheet.place(line.number, "Mã học sinh")
        report.refuse(found.RESULT_DUPLICATE, place, message, kind="duplicate", pupil=code, class_code=class_code, field="Kết quả")
    for line in lines:
        if line.class_code != class_code:
            message = f"Hồ sơ ghi lớp “{class_code}”, kết quả ghi lớp “{line.class_code}”."
            place = line.sheet.place(line.number, "Mã lớp")
            report.refuse(found.RESULT_CLASS, place, message, kind="invalid", pupil=code, class_code=class_code, field="Mã lớp")
        for problem in line.problems:
            place = line.sheet.place(line.number, problem.header)
            report.refuse(
                found.RESULT_INVALID, place, problem.reason_vi, kind="invalid", pupil=code, class_code=class_code, field=problem.header
            )


def _judge_result(line: ResultRow, result: Result, pupil: Pupil, *, grade: int, year: str, report: Report) -> None:
    """Warnings about an accepted pupil's result: other name, other birth date, gaps, and what contradicts the circular."""

    def warn(code: found.Code, field: str, message: str) -> None:
        report.add(code, line.sheet.place(line.number, field), message, pupil=pupil.code, class_code=pupil.class_code)

    if line.name and line.name.casefold() != pupil.name.casefold():
        warn(found.NAME_DIFFERS, "Họ tên", "Họ tên trong kết quả khác với hồ sơ.")
    if text(line.born) and not _same_day(line.born, pupil.born):
        warn(found.BORN_DIFFERS, "Ngày sinh", "Ngày sinh trong kết quả khác với hồ sơ.")
    for gap in result_missing(result, grade, year):
        if gap.kind == "contradiction":
            warn(found.CONTRADICTION, gap.field, f"{gap.message_vi} ({gap.article})")
        else:
            warn(found.RESULT_INCOMPLETE, gap.field, gap.message_vi)
    for noted in remarks(result, grade, year):
        warn(found.MARK_ZERO if noted.kind == "zero" else found.REMARK, noted.field, f"{noted.message_vi} ({noted.article})")


def _same_day(value: cells.Cell, born: dt.date) -> bool:
    try:
        return cells.date(value) == born
    except BadCell:
        return False


@dataclass(frozen=True)
class Difference(Generic[M]):
    """What an import would change. `changed` pairs the old with the new one."""

    added: tuple[M, ...]
    changed: tuple[tuple[M, M], ...]
    removed: tuple[M, ...]
    unchanged: tuple[M, ...]


def difference(new: Sequence[M], old: Sequence[M], key_of: Callable[[M], Hashable]) -> Difference[M]:
    """Compare by key and then by equality. Raises ValueError when a key is not unique on one side."""
    after = {key_of(item): item for item in new}
    before = {key_of(item): item for item in old}
    if len(after) != len(new) or len(before) != len(old):
        raise ValueError("the key must be unique among the compared items")
    return Difference(
        added=tuple(item for at, item in after.items() if at not in before),
        changed=tuple((before[at], item) for at, item in after.items() if at in before and before[at] != item),
        removed=tuple(item for at, item in before.items() if at not in after),
        unchanged=tuple(item for at, item in after.items() if before.get(at) == item),
    )
