"""The page of a batch: live progress, the outcome of every item, stopping it, and what can be tried again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.menu import entries_of
from contracts.nouns import NOUNS, worded
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, reworded
from services.chassis.web.look import Progress, render, vn_number, with_query
from services.chassis.web.shell import shell
from services.signing import batches, confirming, confirming_pages, errors, live, routes, token_means
from services.signing.items import ENDED_BADLY
from services.signing.queues import document_href, kind_of, queue_for, title_of
from services.signing.routes import own_batch, providers_of, store_of, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter()
BATCHES = "/ui/signing/batches"
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {
    "start": ("Đã nhận {{n}} {noun} vào đợt ký.", "Không có {noun} nào vào đợt ký."),
    "cancel": ("Đã yêu cầu dừng đợt ký.", "Đợt ký đã được xác nhận hoặc đã kết thúc nên không dừng được."),
}
STATES = {
    "embedded": "SIGNED",
    "refused": "REFUSED",
    "expired": "EXPIRED",
    "stale": "STALE",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
"""Of items that are settled; the others are told by what the batch is doing."""
OPEN = {"preparing": "WAITING", "waiting": "AWAITING_CONFIRMATION", "signing": "SIGNING"}
MESSAGES = {"preparing": "Đang chuẩn bị dữ liệu ký.", "waiting": "Chờ xác nhận ký số"}
IN_WORDS = {"preparing": "Đang chuẩn bị", "waiting": "Chờ xác nhận ký số", "signing": "Đang ký", "finished": "Đã kết thúc"}


@router.get("/batches")
async def show_batches(request: Request, who: Who) -> Response:
    """The person's batches, running and ended: the way back for who has closed the page."""
    told = (await routes.own_batches(request, who))["batches"]
    query = query_of(request, "page")
    page, paging = paged([_listed(b) for b in told], query)
    context = {"shell": shell(request, who), "title": "Các đợt ký của tôi", "query": query, "paging": paging, "rows": page}
    return render(request.app.state.pages, request, "signing/batches.html", context)


def _listed(told: Mapping[str, Any]) -> dict[str, Any]:
    finished = told["state"] == "finished"
    return {
        "at": told["started_at"],
        "step_text": batches.title_of(told["step"]),
        "noun": NOUNS[told["kind"]],
        "total": told["total"],
        "signed": told["signed"],
        "failed": told["failed"],
        "state_text": "Đã kết thúc, có mục chưa ký được" if finished and told["failed"] else IN_WORDS[told["state"]],
        "tone": "info" if not finished else "success" if not told["failed"] else "warning" if told["signed"] else "danger",
        "href": f"{BATCHES}/{told['batch']}",
    }


@router.get("/batches/{batch_id}")
async def show_batch(request: Request, who: Who, batch_id: str) -> Response:
    batch = await own_batch(request, who, batch_id)
    items = await store_of(request).items(batch_id)
    query = query_of(request, "page", "only")
    page, paging = paged(_rows(batch, items, bad_only=query.get("only") == "failed"), query)
    again = sum(i["state"] in ENDED_BADLY for i in items)
    mine = batch["person"] == who.person
    kind = kind_of(batch)
    queue, noun = queue_for(kind, batch["step"]).address, NOUNS[kind]
    words = {act: (some.format(noun=noun), none.format(noun=noun)) for act, (some, none) in WORDS.items()}
    told = notices(request, words, reworded(CATALOGUE, partial(worded, kind)))
    if batch["state"] == "finished":
        # that it was begun is no success beside how it ended
        told = [notice for notice in told if notice.kind != "success"]
    context = {
        "shell": shell(request, who, notices=told),
        "noun": noun,
        "title": f"Đợt ký lúc {clock.in_vietnam(batch['at']):%H:%M ngày %d/%m/%Y}",
        "back_href": queue,
        "back_text": back_text(who, queue),
        "query": query,
        "paging": paging,
        "progress": progress_of(batch, items, href=with_query(query), place=await live.place_of(store_of(request), batch)),
        "asked_again": bool(batch.get("asked_again")) and batch["state"] == "waiting",
        "awaiting_phone": batch["state"] == "waiting" and not token_means.by_token(batch) and not confirming.waits(batch),
        "confirmation": confirming_pages.asked_of(who, batch, _provider(request, batch)),
        "confirm_by": f"{clock.in_vietnam(batch['deadline']):%H:%M}" if batch["state"] == "waiting" else "",
        "token_note": await token_means.note(store_of(request), batch, items),
        "retry_action": f"{BATCHES}/{batch_id}/retry" if mine and again and batch["state"] == "finished" else "",
        "retryable": again,
        "only_failed": query.get("only") == "failed",
        "cancel_action": f"{BATCHES}/{batch_id}/cancel" if mine and batch["state"] in ("preparing", "waiting") else "",
        "items": page,
    }
    alone = bool(request.headers.get("HX-Request"))
    return render(request.app.state.pages, request, "signing/batch_panel.html" if alone else "signing/batch.html", context)


