"""JSON under /api/publishing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action, Principal
from contracts.documents import DocumentKind
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import FORBIDDEN, Refused
from services.publishing import delivery, sending
from services.publishing.errors import CALLBACK_TOO_LARGE
from services.publishing.gateways.national import LARGEST_CALLBACK, verify_callback

if TYPE_CHECKING:
    from services.publishing.store import Store

router = APIRouter(prefix="/api/publishing")


class Selection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    transcripts: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False
    kind: DocumentKind = "transcript"


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def own_school(who: Principal) -> str:
    if who.school is None:
        raise Refused(FORBIDDEN, action=Action.SUBMIT.value)
    return who.school


@router.post("/submissions", status_code=202)
async def submit(request: Request, who: Who, selection: Selection) -> dict[str, Any]:
    """ "Gửi lên hệ thống" (menu 2.8): by class, selection or everything that is confirmed; refused ones may be sent again."""
    require_fresh(who, Action.SUBMIT, school=own_school(who))
    return await sending.submit(
        store_of(request),
        who,
        transcripts=selection.transcripts,
        classes=selection.classes,
        everything=selection.all,
        request_id=request.state.request_id,
        kind=selection.kind,
    )


@router.get("/submissions")
async def submissions(
    request: Request,
    who: Who,
    class_code: Annotated[str | None, Query(alias="class")] = None,
    state: str | None = None,
    kind: DocumentKind = "transcript",
) -> dict[str, Any]:
    """ "Trạng thái gửi", "Ngày gửi" and the reason of a refusal."""
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    found = await store_of(request).submissions(
        own_school(who), classes=[class_code] if class_code else None, states=[state] if state else None, kind=kind
    )
    keys = ("pupil_code", "pupil_name", "class_code", "state", "confirmed_at", "sent_at", "decided_at", "refusal", "package")
    return {"submissions": [{"transcript": s["_id"], **{k: s[k] for k in keys}} for s in found]}


@router.post("/gateway-callbacks", status_code=204)
async def callback(request: Request) -> Response:
    """The national gateway's answer to a package; it may come twice, early or late."""
    body = await _body(request)
    said = verify_callback(request.app.state.settings, request.headers.get("X-Signature", ""), body)
    await delivery.called_back(store_of(request), said, hashlib.sha256(body).hexdigest())
    return Response(status_code=204)


async def _body(request: Request) -> bytes:
    """Not read further than a callback can be long, whatever its header says."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_CALLBACK:
            raise Refused(CALLBACK_TOO_LARGE)
        parts.append(part)
    return b"".join(parts)
