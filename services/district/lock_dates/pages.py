"""The pages of menu 6.2 Cấu hình tiếp nhận, thu hồi học bạ số: common dates, dates of schools and grades, in bulk, with their history."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.deadlines import national_deadline
from contracts.lock_dates import MATTERS, LockDate, Matter, concerns, in_force
from contracts.menu import LOCK_DATES, entry_of
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.vietnamese import fold
from services.chassis.web.lists import PAGE_SIZE, catalogue_of, count_in, done, notices, ordered, paged, query_of, ticked
from services.chassis.web.look import Paging, Shell, confirm_page, render, vn_date, vn_number
from services.chassis.web.shell import shell
from services.district import errors
from services.district.lock_dates import rules, setting
from services.district.lock_dates import store as lock_store
from services.district.lock_dates.routes import YEAR_PATTERN
from services.district.routes import own_branch, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.chassis.web.lists import Ticked

router = APIRouter()
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {"set": ("Đã ghi ngày khóa.", "Không có ngày khóa nào thay đổi.")}
LEVELS = {"TH": "Tiểu học", "THCS": "THCS", "THPT": "THPT"}
MATTER_WORDS: dict[Matter, str] = {"intake": "khóa tiếp nhận", "withdrawal": "khóa thu hồi", "admissions": "khóa gửi tuyển sinh"}
CONCERNED_WORDS: dict[Matter, str] = {
    "intake": "học bạ chưa được tiếp nhận",
    "withdrawal": "học bạ đã tiếp nhận",
    "admissions": "học sinh cuối cấp",
}
HISTORY = f"{LOCK_DATES}/history"
NEW_YEAR_MONTH = 8
SHOWN = 20


@router.get("/lock-dates")
async def show_lock_dates(request: Request, who: Who) -> Response:
    unit = await own_branch(request, who, Action.SET_LOCK_DATES)
    query = query_of(request, "year", "level", "name", "sort", "order", "page")
    year, years = await _year(request, unit, query)
    schools = _found(await store_of(request).own_schools(unit), query)
    page, paging = paged(schools, query)
    dates = await _dates(request, unit, year, page)
    context = {
        **await _framed(request, who, unit, year),
        "query": {**query, "year": year},
        "paging": paging,
        "action": LOCK_DATES,
        "years": [(y, y) for y in years],
        "levels": list(LEVELS.items()),
        "history_href": f"{HISTORY}?{urlencode({'year': year})}",
        "common": _common(dates, unit),
        "national": national_deadline(year),
        "selectable": paging.total,
        "rows": [_row(dates, year, s) for s in page],
    }
    return render(request.app.state.pages, request, "district/lock_dates.html", context)


async def _framed(request: Request, who: Principal, unit: str, year: str) -> dict[str, Any]:
    names = await store_of(request).unit_names([unit])
    told: Shell = shell(
        request, who, notices=notices(request, WORDS, CATALOGUE), organisation=names.get(unit, ""), period=f"Năm học {year}"
    )
    return {"shell": told, "title": entry_of(who, LOCK_DATES).title}


async def _year(request: Request, unit: str, query: Mapping[str, str]) -> tuple[str, list[str]]:
    """The year asked for, else the newest that has data, else the present one; and all to choose from."""
    today = clock.in_vietnam(clock.now()).date()
    first = today.year if today.month >= NEW_YEAR_MONTH else today.year - 1
    known = await store_of(request).years(unit)
    asked = query.get("year", "")
    chosen = asked if re.match(YEAR_PATTERN, asked) else next(iter(known), f"{first}-{first + 1}")
    return chosen, sorted({*known, chosen, f"{first}-{first + 1}"}, reverse=True)


async def _dates(request: Request, unit: str, year: str, schools: Sequence[Mapping[str, Any]]) -> list[LockDate]:
    units = {code for s in schools for code in s["path"]} | {unit}
    return list(rules.dates_in(await lock_store.dates(store_of(request).db, year, units)))


def _found(schools: Sequence[Document], query: Mapping[str, str]) -> list[Document]:
    name, level = fold(query.get("name", "")), query.get("level", "")
    found = [s for s in schools if name in fold(s["name"]) and (not level or level in s["levels"])]
    return ordered(found, query, {"name": lambda s: fold(s["name"])})


def _common(dates: Sequence[LockDate], unit: str) -> list[tuple[str, str]]:
    """The unit's own common dates in words."""
    lines = []
    for matter, words in MATTER_WORDS.items():
        own = sorted((d for d in dates if d.unit == unit and d.school is None and d.matter == matter), key=lambda d: d.grade or 0)
        told = "; ".join(f"{rules.grades_in_words([d.grade])}: {vn_date(d.on)}" for d in own)
        lines.append((f"Ngày {words}", told or "Chưa đặt"))
    return lines


