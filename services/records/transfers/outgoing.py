"""A pupil leaves for another school: the sealed package, the register, and taking it back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.mongo import DuplicateKeyError, Session, transaction
from services.records.archive.sealing import Seal
from services.records.store import document_ref, pupil_of
from services.records.transfers import store
from services.records.transfers.dossier import Dossier, Leaving, PackedDocument, package, packed_document, sealed_transcripts
from services.records.transfers.enrolment import set_status
from services.records.transfers.errors import ALREADY_LEFT, NO_PROFILE, NOT_UNDONE, NOTHING_SEALED, WRONG_FORM
from services.records.transfers.words import LEFT

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.mongo import Database, Document
    from services.chassis.process import Parts
    from services.records.store import Store


class Order(BaseModel):
    """What the administrator states; `to_code` may stay empty when the school's sector code is not known."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    pupil: str = Field(max_length=40)
    reason: str = Field(default="", max_length=500)
    to_name: str = Field(default="", max_length=200)
    to_code: str = Field(default="", max_length=40)
    decision: str = Field(default="", max_length=60)


def problems(order: Order, own_school: str) -> dict[str, str]:
    """By field, what is missing or wrong, in Vietnamese."""
    found = {}
    if len(order.reason) < 5:
        found["reason"] = "Ghi lý do chuyển trường, ít nhất 5 ký tự."
    if not order.to_name:
        found["to_name"] = "Ghi tên trường nhận."
    if order.to_code and not re.fullmatch(r"[0-9A-Za-z-]{2,40}", order.to_code):
        found["to_code"] = "Mã trường chỉ gồm chữ số và chữ cái không dấu."
    if order.to_code == own_school:
        found["to_code"] = "Trường nhận phải khác trường đang học."
    if not order.decision:
        found["decision"] = "Ghi số quyết định hoặc giấy giới thiệu chuyển trường."
    return found


async def newest_of(db: Database, school: str, pupil: str) -> Document:
    """The pupil in the newest year in which the school has them. Raises Refused(NOT_FOUND)."""
    found: Document | None = await db["pupils"].find_one({"school": school, "code": pupil}, sort=[("year", -1)])
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def held_of(records: Store, school: str, personal_id: str) -> tuple[list[PackedDocument], list[tuple[DocumentRef, DocumentRef]]]:
    """All sealed documents of a pupil at this school, own and received, with the references of PDF and XML."""
    wanted = {"school": school, "content.pupil.personal_id": personal_id, "live": True}
    own = sealed_transcripts(await records.db["transcripts"].find(wanted).to_list(None))
    received = await store.received_of(records.db, school, personal_id)
    documents = [*(PackedDocument.model_validate(r["document"]) for r in received), *(packed_document(t["content"]) for t in own)]
    files = [(DocumentRef.model_validate(d["pdf"]), DocumentRef.model_validate(d["xml"])) for d in [*received, *own]]
    return documents, files


async def leave(parts: Parts, records: Store, *, school: str, order: Order, actor: str) -> str:
    """Seal the package and write the pupil out; returns the transfer's id. Raises Refused."""
    wrong = problems(order, school)
    if wrong:
        raise Refused(WRONG_FORM, reason=" ".join(wrong.values()))
    db = records.db
    found = await newest_of(db, school, order.pupil)
    if found["data"] is None:
        raise Refused(NO_PROFILE)
    pupil, year = pupil_of(found), found["year"]
    standing = await store.standing_of(db, school, pupil.personal_id)
    if standing is not None:
        raise Refused(ALREADY_LEFT, number=shown_number(standing))
    documents, files = await held_of(records, school, pupil.personal_id)
    if not documents:
        raise Refused(NOTHING_SEALED)
    transfer_id, now = str(uuid4()), clock.now()
    own = await records.school(school, year)
    to = {"code": order.to_code, "name": order.to_name}
    told = {
        "id": transfer_id,
        "school": {"code": own.code, "name": own.name},
        "to": to,
        "made_at": clock.in_vietnam(now).isoformat(timespec="seconds"),
        "made_by": actor,
    }
    leaving = Leaving(
        reason=order.reason, decision=order.decision, on=clock.in_vietnam(now).date(), from_class=found["class_code"], year=year
    )
    dossier = Dossier(leaving=leaving, pupil=pupil, documents=tuple(documents))
    contents = [tuple(await parts.objects.get_all(pair)) for pair in files]
    seal = Seal(parts.settings)
    body = package(told, dossier, [(c[0], c[1]) for c in contents], seal.certificate, seal.over)
    kept = await parts.objects.put(f"transfers/{transfer_id}", ".zip", body, "application/zip")
    document: dict[str, Any] = {
        "_id": transfer_id,
        "school": school,
        "school_name": own.name,
        "year": year,
        "pupil_code": pupil.code,
        "pupil_name": pupil.name,
        "personal_id": pupil.personal_id,
        "class_code": found["class_code"],
        "reason": order.reason,
        "decision": order.decision,
        "to": to,
        "documents": len(documents),
        "package": document_ref(kept),
        "state": store.SEALED,
        "standing": True,
        "at": now,
        "by": actor,
    }

    async def work(session: Session) -> None:
        number = await store.next_number(db, session, f"{school}:{year}:transfers_out")
        before = await set_status(db, session, school=school, year=year, code=pupil.code, status=LEFT)
        await store.add_out(db, session, {**document, "number": number, "status_before": before})
        details = {"number": number, "year": year, "target": order.to_code, "count": len(documents), "sha256": kept.sha256}
        await audit.record(db, session, actor=actor, act="pupil transferred out", subject=transfer_id, place=school, details=details)

    try:
        await transaction(db, work)
    except DuplicateKeyError as problem:
        quicker = await store.standing_of(db, school, pupil.personal_id)
        if quicker is None:
            # and taken back again already
            raise Refused(CONFLICT) from problem
        raise Refused(ALREADY_LEFT, number=shown_number(quicker)) from problem
    return transfer_id


def shown_number(transfer: Document) -> str:
    return f"{transfer['number']}/{transfer['year']}"


async def undo(db: Database, *, school: str, transfer_id: str, actor: str) -> None:
    """Raises Refused(NOT_UNDONE) when it is cancelled already or the pupil was taken over."""

    async def work(session: Session) -> None:
        found = await store.transfer_out(db, school, transfer_id, session)
        if found["state"] != store.SEALED:
            raise Refused(NOT_UNDONE, state=found["state"])
        changes: dict[str, str | bool | dt.datetime] = {
            "state": store.CANCELLED,
            "standing": False,
            "cancelled_at": clock.now(),
            "cancelled_by": actor,
        }
        await store.move_out(db, session, transfer_id, store.SEALED, changes)
        if found["status_before"] is not None:
            await set_status(db, session, school=school, year=found["year"], code=found["pupil_code"], status=found["status_before"])
        details = {"number": found["number"], "year": found["year"], "before": store.SEALED, "after": store.CANCELLED}
        await audit.record(db, session, actor=actor, act="transfer cancelled", subject=transfer_id, place=school, details=details)

    await transaction(db, work)
