"""The school's people and their accounts: list, one person in full, people by hand, unlocking, signing out."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from contracts.access import Action, Principal, Role
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.mongo import Database, Document
from services.identity.at_hand import Db
from services.identity.errors import UNKNOWN_PERSON
from services.identity.messages import Body, Code, Outcomes, Text, outcomes_of
from services.identity.organisations import people_desk, people_list
from services.identity.organisations.routes import PersonalId
from services.identity.store import one

router = APIRouter()

State = Literal["signed_in", "never", "one_time", "locked", "left", "unlisted"]


class Left(BaseModel):
    on: dt.date
    reason: str


class Account(BaseModel):
    """Somebody of the school and the state of the account. `states`: several at once; none of them: in use, not signed in now."""

    person: str
    name: str
    username: str
    position: str
    roles: list[Role]
    classes: list[str]
    by_hand: bool
    states: list[State]
    has_password: bool
    signed_in_at: dt.datetime | None
    one_time_until: dt.datetime | None
    locked_until: dt.datetime | None
    left: Left | None


class RoleHeld(BaseModel):
    """`given_by`, `given_at`: when a person gave it."""

    role: str
    source: str
    given_by: str
    given_at: dt.datetime | None


class Act(BaseModel):
    at: dt.datetime
    text: str
    by: str
    reason: str


class AccountInFull(Account):
    personal_id: str
    role_reasons: list[RoleHeld]
    history: list[Act]


class PersonOrder(Body):
    """Roles follow from the position; an import later takes the person over by the code."""

    code: Code
    name: Text
    personal_id: PersonalId = ""
    position: Text


class LeaveOrder(Body):
    code: Code
    on: dt.date
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class ReturnOrder(Body):
    code: Code


class PersonsOrder(Body):
    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]


@router.get("/api/identity/people")
async def list_people(who: Who, db: Db, name: str = "", role: Role | None = None, state: State | Literal["", "all"] = "") -> list[Account]:
    """By given name. Without `state` those who are at the school now."""
    require(who, Action.VIEW_ACCOUNTS, school=who.school or "")
    query = {"name": name[:200], "role": role.value if role else "", "state": state}
    return [Account.model_validate({**row, "person": row["id"]}) for row in await people_list.rows(db, who.school or "", query)]


@router.get("/api/identity/people/one")
async def show_person(who: Who, db: Db, code: str) -> AccountInFull:
    require(who, Action.VIEW_ACCOUNTS, school=who.school or "")
    person = await one(db, "people", code)
    if person is None or person["school"] != who.school:
        raise Refused(UNKNOWN_PERSON, person=code[:40])
    row = await people_list.row(db, person)
    return AccountInFull.model_validate(
        {
            **row,
            "person": row["id"],
            "personal_id": person["personal_id"],
            "role_reasons": await people_list.roles_of(db, person),
            "history": await people_list.history(db, person["_id"]),
        }
    )


@router.post("/api/identity/people")
async def enter(order: PersonOrder, who: Who, db: Db) -> Account:
    _granting(who)
    return await _account(db, await people_desk.enter(db, who, **order.model_dump()))


@router.post("/api/identity/people/correct")
async def correct(order: PersonOrder, who: Who, db: Db) -> Account:
    """Of somebody entered by hand."""
    _granting(who)
    return await _account(db, await people_desk.correct(db, who, **order.model_dump()))


@router.post("/api/identity/people/leave")
async def leave(order: LeaveOrder, who: Who, db: Db) -> Account:
    _granting(who)
    return await _account(db, await people_desk.leave(db, who, code=order.code, on=order.on, reason=order.reason))


@router.post("/api/identity/people/return")
async def come_back(order: ReturnOrder, who: Who, db: Db) -> Account:
    _granting(who)
    return await _account(db, await people_desk.come_back(db, who, code=order.code))


@router.post("/api/identity/people/unlock")
async def unlock(order: PersonsOrder, who: Who, db: Db) -> Outcomes:
    _granting(who)
    return outcomes_of(await people_desk.unlock(db, who, order.persons))


@router.post("/api/identity/people/sign-out")
async def sign_out(order: PersonsOrder, who: Who, db: Db) -> Outcomes:
    """From every device."""
    _granting(who)
    return outcomes_of(await people_desk.sign_out(db, who, order.persons))


def _granting(who: Principal) -> None:
    require(who, Action.GRANT_ACCOUNTS, school=who.school or "")


async def _account(db: Database, person: Document) -> Account:
    row = await people_list.row(db, person)
    return Account.model_validate({**row, "person": row["id"]})
