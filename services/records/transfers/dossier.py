"""What a transfer package says of its pupil (`ho-so.json`), and how it is put together. Plain data in, bytes out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from services.records.archive.packing import SealOver, whole
from services.records.archive.plan import SEALED
from services.records.archive.readme import texts, tools
from services.records.schoolyear import PreviousTranscript, Pupil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOSSIER = "ho-so.json"
KIND = "transfer"
DOCUMENTS = "hoc-ba"


class Readable(BaseModel):
    """Other installations may be newer: what is not known here is left out of account."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PackedDocument(Readable):
    """One transcript in the package; `pdf` and `xml` are names in it."""

    id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    year: str = Field(pattern=r"^20\d\d-20\d\d$")
    version: int = Field(ge=1)
    level: str = Field(max_length=10)
    school: str = Field(min_length=1, max_length=40)
    school_name: str = Field(max_length=300)
    class_name: str = Field(max_length=60)
    grade: int = Field(ge=1, le=12)
    pdf: str
    xml: str
    previous: PreviousTranscript | None = None


class Leaving(Readable):
    """Why and where to; `on` is the day of leaving."""

    reason: str = Field(max_length=500)
    decision: str = Field(max_length=60)
    on: dt.date
    from_class: str = Field(max_length=60)
    year: str = Field(pattern=r"^20\d\d-20\d\d$")


class Dossier(Readable):
    leaving: Leaving
    pupil: Pupil
    documents: tuple[PackedDocument, ...] = Field(min_length=1, max_length=40)


def packed_document(content: Mapping[str, Any]) -> PackedDocument:
    """Of the stored content of a transcript."""
    school, school_class = content["school"], content["school_class"]
    name = f"{DOCUMENTS}/{content['id']}"
    return PackedDocument(
        id=content["id"],
        year=school["year"],
        version=content["version"],
        level=school["level"],
        school=school["code"],
        school_name=school["name"],
        class_name=school_class["name"],
        grade=school_class["grade"],
        pdf=f"{name}.pdf",
        xml=f"{name}.xml",
        previous=content.get("previous"),
    )


def sealed_transcripts(transcripts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that stand with the school's signature, oldest year first."""
    found = [t for t in transcripts if t["live"] and t["state"] in SEALED and t.get("pdf") and t.get("xml")]
    return sorted(found, key=lambda t: t["year"])


def package(
    told: Mapping[str, Any], dossier: Dossier, contents: Sequence[tuple[bytes, bytes]], certificate: bytes, seal: SealOver
) -> bytes:
    """`contents`: (PDF, XML) of each of the dossier's documents."""
    files = [(DOSSIER, dossier.model_dump_json(indent=2).encode())]
    for document, (pdf, xml) in zip(dossier.documents, contents, strict=True):
        files += [(document.pdf, pdf), (document.xml, xml)]
    facts = [
        ("Học sinh", f"{dossier.pupil.name} (mã {dossier.pupil.code})"),
        ("Trường chuyển đi", f"{told['school']['name']} (mã {told['school']['code']})"),
        ("Trường nhận", " ".join(filter(None, (told["to"]["name"], f"(mã {told['to']['code']})" if told["to"]["code"] else "")))),
        ("Số quyết định", dossier.leaving.decision),
        ("Số học bạ trong gói", str(len(dossier.documents))),
    ]
    return whole([*files, *texts("Gói chuyển trường", facts, certificate), *tools()], {**told, "kind": KIND}, seal)
