"""The school workbook: sheets Trường, Cán bộ, Lớp, Phân công, Học sinh, row by row, into the models of `schoolyear`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from services.records import cells
from services.records.cells import BadCell, key, text
from services.records.imports import findings as found
from services.records.imports.findings import Code, Report
from services.records.imports.tables import Column, IgnoredColumn, MatchedColumn, Row, Table, open_table
from services.records.imports.workbooks import Sheet
from services.records.rules.ruleset import GRADES, NoRuleSetError, rules_for
from services.records.schoolyear import Assignment, Level, School, SchoolClass, Semester, Staff

T = TypeVar("T")
PERSONAL_ID = re.compile(r"[0-9]{12}")
_YEAR = re.compile(r"(20\d\d)\s?[-–/]\s?(20\d\d)")
_LEVELS: dict[Level, tuple[str, ...]] = {
    "TH": ("Tiểu học", "Cấp 1"),
    "THCS": ("Trung học cơ sở", "Cấp 2"),
    "THPT": ("Trung học phổ thông", "Cấp 3"),
}
_SEMESTERS: dict[str, tuple[Semester, ...]] = {
    **dict.fromkeys(("1", "i", "hk1", "hki", "hoc ki 1", "hoc ki i"), (1,)),
    **dict.fromkeys(("2", "ii", "hk2", "hkii", "hoc ki 2", "hoc ki ii"), (2,)),
    **dict.fromkeys(("cn", "ca nam", "1 2", "i ii", "hk1 hk2", "hki hkii"), (1, 2)),
}

ORDINAL = Column("ordinal", "STT", ("TT", "Số thứ tự"))
_ID_SPELLINGS = ("Số ĐDCN", "CCCD", "Số CCCD", "Mã định danh cá nhân", "Mã định danh", "Số định danh", "Số CCCD/ĐDCN", "Số ĐDCN/CCCD")

PUPIL_CODE_SPELLINGS = (
    "Mã HS",
    "Mã định danh học sinh",
    "Mã định danh HS",
    "Mã học sinh (CSDL ngành)",
    "Mã HS CSDL",
    "Mã định danh Bộ GD&ĐT",
)
_NAME_SPELLINGS = ("Họ và tên", "Họ tên học sinh", "Họ và tên học sinh", "Họ tên HS", "Họ đệm và tên")

SCHOOL = (
    Column("code", "Mã trường", ("Mã cơ sở giáo dục", "Mã đơn vị trường", "Mã trường học"), required=True),
    Column("name", "Tên trường", ("Trường", "Tên cơ sở giáo dục", "Tên trường học"), required=True),
    Column("level", "Cấp học", ("Cấp",), required=True),
    Column("kind", "Loại hình"),
    Column("commune", "Xã/Phường", ("Phường/Xã", "Xã, Phường, Đặc khu", "Xã"), required=True),
    Column("province", "Tỉnh/Thành phố", ("Tỉnh", "Tỉnh/TP"), required=True),
    Column("tax_code", "Mã số thuế", ("MST",), required=True),
    Column("unit_code", "Mã đơn vị quản lý", ("Mã ĐVQL", "Mã Phòng/Sở"), required=True),
    Column("unit_name", "Đơn vị quản lý", ("Tên đơn vị quản lý", "ĐVQL", "Phòng/Sở GD&ĐT"), required=True),
    Column("year", "Năm học", required=True),
    Column("print_place", "Địa danh in học bạ", ("Địa danh",), required=True),
    Column("print_date", "Ngày ký học bạ", ("Ngày ghi học bạ", "Ngày kí học bạ"), required=True),
)
STAFF = (
    ORDINAL,
    Column("code", "Mã cán bộ", ("Mã giáo viên", "Mã nhân sự", "Mã GV", "Mã CBGV", "Mã định danh CBGV", "Mã CBQL, GV, NV"), required=True),
    Column("name", "Họ tên", ("Họ và tên", "Họ tên cán bộ", "Họ và tên giáo viên", "Họ đệm và tên"), required=True),
    Column("personal_id", "Số định danh cá nhân", _ID_SPELLINGS, required=True),
    Column("born", "Ngày sinh", ("Ngày tháng năm sinh",)),
    Column("sex", "Giới tính"),
    Column("position", "Vị trí việc làm", ("Chức vụ", "Chức danh", "Vị trí công tác", "VTVL"), required=True),
    Column("email", "Email", ("Thư điện tử", "Địa chỉ email", "E-mail")),
    Column("phone", "Điện thoại", ("Số điện thoại", "SĐT", "Điện thoại di động")),
    Column("administrator", "Quản trị viên"),
    Column("issuer", "Ký phát hành"),
)
CLASSES = (
    ORDINAL,
    Column("code", "Mã lớp", ("Mã lớp học",), required=True),
    Column("name", "Tên lớp", ("Tên lớp học",)),
    Column("grade", "Khối", ("Khối lớp",), required=True),
    Column("homeroom", "Giáo viên chủ nhiệm", ("GVCN", "Mã GVCN", "Mã giáo viên chủ nhiệm"), required=True),
    Column("leader", "Lãnh đạo ký", ("Lãnh đạo", "Mã lãnh đạo ký", "CBQL ký", "Cán bộ quản lý ký"), required=True),
    Column("finalised", "Hoàn thành tổng kết", required=True),
)
ASSIGNMENTS = (
    ORDINAL,
    Column("class_code", "Mã lớp", ("Lớp",), required=True),
    Column("subject", "Mã môn học", ("Mã môn",), required=True),
    Column("subject_name", "Môn học", ("Tên môn học", "Môn"), required=True),
    Column("semester", "Học kỳ", required=True),
    Column("staff", "Mã cán bộ", ("Mã giáo viên", "Mã nhân sự"), required=True),
)
PUPILS = (
    ORDINAL,
    Column("class_code", "Mã lớp", ("Lớp",), required=True),
    Column("code", "Mã học sinh", PUPIL_CODE_SPELLINGS, required=True),
    Column("name", "Họ tên", _NAME_SPELLINGS, required=True),
    Column("born", "Ngày sinh", ("Ngày tháng năm sinh", "Ngày, tháng, năm sinh"), required=True),
    Column("sex", "Giới tính", ("Nam/Nữ", "GT"), required=True),
    Column("ethnicity", "Dân tộc"),
    Column("nationality", "Quốc tịch"),
    Column("birth_place", "Nơi sinh", ("Nơi đăng ký khai sinh",), required=True),
    Column("home_town", "Quê quán", ("Nguyên quán",)),
    Column("address", "Chỗ ở hiện nay", ("Nơi ở hiện nay", "Địa chỉ", "Chỗ ở", "Nơi ở", "Nơi cư trú", "Địa chỉ thường trú")),
    Column("personal_id", "Số định danh cá nhân", _ID_SPELLINGS, required=True),
    Column("father", "Họ tên cha", ("Họ và tên cha", "Họ tên bố", "Họ và tên bố", "Cha")),
    Column("father_job", "Nghề nghiệp cha", ("Nghề nghiệp của cha",)),
    Column("mother", "Họ tên mẹ", ("Họ và tên mẹ", "Mẹ")),
    Column("mother_job", "Nghề nghiệp mẹ", ("Nghề nghiệp của mẹ",)),
    Column("guardian", "Người giám hộ", ("Họ tên người giám hộ",)),
    Column("register_number", "Số đăng bộ", ("Số đăng bộ học bạ", "Số ĐB")),
    Column("enrolled_on", "Ngày nhập học", ("Ngày vào trường",)),
    Column("status", "Trạng thái", ("Trạng thái học sinh", "Tình trạng", "Trạng thái học")),
)
SHEETS: dict[str, tuple[Column, ...]] = {"Trường": SCHOOL, "Cán bộ": STAFF, "Lớp": CLASSES, "Phân công": ASSIGNMENTS, "Học sinh": PUPILS}


@dataclass
class Profile:
    """What the school workbook holds; the pupils' sheet stays open, since pupils are judged one by one."""

    school: School | None
    staff: list[Staff]
    classes: dict[str, SchoolClass]
    assignments: list[Assignment]
    pupils: Table | None
    ignored: list[IgnoredColumn]
    columns: list[MatchedColumn]


