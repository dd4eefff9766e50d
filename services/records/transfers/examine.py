"""Examining a package that arrived, before anything of it is taken: container, digests, seal, documents, pupil. Runs in the pool."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree
from pydantic import BaseModel, ConfigDict, ValidationError

from services.records.archive import checker
from services.records.archive.checker import Bad, Checked, fingerprint
from services.records.archive.sealing import valid_at
from services.records.render.xml import validate_transcript
from services.records.transfers.dossier import DOSSIER, KIND, Dossier, PackedDocument
from services.records.transfers.errors import NOT_A_TRANSFER, NOT_BELIEVED, OTHER_SCHOOL, PACKAGE_CHANGED
from services.records.transfers.signatures import (
    SCHOOL,
    TRANSCRIPT,
    Judged,
    State,
    attached_xml,
    judge_pdf,
    judge_xml,
    parsed,
    same_content,
)

MOST_ENTRIES: Final = 200
MOST_BYTES: Final = 60 << 20
REFUSALS = {refusal.code: refusal for refusal in (PACKAGE_CHANGED, NOT_BELIEVED, NOT_A_TRANSFER, OTHER_SCHOOL)}
PLACES = {"GVCN": "Chữ ký giáo viên chủ nhiệm", "CBQL": "Chữ ký lãnh đạo", SCHOOL: "Chữ ký nhà trường"}
_WORST: tuple[State, ...] = ("VALID", "UNCHECKED", "INVALID")


class FileReport(BaseModel):
    """One file of the package; `reasons` say in Vietnamese what is wrong, or could not be checked."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    state: State
    reasons: tuple[str, ...] = ()
    signatures: tuple[Judged, ...] = ()


class DocumentReport(BaseModel):
    model_config = ConfigDict(frozen=True)

    document: PackedDocument
    files: tuple[FileReport, ...]


class Examined(BaseModel):
    """Either a refusal of the whole (code of the catalogue and its values), or what the package holds with the verdict on each file."""

    model_config = ConfigDict(frozen=True)

    refusal: str = ""
    values: dict[str, str] = {}
    package: str = ""
    school: str = ""
    school_name: str = ""
    made_at: str = ""
    fingerprint: str = ""
    dossier: Dossier | None = None
    reports: tuple[DocumentReport, ...] = ()

    @property
    def state(self) -> State:
        """Of the worst file."""
        found = [file.state for report in self.reports for file in report.files]
        return max(found, key=_WORST.index, default="INVALID")


class _Refused(Exception):
    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Judge:
    """`believed`: DER certificates of installations; `roots`: DER roots of the signers; `at`: now; `own_school`: who is to receive it."""

    believed: Sequence[bytes]
    roots: Sequence[bytes]
    at: dt.datetime
    own_school: str


def examine(content: bytes, judge: Judge) -> Examined:
    try:
        checked = checker.check(io.BytesIO(content), most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES)
        return _sealed(content, checked, judge)
    except Bad as bad:
        return Examined(refusal=PACKAGE_CHANGED.code, values={"file": bad.name, "reason": bad.reason})
    except _Refused as refused:
        return Examined(refusal=refused.code, values=refused.values)


def _sealed(content: bytes, checked: Checked, judge: Judge) -> Examined:
    told, seal = checked.manifest, fingerprint(checked.certificate)
    made_at = _moment(told.get("made_at"))
    if checked.certificate not in judge.believed or not valid_at(checked.certificate, made_at):
        raise _Refused(NOT_BELIEVED.code, fingerprint=seal)
    if told.get("kind") != KIND:
        raise _Refused(NOT_A_TRANSFER.code, reason="Tệp là gói học bạ số nhưng không phải gói chuyển trường.")
    files = files_of(content, checked)
    try:
        package, school, to = str(told["id"]), told["school"], str(told["to"]["code"])
        origin = (str(school["code"]), str(school["name"]))
        dossier = Dossier.model_validate_json(files[DOSSIER])
        pairs = [(document, files[document.pdf], files[document.xml]) for document in dossier.documents]
    except (KeyError, TypeError, ValidationError) as problem:
        raise _Refused(NOT_A_TRANSFER.code, reason="Gói thiếu hồ sơ học sinh hoặc tệp học bạ.") from problem
    if to and to != judge.own_school:
        raise _Refused(OTHER_SCHOOL.code, school=to)
    if len({document.id for document in dossier.documents}) != len(dossier.documents):
        raise _Refused(NOT_A_TRANSFER.code, reason="Hồ sơ trong gói ghi một học bạ hai lần.")
    return Examined(
        package=package,
        school=origin[0],
        school_name=origin[1],
        made_at=made_at.isoformat(),
        fingerprint=seal,
        dossier=dossier,
        reports=tuple(_document(document, pdf, xml, dossier, judge) for document, pdf, xml in pairs),
    )


