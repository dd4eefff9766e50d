"""What the review shows of imported data: each part with its cells, and what is missing in the part that it belongs to."""

from __future__ import annotations

from typing import Any

from services.records.review import rules
from services.records.review.certificates import Standing
from services.records.rules.completeness import missing
from services.records.schoolyear import Assignment, SchoolClass, Staff
from tests.factories.transcripts import primary_result, pupil, school, secondary_content

CLASS = SchoolClass(code="5A", name="5A", grade=5, homeroom="gv1", leader="ht", finalised=True)
STAFF = {
    "gv1": Staff(code="gv1", name="Lê Dương", personal_id="031185002506", position="Giáo viên"),
    "gv2": Staff(code="gv2", name="Trần Ước", personal_id="", position="Giáo viên"),
    "ht": Staff(code="ht", name="Ngô Tâm", personal_id="031070002501", position="Hiệu trưởng"),
}
CLASSES = {"5A": CLASS}
HELD = {
    **dict.fromkeys(("person:gv1", "person:gv2"), Standing("Đã duyệt, đến 01/09/2027")),
    **dict.fromkeys(("person:ht", "person:gone"), Standing("Chưa đăng ký", "Chưa có tài khoản ký được duyệt")),
    f"school:{school().code}": Standing("Chứng thư số đã bị thu hồi", "Chứng thư số đã bị thu hồi"),
}


def assigned(subject: str, semester: int, staff: str) -> Assignment:
    return Assignment.model_validate(
        {"class_code": "5A", "subject": subject, "subject_name": subject, "semester": semester, "staff": staff}
    )


ASSIGNED = [assigned("Toán", 1, "gv1"), assigned("Toán", 2, "gv1"), assigned("Tin học", 1, "gv2"), assigned("Khoa học", 2, "gone")]


def document(code: str = "1", *, result: Any = "primary", **changes: Any) -> dict[str, Any]:
    """As the import stores a pupil, with what it found missing."""
    person = pupil(code=code, **changes)
    held = primary_result(pupil=code) if result == "primary" else result
    found = missing(person, held, CLASS, ASSIGNED, STAFF, school())
    return {
        "code": code,
        "class_code": "5A",
        "name": person.name,
        "data": person.model_dump(mode="json"),
        "result": held.model_dump(mode="json") if held else None,
        "missing": [{"field": m.field, "kind": m.kind, "message": m.message_vi, "article": m.article} for m in found],
    }


def test_what_is_missing_stands_in_the_part_that_it_belongs_to_and_in_no_other() -> None:
    pupils = [document(home_town=""), document("2", result=None)]
    [first, second] = rules.profiles(pupils, CLASSES).rows
    assert [m for m in first.missing if "Quê quán" in m]
    assert second.missing == ()
    [first, second] = rules.results(pupils, CLASSES, semesters=False).rows
    assert first.missing == ()
    assert second.missing == ("Chưa có kết quả cuối năm",)
    table = rules.assignments(CLASSES, ASSIGNED, STAFF, pupils)
    told = [m for row in table.rows for m in row.missing]
    assert any("Âm nhạc" in m for m in told)
    assert not any("Quê quán" in m for m in told)


def test_the_overview_counts_pupils_once_a_part_and_messages_of_assignments_once_a_class() -> None:
    contradicted = primary_result(pupil="3", rating="Hoàn thành tốt")
    pupils = [document(home_town=""), document("2", result=None), document("3", result=contradicted)]
    [row] = rules.overview([CLASS], {"5A": school(print_place="")}, pupils, STAFF, given=ASSIGNED, certificates=HELD)
    assert (row["pupils"], row["pupils_lacking"], row["results_lacking"], row["contradictions"]) == (3, 1, 1, 1)
    messages = {m["message"] for p in pupils for m in p["missing"] if m["field"] == "Phân công"}
    assert row["assignments_lacking"] == len(messages) > 3
    assert row["printing_lacking"] == 1
    assert row["signers_lacking"] == 3, "the head without a certificate, one without a personal id, one who is not on the staff"


