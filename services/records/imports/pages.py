"""The pages of "Nhập dữ liệu tổng kết": upload, preview with its differences, confirmation, report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from contracts.access import Action
from contracts.documents import DocumentRef
from contracts.menu import IMPORTS, entry_of
from services.chassis import clock
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of
from services.chassis.web.look import Progress, render, vn_number, with_query
from services.chassis.xlsx import MEDIA_TYPE
from services.records.at_hand import own_school, parts_of, store_of
from services.records.errors import IMPORT_BLOCKED
from services.records.imports import routes
from services.records.imports.difference import KINDS, STATES
from services.records.imports.errors import STALE_PREVIEW
from services.records.imports.report import KIND_WORDS, STATE_WORDS, report
from services.records.imports.store import imports_of, pulls_of
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/records", include_in_schema=False)
SHOWN_REFUSED = 100
DIFFERENT = "different"
"""The rows that are not the same on both sides: what the list shows when nothing else is asked for."""


@router.get("/imports")
async def show_imports(request: Request, who: Who) -> Response:
    return await imports_page(request, who)


@router.post("/imports")
async def take_upload(request: Request, who: Who) -> Response:
    form = await request.form()
    files = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
    try:
        taken = await routes.upload(request, who, files)  # type: ignore[arg-type]  # FastAPI's UploadFile only adds documentation
    except Refused as refused:
        return await imports_page(request, who, {"files": f"{refused.cause} {refused.action}"}, refused.refusal.status)
    return RedirectResponse(f"{IMPORTS}/{taken['id']}", status_code=303)


async def imports_page(request: Request, who: Principal, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """The list with both ways in; `errors` by field."""
    school = own_school(who)
    require(who, Action.IMPORT, school=school)
    looked_at = await newest(request, who)
    db = store_of(request).db
    staff = await store_of(request).staff(school, looked_at.year) if looked_at else {}
    rows = [
        {
            "id": found["_id"],
            "started_at": found["at"],
            "person": staff[found["by"]].name if found["by"] in staff else found["by"],
            "files": found["files"],
            "state": _state(found),
            "findings": found["counts"]["errors"] + found["counts"]["warnings"],
            "href": f"{IMPORTS}/{found['_id']}",
        }
        for found in await imports_of(db, school)
    ]
    pulls = await pulls_of(db, school)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, IMPORTS).title,
        "action": IMPORTS,
        "errors": dict(errors or {}),
        "rows": rows,
        "sector": parts_of(request).settings.sector_url is not None,
        "pull_action": "/ui/records/pulls",
        "year": looked_at.year if looked_at else this_school_year(),
        "pulls": [
            {"started_at": pull["at"], "mode": pull["mode"], "state": pull["state"], "rows": pull["rows"], "href": _pull_href(pull)}
            for pull in pulls
        ],
    }
    return render(request.app.state.pages, request, "records/imports.html", context, status_code=status)


def this_school_year() -> str:
    """A school year lasts from August to July."""
    today = clock.in_vietnam(clock.now())
    first = today.year if today.month >= 8 else today.year - 1
    return f"{first}-{first + 1}"


def _pull_href(pull: Mapping[str, Any]) -> str:
    return f"{IMPORTS}/{pull['import']}" if pull["import"] else f"/ui/records/pulls/{pull['_id']}"


def _state(found: Mapping[str, Any]) -> str:
    return {"confirmed": "APPLIED", "writing": "WRITING"}.get(found["state"], "REFUSED" if found["blocked"] else "PREVIEW")


@router.get("/imports/{import_id}")
async def show_import(request: Request, who: Who, import_id: str) -> Response:
    return await _preview(request, who, await routes.document_of(request, who, import_id))


async def _preview(request: Request, who: Principal, found: Document, stale: Refused | None = None) -> Response:
    import_id = found["_id"]
    progress = _progress(found)
    if progress and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/import_progress.html", {"progress": progress})
    query = query_of(request, "severity", "sort", "order", "page")
    findings = [_finding(f) for f in found["findings"] if query.get("severity", "").lower() in ("", f["severity"])]
    keys = {"place": lambda _: 0, "severity": lambda f: f["severity"], "file": lambda f: f["file"], "class": lambda f: f["class_name"]}
    page, paging = paged(ordered(findings, query, keys), query)
    counts = found["counts"]
    state = _state(found)
    everything = counts["errors"] + counts["warnings"]
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": "Dữ liệu đã nhập" if state == "APPLIED" else "Xem trước dữ liệu nhập",
        "back_href": IMPORTS,
        "query": query,
        "paging": paging,
        "state": state,
        "progress": progress,
        "stale": f"{stale.cause} {stale.action}" if stale else "",
        "confirm_action": f"{IMPORTS}/{import_id}/confirm",
        "review_action": f"{IMPORTS}/{import_id}/review",
        "rows_href": f"{IMPORTS}/{import_id}/rows",
        "report_href": f"{IMPORTS}/{import_id}/report.xlsx",
        "blocked_reason": Refused(IMPORT_BLOCKED, count=counts["errors"]).cause if state == "REFUSED" else "",
        "unchanged": found["difference"] is not None and not found["changes"],
        "difference": _difference(found["difference"]),
        "skipped": [{"class_name": s["part"], "pupil": s.get("pupil", ""), "reason": s["reason"]} for s in found.get("skipped", ())],
        "columns": [(c["sheet"], c["column"], c["meaning"]) for c in found["columns"]],
        "ignored": [(c["file"], c["sheet"], c["column"]) for c in found["ignored"]],
        "counts": [
            ("Lớp", counts["classes"], "neutral"),
            ("Cán bộ, giáo viên", counts["staff"], "neutral"),
            ("Học sinh", counts["pupils"], "neutral"),
            ("Đủ điều kiện tạo học bạ", counts["complete"], "success"),
            ("Chưa đủ điều kiện", counts["pupils"] - counts["complete"], "danger"),
            ("Lỗi", counts["errors"], "danger"),
            ("Cảnh báo", counts["warnings"], "waiting"),
        ],
        **_refused(found["refused"]),
        "findings": page,
        "findings_total": everything if everything > len(found["findings"]) else 0,
    }
    status = stale.refusal.status if stale else 200
    return render(request.app.state.pages, request, "records/import_preview.html", context, status_code=status)


def _progress(found: Mapping[str, Any]) -> Progress | None:
    if found["state"] != "writing":
        return None
    total, waiting = found["parts"], len(found["remaining"])
    return Progress(
        title="Đang ghi dữ liệu",
        total=total,
        done=total - waiting,
        failed=0,
        waiting=waiting,
        running=True,
        href=f"{IMPORTS}/{found['_id']}",
        message=f"Đã ghi {vn_number(total - waiting)} trong {vn_number(total)} phần (cán bộ, rồi từng lớp).",
    )


def _difference(counts: Mapping[str, Mapping[str, int]] | None) -> list[dict[str, Any]]:
    if counts is None:
        return []
    return [
        {
            "name": KIND_WORDS[kind],
            "cells": [(STATE_WORDS[state], counts[kind][state], with_query({}, kind=kind, state=state)) for state in STATES],
        }
        for kind in KINDS
    ]


def _refused(refused: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [{"pupil": r["pupil"], "field": r["field"], "reason": r["message"]} for r in refused[:SHOWN_REFUSED]]
    return {"refused": rows, "refused_pupils": len({r["pupil"] for r in refused})}


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "severity": finding["severity"].upper(),
        "file": finding["file"],
        "sheet": finding["sheet"],
        "row": finding["row"],
        "column": finding["column"] or "",
        "class_name": finding["class_code"] or "",
        "text": finding["message_vi"],
        "action": finding["action_vi"],
    }


@router.get("/imports/{import_id}/rows")
async def show_rows(request: Request, who: Who, import_id: str) -> Response:
    """Row by row what changes: filtered by state, kind and class."""
    found = await routes.document_of(request, who, import_id)
    rows = await routes.rows_of(request, found)
    query = query_of(request, "state", "kind", "class", "sort", "order", "page")
    state = query.get("state", DIFFERENT)
    classes = sorted({row.get("class_code", "") for row in rows} - {""})
    if state == DIFFERENT:
        rows = [row for row in rows if row["state"] != "unchanged"]
    picked = "" if state in (DIFFERENT, "all") else state
    rows = [row for row in rows if routes.wanted(row, picked, query.get("kind", "")) and _of_class(row, query.get("class", ""))]
    keys = {
        "place": lambda _: 0,
        "name": lambda r: given_name_key(r.get("name", "")),
        "class": lambda r: r.get("class_code", ""),
        "state": lambda r: STATES.index(r["state"]),
        "key": lambda r: r["key"],
    }
    page, paging = paged(ordered(rows, query, keys), query)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": "Khác biệt với dữ liệu đã có",
        "back_href": f"{IMPORTS}/{import_id}",
        "report_href": f"{IMPORTS}/{import_id}/report.xlsx",
        "query": query,
        "paging": paging,
        "classes": [(code, code) for code in classes],
        "states": [(DIFFERENT, "Tất cả khác biệt"), *((s, STATE_WORDS[s]) for s in STATES), ("all", "Tất cả các dòng")],
        "kinds": list(KIND_WORDS.items()),
        "rows": [
            {
                "kind": KIND_WORDS[row["kind"]],
                "key": row["key"],
                "name": row.get("name", ""),
                "class_name": row.get("class_code", ""),
                "state": row["state"],
                "state_text": STATE_WORDS[row["state"]],
                "changes": row.get("changes", ()),
                "left": row.get("left", ()),
                "reason": row.get("reason", ""),
            }
            for row in page
        ],
    }
    return render(request.app.state.pages, request, "records/import_rows.html", context)


def _of_class(row: Mapping[str, Any], wanted: str) -> bool:
    return not wanted or row.get("class_code", "") == wanted


@router.get("/imports/{import_id}/report.xlsx")
async def download_report(request: Request, who: Who, import_id: str) -> Response:
    found = await routes.document_of(request, who, import_id)
    rows = await routes.rows_of(request, found)
    preview = json.loads(await parts_of(request).objects.get(DocumentRef.model_validate(found["preview"])))
    kept = {key: preview[key] for key in ("findings", "columns", "ignored_columns")}
    body = await parts_of(request).pool.run(report, rows, kept, found["refused"])
    name = f"bao-cao-nhap-du-lieu-{found['year'] or 'khong-ro'}.xlsx"
    return Response(body, media_type=MEDIA_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/imports/{import_id}/confirm")
async def confirm(request: Request, who: Who, import_id: str) -> Response:
    try:
        written = await routes.confirm_import(request, who, import_id)
    except Refused as refused:
        if refused.code != STALE_PREVIEW.code:
            raise
        return await _preview(request, who, await routes.document_of(request, who, import_id), refused)
    return done(f"{IMPORTS}/{import_id}", "import", written["counts"]["pupils"])


@router.post("/imports/{import_id}/review")
async def review(request: Request, who: Who, import_id: str) -> Response:
    await routes.review_import(request, who, import_id)
    return RedirectResponse(f"{IMPORTS}/{import_id}", status_code=303)
