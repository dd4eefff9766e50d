"""Pages: Hoạt động của trường, Nhật ký hoạt động, Hoạt động của tôi."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from contracts.menu import ACTIVITY, AUDIT
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.web.lists import done, notices, query_of
from services.chassis.web.look import render
from services.identity.activity import search, watch
from services.identity.activity.routes import ThePool, exported, own_school
from services.identity.activity.search import KEYS, Found, Scope
from services.identity.activity.words import ACTS, KINDS, MACHINES, SERVICES
from services.identity.at_hand import Db
from services.identity.errors import CATALOGUE, PERIOD_TOO_LARGE, WRONG_PERIOD
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here
    from services.identity.activity.rules import Finding

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

MINE = "/ui/identity/my-activity"
SEEN = f"{ACTIVITY}/seen"
EXPORT = f"{AUDIT}/export"
DID = {"seen": ("Đã đánh dấu {n} hoạt động là đã xem.", "Chưa chọn hoạt động nào.")}
UNSEEN_SHOWN = 100
OWN_DOING = frozenset({"night", "device", "bulk", "refusals", "left"})
"""Rules about what the person did; the others are about what was done to the account."""


@router.get("/activity")
async def show_activity(request: Request, here: Settled, db: Db) -> Response:
    """What is unusual on top, then counts, then the latest acts."""
    school = own_school(here.who)
    watched = await watch.watch(db, school)
    names = await _people(db, [f.person for f in watched.findings] + [s["by"] for s in watched.seen.values()])
    fresh: list[dict[str, Any]] = []
    looked_at: list[dict[str, Any]] = []
    for finding in watched.findings:
        seen = watched.seen.get(finding.id)
        shown = {
            "id": finding.id,
            "title": finding.title,
            "reason": finding.reason,
            "at": finding.at,
            "person": names(finding.person),
            "href": _acts_of(finding),
            "seen_by": names(seen["by"]) if seen else "",
            "seen_at": seen["at"] if seen else None,
        }
        (looked_at if seen else fresh).append(shown)
    latest = await search.names_of(db, watched.latest)
    context = {
        "shell": await frame(request, here, db, notices(request, DID, CATALOGUE)),
        "title": "Hoạt động của trường",
        "crumb": "1. Hệ thống",
        "action": SEEN,
        "fresh": fresh[:UNSEEN_SHOWN],
        "fresh_total": len(fresh),
        "looked_at": looked_at[:20],
        "kinds": KINDS,
        "day_columns": [{"text": "Ngày"}, *({"text": text, "number": True} for text in (*KINDS, "Tổng"))],
        "days": [{"day": day, "acts": [acts[kind] for kind in KINDS], "total": sum(acts.values())} for day, acts in watched.days],
        "latest": [search.row(d, latest) for d in watched.latest],
        "audit_href": AUDIT,
    }
    return render(request.app.state.pages, request, "identity/activity.html", context)


def _acts_of(finding: Finding) -> str:
    """The acts of that day, by the person or about them."""
    day = clock.in_vietnam(finding.at).date().isoformat()
    key = "who" if finding.rule in OWN_DOING else "subject"
    return f"{AUDIT}?{urlencode({key: finding.person, 'from': day, 'to': day})}"


async def _people(db: Database, codes: Sequence[str]) -> search.Names:
    found = db["people"].find({"_id": {"$in": list(set(codes))}}, projection={"name": 1})
    return search.Names({**MACHINES, **{each["_id"]: each["name"] async for each in found}})


@router.post("/activity/seen")
async def see(
    here: Settled,
    db: Db,
    ids: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    school = own_school(here.who)
    if not ids:
        return done(ACTIVITY, "seen", 0)
    try:
        return done(ACTIVITY, "seen", await watch.mark_seen(db, here.who, school, ids))
    except Refused as refused:
        return done(ACTIVITY, "seen", 0, [refused.code])


@router.get("/audit")
async def show_audit(request: Request, here: Settled, db: Db) -> Response:
    return await _trail(request, here, db, await search.scope_of(db, here.who))


@router.get("/my-activity")
async def show_own(request: Request, here: Settled, db: Db) -> Response:
    """Everybody's own acts (003, Điều 9: each person answers for what they did)."""
    return await _trail(request, here, db, search.own_scope(here.who))


@router.post("/audit/export")
async def export_period(
    request: Request,
    *,
    here: Settled,
    db: Db,
    pool: ThePool,
    place: Annotated[str, Form(max_length=40)] = "",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    scope = await search.scope_of(db, here.who)
    try:
        return await exported(db, pool, here.who, place=place or here.who.place or "", first=first, last=last)
    except Refused as refused:
        if refused.refusal not in (WRONG_PERIOD, PERIOD_TOO_LARGE):
            raise
        wrong = {"first": f"{refused.cause} {refused.action}"}
        return await _trail(request, here, db, scope, wrong=wrong, typed={"first": first, "last": last, "place": place})


async def _trail(
    request: Request,
    here: Here,
    db: Database,
    scope: Scope,
    *,
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    query = query_of(request, *KEYS)
    errors = dict(wrong or {})
    try:
        found = await search.search(db, scope, query, request.query_params.get("before", "")[:60])
    except Refused as refused:
        if refused.refusal is not WRONG_PERIOD:
            raise
        errors["from"] = f"{refused.cause} {refused.action}"
        found = Found((), "", 0)
    names = await search.names_of(db, found.documents)
    mine = scope.places is None
    today = clock.in_vietnam(clock.now()).date()
    context: dict[str, Any] = {
        "shell": await frame(request, here, db),
        "title": "Hoạt động của tôi" if mine else "Nhật ký hoạt động",
        "crumb": "" if mine else ("6. Học bạ số" if here.who.unit else "1. Hệ thống"),
        "mine": mine,
        "query": query,
        "errors": errors,
        "rows": [search.row(d, names) for d in found.documents],
        "total": found.total,
        "most": search.MOST_COUNTED,
        "first_page": not request.query_params.get("before"),
        "next": found.next,
        "kinds": [("", "Tất cả"), *((kind, kind) for kind in KINDS)],
        "acts": [("", "Tất cả"), *sorted(((act, words.text) for act, words in ACTS.items()), key=lambda pair: pair[1])],
        "services": [("", "Tất cả"), *SERVICES.items()],
        "places": await _places(db, scope),
        "export_action": "" if mine else EXPORT,
        "export": typed or {"first": (today - dt.timedelta(days=30)).isoformat(), "last": today.isoformat(), "place": here.who.place or ""},
    }
    return render(request.app.state.pages, request, "identity/audit.html", context, status_code=422 if errors else 200)


async def _places(db: Database, scope: Scope) -> list[tuple[str, str]]:
    """To choose from; empty when there is one alone."""
    if scope.places is None or len(scope.places) < 2:
        return []
    codes = {"_id": {"$in": list(scope.places)}}
    found = [(d["_id"], d["name"]) for c in ("units", "schools") for d in await db[c].find(codes, projection={"name": 1}).to_list(None)]
    return [("", "Tất cả"), *found]
