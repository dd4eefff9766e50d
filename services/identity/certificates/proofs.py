"""A proof that the key is held, on the way to a registration: the certificate is chosen, then a challenge is signed with its key.

A proof is one attempt of one person. While it is open (CHOOSING, WAITING_FOR_KEY) it holds the person's slot, so that a new attempt
takes the place of the one before. It lasts LIFETIME from its last step of the person's; what came of it is kept for a day.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from services.chassis.errors import CONFLICT, Refused
from services.identity.errors import (
    CANNOT_SIGN,
    CREDENTIAL_LOCKED,
    PROOF_EXPIRED,
    PROOF_REJECTED,
    UNFIT_CERTIFICATE,
    WRONG_PROVIDER_LOGIN,
)
from services.means import challenge
from services.means.remote import Credential, Expired, ProviderRefused, Refusal, Rejected, Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.identity.certificates.registrations import Candidate, Kind, Means, Wanted
    from services.means.x509 import Scheme

CHOOSING = "CHOOSING"
WAITING = "WAITING_FOR_KEY"
PROVED = "PROVED"
REFUSED = "REFUSED"
EXPIRED = "EXPIRED"

OPEN = (CHOOSING, WAITING)

STATES = {
    CHOOSING: "Chọn chứng thư số",
    WAITING: "Chờ xác nhận ký số",
    PROVED: "Đã xác nhận ký số",
    REFUSED: "Không xác nhận được",
    EXPIRED: "Quá thời hạn xác nhận",
}

LIFETIME: Final = dt.timedelta(minutes=5)
KEPT: Final = dt.timedelta(days=1)
SEND_AGAIN: Final = dt.timedelta(seconds=30)
"""Between two one-time passwords for the same proof."""

PURPOSES: Final[dict[str, str]] = {
    "person": "Đăng ký tài khoản ký của cá nhân",
    "school": "Đăng ký chứng thư số của nhà trường",
}

_REFUSALS: Final = {
    Refusal.REJECTED: PROOF_REJECTED,
    Refusal.AUTHORISATION_EXPIRED: PROOF_EXPIRED,
    Refusal.SESSION_EXPIRED: PROOF_EXPIRED,
    Refusal.UNKNOWN_TRANSACTION: PROOF_EXPIRED,
    Refusal.CREDENTIAL_LOCKED: CREDENTIAL_LOCKED,
    Refusal.WRONG_LOGIN: WRONG_PROVIDER_LOGIN,
    Refusal.WRONG_SECRET: WRONG_PROVIDER_LOGIN,
    Refusal.UNKNOWN_CREDENTIAL: WRONG_PROVIDER_LOGIN,
}


def opened(
    wanted: Wanted,
    *,
    means: Means,
    provider: str,
    offers: Sequence[Credential],
    reason: str,
    secret: bytes | None,
    job: str | None,
    at: dt.datetime,
) -> Document:
    """A proof whose certificate is still to be chosen among `offers`; a token's come later, as the answer to `job`.

    `secret` is the sealed session at the provider.
    """
    return {
        "_id": str(uuid4()),
        "slot": slot(wanted.kind, wanted.person["_id"]),
        "kind": wanted.kind,
        "person": wanted.person["_id"],
        "school": wanted.school["_id"],
        "owner": wanted.person["_id"] if wanted.kind == "person" else wanted.school["_id"],
        "year": wanted.year,
        "means": means,
        "provider": provider,
        "reason": reason,
        "state": CHOOSING,
        "offers": [offer(each) for each in offers],
        "chosen": None,
        "challenge": None,
        "secret": secret,
        "handle": None,
        "job": job,
        "signature": None,
        "scheme": None,
        "refusal": None,
        "registration": None,
        "asked_at": at,
        "expires_at": at + LIFETIME,
        "forget_at": at + KEPT,
    }


def chosen(proof: Document, candidate: Candidate, credential: Credential, *, server: str, at: dt.datetime) -> Document:
    """The proof with its challenge. `server` is the address that asks; `credential` is the one among its offers."""
    text = challenge.write(candidate.certificate, purpose=PURPOSES[proof["kind"]], server=server, registrant=proof["person"], at=at)
    return {
        **proof,
        "state": WAITING,
        "offers": [],
        "chosen": {**offer(credential), "chain": [_text(c) for c in candidate.chain]},
        "challenge": text,
        "handle": None,
        "job": None,
        "expires_at": at + LIFETIME,
    }


def settled(proof: Document, state: str, *, refusal: Refused | None = None, registration: str | None = None) -> Document:
    """The end of a proof: the session and all that belongs to it are forgotten."""
    over = {key: value for key, value in proof.items() if key not in ("slot", "lease", "leaving", "agreed")}
    told = {"code": refusal.code, "title": refusal.refusal.title, "cause": refusal.cause, "action": refusal.action} if refusal else None
    return {**over, "state": state, "secret": None, "handle": None, "offers": [], "refusal": told, "registration": registration}


def is_over(proof: Document, at: dt.datetime) -> bool:
    return proof["state"] in OPEN and bool(proof["expires_at"] <= at)


def same_attempt(proof: Document, other: Document) -> bool:
    """The same click twice: the same certificate of the same account for the same purpose, still waiting for the key."""
    keys = ("state", "kind", "person", "school", "year", "means", "provider", "reason")
    return proof["state"] == WAITING and all(proof[key] == other[key] for key in keys) and proof["chosen"] == other["chosen"]


def answered(outcome: Rejected | Expired) -> tuple[str, Refused]:
    """State and reason when the person said no, or nothing."""
    return (REFUSED, Refused(PROOF_REJECTED)) if isinstance(outcome, Rejected) else (EXPIRED, Refused(PROOF_EXPIRED))


def in_words(problem: ProviderRefused) -> tuple[str, Refused]:
    """State and reason when the provider says no; in the guides' words where an account is wrong."""
    if problem.code is Refusal.CERTIFICATE_EXPIRED:
        return REFUSED, Refused(
            UNFIT_CERTIFICATE,
            message="Nhà cung cấp chữ ký số cho biết chứng thư số đã hết hạn.",
            advice="Gia hạn chứng thư số rồi đăng ký lại.",
            problems="expired",
        )
    refusal = _REFUSALS.get(problem.code)
    if refusal is None:
        return REFUSED, Refused(CANNOT_SIGN, reason=problem.code.value)
    return EXPIRED if refusal is PROOF_EXPIRED else REFUSED, Refused(refusal)


