"""Kiểm tra chứng cứ tồn tại lâu dài (RFC 4998) của một tài liệu.

Cách dùng:  python3 kiem_tra_chung_cu.py <tệp .ers> <tệp tài liệu>... [--goc <tệp .pem>]

Chỉ cần Python 3.9 trở lên, không cần kết nối mạng. Mã thoát 0 khi mọi thứ khớp, 1 khi có sai lệch.

1. Mã băm của từng tài liệu nằm trong cây băm; cây băm dẫn đến đúng mã mà dấu thời gian đầu tiên xác nhận.
2. Mỗi dấu thời gian gia hạn xác nhận đúng dấu thời gian trước nó; mỗi lần đổi thuật toán băm xác nhận lại cả tài liệu và chuỗi trước.
3. Nếu máy có thư viện cryptography và asn1crypto: chữ ký của từng dấu thời gian, thứ tự thời gian, gia hạn trước khi chứng thư hết hạn;
   với --goc: chứng thư của đơn vị cấp dấu thời gian dẫn đến chứng thư gốc tin cậy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

SEQUENCE, SET, INTEGER, OCTETS, OID = 0x30, 0x31, 0x02, 0x04, 0x06
ALGORITHMS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"


class BadEvidence(Exception):
    """What is wrong with an evidence record, in Vietnamese."""


@dataclass(frozen=True)
class ArchiveTimestamp:
    """`tree` is the reduced hashtree from the leaves up, `token` the DER ContentInfo of the RFC 3161 timestamp."""

    algorithm: str
    tree: tuple[tuple[bytes, ...], ...]
    token: bytes


@dataclass(frozen=True)
class Record:
    """Chains from the oldest on; `encoded` has the DER of each, which a change of the hash algorithm covers."""

    chains: tuple[tuple[ArchiveTimestamp, ...], ...]
    encoded: tuple[bytes, ...]

    @property
    def stamps(self) -> list[ArchiveTimestamp]:
        return [stamp for chain in self.chains for stamp in chain]


# reading DER


def elements(der: bytes) -> list[tuple[int, bytes, bytes]]:
    """(tag, value, whole encoding) of the elements that stand one after the other. Raises BadEvidence."""
    found, at = [], 0
    while at < len(der):
        if at + 2 > len(der):
            raise BadEvidence("tệp chứng cứ bị cắt ngắn")
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            width = length & 0x7F
            length = int.from_bytes(der[start : start + width], "big")
            start += width
            if not 1 <= width <= 4:
                raise BadEvidence("tệp chứng cứ không ở dạng DER")
        if start + length > len(der):
            raise BadEvidence("tệp chứng cứ bị cắt ngắn")
        found.append((tag, der[start : start + length], der[at : start + length]))
        at = start + length
    return found


def _only(der: bytes, tag: int) -> bytes:
    found = elements(der)
    if len(found) != 1 or found[0][0] != tag:
        raise BadEvidence("tệp không có cấu trúc của chứng cứ RFC 4998")
    return found[0][1]


def _dotted(raw: bytes) -> str:
    numbers, value = [], 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2) if numbers else 0
    return ".".join(str(each) for each in ([first, numbers[0] - 40 * first, *numbers[1:]] if numbers else []))


def _algorithm(value: bytes) -> str:
    found = elements(value)
    name = ALGORITHMS.get(_dotted(found[0][1])) if found and found[0][0] == OID else None
    if name is None:
        raise BadEvidence("thuật toán băm không được chấp nhận")
    return name


def read(der: bytes) -> Record:
    """Raises BadEvidence for what is no evidence record, or one in algorithms that are not accepted."""
    fields = elements(_only(der, SEQUENCE))
    plain = [each for each in fields if each[0] in (INTEGER, SEQUENCE)]
    if [tag for tag, _, _ in plain] != [INTEGER, SEQUENCE, SEQUENCE] or plain[0][1] != b"\x01":
        raise BadEvidence("tệp không có cấu trúc của chứng cứ RFC 4998")
    encoded = elements(plain[2][1])
    chains = tuple(tuple(_timestamp(value) for _, value, _ in elements(chain)) for _, chain, _ in encoded)
    if not chains or not all(chains):
        raise BadEvidence("chứng cứ không có dấu thời gian nào")
    for chain in chains:
        if len({stamp.algorithm for stamp in chain}) != 1:
            raise BadEvidence("một chuỗi dấu thời gian dùng nhiều thuật toán băm")
    return Record(chains, tuple(whole for _, _, whole in encoded))


def _timestamp(value: bytes) -> ArchiveTimestamp:
    fields = {tag: (inside, whole) for tag, inside, whole in elements(value)}
    if SEQUENCE not in fields:
        raise BadEvidence("thiếu dấu thời gian trong chứng cứ")
    token = fields[SEQUENCE][1]
    algorithm = _algorithm(fields[0xA0][0]) if 0xA0 in fields else imprint(token)[0]
    lists = elements(fields[0xA2][0]) if 0xA2 in fields else []
    return ArchiveTimestamp(algorithm, tuple(tuple(each for _, each, _ in elements(one)) for _, one, _ in lists), token)


def imprint(token: bytes) -> tuple[str, bytes]:
    """(hash algorithm, digest) that an RFC 3161 token speaks of. Raises BadEvidence."""
    fields = elements(_only(token, SEQUENCE))
    if len(fields) != 2 or _dotted(fields[0][1]) != SIGNED_DATA:
        raise BadEvidence("dấu thời gian không đúng dạng RFC 3161")
    signed = elements(_only(fields[1][1], SEQUENCE))
    content = elements(signed[2][1]) if len(signed) > 2 else []
    if len(content) != 2 or _dotted(content[0][1]) != TST_INFO:
        raise BadEvidence("dấu thời gian không đúng dạng RFC 3161")
    info = elements(_only(_only(content[1][1], OCTETS), SEQUENCE))
    told = elements(info[2][1]) if len(info) > 2 else []
    if len(told) != 2:
        raise BadEvidence("dấu thời gian không đúng dạng RFC 3161")
    return _algorithm(told[0][1]), told[1][1]


# the hash tree


def joined(algorithm: str, hashes: Sequence[bytes]) -> bytes:
    """The father of hashes (RFC 4998, 4.2): in binary ascending order, one after the other, hashed; one alone stands for itself."""
    return hashes[0] if len(hashes) == 1 else hashlib.new(algorithm, b"".join(sorted(hashes))).digest()


def root(stamp: ArchiveTimestamp, hashes: Sequence[bytes]) -> bytes:
    """What the timestamp must be over, when it proves all of `hashes` (RFC 4998, 4.3). Raises BadEvidence."""
    if not stamp.tree:
        return joined(stamp.algorithm, hashes)
    if not hashes or not set(hashes) <= set(stamp.tree[0]):
        raise BadEvidence("tài liệu không phải tài liệu mà chứng cứ này chứng minh, hoặc đã bị thay đổi")
    found = joined(stamp.algorithm, stamp.tree[0])
    for one in stamp.tree[1:]:
        found = joined(stamp.algorithm, [*one, found])
    return found


def check(record: Record, hashes: Callable[[str], Sequence[bytes]]) -> None:
    """That the record proves the documents whose digests `hashes` gives, by algorithm. Raises BadEvidence.

    The signatures of the timestamps are another matter (`check_timestamps`).
    """
    for number, chain in enumerate(record.chains):
        algorithm = chain[0].algorithm
        due = list(hashes(algorithm))
        if number:
            before = hashlib.new(algorithm, sequence_of(record.encoded[:number])).digest()
            due = [hashlib.new(algorithm, each + before).digest() for each in due]
        for stamp in chain:
            if imprint(stamp.token) != (algorithm, root(stamp, due)):
                raise BadEvidence("dấu thời gian xác nhận nội dung khác với tài liệu hoặc với dấu thời gian trước nó")
            due = [hashlib.new(algorithm, stamp.token).digest()]


def sequence_of(chains: Sequence[bytes]) -> bytes:
    """DER of an ArchiveTimeStampSequence."""
    return der(SEQUENCE, *chains)


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


# the signatures of the timestamps, where cryptography and asn1crypto are at hand


@dataclass(frozen=True)
class Stamped:
    """A timestamp whose signature is right: its time, who made it, until when, and whether a given root vouches for the unit."""

    time: dt.datetime
    unit: str
    ends: dt.datetime
    trusted: bool


def check_timestamps(record: Record, roots: Sequence[bytes] = ()) -> list[Stamped]:
    """Each timestamp's signature; that each was renewed while its unit's certificate lasted and was not revoked, in order of time.

    `roots` are DER; without any nobody is called untrusted. Whether the last unit's certificate still lasts is for the caller to ask.
    Raises BadEvidence.
    """
    found: list[Stamped] = []
    for stamp in reversed(record.stamps):
        one = _signed(stamp.token, roots, found[-1].time if found else None)
        if found and not one.time <= found[-1].time <= one.ends:
            raise BadEvidence("dấu thời gian không được gia hạn trước khi chứng thư của đơn vị cấp hết hạn")
        if roots and not one.trusted:
            raise BadEvidence(f"chứng thư của đơn vị cấp dấu thời gian ({one.unit}) không dẫn đến chứng thư gốc tin cậy")
        found.append(one)
    return found[::-1]


def _signed(token: bytes, roots: Sequence[bytes], until: dt.datetime | None) -> Stamped:
    from asn1crypto import cms, tsp  # noqa: PLC0415 - the first two checks must run without these libraries
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - as above

    try:
        signed = cms.ContentInfo.load(token)["content"]
        signer, content = signed["signer_infos"][0], signed["encap_content_info"]["content"]
        attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
        info = tsp.TSTInfo.load(bytes(content))
        certificates = [x509.load_der_x509_certificate(each.chosen.dump()) for each in signed["certificates"] if each.name == "certificate"]
        sid = signer["sid"].chosen
        unit = next(each for each in certificates if _is_meant(each, sid))
        algorithm = signer["digest_algorithm"]["algorithm"].native
        if attributes["message_digest"][0].native != hashlib.new(algorithm, bytes(content)).digest():
            raise BadEvidence("nội dung dấu thời gian đã bị thay đổi")
        _verify(unit.public_key(), signer, signer["signed_attrs"].untag().dump(), algorithm)
        if "signing_certificate_v2" in attributes:
            meant = attributes["signing_certificate_v2"][0]["certs"][0]
            name = meant["hash_algorithm"]["algorithm"].native
            if meant["cert_hash"].native != hashlib.new(name, _der_of(unit)).digest():
                raise BadEvidence("dấu thời gian nêu chứng thư khác với chứng thư đã ký")
        usages = unit.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        moment: dt.datetime = info["gen_time"].native
        if list(usages) != [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.8")]:
            raise BadEvidence("chứng thư của đơn vị cấp không dành cho dấu thời gian")
        if not unit.not_valid_before_utc <= moment <= unit.not_valid_after_utc:
            raise BadEvidence("chứng thư của đơn vị cấp dấu thời gian không có hiệu lực lúc cấp")
        lists = [x509.load_der_x509_crl(each.chosen.dump()) for each in signed["crls"] or () if each.name != "other"]
        trusted = _leads(unit, certificates, [x509.load_der_x509_certificate(each) for each in roots], moment)
        _not_revoked([unit, *certificates], lists, until or moment)
        return Stamped(moment, unit.subject.rfc4514_string(), unit.not_valid_after_utc, trusted)
    except InvalidSignature as problem:
        raise BadEvidence("chữ ký của dấu thời gian không đúng") from problem
    except (ValueError, TypeError, KeyError, LookupError, AttributeError, StopIteration, UnsupportedAlgorithm) as problem:
        raise BadEvidence(f"không đọc được dấu thời gian ({type(problem).__name__})") from problem


def _der_of(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    whole: bytes = certificate.public_bytes(Encoding.DER)
    return whole


def _is_meant(certificate: Any, sid: Any) -> bool:
    from cryptography import x509  # noqa: PLC0415 - as above

    if hasattr(sid, "chosen") or "serial_number" not in (sid.native if isinstance(sid.native, dict) else {}):
        known = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        return bool(known == sid.native)
    return bool(certificate.serial_number == sid["serial_number"].native and certificate.issuer.public_bytes() == sid["issuer"].dump())


def _verify(key: Any, signer: Any, message: bytes, algorithm: str) -> None:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415 - as above

    chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[algorithm]
    value, scheme = signer["signature"].native, signer["signature_algorithm"]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(value, message, ec.ECDSA(chosen))
    elif scheme.signature_algo == "rsassa_pss":
        salt = scheme["parameters"]["salt_length"].native
        key.verify(value, message, padding.PSS(padding.MGF1(chosen), salt), chosen)
    else:
        key.verify(value, message, padding.PKCS1v15(), chosen)


def _leads(certificate: Any, others: Sequence[Any], roots: Sequence[Any], at: dt.datetime, depth: int = 8) -> bool:
    """Whether signatures lead from the certificate to a root, all valid at the moment."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above

    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc or not depth:
        return False
    if certificate in roots:
        return True
    for issuer in (*roots, *others):
        if issuer.subject != certificate.issuer or issuer == certificate or not _is_authority(issuer):
            continue
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            continue
        if _leads(issuer, others, roots, at, depth - 1):
            return True
    return False