def _row(dates: Sequence[LockDate], year: str, school: Mapping[str, Any]) -> dict[str, Any]:
    code = school["_id"]
    return {
        "id": code,
        "name": school["name"],
        "href": f"{LOCK_DATES}/{code}?{urlencode({'year': year})}",
        "own": any(d.school == code for d in dates),
        **{matter: _in_words(dates, matter, year, school, rules.grades_for(school, matter)) for matter in MATTERS},
    }


def _in_words(
    dates: Sequence[LockDate], matter: Matter, year: str, school: Mapping[str, Any], grades: Sequence[int]
) -> list[dict[str, Any]]:
    """The days in force, grades with the same day together."""
    code, path = school["_id"], tuple(school["path"])
    today = clock.in_vietnam(clock.now()).date()
    by_day: dict[dt.date, list[int]] = {}
    for grade in grades:
        date = in_force(dates, matter, year=year, path=path, school=code, grade=grade)
        if date is not None:
            by_day.setdefault(date.on, []).append(grade)
    return [
        {"grades": rules.grades_in_words([] if len(some) == len(grades) else some), "on": on, "past": on < today}
        for on, some in sorted(by_day.items())
    ]


@router.post("/lock-dates")
async def set_many(request: Request, who: Who) -> Response:
    """First asks for grades and day, then shows whom that affects, then writes it down."""
    unit = await own_branch(request, who, Action.SET_LOCK_DATES, acting=True)
    form = await ticked(request)
    year, _ = await _year(request, unit, {"year": form.field("year") or (form.filter or {}).get("year", "")})
    matter: Matter = next((m for m in MATTERS if m == form.field("act")), "intake")
    common = form.field("scope") == "common"
    codes = list(form.ids)
    if form.filter is not None:
        codes = [s["_id"] for s in _found(await store_of(request).own_schools(unit), form.filter)]
    fields = [("year", year), ("act", matter), ("scope", "common" if common else "schools")]
    fields += [] if common else [("ids", code) for code in codes]
    if not form.field("step"):
        if not common and not codes:
            raise Refused(errors.NO_SCHOOL_CHOSEN)
        return await _ask(request, who, unit, year=year, matter=matter, number=None if common else len(codes), fields=fields)
    grades = [g for g in _ticked_grades(form) if g is None or concerns(matter, g)]
    day = _day(form.field("on"))
    remove = bool(form.field("remove"))
    if not grades or (day is None and not remove):
        said = {} if grades else {"grades": "Chưa chọn khối học."}
        said |= {} if day or remove else {"on": "Chưa nhập ngày khóa."}
        return await _ask(request, who, unit, year=year, matter=matter, number=None if common else len(codes), fields=fields, wrong=said)
    wishes = tuple(rules.Wish(matter, grade, None if remove else day) for grade in grades)
    order = rules.Order(year, None if common else tuple(codes), wishes)
    if form.field("step") == "write":
        return await _write(request, who, unit, order)
    fields += [("grades", "" if g is None else str(g)) for g in grades] + [
        ("on", day.isoformat() if day else ""),
        ("remove", "1" if remove else ""),
    ]
    return await _preview(request, who, unit, order, action=LOCK_DATES, fields=fields)


def _ticked_grades(form: Ticked) -> list[int | None]:
    """What is ticked; "" stands for every grade and takes in the others."""
    values = [v for v in form.form.getlist("grades") if isinstance(v, str)]
    if "" in values:
        return [None]
    return [*sorted({count_in(v) for v in values if 1 <= count_in(v) <= 12})]


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None


