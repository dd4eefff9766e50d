"""Transcripts by the product's own functions, signed and sealed by people of the sandbox PKI, and packages of them."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.records.archive.sealing import Seal
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from services.records.schoolyear import TranscriptContent
from services.records.transfers.dossier import Dossier, Leaving, package, packed_document
from services.signing import pdf, xml
from tests.factories.settings import settings_without_servers
from tests.factories.transcripts import primary_content, school, subject_signatures
from tests.unit.signing.sealed import NOW, Sandbox

TAX_CODE = "0200000001"
"""Of the school whose certificate the sandbox PKI issued."""


def content_of(**changes: Any) -> TranscriptContent:
    return primary_content(**{"school": school(tax_code=TAX_CODE), **changes})


def sealed(sandbox: Sandbox, content: TranscriptContent) -> tuple[bytes, bytes]:
    """(PDF, XML) at the archive level, signed by homeroom teacher, leader and school."""
    plain = transcript_xml(content)
    document, before = plain, ["nd"]
    for place in pdf.FIELDS:
        document = sandbox.sign_xml(document, place, xml.WHOLE if place == "KY_PHAT_HANH" else before)
        before.append(xml.signature_value_id(place))
    paper = transcript_pdf(content, subject_signatures(content), plain)
    for place in pdf.FIELDS:
        who = sandbox.people[place]
        prepared = pdf.prepare(paper, field=place, certificate=who.der, chain=who.chain, signed_at=NOW, name="Người ký", reason=place)
        paper = pdf.finish(paper, prepared, who.sign(prepared.digest), who.der, who.chain)
    data = sandbox.data([sandbox.people[place] for place in pdf.FIELDS])
    return sandbox.sealed_pdf(paper, data), sandbox.sealed_xml(document, data)


@dataclass(frozen=True)
class Installation:
    """A sealing key with its certificate, as `infra/stack/credentials.py` makes them."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @cached_property
    def certificate(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hocba records")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key()).serial_number(7)
        return (
            builder.not_valid_before(NOW - dt.timedelta(days=1))
            .not_valid_after(NOW + dt.timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def seal(self) -> Seal:
        self.folder.mkdir(parents=True, exist_ok=True)
        key, certificate = self.folder / "service.key", self.folder / "service.pem"
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return Seal(settings_without_servers(key, service_key_file=key, service_cert_file=certificate))


def dossier_of(contents: Sequence[TranscriptContent], **changes: Any) -> Dossier:
    leaving = Leaving(reason="Theo gia đình", decision="12/QĐ-CT", on=dt.date(2026, 6, 1), from_class="5A", year="2025-2026")
    documents = tuple(packed_document(json.loads(content.model_dump_json())) for content in contents)
    return Dossier(**{"leaving": leaving, "pupil": contents[0].pupil, "documents": documents, **changes})


def transfer_package(seal: Seal, dossier: Dossier, files: Sequence[tuple[bytes, bytes]], **told: Any) -> bytes:
    about = {
        "id": "0197f3a2-0000-7000-8000-000000000001",
        "school": {"code": "31300099", "name": "Trường Tiểu học Hoa Phượng"},
        "to": {"code": "31300001", "name": "Trường Tiểu học An Hồng"},
        "made_at": NOW.isoformat(),
        "made_by": "31300099003",
    }
    return package({**about, **told}, dossier, files, seal.certificate, seal.over)


def changed(content: bytes, at: int) -> bytes:
    """One bit of one byte is other."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def base64_of(der: bytes) -> str:
    return b64encode(der).decode()
