"""pyHanko's own judgement of a PDF. The product uses this library too: the reading is independent of the product's code alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pyhanko.sign.validation.status import SignatureStatus

USAGES = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
LASTING = (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES)


@dataclass(frozen=True)
class Reading:
    """`intact`: digest and value. `trusted`: the chain, with revocation data out of the file itself, at the last timestamp's time.

    `changes`: what came after it, NONE, LTA_UPDATES, FORM_FILLING, ANNOTATIONS or OTHER; `permitted`: whether it may.
    """

    field: str
    intact: bool
    trusted: bool
    permitted: bool
    changes: str

    @property
    def sound(self) -> bool:
        return self.intact and self.trusted and self.permitted


def pyhanko(document: bytes, roots: Sequence[bytes], at: datetime) -> list[Reading]:
    """Every signature, then every document timestamp. `roots` are DER; `at` (aware) is for the timestamps, or where there is none."""
    return asyncio.run(_read(PdfFileReader(BytesIO(document)), [asn1_x509.Certificate.load(root) for root in roots], at))


async def _read(reader: PdfFileReader, roots: list[asn1_x509.Certificate], at: datetime) -> list[Reading]:
    stamps, moment = [], at
    for one in reader.embedded_timestamp_signatures:
        status = await async_validate_pdf_timestamp(one, _context(reader, roots, at))
        moment = status.timestamp
        # pyHanko's docmdp_ok speaks of signatures; after a timestamp nothing may come but what proves it longer
        stamps.append(_reading(str(one.field_name), status, status.modification_level, permitted=status.modification_level in LASTING))
    signatures = []
    for one in reader.embedded_regular_signatures:
        judged = await async_validate_pdf_signature(one, _context(reader, roots, moment), key_usage_settings=USAGES)
        signatures.append(_reading(str(one.field_name), judged, judged.modification_level, permitted=bool(judged.docmdp_ok)))
    return signatures + stamps


def _context(reader: PdfFileReader, roots: list[asn1_x509.Certificate], moment: datetime) -> ValidationContext:
    settings: dict[str, Any] = {"trust_roots": roots, "moment": moment, "allow_fetching": False, "revocation_mode": "require"}
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return ValidationContext(**settings, crls=[], ocsps=[])
    return store.as_validation_context(settings)


def _reading(field: str, status: SignatureStatus, changes: ModificationLevel | None, *, permitted: bool) -> Reading:
    return Reading(field, status.intact and status.valid, status.trusted, permitted, changes.name if changes is not None else "")