def may_try_again(refused: Refused) -> bool:
    """Is it worth asking again for the same proof? Somebody else's change at the same moment, or an issuer that did not answer."""
    return refused.refusal is CONFLICT or refused.refusal.status == 503


def evidence(proof: Document, at: dt.datetime) -> Document:
    """What a registration keeps: anybody can verify it later with the certificate alone."""
    return {"text": proof["challenge"], "signature": proof["signature"], "scheme": proof["scheme"], "at": at}


def check(proof: Document, scheme: Scheme, value: bytes) -> None:
    """Raises x509.WrongSignature unless the value is the chosen certificate's over the challenge."""
    challenge.verify(credential_of(proof["chosen"]).certificate, proof["challenge"], value, scheme)


def secrets_of(proof: Document) -> list[Secret]:
    """What may have to be typed for one of the offers, each once."""
    return list({each.id: each for offered in proof["offers"] for each in credential_of(offered).secrets}.values())


def waits_on_page(proof: Document) -> bool:
    """Has the person still to agree on the provider's own page?"""
    return proof["state"] == WAITING and bool(proof["chosen"].get("on_page")) and not proof.get("agreed")


def sha256(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def slot(kind: Kind, person: str) -> str:
    """What at most one open proof can have."""
    return f"{kind}:{person}"


def offer(credential: Credential) -> Document:
    return {
        "credential_id": credential.id,
        "certificate": _text(credential.certificate),
        "chain": [_text(c) for c in credential.chain],
        "key_algorithms": list(credential.key_algorithms),
        "scal": credential.scal,
        "multisign": credential.multisign,
        "secrets": [asdict(each) for each in credential.secrets],
        "on_page": credential.on_page,
    }


def credential_of(offered: Document) -> Credential:
    return Credential(
        id=offered["credential_id"],
        certificate=base64.b64decode(offered["certificate"]),
        chain=tuple(base64.b64decode(c) for c in offered["chain"]),
        key_algorithms=tuple(offered["key_algorithms"]),
        scal=offered["scal"],
        multisign=offered["multisign"],
        secrets=tuple(Secret(**each) for each in offered.get("secrets", ())),
        on_page=offered.get("on_page", False),
    )


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
