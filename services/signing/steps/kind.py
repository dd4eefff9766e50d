"""What there is to say of a step, and how its signatures are prepared and finished around a key that is elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from services.means.x509 import Scheme
from services.signing import pdf, xml
from services.signing.pades.stamp import Stamp


@dataclass(frozen=True)
class Step:
    """`pdf_field` None: this step signs the XML alone. `covers`: Ids that the XML signature covers, given the signatures before."""

    name: str
    title: str
    signature_id: Callable[[str], str]
    covers: Callable[[Sequence[str]], Sequence[str]]
    pdf_field: str | None
    role: Callable[[Sequence[str]], str]


class Intent(BaseModel):
    """What one signer needs to prepare one transcript's signatures; plain data for a process of the pool.

    `before` lists the signature Ids already in the XML; certificates are DER. `stamp` is what the PDF's field shows.
    """

    model_config = ConfigDict(frozen=True)

    step: str
    person: str
    name: str
    subjects: tuple[str, ...]
    before: tuple[str, ...]
    signed_at: dt.datetime
    certificate: bytes
    chain: tuple[bytes, ...]
    stamp: Stamp | None = None


class Prepared(BaseModel):
    """Kept between the steps: no document is built again before the values come back."""

    model_config = ConfigDict(frozen=True)

    xml: xml.PreparedXml
    pdf: pdf.PreparedPdf | None

    @property
    def hashes(self) -> list[bytes]:
        return [self.xml.digest, *([self.pdf.digest] if self.pdf else [])]


class Documents(BaseModel):
    """The documents as they were when the signatures were prepared; None where this step leaves one alone."""

    model_config = ConfigDict(frozen=True)

    xml: bytes | None
    pdf: bytes | None


class Finished(BaseModel):
    """The ds:Signature, the whole XML after it (not for parallel signers) and the PDF after it (not for XML-only steps)."""

    model_config = ConfigDict(frozen=True)

    signature: bytes
    xml: bytes | None
    pdf: bytes | None
    scheme: Scheme


def prepare(step: Step, intent: Intent, document_xml: bytes, document_pdf: bytes | None) -> Prepared:
    prepared_xml = xml.prepare(
        document_xml,
        signature_id=step.signature_id(intent.person),
        covers=step.covers(intent.before),
        certificate=intent.certificate,
        chain=intent.chain,
        signed_at=intent.signed_at,
        role=step.role(intent.subjects),
    )
    prepared_pdf = None
    if step.pdf_field is not None and document_pdf is not None:
        prepared_pdf = pdf.prepare(
            document_pdf,
            field=step.pdf_field,
            certificate=intent.certificate,
            chain=intent.chain,
            signed_at=intent.signed_at,
            name=intent.name,
            reason=step.role(intent.subjects),
            stamp=intent.stamp,
        )
    return Prepared(xml=prepared_xml, pdf=prepared_pdf)


def finish(prepared: Prepared, values: Sequence[bytes], certificate: bytes, chain: Sequence[bytes], documents: Documents) -> Finished:
    """Raises WrongSignature before anything is embedded when a value is not the certificate's signature of its hash."""
    signature = xml.finish(prepared.xml, values[0], certificate)
    signed_pdf = None
    if prepared.pdf is not None and documents.pdf is not None:
        signed_pdf = pdf.finish(documents.pdf, prepared.pdf, values[1], certificate, chain)
    signed_xml = xml.assemble(documents.xml, [signature]) if documents.xml is not None else None
    return Finished(signature=signature, xml=signed_xml, pdf=signed_pdf, scheme=prepared.xml.scheme)


def values_before(before: Sequence[str]) -> list[str]:
    """The content and the SignatureValue of every earlier signature: taking one out breaks this one."""
    return [xml.CONTENT_ID, *(xml.signature_value_id(i) for i in before)]
