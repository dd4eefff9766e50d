"""Pages under /ui/records: 2.1 Tạo học bạ (classes, pupils) and Xem học bạ."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.menu import CLASSES, entry_of
from services.chassis import clock, xlsx
from services.chassis.access import Who
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import render, with_query
from services.records.at_hand import own_school, reading, store_of, visible_transcript
from services.records.page_parts import NO_JOB, framed, grades_of, job_context, newest
from services.records.transcripts import creation, routes
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import State
from services.records.transcripts.transcript_page import context_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)

AWAITING = "AWAITING"
INCOMPLETE = "Chưa đủ điều kiện tạo học bạ số"


# --- the classes of the school


@router.get("/classes")
async def show_classes(request: Request, who: Who, job: str = "") -> Response:
    looked_at = await newest(request, who)
    query = query_of(request, "grade", "sort", "order")
    every = await looked_at.classes() if looked_at else []
    progress = await _job(request, who, looked_at, job, query) if looked_at and job else NO_JOB
    if progress["progress"] and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/job_panel.html", progress)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, CLASSES).title,
        "query": query,
        "grades": grades_of(every),
        "action": CLASSES,
        "rows": _class_rows(looked_at, every, query) if looked_at else [],
        **progress,
    }
    return render(request.app.state.pages, request, "records/classes.html", context)


def _class_rows(looked_at: Reading, every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [
        {
            **{k: row[k] for k in ("code", "name", "grade", "homeroom", "finalised", "pupils")},
            "counts": row["states"],
            "href": f"{CLASSES}/{row['code']}",
            "creatable": row["states"][State.NOT_CREATED.value] > 0 and looked_at.may_create(row["code"]),
        }
        for row in every
        if query.get("grade", "") in ("", str(row["grade"]))
    ]
    keys = {
        "name": lambda r: (r["grade"], r["name"]),
        "homeroom": lambda r: given_name_key(r["homeroom"]),
        "finalised": lambda r: r["finalised"],
    }
    return ordered(rows, query, keys)


@router.post("/classes")
async def create_for_classes(request: Request, who: Who) -> Response:
    """For everybody of the ticked classes who has no transcript yet."""
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    codes = chosen.ids
    if chosen.filter is not None:
        codes = tuple(r["code"] for r in _class_rows(looked_at, await looked_at.classes(), chosen.filter) if r["creatable"])
    return await _create(request, looked_at, await looked_at.uncreated(codes), CLASSES)


# --- the pupils of a class


@router.get("/classes/{code}")
async def show_class(request: Request, who: Who, code: str, job: str = "") -> Response:
    looked_at = await reading(request, who, None)
    query = query_of(request, "name", "state", "sort", "order", "page")
    rows = await _pupil_rows(looked_at, code, query)
    progress = await _job(request, who, looked_at, job, query) if job else NO_JOB
    if progress["progress"] and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/job_panel.html", progress)
    school_class = (await store_of(request).school_class(looked_at.school, looked_at.year, code))["data"]
    staff = await store_of(request).staff(looked_at.school, looked_at.year)
    here = f"{CLASSES}/{code}"
    page, paging = paged(rows, query)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Lớp {school_class['name']}",
        "crumb": entry_of(who, CLASSES).title,
        "query": query,
        "paging": paging,
        "action": here,
        "back_href": CLASSES,
        "missing_href": f"{here}/missing.xlsx" if any(r["missing"] for r in rows) else "",
        "finalised": school_class["finalised"],
        "homeroom": staff[school_class["homeroom"]].name if school_class["homeroom"] in staff else "",
        "leader": staff[school_class["leader"]].name if school_class["leader"] in staff else "",
        "selectable": sum(r["creatable"] for r in rows),
        "rows": page,
        **progress,
    }
    return render(request.app.state.pages, request, "records/class.html", context)


async def _pupil_rows(looked_at: Reading, code: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by given name unless asked otherwise."""
    name, state = fold(query.get("name", "")), query.get("state", "")
    rows = [_pupil_row(p, may_create=looked_at.may_create(code)) for p in await looked_at.pupils(code)]
    found = [
        r for r in rows if name in fold(r["name"]) and (r["state"].startswith(AWAITING) if state == AWAITING else state in ("", r["state"]))
    ]
    order = list(State)
    keys = {
        "name": lambda r: (r["unnamed"], given_name_key(r["name"])),
        "born": lambda r: r["born"] or dt.date.min,
        "state": lambda r: order.index(State(r["state"])),
    }
    return ordered(found, query, keys)


