"""What became of a bulk act, item by item: kept for a day for the one who did it, so that what was not done can be tried again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from services.chassis import clock
from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.messages import Outcome

KEPT: Final = dt.timedelta(days=1)


async def ensure_indexes(db: Database) -> None:
    await db["outcomes"].create_indexes([IndexModel([("forget_at", ASCENDING)], expireAfterSeconds=0, name="forget")])


async def keep(db: Database, *, by: str, school: str, act: str, reason: str, outcomes: Sequence[Outcome]) -> str:
    """Under which id."""
    at = clock.now()
    document: Document = {
        "_id": str(uuid4()),
        "by": by,
        "school": school,
        "act": act,
        "reason": reason,
        "at": at,
        "forget_at": at + KEPT,
        "done": sum(o.refused is None for o in outcomes),
        "left": [
            {"person": o.person, "code": o.refused.code, "cause": o.refused.cause, "action": o.refused.action}
            for o in outcomes
            if o.refused
        ],
    }
    await db["outcomes"].insert_one(document)
    return str(document["_id"])


async def kept(db: Database, key: str, *, by: str, school: str) -> Document | None:
    """Only for the one who did it, where it was done."""
    found: Document | None = await db["outcomes"].find_one({"_id": key, "by": by, "school": school})
    return found
