"""Facts of identity: organisations, and the certificates that people and schools sign with."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from contracts.event import Fact


class UnitChangedV1(Fact):
    """An oversight unit as it is now; `path` lists the codes from the root to it."""

    topic: ClassVar[str] = "identity.organisations"
    code: str
    name: str
    path: tuple[str, ...]


class SchoolChangedV1(Fact):
    """A school as it is now; `path` lists the oversight units above it, root first."""

    topic: ClassVar[str] = "identity.organisations"
    code: str
    name: str
    levels: tuple[str, ...]
    tax_code: str
    path: tuple[str, ...]


class CertificateRequestedV1(Fact):
    """A signing account or a school certificate waits for the decision of the oversight unit.

    Subject: the request. `kind` "manager": a manager's own signing account; "school": the school certificate.
    """

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["manager", "school"]
    school: str
    school_name: str
    path: tuple[str, ...]
    person: str
    person_name: str
    certificate_subject: str
    certificate_issuer: str
    certificate_serial: str
    valid_from: dt.datetime
    valid_to: dt.datetime
    reason: str = ""


class CertificateApprovedV1(Fact):
    """From now on this certificate may sign: a person's own steps, or the issue step of the school.

    Certificates are DER in base64; `chain` goes upwards from the issuer, without the root.
    """

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["person", "school"]
    school: str
    year: str
    person: str
    provider: str
    credential_id: str
    certificate: str
    chain: tuple[str, ...]
    owner_id: str
    may_issue: bool = False


class CertificateEndedV1(Fact):
    """From now on this certificate signs nothing any more."""

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["person", "school"]
    school: str
    person: str
    certificate_sha256: str
    reason: str
