"""The signature report of a document: every signature with its signer, certificate and verdict in four parts. Plain data in and out.

Judged by `verify.py`; what judging cannot know (who had to sign) comes from the task. The words of ETSI EN 319 102-1 stand beside ours.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from services.means.x509 import Problem, describe
from services.signing.auditing.findings import File, Finding
from services.signing.reports import carried
from services.signing.reports.carried import Carried
from services.signing.reports.words import INTEGRITY, Check, Indication, checks_of, indication_of, scheme_words
from services.signing.steps import STEPS
from services.signing.verify import Verdict, verify_pdf, verify_xml
from services.signing.xml import UnsuitableDocument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STAMP_KINDS: Final = {"signature": "Dấu thời gian của chữ ký", "archive": "Dấu thời gian lưu trữ", "document": "Dấu thời gian của tài liệu"}
MOST_BYTES: Final = 64 * 2**20


class JudgedFile(BaseModel):
    """One stored file judged. `intact`: its digest is the recorded one. `unsuitable`: it could not be judged at all."""

    model_config = ConfigDict(frozen=True)

    file: Literal["xml", "pdf"]
    sha256: str
    size: int
    missing: bool = False
    intact: bool = True
    verdicts: tuple[Verdict, ...] = ()
    unsuitable: Problem | None = None
    carried: Carried = Carried()


class ReportedCertificate(BaseModel):
    model_config = ConfigDict(frozen=True)

    subject: str
    serial: str
    issuer: str
    valid_from: dt.datetime
    valid_to: dt.datetime
    sha256: str
    key: str


class ReportedSignature(BaseModel):
    """`claimed`: role and time as the signer gave them, protected by the signature. `path`: names from the signer up to the root."""

    model_config = ConfigDict(frozen=True)

    file: Literal["xml", "pdf"]
    place: str
    step: str
    step_title: str
    name: str
    subjects: tuple[str, ...]
    claimed_role: str | None
    signed_at: dt.datetime | None
    certificate: ReportedCertificate | None
    algorithm: str
    path: tuple[str, ...]
    path_certificates: tuple[bytes, ...] = ()
    anchored: bool
    level: str
    proved_at: dt.datetime | None
    revocation: str
    checks: tuple[Check, ...]
    indication: Indication
    sub_indication: str | None
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return self.indication == "TOTAL_PASSED"


class Report(BaseModel):
    """`findings`: what the auditor says of the files as a whole. `indication` is the worst of all."""

    model_config = ConfigDict(frozen=True)

    document: str
    kind: str
    title: str
    year: str
    version: int
    sealed: bool
    at: dt.datetime
    files: tuple[JudgedFile, ...]
    signatures: tuple[ReportedSignature, ...]
    findings: tuple[Finding, ...]
    indication: Indication
    audited_at: dt.datetime | None = None

    @property
    def intact(self) -> bool:
        """Every file is what was signed, as far as this can be told."""
        whole = all(each.intact and not each.missing and each.unsuitable is None for each in self.files)
        return whole and not self.findings and all(one.checks[0].state != "failed" for one in self.signatures)

    def of(self, file: File) -> tuple[ReportedSignature, ...]:
        return tuple(one for one in self.signatures if one.file == file)


def judge_file(file: Literal["xml", "pdf"], recorded: str, octets: bytes | None, roots: Sequence[bytes], at: dt.datetime) -> JudgedFile:
    """For a process of the pool. `recorded` is the digest of the file that was signed; `octets` None: there is none any more."""
    if octets is None or len(octets) > MOST_BYTES:
        return JudgedFile(file=file, sha256=recorded, size=len(octets or b""), missing=octets is None, intact=False)
    digest = sha256(octets).hexdigest()
    known = JudgedFile(file=file, sha256=digest, size=len(octets), intact=digest == recorded)
    verify, read = (verify_xml, carried.of_xml) if file == "xml" else (verify_pdf, carried.of_pdf)
    try:
        verdicts = verify(octets, roots, (), at)
    except UnsuitableDocument as unsuitable:
        return known.model_copy(update={"unsuitable": unsuitable.problem})
    return known.model_copy(update={"verdicts": tuple(verdicts), "carried": read(octets)})


def make_report(
    task: Mapping[str, Any],
    files: Sequence[JudgedFile],
    *,
    title: str,
    findings: Sequence[Finding],
    roots: Sequence[bytes],
    at: dt.datetime,
    audited_at: dt.datetime | None = None,
) -> Report:
    signatures = [_signature(task, file, verdict, roots, at) for file in files for verdict in file.verdicts]
    signatures += [_absent(one, file) for file in files for one in _missing(task, file)]
    worst: Indication = "TOTAL_PASSED"
    if any(one.indication == "INDETERMINATE" for one in signatures) or not signatures:
        worst = "INDETERMINATE"
    damaged = any(not each.intact or each.missing or each.unsuitable is not None for each in files)
    if damaged or findings or any(one.indication == "TOTAL_FAILED" for one in signatures):
        worst = "TOTAL_FAILED"
    return Report(
        document=task["_id"],
        kind=task.get("kind", "transcript"),
        title=title,
        year=task["year"],
        version=task["version"],
        sealed=task["step"] == "done",
        at=at,
        files=tuple(files),
        signatures=tuple(signatures),
        findings=tuple(findings),
        indication=worst,
        audited_at=audited_at,
    )


def _made_at(task: Mapping[str, Any], file: str, place: str) -> Mapping[str, Any] | None:
    """What signing has written down of the signature at that place."""
    for made in task["signatures"]:
        if place == (made["id"] if file == "xml" else STEPS[made["step"]].pdf_field):
            return dict(made)
    return None


def _missing(task: Mapping[str, Any], file: JudgedFile) -> list[Mapping[str, Any]]:
    places = {verdict.place for verdict in file.verdicts}
    recorded = [
        {**made, "place": place}
        for made in task["signatures"]
        if (place := made["id"] if file.file == "xml" else STEPS[made["step"]].pdf_field) is not None
    ]
    return [made for made in recorded if made["place"] not in places]


def _signature(task: Mapping[str, Any], file: JudgedFile, verdict: Verdict, roots: Sequence[bytes], at: dt.datetime) -> ReportedSignature:
    made = _made_at(task, file.file, verdict.place)
    facts = describe(verdict.certificate) if verdict.certificate else None
    others = file.carried.signers.get(verdict.place, ())
    path = carried.path_of(verdict.certificate, (*others, *file.carried.certificates, *roots)) if facts else ()
    checks = checks_of(verdict, made, file_intact=file.intact, at=at)
    indication, sub = indication_of(verdict, checks)
    step = str(made["step"]) if made else ""
    return ReportedSignature(
        file=file.file,
        place=verdict.place,
        step=step,
        step_title=STEPS[step].title if step else "Chữ ký không được ghi nhận",
        name=str(made["name"]) if made else verdict.signer,
        subjects=tuple(made["subjects"]) if made else (),
        claimed_role=verdict.role,
        signed_at=verdict.signed_at,
        certificate=_certificate(verdict.certificate) if facts else None,
        algorithm=scheme_words(verdict),
        path=tuple(describe(each).subject for each in path),
        path_certificates=path,
        anchored=bool(path) and path[-1] in roots,
        level=f"BASELINE-{verdict.level}",
        proved_at=verdict.proved_at,
        revocation=verdict.revocation,
        checks=checks,
        indication=indication,
        sub_indication=sub,
        problems=verdict.problems,
    )


def _certificate(der: bytes) -> ReportedCertificate:
    facts = describe(der)
    return ReportedCertificate(
        subject=facts.subject,
        serial=facts.serial,
        issuer=facts.issuer,
        valid_from=facts.not_before,
        valid_to=facts.not_after,
        sha256=sha256(der).hexdigest(),
        key=f"{facts.key_algorithm.upper()} {facts.key_bits} bit",
    )


def _absent(made: Mapping[str, Any], file: JudgedFile) -> ReportedSignature:
    """A signature that was made and does not stand in the file any more."""
    checks = (INTEGRITY["missing"], *INTEGRITY["unknown_others"])
    return ReportedSignature(
        file=file.file,
        place=made["place"],
        step=made["step"],
        step_title=STEPS[made["step"]].title,
        name=made["name"],
        subjects=tuple(made["subjects"]),
        claimed_role=None,
        signed_at=None,
        certificate=None,
        algorithm="",
        path=(),
        anchored=False,
        level="BASELINE-B",
        proved_at=None,
        revocation="unknown",
        checks=checks,
        indication="TOTAL_FAILED",
        sub_indication="FORMAT_FAILURE",
        problems=(),
    )
