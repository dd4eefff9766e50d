"""Dated changes of the oversight tree, the past of units and schools, and the administrators of a school."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.identity.at_hand import Db, RequestId, TheDoor
from services.identity.errors import UNKNOWN_UNIT
from services.identity.messages import Body, Code
from services.identity.organisations import administrators, planning, spans, store
from services.identity.organisations.changes import Kind, Order, order_of
from services.identity.organisations.routes import Credential, NamedPerson, credential_of, school_of
from services.identity.store import one

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Database, Document

router = APIRouter(prefix="/api/identity")

Basis = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class ChangeOrder(Body):
    """One change from `day` on (a day of Vietnam): at once when it has come, planned otherwise.

    `name` for a new name. `target`: the new unit above, or the successor. `officers` of a merged unit go over to the successor; the
    others lose the branch. `basis`: the decision that it rests on.
    """

    kind: Kind
    code: Code
    day: dt.date
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    target: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,40}$")] = ""
    officers: Annotated[list[Code], Field(max_length=100, default_factory=list)]
    basis: Basis = ""

    def order(self) -> Order:
        return Order(self.kind, self.code, self.day, self.name, self.target, tuple(self.officers), self.basis)


class PlannedChange(ChangeOrder):
    """`state`: PLANNED, DONE, UNDONE, or FAILED with the refusal that its day brought."""

    id: str
    state: str
    ordered_by: str
    ordered_at: dt.datetime
    refused: dict[str, str] | None


class Previewed(BaseModel):
    """What the change would do: codes of the units and schools that pass to another place, and what becomes of the unit's officers."""

    units: list[str]
    schools: list[str]
    officers_moved: list[str]
    officers_released: list[str]
    at_once: bool


class Span(BaseModel):
    """How a unit or school was called and where it stood, from the first day to before `until`; `parent` is the unit right above."""

    name: str
    parent: str | None
    path: list[str]
    since: dt.date | None
    until: dt.date | None


class History(BaseModel):
    code: str
    name: str
    ended_on: dt.date | None
    successor: str | None
    spans: list[Span]


class Taken(Body):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class AdministratorOrder(NamedPerson):
    reset: bool = False


@router.post("/organisations/changes")
async def order_change(order: ChangeOrder, who: Who, db: Db, request_id: RequestId) -> PlannedChange:
    return _told(await planning.order_change(db, who, order.order(), request_id=request_id))


@router.post("/organisations/changes/preview")
async def preview_change(order: ChangeOrder, who: Who, db: Db) -> Previewed:
    """Refuses what the change itself would be refused for, and changes nothing."""
    found = await planning.preview(db, who, order.order())
    return Previewed(
        units=found.units,
        schools=found.schools,
        officers_moved=[p["_id"] for p in found.moved],
        officers_released=[p["_id"] for p in found.released],
        at_once=found.at_once,
    )


@router.get("/organisations/changes")
async def list_changes(who: Who, db: Db) -> list[PlannedChange]:
    """What is planned in the officer's branch, and what could not be done on its day."""
    require(who, Action.MANAGE_ORGANISATIONS, path=(who.unit,) if who.unit else ())
    return [_told(d) for d in await branch_changes(db, who, (store.PLANNED, store.FAILED))]


@router.post("/organisations/changes/{change}/undo")
async def undo_change(change: str, who: Who, db: Db, request_id: RequestId) -> PlannedChange:
    return _told(await planning.undo(db, who, change, request_id=request_id))


@router.get("/units/{unit}/history")
async def unit_history(unit: Code, who: Who, db: Db) -> History:
    return _history(await unit_of(db, unit, who))


@router.get("/schools/{school}/history")
async def school_history(school: Code, who: Who, db: Db) -> History:
    document = await school_of(db, school)
    require(who, Action.VIEW_SCHOOL if who.school else Action.VIEW_BRANCH, school=school, path=tuple(document["path"]))
    return _history(document)


@router.get("/schools/{school}/responsible")
async def responsible(school: Code, who: Who, db: Db, day: Annotated[dt.date, Query()]) -> Span | None:
    """Which units were responsible for the school on a day; null before it was there and after it had ended."""
    document = await school_of(db, school)
    require(who, Action.VIEW_SCHOOL if who.school else Action.VIEW_BRANCH, school=school, path=tuple(document["path"]))
    found = spans.at(document, day)
    return _span(found) if found else None


@router.post("/schools/{school}/administrators")
async def name_administrator(
    school: Code, order: AdministratorOrder, *, who: Who, door: TheDoor, db: Db, request_id: RequestId
) -> Credential:
    """One more administrator; `reset` gives one who has a password a new one."""
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple((await school_of(db, school))["path"]))
    return credential_of(
        await administrators.name_administrator(door, school, order.named(), reset=order.reset, actor=who.person, request_id=request_id)
    )


@router.post("/schools/{school}/administrators/{person}/take", status_code=204)
async def take_administration(school: Code, person: Code, order: Taken, *, who: Who, db: Db, request_id: RequestId) -> None:
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple((await school_of(db, school))["path"]))
    await administrators.take_administration(db, school, person, reason=order.reason, actor=who.person, request_id=request_id)


async def unit_of(db: Database, code: str, who: Principal) -> Document:
    """A unit of the officer's branch; one that was there once as well. Raises Refused: UNKNOWN_UNIT, FORBIDDEN."""
    unit = await one(db, "units", code)
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=code)
    require(who, Action.VIEW_BRANCH, path=tuple(unit["path"]))
    return unit


async def branch_changes(db: Database, who: Principal, states: tuple[str, ...]) -> list[Document]:
    branch = [*await store.units_below(db, who.unit or ""), *await store.schools_below(db, who.unit or "")]
    return await store.changes_of(db, [d["_id"] for d in branch], states)


def _told(document: Document) -> PlannedChange:
    order = order_of(document)
    return PlannedChange(
        id=document["_id"],
        state=document["state"],
        kind=order.kind,
        code=order.code,
        day=order.day,
        name=order.name,
        target=order.target,
        officers=list(order.officers),
        basis=order.basis,
        ordered_by=document["ordered_by"],
        ordered_at=document["ordered_at"],
        refused=document["refused"],
    )


def _history(document: Document) -> History:
    return History(
        code=document["_id"],
        name=document["name"],
        ended_on=spans.ended_on(document),
        successor=document.get("successor"),
        spans=[_span(s) for s in spans.spans_of(document)],
    )


def _span(span: Document) -> Span:
    since = dt.date.fromisoformat(span["from"])
    until = dt.date.fromisoformat(span["to"]) if span["to"] else None
    return Span(name=span["name"], parent=span["parent"], path=span["path"], since=None if since == spans.DAWN else since, until=until)
