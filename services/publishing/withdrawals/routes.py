"""JSON of menu 2.10 under /api/publishing/withdrawals."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.access import Action, Principal
from contracts.documents import DocumentRef
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import FORBIDDEN, NOT_FOUND, Refused
from services.publishing.withdrawals import desk, rules, store

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document
    from services.chassis.objects import Objects

router = APIRouter(prefix="/api/publishing/withdrawals")

Key = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class NewRequests(BaseModel):
    """One request for each document, all for the same reason."""

    model_config = ConfigDict(extra="forbid")

    transcripts: list[Key] = Field(min_length=1, max_length=desk.MOST)
    reason: str = Field(max_length=5000, description="10 to 500 characters that can be read")


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=5000)


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    requests: list[Key] = Field(min_length=1, max_length=desk.MOST)


class Step(BaseModel):
    """`act`: draft, edit, delete, send, sign, decline, stop, claim, approve, refuse, recall, withdraw; `by` a code, `name` may be empty."""

    act: str
    by: str
    name: str
    at: dt.datetime
    reason: str


class Withdrawal(BaseModel):
    """`note`: why it is a draft again, or why it was refused. `unit`: of the officer who decided."""

    id: str
    transcript: str
    kind: str
    year: str
    class_code: str
    grade: int
    version: int
    pupil_code: str
    pupil_name: str
    reason: str
    state: str
    state_name: str
    note: str
    by_name: str
    sealed_by_name: str | None
    drafted_at: dt.datetime
    sent_at: dt.datetime | None
    decided_at: dt.datetime | None
    unit: str | None
    signed: bool
    history: list[Step]


class Withdrawals(BaseModel):
    withdrawals: list[Withdrawal]


def db_of(request: Request) -> Database:
    db: Database = request.app.state.store.db
    return db


def own_school(who: Principal) -> str:
    if who.school is None:
        raise Refused(FORBIDDEN, action=Action.DRAFT_WITHDRAWAL.value)
    return who.school


def shown(request: Document) -> Withdrawal:
    note = request["note"]
    said = "" if note is None else f"{note['code']}: {note['reason']}" if note["code"] else note["reason"]
    fields = {k: request[k] for k in Withdrawal.model_fields if k in request}
    return Withdrawal.model_validate(
        {
            **fields,
            "id": request["_id"],
            "state_name": rules.WORDS[request["state"]],
            "note": said,
            "signed": request["signed"] is not None,
        }
    )


@router.get("")
async def withdrawals(request: Request, who: Who, state: str | None = None) -> Withdrawals:
    """The school's requests, newest first."""
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    found = await store.of_school(db_of(request), own_school(who))
    return Withdrawals(withdrawals=[shown(r) for r in found if state in (None, r["state"])])


@router.post("", status_code=201)
async def draft(request: Request, who: Who, body: NewRequests) -> dict[str, Any]:
    """ "Tạo yêu cầu": drafts; {"done": n, "requests": [ids], "refused": [{id, code, reason, action}]}."""
    require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    return await desk.draft(db_of(request), who, body.transcripts, body.reason, request_id=request.state.request_id)


@router.post("/delete")
async def delete(request: Request, who: Who, body: Named) -> dict[str, Any]:
    """Drafts alone."""
    require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    return await desk.delete(db_of(request), who, body.requests, request_id=request.state.request_id)


@router.post("/send", status_code=202)
async def send(request: Request, who: Who, body: Named) -> dict[str, Any]:
    """ "Gửi lên hệ thống": drafts wait for the school certificate, and go to the oversight unit once they are signed."""
    require_fresh(who, Action.REQUEST_WITHDRAWAL, school=own_school(who))
    objects: Objects = request.app.state.objects
    return await desk.send(db_of(request), objects, who, body.requests, request_id=request.state.request_id)


@router.post("/recall")
async def recall(request: Request, who: Who, body: Named) -> dict[str, Any]:
    """ "Rút yêu cầu", until it is decided."""
    require_fresh(who, Action.REQUEST_WITHDRAWAL, school=own_school(who))
    return await desk.recall(db_of(request), who, body.requests, request_id=request.state.request_id)


@router.get("/{request_key}")
async def withdrawal(request: Request, who: Who, request_key: Key) -> Withdrawal:
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    return shown(await store.one(db_of(request), request_key, own_school(who)))


@router.post("/{request_key}/reason")
async def edit(request: Request, who: Who, request_key: Key, body: Reason) -> Withdrawal:
    """Of a draft."""
    require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    await desk.edit(db_of(request), who, request_key, body.reason, request_id=request.state.request_id)
    return shown(await store.one(db_of(request), request_key, own_school(who)))


@router.get("/{request_key}/request.xml", response_class=Response)
async def signed_request(request: Request, who: Who, request_key: Key) -> Response:
    """The request as the school certificate has signed it."""
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    found = await store.one(db_of(request), request_key, own_school(who))
    if found["signed"] is None:
        raise Refused(NOT_FOUND)
    objects: Objects = request.app.state.objects
    content = await objects.get(DocumentRef.model_validate(found["signed"]))
    name = f"yeu-cau-thu-hoi-{request_key}.xml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/xml", headers=headers)
