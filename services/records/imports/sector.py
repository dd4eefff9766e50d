"""The sector database (CSDL ngành) over HTTP: the one place that knows its protocol (docs/architecture/import.md).

Its rows have the fields of its own exports, so they become sheets and go the way of workbooks.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.chassis.settings import needed, secret
from services.records.imports.workbooks import MAX_GRID_CELLS, Sheet

if TYPE_CHECKING:
    from services.chassis.settings import Settings
    from services.records.cells import Cell

P = TypeVar("P", bound=BaseModel)
SOURCE = "CSDL ngành"
LISTS = {"school": "Trường", "staff": "Cán bộ", "classes": "Lớp", "assignments": "Phân công", "pupils": "Học sinh", "results": "Kết quả"}
SEPARATOR = " / "
CLASS = "Mã lớp"
MOST_BYTES = 8 * 1024 * 1024
"""Of one page."""


class SectorAway(Exception):
    """No answer, or none that can be used: worth asking again later. `str()` is a short English reason."""


class MarkExpired(Exception):
    """The sector database no longer knows what changed since then: everything has to be read anew."""


class SectorRefused(Exception):
    """It refuses this installation or knows no such school year; asking again gets the same answer. `str()` is Vietnamese."""


class SectorRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, max_length=200)
    data: dict[str, str | int | float | bool | None]


class Changed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    list: str
    id: str = Field(min_length=1, max_length=200)
    deleted: bool
    data: dict[str, str | int | float | bool | None] | None = None


class RowPage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    rows: list[SectorRow]
    next: str | None
    mark: str


class ChangePage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    changes: list[Changed]
    next: str | None
    mark: str


@dataclass
class SectorDatabase:
    """Holds one token, which is asked for anew when it has expired."""

    http: httpx.AsyncClient
    secret: str
    token: str = ""

    async def rows(self, school: str, year: str, name: str, cursor: str) -> RowPage:
        """One page of a list. Raises SectorAway, SectorRefused and, when the cursor is too old, MarkExpired."""
        answer = await self._ask(f"{_path(school, year)}/{name}", {"cursor": cursor} if cursor else {})
        return _read(RowPage, answer)

    async def changes(self, school: str, year: str, since: str, cursor: str) -> ChangePage:
        """One page of what changed after the mark `since`. Raises as `rows` does."""
        answer = await self._ask(f"{_path(school, year)}/changes", {"since": since, **({"cursor": cursor} if cursor else {})})
        return _read(ChangePage, answer)

    async def _ask(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        for attempt in range(2):
            if not self.token:
                self.token = await self._new_token()
            answer = await self._request("GET", path, params=dict(query), headers={"Authorization": f"Bearer {self.token}"})
            if answer.status_code != httpx.codes.UNAUTHORIZED or attempt:
                break
            self.token = ""
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self.token = ""
            raise SectorAway("a new token was not taken")
        if answer.status_code == httpx.codes.GONE:
            raise MarkExpired
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise SectorRefused("CSDL ngành không có dữ liệu của nhà trường trong năm học này.")
        return _usable(answer)

    async def _new_token(self) -> str:
        answer = _usable(await self._request("POST", "/v1/token", json={"secret": self.secret}))
        try:
            return str(answer.json()["access_token"])
        except (ValueError, KeyError, TypeError) as problem:
            raise SectorAway("no token in the answer") from problem

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self.http.request(method, path, **more)
        except httpx.TransportError as problem:
            raise SectorAway(type(problem).__name__) from problem


def sector_database(settings: Settings) -> SectorDatabase | None:
    """The one that is set up; None where none is."""
    if settings.sector_url is None:
        return None
    trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else True
    client = httpx.AsyncClient(base_url=settings.sector_url, timeout=httpx.Timeout(30, connect=5), verify=trust, trust_env=False)
    return SectorDatabase(client, secret(needed(settings.sector_secret_file, "sector_secret_file")))


def _path(school: str, year: str) -> str:
    return f"/v1/schools/{quote(school, safe='')}/years/{quote(year, safe='')}"


def _usable(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise SectorRefused("CSDL ngành không chấp nhận khoá kết nối của hệ thống.")
    if answer.status_code != httpx.codes.OK:
        raise SectorAway(f"status {answer.status_code}")
    if len(answer.content) > MOST_BYTES:
        raise SectorAway("a page that is too large")
    return answer


def _read(kind: type[P], answer: httpx.Response) -> P:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as problem:
        raise SectorAway("an answer of another form") from problem


Rows = dict[str, dict[str, dict[str, Any]]]
"""By list and id, the fields of every row."""


def sheets_of(rows: Rows) -> list[Sheet]:
    """The sheets that an export of these rows would have. Raises SectorRefused when they are more than may be read."""
    sheets = [_sheet(title, rows.get(name, {}).values(), 1) for name, title in LISTS.items() if name != "results"]
    classes: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows.get("results", {}).values():
        classes.setdefault(str(row.get(CLASS, "")), []).append(row)
    sheets += [_sheet(code or LISTS["results"], each, 3) for code, each in sorted(classes.items())]
    if sum(len(sheet.rows) * len(sheet.rows[0]) for sheet in sheets) > MAX_GRID_CELLS:
        raise SectorRefused("Dữ liệu của CSDL ngành quá lớn.")
    return sheets


def _sheet(title: str, rows: Iterable[Mapping[str, Any]], depth: int) -> Sheet:
    """Headers stand in as many rows as their longest path has words, but no more than `depth`."""
    every = list(rows)
    names = list(dict.fromkeys(name for row in every for name in row))
    paths = [tuple(name.split(SEPARATOR)) if depth > 1 else (name,) for name in names]
    height = min(depth, max(map(len, paths), default=1))
    header: list[list[Cell]] = [[path[at] if at < len(path) else "" for path in paths] for at in range(height)]
    body: list[list[Cell]] = [["" if (value := row.get(name)) is None else value for name in names] for row in every]
    return Sheet(SOURCE, title, header + body)
