"""Links between accounts of sign-in providers and people, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from services.chassis.access import Who
from services.identity.accounts.recovery_pages import desk_of
from services.identity.at_hand import Db, TheOpenId
from services.identity.messages import Body, Outcomes, outcomes_of
from services.identity.openid import coming_in, links
from services.identity.openid.pages import rows_at

router = APIRouter(prefix="/api/identity/sign-in-links")
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SignInLink(BaseModel):
    id: str
    name: str
    code: str
    place: str
    provider: str
    asked_at: datetime
    state: Literal["WAITING", "APPROVED", "REFUSED"]
    decided_at: datetime | None
    decided_by: str
    reason: str


class LinkDecisions(Body):
    """`reason` is needed to refuse."""

    links: Annotated[list[Key], Field(min_length=1, max_length=2000)]
    approved: bool
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


@router.get("")
async def list_links(
    who: Who, db: Db, openid: TheOpenId, state: Literal["WAITING", "APPROVED", "REFUSED", "ALL"] = "WAITING"
) -> list[SignInLink]:
    """Of the people whom the one who asks helps with their accounts."""
    return [SignInLink.model_validate(row) for row in await rows_at(db, openid, who, {"state": state})]


@router.post("/decisions")
async def decide(order: LinkDecisions, who: Who, db: Db) -> Outcomes:
    """The items of the answer are named by link."""
    desk_of(who)
    state = links.APPROVED if order.approved else links.REFUSED
    return outcomes_of(await coming_in.decide(db, who, order.links, state=state, reason=order.reason))
