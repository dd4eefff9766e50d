"""Pages of the oversight unit: the tree with its schools, one unit, one school."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from contracts.access import Action, Principal
from contracts.menu import ORGANISATIONS, entry_of
from services.chassis.access import require
from services.chassis.vietnamese import fold
from services.chassis.web import lists
from services.chassis.web.look import render
from services.identity.at_hand import Db
from services.identity.errors import CATALOGUE
from services.identity.organisations import errors, opening, page_parts, people, spans, store, year_pages
from services.identity.organisations.change_routes import branch_changes, unit_of
from services.identity.organisations.changes import Kind
from services.identity.organisations.page_parts import CHANGE, CHANGES, CRUMB, DID, PAGE, SCHOOLS, UNITS
from services.identity.organisations.routes import school_of
from services.identity.pages import Settled, frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.chassis.web.look import Notice

router = APIRouter(prefix=PAGE, include_in_schema=False)

EVERY_STATE = (store.DONE, store.PLANNED, store.UNDONE, store.FAILED)
UNIT_ACTS = (Kind.RENAME_UNIT, Kind.MOVE_UNIT, Kind.MERGE_UNIT, Kind.ABOLISH_UNIT)
SCHOOL_ACTS = (Kind.RENAME_SCHOOL, Kind.MOVE_SCHOOL, Kind.CLOSE_SCHOOL)


@router.get("")
async def show_tree(request: Request, here: Settled, db: Db) -> Response:
    unit = branch_of(here.who)
    query = lists.query_of(request, "name", "kind", "state", "page")
    units, schools = await store.units_below(db, unit), await store.schools_below(db, unit)
    rows = [row for row in _walk(unit, units, schools) if _found(row, query)]
    page, paging = lists.paged(rows, query)
    waiting = await branch_changes(db, here.who, (store.PLANNED, store.FAILED))
    context = {
        "shell": await frame(request, here, db, told(request)),
        "title": entry_of(here.who, ORGANISATIONS).title,
        "crumb": CRUMB,
        "query": query,
        "paging": paging,
        "rows": page,
        "counts": [
            ("Đơn vị đang hoạt động", sum(not u.get("ended_on") for u in units), "neutral"),
            ("Trường đang hoạt động", sum(not s.get("ended_on") for s in schools), "neutral"),
            ("Thay đổi chờ đến ngày", sum(c["state"] == store.PLANNED for c in waiting), "waiting"),
            ("Thay đổi không thực hiện được", sum(c["state"] == store.FAILED for c in waiting), "danger"),
        ],
        "new_unit_href": f"{UNITS}/new?parent={unit}",
        "new_school_href": f"{SCHOOLS}/new?unit={unit}",
        "changes_href": CHANGES,
    }
    return render(request.app.state.pages, request, "identity/organisations.html", context)


def _walk(root: str, units: Sequence[Document], schools: Sequence[Document]) -> Iterator[dict[str, Any]]:
    """Each unit with its schools right below it, then the units under it; what has ended stands where it last was."""
    names = {u["_id"]: u["name"] for u in units}
    under: dict[str, list[Document]] = {}
    for document in sorted((*schools, *units), key=lambda d: ("unit" not in d, fold(d["name"]))):
        under.setdefault(spans.above(document) or "", []).append(document)
    waiting = [(u, 0) for u in units if u["_id"] == root]
    while waiting:
        document, depth = waiting.pop()
        is_school = "unit" in document
        yield {
            "name": document["name"],
            "code": document["_id"],
            "href": page_parts.address_of(document),
            "depth": depth,
            "kind": "school" if is_school else "unit",
            "above": names.get(spans.above(document) or "", ""),
            "levels": page_parts.levels_text(document["levels"]) if is_school else "",
            "year": (document["year"] or "") if is_school else "",
            "ended": bool(document.get("ended_on")),
            "state": page_parts.state_text(document),
        }
        if not is_school:
            waiting.extend((child, depth + 1) for child in reversed(under.get(document["_id"], [])))


def _found(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    wanted = fold(query.get("name", ""))
    state = query.get("state", "")
    return (
        (wanted in fold(row["name"]) or wanted in fold(row["code"]))
        and query.get("kind", "") in ("", row["kind"])
        and (state in ("", "all") or row["ended"] == (state == "ended"))
    )


@router.get("/units/{code}")
async def show_unit(request: Request, code: str, here: Settled, db: Db) -> Response:
    unit = await unit_of(db, code, here.who)
    officers = await store.officers_of(db, code)
    units, schools = await store.units_below(db, code), await store.schools_below(db, code)
    lives = not unit.get("ended_on")
    # a unit is changed by those above it; nobody changes the own place in the tree
    acts = [k for k in UNIT_ACTS if unit["parent"] is not None or k is Kind.RENAME_UNIT]
    may_change = lives and _above_or_root(here.who, unit)
    context = {
        "shell": await frame(request, here, db, told(request)),
        "title": unit["name"],
        "crumb": CRUMB,
        "facts": [
            ("Mã đơn vị", unit["_id"]),
            ("Trực thuộc", await page_parts.chain(db, unit["path"][:-1]) or "Đơn vị cao nhất"),
            ("Tình trạng", page_parts.state_text(unit)),
            *(await _successor(db, unit)),
            ("Cán bộ quản lý", ", ".join(f"{p['name']} ({p['_id']})" for p in officers)),
        ],
        "counts": [
            ("Đơn vị trực thuộc", sum(u["_id"] != code and not u.get("ended_on") for u in units), "neutral"),
            ("Trường", sum(not s.get("ended_on") for s in schools), "neutral"),
        ],
        "acts": _acts(acts, code) if may_change else [],
        "new_unit_href": f"{UNITS}/new?parent={code}" if lives else "",
        "new_school_href": f"{SCHOOLS}/new?unit={code}" if lives else "",
        "rows": [{**row, "depth": 0} for row in _walk(code, units, schools) if row["depth"] == 1],
        "past": await page_parts.past(db, unit),
        "changes": await page_parts.change_rows(db, await store.changes_of(db, [code], EVERY_STATE)),
        "list_href": PAGE,
    }
    return render(request.app.state.pages, request, "identity/unit.html", context)


@router.get("/schools/{code}")
async def show_school(request: Request, code: str, here: Settled, db: Db) -> Response:
    school = await school_of(db, code)
    require(here.who, Action.MANAGE_ORGANISATIONS, path=tuple(school["path"]))
    staff = await store.people_of(db, code)
    lives = not school.get("ended_on")
    context = {
        "shell": await frame(request, here, db, told(request)),
        "title": school["name"],
        "crumb": CRUMB,
        "facts": [*await page_parts.school_facts(db, school), *(await _successor(db, school))],
        "acts": _acts(SCHOOL_ACTS, code) if lives else [],
        "edit_href": f"{SCHOOLS}/{code}/edit" if lives else "",
        "administrators": [
            {"name": p["name"], "code": p["_id"], "position": p["position"], "take_href": f"{SCHOOLS}/{code}/administrators/{p['_id']}"}
            for p in sorted(staff.values(), key=lambda p: str(p["_id"]))
            if people.is_administrator(p)
        ],
        "name_href": f"{SCHOOLS}/{code}/administrators" if lives else "",
        "past": await page_parts.past(db, school),
        "changes": await page_parts.change_rows(db, await store.changes_of(db, [code], EVERY_STATE)),
        **year_pages.section(here.who, school, await opening.years(db, school)),
    }
    return render(request.app.state.pages, request, "identity/school.html", context)


async def _successor(db: Database, document: Document) -> list[tuple[str, str]]:
    code: str = document.get("successor") or ""
    if not code:
        return []
    return [("Đơn vị kế thừa" if "parent" in document else "Trường kế thừa", (await store.names(db, [code])).get(code, code))]


def _acts(kinds: Sequence[Kind], code: str) -> list[dict[str, str]]:
    return [{"text": page_parts.ACTS[kind], "href": f"{CHANGE}?kind={kind.value}&code={code}"} for kind in kinds]


def _above_or_root(who: Principal, unit: Document) -> bool:
    return who.unit in (unit["path"][:-1] or unit["path"])


def branch_of(who: Principal) -> str:
    """The officer's unit. Raises Refused(FORBIDDEN) for everybody else."""
    require(who, Action.MANAGE_ORGANISATIONS, path=(who.unit,) if who.unit else ())
    return who.unit or ""


def told(request: Request) -> list[Notice]:
    return lists.notices(request, DID, {**CATALOGUE, **lists.catalogue_of(errors)})
