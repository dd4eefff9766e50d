"""JSON under /api/publishing/shares, for the school."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.access import Action, Principal
from services.chassis import clock
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import FORBIDDEN, Refused
from services.publishing.sharing import desk, rules, store

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document

router = APIRouter(prefix="/api/publishing/shares")
OPEN_ADDRESS = "/ui/publishing/shared"

Key = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class NewShare(rules.Ask):
    """`transcripts`: of one pupil."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transcripts: list[Key] = Field(min_length=1, max_length=rules.MOST_TRANSCRIPTS)


class Revocation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=5000)


class Share(BaseModel):
    """A link without its secret. `state`: in_force, ended, revoked; `opened`: how often."""

    id: str
    pupil_code: str
    pupil_name: str
    transcripts: list[str]
    asker: str
    relation: str
    purpose: str
    reference: str
    made_by: str
    made_at: dt.datetime
    until: dt.datetime
    state: str
    opened: int
    opened_at: dt.datetime | None
    reason: str


class Made(BaseModel):
    """The link is told this once."""

    share: Share
    link: str


class Shares(BaseModel):
    shares: list[Share]


def db_of(request: Request) -> Database:
    db: Database = request.app.state.store.db
    return db


def own_school(who: Principal) -> str:
    if who.school is None:
        raise Refused(FORBIDDEN, action=Action.SHARE.value)
    return who.school


def shown(share: Document) -> Share:
    fields = {name: share[name] for name in Share.model_fields if name in share and name != "transcripts"}
    asked = {name: share["ask"][name] for name in ("asker", "relation", "purpose", "reference")}
    ids = [t["id"] for t in share["transcripts"]]
    return Share.model_validate({**fields, **asked, "id": share["_id"], "transcripts": ids, "state": rules.state_of(share, clock.now())})


def link_of(request: Request, secret: str) -> str:
    """The secret stands behind "#": browsers keep that to themselves, so it is in no request line, log or Referer."""
    return f"{request.app.state.settings.public_url}{OPEN_ADDRESS}#{secret}"


@router.get("")
async def shares(request: Request, who: Who) -> Shares:
    """The school's links, newest first."""
    require(who, Action.SHARE, school=own_school(who))
    return Shares(shares=[shown(s) for s in await store.of_school(db_of(request), own_school(who))])


@router.post("", status_code=201)
async def make(request: Request, response: Response, who: Who, body: NewShare) -> Made:
    """A link to transcripts of one pupil, on a request that is recorded with it."""
    require_fresh(who, Action.SHARE, school=own_school(who))
    ask = rules.Ask.model_validate(body.model_dump(exclude={"transcripts"}))
    share, secret = await desk.make(db_of(request), who, str(uuid4()), body.transcripts, ask)
    response.headers["Cache-Control"] = "no-store"
    return Made(share=shown(share), link=link_of(request, secret))


@router.post("/{key}/revoke", status_code=204)
async def revoke(request: Request, who: Who, key: Key, body: Revocation) -> Response:
    """At once: whoever opens the link from now on is told that it cannot be used."""
    require_fresh(who, Action.SHARE, school=own_school(who))
    await desk.revoke(db_of(request), who, key, body.reason)
    return Response(status_code=204)
