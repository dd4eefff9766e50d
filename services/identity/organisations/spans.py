"""The past of units and schools: from which day on each had which name and stood where.

A document keeps its spans oldest first and without gaps; the last one is the present and has no end, unless the unit or school has
ended. `from` is the first day of a span, `to` the first day that is no longer in it (days of Vietnam, as ISO texts). What is planned
is not in here: a span begins when its day has come.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from services.chassis import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document

DAWN = dt.date.min
"""What was made before spans were kept is taken to have always been as it is."""


def today() -> dt.date:
    return clock.in_vietnam(clock.now()).date()


def above(document: Document) -> str | None:
    """The unit right above a unit or a school."""
    code: str | None = document["unit"] if "unit" in document else document["parent"]
    return code


def spans_of(document: Document) -> list[Document]:
    kept: list[Document] = document.get("spans") or []
    return list(kept) or [span(document["name"], above(document), document["path"], DAWN)]


def span(name: str, parent: str | None, path: Sequence[str], first: dt.date) -> Document:
    return {"name": name, "parent": parent, "path": list(path), "from": first.isoformat(), "to": None}


def ended_on(document: Document) -> dt.date | None:
    """The first day on which the unit or school is no longer there."""
    day = document.get("ended_on")
    return dt.date.fromisoformat(day) if day else None


def begun(document: Document) -> dt.date:
    return dt.date.fromisoformat(spans_of(document)[0]["from"])


def last_change(document: Document) -> dt.date:
    return ended_on(document) or dt.date.fromisoformat(spans_of(document)[-1]["from"])


def at(document: Document, day: dt.date) -> Document | None:
    """The span that holds the day; None before the beginning and after the end."""
    wanted = day.isoformat()
    return next((s for s in spans_of(document) if s["from"] <= wanted and (s["to"] is None or wanted < s["to"])), None)


def follow(above_it: Document, since: dt.date, *, name: str, own: Sequence[str] = ()) -> list[Document]:
    """The spans of something that stands below a unit from a day on; `own` is the part of the path below that unit."""
    first = since.isoformat()
    return [
        {"name": name, "parent": above_it["_id"], "path": [*s["path"], *own], "from": max(s["from"], first), "to": s["to"]}
        for s in spans_of(above_it)
        if s["to"] is None or s["to"] > first
    ]


def continued(document: Document, since: dt.date, later: Sequence[Document]) -> list[Document]:
    """The spans as they were before a day, and `later` from then on; equal neighbours are one span."""
    joined: list[Document] = []
    for each in (*_before(document, since), *later):
        last = joined[-1] if joined else None
        if last is not None and all(last[key] == each[key] for key in ("name", "parent", "path")):
            joined[-1] = {**last, "to": each["to"]}
        else:
            joined.append(each)
    return joined


def _before(document: Document, day: dt.date) -> list[Document]:
    end = day.isoformat()
    return [{**s, "to": end if s["to"] is None else min(s["to"], end)} for s in spans_of(document) if s["from"] < end]
