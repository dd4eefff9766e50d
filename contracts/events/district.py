"""Facts of the oversight units: their decisions."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts import audit
from contracts.event import Fact


class CertificateDecidedV1(Fact):
    """The oversight unit approved or refused a manager's signing account or a school certificate (menu 6.1)."""

    topic: ClassVar[str] = "district.decisions"
    kind: Literal["manager", "school"]
    approved: bool
    reason: str = ""


class WithdrawalDecidedV1(Fact):
    """The oversight unit approved or refused a school's request to take an accepted document back (menu 6.5). Subject: the request.

    `unit` is the deciding officer's; a refusal has a reason.
    """

    topic: ClassVar[str] = "district.decisions"
    transcript: str
    approved: bool
    unit: str
    by_name: str
    decided_at: dt.datetime
    reason: str = ""


class LockDay(BaseModel):
    """One lock date; `grade` null: every grade. `on` is the last day, in Vietnam's calendar."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    matter: Literal["intake", "withdrawal"]
    grade: int | None
    on: dt.date


class AdmissionsDay(BaseModel):
    """The last day to send transcripts of a final grade to the admissions portal; `grade` null: every final grade."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    grade: int | None
    on: dt.date


class LockDatesSetV1(Fact):
    """All lock dates (menu 6.2) that a unit now keeps for a school year: common ones (`school` null) or those of one school.

    Takes the place of what it told before of the same subject, which is unit, year and school. `admissions` came later; it stands apart
    from `dates` so that who knows two matters only is told no third.
    """

    topic: ClassVar[str] = "district.windows"
    unit: str
    year: str
    school: str | None
    dates: tuple[LockDay, ...]
    admissions: tuple[AdmissionsDay, ...] = ()


class DistrictActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of district."""

    topic: ClassVar[str] = "district.audit"
