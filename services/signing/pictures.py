"""The pictures that stand in signature fields: of persons' signatures and of schools' seals, as identity tells of them.

pictures: one document for each owner (`_id` is "signature:" and the staff code, or "seal:" and the school) with the versions that were
in use, the oldest first. A class is signed with one picture, so what was made ready last stays at hand.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from contracts.documents import DocumentRef
from services.signing.pades.stamp import SEAL_MM, SIGNATURE_MM, Stamp, stamp
from services.signing.steps import STEPS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from contracts.event import Event
    from contracts.events.identity import SealImageChangedV1, SignatureImageChangedV1
    from services.chassis.mongo import Database, Session
    from services.chassis.objects import Objects
    from services.chassis.work import Pool

COLLECTION: Final = "pictures"
MOST_VERSIONS: Final = 100
AT_HAND: Final = 500
"""A picture made ready has a few kilobytes."""


async def save(db: Database, session: Session, events: Sequence[Event[SealImageChangedV1] | Event[SignatureImageChangedV1]]) -> None:
    """Take up what changed; an event that came before, or late behind a newer one, finds its place by its number."""
    for event in events:
        version = {"sequence": event.sequence, "from": event.occurred_at, "image": event.data.image.model_dump()}
        await db[COLLECTION].update_one({"_id": event.subject}, {"$pull": {"versions": {"sequence": event.sequence}}}, session=session)
        await db[COLLECTION].update_one(
            {"_id": event.subject},
            {"$push": {"versions": {"$each": [version], "$sort": {"sequence": 1}, "$slice": -MOST_VERSIONS}}},
            upsert=True,
            session=session,
        )


class Pictures:
    def __init__(self, db: Database, objects: Objects, pool: Pool) -> None:
        self.db = db
        self.objects = objects
        self.pool = pool
        self._ready: OrderedDict[tuple[str, str], Stamp] = OrderedDict()

    async def of(self, batch: Mapping[str, Any]) -> Stamp | None:
        """What the signatures of this batch show: the seal for the issue step, the person's own signature for the steps before it.

        None where the step signs no PDF, or no picture was in use at the time of signing. Raises ObjectsUnavailable while the store is
        away, MissingObject or DamagedObject when the picture is not what identity told of, ValueError when it is no picture.
        """
        step, at = batch["step"], batch["signing_time"]
        if STEPS[step].pdf_field is None:
            return None
        if step == "issue":
            return await self._in_use(f"seal:{batch['school']}", at, SEAL_MM)
        return await self._in_use(f"signature:{batch['person']}", at, SIGNATURE_MM)

    async def _in_use(self, owner: str, at: dt.datetime, largest_mm: tuple[float, float]) -> Stamp | None:
        found = await self.db[COLLECTION].find_one({"_id": owner})
        before = [version for version in found["versions"] if version["from"] <= at] if found else []
        if not before:
            return None
        ref = DocumentRef.model_validate(before[-1]["image"])
        key = (ref.sha256, owner.partition(":")[0])
        ready = self._ready.get(key)
        if ready is None:
            ready = await self.pool.run(stamp, await self.objects.get(ref), largest_mm)
            self._ready[key] = ready
            if len(self._ready) > AT_HAND:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return ready
