"""Pages of the own school and of school years: what is open, opening the next one or an earlier one again, the dates."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from contracts.access import Action, Principal, allowed
from contracts.menu import OWN_SCHOOL, entry_of
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web import lists
from services.chassis.web.look import confirm_page, render
from services.identity.at_hand import Db, RequestId
from services.identity.errors import CATALOGUE, REASON_NEEDED
from services.identity.organisations import errors, opening, page_parts, school_years, spans, tasks
from services.identity.organisations.opening import Dates
from services.identity.organisations.page_parts import CRUMB, DID, SCHOOLS, field
from services.identity.organisations.routes import school_of
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here

router = APIRouter(prefix="/ui/identity", include_in_schema=False)
YEARS = "/ui/identity/school-years"


def section(who: Principal, school: Document, years: Sequence[Document]) -> dict[str, Any]:
    """What a page needs to show the years of a school; with addresses for those who may change them."""
    may = allowed(who, Action.MANAGE_SCHOOL_YEARS, school=school["_id"], path=tuple(school["path"])) and not school.get("ended_on")
    address = f"{YEARS}/{school['_id']}"
    following = school_years.next_of(school["year"]) if school["year"] else school_years.year_of(spans.today())
    return {
        "years": [
            {
                "year": y["year"],
                "open": y["state"] == school_years.OPEN,
                "status": school_years.STATES[y["state"]],
                "starts_on": dt.date.fromisoformat(y["starts_on"]),
                "ends_on": dt.date.fromisoformat(y["ends_on"]),
                "deadline": dt.date.fromisoformat(y["deadline"]) if y["deadline"] else None,
                "national_deadline": school_years.national_deadline(y["year"]),
                "reason": y["reason"],
                "dates_href": f"{address}/{y['year']}/dates" if may else "",
                "open_href": f"{address}/{y['year']}/open" if may and y["state"] != school_years.OPEN else "",
            }
            for y in years
        ],
        "next_year": {"year": following, "href": f"{address}/{following}/open"} if may else None,
    }


@router.get("/own-school")
async def show_own_school(request: Request, here: Settled, db: Db) -> Response:
    require(here.who, Action.VIEW_SCHOOL, school=here.who.school or "")
    school = await school_of(db, here.who.school or "")
    around = await frame(request, here, db, lists.notices(request, DID, {**CATALOGUE, **lists.catalogue_of(errors)}))
    context = {
        "shell": replace(around, deadline=await tasks.deadline(db, school)),
        "title": entry_of(here.who, OWN_SCHOOL).title,
        "crumb": "1. Hệ thống / Thông tin nhà trường",
        "facts": await page_parts.school_facts(db, school),
        "past": await page_parts.past(db, school),
        **section(here.who, school, await opening.years(db, school)),
    }
    return render(request.app.state.pages, request, "identity/own_school.html", context)


@router.get("/school-years/{school}/{year}/open")
async def ask_opening(request: Request, school: str, year: str, here: Settled, db: Db) -> Response:
    return await _opening_page(request, here, db, await _school(db, here, school), year, missing=False)


@router.post("/school-years/{school}/{year}/open")
async def open_year(request: Request, school: str, year: str, *, here: Settled, db: Db, request_id: RequestId) -> Response:
    document = await _school(db, here, school)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    try:
        await opening.order_year(db, school, year, reason=field(form, "reason", 500), actor=here.who.person, request_id=request_id)
    except Refused as refused:
        if refused.refusal is REASON_NEEDED:
            return await _opening_page(request, here, db, document, year, missing=True)
        return lists.done(_back(here.who, school), "opened", 0, [refused.code])
    return lists.done(_back(here.who, school), "opened", 1)


@router.get("/school-years/{school}/{year}/dates")
async def ask_dates(request: Request, school: str, year: str, here: Settled, db: Db) -> Response:
    document = await _school(db, here, school)
    found = next((y for y in await opening.years(db, document) if y["year"] == year), None)
    if found is None:
        raise Refused(NOT_FOUND)
    values = {key: found[key] or "" for key in ("starts_on", "ends_on", "deadline")}
    return await _dates_page(request, here, db, document, year=year, values=values, problems={})


@router.post("/school-years/{school}/{year}/dates")
async def set_dates(request: Request, school: str, year: str, *, here: Settled, db: Db, request_id: RequestId) -> Response:
    document = await _school(db, here, school)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    values = {key: field(form, key) for key in ("starts_on", "ends_on", "deadline")}
    starts_on, ends_on, deadline = (page_parts.day_of(values[key]) for key in values)
    problems = {}
    if starts_on is None:
        problems["starts_on"] = "Nhập ngày bắt đầu"
    if ends_on is None:
        problems["ends_on"] = "Nhập ngày kết thúc"
    if deadline is None and values["deadline"]:
        problems["deadline"] = "Nhập đúng ngày, hoặc để trống"
    if starts_on is None or ends_on is None or problems:
        return await _dates_page(request, here, db, document, year=year, values=values, problems=problems)
    try:
        dates = Dates(starts_on, ends_on, deadline)
        await opening.set_dates(db, school, year, dates, actor=here.who.person, request_id=request_id)
    except Refused as refused:
        return await _dates_page(request, here, db, document, year=year, values=values, problems={"_form": refused.cause})
    return lists.done(_back(here.who, school), "saved", 1)


async def _school(db: Database, here: Here, code: str) -> Document:
    """Raises Refused: UNKNOWN_SCHOOL, FORBIDDEN."""
    school = await school_of(db, code)
    require(here.who, Action.MANAGE_SCHOOL_YEARS, school=code, path=tuple(school["path"]))
    return school


def _back(who: Principal, school: str) -> str:
    return OWN_SCHOOL if who.school == school else f"{SCHOOLS}/{school}"


async def _opening_page(request: Request, here: Here, db: Database, school: Document, year: str, *, missing: bool) -> Response:
    school_years.first_of(year)
    again = school["year"] is not None and year < school["year"]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Mở năm học",
        crumb=CRUMB if here.who.unit else "1. Hệ thống / Thông tin nhà trường",
        question=f"{'Mở lại' if again else 'Mở'} năm học {year} tại {school['name']}?",
        action=f"{YEARS}/{school['_id']}/{year}/open",
        confirm="Mở lại năm học" if again else "Mở năm học",
        cancel_href=_back(here.who, school["_id"]),
        facts=[("Năm học đang mở", school["year"] or ""), ("Năm học sẽ mở", year)],
        warning=f"Năm học {school['year']} sẽ đóng." if school["year"] else "",
        danger=again,
        reason=("Lý do mở lại", "Lý do được lưu trong nhật ký.") if again else None,
        missing=REASON_NEEDED.cause if missing else "",
    )


async def _dates_page(
    request: Request, here: Here, db: Database, school: Document, *, year: str, values: Mapping[str, str], problems: dict[str, str]
) -> Response:
    context = {
        "shell": await frame(request, here, db),
        "title": f"Các ngày của năm học {year}",
        "crumb": CRUMB if here.who.unit else "1. Hệ thống / Thông tin nhà trường",
        "school": school["name"],
        "action": f"{YEARS}/{school['_id']}/{year}/dates",
        "cancel_href": _back(here.who, school["_id"]),
        "values": values,
        "national_deadline": school_years.national_deadline(year),
        "errors": problems,
    }
    return render(request.app.state.pages, request, "identity/school_year_dates.html", context, status_code=422 if problems else 200)
