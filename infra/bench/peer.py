"""The peer of `road`: what a plain script of one process takes for the same documents with the libraries' own ordinary calls.

No stores, events, accounts, people or phones; keys lie in memory and no signature is waited for. From the system it borrows what
makes the words of a document (reading the workbooks, the XML, the form), so that both sides write the same. It does less than the
road: the XML stays at level B, since signxml writes no timestamps, and the PDF's archive revision proves the last signer alone, as
pyHanko's own call does. Prints {"pupils": n, "seconds": s} of wall clock, with the process held on one core.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
import os
import sys
import time
from base64 import b64decode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import typst
from asn1crypto import keys, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.fetchers import Fetchers
from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend
from pyhanko_certvalidator.registry import SimpleCertificateStore
from signxml.algorithms import SignatureConstructionMethod
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSignatureConfiguration, XAdESSigner, XAdESVerifier

from infra.demo.school import read
from services.records.imports.preview import Preview, preview
from services.records.render import pdf as form_files
from services.records.render.fields import MM, PAGE_HEIGHT_MM, PANELS
from services.records.render.form import form
from services.records.render.text import local_time
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import SubjectSignature, TranscriptContent
from services.records.transcripts.content import transcript_content

DS = "http://www.w3.org/2000/09/xmldsig#"
TEMPLATES = Path(form_files.__file__).parent / "templates"
FONTS = Path(form_files.__file__).parent / "fonts"
ROOT_CERTIFICATES = "trust/*.pem"
TOLERANCE = dt.timedelta(minutes=1)
"""What is fetched while a signature is made may be younger than the moment at which that began."""


@dataclass(frozen=True)
class Key:
    """A signer's key and certificates (no root), loaded once in the form that either library takes."""

    name: str
    private: RSAPrivateKey
    certificates: list[x509.Certificate]
    signer: signers.SimpleSigner

    @property
    def serial(self) -> str:
        return f"{self.certificates[0].serial_number:x}"


@dataclass(frozen=True)
class Desk:
    """What the script needs to sign: everybody's key, the school's, and where to ask for timestamps and validation data."""

    people: dict[str, Key]
    school: Key
    roots: list[asn1_x509.Certificate]
    fetchers: Fetchers
    stamper: timestamps.HTTPTimeStamper
    compiler: typst.Compiler


def issue(pki: httpx.Client, kind: str, name: str, identifier: str) -> Key:
    """An RSA-2048 key with its certificate, as the sandbox's signing provider has them."""
    answer = pki.post("/control/certificates", json={"kind": kind, "name": name, "identifier": identifier}).raise_for_status().json()
    key, chain = answer["key"].encode(), [each.encode() for each in (answer["certificate"], *answer["chain"][:-1])]
    own, *others = [asn1_x509.Certificate.load(pem.unarmor(each)[2]) for each in chain]
    private = load_pem_private_key(key, password=None)
    assert isinstance(private, RSAPrivateKey)
    known: SimpleCertificateStore = SimpleCertificateStore.from_certs(others)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return Key(
        name=name,
        private=private,
        certificates=[x509.load_pem_x509_certificate(each) for each in chain],
        signer=signers.SimpleSigner(signing_cert=own, signing_key=keys.PrivateKeyInfo.load(pem.unarmor(key)[2]), cert_registry=known),
    )


def contents(seen: Preview) -> list[TranscriptContent]:
    assert seen.school is not None
    staff = {s.code: s for s in seen.staff}
    classes = {c.code: c for c in seen.classes}
    return [
        transcript_content(
            transcript_id=str(uuid4()),
            version=1,
            replaces=None,
            created_at=dt.datetime.now(dt.UTC),
            school=seen.school,
            school_class=classes[pupil.class_code],
            pupil=pupil,
            result=seen.results[pupil.code],
            assignments=seen.assignments,
            staff=staff,
            public_url="https://localhost",
        )
        for pupil in seen.pupils
    ]


