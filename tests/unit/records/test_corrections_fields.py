"""What can be corrected, by whom, and what a correction entails. The expected values are worked out by hand from the circulars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.chassis.errors import Refused
from services.records.corrections.errors import INCONSISTENT, UNKNOWN_FIELD, WRONG_VALUE
from services.records.corrections.evidence import MOST_BYTES, kind_of, taken
from services.records.corrections.fields import asker_fields, corrected, differences, fields_of, value_of
from services.records.corrections.store import counted
from services.records.rules.completeness import result_missing
from services.records.schoolyear import Assignment, PrimaryResult, Result, SecondaryResult
from tests.factories.transcripts import primary_result, secondary_result

YEAR = "2025-2026"


def primary() -> PrimaryResult:
    return primary_result()


def secondary() -> SecondaryResult:
    return secondary_result()


def grade_of(result: Result) -> int:
    return 5 if isinstance(result, PrimaryResult) else 8


def values(result: Result) -> dict[str, str]:
    return {name: value_of(result, field) for name, field in fields_of(result).items()}


@pytest.mark.parametrize("make", [primary, secondary])
def test_the_samples_are_complete_before_they_are_corrected(make: Callable[[], Result]) -> None:
    result = make()
    assert result_missing(result, grade_of(result), YEAR) == []


def test_a_semester_mark_moves_the_average_by_the_weights_of_the_circular() -> None:
    before = secondary()
    assert value_of(before, fields_of(before)["Toán: HKII"]) == "6.7"
    after, effects = corrected(before, "Toán: HKII", "7,4", 8, YEAR)
    # (6.6 + 2 × 7.4) / 3 = 7.133…
    assert values(after)["Toán: CN"] == "7.1"
    assert ("Toán: CN", "6.7", "7.1") in {(e.field, e.before, e.after) for e in effects}
    assert result_missing(after, 8, YEAR) == []


def test_a_correction_changes_nothing_but_the_field_and_its_effects() -> None:
    before = secondary()
    after, effects = corrected(before, "Toán: HKI", "3.0", 8, YEAR)
    changed = {e.field for e in differences(before, after)}
    assert changed == {"Toán: HKI", *(e.field for e in effects)}
    assert "Ngữ văn: CN" not in changed


def test_an_average_that_its_semesters_do_not_give_is_refused_with_the_article() -> None:
    with pytest.raises(Refused) as refused:
        corrected(secondary(), "Toán: CN", "9.0", 8, YEAR)
    assert refused.value.refusal is INCONSISTENT
    assert "Điều 9.1" in refused.value.cause


def test_a_primary_mark_below_five_takes_rating_award_and_completion_along() -> None:
    before = primary()
    after, effects = corrected(before, "Toán: Điểm KTĐK", "4", 5, YEAR)
    now = values(after)
    assert now["Xếp loại"] == "Chưa hoàn thành"
    assert now["Hoàn thành CTLH"] == ""
    assert "Học sinh Xuất sắc" not in now["Khen thưởng"]
    assert {e.field for e in effects} >= {"Xếp loại", "Hoàn thành CTLH"}
    assert result_missing(after, 5, YEAR) == []


def test_praise_beside_the_titles_survives_a_change_of_title() -> None:
    before = primary().model_copy(update={"award": "Học sinh Xuất sắc; Khen thưởng đột xuất", "rating": "Hoàn thành xuất sắc"})
    after, _ = corrected(before, "Toán: Điểm KTĐK", "6", 5, YEAR)
    assert values(after)["Khen thưởng"] == "Khen thưởng đột xuất"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Toán: Điểm KTĐK", "8,5"),
        ("Toán: Điểm KTĐK", "11"),
        ("Toán: Điểm KTĐK", "-1"),
        ("Toán: Điểm KTĐK", "NaN"),
        ("Toán: Mức đạt được", "Giỏi"),
        ("Nghỉ có phép", "400"),
        ("Lên lớp", "có thể"),
        ("Toán: Nhận xét", "a" * 2001),
    ],
)
def test_a_value_that_the_field_cannot_have_is_refused(name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        corrected(primary(), name, value, 5, YEAR)
    assert refused.value.refusal is WRONG_VALUE


@pytest.mark.parametrize("value", ["10.1", "7.55", "∞", "Đ", "=1+1"])
def test_a_secondary_mark_has_one_digit_between_nought_and_ten(value: str) -> None:
    with pytest.raises(Refused) as refused:
        corrected(secondary(), "Toán: HKI", value, 8, YEAR)
    assert refused.value.refusal is WRONG_VALUE


def test_the_value_that_stands_there_is_no_correction() -> None:
    with pytest.raises(Refused) as refused:
        corrected(secondary(), "Toán: HKI", "6,6", 8, YEAR)
    assert refused.value.refusal is WRONG_VALUE


def test_a_mark_that_is_needed_cannot_be_made_blank() -> None:
    with pytest.raises(Refused) as refused:
        corrected(secondary(), "Toán: HKI", "", 8, YEAR)
    assert refused.value.refusal is INCONSISTENT


def test_a_field_that_the_result_does_not_have_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        corrected(secondary(), "Thiên văn: HKI", "9", 8, YEAR)
    assert refused.value.refusal is UNKNOWN_FIELD


def test_text_stays_text_however_it_looks() -> None:
    for told in ("=HYPERLINK(1)", "<b>{{ 7*7 }}</b>", '#import "a"', "Bạn ấy rất chăm chỉ\u202e\u200b"):
        after, effects = corrected(primary(), "Toán: Nhận xét", told, 5, YEAR)
        assert values(after)["Toán: Nhận xét"] == told.rstrip("\u202e\u200b")
        assert effects == []


def test_a_subject_teacher_asks_for_the_own_subject_alone() -> None:
    assignments = [
        Assignment(class_code="8A", subject="TO", subject_name="Toán", semester=1, staff="gv"),
        Assignment(class_code="8B", subject="NV", subject_name="Ngữ văn", semester=1, staff="gv"),
        Assignment(class_code="8A", subject="TI", subject_name="Tin học", semester=2, staff="other"),
    ]
    result = secondary()
    mine = asker_fields(result, 8, YEAR, class_code="8A", person="gv", homeroom=False, assignments=assignments)
    assert {field.subject for field in mine.values()} == {"Toán"}
    assert "Toán: HKI" in mine
    everything = asker_fields(result, 8, YEAR, class_code="8A", person="gv", homeroom=True, assignments=assignments)
    assert everything == fields_of(result)


MARKS = st.decimals(min_value=0, max_value=10, places=1)
SCORED = [s.name for s in secondary_result().subjects if s.year[:1].isdigit()]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SCORED), st.sampled_from(["HKI", "HKII"]), MARKS)
def test_any_corrected_mark_gives_the_exact_average_and_correcting_back_gives_everything_back(
    subject: str, semester: str, mark: Decimal
) -> None:
    before = secondary()
    name = f"{subject}: {semester}"
    old = values(before)[name]
    assume(Decimal(old) != mark)
    after, effects = corrected(before, name, str(mark), 8, YEAR)
    now = values(after)
    exact = (Fraction(now[f"{subject}: HKI"]) + 2 * Fraction(now[f"{subject}: HKII"])) / 3
    assert abs(Fraction(now[f"{subject}: CN"]) - exact) <= Fraction(1, 20)
    untouched = {f"{other}: {part}" for other in SCORED if other != subject for part in ("HKI", "HKII", "CN")}
    assert not untouched & {e.field for e in effects}
    assert corrected(after, name, old, 8, YEAR)[0] == before


def test_corrected_marks_and_levels_are_counted_by_subject_for_the_form() -> None:
    _, effects = corrected(secondary(), "Toán: HKII", "7.4", 8, YEAR)
    told = [{"field": "Toán: HKII", "before": "6.7", "after": "7.4", "subject": "Toán", "kind": "mark"}, *map(asdict, effects)]
    found = counted([{"changes": told}, {"changes": [{"field": "Toán: Nhận xét", "subject": "Toán", "kind": ""}]}])
    assert (found.marks, found.levels, found.subjects) == (2, 0, ("Toán",))


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(30) + b"\xff\xd9"
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_evidence_is_known_by_its_content_whatever_it_is_called(content: bytes, kind: str) -> None:
    found = taken([("C:\\anh\\virus.exe", content)])[0]
    assert (found.media_type, found.name) == (kind, "virus.exe")


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ\x90", b"<html>%PDF-</html>", PDF[:20], PNG[:-12], JPEG[:-2], b"<svg/>", b"PK\x03\x04", b" " + PDF],
)
def test_what_is_no_whole_pdf_png_or_jpeg_is_no_evidence(content: bytes) -> None:
    assert kind_of(content) is None
    with pytest.raises(Refused, match="HB-REC-127"):
        taken([("minh-chung.pdf", content)])


def test_evidence_is_needed_and_has_its_limits() -> None:
    for files in ([], [("a.pdf", PDF)] * 6):
        with pytest.raises(Refused, match="HB-REC-126"):
            taken(files)
    with pytest.raises(Refused, match="HB-REC-127"):
        taken([("a.pdf", PDF + bytes(MOST_BYTES) + b"%%EOF")])
