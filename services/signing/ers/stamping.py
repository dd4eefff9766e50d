"""One timestamp for a tree, with what proves its unit; the digests of documents that stand in it."""

from __future__ import annotations

import hashlib
from base64 import b16decode
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.means.evidence_checker import BadEvidence, check_timestamps, read
from services.means.evidence_records import Stamp, chain, record, with_proof
from services.means.timestamps import TimestampRefused, signer_of, time_of
from services.means.x509 import describe
from services.signing.ers.store import FILES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from typing import Any

    from services.chassis.mongo import Document
    from services.chassis.objects import Objects
    from services.means.timestamps import TimestampAuthority
    from services.means.validation_data import ValidationSource


class Postponed(OSError):
    """Nothing was kept; the same is tried again, more and more rarely, while documents wait."""


class Stamping:
    def __init__(self, authority: TimestampAuthority, source: ValidationSource, roots: Sequence[bytes]) -> None:
        """`roots` (DER) are those that a unit's certificate must lead to."""
        self.authority = authority
        self.source = source
        self.roots = tuple(roots)

    async def ends(self) -> dt.datetime:
        """When the unit at work ceases to prove anything. Raises Postponed, TimestampsUnavailable."""
        try:
            unit = await self.authority.unit()
        except TimestampRefused as problem:
            raise Postponed(str(problem)) from problem
        return _end(unit.certificate, unit.chain)

    async def stamp(self, digest: bytes, algorithm: str) -> Document:
        """A timestamp over the root of a tree, as it is kept there. Raises Postponed, also for one that the checker does not believe.

        Raises what the authority raises when it is away.
        """
        try:
            token = await self.authority.token(digest, algorithm)
            token = with_proof(token, await self.source.gather([]))
            check_timestamps(read(record([algorithm], [chain(algorithm, [Stamp((), token)])])), self.roots)
        except (TimestampRefused, BadEvidence) as problem:
            raise Postponed(str(problem)) from problem
        return {"path": [], "token": token, "at": time_of(token), "ends": _end(*signer_of(token))}

    async def proven(self, token: bytes) -> bytes:
        """The token with what shows now that its unit was good to this day.

        Raises Unprovable, ValidationDataUnavailable.
        """
        certificate, others = signer_of(token)
        return with_proof(token, await self.source.prove(certificate, others))


async def digests(objects: Objects, document: Mapping[str, Any], algorithm: str) -> list[bytes]:
    """Of PDF and XML. SHA-256 is what was written down when they were sealed, and registered wherever they went.

    Raises DamagedObject, MissingObject.
    """
    refs = [DocumentRef.model_validate(document[kind]) for kind in FILES]
    if algorithm == "sha256":
        return [b16decode(ref.sha256, casefold=True) for ref in refs]
    known = document["digests"].get(algorithm)
    return list(known) if known else [hashlib.new(algorithm, content).digest() for content in await objects.get_all(refs)]


def _end(certificate: bytes, others: Sequence[bytes]) -> dt.datetime:
    return min(describe(each).not_after for each in (certificate, *others))
