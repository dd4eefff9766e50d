"""Reads what the dossier of one transcript is made of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from services.chassis.objects import DamagedObject, MissingObject
from services.records.at_hand import parts_of, store_of
from services.records.dossier import store
from services.records.dossier.certificates import certificates_of
from services.records.dossier.dossier import dossier

if TYPE_CHECKING:
    from fastapi import Request

    from services.chassis.mongo import Document
    from services.records.dossier.certificates import SignerCertificate

UNREADABLE = {
    "text": "Không đọc được tệp XML đã lưu",
    "at": None,
    "name": "",
    "reason": "Tệp bị mất hoặc không còn nguyên vẹn; báo ngay cho quản trị hệ thống.",
}
log = logging.getLogger(__name__)


async def gathered(request: Request, transcript: Document) -> dict[str, Any]:
    """The certificates are those in the stored XML, whose digest is checked on the way; a bad file does not hide all else."""
    parts, records = parts_of(request), store_of(request)
    certificates: list[SignerCertificate] | None = None
    try:
        certificates = certificates_of(await parts.objects.get(DocumentRef.model_validate(transcript["xml"])))
    except (DamagedObject, MissingObject) as problem:
        log.critical("a stored document cannot be read", extra={"transcript": transcript["_id"]}, exc_info=problem)
    staff = await records.staff(transcript["school"], transcript["year"])
    told = dossier(
        transcript,
        certificates=certificates or [],
        versions=await store.versions_of(parts.db, transcript),
        acts=await store.acts_on(parts.db, transcript),
        names={code: person.name for code, person in staff.items()},
        rendering_problem=await store.rendering_problem(parts.db, transcript["_id"]),
    )
    if certificates is None:
        told["objections"].insert(0, dict(UNREADABLE))
    return told
