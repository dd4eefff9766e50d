"""What is checked in one transcript or class summary. Runs in worker processes; the functions here are their whole interface."""

import hashlib
import multiprocessing
import os
import re
import threading
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from infra.sandbox.gateway import pades, xades
from infra.sandbox.gateway.errors import TranscriptRefused
from infra.sandbox.gateway.manifest import Entry, FileEntry
from infra.sandbox.gateway.schemas import parse, transcript_error, transcript_schemas
from infra.sandbox.gateway.trust import Trust

_trust: Trust | None = None


@dataclass(frozen=True)
class Finding:
    """What came out for one transcript: no code means that nothing is wrong."""

    code: str | None = None
    reason: str | None = None


def start_worker(directory: Path) -> None:
    """Load what every validation needs; called once in each worker process."""
    global _trust  # noqa: PLW0603  a worker process has one trust store for its whole life
    _trust = Trust(directory)
    transcript_schemas()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A server that was killed cannot tell its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def validate(package: Path, school: str, year: str, entry: Entry) -> Finding:
    """Judge one transcript of a stored package."""
    assert _trust is not None
    try:
        examine(package, school, year, entry, _trust)
    except TranscriptRefused as refusal:
        return Finding(refusal.code, refusal.reason)
    return Finding()


def examine(package: Path, school: str, year: str, entry: Entry, trust: Trust) -> None:
    """Raises TranscriptRefused."""
    try:
        with zipfile.ZipFile(package) as archive:
            pdf, xml = archive.read(entry.pdf.name), archive.read(entry.xml.name)
    except (zipfile.BadZipFile, zlib.error) as wrong:
        raise TranscriptRefused("NG-101", "Tệp trong gói bị hỏng") from wrong
    _check_digest(entry.pdf, pdf, "PDF")
    _check_digest(entry.xml, xml, "XML")
    try:
        root = parse(xml)
    except ValueError as wrong:
        raise TranscriptRefused("NG-201", "Tệp XML không đọc được") from wrong
    tax_code = _check_content(root, school, year, entry)
    for kind, (_, identifier) in (("XML", xades.verify_all(root, trust)), ("PDF", pades.verify_all(pdf, trust))):
        if identifier.replace("-", "") != tax_code.replace("-", ""):
            code = "NG-304" if kind == "XML" else "NG-404"
            raise TranscriptRefused(code, f"Chữ ký {kind} cuối cùng mang mã số thuế khác với trường lập học bạ")


def _check_digest(file: FileEntry, content: bytes, kind: str) -> None:
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise TranscriptRefused("NG-101", f"Tệp {kind} không khớp mã băm trong bảng kê")


def _check_content(root: etree._Element, school: str, year: str, entry: Entry) -> str:
    """Schema and agreement with the manifest; returns the school's tax code."""
    namespace = etree.QName(root).namespace

    def text(path: str) -> str:
        return root.findtext("/".join(f"{{{namespace}}}{step}" for step in path.split("/")), default="").strip()

    # before the schema, so that the refusal names what the school can put right
    for pupil in root.findall("/".join(f"{{{namespace}}}{step}" for step in ("NoiDung", "HocSinh", "SoDinhDanhCaNhan"))):
        if pupil.text and not _personal_id_is_well_formed(pupil.text.strip()):
            raise TranscriptRefused("NG-203", "Số định danh cá nhân của học sinh không đúng dạng 12 chữ số")
    if (violation := transcript_error(root)) is not None:
        raise TranscriptRefused("NG-201", f"Tệp XML không đúng lược đồ: {violation}")
    if entry.summary_of is None:
        about = "NoiDung/ThongTinHocBa"
        named = {
            "mã định danh học bạ": (text(f"{about}/MaHocBa"), entry.uuid),
            "mã học sinh": (text("NoiDung/HocSinh/MaHocSinh"), entry.pupil),
        }
    else:
        about = "NoiDung/ThongTinBangTongHop"
        named = {
            "mã định danh bảng tổng hợp": (text(f"{about}/MaBangTongHop"), entry.uuid),
            "lớp": (text("NoiDung/Lop/MaLop"), entry.summary_of),
        }
    named |= {
        "phiên bản": (text(f"{about}/PhienBan"), str(entry.version)),
        "mã trường": (text("NoiDung/Truong/MaTruong"), school),
        "năm học": (text(f"{about}/NamHoc"), year),
    }
    for what, (found, expected) in named.items():
        if found != expected:
            raise TranscriptRefused("NG-202", f"Tệp XML và bảng kê khác nhau ở {what}")
    return text("NoiDung/Truong/MaSoThue")


def _personal_id_is_well_formed(number: str) -> bool:
    """12 digits, the first three a province or country code from 001 on (regulations: structure of the personal id)."""
    return re.fullmatch(r"[0-9]{12}", number) is not None and not number.startswith("000")
