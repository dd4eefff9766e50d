"""The page of menu 2.7 (primary 2.5.1): confirming class by class that all is signed, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CLASSES, CONFIRMATION, entry_of
from services.chassis.access import Who, require
from services.chassis.web.lists import done, ordered, query_of, ticked
from services.chassis.web.look import confirm_page, render
from services.records.at_hand import own_school, reading
from services.records.page_parts import framed, grades_of, newest
from services.records.transcripts import routes
from services.records.transcripts.routes import Selection
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)
SENT = (State.SUBMITTED, State.ACCEPTED, State.REJECTED)


@router.get("/confirmation")
async def show_confirmation(request: Request, who: Who) -> Response:
    require(who, Action.CONFIRM, school=own_school(who))
    looked_at = await newest(request, who)
    every = await looked_at.classes() if looked_at else []
    query = query_of(request, "grade", "sort", "order")
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, CONFIRMATION).title,
        "query": query,
        "grades": grades_of(every),
        "action": CONFIRMATION,
        "rows": _rows(every, query),
    }
    return render(request.app.state.pages, request, "records/confirmation.html", context)


def _rows(every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [_row(row) for row in every if query.get("grade", "") in ("", str(row["grade"]))]
    return ordered(rows, query, {"name": lambda r: (r["grade"], r["name"])})


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    states: Mapping[str, int] = row["states"]
    signed, confirmed = states.get(State.SIGNED, 0), states.get(State.CONFIRMED, 0)
    return {
        "code": row["code"],
        "name": row["name"],
        "grade": row["grade"],
        "pupils": row["pupils"],
        "awaiting": sum(states.get(s, 0) for s in AWAITED),
        "signed": signed,
        "confirmed": confirmed,
        "sent": sum(states.get(s, 0) for s in SENT),
        "href": f"{CLASSES}/{row['code']}",
        "selectable": signed + confirmed > 0,
    }


@router.post("/confirmation")
async def decide(request: Request, who: Who) -> Response:
    """Confirming asks once more, in the words of guide 001; taking back does not."""
    require(who, Action.CONFIRM, school=own_school(who))
    chosen = await ticked(request)
    act = "undo" if chosen.field("act") == "undo" else "confirm"
    codes = list(chosen.ids)
    if chosen.filter is not None:
        looked_at = await newest(request, who)
        every = await looked_at.classes() if looked_at else []
        codes = [r["code"] for r in _rows(every, chosen.filter) if r["selectable"]]
    if not codes:
        return done(CONFIRMATION, act, 0)
    if act == "confirm" and not chosen.field("sure"):
        return await _ask(request, who, codes)
    outcome = await (routes.undo if act == "undo" else routes.confirm)(request, who, Selection(classes=codes))
    return done(CONFIRMATION, act, outcome["done"], [r["code"] for r in outcome["refused"]])


async def _ask(request: Request, who: Principal, codes: Sequence[str]) -> Response:
    looked_at = await reading(request, who, None)
    rows = [_row(row) for row in await looked_at.classes() if row["code"] in codes]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, who, looked_at),
        title="Xác nhận hoàn thành",
        crumb=entry_of(who, CONFIRMATION).title,
        question="Bạn có chắc chắn muốn Xác nhận hoàn thành Học bạ số?",
        action=CONFIRMATION,
        confirm="OK",
        cancel_href=CONFIRMATION,
        fields=[("act", "confirm"), ("sure", "1"), *(("ids", row["code"]) for row in rows)],
        items=[f"Lớp {row['name']}: {row['signed']} học bạ hoàn thành ký" for row in rows],
        count=len(rows),
    )
