"""Signing in and out, the own password and devices, the session check of the gateway."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from contracts.access import Role
from services.chassis import clock
from services.chassis.access import TokenMaker
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.origin import OTHER as OTHER_DEVICE
from services.identity.accounts import store
from services.identity.accounts.sessions import Here, Missing, public_id_of
from services.identity.at_hand import (
    CookieSession,
    Db,
    From,
    RequestId,
    TheDoor,
    give_cookies,
    session_of,
    take_cookie,
)
from services.identity.at_hand import Device as DeviceCookie
from services.identity.messages import Body

if TYPE_CHECKING:
    from services.chassis.mongo import Database


router = APIRouter()

Version = Literal["TH", "THCS", "THPT", "OVERSIGHT"]

Password = Annotated[SecretStr, Field(min_length=1, max_length=1000)]


class SignIn(Body):
    version: Version
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Password


class Me(BaseModel):
    """Who is signed in. As long as something is `missing`, nothing works but that step and signing out."""

    person: str
    name: str
    roles: list[Role]
    school: str | None
    unit: str | None
    must_change_password: bool
    missing: Missing | None = Field(description="the next step of signing in")


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


async def _settled(here: CookieSession) -> Here:
    """Raises Refused(SIGN_IN_NEEDED) until nothing is missing, like everything that asks for the internal token."""
    if here.missing is not None:
        raise Refused(SIGN_IN_NEEDED)
    return here


Settled = Annotated[Here, Depends(_settled)]


@router.post("/api/identity/sessions")
async def sign_in(order: SignIn, *, door: TheDoor, request_id: RequestId, origin: From, device: DeviceCookie, response: Response) -> Me:
    signed_in = await door.sign_in(
        order.version, order.username, order.password.get_secret_value(), request_id=request_id, origin=origin, device=device
    )
    give_cookies(response, signed_in)
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
    order: NewPassword, *, here: CookieSession, door: TheDoor, request_id: RequestId, origin: From, device: DeviceCookie, response: Response
) -> Me:
    """The answer carries a new session cookie; all other sessions of the person end."""
    signed_in = await door.change_password(
        here, order.old.get_secret_value(), order.new.get_secret_value(), request_id=request_id, origin=origin, device=device
    )
    give_cookies(response, signed_in)
    return me_of(signed_in.here)


@router.get("/api/identity/me")
async def me(here: CookieSession) -> Me:
    return me_of(here)


@router.get("/internal/session", include_in_schema=False)
async def check_session(request: Request, db: Db) -> Response:
    """For the gateway alone: always 200; the internal token stands in a header when the session is good."""
    here = await session_of(request, db)
    if here is None or here.missing is not None:
        return Response(headers={"Cache-Control": "no-store"})
    maker: TokenMaker = request.app.state.token_maker
    return Response(headers={"Cache-Control": "no-store", "X-Internal-Token": maker.make(here.who)})


def me_of(here: Here) -> Me:
    who = here.who
    return Me(
        person=who.person,
        name=who.name,
        roles=sorted(who.roles),
        school=who.school,
        unit=who.unit,
        must_change_password=here.forced,
        missing=here.missing,
    )


async def devices_of(here: Here, db: Database) -> list[Device]:
    """A session that began before an upgrade knows neither device nor address."""
    return [
        Device(
            id=public_id_of(session["_id"]),
            device=session.get("device", OTHER_DEVICE),
            address=session.get("address", ""),
            since=session["created_at"],
            last_used=session["seen_at"],
            current=session["_id"] == here.digest,
        )
        for session in await store.sessions_of(db, here.who.person, clock.now())
    ]
