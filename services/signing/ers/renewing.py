"""Evidence before it ages (RFC 4998, 5): a new timestamp over the old one, or a stronger hash algorithm over everything.

Nothing of a sealed document changes, so what was registered of it anywhere stays true. A timestamp renewal takes many trees at once
under one new timestamp and reads no document; a hash-tree renewal reads the documents of one tree.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis import clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.leases import owner_token, up_to
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.means.evidence_records import ORDER, grow, rehashed
from services.means.validation_data import Unprovable
from services.signing.ers import metrics
from services.signing.ers.stamping import Stamping, digests
from services.signing.ers.store import Store, chain_of, new_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.process import Parts

MOST_TREES = 200
"""Under one new timestamp."""
LEASE_SECONDS = 900.0
"""For reading thousands of documents; also the pause before what could not be renewed is tried again."""
IDLE_SECONDS = 60.0
log = logging.getLogger(__name__)


class Renewing:
    def __init__(self, parts: Parts, stamping: Stamping) -> None:
        self.parts = parts
        self.stamping = stamping
        self.store = Store(parts.db, owner_token())
        self.ahead = dt.timedelta(days=parts.settings.evidence_ahead_days)

    async def round(self) -> int:
        """How many trees were renewed; the figures are told in any case. Raises what `Stamping` raises."""
        await self.tell()
        strength = ORDER.index(self.parts.settings.evidence_hash)
        weaker = await self.store.claim({"replaced": False, "algorithm": {"$in": list(ORDER[:strength])}}, LEASE_SECONDS)
        if weaker is not None:
            return await self._stronger(weaker)
        live = {"replaced": False, "algorithm": {"$in": list(ORDER[strength:])}}
        aging = {**live, "ends": {"$lt": clock.now() + self.ahead}}
        if not await self.store.db["evidence_trees"].count_documents(aging, limit=1):
            return 0
        # a unit that ends no later than the one before it renews nothing
        last = min(clock.now() + self.ahead, await self.stamping.ends())
        for algorithm in ORDER[strength:]:
            wanted = {"replaced": False, "algorithm": algorithm, "ends": {"$lt": last}}
            due = await up_to(MOST_TREES, lambda wanted=wanted: self.store.claim(wanted, LEASE_SECONDS))  # type: ignore[misc]  # mypy infers no type for a default
            if due:
                return await self._again(due, algorithm)
        return 0

    async def tell(self) -> None:
        figures = await self.store.figures(clock.now(), self.ahead)
        metrics.WAITING.set(figures["waiting"])
        metrics.OLDEST_WAITING.set(figures["oldest"])
        metrics.BEHIND.set(figures["behind"])
        metrics.EARLIEST_END.set(figures["earliest_end"])
        metrics.OVERDUE.set(figures["overdue"])
        metrics.LOST.set(figures["lost"])

    async def _again(self, due: Sequence[Document], algorithm: str) -> int:
        """Timestamp renewal: one new timestamp over the last ones of all these trees."""
        proven = [(tree, token) for tree in due if (token := await self._proven(tree)) is not None]
        if not proven:
            return 0
        above = grow([[hashlib.new(algorithm, token).digest()] for _, token in proven], algorithm)
        stamp = await self.stamping.stamp(above.root, algorithm)
        failpoints.reach("signing.evidence.renewal-stamped")

        async def work(session: Session) -> None:
            for (tree, token), path in zip(proven, above.paths, strict=True):
                stamps = [*tree["stamps"][:-1], {**tree["stamps"][-1], "token": token}, {**stamp, "path": path}]
                if not await self.store.change_tree(session, tree, {"stamps": stamps, "ends": stamp["ends"], "behind": True}):
                    raise _Overtaken

        return len(proven) if await self._done(work) else 0

    async def _stronger(self, tree: Document) -> int:
        """Hash-tree renewal: the documents again and all evidence so far, in the algorithm of the settings."""
        algorithm, last = self.parts.settings.evidence_hash, await self._proven(tree)
        if last is None:
            return 0
        stamps = [*tree["stamps"][:-1], {**tree["stamps"][-1], "token": last}]
        moved: list[tuple[Document, list[bytes], list[bytes]]] = []
        damaged: list[Document] = []
        for document in await self.store.under(tree):
            try:
                own = await digests(self.parts.objects, document, algorithm)
            except (DamagedObject, MissingObject) as problem:
                log.critical("a sealed document is damaged", extra={"transcript": document["transcript"]}, exc_info=problem)
                damaged.append({**document, "damaged": True})
                continue
            moved.append((document, own, [*(bytes(e) for e in document["earlier"]), chain_of(document, tree["algorithm"], stamps)]))
        made, changes = None, [Change(each) for each in damaged]
        if moved:
            grown = grow([[rehashed(each, chains, algorithm) for each in own] for _, own, chains in moved], algorithm)
            made = new_tree(str(uuid4()), algorithm, await self.stamping.stamp(grown.root, algorithm), len(moved))
            changes += [
                Change(
                    {
                        **_moved(document, tree, chains),
                        "tree": made["_id"],
                        "path": path,
                        "digests": {algorithm: own},
                    }
                )
                for (document, own, chains), path in zip(moved, grown.paths, strict=True)
            ]

        async def work(session: Session) -> None:
            if made is not None:
                await self.store.add_tree(session, made)
            await self.store.save(session, changes)
            if not await self.store.change_tree(session, tree, {"replaced": True, "behind": False}):
                raise _Overtaken

        return 1 if await self._done(work) else 0

    async def _proven(self, tree: Document) -> bytes | None:
        """The tree's last token with the proof of its unit to this day; None when there is none any more, which somebody has to see."""
        try:
            return await self.stamping.proven(tree["stamps"][-1]["token"])
        except Unprovable as problem:
            log.critical("a timestamping unit cannot be proven any more", extra={"tree": tree["_id"]}, exc_info=problem)
            await self.store.db["evidence_trees"].update_one({"_id": tree["_id"]}, {"$set": {"unprovable": True}})
            return None

    async def _done(self, work: Any) -> bool:
        try:
            await transaction(self.store.db, work)
        except (_Overtaken, Refused) as lost:
            log.warning("another worker renewed the evidence", exc_info=lost)
            return False
        failpoints.reach("signing.evidence.renewed")
        return True


class _Overtaken(Exception):
    """The lease was lost: another worker is at it."""


def _moved(document: Document, old: Document, chains: list[bytes]) -> Document:
    """With the evidence so far as what went before, and no timestamp yet of the tree that it moves to."""
    first = document.get("proven_since") or old["stamps"][0]["at"]
    algorithms = [*document["algorithms"], old["algorithm"]]
    return {**document, "earlier": chains, "algorithms": algorithms, "stamps": 0, "proven_since": first}
