"""The page that asks why documents are sent back, in the words of the version that the person works in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from contracts.menu import PRIMARY, entry_of
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.web.lists import done, ticked
from services.chassis.web.look import confirm_page
from services.chassis.web.shell import shell
from services.signing import batches, returning
from services.signing.errors import NOT_WAITING, REASON_NEEDED
from services.signing.queues import Queue, queue_of, title_of
from services.signing.routes import store_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal

router = APIRouter()
SHOWN_TITLES = 10


def button(who: Principal, queue: Queue) -> dict[str, str]:
    """Of the list: guide 000 calls it "trả lại học bạ", guide 001 "đề xuất hủy"."""
    text = queue.words.give_back if who.level == PRIMARY else queue.words.propose
    return {"text": text, "name": "act", "value": "return", "kind": "secondary"}


async def ask(request: Request, who: Principal, queue: Queue, chosen: Sequence[str], *, missing: str = "") -> Response:
    here, words = queue.address, queue.words
    waiting = {t["_id"]: t for t in await batches.waiting_for(store_of(request), who, queue.step, None, queue.kind)}
    fit = [i for i in chosen if i in waiting]
    if not fit:
        return done(here, "return", 0, [NOT_WAITING.code] * len(chosen))
    # guide 001 has its own words, for transcripts alone
    proposed = who.level != PRIMARY and queue.kind == "transcript"
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title="Đề xuất hủy học bạ số" if proposed else words.give_back,
        crumb=entry_of(who, here).title,
        question=f"{words.propose if proposed else words.verb} {len(fit)} {words.noun}?",
        action=f"{here}/return",
        confirm="Xác nhận" if proposed else words.give_back,
        cancel_href=here,
        fields=[("ids", i) for i in fit],
        items=[title_of(waiting[i]) for i in fit[:SHOWN_TITLES]],
        count=len(fit),
        warning=f"{words.noun.capitalize()} {words.until}.",
        reason=(
            "Lý do đề xuất hủy học bạ số" if proposed else f"Lý do {words.verb.lower()} {words.noun}",
            f"Ghi rõ nội dung sai, từ {returning.SHORTEST} đến {returning.LONGEST} ký tự.",
        ),
        missing=missing.replace("Lý do trả lại", "Lý do đề xuất hủy") if proposed else missing,
    )


@router.post("/{step}/return")
async def give_back(request: Request, who: Who, step: str) -> Response:
    """`step`: the name of a queue."""
    queue = queue_of(who, step)
    form = await ticked(request)
    try:
        outcome = await returning.give_back(
            store_of(request), who, step=queue.step, transcripts=form.ids, reason=form.field("reason"), request_id=request.state.request_id
        )
    except Refused as refused:
        if refused.refusal is not REASON_NEEDED:
            raise
        return await ask(request, who, queue, form.ids, missing=refused.cause)
    return done(queue.address, "return", outcome["returned"], [r["code"] for r in outcome["refused"]])
