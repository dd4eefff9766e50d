"""\"Xuất dữ liệu\" (guide 001, menu 2.1): PDF, XML, XSLT and the signers' certificates of the chosen documents as one zip.

The zip is made while it is sent: a few transcripts are in memory, however many were chosen.
"""

from __future__ import annotations

import asyncio
import json
import logging
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal, allowed
from contracts.documents import DocumentRef
from contracts.nouns import worded
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.objects import DamagedObject, MissingObject
from services.records.documents import COLLECTIONS, kind_of
from services.records.dossier.certificates import SignerCertificate, certificates_of
from services.records.errors import NOTHING_SELECTED
from services.records.export import naming, store
from services.records.export.errors import NOT_EXPORTABLE, TOO_MANY
from services.records.store import Store
from services.records.transcripts.assigned import in_year
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from contracts.documents import DocumentKind
    from services.chassis.mongo import Document
    from services.chassis.process import Parts

ACT = "transcripts exported"
FORMAT = "hocba-export-1"
EXPORTABLE = frozenset(State) - {State.NOT_CREATED, State.RETURNED, State.CANCELLED}
"""\"Chờ ký\", \"Hoàn thành ký\" and what follows (guide 001, 2.1): what was sent back or cancelled is nobody's valid document."""
MOST = 5000
"""Transcripts in one package."""
CHUNK = 8
XSLT: Mapping[DocumentKind, str] = {"transcript": "hoc-ba-1.0.xslt", "class_summary": "bang-tong-hop-1.0.xslt"}
MANIFEST = "manifest.json"
READ_ME = """Học bạ số xuất từ hệ thống.

Mỗi học bạ có tệp PDF (để đọc, in) và tệp XML (dữ liệu); cả hai đều mang chữ ký số.
{xslt}: bản trình bày của tệp XML trong trình duyệt.
chung-thu-so/: chứng thư số của những người đã ký (tệp .cer, dạng DER).
{manifest}: danh sách học bạ và mã SHA-256 của từng tệp trong gói.
"""
log = logging.getLogger(__name__)


def may_export(who: Principal, school: str, class_code: str) -> bool:
    return allowed(who, Action.EXPORT, school=school, own=class_code in who.homeroom_of)


def export_address(who: Principal, transcript: Mapping[str, Any]) -> str:
    """Where the person gets the package of this one transcript; "" where there is none for them."""
    may = State(transcript["state"]) in EXPORTABLE and may_export(who, transcript["school"], transcript["class_code"])
    return f"/api/records/{COLLECTIONS[kind_of(transcript)]}/{transcript['_id']}/export.zip" if may else ""


def require_classes(who: Principal, school: str, classes: Iterable[str]) -> None:
    """`who` as of the year of these classes. Raises Refused(FORBIDDEN) unless the person may export from every one."""
    for code in set(classes):
        require(who, Action.EXPORT, school=school, own=code in who.homeroom_of)


async def require_export(records: Store, who: Principal, documents: Sequence[Document]) -> None:
    """Raises Refused(FORBIDDEN) unless the person may export each of these documents, by what they were in its year."""
    for school, year in {(d["school"], d["year"]) for d in documents}:
        then = await in_year(records, who, school, year)
        require_classes(then, school, (d["class_code"] for d in documents if d["year"] == year))


async def chosen(
    parts: Parts,
    who: Principal,
    school: str,
    year: str,
    *,
    classes: Sequence[str] | None = None,
    pupils: Sequence[str] | None = None,
    transcripts: Sequence[str] | None = None,
    everything: bool = False,
    kind: DocumentKind = "transcript",
) -> list[Document]:
    """What a selection of documents of one kind stands for, in the order of the class lists.

    Raises Refused: FORBIDDEN, NOT_FOUND, NOTHING_SELECTED.
    """
    records = Store(parts.db)
    if everything:
        who = await in_year(records, who, school, year)
        found = [t for t in await store.live(parts.db, school, year, kind=kind) if may_export(who, school, t["class_code"])]
        if not found:
            require(who, Action.EXPORT, school=school, own=bool(who.homeroom_of))
    elif transcripts:
        found = await store.by_ids(parts.db, school, transcripts, kind)
        if len(found) != len(set(transcripts)):
            raise Refused(NOT_FOUND)
    elif pupils:
        found = await store.live(parts.db, school, year, pupils=pupils, kind=kind)
    elif classes:
        require_classes(await in_year(records, who, school, year), school, classes)
        found = await store.live(parts.db, school, year, classes=classes, kind=kind)
    else:
        raise Refused(NOTHING_SELECTED)
    await require_export(records, who, found)
    return sorted(found, key=lambda t: (t["year"], t["class_code"], t["number"], t["_id"]))


