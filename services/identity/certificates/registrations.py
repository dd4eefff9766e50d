"""Registrations of signing accounts and school certificates: who may register what, who decides, what follows.

A registration is one request with one certificate. Of one owner and school year at most one waits and at most one is approved
(the unique `slot`); an approved one goes on signing until the next is approved.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from cryptography.x509.oid import NameOID

from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, CertificateRequestedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.identity.errors import (
    CHOOSE_CREDENTIAL,
    NO_CREDENTIAL,
    NO_PERSONAL_ID,
    NO_YEAR,
    NOTHING_WAITS,
    OVERSIGHT_DECIDES,
    OWN_ACCOUNT,
    REASON_NEEDED,
    REQUEST_WAITING,
    UNFIT_CERTIFICATE,
)
from services.identity.organisations import people
from services.means import x509

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from services.chassis.mongo import Document

Kind = Literal["person", "school"]
Means = Literal["remote", "token"]
"""Where the key is: at a provider, or in a token at the person's own computer."""

MEANS_NAMES: dict[str, str] = {"remote": "Remote Signing", "token": "USB Token"}

WAITING = "PENDING"
APPROVED = "APPROVED"
REFUSED = "REFUSED"
SUSPENDED = "SUSPENDED"
REPLACED = "REPLACED"
ENDED = "ENDED"
NOT_REGISTERED = "NOT_REGISTERED"

ACCOUNT_STATES = {
    NOT_REGISTERED: "Chưa đăng ký",
    WAITING: "Đã đăng ký, chờ duyệt",
    APPROVED: "Đã duyệt tài khoản",
    REFUSED: "Từ chối duyệt",
    SUSPENDED: "Tạm dừng",
    REPLACED: "Đã thay thế",
    ENDED: "Hết hiệu lực",
}
SCHOOL_STATES = {
    NOT_REGISTERED: "Chưa đăng ký",
    WAITING: "Chờ duyệt đăng ký",
    APPROVED: "Đã duyệt",
    REFUSED: "Từ chối",
    SUSPENDED: "Tạm dừng",
    REPLACED: "Đã thay thế",
    ENDED: "Hết hiệu lực",
}

ENDED_WORDS = {
    "revoked": "Chứng thư số đã bị thu hồi.",
    "issuer revoked": "Chứng thư số của đơn vị cấp đã bị thu hồi.",
    "suspended": "Chứng thư số đang bị đơn vị cấp tạm dừng.",
    "expired": "Chứng thư số đã hết hạn.",
    "person left": "Không còn làm việc tại trường.",
    "personal id changed": "Số định danh cá nhân trong hồ sơ nhân sự đã thay đổi.",
}
"""What people read, by the reason in CertificateEndedV1."""
PASSING = ("slot", "lease", "decision", "next_check_at", "unchecked_since", "unchecked_told", "suspected")
"""What belongs to one state of a registration and goes with it."""


@dataclass(frozen=True)
class Candidate:
    """A credential of a provider account, judged for the one who wants to register it. DER; the chain is without root."""

    credential_id: str
    certificate: bytes
    chain: tuple[bytes, ...]
    facts: x509.CertificateFacts
    problems: tuple[x509.Problem, ...]


@dataclass(frozen=True)
class Wanted:
    """On whose behalf a certificate is registered: a person's own, or the school's."""

    kind: Kind
    school: Document
    person: Document

    @property
    def year(self) -> str:
        """Raises Refused(NO_YEAR) before the first import."""
        year: str | None = self.school["year"]
        if year is None:
            raise Refused(NO_YEAR)
        return year

    @property
    def owner_id(self) -> str:
        """The personal id or the tax code that the certificate must bear. Raises Refused(NO_PERSONAL_ID)."""
        owner: str = self.person["personal_id"] if self.kind == "person" else self.school["tax_code"]
        if not owner:
            raise Refused(NO_PERSONAL_ID)
        return owner


def judge(
    wanted: Wanted, credential_id: str, certificate: bytes, chain: Sequence[bytes], roots: Sequence[bytes], *, at: datetime
) -> Candidate | None:
    """None when the bytes are no certificate at all."""
    try:
        facts = x509.describe(certificate)
    except ValueError:
        return None
    kind: Literal["personal", "organisation"] = "personal" if wanted.kind == "person" else "organisation"
    problems = x509.unfit(certificate, chain, roots, at=at, kind=kind, expected=wanted.owner_id)
    return Candidate(credential_id, certificate, tuple(c for c in chain if c not in roots), facts, tuple(problems))


