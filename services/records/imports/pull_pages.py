"""The page of a pull from the sector database ("Lấy dữ liệu từ CSDL ngành") while it runs and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.menu import IMPORTS
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.web.look import Progress, render, vn_number
from services.records.imports import routes
from services.records.imports.pages import imports_page
from services.records.imports.sector import LISTS
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.imports.pulling import Mode

router = APIRouter(prefix="/ui/records", include_in_schema=False)
PULLS = "/ui/records/pulls"


@router.post("/pulls")
async def start(request: Request, who: Who) -> Response:
    form = await request.form()
    mode: Mode = "changes" if form.get("mode") == "changes" else "full"
    try:
        pull = await routes.start_pull(request, who, routes.PullOrder(year=str(form.get("year", "")), mode=mode))
    except Refused as refused:
        return await imports_page(request, who, {"year": f"{refused.cause} {refused.action}"}, refused.refusal.status)
    return RedirectResponse(f"{PULLS}/{pull['id']}", status_code=303)


@router.get("/pulls/{pull_id}")
async def show(request: Request, who: Who, pull_id: str) -> Response:
    pull = await routes.pull_of(request, who, pull_id)
    context: dict[str, Any] = {"progress": progress_of(pull), **_outcome(pull)}
    if request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "records/pull_panel.html", context)
    context |= {"shell": await framed(request, who, await newest(request, who)), "title": "Lấy dữ liệu từ CSDL ngành", "back_href": IMPORTS}
    return render(request.app.state.pages, request, "records/pull.html", context)


@router.post("/pulls/{pull_id}/resume")
async def resume(request: Request, who: Who, pull_id: str) -> Response:
    await routes.resume_pull(request, who, pull_id)
    return RedirectResponse(f"{PULLS}/{pull_id}", status_code=303)


def progress_of(pull: Mapping[str, Any]) -> Progress:
    """By lists: how many pages each has is known only when it has been read."""
    total = len(LISTS) if pull["mode"] == "full" else 1
    running = pull["state"] == "running"
    done = total if pull["state"] == "finished" else min(pull["lists"], total)
    read = f"Đã đọc {vn_number(pull['rows'])} dòng trong {vn_number(pull['pages'])} trang."
    if running and pull["failures"]:
        said = f"CSDL ngành chưa trả lời (lần {pull['failures']}); hệ thống tự thử lại. {read}"
    elif running:
        said = f"Đang đọc: {pull['reading']}. {read}"
    elif pull["state"] == "finished":
        said = f"{read} Dữ liệu đã sẵn sàng để xem trước."
    elif pull["state"] == "stopped":
        said = f"CSDL ngành không trả lời nhiều lần liên tiếp nên đã dừng. {read}"
    else:
        said = pull["problem"]
    return Progress(
        title=f"Lấy dữ liệu năm học {pull['year']}",
        total=total,
        done=done,
        failed=0 if running or pull["state"] == "finished" else total - done,
        waiting=total - done if running else 0,
        running=running,
        href=f"{PULLS}/{pull['id']}",
        message=said,
        outcome="success" if pull["state"] == "finished" else "danger",
    )


def _outcome(pull: Mapping[str, Any]) -> dict[str, str]:
    return {
        "preview_href": f"{IMPORTS}/{pull['import']}" if pull["import"] else "",
        "resume_action": f"{PULLS}/{pull['id']}/resume" if pull["state"] == "stopped" else "",
    }
