"""Menu 6.3: names with and without marks, what may be asked, and what is said of a transcript."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.errors import Refused
from services.district.lookup.finding import Asked, cleaned, filter_of, row_of
from services.district.lookup.names import places_of, searchable

NAMES = ("Nguyễn Thị Lan", "Nguyễn Thị Lân", "Lan Văn Nguyên", "Trần Lan Hương", "Đỗ Thị Thu Lan", "Nguyen Thi Lan")


def found_by(typed: str) -> list[str]:
    """As the database answers: the first place that finds anything."""
    for place in places_of(typed):
        hits = [n for n in NAMES if all(re.search(rule["$regex"], searchable(n)[field]) for field, rule in place.filter.items())]
        if hits:
            return hits
    return []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lan", ["Nguyễn Thị Lan", "Nguyễn Thị Lân", "Đỗ Thị Thu Lan", "Nguyen Thi Lan"]),
        ("Lân", ["Nguyễn Thị Lân"]),
        ("nguyen thi lan", ["Nguyễn Thị Lan", "Nguyễn Thị Lân", "Nguyen Thi Lan"]),
        ("NGUYỄN  THỊ LAN", ["Nguyễn Thị Lan"]),
        ("nguyen", ["Lan Văn Nguyên"]),
        ("Nguyễn", ["Nguyễn Thị Lan", "Nguyễn Thị Lân"]),
        ("thu lan", ["Đỗ Thị Thu Lan"]),
        ("do thi", ["Đỗ Thị Thu Lan"]),
        ("tran la", ["Trần Lan Hương"]),
        ("hoa", []),
        ("nguyen (", []),
    ],
)
def test_a_name_is_found_by_its_beginning_or_its_end_with_or_without_marks(typed: str, found: list[str]) -> None:
    assert found_by(typed) == found


def test_an_empty_name_asks_for_nothing() -> None:
    assert places_of("  ") == []


def test_ids_may_be_typed_with_spaces_and_in_any_case() -> None:
    asked = cleaned(Asked(personal_id="031 217 000 001", uuid=" 736CA2C6-80E9-5197-B9B1-457969174557 "))
    assert filter_of(asked) == {"_id": "736ca2c6-80e9-5197-b9b1-457969174557", "personal_id": "031217000001"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(), "HB-DIS-040"),
        (Asked(year="2025-2026", grade="5"), "HB-DIS-040"),
        (Asked(personal_id="0312"), "HB-DIS-041"),
        (Asked(uuid="736ca2c6"), "HB-DIS-042"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_what_to_do(asked: Asked, code: str) -> None:
    with pytest.raises(Refused, match=code):
        cleaned(asked)


def test_all_that_wait_for_a_signature_are_one_status() -> None:
    wanted = filter_of(Asked(school="1", state="AWAITING", grade="5"))
    assert wanted["grade"] == 5
    assert "AWAITING_ISSUE" in wanted["state"]["$in"]


def test_a_row_tells_dates_only_of_what_has_been_reached() -> None:
    about: dict[str, Any] = {
        "_id": "t",
        "pupil_name": "Lan",
        "personal_id": "",
        "school": "1",
        "class_name": "",
        "class_code": "5A",
        "grade": 5,
        "year": "2025-2026",
        "version": 1,
        "state": "REJECTED",
        "submitted_at": 1,
        "decided_at": 2,
        "refusal": "Sai ngày sinh",
    }
    row = row_of(about, {"1": "Trường A"})
    assert (row["accepted_at"], row["refusal"], row["class"], row["school_name"]) == (None, "Sai ngày sinh", "5A", "Trường A")
    assert row_of({**about, "state": "ACCEPTED"}, {})["accepted_at"] == 2
    assert row_of({**about, "state": "AWAITING_LEADER"}, {})["state_text"] == "Chờ ký"
