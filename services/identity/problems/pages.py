"""Pages: Báo lỗi, the reports and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from contracts.menu import PROBLEMS
from services.chassis.errors import Refused
from services.chassis.web.lists import done, notices, paged, query_of
from services.chassis.web.look import render, vn_number
from services.chassis.web.shell import OWN_PROBLEMS
from services.identity.at_hand import Db
from services.identity.errors import ANSWER_NEEDED, CATALOGUE, TOO_MANY_PROBLEMS
from services.identity.organisations import store as organisations
from services.identity.pages import Settled, check_form, frame
from services.identity.problems import desk, reports, store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

NEW = f"{PROBLEMS}/new"
DID = {
    "reported": ("Đã gửi báo lỗi. Thầy/cô xem trả lời tại đây.", "Chưa gửi được báo lỗi."),
    "answered": ("Đã ghi nhận trả lời.", "Chưa ghi nhận được trả lời."),
}
EXCERPT = 120


@router.get("/problems")
async def show_problems(request: Request, here: Settled, db: Db) -> Response:
    """Those to answer and the own ones; `mine` asks for the own ones alone."""
    query = query_of(request, "state", "mine", "page")
    places = [] if query.get("mine") else await desk.to_answer(db, here.who)
    found = await store.problems(db, {"$or": [{"by": here.who.person}, {"place": {"$in": places}}]})
    shown, paging = paged([d for d in found if query.get("state", "") in ("", d["state"])], query)
    people = await organisations.people_by_code(db, {d["by"] for d in shown})
    by_school = [] if query.get("mine") else await desk.by_school(db, here.who)
    context = {
        "shell": await frame(request, here, db, notices(request, DID, CATALOGUE)),
        "title": "Báo lỗi" if places else "Báo lỗi đã gửi",
        "crumb": "1. Hệ thống" if places else "",
        "query": query,
        "paging": paging,
        "new_href": NEW,
        "rows": [
            {
                "id": d["_id"],
                "href": f"{PROBLEMS}/{d['_id']}",
                "what": d["what"][:EXCERPT] + ("…" if len(d["what"]) > EXCERPT else ""),
                "by": people[d["by"]]["name"] if d["by"] in people else d["by"],
                "at": d["at"],
                "state": d["state"],
                "answered_at": d["answered_at"],
                "unread": not d["read"] and d["by"] == here.who.person,
            }
            for d in shown
        ],
        "by_school": [{"name": name, **{state: counted.get(state, 0) for state in reports.STATES}} for name, counted in by_school],
    }
    return render(request.app.state.pages, request, "identity/problems.html", context)


@router.get("/problems/new")
async def ask_what(request: Request, here: Settled, db: Db, page: str = "") -> Response:
    # the request of the page where it happened, not the one that shows this form
    return await _form(request, here, db, page=page, told=request.query_params.get("request", ""))


@router.post("/problems/new")
async def report(
    request: Request,
    *,
    here: Settled,
    db: Db,
    what: Annotated[str, Form()] = "",
    page: Annotated[str, Form()] = "",
    told: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    if not what.strip():
        return await _form(request, here, db, page=page, told=told, wrong={"what": "Nhập nội dung cần báo"})
    if len(what) > reports.LONGEST:
        wrong = {"what": f"Nội dung dài nhất {vn_number(reports.LONGEST)} ký tự"}
        return await _form(request, here, db, page=page, told=told, what=what, wrong=wrong)
    try:
        await desk.report(db, here.who, what, page=page, request_id=told)
    except Refused as refused:
        if refused.refusal is not TOO_MANY_PROBLEMS:
            raise
        wrong = {"_form": f"{refused.cause} {refused.action}"}
        return await _form(request, here, db, page=page, told=told, what=what, wrong=wrong, status=429)
    return done(OWN_PROBLEMS, "reported", 1)


async def _form(
    request: Request,
    here: Here,
    db: Database,
    *,
    page: str,
    told: str,
    what: str = "",
    wrong: Mapping[str, str] | None = None,
    status: int = 422,
) -> Response:
    context = {
        "shell": await frame(request, here, db),
        "title": "Báo lỗi",
        "action": NEW,
        "what": what,
        "page": page if reports.PAGE.fullmatch(page) else "",
        "told": told if reports.REQUEST.fullmatch(told) else "",
        "longest": reports.LONGEST,
        "back_href": OWN_PROBLEMS,
        "errors": dict(wrong or {}),
    }
    return render(request.app.state.pages, request, "identity/problem_new.html", context, status_code=status if wrong else 200)


@router.get("/problems/{problem}")
async def show_problem(request: Request, here: Settled, db: Db, problem: str) -> Response:
    return await _shown(request, here, db, problem)


@router.post("/problems/{problem}")
async def answer(
    request: Request,
    *,
    here: Settled,
    db: Db,
    problem: str,
    state: Annotated[Literal["WORKING", "DONE"], Form()],
    text: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    try:
        await desk.answer(db, here.who, problem, state=state, text=text)
    except Refused as refused:
        if refused.refusal is not ANSWER_NEEDED:
            raise
        return await _shown(request, here, db, problem, text=text, wrong={"text": refused.cause})
    return done(PROBLEMS, "answered", 1)


async def _shown(
    request: Request, here: Here, db: Database, problem: str, *, text: str | None = None, wrong: Mapping[str, str] | None = None
) -> Response:
    found = await desk.look(db, here.who, problem)
    people = await organisations.people_by_code(db, {code for code in (found["by"], found["answered_by"]) if code})
    context = {
        "shell": await frame(request, here, db),
        "title": "Nội dung báo lỗi",
        "crumb": "Báo lỗi",
        "problem": found,
        "by": people[found["by"]]["name"] if found["by"] in people else found["by"],
        "answered_by": people[found["answered_by"]]["name"] if found["answered_by"] in people else "",
        "action": f"{PROBLEMS}/{problem}" if await desk.may_answer(db, here.who, found) else "",
        "text": found["answer"] if text is None else text,
        "back_href": PROBLEMS,
        "errors": dict(wrong or {}),
    }
    return render(request.app.state.pages, request, "identity/problem.html", context, status_code=422 if wrong else 200)


async def tasks(here: Here, db: Database) -> list[dict[str, str]]:
    """What the home page shows: reports that wait, and answers that were not read yet."""
    found = []
    who = here.who
    if who.school and who.school in await desk.to_answer(db, who):
        waiting = await store.open_in(db, who.school)
        if waiting:
            found.append({"text": "Báo lỗi", "href": PROBLEMS, "status": f"{vn_number(waiting)} báo lỗi chưa xong", "tone": "waiting"})
    unread = await store.unread_of(db, who.person)
    if unread:
        found.append({"text": "Báo lỗi đã gửi", "href": OWN_PROBLEMS, "status": f"{vn_number(unread)} trả lời mới", "tone": "info"})
    return found
