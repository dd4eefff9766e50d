"""The page "Cấu hình in học bạ": the school's place, date and leader, and those of single classes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import PRINTING, entry_of
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.web.lists import done, ordered, query_of, ticked
from services.chassis.web.look import render
from services.records.at_hand import own_school, reading
from services.records.page_parts import framed, grades_of, newest
from services.records.printing.errors import NO_CLASS_CHOSEN, NOT_A_LEADER, NOTHING_TO_CONFIGURE, WRONG_DATE, WRONG_PLACE
from services.records.printing.routes import clear, configuration, configure_classes, configure_school
from services.records.printing.settings import Printing, days_of, wrong_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.chassis.web.lists import Ticked
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
FIELDS = {WRONG_PLACE.code: "place", WRONG_DATE.code: "date", NOT_A_LEADER.code: "leader", NOTHING_TO_CONFIGURE.code: "leader"}
"""Refusal → the field that it is about."""
BLANK = {"place": "", "date": "", "leader": ""}


@router.get("/printing")
async def show_printing(request: Request, who: Who) -> Response:
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    return await _page(request, who, await newest(request, who))


@router.post("/printing")
async def save_printing(request: Request, who: Who) -> Response:
    """act=school: the school's own values; act=classes: those given, for the ticked classes; act=clear: as the school again."""
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    act = chosen.field("act")
    codes = [r["code"] for r in _rows(await configuration(looked_at), chosen.filter)] if chosen.filter is not None else list(chosen.ids)
    try:
        if act == "school":
            await configure_school(looked_at, _given(chosen, looked_at.year))
            return done(PRINTING, "printing", 1)
        if act == "clear":
            await clear(looked_at, codes)
        else:
            await configure_classes(looked_at, codes, _given(chosen, looked_at.year, "class_"))
    except Refused as refused:
        return await _with_problem(request, looked_at, chosen, refused, prefix="" if act == "school" else "class_")
    return done(PRINTING, "printing", len(codes))


def _given(chosen: Ticked, year: str, prefix: str = "") -> Printing:
    place, day, leader = (chosen.field(f"{prefix}{name}").strip() for name in BLANK)
    try:
        date = dt.date.fromisoformat(day) if day else None
    except ValueError:
        raise wrong_date(year) from None
    return Printing(place=place or None, date=date, leader=leader or None)


async def _with_problem(request: Request, looked_at: Reading, chosen: Ticked, refused: Refused, *, prefix: str) -> Response:
    """The page again with what was sent, told at the field; whatever is about no field is a page of its own."""
    if refused.refusal is NO_CLASS_CHOSEN:
        errors = {"bulk": refused.cause}
    elif refused.code in FIELDS:
        errors = {f"{prefix}{FIELDS[refused.code]}": refused.cause}
    else:
        raise refused
    sent = {name: chosen.field(f"{prefix}{name}") for name in BLANK}
    values = {"school": sent} if not prefix else {"classes": sent}
    return await _page(request, looked_at.who, looked_at, errors, **values)


async def _page(
    request: Request,
    who: Principal,
    looked_at: Reading | None,
    errors: Mapping[str, str] | None = None,
    *,
    school: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
) -> Response:
    query = query_of(request, "grade", "sort", "order")
    now = await configuration(looked_at) if looked_at else None
    first, last = days_of(looked_at.year) if looked_at else (None, None)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, PRINTING).title,
        "action": PRINTING,
        "query": query,
        "grades": grades_of(now["classes"]) if now else [],
        "leaders": [(row["staff"], f"{row['name']} ({row['position']})") for row in now["leaders"]] if now else [],
        "imported": {"place": now["imported"]["place"], "date": dt.date.fromisoformat(now["imported"]["date"])} if now else None,
        "first_day": first,
        "last_day": last,
        "values": school or {name: (now["own"][name] or "") if now else "" for name in BLANK},
        "class_values": classes or BLANK,
        "rows": _rows(now, query) if now else [],
        "errors": dict(errors or {}),
    }
    return render(request.app.state.pages, request, "records/printing.html", context, status_code=422 if errors else 200)


def _rows(now: Mapping[str, Any], query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [
        {
            **{k: row[k] for k in ("code", "name", "grade", "place")},
            "date": dt.date.fromisoformat(row["date"]),
            "leader": row["leader_name"] or (f"Mã cán bộ {row['leader']} không có trong danh sách" if row["leader"] else ""),
            "own": bool(row["own"]),
        }
        for row in now["classes"]
        if query.get("grade", "") in ("", str(row["grade"]))
    ]
    return ordered(rows, query, {"name": lambda r: (r["grade"], r["name"]), "leader": lambda r: r["leader"], "own": lambda r: r["own"]})
