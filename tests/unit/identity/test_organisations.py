"""The oversight tree: paths, and what is told of a change."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.errors import Refused
from services.identity.organisations.units_and_schools import school_change, unit_change

ROOT = {"_id": "031", "sequence": 1, "name": "Sở", "parent": None, "path": ["031"]}
COMMUNE = {"_id": "03101", "sequence": 1, "name": "Phường", "parent": "031", "path": ["031", "03101"]}
FACTS: dict[str, Any] = {"code": "31300001", "levels": ["TH"], "tax_code": "0231300001", "unit_code": "03101"}


def test_a_unit_stands_below_its_parent() -> None:
    change = unit_change(None, code="03101", name=" Phường  An Hải ", parent=ROOT)
    assert change is not None
    assert (change.document["path"], change.document["name"]) == (["031", "03101"], "Phường An Hải")


def test_nothing_is_told_when_nothing_changes() -> None:
    assert unit_change(COMMUNE, code="03101", name="Phường", parent=ROOT) is None


def test_a_unit_stays_where_it_is_in_the_tree() -> None:
    with pytest.raises(Refused, match="HB-IDN-013"):
        unit_change(COMMUNE, code="03101", name="Phường", parent=None)


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
