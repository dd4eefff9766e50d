"""JSON of menu 6.5 Quản lý yêu cầu thu hồi under /api/district/withdrawals."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis.access import Who, require
from services.district.routes import own_branch, store_of
from services.district.withdrawals import deciding, store
from services.district.withdrawals.rules import ALL, LONGEST, ordering, shown, wanted

if TYPE_CHECKING:
    from services.chassis.objects import Objects

router = APIRouter(prefix="/api/district/withdrawals")

Key = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
MOST_LISTED = 1000


class Filter(BaseModel):
    """`name`: a part of the pupil's or the school's."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["pending", "approved", "withdrawn", "refused", "recalled"] | None = None
    school: Words = ""
    grade: Annotated[int, Field(ge=1, le=12)] | None = None
    name: Words = ""

    def query(self) -> dict[str, str]:
        return {key: str(value) for key, value in self.model_dump(exclude_none=True).items() if value}


class Listing(Filter):
    sort: Literal["sent_at", "school", "name", "grade"] | None = None
    order: Literal["asc", "desc"] = "asc"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    size: Annotated[int, Field(ge=1, le=MOST_LISTED)] = MOST_LISTED


class Decision(Filter):
    """Requests by id, or every pending one that the filter finds (`all`)."""

    ids: list[Key] = Field(default_factory=list, max_length=store.MOST)
    all: bool = False
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5 * LONGEST)] = ""


class WithdrawalRequest(BaseModel):
    """`state`: pending, approved (the gateway is being told), withdrawn, refused or recalled; `refusal` says why, in the last but one."""

    id: str
    transcript: str
    kind: str
    kind_name: str
    school: str
    school_name: str
    year: str
    grade: int
    class_code: str
    version: int
    pupil_code: str
    pupil_name: str
    reason: str
    by_name: str
    sealed_by_name: str
    sent_at: dt.datetime
    state: str
    state_name: str
    refusal: str
    decided_by_name: str | None
    decided_at: dt.datetime | None
    ended_at: dt.datetime | None


class Requests(BaseModel):
    """`counts` by state, of the filter without its state; `total` of the filter."""

    withdrawals: list[WithdrawalRequest]
    total: int
    counts: dict[str, int]


class Details(BaseModel):
    """`history`: every request for the same document, newest first."""

    withdrawal: WithdrawalRequest
    history: list[WithdrawalRequest]


@router.get("")
async def withdrawals(request: Request, who: Who, asked: Annotated[Listing, Query()]) -> Requests:
    """Requests of the branch (menu 6.5)."""
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL)
    db, query = store_of(request).db, asked.query()
    filtered = wanted(unit, query)
    rows = await store.page(db, filtered, ordering(query), skip=(asked.page - 1) * asked.size, most=asked.size)
    counts = await store.counts(db, wanted(unit, query, state=ALL))
    total = sum(n for state, n in counts.items() if filtered.get("state") in (None, state))
    return Requests(withdrawals=[WithdrawalRequest(**shown(r)) for r in rows], total=total, counts=counts)


@router.get("/{request_key}")
async def withdrawal(request: Request, who: Who, request_key: Key) -> Details:
    db = store_of(request).db
    found = await store.one(db, request_key)
    require(who, Action.DECIDE_WITHDRAWAL, path=tuple(found["path"]))
    history = await store.of_document(db, found["transcript"])
    return Details(withdrawal=WithdrawalRequest(**shown(found)), history=[WithdrawalRequest(**shown(r)) for r in history])


@router.get("/{request_key}/request.xml", response_class=Response)
async def signed_request(request: Request, who: Who, request_key: Key) -> Response:
    """The request as the school's certificate has signed it."""
    found = await store.one(store_of(request).db, request_key)
    require(who, Action.DECIDE_WITHDRAWAL, path=tuple(found["path"]))
    objects: Objects = request.app.state.objects
    content = await objects.get(DocumentRef.model_validate(found["signed"]))
    headers = {
        "Content-Disposition": f'attachment; filename="yeu-cau-thu-hoi-{request_key}.xml"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/xml", headers=headers)


@router.post("/approve")
async def approve(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    """Everybody has an own outcome; what is approved is withdrawn when the gateway has obeyed."""
    return await _decide(request, who, body, approved=True)


@router.post("/refuse")
async def refuse(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    return await _decide(request, who, body, approved=False)


async def _decide(request: Request, who: Who, body: Decision, *, approved: bool) -> dict[str, Any]:
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL, acting=True)
    db = store_of(request).db
    chosen = await store.ids(db, wanted(unit, body.query())) if body.all else body.ids
    outcomes = await deciding.decide_all(db, who, chosen, approved=approved, reason=body.reason, request_id=request.state.request_id)
    refused = [{"id": o.id, "code": o.refused.code, "reason": o.refused.cause} for o in outcomes if o.refused is not None]
    return {"done": len(outcomes) - len(refused), "refused": refused}
