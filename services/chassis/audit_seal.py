"""Chains the audit trail: gives each entry its number and hash, soon after the act that recorded it.

One leased sealer a service. Whatever it believes, a number is given once (unique index) and a batch is sealed as a whole or not
at all, on the head that the database holds at that moment: a sealer that lost its lease without noticing cannot fork the chain,
and one that is killed leaves nothing half done. Docs: docs/architecture/audit.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from services.chassis import clock
from services.chassis.audit_chain import START, Head, link
from services.chassis.audit_tell import sealed_act
from services.chassis.leases import hold, owner_token, release
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, PyMongoError, UpdateOne, transaction
from services.chassis.work import forever

if TYPE_CHECKING:
    from services.chassis.audit_tell import Tell
    from services.chassis.mongo import Database, Document, Session

BATCH = 200
IDLE_SECONDS = 1.0
TELL_ENTRIES = 1_000
TELL_SECONDS = 3600.0
LEASES, LEASE = "audit_leases", "sealer"
OLDEST_FIRST = [("at", ASCENDING), ("_id", ASCENDING)]
"""As writers' clocks say; the order of the numbers is the order of sealing, and `at` is what the entry says of itself."""
LATER_FIELDS = {"place": None, "origin": None}
"""Of entries that were recorded before there were such fields; what was sealed without them stays as it is."""
CHAIN_LENGTH = Gauge("audit_chain_length", "audit entries that have their number")
UNSEALED_OLDEST_SECONDS = Gauge("audit_unsealed_oldest_seconds", "age of the oldest audit entry that waits for its number")
log = logging.getLogger(__name__)


async def ensure_indexes(db: Database) -> None:
    await db["audit"].create_indexes(
        [
            IndexModel([("number", ASCENDING)], unique=True, partialFilterExpression={"number": {"$gte": 1}}, name="chain"),
            IndexModel(OLDEST_FIRST, partialFilterExpression={"number": None}, name="unsealed"),
        ]
    )


async def head_of(db: Database, session: Session | None = None) -> Head:
    """The entry with the highest number; START when there is none."""
    shown = {"number": 1, "hash": 1}
    last = await db["audit"].find_one({"number": {"$gte": 1}}, sort=[("number", DESCENDING)], projection=shown, session=session)
    return Head(int(last["number"]), str(last.get("hash"))) if last else START


class Sealer:
    """`tell` is called in the transaction that seals, with what it seals."""

    def __init__(self, db: Database, lease_seconds: float = 15.0, tell: Tell | None = None) -> None:
        self.db = db
        self.lease_seconds = lease_seconds
        self.tell = tell
        self.owner = owner_token()
        self.held = False
        self._look_again = 0.0
        self._told: tuple[int, float] | None = None

    async def run(self) -> None:
        """Until cancelled; a sealer that ends in order gives its lease back at once."""
        try:
            await forever("audit chain", self.seal, idle=IDLE_SECONDS)
        finally:
            with suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(2):
                    await release(self.db[LEASES], LEASE, self.owner)

    async def seal(self) -> int:
        """Seal up to BATCH waiting entries, the oldest first; returns how many. None without the lease."""
        if time.monotonic() >= self._look_again:
            self.held = await hold(self.db[LEASES], LEASE, self.owner, self.lease_seconds)
            self._look_again = time.monotonic() + self.lease_seconds / 3
            await self._measure()
        if not self.held:
            return 0
        return await transaction(self.db, self._seal_next)

    async def _seal_next(self, session: Session) -> int:
        # a number or entry that another sealer took after this snapshot is a write conflict: it all begins again, on the new head
        unsealed = self.db["audit"].find({"number": None}, session=session).sort(OLDEST_FIRST).hint("unsealed")
        waiting: list[Document] = await unsealed.to_list(BATCH)
        if not waiting:
            return 0
        head = await head_of(self.db, session)
        updates, acts = [], []
        for entry in waiting:
            lacking = {key: value for key, value in LATER_FIELDS.items() if key not in entry}
            fields = {**lacking, **link({**entry, **lacking}, head)}
            updates.append(UpdateOne({"_id": entry["_id"], "number": None}, {"$set": fields}))
            acts.append(sealed_act({**entry, **fields}))
            head = Head(fields["number"], fields["hash"])
        done = await self.db["audit"].bulk_write(updates, session=session)
        assert done.matched_count == len(updates), "within one snapshot every waiting entry is still without a number"
        if self.tell:
            await self.tell(session, acts)
        return len(updates)

    async def _measure(self) -> None:
        head = await head_of(self.db)
        CHAIN_LENGTH.set(head.number)
        oldest = await self.db["audit"].find_one({"number": None}, sort=OLDEST_FIRST, projection={"at": 1}, hint="unsealed")
        UNSEALED_OLDEST_SECONDS.set(max(0.0, (clock.now() - oldest["at"]).total_seconds()) if oldest else 0)
        if self.held and head != START:
            self._tell(head)

    def _tell(self, head: Head) -> None:
        """Outside the database, where whoever can write into it has no hand: an end that is cut off is noticed by this line."""
        now = time.monotonic()
        if self._told and head.number - self._told[0] < TELL_ENTRIES and now - self._told[1] < TELL_SECONDS:
            return
        self._told = (head.number, now)
        log.info("head of the audit chain", extra={"head": str(head)})
