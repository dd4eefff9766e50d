"""Pages "Số hóa học bạ giấy": what is to be digitised, its plan, one pupil's paper beside its data, and typing the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from contracts.access import Action, Principal, allowed
from contracts.menu import CANCELLATION, CONFIRMATION, DIGITISATION, IMPORTS, entry_of
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import render, with_query
from services.records.at_hand import own_school, parts_of, store_of
from services.records.digitisation import desk, routes, store
from services.records.digitisation.errors import (
    BORN_DIGITAL,
    DATA_CHANGED,
    REASON_NEEDED,
    SCAN_NEEDED,
    TICK_NEEDED,
    TRANSCRIPT_STANDS,
    WRONG_PAPER,
    WRONG_PERSON,
    WRONG_SCAN,
    WRONG_YEAR,
)
from services.records.digitisation.one_page import context_of
from services.records.digitisation.routes import Check, Chosen, OneYear, Pupil
from services.records.digitisation.rules import FIRST_YEAR, PROGRESS_WORDS, Progress
from services.records.digitisation.scan import MOST_PAGES
from services.records.locks.errors import YEAR_LOCKED
from services.records.page_parts import framed, newest
from services.records.printing.settings import may_lead
from services.records.transcripts.creation_pages import followed
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.digitisation.cases import Case, Digitised

router = APIRouter(prefix="/ui/records", include_in_schema=False)
PLAN = f"{DIGITISATION}/plan"
FILTERS = ("year", "state", "class", "name", "sort", "order", "page")
TONES = {
    Progress.NO_SCAN: "neutral",
    Progress.NO_DATA: "neutral",
    Progress.REVIEWING: "waiting",
    Progress.SENT_BACK: "danger",
    Progress.REVIEWED: "info",
    Progress.CREATED: "success",
}
TYPED_YEAR = ("year", "reviewer", "leader", "note")
TYPED_PUPIL = ("pupil", "year", "grade", "class_name", "paper_school", "reviewer", "leader")


# --- the list


@router.get("/digitisation")
async def show_list(request: Request, who: Who, job: str = "") -> Response:
    query = query_of(request, *FILTERS)
    years, year, cases, shared = await routes.visible_cases(request, who, query.get("year"))
    rows = _rows(cases, shared, query) if shared else []
    page, paging = paged(rows, query)
    looked_at = await _reading(request, who, year)
    school = own_school(who)
    progress = await followed(request, who, looked_at, {"year": year}, job=job)
    shell = await framed(request, who, await newest(request, who))
    if progress["progress"] and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/job_panel.html", {"shell": shell, **progress})
    may_create = allowed(who, Action.CREATE, school=school)
    context = {
        "shell": shell,
        "title": entry_of(who, DIGITISATION).title,
        "query": {**query, "year": year} if year else query,
        "paging": paging,
        "years": [(y, y) for y in years],
        "states": [("", "Tất cả"), *((p.value, words) for p, words in PROGRESS_WORDS.items())],
        "classes": [("", "Tất cả"), *((c, c) for c in sorted({case.school_class.name for case in cases}))],
        "plan_href": PLAN if allowed(who, Action.PLAN_DIGITISATION, school=school) else "",
        "imports_href": IMPORTS if allowed(who, Action.IMPORT, school=school) else "",
        "confirmation_href": f"{CONFIRMATION}?year={year}" if looked_at and allowed(who, Action.CONFIRM, school=school) else "",
        "cancellation_href": f"{CANCELLATION}?year={year}" if looked_at and allowed(who, Action.DECIDE_RETURNS, school=school) else "",
        "plan": _plan(shared) if shared and shared.plan else None,
        "counts": [(PROGRESS_WORDS[p], sum(c.progress is p for c in cases), TONES[p]) for p in Progress],
        "action": f"{DIGITISATION}{with_query({}, year=year)}",
        "selectable": sum(r["selectable"] for r in rows) if may_create else 0,
        "rows": page,
        **progress,
    }
    return render(request.app.state.pages, request, "records/digitisation.html", context)


async def _reading(request: Request, who: Principal, year: str) -> Reading | None:
    """None while nothing of the year is there."""
    known = await store_of(request).years(own_school(who))
    return await Reading.of(store_of(request), who, own_school(who), year) if year in known else None


def _plan(shared: Digitised) -> dict[str, Any]:
    assert shared.plan is not None
    people = {k: shared.name(shared.plan[k]) for k in ("reviewer", "leader")}
    return {"year": shared.year, "note": shared.plan["note"], **people}


def _rows(cases: list[Case], shared: Digitised, query: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = fold(query.get("name", ""))
    found = [
        _row(c, shared)
        for c in cases
        if query.get("state", "") in ("", c.progress.value)
        and query.get("class", "") in ("", c.school_class.name)
        and (wanted in fold(c.pupil["name"]) or wanted in fold(c.pupil["code"]))
    ]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "state": lambda r: list(Progress).index(Progress(r["state"])),
    }
    return ordered(found, query, keys)


def _row(case: Case, shared: Digitised) -> dict[str, Any]:
    progress = case.progress
    waiting = [shared.name(p.reviewer) for p in case.parts if case.seen(p) != "CHECKED"]
    return {
        "code": case.pupil["code"],
        "name": case.pupil["name"],
        "class_name": case.school_class.name,
        "grade": case.school_class.grade,
        "source": case.item["paper_school"] or "Học bạ giấy của trường",
        "state": progress.value,
        "state_text": PROGRESS_WORDS[progress],
        "tone": TONES[progress],
        "waiting": ", ".join(dict.fromkeys(waiting)) if progress in (Progress.REVIEWING, Progress.SENT_BACK) else "",
        "transcript": WORDS[State(case.transcript["state"])] if case.transcript else "",
        "transcript_href": f"/ui/records/transcripts/{case.transcript['_id']}" if case.transcript else "",
        "href": f"{DIGITISATION}/{case.item['year']}/{case.pupil['code']}",
        "selectable": progress is Progress.REVIEWED and case.item["year"] >= FIRST_YEAR,
    }


@router.post("/digitisation")
async def create(request: Request, who: Who) -> Response:
    """Make transcripts of those who are ticked, or of all that the filter finds."""
    require(who, Action.CREATE, school=own_school(who))
    chosen = await ticked(request)
    query = {**query_of(request, "year"), **(chosen.filter or {})}
    _, year, cases, shared = await routes.visible_cases(request, who, query.get("year"))
    ids = list(chosen.ids)
    if chosen.filter is not None and shared:
        ids = [r["code"] for r in _rows(cases, shared, query) if r["selectable"]]
    here = f"{DIGITISATION}{with_query({}, year=year)}"
    if not ids:
        return done(here, "create", 0)
    started = await routes.create(request, who, year, Chosen(pupils=ids))
    return RedirectResponse(f"{here}&job={started['job']}", status_code=303)


# --- the plan


@router.get("/digitisation/plan")
async def show_plan(request: Request, who: Who) -> Response:
    return await _plan_page(request, who, {}, {}, {})


@router.post("/digitisation/plan")
async def take_plan(request: Request, who: Who) -> Response:
    require(who, Action.PLAN_DIGITISATION, school=own_school(who))
    typed = await _typed(request, TYPED_YEAR)
    try:
        opened = await routes.open_year(request, who, desk.YearOrder(**typed))
    except Refused as refused:
        return await _plan_page(request, who, typed, {}, _said(refused, {WRONG_YEAR.code: "year", WRONG_PERSON.code: "reviewer"}), refused)
    return done(f"{DIGITISATION}?year={opened['year']}", "digitisation-plan", 1)


@router.post("/digitisation/pupils")
async def take_pupil(request: Request, who: Who) -> Response:
    require(who, Action.PLAN_DIGITISATION, school=own_school(who))
    typed = await _typed(request, TYPED_PUPIL)
    try:
        opened = await routes.open_pupil(request, who, desk.PupilOrder(**typed))
    except Refused as refused:
        fields = {WRONG_YEAR.code: "p-year", WRONG_PERSON.code: "p-reviewer", WRONG_PAPER.code: "pupil", TRANSCRIPT_STANDS.code: "pupil"}
        return await _plan_page(request, who, {}, typed, _said(refused, fields), refused)
    return done(f"{DIGITISATION}/{opened['year']}/{opened['pupil']}", "digitisation-pupil", 1)


def _said(refused: Refused, fields: Mapping[str, str]) -> dict[str, str]:
    """At its field; what is about none stands alone. Raises what a page cannot say."""
    if refused.refusal.status not in (409, 422):
        raise refused
    return {fields.get(refused.code, "_form"): f"{refused.cause} {refused.action}"}


async def _typed(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    form = await request.form()
    return {name: value[:1000] if isinstance(value := form.get(name), str) else "" for name in names}


async def _plan_page(  # noqa: PLR0917 - two forms with what was filled in and what was wrong
    request: Request,
    who: Principal,
    of_year: Mapping[str, str],
    of_pupil: Mapping[str, str],
    errors: Mapping[str, str],
    refused: Refused | None = None,
) -> Response:
    school, records = own_school(who), store_of(request)
    require(who, Action.PLAN_DIGITISATION, school=school)
    looked_at = await newest(request, who)
    people = sorted((await records.staff(school, looked_at.year)).values(), key=lambda s: given_name_key(s.name)) if looked_at else []
    head = next((s.code for s in people if s.position.casefold().startswith("hiệu trưởng")), "")
    names = {s.code: s.name for s in people}
    context = {
        "shell": await framed(request, who, looked_at),
        "title": "Kế hoạch số hóa",
        "back_href": DIGITISATION,
        "newest": looked_at.year if looked_at else "",
        "plan_action": PLAN,
        "pupil_action": f"{DIGITISATION}/pupils",
        "reviewers": [("", "Chọn cán bộ"), *((s.code, f"{s.name} – {s.position}") for s in people if not may_lead(s))],
        "leaders": [("", "Chọn lãnh đạo"), *((s.code, f"{s.name} – {s.position}") for s in people if may_lead(s))],
        "typed": {"year": "", "reviewer": "", "leader": head, "note": "", **of_year},
        "pupil": {**dict.fromkeys(TYPED_PUPIL, ""), "leader": head, "pupil": request.query_params.get("pupil", "")[:40], **of_pupil},
        "plans": [
            {**{k: p[k] for k in ("year", "note")}, **{k: names.get(p[k], p[k]) for k in ("reviewer", "leader")}}
            for p in await store.plans(records.db, school)
        ],
        "errors": errors,
    }
    status = refused.refusal.status if refused else 200
    return render(request.app.state.pages, request, "records/digitisation_plan.html", context, status_code=status)


# --- one pupil


@router.get("/digitisation/{year}/{pupil}")
async def show_one(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    return await _one(request, who, year, pupil)


@router.post("/digitisation/{year}/{pupil}/scan")
async def keep_scan(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    require(who, Action.DIGITISE, school=own_school(who))
    form = await request.form(max_files=MOST_PAGES + 1, max_fields=10)
    files = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
    try:
        _, case = await routes.seen_case(request, who, year, pupil)
        contents = await routes.contents_of(files)
        await desk.keep_scan(parts_of(request), store_of(request), case, contents, actor=who.person)
    except Refused as refused:
        return await _again(request, who, year, pupil, refused, {WRONG_SCAN.code: "files"})
    return done(f"{DIGITISATION}/{year}/{pupil}", "digitisation-scan", 1)


@router.post("/digitisation/{year}/{pupil}/check")
async def review(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    form = await _typed(request, ("part", "digest", "act", "reason", "ticked"))
    check = Check(
        part=form["part"][:100],
        digest=form["digest"][:64],
        verdict="sent back" if form["act"] == "back" else "reviewed",
        reason=form["reason"],
        ticked=bool(form["ticked"]),
    )
    try:
        await routes.review(request, who, year, pupil, check)
    except Refused as refused:
        fields = {TICK_NEEDED.code: f"ticked-{check.part}", REASON_NEEDED.code: f"reason-{check.part}"}
        return await _again(request, who, year, pupil, refused, fields)
    return done(f"{DIGITISATION}/{year}/{pupil}", "digitisation-back" if check.verdict == "sent back" else "digitisation-check", 1)


SPOKEN = (WRONG_SCAN, TICK_NEEDED, REASON_NEEDED, DATA_CHANGED, SCAN_NEEDED, TRANSCRIPT_STANDS, YEAR_LOCKED, BORN_DIGITAL)


async def _again(request: Request, who: Principal, year: str, pupil: str, refused: Refused, fields: Mapping[str, str]) -> Response:  # noqa: PLR0917 - the page, and what was wrong on it
    """The same page with what was wrong."""
    if refused.refusal not in SPOKEN:
        raise refused
    return await _one(request, who, year, pupil, errors=_said(refused, fields), status=refused.refusal.status)


async def _one(
    request: Request, who: Principal, year: str, pupil: str, *, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    shared, case = await routes.seen_case(request, who, year, pupil)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "back_href": f"{DIGITISATION}?year={year}",
        **context_of(case, shared, who),
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "records/digitised.html", context, status_code=status)