def sign_xml(root: etree._Element, key: Key, role: str, *, whole: bool = False) -> etree._Element:
    """A copy with an enveloped XAdES signature at the end of the holder; over the content by its Id, or over the whole document."""
    etree.SubElement(root[1], f"{{{DS}}}Signature", Id="placeholder", nsmap={"ds": DS})
    signer = XAdESSigner(
        claimed_roles=[role],
        data_object_format=XAdESDataObjectFormat(Description="Học bạ số", MimeType="text/xml"),
        method=SignatureConstructionMethod.enveloped,
    )
    target = None if whole else "#nd"
    return signer.sign(root, key=key.private, cert=key.certificates, reference_uri=target, always_add_key_value=False)


def rendered(desk: Desk, content: TranscriptContent, xml: bytes) -> bytes:
    now = dt.datetime.now(dt.UTC)
    panels = [
        SubjectSignature(
            staff=t.staff,
            name=t.name,
            subjects=t.subjects,
            signed_at=now,
            certificate_serial=desk.people[t.staff].serial,
        )
        for t in content.subject_teachers
    ]
    data = json.dumps(form(content, panels, preview=False), ensure_ascii=False)
    moment = local_time(content.created_at)
    made = desk.compiler.compile(format="pdf", sys_inputs={"data": data, "xml": xml.decode()}, pdf_standards=["a-3b"], timestamp=moment)
    assert isinstance(made, bytes)
    writer = IncrementalPdfFileWriter(BytesIO(made))
    for panel in PANELS:
        bottom = PAGE_HEIGHT_MM - panel.top - panel.height
        edges = (panel.left, bottom, panel.left + panel.width, bottom + panel.height)
        left, low, right, high = (round(edge * MM) for edge in edges)
        fields.append_signature_field(writer, fields.SigFieldSpec(panel.name, on_page=-1, box=(left, low, right, high)))
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return output.getvalue()


def sign_pdf(desk: Desk, pdf: bytes, key: Key, field: str, reason: str, *, first: bool, last: bool) -> bytes:
    """The first signature certifies the document; the last brings it to the archive level."""
    proof = ValidationContext(
        trust_roots=desk.roots, allow_fetching=True, revocation_mode="require", fetchers=desk.fetchers, time_tolerance=TOLERANCE
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        name=key.name,
        reason=reason,
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=first,
        docmdp_permissions=fields.MDPPerm.FILL_FORMS,
        validation_context=proof if last else None,
        embed_validation_info=last,
        use_pades_lta=last,
    )
    signer = signers.PdfSigner(metadata, signer=key.signer, timestamper=desk.stamper if last else None)
    signed: BytesIO = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)))
    return signed.getvalue()


def documents(desk: Desk, content: TranscriptContent) -> tuple[bytes, bytes]:
    """The XML and the PDF with everybody's signatures."""
    xml = transcript_xml(content)
    assert not validate_transcript(xml)
    root = etree.fromstring(xml)
    for teacher in content.subject_teachers:
        root = sign_xml(root, desk.people[teacher.staff], f"Giáo viên bộ môn: {', '.join(teacher.subjects)}")
    pdf = rendered(desk, content, etree.tostring(root, encoding="UTF-8", xml_declaration=True))
    homeroom, leader = desk.people[content.school_class.homeroom], desk.people[content.school_class.leader]
    steps = [
        (homeroom, "GVCN", "Giáo viên chủ nhiệm"),
        (leader, "CBQL", "Lãnh đạo nhà trường"),
        (desk.school, "KY_PHAT_HANH", "Nhà trường"),
    ]
    for position, (key, field, role) in enumerate(steps):
        last = position == len(steps) - 1
        root = sign_xml(root, key, role, whole=last)
        pdf = sign_pdf(desk, pdf, key, field, role, first=position == 0, last=last)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), pdf


