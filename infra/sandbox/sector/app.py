"""A sector database (CSDL ngành) that gives one client the data of its schools: token, paged lists, changes since a mark."""

import hmac
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.common import Place, announce
from infra.sandbox.faults import FaultOrder, Faults, install
from infra.sandbox.sector.state import LISTS, Changes, Loaded, SchoolYear

TOKEN_SECONDS = 600
PAGE_SIZE = 200
ENDPOINTS = frozenset({"token", "rows", "changes"})


class SectorFaults(FaultOrder):
    """Each field: this many answers are wrong in this way."""

    repeat_page_next: int | None = Field(default=None, ge=0, description="the page before the one asked for, once more")
    token_expired_next: int | None = Field(default=None, ge=0, description="401 to a good token, which is good no longer")
    cursor_expired_next: int | None = Field(default=None, ge=0, description="410 to a good cursor or mark")


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    secret: str


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cursor: str = ""
    limit: int = Field(default=PAGE_SIZE, ge=1, le=500)


@dataclass
class Desk:
    secret: str
    faults: Faults = field(default_factory=lambda: Faults(ENDPOINTS))
    years: dict[tuple[str, str], SchoolYear] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)

    def load(self, loaded: Loaded) -> None:
        known = self.years.get((loaded.school, loaded.year))
        fresh = SchoolYear(log=[], forgotten=(known.forgotten + len(known.log) + 1) if known else 0)
        for name, rows in loaded.lists.items():
            if name not in LISTS:
                raise HTTPException(422, f"unknown list {name!r}; known: {', '.join(LISTS)}")
            fresh.lists[name] = {row.id: row.data for row in rows}
        self.years[loaded.school, loaded.year] = fresh

    def year(self, school: str, year: str) -> SchoolYear:
        found = self.years.get((school, year))
        if found is None:
            raise HTTPException(404, "no such school and year")
        return found

    def check(self, request: Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.faults.take("rows", "token_expired_next"):
            self.tokens.pop(token, None)
        if self.tokens.get(token, 0) < time.monotonic():
            raise HTTPException(401, "token missing or expired")


def create_app(place: Place, secret: str, schools: Sequence[Loaded] = ()) -> FastAPI:
    desk = Desk(secret)
    for school in schools:
        desk.load(school)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        announce(place.directory, "sector", place.url)
        yield

    app = FastAPI(title="Sandbox sector database", version="1.0", lifespan=lifespan)
    app.state.desk = desk
    install(app, desk.faults, _endpoint_of)
    _protocol(app, desk)
    _control(app, desk)
    return app


def _protocol(app: FastAPI, desk: Desk) -> None:
    @app.post("/v1/token")
    async def token(given: Credentials) -> dict[str, Any]:
        if not hmac.compare_digest(given.secret.encode(), desk.secret.encode()):
            raise HTTPException(401, "unknown client")
        made = secrets.token_urlsafe(24)
        desk.tokens[made] = time.monotonic() + TOKEN_SECONDS
        return {"access_token": made, "expires_in": TOKEN_SECONDS}

    @app.get("/v1/schools/{school}/years/{year}/changes")
    async def changes(request: Request, school: str, year: str, since: str, cursor: str = "") -> dict[str, Any]:
        """What changed after the mark `since`, deleted rows included; `mark` for the next time."""
        desk.check(request)
        found = desk.year(school, year)
        start = _number(cursor or since) - found.forgotten
        if start < 0 or start > len(found.log) or desk.faults.take("changes", "cursor_expired_next"):
            raise HTTPException(410, "the mark has expired; read everything again")
        if desk.faults.take("changes", "repeat_page_next"):
            page, _ = found.changes(max(0, start - PAGE_SIZE), PAGE_SIZE)
            return {"changes": page, "next": cursor or since, "mark": str(found.forgotten + len(found.log))}
        page, after = found.changes(start, PAGE_SIZE)
        return {"changes": page, "next": _text(after, found.forgotten), "mark": str(found.forgotten + len(found.log))}

    @app.get("/v1/schools/{school}/years/{year}/{name}")
    async def rows(request: Request, school: str, year: str, name: str, asked: Annotated[Asked, Query()]) -> dict[str, Any]:
        """One page of a list in the export's fields; `mark` is where changes are asked for later."""
        desk.check(request)
        found = desk.year(school, year)
        if name not in LISTS:
            raise HTTPException(404, "no such list")
        cursor, limit = asked.cursor, asked.limit
        start = _number(cursor) if cursor else 0
        if cursor and desk.faults.take("rows", "cursor_expired_next"):
            raise HTTPException(410, "the cursor has expired; read the list again")
        mark = str(found.forgotten + len(found.log))
        if cursor and desk.faults.take("rows", "repeat_page_next"):
            page, _ = found.rows(name, max(0, start - limit), limit)
            return {"rows": page, "next": cursor, "mark": mark}
        page, after = found.rows(name, start, limit)
        return {"rows": page, "next": _text(after), "mark": mark}


def _control(app: FastAPI, desk: Desk) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/control/schools")
    async def load(loaded: Loaded) -> dict[str, int]:
        """A school's year anew; marks that were given before have expired."""
        desk.load(loaded)
        return {name: len(rows) for name, rows in desk.year(loaded.school, loaded.year).lists.items()}

    @app.post("/control/changes")
    async def change(order: Changes) -> dict[str, int]:
        found = desk.year(order.school, order.year)
        for each in order.changes:
            if each.list not in LISTS:
                raise HTTPException(422, f"unknown list {each.list!r}; known: {', '.join(LISTS)}")
            found.put(each)
        return {"log": len(found.log)}

    @app.post("/control/faults")
    async def misbehave(order: SectorFaults) -> dict[str, Any]:
        desk.faults.apply(order)
        return {"faults": desk.faults.in_force()}


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 12):
        raise HTTPException(422, "not a cursor")
    return int(cursor)


def _text(number: int | None, forgotten: int = 0) -> str | None:
    return None if number is None else str(number + forgotten)


def _endpoint_of(path: str) -> str | None:
    if path == "/v1/token":
        return "token"
    if not path.startswith("/v1/"):
        return None
    return "changes" if path.endswith("/changes") else "rows"
