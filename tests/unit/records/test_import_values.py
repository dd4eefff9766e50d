"""Cell values and comparison keys, and the difference between two imports, by properties."""

from __future__ import annotations

import datetime as dt
import unicodedata
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.records import cells
from services.records.cells import BadCell, Cell
from services.records.imports.preview import difference, preview
from tests.unit.records.import_files import made


@settings(deadline=None)
@given(st.text())
def test_cleaned_text_is_composed_single_spaced_printable_and_stable(raw: str) -> None:
    line = cells.text(raw)
    assert line == " ".join(line.split())
    assert unicodedata.is_normalized("NFC", line)
    assert all(character == " " or unicodedata.category(character)[0] != "C" for character in line)
    assert cells.text(line) == line


@settings(deadline=None)
@given(st.text())
def test_the_key_is_the_same_for_composed_and_decomposed_text(raw: str) -> None:
    assert cells.key(unicodedata.normalize("NFC", raw)) == cells.key(unicodedata.normalize("NFD", raw))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mĩ thuật", "MỸ THUẬT"), ("Hoá học", "Hóa học"), ("Họ tên (*)", "họ  tên"), ("Địa lí", "Ðịa lý"), ("Xã/Phường", "Xã / Phường")],
)
def test_spellings_of_one_label_have_one_key(one: str, other: str) -> None:
    assert cells.key(one) == cells.key(other)


@settings(deadline=None)
@given(st.integers(0, 10**12))
def test_codes_keep_their_digits_through_excel(number: int) -> None:
    assert cells.code(float(number)) == cells.code(f"{number}.0") == str(number)
    assert cells.code(f"000{number}") == f"000{number}"
    assert cells.code(f"'0{number}") == f"0{number}"


@settings(deadline=None)
@given(st.dates(dt.date(1900, 3, 1), dt.date(2100, 1, 1)))
def test_a_date_reads_the_same_in_every_form(day: dt.date) -> None:
    forms: list[Cell] = [day, dt.datetime.combine(day, dt.time()), f"{day:%d/%m/%Y}", f"{day.day}-{day.month}-{day.year}", day.isoformat()]
    assert [cells.date(form) for form in forms] == [day] * len(forms)


@pytest.mark.parametrize("value", ["31/02/2018", "00/01/2018", "1/13/2018", "01/01/18", "hôm nay", 43102.0, "2018", "01/01/20188"])
def test_what_is_no_date_is_refused(value: Cell) -> None:
    with pytest.raises(BadCell):
        cells.date(value)


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10, places=1))
def test_marks_with_one_decimal_are_exact_whatever_their_form(mark: Decimal) -> None:
    forms: list[Cell] = [float(mark), str(mark), str(mark).replace(".", ",")]
    for form in forms:
        assert cells.decimal(form, Decimal(0), Decimal(10)) == mark


@settings(deadline=None)
@given(st.floats())
def test_no_float_slips_through_the_range(value: float) -> None:
    try:
        read = cells.decimal(value, Decimal(0), Decimal(10))
    except BadCell:
        return
    assert read is not None
    assert 0 <= read <= 10
    assert abs(float(read) - value) < 1e-8


@settings(deadline=None)
@given(st.one_of(st.text(), st.floats(), st.booleans(), st.dates(), st.times(), st.timedeltas()))
def test_every_reader_answers_or_refuses_the_cell(value: Cell) -> None:
    cells.text(value)
    cells.code(value)
    for reader in (cells.date, cells.flag, cells.number, lambda cell: cells.whole(cell, 0, 10), lambda cell: cells.choice(cell, {"T": ()})):
        with suppress(BadCell):
            reader(value)


def test_the_same_upload_twice_changes_nothing() -> None:
    files, _ = made("TH")
    seen = preview(files)
    same = difference(preview(files).pupils, seen.pupils, lambda pupil: pupil.code)
    assert (same.added, same.changed, same.removed) == ((), (), ())
    assert same.unchanged == seen.pupils


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 9), st.integers(0, 2)), st.dictionaries(st.integers(0, 9), st.integers(0, 2)))
def test_a_difference_accounts_for_every_item_once(old: dict[int, int], new: dict[int, int]) -> None:
    found = difference(tuple(new.items()), tuple(old.items()), lambda item: item[0])
    assert {key for key, _ in found.added} == new.keys() - old.keys()
    assert {key for key, _ in found.removed} == old.keys() - new.keys()
    assert {before[0] for before, _ in found.changed} == {key for key in old.keys() & new.keys() if old[key] != new[key]}
    assert all((before, after) == ((after[0], old[after[0]]), (after[0], new[after[0]])) for before, after in found.changed)
    assert len(found.added) + len(found.changed) + len(found.unchanged) == len(new)


def test_a_difference_needs_a_unique_key() -> None:
    with pytest.raises(ValueError, match="unique"):
        difference([1, 1], [], lambda item: item)
