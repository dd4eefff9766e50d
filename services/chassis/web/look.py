"""The shared look: one Jinja2 environment, Vietnamese formats, static files with lasting addresses, error pages.

A service makes its environment once (`TEMPLATES = templates("services.identity")`), mounts the static files on its web
application and answers every page with `render(...)`, which adds the security headers. Templates are named by package:
"identity/sign_in.html", "chassis/confirm.html". What a page needs stands in a comment on top of its template.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from services.chassis.clock import in_vietnam
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key

STATIC_PREFIX = "/static"

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "object-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every page: nothing inline, nothing from elsewhere, never stored."""

DOCUMENT_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of a PDF that a page of ours shows inside itself."""


@dataclass(frozen=True)
class MenuItem:
    """One entry of the service menu. `number` as the guides print it ("2.1."), or "" where they have none."""

    number: str
    text: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class MenuGroup:
    """A group of the service menu ("1. Hệ thống")."""

    title: str
    entries: Sequence[MenuItem]


@dataclass(frozen=True)
class User:
    """Who is signed in; `links` are extra entries of the user menu as (text, href)."""

    name: str
    role: str
    sign_out: str
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Notice:
    """A message on top of a page. `kind`: "success", "info" or "error"."""

    kind: str
    text: str
    title: str = ""
    href: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class Deadline:
    """A date that binds the work on this page; `days_left` is negative once it has passed."""

    text: str
    date: dt.date
    days_left: int


@dataclass(frozen=True)
class Shell:
    """What surrounds every page; `csrf` goes into every form that changes something, `report` leads to reporting a problem with it."""

    product: str
    home: str = "/"
    organisation: str = ""
    period: str = ""
    menu: Sequence[MenuGroup] = ()
    user: User | None = None
    notices: Sequence[Notice] = ()
    deadline: Deadline | None = None
    csrf: str = ""
    request_id: str = ""
    report: str = ""


@dataclass(frozen=True)
class Paging:
    """One page out of a filtered list: `page` counts from 1, `total` is the number of rows that the filter finds."""

    page: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return min(self.total, (self.page - 1) * self.size + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.page * self.size)

    @property
    def numbers(self) -> list[int | None]:
        """Page numbers to offer; None stands for a gap."""
        near = {1, self.pages, self.page - 1, self.page, self.page + 1}
        shown = sorted(number for number in near if 1 <= number <= self.pages)
        numbers: list[int | None] = []
        for number in shown:
            if numbers and number - (numbers[-1] or 0) > 1:
                numbers.append(None)
            numbers.append(number)
        return numbers


@dataclass(frozen=True)
class Progress:
    """State of a long piece of work. `href` is the page that shows it; while `running`, it is asked again every two seconds.

    `message` says in words what is going on; `outcome` is the tone of the end: "success", "warning" or "danger".
    `events`: the address of server-sent events that tell when to ask; then it is asked by time only every ten seconds.
    """

    title: str
    total: int
    done: int
    failed: int
    running: bool
    href: str
    message: str
    waiting: int = 0
    eta: str = ""
    outcome: str = "success"
    events: str = ""

    @property
    def settled(self) -> int:
        return self.done + self.failed


@dataclass(frozen=True)
class Asset:
    """One static file: its lasting name carries the digest of its content."""

    name: str
    media_type: str
    body: bytes
    packed: bytes = field(repr=False)


def templates(*packages: str) -> Jinja2Templates:
    """Environment over the chassis templates and those of the named packages ("services.identity" → "identity/…").

    Everything is escaped, an undefined name is an error. Raises ModuleNotFoundError for a package that does not exist.
    """
    folders = {"chassis": _HERE / "templates"}
    for package in packages:
        folders[package.rpartition(".")[2]] = _folder(package) / "templates"
    environment = Environment(
        loader=PrefixLoader({prefix: FileSystemLoader(folder) for prefix, folder in folders.items()}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        vn_date=vn_date,
        vn_time=vn_time,
        vn_number=vn_number,
        vn_percent=vn_percent,
        by_given_name=by_given_name,
        with_query=with_query,
        file_size=file_size,
    )
    environment.globals["static"] = static_url
    environment.globals["second_factor_off"] = False
    return Jinja2Templates(env=environment)


def render(
    pages: Jinja2Templates,
    request: Request,
    name: str,
    context: Mapping[str, Any],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Answer with a page and its security headers; `context` must hold `shell` (see `Shell`)."""
    return pages.TemplateResponse(request, name, dict(context), status_code=status_code, headers={**PAGE_HEADERS, **(headers or {})})


