"""Signing in, the session check of the gateway, units, schools and their people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from contracts.access import Action, Role
from services.chassis import clock
from services.chassis.access import TokenMaker, Who, require
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.mongo import Document
from services.identity import devices, places, store
from services.identity.at_hand import (
    CookieSession,
    Db,
    From,
    RequestId,
    TheDoor,
    give_cookie,
    session_of,
    take_cookie,
)
from services.identity.errors import UNKNOWN_SCHOOL, UNKNOWN_UNIT
from services.identity.places import Issued, Named, Outcome
from services.identity.sessions import Here, public_id_of

if TYPE_CHECKING:
    from services.chassis.mongo import Database

router = APIRouter()

Version = Literal["TH", "THCS", "THPT", "OVERSIGHT"]
Level = Literal["TH", "THCS", "THPT"]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1000)]
TaxCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{7,13}(-[0-9]{3})?$")]
PersonalId = Annotated[str, StringConstraints(pattern=r"^([0-9]{12})?$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(Body):
    version: Version
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Password


class Me(BaseModel):
    """Who is signed in. With `must_change_password` nothing but POST /password and signing out works."""

    person: str
    name: str
    roles: list[Role]
    school: str | None
    unit: str | None
    must_change_password: bool


class Device(BaseModel):
    """Where the own account is signed in; `last_used` is right to the minute, `current` is the one that asks."""

    id: str
    device: str
    address: str
    since: datetime
    last_used: datetime
    current: bool


class Ended(BaseModel):
    ended: int


class NewPassword(Body):
    old: Password
    new: Password


class NamedPerson(Body):
    code: Code
    name: Text
    personal_id: PersonalId = ""

    def named(self) -> Named:
        return Named(self.code, self.name, self.personal_id)


class UnitOrder(Body):
    """`parent` is needed; only the bootstrap makes a root. `officer` may be named along; `reset` gives a new password."""

    code: Code
    name: Text
    parent: Code
    officer: NamedPerson | None = None
    reset: bool = False


class SchoolOrder(Body):
    """`reset` gives the administrator a new one-time password although they have one."""

    code: Code
    name: Text
    levels: Annotated[list[Level], Field(min_length=1, max_length=3)]
    tax_code: TaxCode
    unit: Code
    administrator: NamedPerson
    reset: bool = False


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


class SchoolMade(School):
    administrator: Credential


class CredentialsOrder(Body):
    """Without `persons`: all staff who never signed in and hold no valid one-time password."""

    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)] | None = None


class IssuersOrder(Body):
    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]
    granted: bool = True


class Item(BaseModel):
    """What became of one item of a bulk act; `code` and `message` say why it was not done."""

    person: str
    done: bool
    code: str | None = None
    message: str | None = None


class Outcomes(BaseModel):
    items: list[Item]
    done: int
    refused: int


async def _settled(here: CookieSession) -> Here:
    """Raises Refused(SIGN_IN_NEEDED) until the one-time password is changed, like everything that asks for the internal token."""
    if here.forced:
        raise Refused(SIGN_IN_NEEDED)
    return here


Settled = Annotated[Here, Depends(_settled)]


@router.post("/api/identity/sessions")
async def sign_in(order: SignIn, door: TheDoor, request_id: RequestId, origin: From, response: Response) -> Me:
    signed_in = await door.sign_in(order.version, order.username, order.password.get_secret_value(), request_id=request_id, origin=origin)
    give_cookie(response, signed_in.token)
    return me_of(signed_in.here)


@router.delete("/api/identity/sessions/current", status_code=204)
async def sign_out(here: CookieSession, door: TheDoor, request_id: RequestId, response: Response) -> None:
    await door.sign_out(here, request_id=request_id)
    take_cookie(response)


@router.get("/api/identity/sessions")
async def list_sessions(here: Settled, db: Db) -> list[Device]:
    """Where the own account is signed in, the one used last first."""
    return await devices_of(here, db)


@router.post("/api/identity/sessions/end-others")
async def end_other_sessions(here: Settled, door: TheDoor, request_id: RequestId) -> Ended:
    return Ended(ended=await door.end_other_sessions(here, request_id=request_id))


@router.delete("/api/identity/sessions/{session}", status_code=204)
async def end_session(session: str, here: Settled, door: TheDoor, request_id: RequestId, response: Response) -> None:
    """One of the own account, by its `id` in the list."""
    await door.end_session(here, session, request_id=request_id)
    if session == here.public_id:
        take_cookie(response)


@router.post("/api/identity/password")
async def change_password(
    order: NewPassword, *, here: CookieSession, door: TheDoor, request_id: RequestId, origin: From, response: Response
) -> Me:
    """The answer carries a new session cookie; all other sessions of the person end."""
    signed_in = await door.change_password(
        here, order.old.get_secret_value(), order.new.get_secret_value(), request_id=request_id, origin=origin
    )
    give_cookie(response, signed_in.token)
    return me_of(signed_in.here)


@router.get("/api/identity/me")
async def me(here: CookieSession) -> Me:
    return me_of(here)


@router.get("/internal/session", include_in_schema=False)
async def check_session(request: Request, db: Db) -> Response:
    """For the gateway alone: always 200; the internal token stands in a header when the session is good."""
    here = await session_of(request, db)
    if here is None or here.forced:
        return Response(headers={"Cache-Control": "no-store"})
    maker: TokenMaker = request.app.state.token_maker
    return Response(headers={"Cache-Control": "no-store", "X-Internal-Token": maker.make(here.who)})


@router.post("/api/identity/units")
async def put_unit(order: UnitOrder, who: Who, door: TheDoor, db: Db, request_id: RequestId) -> Unit:
    parent = await store.one(db, "units", order.parent)
    if parent is None:
        raise Refused(UNKNOWN_UNIT, unit=order.parent)
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(parent["path"]))
    officer = order.officer.named() if order.officer else None
    unit, issued = await places.put_unit(
        door, order.code, name=order.name, parent=order.parent, officer=officer, reset=order.reset, actor=who.person, request_id=request_id
    )
    return Unit(code=unit["_id"], name=unit["name"], path=unit["path"], officer=_credential(issued) if issued else None)


@router.post("/api/identity/schools")
async def put_school(order: SchoolOrder, who: Who, door: TheDoor, db: Db, request_id: RequestId) -> SchoolMade:
    unit = await store.one(db, "units", order.unit)
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=order.unit)
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(unit["path"]))
    before = await store.one(db, "schools", order.code)
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
    )
    return SchoolMade(**_school(school).model_dump(), administrator=_credential(issued))


@router.get("/api/identity/schools")
async def list_schools(who: Who, db: Db) -> list[School]:
    """The schools of an officer's branch; for staff, their own."""
    if who.unit is not None:
        require(who, Action.VIEW_BRANCH, path=(who.unit,))
        return [_school(s) for s in await store.schools_below(db, who.unit)]
    own = await _school_of(db, who.school or "")
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
    return [*(_credential(i) for i in issued), *refused]


