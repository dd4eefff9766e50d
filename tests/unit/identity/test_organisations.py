"""The oversight tree: paths, and what is told of a change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.chassis.errors import Refused
from services.identity.organisations.units_and_schools import school_change, unit_change

TODAY = dt.date(2026, 3, 2)
ROOT = {"_id": "031", "sequence": 1, "name": "Sở", "parent": None, "path": ["031"]}
COMMUNE = {"_id": "03101", "sequence": 1, "name": "Phường", "parent": "031", "path": ["031", "03101"]}
FACTS: dict[str, Any] = {
    "code": "31300001",
    "levels": ["TH"],
    "tax_code": "0231300001",
    "unit_code": "03101",
    "today": TODAY,
}


def test_a_unit_stands_below_its_parent() -> None:
    change = unit_change(None, code="03101", name=" Phường  An Hải ", parent=ROOT, today=TODAY)
    assert change is not None
    assert (change.document["path"], change.document["name"]) == (["031", "03101"], "Phường An Hải")


def test_nothing_is_told_when_nothing_changes() -> None:
    assert unit_change(COMMUNE, code="03101", name="Phường", parent=ROOT, today=TODAY) is None


def test_a_unit_stays_where_it_is_until_it_is_moved() -> None:
    with pytest.raises(Refused, match="HB-IDN-013"):
        unit_change(COMMUNE, code="03101", name="Phường", parent=None, today=TODAY)


def test_a_renamed_unit_keeps_its_past_name() -> None:
    change = unit_change(COMMUNE, code="03101", name="Phường mới", parent=ROOT, today=TODAY)
    assert change is not None
    assert [(s["name"], s["to"]) for s in change.document["spans"]] == [("Phường", "2026-03-02"), ("Phường mới", None)]
    fact: Any = change.facts[0]
    assert (fact.name, fact.valid_from, fact.abolished_on) == ("Phường mới", TODAY, None)


def test_a_school_has_the_path_of_its_unit_and_keeps_its_open_year() -> None:
    made = school_change(None, name="Trường", unit=COMMUNE, **FACTS)
    assert made is not None
    assert made.document["path"] == ["031", "03101"]
    renamed = school_change({**made.document, "sequence": 1, "year": "2025-2026"}, name="Trường mới", unit=COMMUNE, **FACTS)
    assert renamed is not None
    assert renamed.document["year"] == "2025-2026"
    assert school_change({**made.document}, name="Trường", unit=COMMUNE, **FACTS) is None


def test_a_school_needs_a_unit_that_exists() -> None:
    with pytest.raises(Refused, match="HB-IDN-010"):
        school_change(None, name="Trường", unit=None, **FACTS)


def test_a_school_may_have_been_there_before_it_was_entered() -> None:
    made = school_change(None, name="Trường", unit=COMMUNE, valid_from=dt.date(1998, 9, 5), **FACTS)
    assert made is not None
    assert [(s["from"], s["to"]) for s in made.document["spans"]] == [("1998-09-05", None)]


def test_a_new_school_is_neither_of_a_day_to_come_nor_older_than_its_unit() -> None:
    unit = unit_change(None, code="03102", name="Phường", parent=ROOT, today=TODAY, valid_from=dt.date(2025, 7, 1))
    assert unit is not None
    for day in (dt.date(2026, 3, 3), dt.date(2025, 6, 30)):
        with pytest.raises(Refused, match="HB-IDN-068"):
            school_change(None, name="Trường", unit=unit.document, valid_from=day, **FACTS)


def test_nothing_is_put_below_a_unit_that_has_ended() -> None:
    ended = {**COMMUNE, "ended_on": "2025-07-01", "successor": None}
    with pytest.raises(Refused, match="HB-IDN-060"):
        school_change(None, name="Trường", unit=ended, **FACTS)
    with pytest.raises(Refused, match="HB-IDN-060"):
        unit_change(None, code="0310101", name="Tổ", parent=ended, today=TODAY)