def choose(candidates: Sequence[Candidate], credential_id: str | None) -> Candidate:
    """The named credential, or the only usable one.

    Raises Refused: NO_CREDENTIAL, CHOOSE_CREDENTIAL when several would do, UNFIT_CERTIFICATE with everything that is wrong.
    """
    named = [c for c in candidates if credential_id in (None, c.credential_id)]
    usable = [c for c in named if not c.problems]
    if not named:
        raise Refused(NO_CREDENTIAL)
    if not usable:
        raise unfit(named[0].problems)
    if len(usable) > 1:
        raise Refused(CHOOSE_CREDENTIAL, count=len(usable))
    return usable[0]


def unfit(problems: Sequence[x509.Problem]) -> Refused:
    return Refused(
        UNFIT_CERTIFICATE,
        message=" ".join(p.message_vi for p in problems),
        advice=problems[0].action_vi,
        problems=", ".join(p.code for p in problems),
    )


def register(
    wanted: Wanted,
    candidate: Candidate,
    *,
    means: Means,
    provider: str,
    provider_name: str = "",
    proof: Document,
    copied_from: str | None = None,
    reason: str,
    waiting: Document | None,
    approved: Document | None,
    at: datetime,
) -> Change | None:
    """A new request; None when this very certificate is waiting or approved already (the same click twice).

    `provider` is "" for a token, `provider_name` what people call it; `proof` is what shows that the key is held (`proofs.evidence`),
    `copied_from` the registration of last year that it repeats.
    Raises Refused: REQUEST_WAITING, REASON_NEEDED when a school certificate that still goes on is to be replaced.
    """
    sha256 = hashlib.sha256(candidate.certificate).hexdigest()
    if same(sha256, provider, waiting, approved) is not None:
        return None
    check_free(wanted, reason=reason, waiting=waiting, approved=approved)
    by_oversight = wanted.kind == "school" or people.is_manager(wanted.person)
    owner = wanted.person["_id"] if wanted.kind == "person" else wanted.school["_id"]
    document: Document = {
        "_id": str(uuid4()),
        "kind": wanted.kind,
        "owner": owner,
        "school": wanted.school["_id"],
        "year": wanted.year,
        "person": wanted.person["_id"],
        "by_oversight": by_oversight,
        "means": means,
        "provider": provider,
        "credential_id": candidate.credential_id,
        "certificate": base64.b64encode(candidate.certificate).decode(),
        "chain": [base64.b64encode(c).decode() for c in candidate.chain],
        "sha256": sha256,
        "owner_id": wanted.owner_id,
        "facts": {
            "subject": candidate.facts.subject,
            "issuer": candidate.facts.issuer,
            "serial": candidate.facts.serial,
            "valid_from": candidate.facts.not_before,
            "valid_to": candidate.facts.not_after,
        },
        "proof": proof,
        "copied_from": copied_from,
        "reason": reason,
        "refusal": "",
        "requested_at": at,
        "decided_at": None,
        "decided_by": None,
    }
    return Change(_in_state(document, WAITING), _request(wanted, document, provider_name or provider) if by_oversight else None)


def check_free(wanted: Wanted, *, reason: str, waiting: Document | None, approved: Document | None) -> None:
    """May another certificate be registered now? Raises Refused: REQUEST_WAITING, REASON_NEEDED."""
    if waiting is not None:
        raise Refused(REQUEST_WAITING)
    if wanted.kind == "school" and approved is not None and not reason:
        raise Refused(REASON_NEEDED)


def same(sha256: str, provider: str, *registered: Document | None) -> Document | None:
    """The first that is of this very certificate at this very provider."""
    return next((r for r in registered if r is not None and (r["sha256"], r["provider"]) == (sha256, provider)), None)


def approve(document: Document, person: Document, replaced: Document | None, *, decider: str, at: datetime) -> list[Change]:
    """The registration approved, and the one that it replaces ended; the replaced one comes first, it leaves the slot."""
    changes = []
    if replaced is not None:
        ended = CertificateEndedV1(
            kind=document["kind"],
            school=document["school"],
            person=replaced["person"],
            certificate_sha256=replaced["sha256"],
            reason="replaced",
        )
        # the same certificate registered anew stays good
        changes.append(Change(_in_state(replaced, REPLACED), ended if replaced["sha256"] != document["sha256"] else None))
    after = {**_in_state(document, APPROVED), "decided_at": at, "decided_by": decider}
    return [*changes, Change(after, approval(after, person))]


def approval(document: Document, person: Document) -> CertificateApprovedV1:
    """What signing needs to know of an approved registration; told again when the person's right to issue changes."""
    return CertificateApprovedV1(
        kind=document["kind"],
        school=document["school"],
        year=document["year"],
        person=document["person"],
        means=document["means"],
        provider=document["provider"],
        credential_id=document["credential_id"],
        certificate=document["certificate"],
        chain=tuple(document["chain"]),
        owner_id=document["owner_id"],
        may_issue=document["kind"] == "school" or people.may_issue(person),
    )


