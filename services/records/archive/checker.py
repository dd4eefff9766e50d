"""Kiểm tra gói học bạ số (gói lưu trữ năm học, gói chuyển trường).

Cách dùng:  python3 kiem_tra.py <tệp gói .zip> [--chung-thu <tệp .pem>]

Chỉ cần Python 3.9 trở lên, không cần cài thêm gì và không cần kết nối mạng. Mã thoát 0 khi mọi thứ khớp, 1 khi có sai lệch.

1. Gói có đúng cấu trúc, không thừa, không thiếu byte nào.
2. Mỗi tệp có đúng mã SHA-256 ghi trong SHA256SUMS; SHA256SUMS có đúng mã ghi trong manifest.json.
3. Niêm phong manifest.jws (ES256, RFC 7797) đúng với manifest.json; chứng thư niêm phong đúng là chứng thư đã công bố (--chung-thu).
4. Nếu cạnh tệp này có kiem_tra_chung_cu.py: từng chứng cứ tồn tại (.ers, RFC 4998) đúng với tệp PDF và XML cùng tên.
5. Nếu máy có thư viện pyhanko: từng chữ ký trong các tệp PDF còn toàn vẹn.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import importlib.util
import io
import json
import re
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORMAT = "hocba-package-1"
SUMS, MANIFEST, SEAL = "SHA256SUMS", "manifest.json", "manifest.jws"
CLOSING = (SUMS, MANIFEST, SEAL)
"""The last three entries, in this order; SHA256SUMS lists all entries before it, in their order."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}){0,4}")
CHUNK = 1 << 20
LARGEST = 0xFFFFFFFE
LARGEST_LIST = 256 << 20
"""Bytes of SHA256SUMS, of the manifest and of the seal, which are read as a whole."""
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_DAY = 0x21  # 1980-01-01, the first day of the format: a package has no times but those in its manifest
_UTF8, _PLAIN, _ZIP64 = 0x0800, 20, 45


