"""The oversight tree and the schools in it: made, renamed, told. A path lists the units from the root down."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from contracts.events.identity import SchoolChangedV1, Span, UnitChangedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.vietnamese import clean
from services.identity.errors import PARENT_FIXED, UNKNOWN_UNIT
from services.identity.organisations import changes, spans
from services.identity.organisations.errors import ENDED, WRONG_DATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document


def unit_change(
    before: Document | None, *, code: str, name: str, parent: Document | None, today: dt.date, valid_from: dt.date | None = None
) -> Change | None:
    """A unit made, or renamed from today on; None when nothing changes. `valid_from` is that of a new one, today unless given.

    A root without it has always been there. Raises Refused: PARENT_FIXED (moving it is another act), ENDED, WRONG_DATES for a day to
    come or before the parent.
    """
    if parent is not None:
        check_living(parent)
    if before is None:
        # the root has always been there: what is entered below it may be as old as it likes
        since = _since(valid_from, parent, today) if parent or valid_from else spans.DAWN
        own = spans.follow(parent, since, name=clean(name), own=(code,)) if parent else [spans.span(clean(name), None, [code], since)]
        made = {"_id": code, "name": clean(name), "parent": parent["_id"] if parent else None, "path": own[-1]["path"], "spans": own}
        return Change(made, unit_fact(made))
    check_living(before)
    if before["parent"] != (parent["_id"] if parent else None):
        raise Refused(PARENT_FIXED, unit=code)
    if before["name"] == clean(name):
        return None
    after = changes.renamed(before, clean(name), today)
    return Change(after, unit_fact(after))


def school_change(
    before: Document | None,
    *,
    code: str,
    name: str,
    levels: Sequence[str],
    tax_code: str,
    unit: Document | None,
    unit_code: str,
    today: dt.date,
    valid_from: dt.date | None = None,
) -> Change | None:
    """A school made, or changed from today on; None when nothing changes. `valid_from` is that of a new one, today unless given.

    Raises Refused: UNKNOWN_UNIT, ENDED, WRONG_DATES for a day to come or before the unit.
    """
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=unit_code)
    check_living(unit)
    if before is None:
        own = spans.follow(unit, _since(valid_from, unit, today), name=clean(name))
        after = {"_id": code, "year": None, "name": clean(name), "unit": unit["_id"], "path": own[-1]["path"], "spans": own}
    else:
        check_living(before)
        after = before
        if after["name"] != clean(name):
            after = changes.renamed(after, clean(name), today)
        if after["unit"] != unit["_id"]:
            after = changes.placed(after, unit, today)
    after = {**after, "levels": list(levels), "tax_code": tax_code}
    return None if after == before else Change(after, school_fact(after))


def check_living(document: Document) -> None:
    """Raises Refused(ENDED)."""
    day = spans.ended_on(document)
    if day is not None:
        raise Refused(ENDED, code=document["_id"], day=f"{day:%d/%m/%Y}")


def unit_fact(unit: Document) -> UnitChangedV1:
    return UnitChangedV1(
        code=unit["_id"],
        name=unit["name"],
        path=tuple(unit["path"]),
        valid_from=_told_since(unit),
        abolished_on=spans.ended_on(unit),
        successor=unit.get("successor"),
        spans=_told_spans(unit),
    )


def school_fact(school: Document) -> SchoolChangedV1:
    return SchoolChangedV1(
        code=school["_id"],
        name=school["name"],
        levels=tuple(school["levels"]),
        tax_code=school["tax_code"],
        path=tuple(school["path"]),
        valid_from=_told_since(school),
        abolished_on=spans.ended_on(school),
        successor=school.get("successor"),
        spans=_told_spans(school),
    )


def _told_since(document: Document) -> dt.date | None:
    return _told_day(spans.spans_of(document)[-1]["from"])


def _told_day(day: str) -> dt.date | None:
    since = dt.date.fromisoformat(day)
    return None if since == spans.DAWN else since


def _told_spans(document: Document) -> tuple[Span, ...]:
    return tuple(
        Span(
            name=s["name"],
            path=tuple(s["path"]),
            valid_from=_told_day(s["from"]),
            valid_to=dt.date.fromisoformat(s["to"]) if s["to"] else None,
        )
        for s in spans.spans_of(document)
    )


def _since(valid_from: dt.date | None, parent: Document | None, today: dt.date) -> dt.date:
    """Raises Refused(WRONG_DATES): what is made is there from today on at the latest, and not before the unit above it."""
    since = valid_from or today
    if since > today:
        raise Refused(WRONG_DATES, message="Đơn vị hoặc trường mới có hiệu lực chậm nhất từ hôm nay.", rule="valid from a day to come")
    if parent is not None and since < spans.begun(parent):
        message = f"Đơn vị cấp trên {parent['_id']} chỉ có từ ngày {spans.begun(parent):%d/%m/%Y}."
        raise Refused(WRONG_DATES, message=message, rule="valid from a day before the unit above")
    return since
