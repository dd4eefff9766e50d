"""The files: each document's evidence record, checked, beside its PDF and XML, and everybody told.

A tree that was made or renewed is worked through in pieces; a piece that is done twice writes the same bytes under the same name and
moves each document on once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from contracts.events.signing import EvidenceRecordedV1
from services.chassis import failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.leases import owner_token, release
from services.chassis.mongo import Document, Session, transaction
from services.means.evidence_checker import check, read
from services.means.evidence_records import record
from services.signing.ers.stamping import digests
from services.signing.ers.store import TREES, Store, chain_of

if TYPE_CHECKING:
    from services.chassis.process import Parts

CHUNK = 100
MEDIA_TYPE = "application/octet-stream"
"""RFC 4998 registers none for evidence records."""
log = logging.getLogger(__name__)


class Writing:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.store = Store(parts.db, owner_token())

    async def round(self) -> int:
        """Up to CHUNK documents of one tree. Raises BadEvidence when what was made is not what it should be: nothing of it is kept."""
        tree = await self.store.claim({"behind": True}, self.parts.settings.lease_seconds)
        if tree is None:
            return 0
        behind = await self.store.behind(tree, CHUNK)
        if not behind:
            await self.store.change_tree(None, tree, {"behind": False})
            return 1
        changes = await asyncio.gather(*(self._write(tree, each) for each in behind))
        failpoints.reach("signing.evidence.stored")

        async def work(session: Session) -> None:
            await self.store.save(session, changes)

        try:
            await transaction(self.store.db, work)
        except Refused as lost:
            log.warning("another worker wrote the evidence", exc_info=lost)
        failpoints.reach("signing.evidence.written")
        await release(self.store.db[TREES], tree["_id"], self.store.owner)
        return len(behind)

    async def _write(self, tree: Document, document: Document) -> Change:
        content = made(tree, document)
        known = {name: await digests(self.parts.objects, document, name) for name in (*document["algorithms"], tree["algorithm"])}
        check(read(content), known.__getitem__)
        ref = await self.parts.objects.put(f"transcripts/{document['transcript']}", ".ers", content, MEDIA_TYPE)
        stamps = read(content).stamps
        fact = EvidenceRecordedV1(
            transcript=document["transcript"],
            file=ref,
            pdf_sha256=DocumentRef.model_validate(document["pdf"]).sha256,
            xml_sha256=DocumentRef.model_validate(document["xml"]).sha256,
            proven_since=document.get("proven_since") or tree["stamps"][0]["at"],
            timestamps=len(stamps),
            renew_before=tree["ends"],
        )
        after = {**document, "file": ref.model_dump(mode="json"), "stamps": len(tree["stamps"]), "proven_since": fact.proven_since}
        return Change(after, fact)


def made(tree: Document, document: Document) -> bytes:
    """DER of the document's evidence record as it stands now."""
    chains = [*(bytes(each) for each in document["earlier"]), chain_of(document, tree["algorithm"], tree["stamps"])]
    return record([*document["algorithms"], tree["algorithm"]], chains)
