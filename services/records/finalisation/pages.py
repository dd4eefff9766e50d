"""The pages "Xác nhận hoàn thành tổng kết": all classes with their state, and one class with what forbids it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CLASSES, FINALISATION, entry_of
from services.chassis.access import Who, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render
from services.records.at_hand import reading
from services.records.finalisation.routes import classes, finalise_all, may_finalise, may_reopen, of_class, reopen_all
from services.records.locks.locking import class_finalised
from services.records.locks.rules import LONGEST_REASON, reason_in
from services.records.page_parts import framed, grades_of, newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
OPENED = (
    "Kết quả của học sinh trong lớp sửa được bằng cách nhập lại cho đến khi lớp được xác nhận lần nữa. "
    "Sai sót của từng học sinh thì dùng phiếu đề nghị sửa."
)
WARNING = "Sau khi xác nhận, kết quả của học sinh trong lớp bị khóa dữ liệu: chỉ sửa được theo phiếu đề nghị sửa đã được phê duyệt."


@router.get("/finalisation")
async def show_finalisation(request: Request, who: Who) -> Response:
    looked_at = await newest(request, who)
    every = await classes(looked_at) if looked_at else []
    query = query_of(request, "grade", "state", "sort", "order")
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, FINALISATION).title,
        "action": FINALISATION,
        "query": query,
        "grades": grades_of(every),
        "rows": _rows(looked_at, every, query) if looked_at else [],
        "acts": _acts(looked_at, every) if looked_at else [],
    }
    return render(request.app.state.pages, request, "records/finalisation.html", context)


def _rows(looked_at: Reading, every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    state = query.get("state", "")
    rows = [
        {**row, "href": f"{FINALISATION}/{row['code']}", "selectable": _open_to(looked_at, row) != ""}
        for row in every
        if query.get("grade", "") in ("", str(row["grade"])) and state in ("", "done" if row["finalised"] else "open")
    ]
    keys = {
        "name": lambda r: (r["grade"], r["name"]),
        "homeroom": lambda r: given_name_key(r["homeroom"]),
        "finalised": lambda r: r["finalised"],
        "blocking": lambda r: r["blocking"],
    }
    return ordered(rows, query, keys)


def _open_to(looked_at: Reading, row: Mapping[str, Any]) -> str:
    """The act that this person may do with the class as it is: "finalise", "undo" or ""."""
    if row["finalised"]:
        return "undo" if may_reopen(looked_at) and not row["imported"] else ""
    return "finalise" if may_finalise(looked_at, row["code"]) else ""


def _acts(looked_at: Reading, every: Sequence[Mapping[str, Any]]) -> list[str]:
    """What this person may do with classes, whatever their state."""
    finalises = any(may_finalise(looked_at, row["code"]) for row in every)
    return ["finalise"] * finalises + ["undo"] * may_reopen(looked_at)


@router.post("/finalisation")
async def decide_finalisation(request: Request, who: Who) -> Response:
    """Finalising asks once more, because it locks the results; taking it back asks for the reason, and who it is."""
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    undo = chosen.field("act") == "undo"
    act = "reopen" if undo else "finalise"
    if undo:
        require_fresh(who, Action.REOPEN_CLASS, school=looked_at.school)
    codes = list(chosen.ids)
    if chosen.filter is not None:
        codes = [r["code"] for r in await _fit(looked_at, chosen.filter, "undo" if undo else "finalise")]
    back = f"{FINALISATION}/{codes[0]}" if chosen.field("back") and len(codes) == 1 else FINALISATION
    if not codes:
        return done(back, act, 0)
    if not chosen.field("sure"):
        return await (_ask_why if undo else _ask)(request, looked_at, codes, back)
    if undo:
        try:
            reason = reason_in(chosen.field("reason"))
        except Refused as refused:
            return await _ask_why(request, looked_at, codes, back, missing=refused.cause)
        outcome = await reopen_all(looked_at, codes, reason)
    else:
        outcome = await finalise_all(looked_at, codes)
    return done(back, act, outcome["done"], [r["code"] for r in outcome["refused"]])


async def _fit(looked_at: Reading, query: Mapping[str, str], act: str) -> list[dict[str, Any]]:
    return [row for row in _rows(looked_at, await classes(looked_at), query) if _open_to(looked_at, row) == act]


async def _ask_why(request: Request, looked_at: Reading, codes: Sequence[str], back: str, missing: str = "") -> Response:
    rows = [row for row in await classes(looked_at) if row["code"] in codes]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at),
        title="Hủy xác nhận hoàn thành tổng kết",
        crumb=entry_of(looked_at.who, FINALISATION).title,
        question="Mở khóa dữ liệu của các lớp đã chọn để sửa trong dữ liệu nguồn và nhập lại?",
        action=FINALISATION,
        confirm="Hủy xác nhận",
        cancel_href=back,
        fields=[("act", "undo"), ("sure", "1"), ("back", "1" if back != FINALISATION else ""), *(("ids", row["code"]) for row in rows)],
        items=[f"Lớp {row['name']}: {row['pupils']} học sinh" for row in rows],
        count=len(rows),
        warning=OPENED,
        reason=("Lý do", f"Tối đa {LONGEST_REASON} ký tự; lưu vào nhật ký hoạt động."),
        missing=missing,
    )


async def _ask(request: Request, looked_at: Reading, codes: Sequence[str], back: str) -> Response:
    rows = [row for row in await classes(looked_at) if row["code"] in codes]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at),
        title="Xác nhận hoàn thành tổng kết",
        crumb=entry_of(looked_at.who, FINALISATION).title,
        question="Bạn có chắc chắn muốn xác nhận hoàn thành tổng kết?",
        action=FINALISATION,
        confirm="OK",
        cancel_href=back,
        fields=[("act", "finalise"), ("sure", "1"), ("back", "1" if back != FINALISATION else ""), *(("ids", row["code"]) for row in rows)],
        items=[f"Lớp {row['name']}: {row['pupils']} học sinh{_warned(row)}" for row in rows],
        count=len(rows),
        warning=WARNING,
    )


def _warned(row: Mapping[str, Any]) -> str:
    wrong = f", {row['blocking']} học sinh có kết quả thiếu hoặc không đúng quy định" if row["blocking"] else ""
    return wrong + (f", {row['lacking']} học sinh thiếu thông tin hồ sơ" if row["lacking"] else "")


@router.get("/finalisation/{code}")
async def show_class_finalisation(request: Request, who: Who, code: str) -> Response:
    looked_at = await reading(request, who, None)
    found = await of_class(looked_at, code)
    school_class = await looked_at.store.school_class(looked_at.school, looked_at.year, code)
    query = query_of(request, "page", "sort", "order")
    rows = [
        {"name": s.name or f"Học sinh mã {s.pupil}", "blocking": s.blocking, "lacking": s.lacking} for s in found if s.blocking or s.lacking
    ]
    keys = {"name": lambda r: given_name_key(r["name"]), "blocking": lambda r: not r["blocking"]}
    page, paging = paged(ordered(rows, query or {"sort": "blocking"}, keys), query)
    imported, standing = school_class["data"]["finalised"], class_finalised(school_class)
    act = _open_to(looked_at, {"code": code, "finalised": standing, "imported": imported})
    staff = await looked_at.store.staff(looked_at.school, looked_at.year)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Tổng kết lớp {school_class['data']['name']}",
        "crumb": entry_of(who, FINALISATION).title,
        "query": query,
        "paging": paging,
        "action": FINALISATION,
        "back_href": FINALISATION,
        "class_href": f"{CLASSES}/{code}",
        "code": code,
        "finalised": standing,
        "imported": imported,
        "finalised_at": school_class.get("finalised_at"),
        "pupils": len(found),
        "blocking": sum(1 for s in found if s.blocking),
        "may_finalise": act == "finalise",
        "may_undo": act == "undo",
        "reopenings": [
            {**told, "name": staff[told["by"]].name if told["by"] in staff else told["by"]} for told in school_class.get("reopenings", ())
        ],
        "rows": page,
    }
    return render(request.app.state.pages, request, "records/class_finalisation.html", context)