async def _ask(
    request: Request,
    who: Principal,
    unit: str,
    *,
    year: str,
    matter: Matter,
    number: int | None,
    fields: Sequence[tuple[str, str]],
    wrong: Mapping[str, str] | None = None,
) -> Response:
    schools = await store_of(request).own_schools(unit)
    grades = sorted({g for s in schools for g in rules.grades_for(s, matter)})
    about = "Tất cả trường của đơn vị (ngày chung)" if number is None else f"{vn_number(number)} trường đã chọn"
    context = {
        **await _framed(request, who, unit, year),
        "title": f"Cấu hình {MATTER_WORDS[matter]}",
        "crumb": f"6. Học bạ số / {entry_of(who, LOCK_DATES).title}",
        "errors": dict(wrong or {}),
        "action": LOCK_DATES,
        "fields": fields,
        "facts": [("Năm học", year), ("Áp dụng cho", about), ("Hạn đưa lên CSDL quốc gia", vn_date(national_deadline(year)))],
        "grades": [(str(g), f"Khối {g}") for g in grades],
        "day_label": f"Ngày {MATTER_WORDS[matter]}",
        "cancel_href": f"{LOCK_DATES}?{urlencode({'year': year})}",
    }
    return render(request.app.state.pages, request, "district/lock_dates_form.html", context, status_code=422 if wrong else 200)


async def _preview(
    request: Request, who: Principal, unit: str, order: rules.Order, *, action: str, fields: Sequence[tuple[str, str]]
) -> Response:
    seen = await setting.preview(store_of(request), unit, order)
    lines = [
        f"{e.name} – {rules.grades_in_words(e.grades)}, {MATTER_WORDS[e.matter]}: {vn_date(e.before)} → {vn_date(e.after)}"
        f" ({vn_number(e.concerned)} {CONCERNED_WORDS[e.matter]})"
        for e in seen.effects
    ]
    warnings = ["Có ngày khóa đã qua: việc gửi hoặc thu hồi bị khóa ngay khi ghi."] if seen.closes_now else []
    warnings += ["Ngày khóa tiếp nhận muộn hơn hạn đưa lên CSDL quốc gia."] if seen.after_national else []
    facts = [("Năm học", order.year), ("Số trường có ngày khóa thay đổi", vn_number(len({e.school for e in seen.effects})))]
    facts += [("Số trường giữ ngày khóa hiện có", vn_number(seen.untouched))] if seen.untouched else []
    return confirm_page(
        request.app.state.pages,
        request,
        shell=(await _framed(request, who, unit, order.year))["shell"],
        title="Xem trước thay đổi ngày khóa",
        crumb=f"6. Học bạ số / {entry_of(who, LOCK_DATES).title}",
        question="Ghi các ngày khóa này?" if lines else "Không có trường, khối nào thay đổi ngày khóa. Vẫn ghi?",
        action=action,
        confirm="Ghi",
        cancel_href=f"{LOCK_DATES}?{urlencode({'year': order.year})}",
        fields=[*fields, ("step", "write")],
        facts=facts,
        items=lines[:SHOWN],
        count=len(lines),
        warning=" ".join(warnings),
    )


async def _write(request: Request, who: Principal, unit: str, order: rules.Order) -> Response:
    changed = await setting.set_dates(store_of(request), who, unit, order, request_id=request.state.request_id)
    return done(f"{LOCK_DATES}?{urlencode({'year': order.year})}", "set", changed)


