"""Lists on pages: what the address asks for, what a form has ticked, and what an act did.

What an act did stands in the address of the page that follows, as numbers and codes only: never a name, never a text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse

from services.chassis.errors import Refusal
from services.chassis.web.look import Notice, Paging, vn_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType

    from starlette.datastructures import FormData

PAGE_SIZE = 50
MOST_TICKED = 5000
LONGEST_VALUE = 120
T = TypeVar("T")


def query_of(request: Request, *keys: str) -> dict[str, str]:
    """The named keys of the address that have a value; whatever else stands there is left out."""
    return {k: v for k in keys if (v := request.query_params.get(k, "").strip()[:LONGEST_VALUE])}


def count_in(text: str) -> int:
    """A number from an address; anything else counts as 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def paged(rows: Sequence[T], query: Mapping[str, str], size: int = PAGE_SIZE) -> tuple[Sequence[T], Paging]:
    """The rows of the page that `query` asks for; a page beyond the end is the last one."""
    last = max(1, -(-len(rows) // size))
    paging = Paging(min(max(1, count_in(query.get("page", ""))), last), size, len(rows))
    return rows[(paging.page - 1) * size : paging.page * size], paging


def ordered(rows: Iterable[T], query: Mapping[str, str], keys: Mapping[str, Callable[[T], Any]]) -> list[T]:
    """Sorted as `query` asks ("sort", "order"); rows that are equal there, or all, by the first of `keys`."""
    first, *_ = keys
    found = sorted(rows, key=keys[first])
    asked = keys.get(query.get("sort", ""))
    if asked is not None:
        found.sort(key=asked, reverse=query.get("order") == "desc")
    return found


@dataclass(frozen=True)
class Ticked:
    """What a bulk form sends: ids, or with `filter` everything that the list's filter finds."""

    ids: tuple[str, ...]
    filter: Mapping[str, str] | None
    form: FormData

    def field(self, name: str) -> str:
        value = self.form.get(name)
        return value if isinstance(value, str) else ""


async def ticked(request: Request) -> Ticked:
    form = await request.form(max_fields=MOST_TICKED + 50)
    ids = tuple(dict.fromkeys(i for i in form.getlist("ids") if isinstance(i, str) and i))
    found = Ticked(ids, None, form)
    if not found.field("all"):
        return found
    return Ticked(ids, dict(parse_qsl(found.field("filter").removeprefix("?"))), form)


def done(address: str, act: str, number: int, refused: Iterable[str] = ()) -> RedirectResponse:
    """Lead on to `address`, telling that `act` was done `number` times and that each of `refused` (a code) was not."""
    codes = list(refused)
    told = {"did": act, "n": number, "left": len(codes), "why": ",".join(sorted(set(codes)))}
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(told)}", status_code=303)


def notices(request: Request, words: Mapping[str, tuple[str, str]], catalogue: Mapping[str, Refusal]) -> list[Notice]:
    """What `done` told, in words: `words` has for each act what was done ("Đã gửi {n} …") and what to say when it was nothing."""
    query = request.query_params
    if query.get("did") not in words:
        return []
    number, left = count_in(query.get("n", "")), count_in(query.get("left", ""))
    some, nothing = words[query["did"]]
    found = []
    if number:
        found.append(Notice("success", some.format(n=vn_number(number))))
    if left:
        reasons = "".join(f" {catalogue[code].title}." for code in query.get("why", "").split(",") if code in catalogue)
        found.append(Notice("error", f"{vn_number(left)} mục không thực hiện được.{reasons}"))
    return found or [Notice("info", nothing)]


def reworded(catalogue: Mapping[str, Refusal], said: Callable[[str], str]) -> dict[str, Refusal]:
    """The same refusals, with every text as `said` has it."""
    return {c: replace(r, title=said(r.title), cause=said(r.cause), action=said(r.action)) for c, r in catalogue.items()}


def catalogue_of(*modules: ModuleType) -> dict[str, Refusal]:
    """Every refusal that the modules list, by code."""
    return {value.code: value for module in modules for value in vars(module).values() if isinstance(value, Refusal)}
