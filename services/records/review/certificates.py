"""The certificates that signers have, as identity has told: what each is like now, in the words of menu 1.3. Plain data in, words out.

Whether a certificate may sign is decided anew by signing each time; this is for whoever prepares a class and wants nobody to be missing.
Source: seed 003, Đ11 (only who has a valid certificate signs).
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, CertificateRequestedV1
from services.chassis.clock import in_vietnam
from services.chassis.web.look import vn_date
from services.means.x509 import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.event import Event
    from contracts.events.identity import CertificateRefusedV1
    from services.chassis.mongo import Document

    Told = CertificateApprovedV1 | CertificateEndedV1 | CertificateRefusedV1 | CertificateRequestedV1

WAITING, APPROVED, REFUSED, ENDED = "waiting", "approved", "refused", "ended"
EXPIRING_DAYS: Final = 30
"""From so many days before its end on a certificate is called expiring, as identity begins to warn its owner."""
ENDED_WORDS: Final = {
    "revoked": "Chứng thư số đã bị thu hồi",
    "issuer revoked": "Chứng thư số của đơn vị cấp đã bị thu hồi",
    "suspended": "Chứng thư số đang bị đơn vị cấp tạm dừng",
    "expired": "Chứng thư số đã hết hạn",
    "personal id changed": "Số định danh cá nhân đã thay đổi, cần đăng ký lại tài khoản ký",
}
"""By the reason of CertificateEndedV1; any other reason leaves the owner with none."""
NONE: Final = "Chưa có tài khoản ký được duyệt"


def person_owner(code: str) -> str:
    return f"person:{code}"


def school_owner(code: str) -> str:
    """A school's certificate belongs to the school, whoever asked for it."""
    return f"school:{code}"


def told_of(event: Event[Any], known: Mapping[str, Any]) -> Document:
    """The document of one registration after an event about it; `known`: the document before, {} at first."""
    fact: Told = event.data
    owner = school_owner(fact.school) if fact.kind == "school" else person_owner(fact.person)
    document = {**known, "_id": event.subject, "owner": owner, "sequence": event.sequence, "at": event.occurred_at, "reason": ""}
    if isinstance(fact, CertificateApprovedV1):
        facts = describe(b64decode(fact.certificate))
        return {**document, "state": APPROVED, "valid_from": facts.not_before, "valid_to": facts.not_after}
    if isinstance(fact, CertificateEndedV1):
        return {**document, "state": ENDED, "reason": fact.reason}
    return {**document, "state": WAITING if isinstance(fact, CertificateRequestedV1) else REFUSED}


@dataclass(frozen=True)
class Standing:
    """`words` say how the certificate stands; `missing` what keeps the owner from signing, "" when nothing does."""

    words: str
    missing: str = ""


def standing(registrations: Iterable[Mapping[str, Any]], at: dt.datetime) -> Standing:
    """How an owner stands at the moment `at`, by the registrations of theirs: what is approved counts before what waits or has ended."""
    latest = sorted(registrations, key=lambda r: r["at"], reverse=True)
    approved = [r for r in latest if r["state"] == APPROVED]
    if approved:
        return _approved(approved[0], at)
    if not latest:
        return Standing("Chưa đăng ký", NONE)
    if any(r["state"] == WAITING for r in latest):
        return Standing("Chờ duyệt", "Tài khoản ký đang chờ duyệt")
    if latest[0]["state"] == REFUSED:
        return Standing("Từ chối duyệt", NONE)
    words = ENDED_WORDS.get(latest[0]["reason"], NONE)
    return Standing(words, words)


def _approved(registration: Mapping[str, Any], at: dt.datetime) -> Standing:
    until = vn_date(registration["valid_to"])
    if at > registration["valid_to"]:
        return Standing(f"Hết hạn ngày {until}", f"Chứng thư số hết hạn ngày {until}")
    if at < registration["valid_from"]:
        begins = vn_date(registration["valid_from"])
        return Standing(f"Có hiệu lực từ {begins}", f"Chứng thư số chưa có hiệu lực trước ngày {begins}")
    days = (in_vietnam(registration["valid_to"]).date() - in_vietnam(at).date()).days
    return Standing(f"Đã duyệt, sắp hết hạn: {until}" if days <= EXPIRING_DAYS else f"Đã duyệt, đến {until}")
