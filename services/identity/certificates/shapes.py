"""Shapes that the JSON routes about certificates share."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel


class CertificateFacts(BaseModel):
    subject: str
    issuer: str
    serial: str
    valid_from: dt.datetime
    valid_to: dt.datetime


class CredentialOffer(BaseModel):
    """`problems` says, in words, what forbids its use."""

    credential_id: str
    certificate: CertificateFacts
    usable: bool
    problems: list[str]
