"""Evidence for what was sealed: many documents under one timestamp, as soon as there are enough or one has waited long enough.

What a round writes down is the tree and each document's way up in it, in one transaction; the files follow (`writing.py`). A worker that
dies before that has asked for a timestamp in vain and nothing else.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from services.chassis import clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.leases import owner_token
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.means.evidence_records import grow
from services.signing.ers.stamping import Stamping, digests
from services.signing.ers.store import Store, new_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.process import Parts

log = logging.getLogger(__name__)


class Making:
    def __init__(self, parts: Parts, stamping: Stamping) -> None:
        self.parts = parts
        self.settings = parts.settings
        self.stamping = stamping
        self.store = Store(parts.db, owner_token())

    async def round(self) -> int:
        """One tree at most; how many documents are in it. Raises what `Stamping.stamp` raises."""
        if not await self.store.alone("making", self.settings.lease_seconds):
            return 0
        waiting = await self.store.waiting(self.settings.evidence_most)
        if not due(waiting, self.settings.evidence_most, dt.timedelta(seconds=self.settings.evidence_wait_seconds), clock.now()):
            return 0
        algorithm = self.settings.evidence_hash
        known: list[tuple[Document, list[bytes]]] = []
        for document in waiting:
            try:
                known.append((document, await digests(self.parts.objects, document, algorithm)))
            except (DamagedObject, MissingObject) as problem:
                log.critical("a sealed document is damaged", extra={"transcript": document["transcript"]}, exc_info=problem)
                await self._save(None, [Change({**document, "damaged": True})])
        if not known:
            return len(waiting)
        tree = grow([each for _, each in known], algorithm)
        stamp = await self.stamping.stamp(tree.root, algorithm)
        failpoints.reach("signing.evidence.stamped")
        made = new_tree(str(uuid4()), algorithm, stamp, len(known))
        changes = [
            Change({**document, "tree": made["_id"], "path": path, "digests": {algorithm: own}})
            for (document, own), path in zip(known, tree.paths, strict=True)
        ]
        return len(known) if await self._save(made, changes) else 0

    async def _save(self, tree: Document | None, changes: Sequence[Change]) -> bool:
        """False when another worker was faster, whose lease came after this one's."""

        async def work(session: Session) -> None:
            if tree is not None:
                await self.store.add_tree(session, tree)
            await self.store.save(session, changes)
            failpoints.reach("signing.evidence.before-commit")

        try:
            await transaction(self.store.db, work)
        except Refused as lost:
            log.warning("another worker made the evidence", exc_info=lost)
            return False
        failpoints.reach("signing.evidence.made")
        return True


def due(waiting: Sequence[Document], most: int, longest: dt.timedelta, now: dt.datetime) -> bool:
    return bool(waiting) and (len(waiting) >= most or waiting[0]["waiting_since"] + longest <= now)
