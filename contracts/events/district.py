"""Facts of the oversight units: their decisions."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts import audit
from contracts.event import Fact


class CertificateDecidedV1(Fact):
    """The oversight unit approved or refused a manager's signing account or a school certificate (menu 6.1)."""

    topic: ClassVar[str] = "district.decisions"
    kind: Literal["manager", "school"]
    approved: bool
    reason: str = ""


class DistrictActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of district."""

    topic: ClassVar[str] = "district.audit"
