"""Who did what, when, from where, on what: written in the transaction of the act itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis import clock
from services.chassis.origin import asking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Database, Session
    from services.chassis.origin import Origin


async def record(
    db: Database,
    session: Session | None,
    *,
    actor: str,
    act: str,
    subject: str,
    place: str | None = None,
    request_id: str | None = None,
    origin: Origin | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """`details` holds what was before and after, by ids and states, never names or secrets.

    `place` is the code of the organisation concerned: whoever watches over it may read the entry.
    `request_id` and `origin` come from the request at hand when they are not given.
    """
    at_hand = asking()
    if at_hand is not None:
        request_id = request_id or at_hand.request_id
        origin = origin or at_hand.origin
    await db["audit"].insert_one(
        {
            "_id": str(uuid4()),
            "at": clock.now(),
            "actor": actor,
            "act": act,
            "subject": subject,
            "place": place,
            "origin": origin.document if origin else None,
            "request_id": request_id,
            "details": dict(details or {}),
        },
        session=session,
    )
