"""JSON under /api/records/cancellations (menu 2.6; with `kind`, of class summaries, 3.7)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.documents import DocumentKind
from services.chassis import clock
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import readable
from services.records.at_hand import Year, own_school, reading
from services.records.cancellation import store as queries
from services.records.cancellation.cancelling import LONGEST, cancel, reason_of, refuse, return_stopped, why
from services.records.cancellation.errors import NOTHING_TO_DECIDE
from services.records.documents import name_of
from services.records.transcripts.deciding import each
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/api/records/cancellations")


class Chosen(BaseModel):
    """Transcripts named one by one, or everything that was returned in `classes`, or at all (`all`)."""

    model_config = ConfigDict(extra="forbid")

    transcripts: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False
    kind: DocumentKind = "transcript"
    reason: str = Field(default="", max_length=5000, description="10 to 500 characters that can be read; not needed for what was returned")


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    transcripts: list[str] = Field(max_length=5000)
    kind: DocumentKind = "transcript"
    reason: str = Field(max_length=5000)


@router.get("")
async def listed(
    request: Request, who: Who, state: State = State.RETURNED, year: Year = None, kind: DocumentKind = "transcript"
) -> dict[str, Any]:
    """The transcripts in one state (returned ones unless asked otherwise) with the reason."""
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    looked_at = await reading(request, who, year)
    found = await queries.in_states(looked_at.store.db, looked_at.school, looked_at.year, [state], kind=kind)
    return {
        "transcripts": [
            {
                "id": t["_id"],
                "name": name_of(t),
                "class": t["class_code"],
                "version": t["version"],
                "state": t["state"],
                "state_text": WORDS[State(t["state"])],
                "returned_from": t.get("returned_from"),
                "reason": why(t),
            }
            for t in found
        ]
    }


@router.post("")
async def cancel_all(request: Request, who: Who, body: Chosen, year: Year = None) -> dict[str, Any]:
    """ "Hủy học bạ": irreversible. Approves what was returned, and cancels what is signed or confirmed, refused or withdrawn."""
    require_fresh(who, Action.CANCEL, school=own_school(who))
    looked_at = await reading(request, who, year)
    reason = readable(body.reason)
    decide = partial(cancel, by=who, reason=reason, at=clock.now())
    return await each(
        looked_at.store,
        await _ids(looked_at, body),
        decide,
        school=looked_at.school,
        year=looked_at.year,
        what="cancel",
        kind=body.kind,
        act="cancel transcript",
        actor=who.person,
        request_id=request.state.request_id,
        details={"reason": reason[:LONGEST]} if reason else {},
        also=partial(queries.drop_renderings, looked_at.store.db),
    )


@router.post("/refusals")
async def refuse_all(request: Request, who: Who, body: Chosen, year: Year = None) -> dict[str, Any]:
    """ "Từ chối hủy": what was returned goes back to where it was, and its signers learn the reason."""
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    reason = reason_of(body.reason)
    looked_at = await reading(request, who, year)
    return await each(
        looked_at.store,
        await _ids(looked_at, body),
        partial(refuse, by=who, reason=reason, at=clock.now()),
        school=looked_at.school,
        year=looked_at.year,
        what="cancel",
        kind=body.kind,
        act="refuse cancellation",
        actor=who.person,
        request_id=request.state.request_id,
        details={"reason": reason},
        also=partial(queries.render_again, looked_at.store.db),
    )


@router.post("/returns")
async def return_all(request: Request, who: Who, body: Named, year: Year = None) -> dict[str, Any]:
    """The administrator's own return, only for what nobody can go on signing (HB-SIG-014, HB-SIG-016, HB-REC-026)."""
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    reason = reason_of(body.reason)
    if not body.transcripts:
        raise Refused(NOTHING_TO_DECIDE)
    looked_at = await reading(request, who, year)
    return await each(
        looked_at.store,
        body.transcripts,
        partial(return_stopped, by=who, reason=reason, at=clock.now()),
        school=looked_at.school,
        year=looked_at.year,
        what="cancel",
        kind=body.kind,
        act="return stopped",
        actor=who.person,
        request_id=request.state.request_id,
        details={"reason": reason},
    )


async def _ids(looked_at: Reading, body: Chosen) -> list[str]:
    if body.transcripts:
        return body.transcripts
    if not body.all and not body.classes:
        raise Refused(NOTHING_TO_DECIDE)
    classes = None if body.all else body.classes
    found = await queries.in_states(looked_at.store.db, looked_at.school, looked_at.year, [State.RETURNED], classes=classes, kind=body.kind)
    return [t["_id"] for t in found]
