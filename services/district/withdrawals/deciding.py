"""Menu 6.5: the oversight unit decides on requests to withdraw, singly and in bulk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.access import Action, Principal
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.mongo import Session, transaction
from services.district.withdrawals import rules, store
from services.district.withdrawals.errors import NOTHING_SELECTED, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database

AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    """What became of one request of a bulk act; `refused` when nothing."""

    id: str
    refused: Refused | None = None


async def decide_all(db: Database, who: Principal, ids: Sequence[str], *, approved: bool, reason: str, request_id: str) -> list[Outcome]:
    """Each on its own, in the order given; one that cannot be decided never stops the rest.

    Raises Refused: REASON_NEEDED (a refusal alone has a reason), NOTHING_SELECTED, TOO_MANY.
    """
    said = "" if approved else rules.reason_of(reason)
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Refused(NOTHING_SELECTED)
    if len(chosen) > store.MOST:
        raise Refused(TOO_MANY, most=store.MOST)
    room = asyncio.Semaphore(AT_ONCE)

    async def decide(item: str) -> Outcome:
        async def work(session: Session) -> None:
            request = await store.one(db, item, session)
            require(who, Action.DECIDE_WITHDRAWAL, path=tuple(request["path"]))
            change = rules.decided(request, approved=approved, reason=said, by=who, at=clock.now())
            await store.save(db, session, change, actor=who.person)
            details = {"transcripts": [request["transcript"]], "reason": said}
            await audit.record(
                db,
                session,
                actor=who.person,
                act="approve withdrawal" if approved else "refuse withdrawal",
                subject=item,
                place=request["school"],
                request_id=request_id,
                details=details,
            )

        async with room:
            try:
                await transaction(db, work)
            except Refused as refused:
                return Outcome(item, refused)
        return Outcome(item)

    return await asyncio.gather(*(decide(item) for item in chosen))
