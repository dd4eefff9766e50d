"""Signers' certificates to take along: a zip with one file a certificate and a list of who signed what with which."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict

from services.chassis import xlsx
from services.chassis.clock import in_vietnam
from services.chassis.vietnamese import fold
from services.means.x509 import describe, load
from services.signing.queues import title_of
from services.signing.reports.carried import of_xml
from services.signing.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Form = Literal["pem", "cer"]
COLUMNS: Final = (
    "Tệp chứng thư số",
    "Tài liệu",
    "Mã định danh",
    "Bước ký",
    "Người ký",
    "Thời điểm ký",
    "Chủ thể",
    "Tổ chức cấp",
    "Số chứng thư",
    "Hiệu lực từ",
    "Hiệu lực đến",
    "Dấu vân tay SHA-256",
)
LONGEST: Final = 60
_OTHER = re.compile(r"[^a-z0-9]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class SignedBy(BaseModel):
    """`certificate` is DER."""

    model_config = ConfigDict(frozen=True)

    step: str
    name: str
    signed_at: dt.datetime
    certificate: bytes


class Signed(BaseModel):
    """One document with everybody who signed it, in that order."""

    model_config = ConfigDict(frozen=True)

    document: str
    title: str
    signers: tuple[SignedBy, ...]


def signed_of(task: Mapping[str, Any], xml: bytes) -> Signed:
    """Everybody who signs the PDF signs the XML too, so it has all of them. For a process of the pool."""
    certificates = of_xml(xml).signers
    signers = [
        SignedBy(
            step=STEPS[made["step"]].title,
            name=made["name"],
            signed_at=dt.datetime.fromisoformat(made["signed_at"]),
            certificate=certificates[made["id"]][0],
        )
        for made in task["signatures"]
        if certificates.get(made["id"])
    ]
    return Signed(document=task["_id"], title=title_of(task), signers=tuple(signers))


def packed(documents: Sequence[Signed], form: Form, at: dt.datetime) -> bytes:
    """The zip: certificates (PEM as text, CER as DER), each once, and the list as a workbook and as CSV."""
    every = {one.certificate: _file(one.certificate, form) for document in documents for one in document.signers}
    rows = [_row(document, one, every[one.certificate]) for document in documents for one in document.signers]
    encoding = Encoding.PEM if form == "pem" else Encoding.DER
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        moment = in_vietnam(at).timetuple()[:6]
        for der, name in every.items():
            archive.writestr(zipfile.ZipInfo(name, moment), load(der).public_bytes(encoding))
        archive.writestr(zipfile.ZipInfo("danh-sach.xlsx", moment), xlsx.workbook("Chứng thư số người ký", COLUMNS, rows))
        archive.writestr(zipfile.ZipInfo("danh-sach.csv", moment), _csv(rows))
    return out.getvalue()


def file_name(text: str) -> str:
    """ASCII letters, digits and hyphens."""
    return _OTHER.sub("-", fold(text)).strip("-")[:LONGEST].rstrip("-") or "x"


def _file(der: bytes, form: Form) -> str:
    facts = describe(der)
    # a serial number alone is unique within its issuer only
    return f"chung-thu/{file_name(facts.subject)}-{facts.serial.lower()}-{sha256(der).hexdigest()[:8]}.{form}"


def _row(document: Signed, one: SignedBy, name: str) -> list[str]:
    facts = describe(one.certificate)
    return [
        name,
        document.title,
        document.document,
        one.step,
        one.name,
        f"{in_vietnam(one.signed_at):%d/%m/%Y %H:%M:%S}",
        facts.subject,
        facts.issuer,
        facts.serial,
        f"{in_vietnam(facts.not_before):%d/%m/%Y}",
        f"{in_vietnam(facts.not_after):%d/%m/%Y}",
        sha256(one.certificate).hexdigest(),
    ]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """With a byte order mark, by which spreadsheets know UTF-8; a text that would run as a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"'{value}" if value.startswith(_FORMULA) else value for value in row])
    return out.getvalue().encode("utf-8-sig")