@router.get("/lock-dates/history")
async def show_history(request: Request, who: Who) -> Response:
    unit = await own_branch(request, who, Action.SET_LOCK_DATES)
    query = query_of(request, "year", "page")
    year, years = await _year(request, unit, query)
    page = max(1, count_in(query.get("page", "")))
    rows, total = await lock_store.history(store_of(request).db, [unit], year, skip=(page - 1) * PAGE_SIZE)
    names = {s["_id"]: s["name"] for s in await store_of(request).own_schools(unit)}
    context = {
        **await _framed(request, who, unit, year),
        "title": "Lịch sử cấu hình ngày khóa",
        "crumb": f"6. Học bạ số / {entry_of(who, LOCK_DATES).title}",
        "query": {**query, "year": year},
        "years": [(y, y) for y in years],
        "paging": Paging(min(page, max(1, -(-total // PAGE_SIZE))), PAGE_SIZE, total),
        "back": f"{LOCK_DATES}?{urlencode({'year': year})}",
        "rows": [_line(r, names) for r in rows],
    }
    return render(request.app.state.pages, request, "district/lock_dates_history.html", context)


def _line(row: Document, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": row["at"],
        "actor": row["actor_name"],
        "school": "Tất cả trường" if row["school"] is None else names.get(row["school"], row["school"]),
        "matter": MATTER_WORDS[row["matter"]].capitalize(),
        "grade": rules.grades_in_words([row["grade"]]),
        "before": _day(row["before"] or ""),
        "after": _day(row["after"] or ""),
    }


@router.get("/lock-dates/{school}")
async def show_school(request: Request, who: Who, school: str) -> Response:
    """Cách 2: the dates of one school, grade by grade."""
    unit = await own_branch(request, who, Action.SET_LOCK_DATES)
    found = await _school(request, who, school)
    year, _ = await _year(request, unit, query_of(request, "year"))
    dates = await _dates(request, unit, year, [found])
    rows, total = await lock_store.history(store_of(request).db, [unit], year, school=school, most=10)
    names = await store_of(request).unit_names(found["path"])
    context = {
        **await _framed(request, who, unit, year),
        "title": found["name"],
        "crumb": f"6. Học bạ số / {entry_of(who, LOCK_DATES).title}",
        "year": year,
        "action": f"{LOCK_DATES}/{school}",
        "back": f"{LOCK_DATES}?{urlencode({'year': year})}",
        "national": national_deadline(year),
        "rows": [_grade(dates, year, found, grade, unit=unit, names=names) for grade in rules.grades_of(found)],
        "history": [_line(r, {school: found["name"]}) for r in rows],
        "more": total > len(rows),
    }
    return render(request.app.state.pages, request, "district/lock_dates_school.html", context)


async def _school(request: Request, who: Principal, code: str) -> Document:
    found = await store_of(request).db["schools"].find_one({"_id": code})
    if found is None:
        raise Refused(NOT_FOUND)
    require(who, Action.SET_LOCK_DATES, path=tuple(found["path"]))
    return found


def _grade(
    dates: Sequence[LockDate], year: str, school: Mapping[str, Any], grade: int, *, unit: str, names: Mapping[str, str]
) -> dict[str, Any]:
    row: dict[str, Any] = {"grade": grade, **dict.fromkeys(MATTERS)}
    for matter in (m for m in MATTERS if concerns(m, grade)):
        bound = in_force(dates, matter, year=year, path=tuple(school["path"]), school=school["_id"], grade=grade)
        own = next((d.on for d in dates if _own(d, unit, school["_id"], matter) and d.grade == grade), None)
        if own is None:
            own = next((d.on for d in dates if _own(d, unit, school["_id"], matter) and d.grade is None), None)
        row[matter] = {
            "own": own.isoformat() if own else "",
            "on": bound.on if bound else None,
            "set_by": names.get(bound.unit, bound.unit) if bound else "",
        }
    return row


def _own(date: LockDate, unit: str, school: str, matter: Matter) -> bool:
    return (date.unit, date.school, date.matter) == (unit, school, matter)


@router.post("/lock-dates/{school}")
async def set_one(request: Request, who: Who, school: str) -> Response:
    unit = await own_branch(request, who, Action.SET_LOCK_DATES, acting=True)
    found = await _school(request, who, school)
    form = await ticked(request)
    year, _ = await _year(request, unit, {"year": form.field("year")})
    fields = [("year", year)]
    wishes: list[rules.Wish] = []
    for matter in MATTERS:
        # what stood for every grade is written for each one, so that emptying one field opens that grade alone
        wishes.append(rules.Wish(matter, None, None))
        for grade in rules.grades_for(found, matter):
            name = f"{matter}-{grade}"
            fields.append((name, form.field(name)))
            if (day := _day(form.field(name))) is not None:
                wishes.append(rules.Wish(matter, grade, day))
            elif form.field(name).strip():
                raise Refused(errors.LOCK_DATE_TOO_FAR, first=int(year[:4]), last=int(year[:4]) + setting.YEARS_AHEAD)
    order = rules.Order(year, (school,), tuple(wishes))
    if form.field("step") == "write":
        return await _write(request, who, unit, order)
    return await _preview(request, who, unit, order, action=f"{LOCK_DATES}/{school}", fields=fields)