def refuse(document: Document, reason: str, *, decider: str, at: datetime) -> Change:
    """Raises Refused(REASON_NEEDED)."""
    if not reason:
        raise Refused(REASON_NEEDED)
    return Change({**_in_state(document, REFUSED), "refusal": reason, "decided_at": at, "decided_by": decider})


def end(document: Document, reason: str, *, at: datetime) -> Change:
    """An approved, suspended or waiting registration that holds no longer; `reason` as in ENDED_WORDS.

    Told when somebody else counts on it: signing on an approved one, the oversight unit on one that waits for its decision.
    """
    fact = CertificateEndedV1(
        kind=document["kind"],
        school=document["school"],
        person=document["person"],
        certificate_sha256=document["sha256"],
        reason=reason,
    )
    counted_on = document["state"] in (APPROVED, SUSPENDED) or document["by_oversight"]
    after = {**_in_state(document, ENDED), "refusal": ENDED_WORDS.get(reason, reason), "ended": reason, "decided_at": at}
    return Change(after, fact if counted_on else None)


def suspend(document: Document) -> Change:
    """An approved registration whose certificate is on hold: signing is told that it ended, the slot is kept for its return."""
    fact = CertificateEndedV1(
        kind=document["kind"],
        school=document["school"],
        person=document["person"],
        certificate_sha256=document["sha256"],
        reason="suspended",
    )
    return Change({**_in_state(document, SUSPENDED), "refusal": ENDED_WORDS["suspended"]}, fact)


def resume(document: Document, person: Document) -> Change:
    """A suspended registration whose certificate is good again signs on."""
    after = {**_in_state(document, APPROVED), "refusal": ""}
    return Change(after, approval(after, person))


def check_decider(document: Document | None, person: str, decider: str) -> Document:
    """May `decider`, who may approve at this school, decide about the waiting account of `person`?

    Raises Refused: OWN_ACCOUNT, NOTHING_WAITS, OVERSIGHT_DECIDES.
    """
    if person == decider:
        raise Refused(OWN_ACCOUNT)
    if document is None or document["state"] != WAITING:
        raise Refused(NOTHING_WAITS, person=person)
    if document["by_oversight"]:
        raise Refused(OVERSIGHT_DECIDES)
    return document


def still_unfit(document: Document, roots: Sequence[bytes], *, at: datetime) -> list[x509.Problem]:
    """What has become wrong with a registered certificate since it was registered."""
    certificate, chain = ders(document)
    return x509.unfit(
        certificate,
        chain,
        roots,
        at=at,
        kind="personal" if document["kind"] == "person" else "organisation",
        expected=document["owner_id"],
    )


def ders(document: Document) -> tuple[bytes, list[bytes]]:
    return base64.b64decode(document["certificate"]), [base64.b64decode(c) for c in document["chain"]]


def slot(kind: str, owner: str, year: str, state: str) -> str:
    """What at most one registration can have."""
    return f"{kind}:{owner}:{year}:{state}"


def year_before(year: str) -> str:
    """ "2025-2026" → "2024-2025"."""
    first = int(year[:4])
    return f"{first - 1}-{first}"


def _in_state(document: Document, state: str) -> Document:
    after = {**{key: value for key, value in document.items() if key not in PASSING}, "state": state}
    if state in (WAITING, APPROVED, SUSPENDED):
        # what is suspended may come back, so nothing else is approved beside it: it is replaced like an approved one
        after["slot"] = slot(document["kind"], document["owner"], document["year"], WAITING if state == WAITING else APPROVED)
    return after


def _request(wanted: Wanted, document: Document, provider: str) -> CertificateRequestedV1:
    facts = document["facts"]
    return CertificateRequestedV1(
        kind="school" if wanted.kind == "school" else "manager",
        school=wanted.school["_id"],
        school_name=wanted.school["name"],
        path=tuple(wanted.school["path"]),
        person=wanted.person["_id"],
        person_name=wanted.person["name"],
        certificate_subject=facts["subject"],
        certificate_issuer=facts["issuer"],
        certificate_serial=facts["serial"],
        valid_from=facts["valid_from"],
        valid_to=facts["valid_to"],
        reason=document["reason"],
        year=document["year"],
        provider=provider or MEANS_NAMES[document["means"]],
        **_shown_to_oversight(document),
    )


def _shown_to_oversight(document: Document) -> dict[str, str]:
    """Of an organisation also who it is; nobody's personal id leaves the service."""
    certificate, _ = ders(document)
    try:
        facts = x509.describe(certificate)
    except ValueError:
        return {}
    algorithm = f"{facts.key_algorithm.upper()} {facts.key_bits} bit, {(facts.signature_hash or '').upper().replace('SHA', 'SHA-')}"
    organisation = x509.load(certificate).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    told = {"certificate_algorithm": algorithm, "certificate_organisation": str(organisation[0].value) if organisation else ""}
    return {**told, "certificate_tax_code": facts.tax_code or ""} if document["kind"] == "school" else told
