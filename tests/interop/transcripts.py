"""Transcripts made by the product's own functions, signed with certificates of the sandbox PKI: what the matrix judges.

A kind of document and a number of subject teachers give one transcript, as XML and as PDF, as the signing service makes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from services.means.x509 import Scheme, describe
from services.records.render.pdf import summary_pdf, transcript_pdf
from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from services.records.schoolyear import SchoolClass, SubjectSignature, SubjectTeacher, SummaryContent, TranscriptContent
from services.signing import pdf, steps, xml
from services.signing.steps import STEPS
from services.signing.steps.kind import Documents, Finished, Intent, Prepared, finish
from tests.factories.summaries import summary_content
from tests.factories.transcripts import GRADE_5_SUBJECTS, SECONDARY_SUBJECTS, primary_content, school, secondary_content
from tests.unit.signing.pki import Party

if TYPE_CHECKING:
    import httpx

SCHEMES: tuple[Scheme, ...] = ("rsa-pkcs1", "ecdsa", "rsa-pss")


@dataclass(frozen=True)
class Kind:
    """A kind of document: its content, what its subject teachers share, and how homeroom teacher, leader and school sign."""

    content: Callable[..., TranscriptContent]
    changes: dict[str, Any]
    subjects: tuple[str, ...]
    schemes: tuple[Scheme, Scheme, Scheme]


GRADE_12: dict[str, Any] = {
    "school": school(code="31310097", name="Trường Trung học phổ thông Hoa Phượng", level="THPT", tax_code="0231310097"),
    "school_class": SchoolClass(code="12A", name="12A", grade=12, homeroom="31310097010", leader="31310097001", finalised=True),
}
KINDS: dict[str, Kind] = {
    "TH": Kind(primary_content, {}, tuple(name for name, _ in GRADE_5_SUBJECTS), ("rsa-pkcs1", "ecdsa", "rsa-pkcs1")),
    "THCS": Kind(secondary_content, {}, tuple(row[0] for row in SECONDARY_SUBJECTS), ("ecdsa", "rsa-pkcs1", "rsa-pss")),
    "THPT": Kind(secondary_content, GRADE_12, tuple(row[0] for row in SECONDARY_SUBJECTS), ("rsa-pss", "rsa-pkcs1", "ecdsa")),
}
SUBJECT_TEACHERS = (0, 1, 3, 14)
"""And homeroom teacher, leader and school: 3, 4, 6 and 17 signatures in the XML, three in the PDF."""


@dataclass(frozen=True)
class Case:
    kind: str
    teachers: int

    def __str__(self) -> str:
        return f"{self.kind}-{self.teachers + 3}"

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The scheme of each signature in the XML, in signing order; those of the PDF are the last three."""
        return (*(SCHEMES[number % len(SCHEMES)] for number in range(self.teachers)), *KINDS[self.kind].schemes)


CASES = tuple(Case(kind, teachers) for kind in KINDS for teachers in SUBJECT_TEACHERS)


@dataclass(frozen=True)
class Transcript:
    """B level. `alone_xml` has the first signature only, a subject teacher's if there is one, `alone_pdf` the homeroom teacher's."""

    xml: bytes
    pdf: bytes
    alone_xml: bytes
    alone_pdf: bytes


class Holder(Protocol):
    """Somebody's certificate; the key is wherever it is."""

    @property
    def der(self) -> bytes: ...

    @property
    def chain(self) -> tuple[bytes, ...]: ...


class Signers(Protocol):
    """Who signs, and what gives the values of what was prepared."""

    def party(self, name: str, identifier: str, scheme: Scheme, kind: str = "personal") -> Holder: ...

    def values(self, party: Any, prepared: Prepared, scheme: Scheme, document_xml: bytes, document_pdf: bytes | None) -> list[bytes]: ...


@dataclass(frozen=True)
class People:
    """Everybody who signs, certified by the sandbox PKI on first need; a key serves all documents of a run."""

    authority: httpx.Client

    @cached_property
    def known(self) -> dict[tuple[str, str], Party]:
        return {}

    def party(self, name: str, identifier: str, scheme: Scheme, kind: str = "personal") -> Party:
        known = (identifier, scheme)
        if known not in self.known:
            order = {"kind": kind, "name": name, "identifier": identifier, "key": "p256" if scheme == "ecdsa" else "rsa2048"}
            issued = self.authority.post("/control/certificates", json=order).raise_for_status().json()
            key = load_pem_private_key(issued["key"].encode(), password=None)
            assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
            intermediate, _root = (_der(each) for each in issued["chain"])
            self.known[known] = Party(key, _der(issued["certificate"]), (intermediate,))
        return self.known[known]

    @staticmethod
    def values(party: Party, prepared: Prepared, scheme: Scheme, _xml: bytes, _pdf: bytes | None) -> list[bytes]:
        return [party.sign(digest, scheme) for digest in prepared.hashes]


