"""From signed to provable for decades: both documents of a transcript to the archive level, in three steps around the timestamps.

`open_documents`, `prepare` and `finish` run in a process of the pool; validation data and timestamps are fetched in between
(`sealing.py`). PDF: one revision with validation data and a document timestamp. XML: the school's signature gets a signature
timestamp, the validation data of all signers and an archive timestamp over the whole document.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from lxml import etree
from pydantic import BaseModel, ConfigDict

from services.means.validation_data import ValidationData
from services.signing import pdf, pdf_archive, xml, xml_archive

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVEL = "BASELINE-LTA"


class Signer(BaseModel):
    """A signer's certificate and the issuers' that came with it, DER."""

    model_config = ConfigDict(frozen=True)

    certificate: bytes
    chain: tuple[bytes, ...]


class Opened(BaseModel):
    """Who signed what, and the digest for the school's signature timestamp."""

    model_config = ConfigDict(frozen=True)

    xml_signers: tuple[Signer, ...]
    pdf_signers: tuple[Signer, ...]
    value_digest: bytes


class Evidence(BaseModel):
    """`signature_token` is the timestamp of `Opened.value_digest`, `room` the most bytes that a token of its authority takes."""

    model_config = ConfigDict(frozen=True)

    xml: ValidationData
    pdf: ValidationData
    signature_token: bytes
    room: int


class Prepared(BaseModel):
    """Both documents up to their archive timestamps, and the digests for these."""

    model_config = ConfigDict(frozen=True)

    xml: xml_archive.PreparedArchive
    pdf: pdf_archive.PreparedArchive


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True)

    xml: bytes
    pdf: bytes


def open_documents(document_xml: bytes) -> Opened:
    """Who signs the PDF signs the XML too, under the Id that the PDF's field has. Raises UnsuitableDocument."""
    signers = dict(_signers(xml.parse(document_xml)))
    return Opened(
        xml_signers=tuple(signers.values()),
        pdf_signers=tuple(signers[field] for field in pdf.FIELDS if field in signers),
        value_digest=xml_archive.value_digest(document_xml),
    )


def _signers(root: etree._Element) -> Iterator[tuple[str, Signer]]:
    for signature in root[1]:
        certificate, *chain = [b64decode(node.text or "") for node in signature.iterfind(f".//{{{xml.DS}}}X509Certificate")]
        yield str(signature.get("Id")), Signer(certificate=certificate, chain=tuple(chain))


def prepare(document_xml: bytes, document_pdf: bytes, evidence: Evidence) -> Prepared:
    return Prepared(
        xml=xml_archive.prepare(document_xml, evidence.signature_token, evidence.xml),
        pdf=pdf_archive.prepare(document_pdf, evidence.pdf, room=evidence.room),
    )


def finish(document_pdf: bytes, prepared: Prepared, xml_token: bytes, pdf_token: bytes) -> Closed:
    return Closed(
        xml=xml_archive.finish(prepared.xml, xml_token),
        pdf=pdf_archive.finish(document_pdf, prepared.pdf, pdf_token),
    )