def pick_sheets(sheets: Sequence[Sheet], report: Report) -> dict[str, Sheet]:
    """The five sheets by their title, wherever they are; what is missing blocks the import."""
    titles = {key(title): title for title in SHEETS}
    picked: dict[str, Sheet] = {}
    for sheet in sheets:
        title = titles.get(key(sheet.name))
        if title is None:
            if any(text(cell) for row in sheet.rows for cell in row):
                report.add(found.SHEET_IGNORED, sheet.place(), f"Sheet “{sheet.name}” của tệp “{sheet.file}” không được dùng.")
        elif title in picked:
            report.block(found.SHEET_DOUBLED, sheet.place(), f"Sheet “{title}” có ở cả tệp “{picked[title].file}” và “{sheet.file}”.")
        else:
            picked[title] = sheet
    for title in SHEETS:
        if title not in picked:
            file = next((sheet.file for sheet in picked.values()), "ho_so_truong.xlsx")
            report.block(found.SHEET_MISSING, found.Place(file, title), f"Không tìm thấy sheet “{title}”.")
    return picked


def read_profile(sheets: Sequence[Sheet], report: Report) -> Profile:
    """Everything of the school workbook except the judgement of pupils. Problems go to the report."""
    tables = {title: open_table(sheet, SHEETS[title], report) for title, sheet in pick_sheets(sheets, report).items()}
    ignored = [column for table in tables.values() if table for column in table.ignored]
    columns = [column for table in tables.values() if table for column in table.matched]
    school = _school(tables.get("Trường"), report)
    staff = _staff(tables.get("Cán bộ"), report)
    classes = _classes(tables.get("Lớp"), school, {person.code for person in staff}, report)
    assignments = _assignments(tables.get("Phân công"), school, classes, {person.code for person in staff}, report)
    return Profile(school, staff, classes, assignments, tables.get("Học sinh"), ignored, columns)


