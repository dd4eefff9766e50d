"""PDFs with one, three and fourteen signatures in every algorithm, signed by the product's own path, for other people's validators."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from services.means.x509 import Scheme
from services.records.render import pdf as forms
from services.records.render.fields import A4, Panel
from services.records.render.form import form
from services.records.render.xml import transcript_xml
from services.signing import pdf
from services.signing.pades.stamp import SEAL_MM, SIGNATURE_MM, Stamp, stamp
from tests.factories.pictures import seal_picture, signature_picture
from tests.interop.transcripts import KINDS
from tests.unit.signing import pki

ALGORITHMS: dict[str, tuple[str, Scheme]] = {
    "pkcs1": ("rsa2048", "rsa-pkcs1"),
    "pss": ("rsa3072", "rsa-pss"),
    "p256": ("p256", "ecdsa"),
    "p384": ("p384", "ecdsa"),
}
SIGNERS = (1, 3, 14)
STREAMS = "streams"
"""A lower secondary transcript whose cross-references are streams."""
DOCUMENTS = (*KINDS, STREAMS)
MOMENT = pki.AT + dt.timedelta(hours=1)
GRID = tuple(
    Panel(f"KY_{number:02d}", f"Chữ ký số thứ {number}", 30.0 + 41.0 * (number % 4), 196.0 + 20.0 * (number // 4), 38.0, 18.0)
    for number in range(14)
)


@dataclass(frozen=True)
class Case:
    document: str
    algorithm: str
    signers: int
    stamped: bool

    def __str__(self) -> str:
        return f"{self.document}-{self.algorithm}-{self.signers}{'-stamped' if self.stamped else ''}"


ALL = tuple(
    Case(document, algorithm, signers, stamped)
    for document in DOCUMENTS
    for number, algorithm in enumerate(ALGORITHMS)
    for signers in SIGNERS
    for stamped in ([True, False] if number == 0 else [number % 2 == 1])
)
FEW = (Case("TH", "pkcs1", 3, stamped=True), Case("THPT", "p256", 1, stamped=False), Case(STREAMS, "pss", 14, stamped=True))


@cache
def base(document: str, signers: int) -> bytes:
    """A transcript as it is rendered, with a field for every signer: the three of the form, or as many as are asked for."""
    kind = KINDS["THCS" if document == STREAMS else document]
    content = kind.content(**kind.changes)
    sheet = A4 if signers <= len(A4.panels) else replace(A4, panels=GRID[:signers])
    data = form(content, [], preview=False, pictures=None)
    made = forms._printed("transcript", data, transcript_xml(content), content.created_at, sheet, preview=False)
    return with_reference_streams(made) if document == STREAMS else made


def with_reference_streams(document: bytes) -> bytes:
    """The same document as another program might write it: with streams of cross-references."""
    writer = copy_into_new_writer(PdfFileReader(BytesIO(document)), {"stream_xrefs": True})
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return output.getvalue()


@cache
def stamps() -> tuple[Stamp, Stamp]:
    return stamp(signature_picture(), SIGNATURE_MM), stamp(seal_picture(), SEAL_MM)


def signed(case: Case) -> bytes:
    document = base(case.document, case.signers)
    kind, scheme = ALGORITHMS[case.algorithm]
    fields = pdf.FIELDS if case.signers <= len(pdf.FIELDS) else [panel.name for panel in GRID]
    for number, field in enumerate(fields[: case.signers]):
        who = pki.party(f"Người Ký {case.algorithm} {number % 3}", kind=kind)
        prepared = pdf.prepare(
            document,
            field=field,
            certificate=who.der,
            chain=who.chain,
            signed_at=pki.AT + dt.timedelta(minutes=number),
            name=f"Người Ký {number}",
            reason="Giáo viên (chủ nhiệm)",
            scheme=scheme,
            stamp=stamps()[field == "KY_PHAT_HANH"] if case.stamped else None,
        )
        document = pdf.finish(document, prepared, who.sign(prepared.digest, scheme), who.der, who.chain)
    return document


def write_trust(folder: Path) -> None:
    """The root, and current lists of root and intermediate."""
    folder.mkdir()
    (folder / "root.pem").write_bytes(x509.load_der_x509_certificate(pki.root()).public_bytes(Encoding.PEM))
    for name, issuer, key in (("root", pki.ROOT_NAME, "rsa2048#root"), ("ca", pki.CA_NAME, "rsa2048#ca")):
        builder = x509.CertificateRevocationListBuilder(issuer, MOMENT, MOMENT + dt.timedelta(days=1))
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(pki.key(key).public_key()), critical=False)
        (folder / f"{name}.crl").write_bytes(builder.sign(pki.key(key), hashes.SHA256()).public_bytes(Encoding.DER))
