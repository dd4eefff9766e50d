"""What routes and pages need of a request: the session that its cookie stands for, and the parts of the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from services.chassis import clock
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.mongo import Database
from services.identity.accounts import devices, sessions
from services.identity.accounts import store as accounts_store
from services.identity.accounts.sessions import COOKIE, Here, Origin
from services.identity.accounts.sign_in import Door
from services.identity.certificates.registering import Registry


def _database(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


Db = Annotated[Database, Depends(_database)]
TheDoor = Annotated[Door, Depends(_door)]
TheRegistry = Annotated[Registry, Depends(_registry)]


async def session_of(request: Request, db: Database) -> Here | None:
    """The good session of the request's cookie; seen now, which is written down once a minute at most."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    at = clock.now()
    here = sessions.read(token, *await accounts_store.session_by_token(db, token), at)
    if here is not None and here.touch:
        await accounts_store.touch(db, here.digest, at)
    return here


async def _session(request: Request, db: Db) -> Here:
    """Also of somebody who must change the password first. Raises Refused(SIGN_IN_NEEDED)."""
    here = await session_of(request, db)
    if here is None:
        raise Refused(SIGN_IN_NEEDED)
    return here


CookieSession = Annotated[Here, Depends(_session)]


def request_id(request: Request) -> str:
    return str(request.state.request_id)


def origin(request: Request) -> Origin:
    """Where the request comes from, as the gateway says, and what the browser says about itself."""
    address = request.headers.get("X-Forwarded-For") or (request.client.host if request.client else "")
    return Origin(device=devices.in_words(request.headers.get("User-Agent", "")), address=address)


RequestId = Annotated[str, Depends(request_id)]
From = Annotated[Origin, Depends(origin)]


def give_cookie(response: Response, token: str) -> None:
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def take_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
