"""Pages under /ui/records: 2.1 Tạo học bạ (classes, pupils) and Xem học bạ. The dialogue and the jobs are `creation_pages`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from contracts.access import Action, allowed
from contracts.menu import CLASSES, COPIES, DIGITISATION, PRINTING, entry_of
from services.chassis.access import Who
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import downloads
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import render
from services.records.at_hand import own_school, reading, store_of, visible_transcript
from services.records.copies.rules import may_be_copied
from services.records.evidence_files import shown
from services.records.export.exporting import EXPORTABLE, export_address, may_export
from services.records.page_parts import framed, grades_of, newest
from services.records.transcripts.creation_pages import create, followed
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import State
from services.records.transcripts.transcript_page import context_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)

AWAITING, INCOMPLETE = "AWAITING", "INCOMPLETE"
"""Values of the filter by state that stand for no single state."""
NOT_READY = "Chưa đủ điều kiện tạo học bạ số"
MISSING = "/ui/records/missing.xlsx"


# --- the classes of the school


@router.get("/classes")
async def show_classes(request: Request, who: Who, job: str = "") -> Response:
    looked_at = await newest(request, who)
    query = query_of(request, "grade", "state", "sort", "order")
    shell = await framed(request, who, looked_at)
    progress = await followed(request, who, looked_at, query, job=job)
    if progress["progress"] and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/job_panel.html", {"shell": shell, **progress})
    every = await looked_at.classes() if looked_at else []
    context = {
        "shell": shell,
        "title": entry_of(who, CLASSES).title,
        "query": query,
        "grades": grades_of(every),
        "action": CLASSES,
        "missing_href": MISSING if any(row["needs"] or row["incomplete"] for row in every) else "",
        "printing_href": PRINTING if allowed(who, Action.CONFIGURE_PRINTING, school=own_school(who)) else "",
        "rows": _class_rows(looked_at, every, query) if looked_at else [],
        **progress,
    }
    return render(request.app.state.pages, request, "records/classes.html", context)


def _class_rows(looked_at: Reading, every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [
        _class_row(looked_at, row)
        for row in every
        if query.get("grade", "") in ("", str(row["grade"])) and _class_is(row, query.get("state", ""))
    ]
    keys = {
        "name": lambda r: (r["grade"], r["name"]),
        "homeroom": lambda r: given_name_key(r["homeroom"]),
        "finalised": lambda r: r["finalised"],
    }
    return ordered(rows, query, keys)


def _class_is(row: Mapping[str, Any], state: str) -> bool:
    """Whether the class has somebody in the state that the filter asks for."""
    if state == INCOMPLETE:
        return bool(row["needs"] or row["incomplete"])
    return not state or any(n and (s.startswith(AWAITING) if state == AWAITING else s == state) for s, n in row["states"].items())


def _class_row(looked_at: Reading, row: Mapping[str, Any]) -> dict[str, Any]:
    uncreated = row["states"][State.NOT_CREATED.value]
    not_ready = uncreated if row["needs"] else row["incomplete"]
    return {
        **{k: row[k] for k in ("code", "name", "grade", "homeroom", "finalised", "pupils")},
        "counts": row["states"],
        "href": f"{CLASSES}/{row['code']}",
        "creatable": uncreated > 0 and looked_at.may_create(row["code"]),
        "note": f"{NOT_READY}: {not_ready} học sinh" if not_ready and uncreated else "",
        "needs": [m.rstrip(".") for m in row["needs"]] if uncreated else [],
    }


@router.post("/classes")
async def create_for_classes(request: Request, who: Who) -> Response:
    """For everybody of the ticked classes who has no transcript yet; or, with act=missing, the file of what they lack."""
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    codes = chosen.ids
    if chosen.filter is not None:
        codes = tuple(r["code"] for r in _class_rows(looked_at, await looked_at.classes(), chosen.filter) if r["creatable"])
    if chosen.field("act") == "missing":
        return RedirectResponse(f"{MISSING}?{urlencode([('class', c) for c in codes])}", 303) if codes else done(CLASSES, "create", 0)
    pupils = await looked_at.uncreated(codes)
    return await create(request, looked_at, pupils, chosen, here=CLASSES, ids=codes)


# --- the pupils of a class


@router.get("/classes/{code}")
async def show_class(request: Request, who: Who, code: str, job: str = "") -> Response:
    looked_at = await reading(request, who, None)
    query = query_of(request, "name", "state", "sort", "order", "page")
    rows = await pupil_rows(looked_at, code, query)
    shell = await framed(request, who, looked_at)
    progress = await followed(request, who, looked_at, query, job=job, class_code=code)
    if progress["progress"] and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/job_panel.html", {"shell": shell, **progress})
    row = next(r for r in await looked_at.classes() if r["code"] == code)
    leaders = await looked_at.leaders()
    here = f"{CLASSES}/{code}"
    page, paging = paged(rows, query)
    context = {
        "shell": shell,
        "title": f"Lớp {row['name']}",
        "crumb": entry_of(who, CLASSES).title,
        "query": query,
        "paging": paging,
        "action": here,
        "back_href": CLASSES,
        "missing_href": f"{here}/missing.xlsx" if any(r["missing"] for r in rows) else "",
        "export_href": f"{here}/export" if may_export(who, looked_at.school, code) and any(r["exportable"] for r in rows) else "",
        "print_href": f"{here}/print.pdf" if may_export(who, looked_at.school, code) else "",
        "finalised": row["finalised"],
        "homeroom": row["homeroom"],
        "leader": leaders[code],
        "may_create": looked_at.may_create(code),
        "selectable": sum(r["tickable"] for r in rows),
        "rows": page,
        **progress,
    }
    return render(request.app.state.pages, request, "records/class.html", context)


async def pupil_rows(looked_at: Reading, code: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by given name unless asked otherwise."""
    name, state = fold(query.get("name", "")), query.get("state", "")
    may_create, exports = looked_at.may_create(code), may_export(looked_at.who, looked_at.school, code)
    rows = [_pupil_row(p, may_create=may_create, may_export=exports) for p in await looked_at.pupils(code)]
    found = [r for r in rows if name in fold(r["name"]) and _pupil_is(r, state)]
    order = list(State)
    keys = {
        "name": lambda r: (r["unnamed"], given_name_key(r["name"])),
        "born": lambda r: r["born"] or dt.date.min,
        "state": lambda r: order.index(State(r["state"])),
    }
    return ordered(found, query, keys)


