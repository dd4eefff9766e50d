"""The page that asks why a transcript is sent back, in the words of the version that the person works in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.menu import PRIMARY, entry_of
from services.chassis.access import Who
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web.lists import done, ticked
from services.chassis.web.look import confirm_page
from services.chassis.web.shell import shell
from services.signing import batches, returning
from services.signing.errors import NOT_WAITING, REASON_NEEDED
from services.signing.routes import store_of
from services.signing.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal

router = APIRouter()
SHOWN_TITLES = 10


def button(who: Principal) -> dict[str, str]:
    """Of the list: guide 000 calls it "trả lại học bạ", guide 001 "đề xuất hủy"."""
    text = "Trả lại học bạ" if who.level == PRIMARY else "Đề xuất hủy"
    return {"text": text, "name": "act", "value": "return", "kind": "secondary"}


def title_of(task: Mapping[str, Any]) -> str:
    return f"{task['pupil_name']} – lớp {task['class_code']}"


async def ask(request: Request, who: Principal, step: str, chosen: Sequence[str], *, missing: str = "") -> Response:
    here = f"/ui/signing/{step}"
    waiting = {t["_id"]: t for t in await batches.waiting_for(store_of(request), who, step, None)}
    fit = [i for i in chosen if i in waiting]
    if not fit:
        return done(here, "return", 0, [NOT_WAITING.code] * len(chosen))
    primary = who.level == PRIMARY
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title="Trả lại học bạ" if primary else "Đề xuất hủy học bạ số",
        crumb=entry_of(who, here).title,
        question=f"{'Trả lại' if primary else 'Đề xuất hủy'} {len(fit)} học bạ?",
        action=f"{here}/return",
        confirm="Trả lại học bạ" if primary else "Xác nhận",
        cancel_href=here,
        fields=[("ids", i) for i in fit],
        items=[title_of(waiting[i]) for i in fit[:SHOWN_TITLES]],
        count=len(fit),
        warning="Học bạ chuyển sang trạng thái Trả lại: không ai ký được cho đến khi quản trị viên duyệt hủy hoặc từ chối hủy.",
        reason=(
            "Lý do trả lại học bạ" if primary else "Lý do đề xuất hủy học bạ số",
            f"Ghi rõ nội dung sai, từ {returning.SHORTEST} đến {returning.LONGEST} ký tự.",
        ),
        missing=missing,
    )


@router.post("/{step}/return")
async def give_back(request: Request, who: Who, step: str) -> Response:
    if step not in STEPS:
        raise Refused(NOT_FOUND)
    form = await ticked(request)
    try:
        outcome = await returning.give_back(
            store_of(request), who, step=step, transcripts=form.ids, reason=form.field("reason"), request_id=request.state.request_id
        )
    except Refused as refused:
        if refused.refusal is not REASON_NEEDED:
            raise
        return await ask(request, who, step, form.ids, missing=refused.cause)
    return done(f"/ui/signing/{step}", "return", outcome["returned"], [r["code"] for r in outcome["refused"]])
