"""The package: a ZIP with manifest.xml and two files for every transcript, or class summary."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from lxml import etree

from infra.sandbox.gateway.errors import PackageRefused
from infra.sandbox.gateway.schemas import PACKAGE, package_error, parse

MANIFEST = "manifest.xml"
LARGEST_MANIFEST = 5_000_000
LARGEST_CONTENT = 500_000_000


@dataclass(frozen=True)
class FileEntry:
    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One transcript, or one class summary, as the manifest names it; the latter has no `pupil` but the package's class."""

    uuid: str
    version: int
    pupil: str
    pdf: FileEntry
    xml: FileEntry
    summary_of: str | None = None


@dataclass(frozen=True)
class Manifest:
    package_id: str
    school: str
    year: str
    class_name: str
    created_at: str
    callback: str
    entries: list[Entry]


def open_package(body: bytes) -> Manifest:
    """Read and check the package's shape. Raises PackageRefused (400) for everything that is not as the contract says."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if len(infos) != len(archive.infolist()):
                raise PackageRefused(400, "NG-007", "Gói có hai tệp trùng tên")
            if sum(info.file_size for info in infos.values()) > LARGEST_CONTENT:
                raise PackageRefused(413, "NG-008", "Nội dung gói quá lớn")
            if MANIFEST not in infos or infos[MANIFEST].file_size > LARGEST_MANIFEST:
                raise PackageRefused(400, "NG-001", "Gói không có tệp manifest.xml hợp lệ")
            manifest = read_manifest(archive.read(MANIFEST))
    except zipfile.BadZipFile as wrong:
        raise PackageRefused(400, "NG-001", "Gói không phải là tệp ZIP đọc được") from wrong
    wanted = {file.name: file.size for entry in manifest.entries for file in (entry.pdf, entry.xml)}
    if set(wanted) != set(infos) - {MANIFEST}:
        raise PackageRefused(400, "NG-007", "Các tệp trong gói không khớp với bảng kê")
    if any(infos[name].file_size != size for name, size in wanted.items()):
        raise PackageRefused(400, "NG-007", "Kích thước tệp trong gói không khớp với bảng kê")
    return manifest


def read_manifest(content: bytes) -> Manifest:
    try:
        root = parse(content)
    except ValueError as wrong:
        raise PackageRefused(400, "NG-002", f"manifest.xml không đọc được: {wrong}") from wrong
    if (wrong_at := package_error(root)) is not None:
        raise PackageRefused(400, "NG-002", f"manifest.xml không đúng lược đồ: {wrong_at}")
    listing = root.find(f"{{{PACKAGE}}}DanhSach")
    entries = [_entry(element) for element in (listing if listing is not None else ())]
    if listing is None or int(listing.get("soLuong", "0")) != len(entries):
        raise PackageRefused(400, "NG-002", "Số lượng học bạ không khớp với danh sách")
    for entry in entries:
        if (entry.pdf.name, entry.xml.name) != (f"{entry.uuid}.pdf", f"{entry.uuid}.xml"):
            raise PackageRefused(400, "NG-002", "Tên tệp phải là mã định danh học bạ với đuôi .pdf và .xml")
    return Manifest(
        package_id=_text(root, "MaGoi"),
        school=_text(root, "MaTruong"),
        year=_text(root, "NamHoc"),
        class_name=_text(root, "Lop"),
        created_at=_text(root, "NgayTao"),
        callback=_text(root, "DiaChiPhanHoi"),
        entries=entries,
    )


def callback_is_allowed(url: str, allowed: Iterable[str]) -> bool:
    """Loopback addresses, and hosts on the allow-list: the gateway must not be used to reach other machines."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host in allowed:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _entry(element: etree._Element) -> Entry:
    summary = element.tag == f"{{{PACKAGE}}}BangTongHop"
    class_name = element.getroottree().getroot().findtext(f"{{{PACKAGE}}}Lop", default="")
    return Entry(
        uuid=_text(element, "MaBangTongHop" if summary else "MaHocBa"),
        version=int(_text(element, "PhienBan")),
        pupil=_text(element, "MaHocSinh"),
        pdf=_file(element, "TepPdf"),
        xml=_file(element, "TepXml"),
        summary_of=class_name if summary else None,
    )


def _file(element: etree._Element, tag: str) -> FileEntry:
    file = element.find(f"{{{PACKAGE}}}{tag}")
    assert file is not None
    return FileEntry(file.get("ten", ""), file.get("sha256", ""), int(file.get("kichThuoc", "0")))


def _text(element: etree._Element, tag: str) -> str:
    return element.findtext(f"{{{PACKAGE}}}{tag}", default="")