def _pupil_is(row: Mapping[str, Any], state: str) -> bool:
    if state == INCOMPLETE:
        return bool(row["missing"])
    if state == AWAITING:
        return str(row["state"]).startswith(AWAITING)
    return state in ("", row["state"]) or (state == State.CANCELLED.value and row["cancelled"])


def _pupil_row(pupil: Mapping[str, Any], *, may_create: bool, may_export: bool) -> dict[str, Any]:
    missing = [m["message"].rstrip(".") for m in pupil["missing"]]
    state = State(pupil["state"])
    creatable = may_create and state == State.NOT_CREATED
    exportable = may_export and state in EXPORTABLE
    return {
        "id": pupil["code"],
        "name": pupil["name"] or f"Học sinh mã {pupil['code']}",
        "unnamed": not pupil["name"],
        "born": dt.date.fromisoformat(pupil["born"]) if pupil["born"] else None,
        "sex": pupil["sex"],
        "personal_id": pupil["personal_id"],
        "state": pupil["state"],
        "cancelled": pupil["cancelled"] is not None,
        "note": "; ".join(_notes(pupil)),
        "missing": missing,
        "creatable": creatable,
        "exportable": exportable,
        "tickable": creatable or exportable,
        "href": f"/ui/records/transcripts/{pupil['transcript']}" if pupil["transcript"] else "",
    }


def _notes(pupil: Mapping[str, Any]) -> list[str]:
    """The column "Ghi chú"."""
    notes = [NOT_READY] if pupil["missing"] else []
    if pupil["cancelled"] is not None:
        notes.append(f"Đã hủy phiên bản {pupil['cancelled']}")
    if pupil["state"] == State.REJECTED and pupil["refusal"]:
        notes.append(pupil["refusal"]["reason"])
    return notes


@router.post("/classes/{code}")
async def create_for_pupils(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    codes = set(chosen.ids)
    if chosen.filter is not None:
        codes = {r["id"] for r in await pupil_rows(looked_at, code, chosen.filter) if r["creatable"]}
    pupils = [p for p in await looked_at.uncreated([code]) if p["code"] in codes]
    return await create(request, looked_at, pupils, chosen, here=f"{CLASSES}/{code}", ids=[p["code"] for p in pupils])


# --- Tải thông tin thiếu


@router.get("/missing.xlsx")
async def missing_of_classes(request: Request, who: Who, classes: Annotated[list[str] | None, Query(alias="class")] = None) -> Response:
    """What keeps which pupils from having a transcript: of these classes, or of all that the person may look at."""
    looked_at = await reading(request, who, None)
    for code in classes or ():
        await looked_at.require_class(code)
    return await _missing(looked_at, classes or await looked_at.visible_classes())


@router.get("/classes/{code}/missing.xlsx")
async def missing_of_class(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    await looked_at.store.school_class(looked_at.school, looked_at.year, code)
    await looked_at.require_class(code)
    return await _missing(looked_at, [code])


async def _missing(looked_at: Reading, classes: Sequence[str]) -> Response:
    rows = await looked_at.lacking(classes)
    rows.sort(key=lambda p: (p["class"], not p["name"], given_name_key(p["name"])))
    lines = [[p["class"], p["code"], p["name"], m["message"].rstrip(".")] for p in rows for m in p["missing"]]
    headers = ["Lớp", "Mã học sinh", "Họ và tên", "Thông tin cần bổ sung"]
    return downloads.workbook(downloads.dated("thong-tin-thieu"), "Thông tin thiếu", headers, lines)


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
        "export_href": export_address(looked_at.who, found),
        "copy_href": _copy_address(who, found),
        **context_of(found),
        **await shown(store_of(request).db, found, "transcripts"),
        # classes of earlier years have no page of their own
        **({"back_href": f"{DIGITISATION}?year={found['year']}", "back_text": "Số hóa học bạ giấy"} if _from_paper(found) else {}),
    }
    return render(request.app.state.pages, request, "records/transcript.html", context)


def _copy_address(who: Principal, transcript: Mapping[str, Any]) -> str:
    """ "" for one of which there can be no copy, and for whoever keeps no register."""
    may = may_be_copied(transcript) and allowed(who, Action.CERTIFY_COPIES, school=transcript["school"])
    return f"{COPIES}/new?{urlencode({'transcript': transcript['_id']})}" if may else ""


def _from_paper(transcript: Mapping[str, Any]) -> bool:
    return bool(transcript["content"].get("digitised"))
