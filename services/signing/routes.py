"""JSON under /api/signing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from contracts.access import Action, Principal, allowed
from contracts.documents import SignedKind
from services.chassis.access import Who, require
from services.chassis.errors import FORBIDDEN, NOT_FOUND, Refused
from services.signing import batches, live, returning
from services.signing.items import ENDED_BADLY
from services.signing.queues import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.objects import Objects
    from services.signing.providers import Providers
    from services.signing.store import Store

router = APIRouter(prefix="/api/signing")
MOST_LISTED = 100
StepName = Literal["subjects", "homeroom", "leader", "issue"]


class Login(BaseModel):
    """The account at the remote signing provider; sent on to it and kept nowhere."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(min_length=1, max_length=120)
    password: SecretStr


class NewBatch(BaseModel):
    """Documents of one kind: `transcripts` named one by one, or everything that waits (`all`), narrowed to `classes`."""

    model_config = ConfigDict(extra="forbid")

    step: StepName
    transcripts: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False
    kind: SignedKind = "transcript"
    login: Login | None = Field(default=None, description="left out by whoever signs with a token")


class NewReturn(BaseModel):
    """Documents of one kind: `transcripts` named one by one, or everything that waits in `classes`, or at all (`all`)."""

    model_config = ConfigDict(extra="forbid")

    step: StepName
    transcripts: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False
    kind: SignedKind = "transcript"
    reason: str = Field(max_length=5000, description="10 to 500 characters that can be read")


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def objects_of(request: Request) -> Objects:
    objects: Objects = request.app.state.objects
    return objects


def providers_of(request: Request) -> Providers:
    providers: Providers = request.app.state.providers
    return providers


@router.get("/queue")
async def queue(
    request: Request,
    who: Who,
    *,
    step: StepName,
    tab: Literal["waiting", "signed"] = "waiting",
    class_code: Annotated[str | None, Query(alias="class")] = None,
    kind: SignedKind = "transcript",
) -> dict[str, Any]:
    """ "Chờ ký" and "Đã ký" of the signed-in person for one step; a class summary has no pupil."""
    if tab == "waiting":
        found = await batches.waiting_for(store_of(request), who, step, [class_code] if class_code else None, kind)
    else:
        signed = await store_of(request).signed(str(who.school), step, who.person, kind=kind)
        found = [t for t in signed if class_code in (None, t["class_code"])]
    keys = ("pupil_code", "pupil_name", "class_code", "grade", "version", "step")
    return {
        "transcripts": [{"id": t["_id"], **{k: t[k] for k in keys}, "in_batch": batches.being_signed(t, step, who.person)} for t in found]
    }


@router.post("/batches", status_code=202)
async def start(request: Request, who: Who, body: NewBatch) -> dict[str, Any]:
    """Start signing: one authorisation at the provider covers the whole batch."""
    batches.require_for(who, body.step)
    order = batches.Order(
        step=body.step,
        transcripts=None if body.all else (body.transcripts or []),
        classes=body.classes,
        user=body.login.user if body.login else "",
        password=body.login.password.get_secret_value() if body.login else "",
        kind=body.kind,
    )
    return await batches.start(store_of(request), providers_of(request), who, order, request_id=request.state.request_id)


@router.post("/returns")
async def give_back(request: Request, who: Who, body: NewReturn) -> dict[str, Any]:
    """ "Trả lại", "Đề xuất hủy": whoever it waits for sends it back with a reason; {"returned": n, "refused": [...]}."""
    waiting = await batches.waiting_for(store_of(request), who, body.step, body.classes, body.kind)
    chosen = [t["_id"] for t in waiting] if body.all or (body.transcripts is None and body.classes) else body.transcripts or []
    return await returning.give_back(
        store_of(request), who, step=body.step, transcripts=chosen, reason=body.reason, request_id=request.state.request_id
    )


@router.get("/batches")
async def own_batches(request: Request, who: Who) -> dict[str, Any]:
    """The person's batches, running and ended, newest first."""
    require(who, Action.SIGN, school=who.school)
    store = store_of(request)
    found = await store.batches_of(who.person, MOST_LISTED)
    counts = await store.counts_of([b["_id"] for b in found])
    return {"batches": [counted(b, counts[b["_id"]]) for b in found]}


@router.get("/batches/{batch_id}")
async def progress(request: Request, who: Who, batch_id: str) -> dict[str, Any]:
    """How far it is, and the outcome of every item."""
    batch = await own_batch(request, who, batch_id)
    items = await store_of(request).items(batch_id)
    keys = ("transcript", "pupil_name", "class_code", "state", "code", "reason", "action")
    return {**summary(batch, items), "items": [{k: i[k] for k in keys if k in i} for i in items]}


@router.post("/batches/{batch_id}/cancel")
async def cancel(request: Request, who: Who, batch_id: str) -> dict[str, Any]:
    """Before the confirmation only: {"cancelled": false} once it is confirmed or has ended, and what is signed stays signed."""
    await own_batch(request, who, batch_id)
    return {"cancelled": await batches.cancel(store_of(request), who, batch_id)}


@router.get("/batches/{batch_id}/events", response_class=StreamingResponse)
async def follow(request: Request, who: Who, batch_id: str, seconds: Annotated[int, Query(ge=0)] = live.LONGEST_SECONDS) -> Response:
    """Server-sent events: what changes in the batch, as it changes, for some seconds; then it is asked again."""
    await own_batch(request, who, batch_id)
    told = live.events(store_of(request), batch_id, seconds)
    return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def own_batch(request: Request, who: Principal, batch_id: str) -> dict[str, Any]:
    batch = await store_of(request).batch(batch_id)
    if batch["person"] != who.person and not allowed(who, Action.VIEW_SCHOOL, school=batch["school"]):
        raise Refused(NOT_FOUND if batch["school"] != who.school else FORBIDDEN, action="batch")
    return batch


def summary(batch: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    return counted(batch, Counter(i["state"] for i in items))


def counted(batch: dict[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    """A batch and how far it is; `counts`: its items by state."""
    signed = counts.get("embedded", 0)
    return {
        "batch": batch["_id"],
        "step": batch["step"],
        "kind": kind_of(batch),
        "state": batch["state"],
        "total": batch["total"],
        "signed": signed,
        "failed": sum(counts.get(s, 0) for s in ENDED_BADLY),
        "started_at": batch["at"],
        "deadline": batch["deadline"],
    }