def _pupil_row(pupil: Mapping[str, Any], *, may_create: bool) -> dict[str, Any]:
    missing = [m["message"].rstrip(".") for m in pupil["missing"]]
    refusal = pupil["refusal"]["reason"] if pupil["state"] == State.REJECTED and pupil["refusal"] else ""
    return {
        "id": pupil["code"],
        "name": pupil["name"] or f"Học sinh mã {pupil['code']}",
        "unnamed": not pupil["name"],
        "born": dt.date.fromisoformat(pupil["born"]) if pupil["born"] else None,
        "sex": pupil["sex"],
        "personal_id": pupil["personal_id"],
        "state": pupil["state"],
        "note": INCOMPLETE if missing else refusal,
        "missing": missing,
        "creatable": may_create and pupil["state"] == State.NOT_CREATED,
        "href": f"/ui/records/transcripts/{pupil['transcript']}" if pupil["transcript"] else "",
    }


@router.post("/classes/{code}")
async def create_for_pupils(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    codes = set(chosen.ids)
    if chosen.filter is not None:
        codes = {r["id"] for r in await _pupil_rows(looked_at, code, chosen.filter) if r["creatable"]}
    pupils = [p for p in await looked_at.uncreated([code]) if p["code"] in codes]
    return await _create(request, looked_at, pupils, f"{CLASSES}/{code}")


async def _create(request: Request, looked_at: Reading, pupils: Sequence[dict[str, Any]], here: str) -> Response:
    if not pupils:
        return done(here, "create", 0)
    looked_at.require_create(pupils)
    job = await creation.start(store_of(request), school=looked_at.school, year=looked_at.year, pupils=pupils, actor=looked_at.who.person)
    return RedirectResponse(f"{here}{with_query({}, job=job)}", status_code=303)


async def _job(request: Request, who: Principal, looked_at: Reading, job: str, query: Mapping[str, str]) -> dict[str, Any]:
    return await job_context(looked_at, await routes.job(request, who, job), job, query)


@router.get("/classes/{code}/missing.xlsx")
async def missing_of_class(request: Request, who: Who, code: str) -> Response:
    """ "Tải thông tin thiếu": what keeps which pupils from having a transcript."""
    looked_at = await reading(request, who, None)
    rows = await _pupil_rows(looked_at, code, {})
    lines = [[code, r["id"], "" if r["unnamed"] else r["name"], text] for r in rows for text in r["missing"]]
    body = xlsx.workbook("Thông tin thiếu", ["Lớp", "Mã học sinh", "Họ và tên", "Thông tin cần bổ sung"], lines)
    name = f"thong-tin-thieu-{clock.in_vietnam(clock.now()):%Y%m%d}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(body, media_type=xlsx.MEDIA_TYPE, headers=headers)


# --- Xem học bạ


@router.get("/transcripts/{transcript_id}")
async def show_transcript(request: Request, who: Who, transcript_id: str, pdf: str = "") -> Response:
    found = await visible_transcript(request, who, transcript_id)
    looked_at = await Reading.of(store_of(request), who, own_school(who), found["year"])
    context = {
        "shell": await framed(request, who, looked_at),
        "back_href": f"{CLASSES}/{found['class_code']}",
        "pdf_inline": bool(pdf),
        "inline_href": "?pdf=1#pdf",
        **context_of(found),
    }
    return render(request.app.state.pages, request, "records/transcript.html", context)
