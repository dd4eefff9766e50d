"""JSON and server-sent events under /api/district: the live board."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from contracts.access import Action
from services.chassis import clock
from services.chassis.access import Who
from services.district.board.seen import board_of
from services.district.routes import numbers, own_branch, store_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contracts.access import Principal
    from services.district.store import Store

router = APIRouter(prefix="/api/district")
LOOK_SECONDS = 0.5
LONGEST_SECONDS = 55
"""One answer's life; the browser asks again by itself."""
QUIET_SECONDS = 15.0


@router.get("/board")
async def board(request: Request, who: Who) -> dict[str, Any]:
    """Of the newest school year; {} where no school has data."""
    told = await numbers(request, who, None)
    if not told["year"]:
        return {}
    now = clock.now()
    since = clock.in_vietnam(now).date() - dt.timedelta(days=1)
    days = await store_of(request).days([s["school"] for s in told["schools"]], told["year"], since=since)
    return board_of(told, days, now)


@router.get("/board/events")
async def follow(request: Request, who: Who, seconds: Annotated[int, Query(ge=0)] = LONGEST_SECONDS) -> StreamingResponse:
    """Server-sent events: one at first and one at every change of the branch's numbers."""
    schools, year = await followed(request, who)
    looks: dict[tuple[str | None, str], Look] = request.app.state.looks
    told = changes(store_of(request), looks.setdefault((who.unit, year), Look()), schools, year, seconds)
    return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def followed(request: Request, who: Principal) -> tuple[list[str], str]:
    unit = await own_branch(request, who, Action.VIEW_BRANCH)
    store = store_of(request)
    year = next(iter(await store.years(unit)), "")
    return [s["_id"] for s in (await store.branch(unit, year or None)).schools], year


@dataclass
class Look:
    """What the boards that are open on one branch share: the numbers are read once for all of them."""

    told: str = ""
    at: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def numbers(self, store: Store, schools: list[str], year: str, *, younger_than: float) -> str:
        """As JSON, not older than so many seconds."""
        asked = time.monotonic()
        async with self.turn:
            if self.at <= asked - younger_than:
                began = time.monotonic()
                self.told = json.dumps(await store.totals(schools, year), sort_keys=True)
                self.at = began
            return self.told


async def changes(store: Store, look: Look, schools: list[str], year: str, seconds: int) -> AsyncIterator[str]:
    """Each message is JSON: {state: number} of the whole branch, for `seconds` at most. No name stands in it."""
    until = time.monotonic() + min(seconds, LONGEST_SECONDS)
    said, said_at = "", time.monotonic()
    yield "retry: 2000\n\n"
    while True:
        told = await look.numbers(store, schools, year, younger_than=LOOK_SECONDS / 2 if said else 0)
        now = time.monotonic()
        if told != said:
            said, said_at = told, now
            yield f"data: {told}\n\n"
        elif now - said_at > QUIET_SECONDS:
            said_at = now
            yield ": still here\n\n"
        if now >= until:
            return
        await asyncio.sleep(LOOK_SECONDS)
