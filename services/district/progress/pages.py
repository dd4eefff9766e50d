"""Menu 6.4 below a school: its classes, the people who hold them up, and in a class the transcripts that wait."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import STATISTICS, entry_of
from services.chassis import clock
from services.chassis.access import Who, require
from services.chassis.web import downloads
from services.chassis.web.lists import query_of
from services.chassis.web.look import render, vn_date, vn_number, with_query
from services.chassis.web.shell import shell
from services.district.lookup.finding import row_of
from services.district.progress import store
from services.district.progress.reading import SchoolYear, read
from services.district.progress.rules import ADMINISTRATOR, NOBODY, by_class, held_up, of_people, waited_days
from services.district.routes import store_of
from services.district.statistics import AWAITING, COLUMNS, WORDS, added_up, told_of, word_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.chassis.web.look import Shell

router = APIRouter()
SCHOOLS = f"{STATISTICS}/schools"


@router.get("/statistics/schools/{code}")
async def show_school(request: Request, who: Who, code: str) -> Response:
    seen = await read(request, who, code, query_of(request, "year").get("year", ""))
    rows = await _classes(seen)
    summaries = await store.summaries(seen.db, code, seen.year)
    now = clock.now()
    of_year = with_query({"year": seen.year})
    people = of_people(held_up(await store.waiting(seen.db, code, seen.year))) if seen.named else []
    successor = await store_of(request).school(seen.school.get("successor") or "")
    context = {
        "shell": await _framed(request, who, seen),
        "title": seen.then["name"],
        "crumb": entry_of(who, STATISTICS).title,
        "back_href": f"{STATISTICS}{of_year}",
        "facts": [*_facts(code, added_up(rows)), *_of_summaries(summaries)],
        "ended": _ended(seen.school, successor),
        "columns": [WORDS[c] for c in COLUMNS],
        "summaries": bool(summaries),
        "rows": [
            {
                "name": r["name"],
                "grade": r["grade"],
                "numbers": [r[c] for c in COLUMNS],
                "summary": word_of(summaries.get(r["class"], "")),
                "href": f"{SCHOOLS}/{code}/classes/{r['class']}{of_year}",
            }
            for r in rows
        ],
        "named": seen.named,
        "people": [{**p, "classes": ", ".join(p["classes"]), "days": waited_days(p["since"], now)} for p in people],
        "overtime_href": f"{STATISTICS}/overtime{with_query({'year': seen.year, 'school': code})}",
        "export_href": f"{SCHOOLS}/{code}/classes.xlsx{of_year}",
    }
    return render(request.app.state.pages, request, "district/school.html", context)


def _facts(code: str, total: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("Mã trường", code), *((WORDS[c], vn_number(total[c])) for c in ("pupils", "confirmed", "submitted", "accepted"))]


def _of_summaries(by_class: Mapping[str, str]) -> list[tuple[str, str]]:
    """Of primary schools, as far as there are any."""
    told = told_of(Counter(by_class.values()))
    return [("Bảng tổng hợp kết quả ĐGGD", f"{told} (theo lớp)")] if told else []


def _ended(school: Document, successor: Document | None) -> str:
    if not school.get("abolished_on"):
        return ""
    after = f", sáp nhập vào {successor['name']}" if successor else ""
    return f"Trường đã kết thúc hoạt động từ {vn_date(dt.date.fromisoformat(school['abolished_on']))}{after}."


async def _classes(seen: SchoolYear) -> list[dict[str, Any]]:
    code = seen.school["_id"]
    return by_class(await store.classes(seen.db, code, seen.year), await store.states(seen.db, code, seen.year))


@router.get("/statistics/schools/{code}/classes.xlsx")
async def export_school(request: Request, who: Who, code: str) -> Response:
    """A row a class; where the unit answers for the school now, the people who hold it up as well."""
    seen = await read(request, who, code, query_of(request, "year").get("year", ""))
    held: dict[str, list[str]] = {}
    if seen.named:
        for each in held_up(await store.waiting(seen.db, code, seen.year)):
            held.setdefault(each["class"], []).append(f"{each['name']} ({each['step']}): {each['count']}")
    summaries = await store.summaries(seen.db, code, seen.year)
    lines = [
        [
            r["name"],
            *(r[c] for c in COLUMNS),
            "; ".join(held.get(r["class"], ())),
            word_of(summaries.get(r["class"], "")) if summaries else "",
        ]
        for r in await _classes(seen)
    ]
    headers = ["Lớp", *(WORDS[c] for c in COLUMNS), "Đang chờ", "Bảng tổng hợp"]
    return downloads.workbook("thong-ke-theo-lop", f"Năm học {seen.year}" if seen.year else "Thống kê", headers, lines)


@router.get("/statistics/schools/{code}/classes/{class_code}")
async def show_class(request: Request, who: Who, code: str, class_code: str) -> Response:
    """Pupils by name, so the unit must answer for the school now."""
    seen = await read(request, who, code, query_of(request, "year").get("year", ""))
    require(who, Action.VIEW_BRANCH, path=tuple(seen.school["path"]))
    found = await store.held_pupils(seen.db, code, seen.year, class_code)
    context = {
        "shell": await _framed(request, who, seen),
        "title": f"Lớp {class_code}",
        "crumb": f"{seen.then['name']} · Năm học {seen.year}",
        "back_href": f"{SCHOOLS}/{code}{with_query({'year': seen.year})}",
        "back_text": seen.then["name"],
        "rows": _held(found, clock.now()),
    }
    return render(request.app.state.pages, request, "district/school_class.html", context)


def _held(found: Sequence[Document], now: dt.datetime) -> list[dict[str, Any]]:
    rows = []
    for each in found:
        shown = row_of({**_UNSHOWN, **each}, {})
        signing = each["state"] in AWAITING
        people = ", ".join(a["name"] or a["person"] or "Nhân sự ký phát hành" for a in each["awaited"]) or NOBODY
        rows.append(
            {
                "name": each["pupil_name"],
                "state_text": shown["state_text"],
                "tone": shown["tone"],
                "people": people if signing else ADMINISTRATOR,
                "since": each["since"],
                "days": waited_days(each["since"], now),
                "note": each["problem"] or each["refusal"],
            }
        )
    return rows


_UNSHOWN = dict.fromkeys(("personal_id", "school", "class_name", "class_code", "grade", "year", "submitted_at", "decided_at"))


async def _framed(request: Request, who: Principal, seen: SchoolYear) -> Shell:
    names = await store_of(request).unit_names([seen.unit])
    return shell(request, who, organisation=names.get(seen.unit, ""), period=f"Năm học {seen.year}" if seen.year else "")
