"""One transcript as signing stores it: its task, what was made to be signed, both files, and which certificates were approved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from services.means.x509 import Scheme, describe
from services.records.render.xml import transcript_xml
from services.signing import archive
from services.signing.auditing.examine import Stored, StoredFiles, examine
from services.signing.auditing.expected import Expected, expected_of
from services.signing.steps.kind import Prepared
from services.signing.tasks import DONE, SEALING
from tests.interop.transcripts import Case, content_of, make_transcript
from tests.unit.signing.pki import Party
from tests.unit.signing.sealed import NOW, Sandbox

CASE = Case("TH", 1)
SCHOOL = "31300001"
BEFORE, SOON = NOW - dt.timedelta(days=1), NOW + dt.timedelta(minutes=1)


@dataclass(frozen=True)
class People:
    """Everybody who signs, certified by the sandbox PKI without its HTTP face."""

    sandbox: Sandbox

    @cached_property
    def known(self) -> dict[tuple[str, str], Party]:
        return {}

    def party(self, name: str, identifier: str, scheme: Scheme, kind: str = "personal") -> Party:
        if (identifier, scheme) not in self.known:
            key = "p256" if scheme == "ecdsa" else "rsa2048"
            self.known[identifier, scheme] = self.sandbox.party(name, identifier, kind=kind, key=key)
        return self.known[identifier, scheme]

    @staticmethod
    def values(party: Party, prepared: Prepared, scheme: Scheme, _xml: bytes, _pdf: bytes | None) -> list[bytes]:
        return [party.sign(digest, scheme) for digest in prepared.hashes]


@dataclass(frozen=True)
class Kept:
    """`task` as in the database; `content`, `xml` and `pdf` are what stands in the object store."""

    sandbox: Sandbox
    task: dict[str, Any]
    approvals: list[dict[str, Any]]
    content: bytes
    xml: bytes
    pdf: bytes

    @property
    def expected(self) -> Expected:
        return expected_of(self.task, self.approvals)

    def with_stored(self, content: bytes = b"", xml: bytes = b"", pdf: bytes = b"", *, known: bool = False) -> Kept:
        """Other files; `known`: whoever exchanged them has changed the digests in the database too."""
        given = {"content": content, "xml": xml, "pdf": pdf}
        digests = {name: {"sha256": _sha(octets)} for name, octets in given.items() if octets}
        task = {**self.task, **digests} if known else self.task
        return replace(self, task=task, content=content or self.content, xml=xml or self.xml, pdf=pdf or self.pdf)

    def findings(self, at: dt.datetime = SOON) -> list[tuple[str, str, str]]:
        """(file, place, code)"""
        stored = StoredFiles(**{name: Stored(sha256=self.task[name]["sha256"], octets=octets) for name, octets in self._files})
        found = examine(self.expected, stored, tuple(self.sandbox.roots), at)
        return [(one.file, one.place, one.code) for one in found]

    @property
    def _files(self) -> list[tuple[str, bytes]]:
        return [("content", self.content), ("xml", self.xml), ("pdf", self.pdf)]


def _sha(octets: bytes) -> str:
    return sha256(octets).hexdigest()


def keep(sandbox: Sandbox, *, sealed: bool = True, case: Case = CASE) -> Kept:
    """Signed by one subject teacher, homeroom teacher, leader and school; brought to the archive level unless told otherwise."""
    people = People(sandbox)
    content = content_of(case)
    made = make_transcript(case, people, NOW)
    xml, pdf = made.xml, made.pdf
    opened = archive.open_documents(xml)
    if sealed:
        parties = list(people.known.values())
        data = sandbox.data(parties)
        xml, pdf = sandbox.sealed_xml(xml, data), sandbox.sealed_pdf(pdf, data)
    base = transcript_xml(content)
    staff = [person.staff for person in content.subject_teachers]
    homeroom, leader, issuer = f"{SCHOOL}010", f"{SCHOOL}001", f"{SCHOOL}009"
    steps = [("subjects", code, f"GVBM-{code}") for code in staff]
    steps += [("homeroom", homeroom, "GVCN"), ("leader", leader, "CBQL"), ("issue", issuer, "KY_PHAT_HANH")]
    certificates = [signer.certificate for signer in opened.xml_signers]
    signatures = [
        {
            "id": place,
            "step": step,
            "role": step,
            "person": person,
            "name": describe(certificate).subject,
            "subjects": [],
            "signed_at": (NOW - dt.timedelta(minutes=30)).isoformat(),
            "certificate_serial": describe(certificate).serial,
            "certificate_subject": describe(certificate).subject,
            "scheme": "rsa-pkcs1",
        }
        for (step, person, place), certificate in zip(steps, certificates, strict=True)
    ]
    approvals = [
        {
            "owner": f"school:{SCHOOL}" if step == "issue" else f"person:{person}",
            "sha256": _sha(certificate),
            "since": BEFORE,
            "ended": None,
        }
        for (step, person, _), certificate in zip(steps, certificates, strict=True)
    ]
    waiting = {"subjects": staff, "homeroom": [homeroom], "leader": [leader], "issue": []}
    task = {
        "_id": content.id,
        "kind": "transcript",
        "school": SCHOOL,
        "year": content.school.year,
        "level": "TH",
        "class_code": content.school_class.code,
        "grade": content.school_class.grade,
        "pupil_code": content.pupil.code,
        "pupil_name": content.pupil.name,
        "version": 1,
        "step": DONE if sealed else SEALING,
        "steps": [
            {"name": name, "signers": [{"person": code, "subjects": [], "signed": True} for code in codes]}
            for name, codes in waiting.items()
        ],
        "content": {"sha256": _sha(base)},
        "xml": {"sha256": _sha(xml)},
        "pdf": {"sha256": _sha(pdf)},
        "signatures": signatures,
        "claims": {},
        "signed_by": [],
    }
    return Kept(sandbox, task, approvals, base, xml, pdf)
