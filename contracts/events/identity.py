"""Facts of identity: organisations, and the certificates that people and schools sign with."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts import snapshots
from contracts.documents import DocumentRef
from contracts.event import Fact


class Span(BaseModel):
    """A stretch of the past of a unit or school: its name and the units above it (`path`, as in the fact that tells it).

    `valid_from`: the first day, null where it has always been so; `valid_to`: the first day that is no longer in it, null for the present.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    path: tuple[str, ...]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class UnitChangedV1(Fact):
    """An oversight unit as it is now; `path` lists the codes from the root to it.

    It is so from `valid_from` on. One that was abolished or merged tells the first day without it and the successor.
    `spans` is its whole past with the present, oldest first.
    """

    topic: ClassVar[str] = "identity.organisations"
    code: str
    name: str
    path: tuple[str, ...]
    valid_from: dt.date | None = None
    abolished_on: dt.date | None = None
    successor: str | None = None
    spans: tuple[Span, ...] = ()


class SchoolChangedV1(Fact):
    """A school as it is now; `path` lists the oversight units above it, root first.

    It is so from `valid_from` on. One that was closed tells the first day without it, and the successor if it has one.
    `spans` is its whole past with the present, oldest first.
    """

    topic: ClassVar[str] = "identity.organisations"
    code: str
    name: str
    levels: tuple[str, ...]
    tax_code: str
    path: tuple[str, ...]
    valid_from: dt.date | None = None
    abolished_on: dt.date | None = None
    successor: str | None = None
    spans: tuple[Span, ...] = ()


class OrganisationsToldV1(snapshots.SnapshotsTold):
    """All units and schools were republished."""

    topic: ClassVar[str] = "identity.organisations"


class CertificateRequestedV1(Fact):
    """A signing account or a school certificate waits for the decision of the oversight unit.

    Subject: the request. `kind` "manager": a manager's own signing account; "school": the school certificate. `provider` is its
    name as people know it, or the means where there is none.
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
    year: str = ""
    provider: str = ""
    certificate_organisation: str = ""
    certificate_tax_code: str = ""
    certificate_algorithm: str = ""


class CertificateApprovedV1(Fact):
    """From now on this certificate may sign: a person's own steps, or the issue step of the school.

    Certificates are DER in base64; `chain` goes upwards from the issuer, without the root. `means` says where the key is: at the
    named provider under `credential_id`, or in a token, which has neither.
    """

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["person", "school"]
    school: str
    year: str
    person: str
    means: Literal["remote", "token"] = "remote"
    provider: str
    credential_id: str
    certificate: str
    chain: tuple[str, ...]
    owner_id: str
    may_issue: bool = False


class CertificateRefusedV1(Fact):
    """The oversight unit had approved a request, but the certificate turned out to be revoked or unfit: nothing was approved.

    Subject: the request. `reason` is what people read.
    """

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["person", "school"]
    school: str
    person: str
    reason: str


class CertificateEndedV1(Fact):
    """From now on this certificate signs nothing any more; also told of a request that the oversight unit need not decide any more.

    `reason`: replaced, revoked, issuer revoked, expired, personal id changed, or suspended, after which it may be approved again.
    """

    topic: ClassVar[str] = "identity.certificates"
    kind: Literal["person", "school"]
    school: str
    person: str
    certificate_sha256: str
    reason: str


class SealImageChangedV1(Fact):
    """The picture of the school's seal from now on: a PNG with transparent ground. Subject: "seal:" and the school."""

    topic: ClassVar[str] = "identity.certificates"
    school: str
    image: DocumentRef


class SignatureImageChangedV1(Fact):
    """The picture of a person's signature from now on: a PNG with transparent ground. Subject: "signature:" and the person."""

    topic: ClassVar[str] = "identity.certificates"
    school: str
    person: str
    image: DocumentRef
