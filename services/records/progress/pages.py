"""Pages "Tiến độ ký": the classes, who they wait for, and the pupils of one class."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import PROGRESS, entry_of
from services.chassis import clock
from services.chassis.access import Who, require
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import downloads
from services.chassis.web.lists import ordered, paged, query_of
from services.chassis.web.look import render, vn_time, with_query
from services.records.at_hand import own_school, reading, store_of
from services.records.page_parts import framed, grades_of, newest
from services.records.progress.following import followed, followed_class
from services.records.progress.rules import STEPS, people_rows, waited_days
from services.records.transcripts.states import AWAITED, WORDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

router = APIRouter(prefix="/ui/records", include_in_schema=False)
NUMBERS = (
    ("Học sinh", "pupils", "neutral"),
    ("Chưa tạo", "not_created", "neutral"),
    *((f"Chờ {AWAITED[state][:1].lower()}{AWAITED[state][1:]}", state.value, "waiting") for state in STEPS),
    ("Trả lại", "returned", "waiting"),
    ("Không ký tiếp được", "stuck", "danger"),
    ("Đã ký xong", "done", "success"),
)
"""(words, key of a row, tone), in the order of the columns."""
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@router.get("/progress")
async def show_progress(request: Request, who: Who) -> Response:
    require(who, Action.FOLLOW_SIGNING, school=own_school(who), own=bool(who.homeroom_of))
    looked_at = await newest(request, who)
    every = await followed(looked_at) if looked_at else []
    query = query_of(request, "grade", "step", "person", "sort", "order")
    rows = _filtered(every, query)
    now = clock.now()
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, PROGRESS).title,
        "query": query,
        "grades": grades_of(every),
        "steps": [("", "Tất cả"), *((state.value, AWAITED[state]) for state in STEPS)],
        "totals": [(words, sum(_numbers(r)[nth] for r in rows), tone) for nth, (words, _, tone) in enumerate(NUMBERS)],
        "rows": [_class_row(r, now) for r in rows],
        "people": [_person_row(p, now) for p in people_rows(rows) if p["person"] != "*" and query.get("step", "") in ("", p["step"])],
        "xlsx_href": f"{PROGRESS}.xlsx{with_query(query, sort=None, order=None)}" if rows else "",
    }
    return render(request.app.state.pages, request, "records/progress.html", context)


def _filtered(every: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    grade, step, person = query.get("grade", ""), query.get("step", ""), query.get("person", "")
    rows = [
        r
        for r in every
        if grade in ("", str(r["grade"]))
        and (not step or r["steps"].get(step))
        and (not person or any(p["person"] == person for p in r["people"]))
    ]
    keys = {
        "name": lambda r: (r["grade"], r["name"]),
        "waiting": lambda r: sum(r["steps"].values()),
        "since": lambda r: r["since"] or LONG_AGO,
    }
    return ordered(rows, query, keys)


def _class_row(row: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    shown = {"name": row["name"], "since": row["since"], "numbers": _numbers(row)}
    return {**shown, "href": f"{PROGRESS}/{row['code']}", "days": waited_days(row["since"], now)}


def _numbers(row: Mapping[str, Any]) -> list[int]:
    """In the order of NUMBERS."""
    every = {**row, **row["steps"]}
    return [every[key] for _, key, _ in NUMBERS]


def _person_row(person: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    shown = {k: person[k] for k in ("name", "step_text", "count", "classes", "since")}
    href = with_query({}, person=person["person"], step=person["step"]) if person["person"] else ""
    return {**shown, "days": waited_days(person["since"], now), "href": href}


@router.get("/progress.xlsx")
async def progress_workbook(request: Request, who: Who) -> Response:
    """By class, step and person, as the filter finds it."""
    looked_at = await reading(request, who, None)
    require(who, Action.FOLLOW_SIGNING, school=looked_at.school, own=bool(who.homeroom_of))
    query = query_of(request, "grade", "step", "person")
    lines: list[list[str | int]] = []
    for row in _filtered(await followed(looked_at), query):
        lines += [
            [row["name"], p["step_text"], p["person"], p["name"], p["count"], vn_time(p["since"])]
            for p in row["people"]
            if query.get("step", "") in ("", p["step"]) and query.get("person", "") in ("", p["person"])
        ]
        if not (query.get("step") or query.get("person")):
            standing = (("Trả lại", "returned"), ("Không ký tiếp được", "stuck"))
            lines += [[row["name"], words, "", "", row[key], ""] for words, key in standing if row[key]]
    headers = ["Lớp", "Bước", "Mã cán bộ", "Chờ ai", "Số học bạ", "Chờ từ"]
    return downloads.workbook(downloads.dated("tien-do-ky"), "Tiến độ ký", headers, lines)


@router.get("/progress/{code}")
async def show_class_progress(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    query = query_of(request, "name", "state", "person", "sort", "order", "page")
    every = await followed_class(looked_at, code)
    rows = _pupils(every, query)
    page, paging = paged(rows, query)
    school_class = await store_of(request).school_class(looked_at.school, looked_at.year, code)
    people = {p: n for r in every for p, n in zip(r["people"], r["waits_for"], strict=False) if p}
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Tiến độ ký lớp {school_class['data']['name']}",
        "crumb": entry_of(who, PROGRESS).title,
        "back_href": PROGRESS,
        "query": query,
        "paging": paging,
        "states": [("", "Tất cả"), *((s.value, AWAITED[s]) for s in STEPS), (State.RETURNED.value, WORDS[State.RETURNED])],
        "people": [("", "Tất cả"), *sorted(people.items(), key=lambda p: given_name_key(p[1]))],
        "rows": [{**r, "href": f"/ui/records/transcripts/{r['id']}/dossier"} for r in page],
        "xlsx_href": f"{PROGRESS}/{code}/list.xlsx" if every else "",
    }
    return render(request.app.state.pages, request, "records/progress_class.html", context)


def _pupils(every: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    name, state, person = fold(query.get("name", "")), query.get("state", ""), query.get("person", "")
    found = [r for r in every if name in fold(r["name"]) and state in ("", r["state"]) and (not person or person in r["people"])]
    keys = {
        "name": lambda r: given_name_key(r["name"]),
        "state": lambda r: list(State).index(State(r["state"])),
        "since": lambda r: r["since"] or LONG_AGO,
    }
    return ordered(found, query, keys)


@router.get("/progress/{code}/list.xlsx")
async def class_progress_workbook(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    rows = _pupils(await followed_class(looked_at, code), {})
    lines: list[list[str | int]] = [
        [r["code"], r["name"], WORDS[State(r["state"])], ", ".join(r["waits_for"]), vn_time(r["since"]), r["problem"]] for r in rows
    ]
    headers = ["Mã học sinh", "Họ và tên", "Trạng thái", "Chờ ai", "Chờ từ", "Ghi chú"]
    return downloads.workbook(downloads.dated("tien-do-ky-lop"), f"Tiến độ ký {code}", headers, lines)
