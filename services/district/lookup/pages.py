"""The page of menu 6.3 and its file. Everything is asked by POST: neither names nor personal ids ever stand in an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from contracts.menu import OVERSIGHT_LOOKUP, entry_of
from services.chassis import audit
from services.chassis.access import Who
from services.chassis.errors import INVALID_INPUT, Refused
from services.chassis.web import downloads
from services.chassis.web.look import Paging, render, vn_date
from services.chassis.web.shell import shell
from services.district.errors import NOTHING_ASKED, WRONG_PERSONAL_ID, WRONG_UUID
from services.district.lookup.finding import STATES, Asked, cleaned
from services.district.lookup.routes import PAGE_SIZE, found, own_schools
from services.district.lookup.store import COUNTED
from services.district.routes import store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter()
FIELDS = ("name", "personal_id", "uuid", "school", "year", "grade", "state")
MOST_EXPORTED = 5000
GRADES = [(str(n), f"Khối {n}") for n in range(1, 13)]
HEADERS = (
    "Họ và tên",
    "Số định danh cá nhân",
    "Mã trường",
    "Tên trường",
    "Lớp",
    "Khối",
    "Năm học",
    "Phiên bản",
    "Trạng thái",
    "Ngày gửi",
    "Ngày tiếp nhận",
    "Lý do từ chối",
    "Mã tra cứu (UUID)",
)
ABOUT = {NOTHING_ASKED: "name", WRONG_PERSONAL_ID: "personal_id", WRONG_UUID: "uuid"}
"""Refusal → the field that it is about."""


@router.get("/lookup")
async def show_lookup(request: Request, who: Who) -> Response:
    return await _page(request, who, await own_schools(request, who), {})


@router.post("/lookup")
async def look_up(request: Request, who: Who) -> Response:
    schools = await own_schools(request, who)
    values = await _typed(request)
    try:
        asked = cleaned(_asked(values))
    except Refused as refused:
        if refused.refusal not in ABOUT:
            raise
        return await _page(request, who, schools, values, errors={ABOUT[refused.refusal]: f"{refused.cause} {refused.action}"})
    told = await found(request, schools, asked, size=PAGE_SIZE)
    return await _page(request, who, schools, values, told, page=asked.page)


@router.post("/lookup.xlsx")
async def export_lookup(request: Request, who: Who) -> Response:
    """All that is found, MOST_EXPORTED at most. The trail keeps how many there were, not who was looked for."""
    schools = await own_schools(request, who)
    asked = cleaned(_asked(await _typed(request)))
    told = await found(request, schools, asked, size=MOST_EXPORTED, page=1)
    rows = told["transcripts"]
    details = {"found": len(rows)}
    await audit.record(
        store_of(request).db, None, actor=who.person, act="look-up exported", subject=who.unit or "", place=who.unit, details=details
    )
    return downloads.workbook(downloads.dated("tra-cuu-hoc-ba"), "Tra cứu học bạ số", HEADERS, [_line(r) for r in rows])


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {key: value.strip() for key in (*FIELDS, "page") if isinstance(value := form.get(key), str) and value.strip()}


def _asked(values: Mapping[str, str]) -> Asked:
    try:
        return Asked.model_validate(dict(values))
    except ValidationError as problem:
        fields = ", ".join(str(e["loc"][0]) for e in problem.errors(include_input=False, include_url=False))
        raise Refused(INVALID_INPUT, fields=fields) from problem


def _line(row: Mapping[str, Any]) -> list[str | int]:
    return [
        *(row[key] for key in ("name", "personal_id", "school", "school_name", "class", "grade", "year", "version", "state_text")),
        *(vn_date(row[key]) if row[key] else "" for key in ("submitted_at", "accepted_at")),
        row["refusal"],
        row["id"],
    ]


async def _page(
    request: Request,
    who: Principal,
    schools: list[Document],
    values: Mapping[str, str],
    told: Mapping[str, Any] | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    page: int = 1,
) -> Response:
    unit = who.unit or ""
    names = await store_of(request).unit_names([unit])
    shown = min(told["total"], COUNTED) if told else 0
    context = {
        "shell": shell(request, who, organisation=names.get(unit, "")),
        "title": entry_of(who, OVERSIGHT_LOOKUP).title,
        "action": OVERSIGHT_LOOKUP,
        "export_action": f"{OVERSIGHT_LOOKUP}.xlsx",
        "values": {key: values.get(key, "") for key in FIELDS},
        "errors": errors or {},
        "schools": [(s["_id"], _named(s)) for s in schools],
        "years": [(y, y) for y in await store_of(request).years(unit)],
        "grades": GRADES,
        "states": list(STATES.items()),
        "searched": told is not None,
        "more": told is not None and told["total"] > COUNTED,
        "paging": Paging(page, PAGE_SIZE, shown),
        "rows": told["transcripts"] if told else [],
    }
    return render(request.app.state.pages, request, "district/lookup.html", context, status_code=422 if errors else 200)


def _named(school: Document) -> str:
    """One that has closed says so."""
    return f"{school['name']} (đã giải thể, sáp nhập)" if school.get("abolished_on") else str(school["name"])