def check_xml(xml: bytes) -> None:
    """Every signature against the certificate that it carries."""
    root = etree.fromstring(xml)
    holder_tag = root[1].tag
    for position in range(len(root[1])):
        # signxml takes the first signature at the location
        tree = copy.deepcopy(root)
        tree[1].insert(0, tree[1][position])
        carried = tree[1][0].findtext(f".//{{{DS}}}X509Certificate") or ""
        configuration = XAdESSignatureConfiguration(location=f"./{holder_tag}/", expect_references=True)
        XAdESVerifier().verify(tree, x509_cert=x509.load_der_x509_certificate(b64decode(carried)), expect_config=configuration)


def check_pdf(pdf: bytes, sandbox: Path) -> None:
    """Every signature and timestamp, by the roots and revocation lists that the gateway has; nothing is fetched."""
    roots = [asn1_x509.Certificate.load(pem.unarmor(each.read_bytes())[2]) for each in sorted(sandbox.glob(ROOT_CERTIFICATES))]
    crls = [each.read_bytes() for each in sorted(sandbox.glob("crl/*.crl"))]
    reader = PdfFileReader(BytesIO(pdf))
    for signature in reader.embedded_regular_signatures:
        context = ValidationContext(trust_roots=roots, crls=crls, revocation_mode="require")
        status = validate_pdf_signature(signature, context, context)
        if not status.bottom_line:
            raise SystemExit(f"{signature.field_name}: {status.summary()}")
    for stamp in reader.embedded_timestamp_signatures:
        stamped = validate_pdf_timestamp(stamp, ValidationContext(trust_roots=roots, crls=crls, revocation_mode="require"))
        if not (stamped.valid and stamped.intact and stamped.trusted):
            raise SystemExit(f"timestamp: {stamped.summary()}")


def keys_of(folder: Path, pki_address: str, sandbox: Path) -> Desk:
    export = read(folder)
    people = {s.code: s for s in export.staff}
    with httpx.Client(base_url=pki_address, timeout=60, trust_env=False) as pki:
        issued = {code: issue(pki, "personal", people[code].name, people[code].personal_id) for code in sorted(export.signing_staff)}
        school = issue(pki, "organisation", export.school.name, export.school.tax_code)
    roots = [asn1_x509.Certificate.load(pem.unarmor(each.read_bytes())[2]) for each in sorted(sandbox.glob(ROOT_CERTIFICATES))]
    only = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return Desk(
        people=issued,
        school=school,
        roots=roots,
        fetchers=RequestsFetcherBackend().get_fetchers(),
        stamper=timestamps.HTTPTimeStamper(f"{pki_address}/tsa"),
        compiler=typst.Compiler(str(TEMPLATES / "transcript.typ"), root=str(TEMPLATES), font_paths=only, ignore_system_fonts=True),
    )


def run(folder: Path, pki: str, sandbox: Path) -> dict[str, Any]:
    """Keys and certificates are there before the clock starts."""
    files = read(folder).files
    desk = keys_of(folder, pki, sandbox)
    making = checking = 0.0
    started = time.perf_counter()
    todo = contents(preview(files))
    for content in todo:
        begun = time.perf_counter()
        xml, pdf = documents(desk, content)
        made = time.perf_counter()
        check_xml(xml)
        check_pdf(pdf, sandbox)
        making, checking = making + made - begun, checking + time.perf_counter() - made
    seconds = time.perf_counter() - started
    return {"pupils": len(todo), "seconds": round(seconds, 3), "making": round(making, 3), "checking": round(checking, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="infra.bench.peer", description=__doc__)
    parser.add_argument("--school", type=Path, required=True)
    parser.add_argument("--pki", required=True, help="address of the sandbox's PKI")
    parser.add_argument("--sandbox", type=Path, required=True, help="the sandbox's directory, with trust/ and crl/")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    json.dump(run(options.school, options.pki, options.sandbox), sys.stdout)


if __name__ == "__main__":
    main()
