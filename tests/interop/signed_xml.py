"""XML documents of both kinds with one, three or fourteen signatures of one algorithm, for the judges; and what may be done to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from services.means.x509 import Scheme, load
from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from services.signing import xml
from services.signing.steps.kind import values_before
from tests.factories.summaries import summary_content
from tests.factories.transcripts import secondary_content
from tests.unit.signing.pki import Party
from tests.unit.signing.sealed import NOW, Sandbox

KINDS: dict[str, Callable[[], bytes]] = {
    "transcript": lambda: transcript_xml(secondary_content()),
    "class-summary": lambda: summary_xml(summary_content(5, 12)),
}
SCHEMES: dict[Scheme, str] = {"rsa-pkcs1": "rsa2048", "rsa-pss": "rsa2048", "ecdsa": "p256"}
NUMBERS = (1, 3, 14)
SCHOOL = "KY_PHAT_HANH"


@dataclass(frozen=True)
class Case:
    kind: str
    scheme: Scheme
    signers: int

    def __str__(self) -> str:
        return f"{self.kind}-{self.scheme}-{self.signers}"

    @property
    def places(self) -> tuple[str, ...]:
        """Subject teachers side by side, the homeroom teacher after them, the school over the whole."""
        before = ("GVCN",) if self.signers > 1 else ()
        return (*(f"GVBM-{number}" for number in range(self.signers - 2)), *before, SCHOOL)


CASES = tuple(Case(kind, scheme, signers) for kind in KINDS for scheme in SCHEMES for signers in NUMBERS)


def signed(case: Case, who: Party) -> bytes:
    """Subject teachers prepare from the unsigned document and finish in the opposite order."""
    base = KINDS[case.kind]()
    subjects = case.places[:-2]
    finished = {place: _finished(base, place, values_before(()), case, who) for place in reversed(subjects)}
    document = xml.assemble(base, [finished[place] for place in subjects])
    for place in case.places[len(subjects) :]:
        covers = xml.WHOLE if place == SCHOOL else values_before(subjects)
        document = xml.assemble(document, [_finished(document, place, covers, case, who)])
    return document


def _finished(document: bytes, place: str, covers: tuple[str, ...] | list[str], case: Case, who: Party) -> bytes:
    prepared = xml.prepare(
        document,
        signature_id=place,
        covers=covers,
        certificate=who.der,
        chain=who.chain,
        signed_at=NOW - timedelta(minutes=5),
        role='Giáo viên <bộ môn> & "chủ nhiệm"',
        scheme=case.scheme,
    )
    return xml.finish(prepared, who.sign(prepared.digest, case.scheme), who.der)


@dataclass(frozen=True)
class Signed:
    """Documents by case, and the folders of roots and lists for the validators."""

    sandbox: Sandbox
    documents: dict[Case, bytes]
    trust: Path
    lists: Path


def make(cases: tuple[Case, ...], folder: Path) -> Signed:
    sandbox = Sandbox.open(folder / "sandbox")
    trust, lists = folder / "roots", folder / "lists"
    trust.mkdir()
    lists.mkdir()
    for number, root in enumerate(sandbox.roots):
        (trust / f"{number}.pem").write_bytes(load(root).public_bytes(Encoding.PEM))
    for number, one in enumerate(sandbox.crls):
        (lists / f"{number}.crl").write_bytes(one)
    people = {key: sandbox.party("Nguyễn Thị Ánh", "031180000001", key=key) for key in dict.fromkeys(SCHEMES.values())}
    return Signed(sandbox, {case: signed(case, people[SCHEMES[case.scheme]]) for case in cases}, trust, lists)


class _One(XAdESVerifier):
    """signxml looks at the first signature of a document; this one at the one with the given number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def _get_signature(self, root: etree._Element) -> etree._Element:
        return root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Signature")[self._number]


def signxml_accepts(document: bytes, certificate: bytes) -> list[bool]:
    """What signxml says of each signature, with the certificate that is expected there."""
    total = document.count(b"<ds:SignatureValue ")
    expected = XAdESSignatureConfiguration(expect_references=True)
    accepted = []
    for number in range(total):
        try:
            _One(number).verify(etree.fromstring(document), x509_cert=load(certificate), id_attribute="Id", expect_config=expected)
        except (SignXMLException, etree.LxmlError):
            accepted.append(False)
        else:
            accepted.append(True)
    return accepted


# what may be done to a document


def changed_mark(document: bytes) -> bytes:
    """The last text of the content."""
    at = document.index(b"</NoiDung>")
    found = list(re.finditer(rb">([^<]+)<", document[:at]))[-1]
    return document[: found.start(1)] + b"9" + document[found.end(1) :]


def element_beside(document: bytes) -> bytes:
    return document.replace(b"<ChuKy ", b"<GhiChu>9.9</GhiChu><ChuKy ", 1)


def without_first(document: bytes) -> bytes:
    start = document.index(b"<ds:Signature ")
    end = document.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    return document[:start] + document[end:]


def wrapped(document: bytes) -> bytes:
    """The signed content goes, with its Id, where readers do not look; another one stands in its place."""
    start, end = document.index(b"<NoiDung "), document.index(b"</NoiDung>") + len(b"</NoiDung>")
    content = document[start:end]
    forged = changed_mark(content + b"<ChuKy").removesuffix(b"<ChuKy").replace(b'Id="nd"', b'Id="nd2"', 1)
    return (document[:start] + forged + document[end:]).replace(b'<ChuKy Id="ck">', b'<ChuKy Id="ck">' + content, 1)


def wrapped_in_signature(document: bytes) -> bytes:
    """The same, with the signed content inside an Object of the first signature."""
    start, end = document.index(b"<NoiDung "), document.index(b"</NoiDung>") + len(b"</NoiDung>")
    content = document[start:end]
    forged = changed_mark(content + b"<ChuKy").removesuffix(b"<ChuKy").replace(b'Id="nd"', b'Id="nd2"', 1)
    hidden = b"<ds:Object>" + content + b"</ds:Object></ds:Signature>"
    return (document[:start] + forged + document[end:]).replace(b"</ds:Signature>", hidden, 1)


CHANGES = {each.__name__: each for each in (changed_mark, element_beside, without_first, wrapped, wrapped_in_signature)}