@router.post("/api/identity/issuers")
async def grant_issue(order: IssuersOrder, who: Who, door: TheDoor, request_id: RequestId) -> Outcomes:
    """ "Ký phát hành" for staff of the actor's school."""
    require(who, Action.GRANT_ACCOUNTS, school=who.school or "")
    return outcomes_of(
        await places.grant_issue(door, who.school or "", order.persons, granted=order.granted, actor=who.person, request_id=request_id)
    )


def outcomes_of(outcomes: list[Outcome]) -> Outcomes:
    items = [
        Item(
            person=o.person,
            done=o.refused is None,
            code=o.refused.code if o.refused else None,
            message=o.refused.cause if o.refused else None,
        )
        for o in outcomes
    ]
    done = sum(item.done for item in items)
    return Outcomes(items=items, done=done, refused=len(items) - done)


def me_of(here: Here) -> Me:
    who = here.who
    return Me(person=who.person, name=who.name, roles=sorted(who.roles), school=who.school, unit=who.unit, must_change_password=here.forced)


async def devices_of(here: Here, db: Database) -> list[Device]:
    """A session that began before an upgrade knows neither device nor address."""
    return [
        Device(
            id=public_id_of(session["_id"]),
            device=session.get("device", devices.OTHER),
            address=session.get("address", ""),
            since=session["created_at"],
            last_used=session["seen_at"],
            current=session["_id"] == here.digest,
        )
        for session in await store.sessions_of(db, here.who.person, clock.now())
    ]


async def _school_of(db: Database, code: str) -> Document:
    school = await store.one(db, "schools", code)
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
    )


def _credential(issued: Issued) -> Credential:
    return Credential(person=issued.person, name=issued.name, username=issued.username, one_time_password=issued.one_time_password)
