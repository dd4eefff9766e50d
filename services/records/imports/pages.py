"""The pages of "Nhập dữ liệu tổng kết": upload, preview, confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from contracts.access import Action
from contracts.menu import IMPORTS, entry_of
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.web.lists import done, ordered, paged, query_of
from services.chassis.web.look import render
from services.records.at_hand import own_school, store_of
from services.records.errors import IMPORT_BLOCKED
from services.records.imports import routes
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)
SHOWN_REFUSED = 100


@router.get("/imports")
async def show_imports(request: Request, who: Who) -> Response:
    return await _imports(request, who)


@router.post("/imports")
async def take_upload(request: Request, who: Who) -> Response:
    form = await request.form()
    files = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
    try:
        taken = await routes.upload(request, who, files)  # type: ignore[arg-type]  # FastAPI's UploadFile only adds documentation
    except Refused as refused:
        return await _imports(request, who, refused)
    return RedirectResponse(f"{IMPORTS}/{taken['id']}", status_code=303)


async def _imports(request: Request, who: Principal, refused: Refused | None = None) -> Response:
    school = own_school(who)
    require(who, Action.IMPORT, school=school)
    looked_at = await newest(request, who)
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
        for found in await store_of(request).imports(school)
    ]
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, IMPORTS).title,
        "action": IMPORTS,
        "errors": {"files": f"{refused.cause} {refused.action}"} if refused else {},
        "rows": rows,
    }
    return render(request.app.state.pages, request, "records/imports.html", context, status_code=refused.refusal.status if refused else 200)


def _state(found: Mapping[str, Any]) -> str:
    if found["state"] == "confirmed":
        return "APPLIED"
    return "REFUSED" if found["blocked"] else "PREVIEW"


@router.get("/imports/{import_id}")
async def show_import(request: Request, who: Who, import_id: str) -> Response:
    found = await routes.import_of(request, who, import_id)
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
        "confirm_action": f"{IMPORTS}/{import_id}/confirm",
        "confirmable": state == "PREVIEW",
        "applied": state == "APPLIED",
        "blocked_reason": Refused(IMPORT_BLOCKED, count=counts["errors"]).cause if state == "REFUSED" else "",
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
    return render(request.app.state.pages, request, "records/import_preview.html", context)


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


@router.post("/imports/{import_id}/confirm")
async def confirm(request: Request, who: Who, import_id: str) -> Response:
    written = await routes.confirm_import(request, who, import_id)
    return done(f"{IMPORTS}/{import_id}", "import", written["counts"]["pupils"])
