"""Requests for a new password that wait for the one who asks, and one-time links."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from services.chassis.access import Who
from services.identity.accounts import recovery_desk
from services.identity.accounts.recovery_pages import RESET, desk_of, rows_at
from services.identity.at_hand import Db
from services.identity.messages import Body, Code, Item, Outcomes, outcomes_of

router = APIRouter()


class RecoveryRequest(BaseModel):
    person: str
    name: str
    username: str
    position: str
    place: str
    asked_at: datetime
    state: Literal["WAITING", "DONE", "REFUSED"]
    decided_at: datetime | None
    decided_by: str
    reason: str


class LinksOrder(Body):
    """With `drop_factors` a second factor is taken off the account when the link is used."""

    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]
    drop_factors: bool = False


class OneTimeLink(BaseModel):
    """`address` is shown this once; it works once, until `until`."""

    person: str
    name: str
    address: str
    until: datetime


class Links(BaseModel):
    links: list[OneTimeLink]
    refused: list[Item]


class RefuseOrder(Body):
    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


@router.get("/api/identity/recoveries")
async def list_recoveries(who: Who, db: Db, state: Literal["WAITING", "DONE", "REFUSED", "ALL"] = "WAITING") -> list[RecoveryRequest]:
    """Requests of those whom the one who asks helps, the oldest first."""
    rows = await rows_at(db, desk_of(who), {"state": state})
    return [RecoveryRequest.model_validate({**row, "person": row["id"]}) for row in rows]


@router.post("/api/identity/recoveries/links")
async def make_links(order: LinksOrder, request: Request, who: Who, db: Db) -> Links:
    """One-time links, also for people who did not ask; earlier links of the same people end."""
    desk_of(who)
    links, outcomes = await recovery_desk.make_links(db, who, order.persons, drop_factors=order.drop_factors)
    address = f"{request.app.state.public_url}{RESET}?t="
    made = [OneTimeLink(person=link.person, name=link.name, address=address + link.token, until=link.until) for link in links]
    return Links(links=made, refused=outcomes_of(outcomes).items)


@router.post("/api/identity/recoveries/refuse")
async def refuse(order: RefuseOrder, who: Who, db: Db) -> Outcomes:
    desk_of(who)
    return outcomes_of(await recovery_desk.refuse(db, who, order.persons, order.reason))
