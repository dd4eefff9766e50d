"""The oversight tree and the schools in it. A path lists the units from the root down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.identity import SchoolChangedV1, UnitChangedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.vietnamese import clean
from services.identity.errors import PARENT_FIXED, UNKNOWN_UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document


def unit_change(before: Document | None, *, code: str, name: str, parent: Document | None) -> Change | None:
    """A unit made or renamed; None when nothing changes. Raises Refused(PARENT_FIXED): a unit stays where it is in the tree."""
    path = [*(parent["path"] if parent else []), code]
    if before is not None and before["path"] != path:
        raise Refused(PARENT_FIXED, unit=code)
    after = {**(before or {"_id": code}), "name": clean(name), "parent": parent["_id"] if parent else None, "path": path}
    return None if after == before else Change(after, UnitChangedV1(code=code, name=after["name"], path=tuple(path)))


def school_change(
    before: Document | None, *, code: str, name: str, levels: Sequence[str], tax_code: str, unit: Document | None, unit_code: str
) -> Change | None:
    """A school made or changed; None when nothing changes. Raises Refused(UNKNOWN_UNIT)."""
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=unit_code)
    after = {
        **(before or {"_id": code, "year": None}),
        "name": clean(name),
        "levels": list(levels),
        "tax_code": tax_code,
        "unit": unit["_id"],
        "path": unit["path"],
    }
    if after == before:
        return None
    fact = SchoolChangedV1(code=code, name=after["name"], levels=tuple(levels), tax_code=tax_code, path=tuple(unit["path"]))
    return Change(after, fact)
