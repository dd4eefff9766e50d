"""A pupil arrives from another school: the package is examined and shown; then, when the administrator says so, taken."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import DuplicateKeyError, Session, transaction
from services.chassis.settings import Settings, needed
from services.records.archive.sealing import believed
from services.records.store import document_ref
from services.records.transfers import store
from services.records.transfers.enrolment import enrol
from services.records.transfers.errors import (
    ALREADY_TAKEN,
    NOT_TAKEN,
    PACKAGE_CANCELLED,
    UNCHECKED_NOT_ACCEPTED,
)
from services.records.transfers.examine import REFUSALS, Examined, Judge, contents, examine

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document
    from services.chassis.process import Parts
    from services.records.store import Store


def roots_of(settings: Settings) -> list[bytes]:
    """DER root certificates of those who sign documents."""
    found = []
    for path in sorted(needed(settings.trust_dir, "trust_dir").glob("*.pem")):
        found += [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(path.read_bytes())]
    return found


async def receive(parts: Parts, db: Database, *, school: str, content: bytes, actor: str) -> str:
    """Examine a package and keep what was found; returns the arrival's id. The same package again leads to the same arrival.

    Raises Refused when the package as a whole is not what a school sealed here or in a believed installation.
    """
    judge = Judge(believed(parts.settings), roots_of(parts.settings), clock.now(), school)
    seen: Examined = await parts.pool.run(examine, content, judge)
    if seen.refusal:
        await _refused(db, school, actor, seen)
        raise Refused(REFUSALS[seen.refusal], **seen.values)
    assert seen.dossier is not None
    await _not_cancelled(db, seen.package)
    known = await store.arrival_of_package(db, school, seen.package)
    if known is not None and known["state"] == store.TAKEN:
        return str(known["_id"])
    arrival_id = str(uuid4())
    kept = await parts.objects.put(f"arrivals/{arrival_id}", ".zip", content, "application/zip")
    document: Document = {
        "_id": arrival_id,
        "school": school,
        "package": seen.package,
        "from": {"code": seen.school, "name": seen.school_name},
        "pupil_code": seen.dossier.pupil.code,
        "pupil_name": seen.dossier.pupil.name,
        "personal_id": seen.dossier.pupil.personal_id,
        "verdict": seen.state,
        "examined": seen.model_dump(mode="json"),
        "object": document_ref(kept),
        "state": store.CHECKED,
        "at": clock.now(),
        "by": actor,
    }

    async def work(session: Session) -> None:
        await store.keep_arrival(db, session, document)
        details = {"school": seen.school, "outcome": seen.state, "count": len(seen.reports), "sha256": kept.sha256}
        await audit.record(db, session, actor=actor, act="transfer package examined", subject=arrival_id, place=school, details=details)

    try:
        await transaction(db, work)
    except DuplicateKeyError as problem:
        raise Refused(CONFLICT) from problem
    return arrival_id


async def _refused(db: Database, school: str, actor: str, seen: Examined) -> None:
    async def work(session: Session) -> None:
        details = {"code": seen.refusal, "file": seen.values.get("file", "")}
        await audit.record(db, session, actor=actor, act="transfer package refused", subject=school, place=school, details=details)

    await transaction(db, work)


async def _not_cancelled(db: Database, package: str, session: Session | None = None) -> Document | None:
    """The transfer that sent it, when that was here. Raises Refused(PACKAGE_CANCELLED)."""
    sent = await store.of_package(db, package, session)
    if sent is not None and sent["state"] == store.CANCELLED:
        raise Refused(PACKAGE_CANCELLED)
    return sent


async def take(
    parts: Parts, records: Store, *, school: str, arrival_id: str, class_code: str, year: str | None, accept_unchecked: bool, actor: str
) -> None:
    """Keep the documents, and put the pupil into `class_code` of `year` ("" keeps the record alone). Raises Refused."""
    db = records.db
    found = await store.arrival(db, school, arrival_id)
    if found["state"] == store.TAKEN:
        raise Refused(ALREADY_TAKEN)
    if found["verdict"] == "INVALID":
        raise Refused(NOT_TAKEN)
    if found["verdict"] == "UNCHECKED" and not accept_unchecked:
        raise Refused(UNCHECKED_NOT_ACCEPTED)
    seen = Examined.model_validate(found["examined"])
    dossier = seen.dossier
    assert dossier is not None
    content = await parts.objects.get(DocumentRef.model_validate(found["object"]))
    names = [name for d in dossier.documents for name in (d.pdf, d.xml)]
    bodies: dict[str, bytes] = dict(zip(names, await parts.pool.run(contents, content, names), strict=True))
    documents: list[Document] = []
    for each in dossier.documents:
        pdf = await parts.objects.put(f"received/{arrival_id}", ".pdf", bodies[each.pdf], "application/pdf")
        xml = await parts.objects.put(f"received/{arrival_id}", ".xml", bodies[each.xml], "application/xml")
        documents.append(
            {
                "_id": str(uuid4()),
                "school": school,
                "arrival": arrival_id,
                "personal_id": dossier.pupil.personal_id,
                "pupil_code": dossier.pupil.code,
                "document": each.model_dump(mode="json"),
                "pdf": document_ref(pdf),
                "xml": document_ref(xml),
                "at": clock.now(),
            }
        )

    async def work(session: Session) -> None:
        sent = await _not_cancelled(db, seen.package, session)
        now = clock.now()
        changes: Document = {"taken_at": now, "taken_by": actor, "class_code": class_code or None, "year": year if class_code else None}
        if not await store.take_arrival(db, session, arrival_id, changes):
            raise Refused(ALREADY_TAKEN)
        if class_code and year:
            await enrol(db, session, school=school, year=year, class_code=class_code, pupil=dossier.pupil, arrival=arrival_id, actor=actor)
        await store.end_standing(db, session, school, dossier.pupil.personal_id)
        ids = [d.id for d in dossier.documents]
        own = await db["transcripts"].distinct("_id", {"_id": {"$in": ids}, "school": school}, session=session)
        known = await store.known_received(db, session, school, ids) | set(own)
        new = [d for d in documents if d["document"]["id"] not in known]
        await store.add_received(db, session, new)
        details = {
            "school": seen.school,
            "class": class_code,
            "year": year if class_code else "",
            "count": len(new),
            "outcome": found["verdict"],
        }
        await audit.record(db, session, actor=actor, act="pupil transferred in", subject=arrival_id, place=school, details=details)
        if sent is not None and sent["state"] == store.SEALED:
            over = {"state": store.TAKEN, "taken_at": now, "taken_by_school": school}
            await store.move_out(db, session, sent["_id"], store.SEALED, over)
            details = {"before": store.SEALED, "after": store.TAKEN, "target": school}
            await audit.record(
                db, session, actor=actor, act="transfer taken over", subject=sent["_id"], place=sent["school"], details=details
            )

    await transaction(db, work)
