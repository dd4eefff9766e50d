"""All that is stored of one document, examined. Pure, for a process of the pool."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from services.signing.auditing.expected import Expected
from services.signing.auditing.findings import File, Finding
from services.signing.auditing.pdf_check import check_pdf
from services.signing.auditing.xml_check import check_xml


class Stored(BaseModel):
    """What stands in the object store under the name that signing has written down, whatever it is; `octets` None: nothing."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    octets: bytes | None


class StoredFiles(BaseModel):
    """`content`: the XML that was made to be signed. `pdf` None: none was made yet."""

    model_config = ConfigDict(frozen=True)

    content: Stored
    xml: Stored
    pdf: Stored | None


def examine(expected: Expected, stored: StoredFiles, roots: tuple[bytes, ...], at: dt.datetime) -> tuple[Finding, ...]:
    """Everything that is wrong, nothing when it is as it was signed.

    A file with a wrong digest is looked into all the same, so that it can be said what happened to it.
    """
    content, xml, pdf = stored.content, stored.xml, stored.pdf
    found = [*_kept("content", content), *_kept("xml", xml), *(_kept("pdf", pdf) if pdf else ())]
    signed = content.octets if not _kept("content", content) else None
    if xml.octets is not None:
        found += check_xml(xml.octets, signed, expected, roots, at)
    if pdf is not None and pdf.octets is not None:
        found += check_pdf(pdf.octets, signed, expected, roots, at)
    return tuple(dict.fromkeys(found))


def _kept(file: File, stored: Stored) -> list[Finding]:
    if stored.octets is None:
        return [Finding(code="missing", file=file)]
    return [] if sha256(stored.octets).hexdigest() == stored.sha256 else [Finding(code="digest", file=file)]
