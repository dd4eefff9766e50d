"""Facts of records: what was imported, and the life of each transcript.

A class summary lives by the same facts: `kind` tells it apart where a consumer meets it for the first time, and it has no pupil.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts import audit, snapshots
from contracts.documents import DocumentKind, DocumentRef
from contracts.event import Fact


class StaffMember(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    name: str
    personal_id: str
    position: str
    administrator: bool
    issuer: bool
    teaches: bool
    homeroom_of: tuple[str, ...]


class StaffImportedV1(Fact):
    """The staff of a school in a school year as the sector database has it now; whoever is absent has left."""

    topic: ClassVar[str] = "records.staff"
    school: str
    year: str
    staff: tuple[StaffMember, ...]


class ClassImportedV1(Fact):
    """A class as it is now; `refused` counts pupils whose data forbid a transcript."""

    topic: ClassVar[str] = "records.classes"
    school: str
    year: str
    code: str
    name: str
    grade: int
    pupils: int
    refused: int


class Signer(BaseModel):
    """Who has to sign in which role; a subject teacher signs once for all `subjects` in the class."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str
    person: str
    name: str
    subjects: tuple[str, ...] = ()


class TranscriptCreatedV1(Fact):
    """A transcript was made and waits for its signatures; `content` is the XML that everybody signs.

    `required` names who is assigned; signing turns that into steps by its policy. `period` is the time of assessment of a class
    summary, of which a class has one each.
    """

    topic: ClassVar[str] = "records.transcripts"
    school: str
    year: str
    level: str
    class_code: str
    grade: int
    version: int
    pupil_code: str
    pupil_name: str
    content: DocumentRef
    required: tuple[Signer, ...]
    kind: DocumentKind = "transcript"
    period: str = ""


class TranscriptRenderedV1(Fact):
    """The PDF for the personal and school signatures, with the signed XML inside."""

    topic: ClassVar[str] = "records.transcripts"
    pdf: DocumentRef
    xml: DocumentRef


class TranscriptSignedV1(Fact):
    """All signatures are there ("Hoàn thành ký"); published when records has taken the sealed files over."""

    topic: ClassVar[str] = "records.transcripts"
    school: str
    class_code: str


class TranscriptConfirmedV1(Fact):
    """The administrator confirmed; from now on it may be submitted."""

    topic: ClassVar[str] = "records.transcripts"
    school: str
    year: str
    class_code: str
    grade: int
    version: int
    pupil_code: str
    pupil_name: str
    pdf: DocumentRef
    xml: DocumentRef
    confirmed_at: dt.datetime
    kind: DocumentKind = "transcript"


class ConfirmationUndoneV1(Fact):
    topic: ClassVar[str] = "records.transcripts"
    school: str
    class_code: str


class TranscriptCancelledV1(Fact):
    """Cancelled for good ("Đã hủy"): nobody signs or sends it any more, its files stay; the next one is version n+1."""

    topic: ClassVar[str] = "records.transcripts"
    school: str
    class_code: str
    version: int
    cancelled_at: dt.datetime


class CancellationRefusedV1(Fact):
    """The administrator found nothing wrong with what was returned, or has what stood still tried again: signing goes on where it was.

    `reason` is for the signers (10 to 500 characters).
    """

    topic: ClassVar[str] = "records.transcripts"
    school: str
    class_code: str
    reason: str
    refused_at: dt.datetime


class Awaited(BaseModel):
    """Whose signature a transcript waits for; no person: anybody with the right to issue."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    person: str
    name: str


class TranscriptMovedV1(Fact):
    """Told after every change: all that a read model needs which shows where transcripts are and who holds them up.

    Records owns the state, so its sequence alone orders these; a consumer ignores an older one. What the pupil is called and whom it
    waits for is told of transcripts alone. `since`: since when it waits for `awaited`, or was returned. `submitted_at`: when records
    claimed it for the gateway; `decided_at`: the gateway's answer, `refusal` its reason. `problem`: why signing cannot go on by itself.
    """

    topic: ClassVar[str] = "records.transcripts"
    school: str
    year: str
    class_code: str
    grade: int
    state: str
    kind: DocumentKind = "transcript"
    class_name: str = ""
    level: str = ""
    version: int = 1
    pupil_code: str = ""
    pupil_name: str = ""
    personal_id: str = ""
    awaited: tuple[Awaited, ...] = ()
    since: dt.datetime | None = None
    created_at: dt.datetime | None = None
    signed_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    submitted_at: dt.datetime | None = None
    decided_at: dt.datetime | None = None
    refusal: str = ""
    problem: str = ""


class SchoolYearLockedV1(Fact):
    """The principal locked the transcripts of a school year ("khoá học bạ"): nothing of it is created, signed or corrected any more."""

    topic: ClassVar[str] = "records.transcripts"
    school: str
    year: str
    locked_at: dt.datetime


class SchoolYearUnlockedV1(Fact):
    """The principal took the final lock of a school year off."""

    topic: ClassVar[str] = "records.transcripts"
    school: str
    year: str
    unlocked_at: dt.datetime


class CorrectionDecidedV1(Fact):
    """A request to correct locked data waits for the principal, or was decided; without the pupil, for whoever is told opens it.

    `outcome`: forwarded, approved, refused. `asker`: the teacher's staff code. `reason` of a refusal.
    """

    topic: ClassVar[str] = "records.corrections"
    school: str
    year: str
    number: int
    class_name: str
    asker: str
    outcome: Literal["forwarded", "approved", "refused"]
    reason: str = ""


class SubmissionClearedV1(Fact):
    """Records has claimed the transcript for submission (CONFIRMED or REJECTED → SUBMITTED): publishing may send it."""

    topic: ClassVar[str] = "records.transcripts"
    submission: str


class SubmissionDeniedV1(Fact):
    """The transcript was not in a state that may be sent."""

    topic: ClassVar[str] = "records.transcripts"
    submission: str
    state: str


class WithdrawalClearedV1(Fact):
    """Records has claimed the document (ACCEPTED → WITHDRAWAL_PENDING) for this request to take it back."""

    topic: ClassVar[str] = "records.transcripts"
    request: str
    attempt: str


class WithdrawalDeniedV1(Fact):
    """The document was not in a state in which it can be taken back."""

    topic: ClassVar[str] = "records.transcripts"
    request: str
    attempt: str
    state: str


class ClassesToldV1(snapshots.SnapshotsTold):
    """All classes were republished."""

    topic: ClassVar[str] = "records.classes"


class TranscriptsToldV1(snapshots.SnapshotsTold):
    """All transcripts were republished."""

    topic: ClassVar[str] = "records.transcripts"


class RecordsActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of records."""

    topic: ClassVar[str] = "records.audit"