def _provider(request: Request, batch: Mapping[str, Any]) -> str:
    return "" if token_means.by_token(batch) else providers_of(request).name(batch["provider"])


def back_text(who: Principal, queue: str) -> str:
    """In a version that has no such queue, as when the person works in two, its words without a number."""
    found = [e.title for e in entries_of(who) if e.href == queue]
    return found[0] if found else "Danh sách chờ ký"


def progress_of(batch: Mapping[str, Any], items: Sequence[Document], *, href: str, place: int | None) -> Progress:
    told = summary(dict(batch), list(items))
    total, signed, failed = told["total"], told["signed"], told["failed"]
    noun = NOUNS[kind_of(batch)]
    said = f"Đã ký {vn_number(signed)} trong {vn_number(total)} {noun}."
    return Progress(
        title=f"Ký {vn_number(total)} {noun}",
        total=total,
        done=signed,
        failed=failed,
        waiting=total - signed - failed,
        running=batch["state"] != "finished",
        href=href,
        message=MESSAGES.get(batch["state"], said) if place is None else f"Lô của thầy/cô đứng thứ {vn_number(place)} trong hàng chờ ký.",
        events=f"{BATCHES}/{batch['_id']}/events",
        outcome="success" if not failed else "warning" if signed else "danger",
    )


def _rows(batch: Mapping[str, Any], items: Sequence[Document], *, bad_only: bool) -> list[dict[str, Any]]:
    """What failed first, then in the order of the batch."""
    rows = [
        {
            "title": title_of(i),
            "state": STATES.get(i["state"]) or OPEN.get(batch["state"], "WAITING"),
            "reason": f"{i['code']}: {i['reason']}" if i.get("code") else "",
            "todo": i.get("action", ""),
            "at": i.get("changed_at") if i["state"] == "embedded" else None,
            "href": document_href(i, i["transcript"]),
            "bad": i["state"] in ENDED_BADLY,
            "number": i["number"],
        }
        for i in items
        if not bad_only or i["state"] in ENDED_BADLY
    ]
    return ordered(rows, {}, {"outcome": lambda r: (not r["bad"], r["number"])})


@router.get("/batches/{batch_id}/events")
async def events(request: Request, who: Who, batch_id: str, seconds: Annotated[int, Query(ge=0)] = live.LONGEST_SECONDS) -> Response:
    return await routes.follow(request, who, batch_id, seconds)


@router.post("/batches/{batch_id}/cancel")
async def cancel(request: Request, who: Who, batch_id: str) -> Response:
    told = await routes.cancel(request, who, batch_id)
    return done(f"{BATCHES}/{batch_id}", "cancel", int(told["cancelled"]))


async def retryable(request: Request, who: Principal, batch_id: str) -> tuple[Document, list[str]]:
    """The batch and the transcripts that did not work in it."""
    batch = await own_batch(request, who, batch_id)
    return batch, [i["transcript"] for i in await store_of(request).items(batch_id, states=ENDED_BADLY)]