def _is_authority(certificate: Any) -> bool:
    from cryptography import x509  # noqa: PLC0415 - as above

    found = [each.value for each in certificate.extensions if isinstance(each.value, x509.BasicConstraints)]
    return bool(found and found[0].ca)


def _not_revoked(certificates: Sequence[Any], lists: Sequence[Any], until: dt.datetime) -> None:
    for revocation in lists:
        issuer = next((each for each in certificates if each.subject == revocation.issuer), None)
        if issuer is not None and not revocation.is_signature_valid(issuer.public_key()):
            raise BadEvidence("danh sách thu hồi kèm theo dấu thời gian có chữ ký không đúng")
        for each in certificates:
            entry = revocation.get_revoked_certificate_by_serial_number(each.serial_number) if each.issuer == revocation.issuer else None
            if entry is not None and entry.revocation_date_utc <= until:
                raise BadEvidence("chứng thư của đơn vị cấp dấu thời gian đã bị thu hồi")


# from the command line, and from the checker of packages


def said_of(evidence: bytes, documents: Sequence[bytes], roots: Sequence[bytes] = ()) -> Iterator[str]:
    """Lines about a record that is right. Raises BadEvidence."""
    record = read(evidence)
    check(record, lambda algorithm: [hashlib.new(algorithm, each).digest() for each in documents])
    yield f"Cây băm đúng: {len(documents)} tài liệu, {len(record.stamps)} dấu thời gian, {len(record.chains)} thuật toán băm lần lượt."
    if not libraries():
        yield "Chữ ký của dấu thời gian: chưa kiểm tra được (máy không có cryptography và asn1crypto)."
        return
    for each in check_timestamps(record, roots):
        trust = "đơn vị cấp tin cậy" if each.trusted else "chưa so với chứng thư gốc (dùng --goc)"
        yield f"Dấu thời gian {each.time:%d/%m/%Y %H:%M:%S} UTC, {each.unit}, chứng thư đến {each.ends:%d/%m/%Y}: đúng; {trust}."


def libraries() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("cryptography", "asn1crypto"))


def certificates_in(pem: str) -> list[bytes]:
    """DER certificates of a PEM file."""
    found = re.findall(r"-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----", pem)
    return [b64decode("".join(text.split())) for text in found]


def main() -> int:
    arguments, roots = sys.argv[1:], []
    if "--goc" in arguments:
        at = arguments.index("--goc")
        roots = certificates_in(Path(arguments[at + 1]).read_text(encoding="ascii"))
        del arguments[at : at + 2]
    if len(arguments) < 2:
        return _said([__doc__ or ""], 1)
    evidence, *documents = (Path(each).read_bytes() for each in arguments)
    try:
        return _said(list(said_of(evidence, documents, roots)), 0)
    except BadEvidence as bad:
        return _said([f"SAI: {arguments[0]}: {bad}"], 1)


def _said(lines: Sequence[str], code: int) -> int:
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
