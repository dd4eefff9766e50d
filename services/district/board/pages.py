"""The live board "Theo dõi trực tiếp" for the days before the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.menu import BOARD, STATISTICS, entry_of
from services.chassis.access import Who
from services.chassis.web.look import render, with_query
from services.chassis.web.shell import shell
from services.district import charts
from services.district.board import routes
from services.district.routes import store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter()


@router.get("/board")
async def show_board(request: Request, who: Who) -> Response:
    told = await routes.board(request, who)
    pages = request.app.state.pages
    if request.headers.get("HX-Request") and told:
        return render(pages, request, "district/board_panel.html", _panel(told))
    names = await store_of(request).unit_names([who.unit or ""])
    context = {
        "shell": shell(request, who, organisation=names.get(who.unit or "", "")),
        "title": entry_of(who, BOARD).title,
        **(_panel(told) if told else {"chart": None}),
    }
    return render(pages, request, "district/board.html", context)


@router.get("/board/events")
async def events(request: Request, who: Who, seconds: Annotated[int, Query(ge=0)] = routes.LONGEST_SECONDS) -> Response:
    return await routes.follow(request, who, seconds)


def _panel(told: Mapping[str, Any]) -> dict[str, Any]:
    year = with_query({"year": told["year"]})
    values = [(h["short"], h["accepted"]) for h in told["hours"]]
    label = "Số học bạ được tiếp nhận mỗi giờ trong 24 giờ qua, nhiều nhất " + str(max(n for _, n in values))
    return {
        **{key: value for key, value in told.items() if key != "behind"},
        "href": BOARD,
        "events": f"{BOARD}/events",
        "chart": charts.bars(label, values, "success"),
        "rows": [{**s, "href": f"{STATISTICS}/schools/{s['school']}{year}"} for s in told["behind"]],
    }
