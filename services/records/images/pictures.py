"""The pictures of subject teachers' signatures, ready for the forms that they signed.

A teacher signs hundreds of transcripts, so what was made printable last stays at hand.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from contracts.events.signing import SignatureFact
from services.records.images.store import pictures_at
from services.records.render.pictures import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.documents import DocumentRef
    from services.chassis.mongo import Database
    from services.chassis.objects import Objects
    from services.chassis.work import Pool

AT_HAND: Final = 500
"""Printable pictures have a few kilobytes."""


class SignaturePictures:
    def __init__(self, db: Database, objects: Objects, pool: Pool) -> None:
        self.db = db
        self.objects = objects
        self.pool = pool
        self._made: OrderedDict[str, bytes] = OrderedDict()

    async def of(self, signatures: Sequence[dict[str, Any]]) -> dict[str, bytes]:
        """By staff code, for SignatureFacts as JSON, the picture that each signer used at the time of signing.

        Raises ObjectsUnavailable while the store is away, MissingObject or DamagedObject when a picture is not what identity told of,
        ValueError when it is no picture.
        """
        facts = [SignatureFact.model_validate(each) for each in signatures]
        refs = await pictures_at(self.db, {fact.person: fact.signed_at for fact in facts})
        return {person: await self._printable(ref) for person, ref in refs.items()}

    async def _printable(self, ref: DocumentRef) -> bytes:
        made = self._made.get(ref.sha256)
        if made is None:
            made = await self.pool.run(printable, await self.objects.get(ref))
            self._made[ref.sha256] = made
            if len(self._made) > AT_HAND:
                self._made.popitem(last=False)
        self._made.move_to_end(ref.sha256)
        return made