def _rows(table: Table, report: Report) -> list[Row]:
    rows = list(table.rows())
    if not rows:
        report.block(found.SHEET_EMPTY, table.place(), f"Sheet “{table.sheet.name}” không có dòng dữ liệu nào.")
    return rows


def _read(table: Table, row: Row, field: str, reader: Callable[[cells.Cell], T], *, code: Code, report: Report, otherwise: T) -> T:
    try:
        return reader(row[field])
    except BadCell as bad:
        report.add(code, table.place(row, field), f"{table.headers[field]}: {bad}.")
        return otherwise


def school_year(value: cells.Cell) -> str:
    """`2025-2026`: two years that follow each other."""
    words = text(value)
    years = _YEAR.fullmatch(words)
    if not years or int(years.group(2)) != int(years.group(1)) + 1:
        raise BadCell(f"“{words}” không phải là năm học dạng 2025-2026")
    return f"{years.group(1)}-{years.group(2)}"


def _level(value: cells.Cell) -> Level:
    wanted = key(text(value))
    for level, names in _LEVELS.items():
        if wanted == key(level) or wanted in {key(name) for name in names}:
            return level
    raise BadCell(f"“{text(value)}” không phải là cấp học (TH, THCS, THPT)")


def _school(table: Table | None, report: Report) -> School | None:
    rows = _rows(table, report) if table else []
    if not table or not rows:
        return None
    if len(rows) > 1:
        report.block(found.SCHOOL_ROWS, table.place(rows[1]), "Sheet Trường có nhiều hơn một dòng dữ liệu.")
    row, before = rows[0], len(report.findings)
    for column in SCHOOL:
        if column.required and column.field != "print_place" and not text(row[column.field]):
            report.add(found.SCHOOL_FIELD, table.place(row, column.field), f"Thiếu “{column.header}” của trường.")
    level: Level | None = (
        _read(table, row, "level", _level, code=found.SCHOOL_FIELD, report=report, otherwise=None) if text(row["level"]) else None
    )
    year = _read(table, row, "year", school_year, code=found.SCHOOL_FIELD, report=report, otherwise="") if text(row["year"]) else ""
    print_date = _read(table, row, "print_date", cells.date, code=found.SCHOOL_FIELD, report=report, otherwise=None)
    if len(report.findings) > before or level is None or print_date is None:
        report.blocked = True
        return None
    if not text(row["print_place"]):
        report.add(found.SCHOOL_DOUBT, table.place(row, "print_place"), "Chưa có địa danh in học bạ; chưa tạo được học bạ.")
    if not int(year[:4]) <= print_date.year <= int(year[:4]) + 1:
        report.add(found.SCHOOL_DOUBT, table.place(row, "print_date"), f"Ngày ký học bạ {text(print_date)} nằm ngoài năm học {year}.")
    return School(
        code=cells.code(row["code"]),
        name=text(row["name"]),
        level=level,
        kind=text(row["kind"]),
        commune=text(row["commune"]),
        province=text(row["province"]),
        tax_code=cells.code(row["tax_code"]),
        unit_code=cells.code(row["unit_code"]),
        unit_name=text(row["unit_name"]),
        year=year,
        print_place=text(row["print_place"]),
        print_date=print_date,
    )


