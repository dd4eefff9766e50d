"""The evidence records that signing makes over sealed documents: which file is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.event import Event
    from contracts.events.signing import EvidenceRecordedV1
    from services.chassis.mongo import Database, Document, Session

EVIDENCE: Final = "evidence_files"


async def save_evidence(db: Database, session: Session, events: Sequence[Event[EvidenceRecordedV1]]) -> None:
    """The newest one of a document, which holds everything of those before it. Events of one come in order."""
    for event in events:
        fact = event.data
        kept = {**fact.model_dump(exclude={"transcript"}), "file": fact.file.model_dump(mode="json")}
        await db[EVIDENCE].replace_one({"_id": fact.transcript}, kept, upsert=True, session=session)


async def evidence_of(db: Database, document: Mapping[str, Any]) -> Document | None:
    """None as long as there is none over the PDF and XML that stand there."""
    return (await evidence_of_all(db, [document])).get(document["_id"])


async def evidence_of_all(db: Database, documents: Iterable[Mapping[str, Any]]) -> dict[str, Document]:
    """By document, for those that have one."""
    known = {each["_id"]: [(each.get(kind) or {}).get("sha256") for kind in ("pdf", "xml")] for each in documents}
    found = await db[EVIDENCE].find({"_id": {"$in": list(known)}}).to_list(None)
    return {each["_id"]: each for each in found if known[each["_id"]] == [each["pdf_sha256"], each["xml_sha256"]]}


async def shown(db: Database, document: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """What the page of a document says of its evidence: `evidence` is None as long as there is none."""
    found = await evidence_of(db, document)
    if found is None:
        return {"evidence": None}
    told = {key: found[key] for key in ("proven_since", "timestamps", "renew_before")}
    return {"evidence": {**told, "href": f"/api/records/{folder}/{document['_id']}/evidence.ers", "size": found["file"]["size"]}}
