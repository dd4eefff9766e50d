"""What a file is by its first bytes, whatever its name says."""

from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

Form = Literal["pdf", "xml"]

_SPACE: Final = b" \t\r\n"
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks."""
_OTHERS: Final = (
    (b"\x89PNG\r\n\x1a\n", "ảnh PNG"),
    (b"\xff\xd8\xff", "ảnh JPEG"),
    (b"GIF8", "ảnh GIF"),
    (b"II*\0", "ảnh TIFF"),
    (b"MM\0*", "ảnh TIFF"),
    (b"RIFF", "tệp đa phương tiện"),
    (b"PK\x03\x04", "tệp nén ZIP hoặc tài liệu văn phòng"),
    (b"\xd0\xcf\x11\xe0", "tài liệu văn phòng kiểu cũ"),
    (b"%!PS", "tệp PostScript"),
    (b"MZ", "chương trình máy tính"),
)


class NotADocument(ValueError):
    """Neither a PDF nor XML; `what` says in Vietnamese what it looks like."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def form_of(document: bytes) -> Form:
    """Raises NotADocument."""
    if document.startswith(b"%PDF-"):
        return "pdf"
    start = document[:64]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    if start.replace(b"\0", b"").lstrip(_SPACE).startswith(b"<"):
        return "xml"
    if not document:
        raise NotADocument("tệp trống")
    raise NotADocument(next((what for magic, what in _OTHERS if document.startswith(magic)), "tệp không rõ định dạng"))


def read_roots(folder: Path) -> tuple[bytes, ...]:
    """DER of every certificate in the *.pem files. Raises OSError, and ValueError for a file that holds no certificate."""
    found = [c for pem in sorted(folder.glob("*.pem")) for c in x509.load_pem_x509_certificates(pem.read_bytes())]
    return tuple(c.public_bytes(Encoding.DER) for c in found)
