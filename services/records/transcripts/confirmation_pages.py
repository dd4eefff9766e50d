"""The page of menu 2.7 (primary 2.5.1): confirming that all is signed, and taking it back.

Guide 000 ticks classes, guide 001 transcripts: both lists are there for both, each version begins with its own.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CLASSES, CONFIRMATION, PRIMARY, entry_of
from services.chassis.access import Who, require
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render, with_query
from services.records.at_hand import of_year, own_school
from services.records.cancellation import store as queries
from services.records.cancellation.cancelling import why
from services.records.page_parts import asked_or_newest, framed, grades_of
from services.records.transcripts import confirmation, routes
from services.records.transcripts.outcome_page import told
from services.records.transcripts.routes import Decision
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
DECIDABLE = (State.SIGNED, State.CONFIRMED, State.REJECTED)
SENT = (State.SUBMITTED, State.ACCEPTED, State.WITHDRAWAL_PENDING, State.WITHDRAWN)
VIEWS = {"class": "Theo lớp", "pupil": "Theo học sinh"}
TEXTS = {
    "confirm": ("Xác nhận hoàn thành", "Đã xác nhận hoàn thành"),
    "undo": ("Hủy xác nhận hoàn thành", "Đã hủy xác nhận hoàn thành"),
}
SHOWN_TITLES = 10
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@router.get("/confirmation")
async def show_confirmation(request: Request, who: Who) -> Response:
    require(who, Action.CONFIRM, school=own_school(who))
    looked_at = await asked_or_newest(request, who)
    asked = request.query_params.get("view", "")
    view = asked if asked in VIEWS else "class" if who.level == PRIMARY else "pupil"
    of = query_of(request, "year")
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, CONFIRMATION).title,
        "action": of_year(request, CONFIRMATION),
        "by_pupil": view == "pupil",
        "views": [{"text": text, "href": with_query(of, view=key), "current": key == view} for key, text in VIEWS.items()],
        **await (_classes if view == "class" else _pupils)(request, looked_at),
    }
    return render(request.app.state.pages, request, "records/confirmation.html", context)


async def _classes(request: Request, looked_at: Reading | None) -> dict[str, Any]:
    query = query_of(request, "view", "grade", "sort", "order", "year")
    every = await looked_at.classes() if looked_at else []
    rows = _class_rows(every, query)
    return {"query": query, "grades": grades_of(every), "rows": rows, "selectable": sum(r["selectable"] for r in rows)}


async def _pupils(request: Request, looked_at: Reading | None) -> dict[str, Any]:
    query = query_of(request, "view", "grade", "class", "name", "state", "sort", "order", "page", "year")
    every = await _decidable(looked_at) if looked_at else []
    rows = _pupil_rows(every, query)
    page, paging = paged(rows, query)
    return {
        "query": query,
        "grades": grades_of(every),
        "classes": [(c, c) for c in sorted({t["class_code"] for t in every})],
        "states": [s.value for s in (*DECIDABLE, *SENT)],
        "rows": page,
        "paging": paging,
        "selectable": sum(r["selectable"] for r in rows),
    }


async def _decidable(looked_at: Reading) -> list[Document]:
    return await queries.in_states(looked_at.store.db, looked_at.school, looked_at.year, (*DECIDABLE, *SENT))


def _class_rows(every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [_class_row(row) for row in every if query.get("grade", "") in ("", str(row["grade"]))]
    return ordered(rows, query, {"name": lambda r: (r["grade"], r["name"])})


def _class_row(row: Mapping[str, Any]) -> dict[str, Any]:
    states: Mapping[str, int] = row["states"]
    decidable = {s: states.get(s, 0) for s in DECIDABLE}
    return {
        "code": row["code"],
        "name": row["name"],
        "grade": row["grade"],
        "pupils": row["pupils"],
        "awaiting": sum(states.get(s, 0) for s in (*AWAITED, State.RETURNED)),
        "signed": decidable[State.SIGNED],
        "confirmed": decidable[State.CONFIRMED],
        "sent": sum(states.get(s, 0) for s in SENT),
        "rejected": decidable[State.REJECTED],
        "href": f"{CLASSES}/{row['code']}",
        "selectable": sum(decidable.values()) > 0,
    }


def _pupil_rows(every: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    grade, code, state = (query.get(key, "") for key in ("grade", "class", "state"))
    name = fold(query.get("name", ""))
    rows = [
        {
            "id": t["_id"],
            "name": t["pupil_name"],
            "class_name": t["class_code"],
            "grade": t["grade"],
            "state": t["state"],
            "confirmed_at": t.get("confirmed_at"),
            "note": why(t),
            "selectable": State(t["state"]) in DECIDABLE,
            "href": f"/ui/records/transcripts/{t['_id']}",
        }
        for t in every
        if grade in ("", str(t["grade"])) and code in ("", t["class_code"]) and state in ("", t["state"]) and name in fold(t["pupil_name"])
    ]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "confirmed_at": lambda r: r["confirmed_at"] or LONG_AGO,
    }
    return ordered(rows, query, keys)


@router.post("/confirmation")
async def decide(request: Request, who: Who) -> Response:
    """Confirming asks once more, in the words of guide 001; taking back does not."""
    require(who, Action.CONFIRM, school=own_school(who))
    chosen = await ticked(request)
    asked = "undo" if chosen.field("act") == "undo" else "confirm"
    view = "pupil" if chosen.field("view") == "pupil" else "class"
    ids = list(chosen.ids)
    looked_at = await asked_or_newest(request, who)
    if chosen.filter is not None and looked_at is not None:
        ids = await _found(looked_at, view, asked, chosen.filter)
    back = of_year(request, f"{CONFIRMATION}?view={view}")
    if not ids or looked_at is None:
        return done(back, asked, 0)
    if asked == "confirm" and not chosen.field("sure"):
        return await _ask(request, looked_at, view, ids)
    selection = Decision(classes=ids) if view == "class" else Decision(transcripts=ids)
    outcome = await (routes.undo if asked == "undo" else routes.confirm)(request, who, selection, looked_at.year)
    title, done_text = TEXTS[asked]
    return await told(request, looked_at, outcome, did=asked, title=title, done_text=done_text, back=back)


async def _found(looked_at: Reading, view: str, asked: str, query: Mapping[str, str]) -> list[str]:
    """All that the filter finds; of transcripts those that the act is for, since nobody looked at each of them."""
    if view == "class":
        return [r["code"] for r in _class_rows(await looked_at.classes(), query) if r["selectable"]]
    _, states = confirmation.ACTS["undo confirm" if asked == "undo" else "confirm"]
    return [r["id"] for r in _pupil_rows(await _decidable(looked_at), query) if State(r["state"]) in states]


async def _ask(request: Request, looked_at: Reading, view: str, ids: Sequence[str]) -> Response:
    if view == "class":
        rows = [_class_row(row) for row in await looked_at.classes() if row["code"] in ids]
        known = [row["code"] for row in rows]
        items = [f"Lớp {row['name']}: {row['signed']} học bạ hoàn thành ký" for row in rows]
    else:
        found = await queries.named(looked_at.store.db, looked_at.school, ids)
        known = [i for i in ids if i in found]
        items = [f"{found[i]['pupil_name']} – lớp {found[i]['class_code']}" for i in known[:SHOWN_TITLES]]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at),
        title="Xác nhận hoàn thành",
        crumb=entry_of(looked_at.who, CONFIRMATION).title,
        question="Bạn có chắc chắn muốn Xác nhận hoàn thành Học bạ số?",
        action=of_year(request, CONFIRMATION),
        confirm="OK",
        cancel_href=of_year(request, f"{CONFIRMATION}?view={view}"),
        fields=[("act", "confirm"), ("view", view), ("sure", "1"), *(("ids", i) for i in known)],
        items=items,
        count=len(known),
    )
