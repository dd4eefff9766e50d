"""The audit trail and the school's activity, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from contracts.access import Action, Principal
from services.chassis.access import Who, require
from services.chassis.work import Pool
from services.identity.activity import export, search, watch
from services.identity.activity.words import KINDS
from services.identity.at_hand import Db
from services.identity.messages import Body, Code
from services.identity.store import one

router = APIRouter(prefix="/api/identity")

ZIP = "application/zip"


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


ThePool = Annotated[Pool, Depends(_pool)]
Words = Annotated[str, StringConstraints(max_length=120)]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class AuditQuery(BaseModel):
    """`who` is a code or a part of a name, `from` and `to` are days in Vietnam, both included; `before` is the `next` of a page."""

    who: Words = ""
    act: Words = ""
    kind: Words = ""
    subject: Words = ""
    service: Words = ""
    place: Words = ""
    result: Literal["", "done", "refused"] = ""
    from_day: Annotated[str, Field(alias="from", max_length=10)] = ""
    to_day: Annotated[str, Field(alias="to", max_length=10)] = ""
    request: Words = ""
    before: Words = ""
    mine: bool = False


class AuditEntry(BaseModel):
    """`text` and `details` are in Vietnamese words; `number` and `hash` are those of the service's chain."""

    service: str
    number: int
    hash: str
    at: dt.datetime
    actor: str
    actor_name: str
    act: str
    text: str
    refused: bool
    subject: str
    place: str
    address: str
    device: str
    request_id: str
    details: list[tuple[str, str]]


class AuditPage(BaseModel):
    """`next` is "" at the end; `total` counts up to 10,000."""

    entries: list[AuditEntry]
    next: str
    total: int


class UnusualAct(BaseModel):
    id: str
    rule: str
    title: str
    reason: str
    at: dt.datetime
    person: str
    seen_by: str | None
    seen_at: dt.datetime | None


class DayCounts(BaseModel):
    day: dt.date
    acts: dict[str, int]


class Activity(BaseModel):
    unusual: list[UnusualAct]
    kinds: list[str]
    days: list[DayCounts]


class SeenOrder(Body):
    ids: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=300)]], Field(min_length=1, max_length=1000)]


class ExportOrder(Body):
    """Whole days in Vietnam, both included. Without `place`: the own school or unit."""

    from_day: Annotated[Day, Field(alias="from")]
    to_day: Annotated[Day, Field(alias="to")]
    place: Code | None = None


@router.get("/audit")
async def find(query: Annotated[AuditQuery, Query()], who: Who, db: Db) -> AuditPage:
    """The own acts (`mine`), or those of the school or the branch that one watches over; the newest first."""
    scope = search.own_scope(who) if query.mine else await search.scope_of(db, who)
    asked = query.model_dump(by_alias=True, exclude={"before", "mine"})
    found = await search.search(db, scope, asked, query.before)
    names = await search.names_of(db, found.documents)
    entries = [AuditEntry.model_validate(search.row(d, names)) for d in found.documents]
    return AuditPage(entries=entries, next=found.next, total=found.total)


@router.post("/audit/exports")
async def export_period(order: ExportOrder, who: Who, db: Db, pool: ThePool) -> Response:
    """A zip file with the entries of the period as they were chained, and with what is needed to check them."""
    return await exported(db, pool, who, place=order.place or who.place or "", first=order.from_day, last=order.to_day)


async def exported(db: Any, pool: Pool, who: Principal, *, place: str, first: str, last: str) -> Response:
    """Raises Refused: FORBIDDEN for a place out of reach, WRONG_PERIOD, PERIOD_TOO_LARGE."""
    scope = await search.scope_of(db, who)
    scope.filter(place)
    known = await one(db, "schools", place) or await one(db, "units", place)
    content = await export.package(db, pool, who, place=place, name=known["name"] if known else place, first=first, last=last)
    name = f"nhat-ky-{place}-{first}-{last}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(content, media_type=ZIP, headers=headers)


@router.get("/activity")
async def activity(who: Who, db: Db) -> Activity:
    """What is unusual at the own school in the last 30 days, and how many acts of each kind there were."""
    school = own_school(who)
    watched = await watch.watch(db, school)
    unusual = []
    for finding in watched.findings:
        seen = watched.seen.get(finding.id)
        unusual.append(
            UnusualAct(
                id=finding.id,
                rule=finding.rule,
                title=finding.title,
                reason=finding.reason,
                at=finding.at,
                person=finding.person,
                seen_by=seen["by"] if seen else None,
                seen_at=seen["at"] if seen else None,
            )
        )
    return Activity(unusual=unusual, kinds=list(KINDS), days=[DayCounts(day=day, acts=dict(acts)) for day, acts in watched.days])


@router.post("/activity/seen")
async def see(order: SeenOrder, who: Who, db: Db) -> dict[str, int]:
    """Say that one has looked at what is unusual; who was first stays named."""
    return {"seen": await watch.mark_seen(db, who, own_school(who), order.ids)}


def own_school(who: Principal) -> str:
    """Raises Refused(FORBIDDEN) for those who do not watch over a school of their own."""
    school = who.school or ""
    require(who, Action.VIEW_AUDIT, school=school)
    return school