def personal_id(value: cells.Cell) -> tuple[str, bool]:
    """The id's digits, and whether Excel had turned it into a number and lost leading zeros (put back: province codes have them)."""
    digits = cells.code(value)
    if isinstance(value, float | int) and not isinstance(value, bool) and len(digits) in {10, 11}:
        return digits.zfill(12), True
    return digits, False


def _staff(table: Table | None, report: Report) -> list[Staff]:
    if not table:
        return []
    staff: list[Staff] = []
    rows: dict[str, Row] = {}
    for row in _rows(table, report):
        person = _person(table, row, report)
        if person is None:
            continue
        if person.code in rows:
            message = f"Mã cán bộ “{person.code}” đã có ở dòng {rows[person.code].number}; dòng này không được dùng."
            report.add(found.STAFF_DUPLICATE, table.place(row, "code"), message)
            continue
        rows[person.code] = row
        staff.append(person)
    shared = {number for number, times in Counter(person.personal_id for person in staff if person.personal_id).items() if times > 1}
    for person in staff:
        if person.personal_id in shared:
            message = f"Số định danh cá nhân của {person.code} trùng với cán bộ khác."
            report.add(found.STAFF_ID_DUPLICATE, table.place(rows[person.code], "personal_id"), message)
    if staff and not any(person.issuer for person in staff):
        report.add(found.NO_ISSUER, table.place(field="issuer"), "Chưa có nhân sự nào được phân quyền Ký phát hành.")
    return [person.model_copy(update={"personal_id": ""}) if person.personal_id in shared else person for person in staff]


def _person(table: Table, row: Row, report: Report) -> Staff | None:
    code, name = cells.code(row["code"]), text(row["name"])
    for field, value in (("code", code), ("name", name)):
        if not value:
            report.add(found.STAFF_FIELD, table.place(row, field), f"Cán bộ ở dòng {row.number} thiếu “{table.headers[field]}”.")
    if not code or not name:
        return None
    number, _ = personal_id(row["personal_id"])
    if not PERSONAL_ID.fullmatch(number):
        problem = "không đủ 12 chữ số" if number else "còn thiếu"
        report.add(found.STAFF_ID, table.place(row, "personal_id"), f"Số định danh cá nhân của cán bộ {code} {problem}.")
        number = ""
    return Staff(
        code=code,
        name=name,
        personal_id=number,
        born=_read(table, row, "born", cells.date, code=found.STAFF_FIELD, report=report, otherwise=None),
        sex=text(row["sex"]),
        position=text(row["position"]),
        email=text(row["email"]),
        phone=cells.code(row["phone"]),
        administrator=_read(table, row, "administrator", cells.flag, code=found.STAFF_FIELD, report=report, otherwise=False),
        issuer=_read(table, row, "issuer", cells.flag, code=found.STAFF_FIELD, report=report, otherwise=False),
    )


def _classes(table: Table | None, school: School | None, staff: set[str], report: Report) -> dict[str, SchoolClass]:
    if not table:
        return {}
    classes: dict[str, SchoolClass] = {}
    for row in _rows(table, report):
        code = cells.code(row["code"])
        if not code:
            report.add(found.CLASS_FIELD, table.place(row, "code"), f"Lớp ở dòng {row.number} thiếu “Mã lớp”.")
            continue
        if code in classes:
            report.add(found.CLASS_DUPLICATE, table.place(row, "code"), f"Lớp “{code}” đã có ở dòng trên.", class_code=code)
            continue
        grade = _grade(table, row, code, school, report)
        if grade is None:
            continue
        school_class = SchoolClass(
            code=code,
            name=text(row["name"]) or code,
            grade=grade,
            homeroom=cells.code(row["homeroom"]),
            leader=cells.code(row["leader"]),
            finalised=_read(table, row, "finalised", cells.flag, code=found.CLASS_FIELD, report=report, otherwise=False),
        )
        classes[code] = school_class
        signers: tuple[tuple[Literal["homeroom", "leader"], str], ...] = (("homeroom", "giáo viên chủ nhiệm"), ("leader", "lãnh đạo ký"))
        for field, who in signers:
            signer = getattr(school_class, field)
            if signer not in staff:
                problem = f"{who} “{signer}” không có trong sheet Cán bộ" if signer else f"chưa có {who}"
                report.add(found.CLASS_STAFF, table.place(row, field), f"Lớp {code}: {problem}.", class_code=code)
        if not school_class.finalised:
            report.add(found.CLASS_UNFINISHED, table.place(row, "finalised"), f"Lớp {code} chưa hoàn thành tổng kết.", class_code=code)
    return classes


