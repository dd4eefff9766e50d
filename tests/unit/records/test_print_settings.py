"""The print configuration: whose value wins, what may be chosen, what a bulk change leaves alone."""

from __future__ import annotations

import datetime as dt

import pytest

from services.chassis.errors import Refused
from services.records.printing.settings import (
    Printing,
    PrintSettings,
    checked,
    effective,
    with_classes,
    with_school,
    without_classes,
)
from services.records.schoolyear import School, SchoolClass, Staff

YEAR = "2025-2026"
SCHOOL = School(
    code="31300001",
    name="Trường Tiểu học An Hồng",
    level="TH",
    commune="An Hải",
    province="Hải Phòng",
    tax_code="0",
    unit_code="03101",
    unit_name="Phòng",
    year=YEAR,
    print_place="Hải Phòng",
    print_date=dt.date(2026, 5, 28),
)
CLASS = SchoolClass(code="5A", name="5A", grade=5, homeroom="t1", leader="l1", finalised=True)
POSITIONS = {"l1": "Hiệu trưởng", "l2": "Phó Hiệu trưởng", "t1": "Giáo viên", "w1": "Nhân viên văn thư"}
STAFF = {code: Staff(code=code, name=code, personal_id="1" * 12, position=position) for code, position in POSITIONS.items()}


def printed(settings: PrintSettings) -> tuple[str, dt.date, str]:
    school, school_class = effective(settings, SCHOOL, CLASS)
    return school.print_place, school.print_date, school_class.leader


def test_without_a_configuration_the_imported_values_stand() -> None:
    assert printed(PrintSettings()) == ("Hải Phòng", dt.date(2026, 5, 28), "l1")


def test_the_schools_own_values_win_over_imported_ones() -> None:
    own = with_school(PrintSettings(), Printing(place="An Hải", leader="l2"))
    assert printed(own) == ("An Hải", dt.date(2026, 5, 28), "l2")


def test_a_classs_own_values_win_over_the_schools() -> None:
    own = with_school(PrintSettings(), Printing(place="An Hải", date=dt.date(2026, 5, 30), leader="l2"))
    own = with_classes(own, ["5A"], Printing(leader="l1"))
    assert printed(own) == ("An Hải", dt.date(2026, 5, 30), "l1")
    assert effective(own, SCHOOL, CLASS.model_copy(update={"code": "5B"}))[1].leader == "l2"


def test_a_bulk_change_of_the_leader_leaves_each_classs_date_alone() -> None:
    own = with_classes(PrintSettings(), ["5A"], Printing(date=dt.date(2026, 6, 1)))
    own = with_classes(own, ["5A", "5B"], Printing(leader="l2"))
    assert own.classes == {"5A": Printing(date=dt.date(2026, 6, 1), leader="l2"), "5B": Printing(leader="l2")}


def test_a_cleared_class_follows_the_school_again() -> None:
    own = with_classes(PrintSettings(), ["5A", "5B"], Printing(leader="l2"))
    assert without_classes(own, ["5A"]).classes == {"5B": Printing(leader="l2")}
    assert printed(without_classes(own, ["5A"]))[2] == "l1"


def test_a_blank_change_of_classes_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        with_classes(PrintSettings(), ["5A"], Printing())
    assert refused.value.code == "HB-REC-053"


@pytest.mark.parametrize("leader", ["l1", "l2"])
def test_principal_and_deputies_may_be_chosen_as_leader(leader: str) -> None:
    assert checked(Printing(leader=leader), STAFF, YEAR).leader == leader


@pytest.mark.parametrize("leader", ["t1", "w1", "nobody"])
def test_nobody_else_may_be_chosen_as_leader(leader: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(Printing(leader=leader), STAFF, YEAR)
    assert refused.value.code == "HB-REC-050"


@pytest.mark.parametrize("place", ["", "   ", "123", "\u200b\u202e", "x" * 61])
def test_a_place_without_letters_or_too_long_is_refused(place: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(Printing(place=place), STAFF, YEAR)
    assert refused.value.code == "HB-REC-051"


def test_a_place_is_kept_composed_and_without_invisible_characters() -> None:
    assert checked(Printing(place=" Ha\u0309i  Pho\u0300ng\u200b"), STAFF, YEAR).place == "Hải Phòng"


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (dt.date(2025, 7, 31), False),
        (dt.date(2025, 8, 1), True),
        (dt.date(2026, 5, 28), True),
        (dt.date(2026, 12, 31), True),
        (dt.date(2027, 1, 1), False),
    ],
)
def test_the_day_on_a_transcript_belongs_to_the_school_year(day: dt.date, fits: bool) -> None:
    if fits:
        assert checked(Printing(date=day), STAFF, YEAR).date == day
        return
    with pytest.raises(Refused) as refused:
        checked(Printing(date=day), STAFF, YEAR)
    assert refused.value.code == "HB-REC-052"
    assert "01/08/2025" in refused.value.cause
