"""Who did what, when, on what: written in the transaction of the act itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Database, Session


async def record(
    db: Database,
    session: Session | None,
    *,
    actor: str,
    act: str,
    subject: str,
    request_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """`details` holds what was before and after, by ids and states."""
    await db["audit"].insert_one(
        {
            "_id": str(uuid4()),
            "at": clock.now(),
            "actor": actor,
            "act": act,
            "subject": subject,
            "request_id": request_id,
            "details": dict(details or {}),
        },
        session=session,
    )