def test_a_pupil_whom_the_import_refused_stands_in_the_list_with_what_is_known() -> None:
    refused = {
        **document("7"),
        "name": "",
        "data": None,
        "result": None,
        "missing": [{"field": "Ngày sinh", "message": "Thiếu “Ngày sinh”."}],
    }
    [row] = rules.profiles([refused], CLASSES).rows
    assert row.cells[:3] == ("Học sinh mã 7", "7", "5A")
    assert row.missing == ("Thiếu “Ngày sinh”",)


def test_results_have_a_column_a_subject_and_in_the_workbook_one_a_semester() -> None:
    table = rules.results([document()], CLASSES, semesters=False)
    assert dict(zip(table.columns, table.rows[0].cells, strict=True))["Toán"] == "T 10"
    assert dict(zip(table.columns, table.rows[0].cells, strict=True))["Đạo đức"] == "T"
    content = secondary_content()
    classes = {content.school_class.code: content.school_class}
    row = {**document(), "class_code": content.school_class.code, "result": content.result.model_dump(mode="json"), "missing": []}
    page, book = (rules.results([row], classes, semesters=semesters) for semesters in (False, True))
    shown = dict(zip(book.columns, book.rows[0].cells, strict=True))
    assert (shown["Toán HKI"], shown["Toán HKII"], shown["Toán CN"]) == ("6,6", "6,7", "6,7")
    assert dict(zip(page.columns, page.rows[0].cells, strict=True))["Toán"] == "6,7"
    assert len(page.columns) == len(page.rows[0].cells)


def test_assignments_show_both_semesters_gaps_and_people_who_are_not_on_the_staff() -> None:
    rows = {row.cells[1]: row for row in rules.assignments(CLASSES, ASSIGNED, STAFF, []).rows}
    assert rows["Chủ nhiệm"].cells[2:] == ("Lê Dương", "Lê Dương")
    assert rows["Toán"].missing == ()
    assert rows["Tin học"].cells[2:] == ("Trần Ước", "")
    assert rows["Tin học"].missing == ("Chưa phân công học kỳ II",)
    assert rows["Khoa học"].missing == ("Chưa phân công học kỳ I", "“gone” không có trong danh sách cán bộ")


def test_everybody_who_will_sign_is_listed_with_what_keeps_them_from_it() -> None:
    here = school()
    rows = {row.cells[1]: row for row in rules.signers(CLASSES, ASSIGNED, STAFF, certificates=HELD, school=here).rows}
    assert set(rows) == {"gv1", "gv2", "ht", "gone", here.code}
    assert rows["gv1"].cells[4:] == ("Đã duyệt, đến 01/09/2027", "Chủ nhiệm 5A; Toán 5A")
    assert rows["gv1"].missing == ()
    assert rows["gv2"].missing == ("Chưa có số định danh cá nhân hợp lệ",)
    assert rows["gone"].missing == ("Không có trong danh sách cán bộ",)
    assert rows["ht"].cells[4] == "Chưa đăng ký"
    assert rows["ht"].missing == ("Chưa có tài khoản ký được duyệt",)
    assert rows[here.code].missing == ("Chứng thư số đã bị thu hồi",)


def test_awards_and_print_configuration_show_what_the_documents_will_say() -> None:
    [award] = rules.awards([document()], CLASSES).rows
    assert award.cells[3:5] == ("Hoàn thành xuất sắc", "Học sinh Xuất sắc")
    [row] = rules.printing(CLASSES, {"5A": school()}, STAFF).rows
    assert row.cells == ("5A", "Hải Phòng", "28/05/2026", "Ngô Tâm", "Lê Dương", "Có")
    unready = CLASS.model_copy(update={"finalised": False, "leader": ""})
    [row] = rules.printing({"5A": unready}, {"5A": school()}, STAFF).rows
    assert row.cells[3] == "chưa phân công"
    assert len(row.missing) == 2