def _grade(table: Table, row: Row, code: str, school: School | None, report: Report) -> int | None:
    try:
        grade = cells.whole(row["grade"], 1, 12)
    except BadCell as bad:
        report.add(found.CLASS_FIELD, table.place(row, "grade"), f"Khối của lớp {code}: {bad}.", class_code=code)
        return None
    if grade is None:
        report.add(found.CLASS_FIELD, table.place(row, "grade"), f"Lớp {code} thiếu khối.", class_code=code)
        return None
    if school and grade not in GRADES[school.level]:
        report.add(found.CLASS_FIELD, table.place(row, "grade"), f"Khối {grade} không thuộc cấp học {school.level}.", class_code=code)
        return None
    if school:
        try:
            rules_for(grade, school.year)
        except NoRuleSetError:
            message = f"Chưa có quy định đánh giá cho khối {grade} trong năm học {school.year}."
            report.add(found.NO_RULES, table.place(row, "grade"), message, class_code=code)
            return None
    return grade


def _assignments(
    table: Table | None, school: School | None, classes: Mapping[str, SchoolClass], staff: set[str], report: Report
) -> list[Assignment]:
    if not table:
        return []
    assignments: dict[Assignment, None] = {}  # a repeated row says nothing new
    for row in _rows(table, report):
        given = _assignment(table, row, school, classes, report)
        # who has left stays assigned, so that creation waits for the one who takes their place
        if given and given[0].staff not in staff:
            message = f"Cán bộ “{given[0].staff}” dạy {given[0].subject_name} lớp {given[0].class_code} không có trong sheet Cán bộ."
            report.add(found.ASSIGNMENT_STAFF, table.place(row, "staff"), message, class_code=given[0].class_code)
        assignments |= dict.fromkeys(given)
    return list(assignments)


def _assignment(
    table: Table, row: Row, school: School | None, classes: Mapping[str, SchoolClass], report: Report
) -> tuple[Assignment, ...]:
    """One row, which may stand for both semesters; empty when it cannot be used."""
    values = {field: cells.code(row[field]) for field in ("class_code", "subject", "staff")} | {"subject_name": text(row["subject_name"])}
    blank = [field for field, value in values.items() if not value]
    semesters = _SEMESTERS.get(key(cells.code(row["semester"]))) or _SEMESTERS.get(key(text(row["semester"])))
    for field in blank:
        report.add(found.ASSIGNMENT_FIELD, table.place(row, field), f"Phân công ở dòng {row.number} thiếu “{table.headers[field]}”.")
    if semesters is None:
        message = f"Học kỳ “{text(row['semester'])}” ở dòng {row.number} không phải là 1, 2 hoặc cả năm."
        report.add(found.ASSIGNMENT_FIELD, table.place(row, "semester"), message)
    if blank or semesters is None:
        return ()
    school_class = classes.get(values["class_code"])
    if school_class is None:
        message = f"Phân công cho lớp “{values['class_code']}” không có trong sheet Lớp."
        report.add(found.ASSIGNMENT_CLASS, table.place(row, "class_code"), message, class_code=values["class_code"])
        return ()
    if school:
        subject = rules_for(school_class.grade, school.year).assigned(values["subject_name"], school_class.grade)
        if subject is None:
            message = f"Môn “{values['subject_name']}” không thuộc chương trình khối {school_class.grade}."
            report.add(found.ASSIGNMENT_SUBJECT, table.place(row, "subject_name"), message, class_code=school_class.code)
        else:
            values["subject_name"] = subject.name
    return tuple(Assignment(**values, semester=semester) for semester in semesters)
