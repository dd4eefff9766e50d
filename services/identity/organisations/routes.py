"""Units, schools and their people."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.mongo import Document
from services.identity.at_hand import (
    Db,
    RequestId,
    TheDoor,
)
from services.identity.errors import UNKNOWN_SCHOOL, UNKNOWN_UNIT
from services.identity.messages import Body, Code, Outcomes, Text, outcomes_of
from services.identity.organisations import places, spans, store
from services.identity.organisations.places import Issued, Named
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database


router = APIRouter()

Level = Literal["TH", "THCS", "THPT"]

TaxCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{7,13}(-[0-9]{3})?$")]

PersonalId = Annotated[str, StringConstraints(pattern=r"^([0-9]{12})?$")]


class NamedPerson(Body):
    code: Code
    name: Text
    personal_id: PersonalId = ""

    def named(self) -> Named:
        return Named(self.code, self.name, self.personal_id)


class UnitOrder(Body):
    """`parent` is needed; only the bootstrap makes a root. `officer` may be named along; `reset` gives a new password.

    `valid_from` is for a new unit, today unless given.
    """

    code: Code
    name: Text
    parent: Code
    officer: NamedPerson | None = None
    reset: bool = False
    valid_from: dt.date | None = None


class SchoolFacts(Body):
    """What of a school is not dated."""

    levels: Annotated[list[Level], Field(min_length=1, max_length=3)]
    tax_code: TaxCode


class SchoolOrder(Body):
    """`reset` gives the administrator a new one-time password although they have one. `valid_from` is for a new school."""

    code: Code
    name: Text
    levels: Annotated[list[Level], Field(min_length=1, max_length=3)]
    tax_code: TaxCode
    unit: Code
    administrator: NamedPerson
    reset: bool = False
    valid_from: dt.date | None = None


class Credential(BaseModel):
    """`one_time_password` is shown this once; null when none was issued: `code` and `message` then say why, if it was refused."""

    person: str
    name: str
    username: str
    one_time_password: str | None
    code: str | None = None
    message: str | None = None


class Unit(BaseModel):
    code: str
    name: str
    path: list[str]
    officer: Credential | None = None


class School(BaseModel):
    code: str
    name: str
    levels: list[str]
    tax_code: str
    unit: str
    path: list[str]
    year: str | None
    closed_on: dt.date | None
    successor: str | None


class SchoolMade(School):
    administrator: Credential


class CredentialsOrder(Body):
    """Without `persons`: all staff who never signed in and hold no valid one-time password."""

    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)] | None = None


class IssuersOrder(Body):
    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]
    granted: bool = True


@router.post("/api/identity/units")
async def put_unit(order: UnitOrder, who: Who, door: TheDoor, db: Db, request_id: RequestId) -> Unit:
    parent = await one(db, "units", order.parent)
    if parent is None:
        raise Refused(UNKNOWN_UNIT, unit=order.parent)
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(parent["path"]))
    officer = order.officer.named() if order.officer else None
    unit, issued = await places.put_unit(
        door,
        order.code,
        name=order.name,
        parent=order.parent,
        officer=officer,
        reset=order.reset,
        actor=who.person,
        request_id=request_id,
        valid_from=order.valid_from,
    )
    return Unit(code=unit["_id"], name=unit["name"], path=unit["path"], officer=credential_of(issued) if issued else None)


@router.post("/api/identity/schools")
async def put_school(order: SchoolOrder, who: Who, door: TheDoor, db: Db, request_id: RequestId) -> SchoolMade:
    unit = await one(db, "units", order.unit)
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=order.unit)
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(unit["path"]))
    before = await one(db, "schools", order.code)
    if before is not None:
        # whoever moves a school must be responsible for it where it is now as well
        require(who, Action.MANAGE_ORGANISATIONS, path=tuple(before["path"]))
    school, issued = await places.put_school(
        door,
        order.code,
        name=order.name,
        levels=order.levels,
        tax_code=order.tax_code,
        unit_code=order.unit,
        administrator=order.administrator.named(),
        reset=order.reset,
        actor=who.person,
        request_id=request_id,
        valid_from=order.valid_from,
    )
    return SchoolMade(**_school(school).model_dump(), administrator=credential_of(issued))


@router.get("/api/identity/schools")
async def list_schools(who: Who, db: Db) -> list[School]:
    """The schools of an officer's branch; for staff, their own."""
    if who.unit is not None:
        require(who, Action.VIEW_BRANCH, path=(who.unit,))
        return [_school(s) for s in await store.schools_below(db, who.unit)]
    own = await school_of(db, who.school or "")
    return [_school(own)]


@router.post("/api/identity/schools/{school}/credentials")
async def give_credentials(
    school: str, who: Who, door: TheDoor, request_id: RequestId, order: CredentialsOrder | None = None
) -> list[Credential]:
    require(who, Action.GRANT_ACCOUNTS, school=school)
    issued, outcomes = await places.give_credentials(
        door, school, order.persons if order else None, actor=who.person, request_id=request_id
    )
    refused = [
        Credential(
            person=o.person,
            name="",
            username="",
            one_time_password=None,
            code=o.refused.code if o.refused else None,
            message=o.refused.cause if o.refused else None,
        )
        for o in outcomes
    ]
    return [*(credential_of(i) for i in issued), *refused]


@router.post("/api/identity/issuers")
async def grant_issue(order: IssuersOrder, who: Who, door: TheDoor, request_id: RequestId) -> Outcomes:
    """ "Ký phát hành" for staff of the actor's school."""
    require(who, Action.GRANT_ACCOUNTS, school=who.school or "")
    return outcomes_of(
        await places.grant_issue(door, who.school or "", order.persons, granted=order.granted, actor=who.person, request_id=request_id)
    )


async def school_of(db: Database, code: str) -> Document:
    school = await one(db, "schools", code)
    if school is None:
        raise Refused(UNKNOWN_SCHOOL, school=code)
    return school


def _school(school: Document) -> School:
    return School(
        code=school["_id"],
        name=school["name"],
        levels=school["levels"],
        tax_code=school["tax_code"],
        unit=school["unit"],
        path=school["path"],
        year=school["year"],
        closed_on=spans.ended_on(school),
        successor=school.get("successor"),
    )


def credential_of(issued: Issued) -> Credential:
    return Credential(person=issued.person, name=issued.name, username=issued.username, one_time_password=issued.one_time_password)
