"""When a certificate is asked about again, and what an answer means. Plain data in, plain data out."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from services.identity.certificates.registrations import SUSPENDED
from services.means import x509
from services.means.validation_data import Unprovable, ValidationDataUnavailable

if TYPE_CHECKING:
    from services.chassis.mongo import Document

TOLD_AFTER: Final = dt.timedelta(hours=24)
"""Without any answer; then those concerned are told."""


@dataclass(frozen=True)
class Times:
    """How often is asked.

    `lists`: each issuer's revocation list. `alone`: a certificate whose issuer has no list that can be had, or that is on hold.
    `listed`: a certificate that the list covers is asked about by itself as well, so that neither way is trusted blindly.
    `again`: after an answer that did not come while somebody waits for it.
    """

    lists: dt.timedelta = dt.timedelta(minutes=15)
    alone: dt.timedelta = dt.timedelta(minutes=15)
    listed: dt.timedelta = dt.timedelta(days=1)
    again: dt.timedelta = dt.timedelta(seconds=5)
    warnings: dt.timedelta = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Answer:
    """`state` "unknown": nobody could be asked, or what came says nothing about revocation. `reason` as in CertificateEndedV1."""

    state: Literal["good", "revoked", "suspended", "unknown"]
    reason: str = ""
    message: str = ""


GOOD: Final = Answer("good")


def share(key: str) -> float:
    """Where in a period the key has its turn, from 0 to 1: the same key always at the same place, all keys spread evenly."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32


def next_look(registration: Document, times: Times, at: dt.datetime, *, listed: bool) -> dt.datetime:
    """The first period is cut short to the certificate's place in it; from then on the places stay as they are."""
    every = times.listed if listed and registration["state"] != SUSPENDED else times.alone
    return at + every * (1.0 if registration.get("checked_at") else share(registration["_id"]))


def meaning(problem: Exception, certificate: bytes) -> Answer:
    """What follows from an answer about an approved certificate.

    Only a revocation ends it. A path that is not trusted, or an issuer that expired, keeps it from signing anyway, and may as well be
    a root that an operator forgot: that must not end every certificate of the country. Raises any other problem.
    """
    if isinstance(problem, ValidationDataUnavailable):
        return Answer("unknown")
    if not isinstance(problem, Unprovable):
        raise problem
    if problem.code != "revoked":
        return Answer("unknown", problem.code)
    if problem.suspended:
        return Answer("suspended", "suspended", problem.message_vi)
    return Answer("revoked", "revoked" if problem.certificate == certificate else "issuer revoked", problem.message_vi)


def list_of(certificate: bytes) -> str | None:
    """Names the revocation list that speaks for the certificate: the same issuer, key and addresses. None when it names no list."""
    leaf = x509.load_asn1(certificate)
    points = leaf.crl_distribution_points_value
    if points is None:
        return None
    return hashlib.sha256(leaf.issuer.dump() + (leaf.authority_key_identifier or b"") + points.dump()).hexdigest()


def is_long_unchecked(registration: Document, at: dt.datetime) -> bool:
    since: dt.datetime | None = registration.get("unchecked_since")
    if registration["state"] == SUSPENDED:
        return False
    return since is not None and at - since >= TOLD_AFTER and not registration.get("unchecked_told")