def files_of(content: bytes, checked: Checked) -> dict[str, bytes]:
    return {entry.name: content[entry.content_at : entry.content_at + entry.size] for entry in checked.entries}


def contents(content: bytes, names: Sequence[str]) -> list[bytes]:
    """The named files of a package that was examined before. Raises Bad, KeyError."""
    files = files_of(content, checker.check(io.BytesIO(content), most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES))
    return [files[name] for name in names]


def _moment(text: object) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError as problem:
        raise _Refused(NOT_A_TRANSFER.code, reason="Gói không ghi thời điểm lập.") from problem
    if found.tzinfo is None:
        raise _Refused(NOT_A_TRANSFER.code, reason="Gói không ghi thời điểm lập.")
    return found


def _document(document: PackedDocument, pdf: bytes, xml: bytes, dossier: Dossier, judge: Judge) -> DocumentReport:
    judged, proved = judge_pdf(pdf, judge.roots, judge.at)
    try:
        root = parsed(xml)
    except ValueError:
        broken = FileReport(name=document.xml, kind="xml", state="INVALID", reasons=("không đọc được tệp XML",))
        return DocumentReport(document=document, files=(_file(document.pdf, "pdf", judged, ()), broken))
    seal = judge_xml(root, judge.roots, proved)
    wrong = [*_schema_problems(xml), *identity_problems(root, document, dossier)]
    taxed = _text(root, "Truong/MaSoThue")
    if not any(one.place == SCHOOL and one.tax_code == taxed for one in judged) or seal.tax_code != taxed:
        wrong.append("chữ ký phát hành không phải bằng chứng thư số của trường ghi trong học bạ")
    attached = attached_xml(pdf)
    other = () if attached is not None and same_content(root, attached) else ("nội dung bản PDF khác với bản XML",)
    return DocumentReport(document=document, files=(_file(document.pdf, "pdf", judged, other), _file(document.xml, "xml", [seal], wrong)))


def _file(name: str, kind: str, judged: Sequence[Judged], wrong: Sequence[str]) -> FileReport:
    states: list[State] = [*(one.state for one in judged), *(["INVALID"] if wrong else [])]  # type: ignore[list-item]  # a literal
    said = [f"{PLACES.get(one.place, one.place)}: {one.reason}" if one.place else one.reason for one in judged if one.reason]
    state: State = max(states, key=_WORST.index, default="INVALID")
    return FileReport(name=name, kind=kind, state=state, reasons=(*wrong, *said), signatures=tuple(one for one in judged if one.place))


def _schema_problems(xml: bytes) -> list[str]:
    return ["không đúng cấu trúc của học bạ số"] if validate_transcript(xml) else []


def identity_problems(root: etree._Element, document: PackedDocument, dossier: Dossier) -> list[str]:
    """Where the signed XML is not about the pupil, or not the document, that the package says."""
    pupil = dossier.pupil
    facts = (
        ("ThongTinHocBa/MaHocBa", document.id, "mã định danh học bạ khác với hồ sơ"),
        ("ThongTinHocBa/NamHoc", document.year, "năm học khác với hồ sơ"),
        ("ThongTinHocBa/PhienBan", str(document.version), "phiên bản khác với hồ sơ"),
        ("Truong/MaTruong", document.school, "trường khác với hồ sơ"),
        ("HocSinh/SoDinhDanhCaNhan", pupil.personal_id, "số định danh cá nhân khác với học sinh chuyển trường"),
        ("HocSinh/NgaySinh", pupil.born.isoformat(), "ngày sinh khác với học sinh chuyển trường"),
    )
    return [words for path, expected, words in facts if _text(root, path) != expected]


def _text(root: etree._Element, path: str) -> str:
    found = root.find("/".join(f"{{{TRANSCRIPT}}}{name}" for name in ("NoiDung", *path.split("/"))))
    return (found.text or "") if found is not None else ""
