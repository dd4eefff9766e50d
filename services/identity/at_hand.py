"""What routes and pages need of a request: the session that its cookie stands for, and the parts of the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from services.chassis import clock
from services.chassis.errors import FORBIDDEN, SIGN_IN_NEEDED, Refused
from services.chassis.mongo import Database
from services.chassis.origin import Origin, origin_of
from services.identity.accounts import known_devices, sessions
from services.identity.accounts import store as accounts_store
from services.identity.accounts.factors import Keys
from services.identity.accounts.second_step import Asking
from services.identity.accounts.sessions import COOKIE, Here
from services.identity.accounts.sign_in import Door, SignedIn
from services.identity.certificates.registering import Registry
from services.identity.openid.client import OpenId


def _database(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


def _openid(request: Request) -> OpenId:
    openid: OpenId = request.app.state.openid
    return openid


Db = Annotated[Database, Depends(_database)]
TheDoor = Annotated[Door, Depends(_door)]
TheOpenId = Annotated[OpenId, Depends(_openid)]
TheRegistry = Annotated[Registry, Depends(_registry)]


async def session_of(request: Request, db: Database) -> Here | None:
    """The good session of the request's cookie; seen now, which is written down once a minute at most."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    at = clock.now()
    door: Door = request.app.state.door
    here = sessions.read(token, *await accounts_store.session_by_token(db, token), at, demanding=door.demanding)
    if here is not None and here.touch:
        await accounts_store.touch(db, here.digest, at)
    return here


async def _session(request: Request, db: Db) -> Here:
    """Also while a step of signing in is missing. Raises Refused: SIGN_IN_NEEDED, FORBIDDEN for a person's program."""
    here = await session_of(request, db)
    if here is None:
        raise Refused(SIGN_IN_NEEDED)
    if here.who.agent is not None:
        raise Refused(FORBIDDEN, action="for a person")
    return here


CookieSession = Annotated[Here, Depends(_session)]


def request_id(request: Request) -> str:
    return str(request.state.request_id)


def origin(request: Request) -> Origin:
    """Where the request comes from, as the gateway says, and what the browser says about itself."""
    return origin_of(request)


RequestId = Annotated[str, Depends(request_id)]
From = Annotated[Origin, Depends(origin)]


def device_cookie(request: Request) -> str | None:
    """By which an account knows a device that signed in to it before."""
    return known_devices.token_in(request.cookies.get(known_devices.COOKIE))


Device = Annotated[str | None, Depends(device_cookie)]


def _asking(request: Request, *, door: TheDoor, here: CookieSession, request_id: RequestId, origin: From, device: Device) -> Asking:
    keys: Keys = request.app.state.factor_keys
    return Asking(door, keys, here, request_id, origin, device)


Self = Annotated[Asking, Depends(_asking)]
"""Whoever is signed in, or halfway, about the own second factor."""


def give_cookies(response: Response, signed_in: SignedIn) -> None:
    """The session's, and the device's once the account knows it."""
    response.set_cookie(COOKIE, signed_in.token, path="/", secure=True, httponly=True, samesite="lax")
    if signed_in.device is not None:
        age = int(known_devices.REMEMBERED.total_seconds())
        response.set_cookie(known_devices.COOKIE, signed_in.device, max_age=age, path="/", secure=True, httponly=True, samesite="lax")


def take_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