class Bad(Exception):
    """`name` is the first entry of the package that is wrong, `reason` says in Vietnamese what is wrong with it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class Entry:
    """One file in a package; `offset` is where its header begins."""

    name: str
    size: int
    crc: int
    offset: int

    @property
    def content_at(self) -> int:
        return self.offset + _LOCAL.size + len(self.name.encode())


@dataclass(frozen=True)
class Checked:
    """A sound package: its manifest, all entries, and the DER certificate whose key sealed it (not yet known to be trusted)."""

    manifest: dict[str, Any]
    entries: tuple[Entry, ...]
    certificate: bytes


# the container: a ZIP file without compression, of which every byte is determined by names and contents


def local_header(name: str, size: int, crc: int) -> bytes:
    raw = name.encode()
    return _LOCAL.pack(b"PK\x03\x04", _PLAIN, _UTF8, 0, 0, _DAY, crc, size, size, len(raw), 0) + raw


def central_directory(entries: Iterable[Entry], start: int) -> bytes:
    """What closes the file; `start` is where it begins. Zip64 as soon as the older fields are too small."""
    rows, count = [], 0
    for entry in entries:
        count += 1
        raw = entry.name.encode()
        far = entry.offset > LARGEST
        extra = struct.pack("<HHQ", 1, 8, entry.offset) if far else b""
        offset = 0xFFFFFFFF if far else entry.offset
        needed = _ZIP64 if far else _PLAIN
        rows.append(
            _CENTRAL.pack(
                *(b"PK\x01\x02", needed, needed, _UTF8, 0, 0, _DAY, entry.crc, entry.size, entry.size),
                *(len(raw), len(extra), 0, 0, 0, 0, offset),
            )
            + raw
            + extra
        )
    body = b"".join(rows)
    large = count > 0xFFFE or start > LARGEST or len(body) > LARGEST
    if large:
        end64 = _END64.pack(b"PK\x06\x06", _END64.size - 12, _ZIP64, _ZIP64, 0, 0, count, count, len(body), start)
        body_end = end64 + _LOCATOR.pack(b"PK\x06\x07", 0, start + len(body), 1)
        return body + body_end + _END.pack(b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(body), start, 0)


def sums_line(name: str, sha256: str) -> str:
    """As `sha256sum` writes and reads it."""
    return f"{sha256}  {name}\n"


def check(package: BinaryIO, *, most_entries: int = 10_000_000, most_bytes: int = 1 << 62) -> Checked:
    """Read a package from its beginning, in constant memory apart from the list of names. Raises Bad for the first thing that is wrong."""
    found = list(_entries(package, most_entries, most_bytes))
    names = [entry.name for entry, _, _ in found]
    if tuple(names[-3:]) != CLOSING:
        raise Bad(SUMS, "gói thiếu SHA256SUMS, manifest.json hoặc manifest.jws ở cuối")
    listed, manifest, seal = (content for _, _, content in found[-3:])
    _compare([(entry.name, digest) for entry, digest, _ in found[:-3]], listed)
    told = _manifest(manifest)
    if told.get("sums") != found[-3][1]:
        raise Bad(SUMS, "danh sách mã SHA-256 khác với mã ghi trong manifest.json")
    if told.get("files") != len(found) - 3 or told.get("bytes") != sum(entry.size for entry, _, _ in found[:-3]):
        raise Bad(MANIFEST, "số tệp hoặc dung lượng ghi trong manifest.json không đúng")
    return Checked(told, tuple(entry for entry, _, _ in found), verify_seal(manifest, seal))


def _entries(package: BinaryIO, most_entries: int, most_bytes: int) -> Iterator[tuple[Entry, str, bytes]]:
    """(entry, SHA-256 of its content, the content itself of those that close the package)."""
    entries: list[Entry] = []
    seen: set[str] = set()
    offset, before = 0, "phần đầu gói"
    while True:
        head = package.read(4)
        if head != b"PK\x03\x04":
            break
        entry = _header(head + package.read(_LOCAL.size - 4), package, offset, before)
        if entry.name.lower() in seen:
            raise Bad(entry.name, "tên tệp xuất hiện hai lần trong gói")
        if len(entries) >= most_entries or entry.content_at + entry.size > most_bytes:
            raise Bad(entry.name, "gói có quá nhiều tệp hoặc quá lớn")
        digest, content = _content(package, entry)
        seen.add(entry.name.lower())
        entries.append(entry)
        offset, before = entry.content_at + entry.size, entry.name
        yield entry, digest, content
    rest = central_directory(entries, offset)
    if head + package.read(len(rest)) != rest:
        raise Bad(before, "cấu trúc gói sau tệp này không đúng hoặc gói bị cắt ngắn")


def _header(raw: bytes, package: BinaryIO, offset: int, before: str) -> Entry:
    if len(raw) < _LOCAL.size:
        raise Bad(before, "gói bị cắt ngắn sau tệp này")
    crc, size, length = _LOCAL.unpack(raw)[6], _LOCAL.unpack(raw)[7], _LOCAL.unpack(raw)[9]
    text = package.read(min(length, 1000)).decode("ascii", "replace")
    if not NAME.fullmatch(text):
        raise Bad(before, "tên của tệp tiếp theo không được chấp nhận")
    if raw + text.encode() != local_header(text, size, crc) or size > LARGEST:
        raise Bad(text, "thông tin của tệp trong gói đã bị thay đổi")
    return Entry(text, size, crc, offset)


def _content(package: BinaryIO, entry: Entry) -> tuple[str, bytes]:
    whole = entry.name in CLOSING
    if whole and entry.size > LARGEST_LIST:
        raise Bad(entry.name, "tệp quá lớn")
    digest, crc, left, kept = hashlib.sha256(), 0, entry.size, []
    while left:
        part = package.read(min(CHUNK, left))
        if not part:
            raise Bad(entry.name, "gói bị cắt ngắn ở tệp này")
        digest.update(part)
        crc = zlib.crc32(part, crc)
        left -= len(part)
        if whole:
            kept.append(part)
    if crc != entry.crc:
        raise Bad(entry.name, "nội dung tệp đã bị thay đổi")
    return digest.hexdigest(), b"".join(kept)


def _compare(found: Sequence[tuple[str, str]], listed: bytes) -> None:
    lines = listed.decode("utf-8", "replace").splitlines(keepends=True)
    for (name, digest), line in zip(found, lines):  # noqa: B905 - of different length is the next check; Python 3.9 knows no strict
        if line != sums_line(name, digest):
            told = line[66:].rstrip("\n")
            raise Bad(name, "nội dung tệp khác với mã SHA-256 đã ghi" if told == name else f"SHA256SUMS ghi tệp khác: {told[:100]}")
    if len(lines) != len(found):
        raise Bad(SUMS, f"SHA256SUMS ghi {len(lines)} tệp, gói có {len(found)} tệp")


def _manifest(raw: bytes) -> dict[str, Any]:
    try:
        told = json.loads(raw)
    except ValueError as problem:
        raise Bad(MANIFEST, "không đọc được manifest.json") from problem
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Bad(MANIFEST, "không phải gói học bạ số, hoặc gói của phiên bản khác")
    return told


# the seal: a detached JWS, ES256


def verify_seal(manifest: bytes, seal: bytes) -> bytes:
    """The DER certificate that the seal names and whose key made it. Raises Bad."""
    try:
        protected, empty, value = seal.decode("ascii").strip().split(".")
        header = json.loads(_unbase64url(protected))
        if empty or header["alg"] != "ES256" or header["b64"] is not False or header["crit"] != ["b64"]:
            raise Bad(SEAL, "niêm phong không đúng dạng")
        certificate = base64.b64decode(header["x5c"][0], validate=True)
        signature = _unbase64url(value)
        good = _p256_verifies(_public_key(certificate), protected.encode() + b"." + manifest, signature)
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error) as problem:
        raise Bad(SEAL, "không đọc được niêm phong") from problem
    if not good:
        raise Bad(SEAL, "niêm phong không đúng với manifest.json")
    return certificate


def fingerprint(certificate: bytes) -> str:
    raw = hashlib.sha256(certificate).hexdigest().upper()
    return ":".join(raw[i : i + 2] for i in range(0, 64, 2))


def certificates_in(pem: str) -> list[bytes]:
    """DER certificates of a PEM file."""
    found = re.findall(r"-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----", pem)
    return [base64.b64decode("".join(text.split())) for text in found]


def _unbase64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


_P256_KEY = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d03010703420004")
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def _public_key(certificate: bytes) -> tuple[int, int]:
    """The P-256 point of a DER certificate: the seventh field of its signed part. Raises ValueError."""
    body = _inside(_inside(certificate)[0])[0]
    fields = []
    while body:
        value, after = _inside(body)
        fields.append((body[0], body[: len(body) - len(after)], value))
        body = after
    plain = [one for one in fields if one[0] != 0xA0]
    information = plain[5][1]
    value, _ = _inside(information)
    if not value.startswith(_P256_KEY) or len(value) != len(_P256_KEY) + 64:
        raise ValueError("not a P-256 key")
    raw = value[len(_P256_KEY) :]
    x, y = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    if not (0 <= x < _P and 0 <= y < _P and (y * y - x * x * x + 3 * x - _B) % _P == 0):
        raise ValueError("the point is not on the curve")
    return x, y


def _inside(der: bytes) -> tuple[bytes, bytes]:
    """(the value of the first element, what follows it)."""
    length, start = der[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise ValueError("cut short")
    return der[start : start + length], der[start + length :]


def _p256_verifies(key: tuple[int, int], message: bytes, signature: bytes) -> bool:
    """FIPS 186-5, 6.4.2. Nothing here is secret, so it need not run in constant time."""
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < _N and 0 < s < _N):
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, _N)
    point = _add(_times(digest * inverse % _N, _G), _times(r * inverse % _N, key))
    return point is not None and point[0] % _N == r


def _add(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % _P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, _P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P)
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(number: int, point: tuple[int, int]) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    step: tuple[int, int] | None = point
    while number:
        if number & 1:
            found = _add(found, step)
        step = _add(step, step)
        number >>= 1
    return found


# the signatures inside the PDF files, where pyhanko is at hand


def broken_signatures(package: BinaryIO, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """(PDF, what is wrong) for each whose signatures are not intact, by pyhanko, which must be installed."""
    reader: Any = importlib.import_module("pyhanko.pdf_utils.reader")
    for entry in entries:
        if not entry.name.endswith(".pdf"):
            continue
        package.seek(entry.content_at)
        try:
            signatures = reader.PdfFileReader(io.BytesIO(package.read(entry.size))).embedded_signatures
            for one in signatures:
                if one.compute_digest() != _signed_digest(one):
                    yield entry.name, f"chữ ký {one.field_name} không còn toàn vẹn"
        except Exception as problem:  # noqa: BLE001 - whatever a library says of a file that it cannot read is told, with the file's name
            yield entry.name, f"không đọc được chữ ký ({type(problem).__name__})"


def _signed_digest(signature: Any) -> bytes | None:
    """Of the bytes that a signature covers, as it was signed; of a document timestamp as the authority stamped it."""
    content = signature.signed_data["encap_content_info"]
    if content["content_type"].native == "tst_info":
        return bytes(content["content"].parsed["message_imprint"]["hashed_message"].native)
    attributes = {each["type"].native: each["values"] for each in signature.signer_info["signed_attrs"]}
    return bytes(attributes["message_digest"][0].native) if "message_digest" in attributes else None


# evidence records, where their checker lies beside this one


def about_evidence(package: BinaryIO, entries: Sequence[Entry]) -> tuple[str, list[tuple[str, str]]]:
    """A line about the evidence records of the package, and (record, what is wrong) for each that does not fit its documents."""
    named = {entry.name: entry for entry in entries}
    records = [name for name in named if name.endswith(".ers")]
    if not records:
        return "Chứng cứ tồn tại: gói không có tệp .ers.", []
    if importlib.util.find_spec("kiem_tra_chung_cu") is None:
        return f"Chứng cứ tồn tại: chưa kiểm tra {len(records)} tệp .ers (cần kiem_tra_chung_cu.py ở cùng thư mục).", []
    judge: Any = importlib.import_module("kiem_tra_chung_cu")

    def content(name: str) -> bytes:
        package.seek(named[name].content_at)
        return package.read(named[name].size)

    wrong = []
    for name in records:
        documents = [content(name[:-4] + ending) for ending in (".pdf", ".xml") if name[:-4] + ending in named]
        try:
            list(judge.said_of(content(name), documents))
        except judge.BadEvidence as bad:
            wrong.append((name, str(bad)))
    return f"Chứng cứ tồn tại: đã kiểm tra {len(records)} tệp .ers.", wrong


def main() -> int:
    arguments = sys.argv[1:]
    published: list[bytes] = []
    if "--chung-thu" in arguments:
        at = arguments.index("--chung-thu")
        published = certificates_in(Path(arguments[at + 1]).read_text(encoding="ascii"))
        del arguments[at : at + 2]
    if not arguments and Path(sys.argv[0]).suffix != ".py":
        arguments = [sys.argv[0]]
    if not arguments:
        return _said([__doc__ or ""], 1)
    with Path(arguments[0]).open("rb") as package:
        try:
            checked = check(package)
        except Bad as bad:
            return _said([f"SAI: {bad.name}: {bad.reason}"], 1)
        lines = _about(checked)
        if published and checked.certificate not in published:
            return _said([*lines, f"SAI: {SEAL}: chứng thư niêm phong không phải chứng thư đã công bố"], 1)
        if not published:
            lines.append("Hãy so vân tay trên với vân tay do đơn vị vận hành hệ thống công bố, hoặc dùng --chung-thu.")
        evidence, wrong = about_evidence(package, checked.entries)
        lines.append(evidence)
        if wrong:
            return _said([*lines, *(f"SAI: {name}: {reason}" for name, reason in wrong)], 1)
        if importlib.util.find_spec("pyhanko") is None:
            return _said([*lines, "Chữ ký số trong các tệp PDF: chưa kiểm tra được (máy không có pyhanko)."], 0)
        broken = [f"SAI: {name}: {reason}" for name, reason in broken_signatures(package, checked.entries)]
        return _said([*lines, *(broken or ["Chữ ký số trong các tệp PDF: còn toàn vẹn."])], 1 if broken else 0)


def _about(checked: Checked) -> list[str]:
    told = checked.manifest
    return [
        f"Gói {told.get('id')}, loại {told.get('kind')}, trường {told.get('school', {}).get('code')}, lập lúc {told.get('made_at')}",
        f"Đã kiểm tra {len(checked.entries)} tệp: tất cả khớp.",
        f"Niêm phong đúng. Vân tay SHA-256 của chứng thư niêm phong: {fingerprint(checked.certificate)}",
    ]


def _said(lines: Sequence[str], code: int) -> int:
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