def confirm_page(
    pages: Jinja2Templates,
    request: Request,
    *,
    shell: Shell,
    title: str,
    question: str,
    action: str,
    confirm: str,
    cancel_href: str,
    crumb: str = "",
    fields: Sequence[tuple[str, str]] = (),
    facts: Sequence[tuple[str, str]] = (),
    items: Sequence[str] = (),
    count: int = 0,
    warning: str = "",
    danger: bool = False,
    reason: tuple[str, str] | None = None,
    missing: str = "",
) -> HTMLResponse:
    """Asks before something happens; what the values are stands on top of the template.

    `items` are the first of `count`. `reason` (label, hint) asks for a reason; `missing` is what to say when it was not given (422).
    """
    context = {
        "shell": shell,
        "title": title,
        "crumb": crumb,
        "question": question,
        "action": action,
        "confirm": confirm,
        "cancel_href": cancel_href,
        "fields": fields,
        "facts": facts,
        "items": items,
        "count": count,
        "warning": warning,
        "danger": danger,
        "reason": {"label": reason[0], "hint": reason[1], "value": ""} if reason else None,
        "errors": {"reason": missing} if missing else {},
    }
    return render(pages, request, "chassis/confirm.html", context, status_code=422 if missing else 200)


def error_page(pages: Jinja2Templates, request: Request, refused: Refused, *, shell: Shell, retry_after: int | None = None) -> HTMLResponse:
    """Page of a refusal: its code (HB-…), what happened, what to do next; the request id comes from the shell.

    `retry_after` in seconds is both shown and sent as a header (429, 503).
    """
    context = {
        "shell": shell,
        "code": refused.code,
        "title": refused.refusal.title,
        "cause": refused.cause,
        "action": refused.action,
        "retry_after": retry_after,
    }
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return render(pages, request, "chassis/error.html", context, status_code=refused.refusal.status, headers=headers)


def mount_static(app: FastAPI, prefix: str = STATIC_PREFIX) -> None:
    """Serve the static files under their lasting names for a year; an unknown name is 404."""

    async def serve(request: Request, name: str) -> Response:
        asset = _assets_by_lasting_name().get(name)
        if asset is None:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    app.add_api_route(f"{prefix}/{{name}}", serve, methods=["GET", "HEAD"], include_in_schema=False, response_class=Response)


def static_url(name: str) -> str:
    """Address of a static file ("look.css") that changes whenever its content does. Raises KeyError for an unknown file."""
    return f"{STATIC_PREFIX}/{_assets()[name].name}"


_POINTS = str.maketrans(",.", ".,")


def vn_date(value: dt.date | None) -> str:
    """dd/MM/yyyy; a moment is first brought to Vietnamese time. None gives a dash."""
    if value is None:
        return "–"
    if isinstance(value, dt.datetime):
        value = _in_vietnam(value).date()
    return f"{value:%d/%m/}{value.year:04d}"


def vn_time(value: dt.datetime | None) -> str:
    """dd/MM/yyyy HH:mm +07:00. Raises ValueError for a moment without a time zone. None gives a dash."""
    if value is None:
        return "–"
    return f"{vn_date(value)} {_in_vietnam(value):%H:%M} +07:00"


def vn_number(value: int | float | Decimal) -> str:
    """1240 → "1.240", 8.5 → "8,5": points between thousands, a comma before decimals."""
    return f"{value:,}".translate(_POINTS)


def vn_percent(part: int, whole: int) -> str:
    """Share of `whole` as whole per cent, never rounded up to 100 nor down to 0; no whole gives a dash."""
    if whole == 0:
        return "–"
    share = round(100 * part / whole)
    if 0 < part < whole:
        share = min(99, max(1, share))
    return f"{share}%"


def file_size(size: int) -> str:
    """Bytes in words: "812 B", "90 KB", "1,4 MB"."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{round(size / 1000)} KB"
    return f"{vn_number(round(size / 1_000_000, 1))} MB"


def by_given_name(rows: Sequence[Any], attribute: str = "name") -> list[Any]:
    """Rows (mappings or objects) in the order of the given name of the person in `attribute`."""
    return sorted(rows, key=lambda row: given_name_key(row[attribute] if isinstance(row, Mapping) else getattr(row, attribute)))


def with_query(query: Mapping[str, str], **changes: str | int | None) -> str:
    """The query string of the present filters with changes; None takes a key out. Empty values are left out."""
    merged = {**query, **changes}
    kept = {key: str(value) for key, value in merged.items() if value not in (None, "")}
    return "?" + urlencode(kept)


def _in_vietnam(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without time zone cannot be shown")
    return in_vietnam(value)


def _folder(package: str) -> Path:
    module = importlib.import_module(package)
    return Path(module.__path__[0])


@cache
def _assets() -> dict[str, Asset]:
    assets = {}
    for path in sorted(_STATIC.iterdir()):
        if path.suffix not in _MEDIA_TYPES:
            continue
        body = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
        assets[path.name] = Asset(name, _MEDIA_TYPES[path.suffix], body, gzip.compress(body, 9, mtime=0))
    return assets


@cache
def _assets_by_lasting_name() -> dict[str, Asset]:
    return {asset.name: asset for asset in _assets().values()}
