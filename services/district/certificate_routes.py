"""JSON of menu 6.1 Duyệt chứng thư số đơn vị under /api/district/certificates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.access import Action
from services.chassis import clock
from services.chassis.access import Who, require
from services.district import approvals, certificate_store
from services.district.certificates import ALL, ordering, present, shown, wanted
from services.district.routes import own_branch, store_of

router = APIRouter(prefix="/api/district")

RequestKey = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
MOST_LISTED = 1000


class Filter(BaseModel):
    """`waiting`: at least so many days; `name`: a part of the school's or the person's."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["pending", "approved", "refused", "ended"] | None = None
    kind: Literal["school", "manager"] | None = None
    school: Words = ""
    name: Words = ""
    waiting: Literal["3", "7", "15", "30"] | None = None

    def query(self) -> dict[str, str]:
        return {key: value for key, value in self.model_dump(exclude_none=True).items() if value}


class Listing(Filter):
    sort: Literal["requested_at", "school", "valid_to", "kind"] | None = None
    order: Literal["asc", "desc"] = "asc"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    size: Annotated[int, Field(ge=1, le=MOST_LISTED)] = MOST_LISTED


class Decision(Filter):
    """Requests by id, or every pending one that the filter finds (`all`)."""

    ids: list[RequestKey] = Field(default_factory=list, max_length=1000)
    all: bool = False
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class CertificateRequest(BaseModel):
    """`kind` "school": the school's certificate; "manager": a manager's signing account. `asked_because`: why it was registered again.

    `state`: pending, approved, refused or ended; `checking`: approved, and identity asks once more whether it is revoked. `reason`:
    of a refusal or an end. `days_waiting` of what is pending alone.
    """

    id: str
    school: str
    school_name: str
    kind: str
    kind_name: str
    person_name: str
    subject: str
    organisation: str
    tax_code: str
    issuer: str
    serial: str
    algorithm: str
    provider: str
    year: str
    valid_from: dt.datetime
    valid_to: dt.datetime
    days_left: int
    requested_at: dt.datetime
    days_waiting: int | None
    asked_because: str
    state: str
    state_name: str
    reason: str
    checking: bool
    decided_at: dt.datetime | None
    ended_at: dt.datetime | None


class Requests(BaseModel):
    """`counts` by state, of the filter without its state; `total` of the filter."""

    certificates: list[CertificateRequest]
    total: int
    counts: dict[str, int]


class Details(BaseModel):
    """`present`: the certificate that goes on signing until this one is approved; `history`: all requests of the owner, newest first."""

    certificate: CertificateRequest
    present: CertificateRequest | None
    history: list[CertificateRequest]


@router.get("/certificates")
async def certificates(request: Request, who: Who, asked: Annotated[Listing, Query()]) -> Requests:
    """School certificates and managers' signing accounts of the branch (menu 6.1)."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    db, at = store_of(request).db, clock.now()
    query = asked.query()
    filtered = wanted(unit, query, at)
    rows = await certificate_store.page(db, filtered, ordering(query), skip=(asked.page - 1) * asked.size, most=asked.size)
    counts = await certificate_store.counts(db, wanted(unit, {**query, "state": ALL}, at))
    total = sum(n for state, n in counts.items() if filtered.get("state") in (None, state))
    return Requests(certificates=[CertificateRequest(**shown(r, at)) for r in rows], total=total, counts=counts)


@router.get("/certificates/{request_key}")
async def certificate(request: Request, who: Who, request_key: RequestKey) -> Details:
    db, at = store_of(request).db, clock.now()
    found = await certificate_store.one(db, request_key)
    require(who, Action.DECIDE_CERTIFICATE, path=tuple(found["path"]))
    history = await certificate_store.history(db, found)
    now = present(history, found)
    return Details(
        certificate=CertificateRequest(**shown(found, at)),
        present=CertificateRequest(**shown(now, at)) if now else None,
        history=[CertificateRequest(**shown(r, at)) for r in history],
    )


@router.post("/certificates/approve")
async def approve(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    """Everybody has an own outcome. What is approved takes effect when identity has asked once more whether it is revoked."""
    return await _decide(request, who, body, approved=True)


@router.post("/certificates/refuse")
async def refuse(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    return await _decide(request, who, body, approved=False)


async def _decide(request: Request, who: Who, body: Decision, *, approved: bool) -> dict[str, Any]:
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE, acting=True)
    db = store_of(request).db
    chosen = await certificate_store.ids(db, wanted(unit, body.query(), clock.now())) if body.all else body.ids
    outcomes = await approvals.decide_all(db, who, chosen, approved=approved, reason=body.reason, request_id=request.state.request_id)
    refused = [{"id": o.id, "code": o.refused.code, "reason": o.refused.cause} for o in outcomes if o.refused is not None]
    return {"done": len(outcomes) - len(refused), "refused": refused}
