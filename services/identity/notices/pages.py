"""The page Thông báo, and its JSON: what the person who is signed in was told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field, StringConstraints

from services.chassis import clock
from services.chassis.access import Who
from services.chassis.web.lists import PAGE_SIZE, count_in
from services.chassis.web.look import Notice, Paging, render, vn_number
from services.identity.at_hand import Db
from services.identity.messages import Body
from services.identity.notices import store
from services.identity.notices.notices import STATUS, TONES, body, title
from services.identity.pages import NOTICES, Settled, check_form, frame

if TYPE_CHECKING:
    from services.chassis.mongo import Document

router = APIRouter()
MOST = 100
NoticeId = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Told(BaseModel):
    """`what`: approved, refused, revoked, suspended, resumed, expired, expiring, ended or unchecked: a certificate. "correction forwarded",
    "correction approved", "correction refused": a request to correct; request and school year then stand in the certificate's place."""

    id: str
    what: str
    title: str
    text: str
    certificate_subject: str
    certificate_serial: str
    at: dt.datetime
    read: bool


class AllTold(BaseModel):
    """Newest first."""

    unread: int
    total: int
    notices: list[Told]


class ReadOrder(Body):
    """Without `ids` all of them."""

    ids: Annotated[list[NoticeId], Field(max_length=MOST)] | None = None


class Unread(BaseModel):
    unread: int


@router.get("/api/identity/notices")
async def list_notices(who: Who, db: Db, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> AllTold:
    """What was told to the actor."""
    total, found = await store.of_person(db, who.person, skip=(page - 1) * MOST, most=MOST)
    return AllTold(unread=await store.unread(db, who.person), total=total, notices=[Told(**_told(n)) for n in found])


@router.post("/api/identity/notices/read")
async def mark_read(order: ReadOrder, who: Who, db: Db) -> Unread:
    """The actor has read them; others' are left alone."""
    await store.mark_read(db, who.person, order.ids, clock.now())
    return Unread(unread=await store.unread(db, who.person))


@router.get(NOTICES, include_in_schema=False)
async def show_notices(request: Request, here: Settled, db: Db, page: str = "", read: str = "") -> Response:
    asked = max(1, count_in(page))
    total, found = await store.of_person(db, here.who.person, skip=(asked - 1) * PAGE_SIZE, most=PAGE_SIZE)
    done = [Notice("success", f"Đã đánh dấu đã đọc {vn_number(count_in(read))} thông báo.")] if count_in(read) else []
    context = {
        "shell": await frame(request, here, db, done),
        "title": "Thông báo",
        "action": NOTICES,
        "query": {},
        "paging": Paging(asked, PAGE_SIZE, total),
        "unread": await store.unread(db, here.who.person),
        "rows": [{**_told(n), "status": STATUS[n["what"]], "tone": TONES[n["what"]]} for n in found],
    }
    return render(request.app.state.pages, request, "identity/notices.html", context)


@router.post(NOTICES, include_in_schema=False)
async def read_notices(
    here: Settled,
    db: Db,
    ids: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """The one that is named, or all."""
    check_form(here, csrf)
    number = await store.mark_read(db, here.who.person, ids or None, clock.now())
    return RedirectResponse(f"{NOTICES}?read={number}", status_code=303)


def _told(notice: Document) -> dict[str, Any]:
    return {
        "id": notice["_id"],
        "what": notice["what"],
        "title": title(notice),
        "text": body(notice),
        "certificate_subject": notice["subject"],
        "certificate_serial": notice["serial"],
        "at": notice["at"],
        "read": notice["read_at"] is not None,
    }