async def package(parts: Parts, who: Principal, school: str, found: Sequence[Document]) -> AsyncIterator[tuple[str, bytes]]:
    """The files of the zip, one after the other, of documents of one kind; the export is on record before the first.

    Raises Refused: NOT_EXPORTABLE, TOO_MANY.
    """
    out = [t for t in found if State(t["state"]) in EXPORTABLE]
    if not out:
        raise Refused(NOT_EXPORTABLE)
    if len(out) > MOST:
        raise Refused(TOO_MANY, count=len(out), most=MOST)
    left_out = [
        {"id": t["_id"], "state": t["state"], "reason": WORDS[State(t["state"])]} for t in found if State(t["state"]) not in EXPORTABLE
    ]
    kind = kind_of(out[0])
    recorded = await store.record(parts.db, act=ACT, school=school, actor=who.person, transcripts=out)
    return _files(parts, recorded, left_out, kind)


async def _files(parts: Parts, recorded: Document, left_out: list[dict[str, str]], kind: DocumentKind) -> AsyncIterator[tuple[str, bytes]]:
    packing = _Packing()
    ids: list[str] = recorded["transcripts"]
    for start in range(0, len(ids), CHUNK):
        transcripts = await store.needed(parts.db, ids[start : start + CHUNK], kind)
        contents = await asyncio.gather(*(_documents(parts, t) for t in transcripts))
        for transcript, held in zip(transcripts, contents, strict=True):
            for name, content in await asyncio.to_thread(packing.add, transcript, held):
                yield name, content
    sheet = XSLT[kind]
    yield packing.file(sheet, (files("contracts") / "xml" / sheet).read_bytes())
    yield packing.file("doc-truoc.txt", worded(kind, READ_ME).format(xslt=sheet, manifest=MANIFEST).encode())
    manifest = {
        "format": FORMAT,
        "export": recorded["_id"],
        "school": recorded["school"],
        "made_at": recorded["at"].isoformat(timespec="seconds"),
        "made_by": recorded["actor"],
        "transcripts": packing.transcripts,
        "left_out": left_out,
        "problems": packing.problems,
        "files": packing.digests,
    }
    yield MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()


async def _documents(parts: Parts, transcript: Document) -> dict[str, bytes | Exception | None]:
    """PDF and XML; a file that is damaged or gone is its own outcome, since the package is on its way already."""

    async def one(kind: str) -> bytes | Exception | None:
        if transcript[kind] is None:
            return None
        try:
            return await parts.objects.get(DocumentRef.model_validate(transcript[kind]))
        except (DamagedObject, MissingObject) as problem:
            log.critical("a stored document cannot be exported", extra={"transcript": transcript["_id"], "kind": kind}, exc_info=problem)
            return problem

    pdf, xml = await asyncio.gather(one("pdf"), one("xml"))
    return {"pdf": pdf, "xml": xml}


class _Packing:
    """What the manifest has to say of the files that were packed so far."""

    def __init__(self) -> None:
        self.transcripts: list[dict[str, Any]] = []
        self.problems: list[dict[str, str]] = []
        self.digests: dict[str, str] = {}
        self._names = naming.Names()
        self._certificates: dict[str, str] = {}

    def file(self, name: str, content: bytes) -> tuple[str, bytes]:
        self.digests[name] = sha256(content).hexdigest()
        return name, content

    def add(self, transcript: Document, held: dict[str, bytes | Exception | None]) -> list[tuple[str, bytes]]:
        class_name = transcript["content"]["school_class"]["name"]
        if kind_of(transcript) == "class_summary":
            stem = naming.summary_stem(class_name, transcript["version"])
        else:
            stem = naming.stem(transcript["pupil_name"], transcript["pupil_code"], transcript["version"])
        base = f"{naming.folder(transcript['year'], class_name)}/{stem}"
        line: dict[str, Any] = {k: transcript[k] for k in ("year", "class_code", "pupil_code", "version", "state")}
        packed: list[tuple[str, bytes]] = []
        for kind in ("pdf", "xml"):
            content = held[kind]
            line[kind] = None
            if isinstance(content, bytes):
                line[kind] = self._names.take(base, f".{kind}")
                packed.append(self.file(line[kind], content))
            elif content is not None:
                self.problems.append({"id": transcript["_id"], "file": kind, "problem": type(content).__name__})
        xml = held["xml"]
        line["certificates"] = [self._certificate(c, packed) for c in (certificates_of(xml) if isinstance(xml, bytes) else ())]
        self.transcripts.append({"id": transcript["_id"], **line})
        return packed

    def _certificate(self, certificate: SignerCertificate, packed: list[tuple[str, bytes]]) -> str:
        """Its name; a certificate that many signatures share is packed once."""
        known = self._certificates.get(certificate.fingerprint)
        if known is not None:
            return known
        facts = certificate.facts
        name = self._names.take(f"chung-thu-so/{naming.safe(facts.subject)}-{facts.serial.lower()}", ".cer")
        self._certificates[certificate.fingerprint] = name
        packed.append(self.file(name, certificate.der))
        return name