def content_of(case: Case) -> TranscriptContent:
    """Every subject has a teacher; with more teachers than subjects, two share one."""
    kind = KINDS[case.kind]
    taught = [
        tuple(kind.subjects[number :: case.teachers]) or (kind.subjects[number % len(kind.subjects)],) for number in range(case.teachers)
    ]
    teachers = tuple(
        SubjectTeacher(staff=f"313100980{number:02d}", name=f"Giáo Viên Số {number}", personal_id=f"0311850030{number:02d}", subjects=own)
        for number, own in enumerate(taught, start=10)
    )
    return kind.content(subject_teachers=teachers, **kind.changes)


def make_transcript(case: Case, people: Signers, at: dt.datetime) -> Transcript:
    """All B level, signed in the hour before `at` as the signing service does it; the last signature is the school's."""
    content = content_of(case)
    base = transcript_xml(content)
    schemes = case.schemes
    teachers = [
        (person, people.party(person.name, person.personal_id, scheme))
        for person, scheme in zip(content.subject_teachers, schemes[: case.teachers], strict=True)
    ]
    elements, shown = [], []
    for number, (person, party) in enumerate(teachers):
        moment = at - dt.timedelta(minutes=40 - number)
        intent = Intent(
            step="subjects",
            person=person.staff,
            name=person.name,
            subjects=person.subjects,
            before=(),
            signed_at=moment,
            certificate=party.der,
            chain=party.chain,
        )
        elements.append(_sign(intent, party, schemes[number], people, (base, None)).signature)
        shown.append(
            SubjectSignature(
                staff=person.staff,
                name=person.name,
                subjects=person.subjects,
                signed_at=moment,
                certificate_serial=describe(party.der).serial,
            )
        )
    signed_xml = xml.assemble(base, elements)
    signed_pdf = transcript_pdf(content, shown, signed_xml)
    before = [STEPS["subjects"].signature_id(person.staff) for person, _ in teachers]
    states = _closed(content, schemes[-3:], before, people, at, (signed_xml, signed_pdf))
    return Transcript(*states[-1], xml.assemble(base, elements[:1]) if elements else states[0][0], states[0][1])


def make_summary(schemes: tuple[Scheme, ...], people: Signers, at: dt.datetime) -> Transcript:
    """A class summary, which homeroom teacher, leader and school sign; `alone_xml` has the homeroom teacher's signature."""
    content = summary_content(5, 12)
    base = summary_xml(content)
    states = _closed(content, schemes, [], people, at, (base, summary_pdf(content, base)))
    return Transcript(*states[-1], *states[0])


def _closed(  # noqa: PLR0917 - what is signed, in which algorithms, after whom, by whom, when
    content: TranscriptContent | SummaryContent,
    schemes: tuple[Scheme, ...],
    before: list[str],
    people: Signers,
    at: dt.datetime,
    documents: tuple[bytes, bytes],
) -> list[tuple[bytes, bytes]]:
    """XML and PDF after the homeroom teacher, the leader and the school."""
    states, known = [documents], list(before)
    closing = (
        ("homeroom", content.homeroom_name, content.homeroom_personal_id, "personal"),
        ("leader", content.leader_name, content.leader_personal_id, "personal"),
        ("issue", content.school.name, content.school.tax_code, "organisation"),
    )
    for minutes, scheme, (step, name, identifier, sort) in zip((20, 15, 10), schemes, closing, strict=True):
        party = people.party(name, identifier, scheme, sort)
        intent = Intent(
            step=step,
            person=identifier,
            name=name,
            subjects=(),
            before=tuple(known),
            signed_at=at - dt.timedelta(minutes=minutes),
            certificate=party.der,
            chain=party.chain,
        )
        done = _sign(intent, party, scheme, people, states[-1])
        assert done.xml is not None
        assert done.pdf is not None
        states.append((done.xml, done.pdf))
        known.append(STEPS[step].signature_id(identifier))
    return states[1:]


def _sign(intent: Intent, party: Holder, scheme: Scheme, people: Signers, documents: tuple[bytes, bytes | None]) -> Finished:
    document_xml, document_pdf = documents
    prepared = steps.prepare(intent, document_xml, document_pdf)
    if scheme != prepared.xml.scheme:
        prepared = _prepared_for(scheme, intent, document_xml, document_pdf)
    values = people.values(party, prepared, scheme, document_xml, document_pdf)
    return finish(prepared, values, party.der, party.chain, Documents(xml=document_xml, pdf=document_pdf))


def _prepared_for(scheme: Scheme, intent: Intent, document_xml: bytes, document_pdf: bytes | None) -> Prepared:
    """A scheme other than the key's usual one: a provider that answers in PSS, which no step asks for by itself."""
    step = STEPS[intent.step]
    role = step.role(intent.subjects)
    common: dict[str, Any] = {
        "certificate": intent.certificate,
        "chain": intent.chain,
        "signed_at": intent.signed_at,
        "scheme": scheme,
    }
    prepared_xml = xml.prepare(
        document_xml, signature_id=step.signature_id(intent.person), covers=step.covers(intent.before), role=role, **common
    )
    prepared_pdf = None
    if step.pdf_field is not None and document_pdf is not None:
        prepared_pdf = pdf.prepare(document_pdf, field=step.pdf_field, name=intent.name, reason=role, **common)
    return Prepared(xml=prepared_xml, pdf=prepared_pdf)


def _der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
