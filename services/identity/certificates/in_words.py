"""A certificate in plain words, for those who choose, register or decide about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.x509.oid import NameOID

from services.chassis.clock import in_vietnam
from services.chassis.web.look import vn_date, vn_number
from services.means import x509

if TYPE_CHECKING:
    from datetime import datetime

_SHOWN_OF_ID: Final = 3
_ALGORITHMS: Final = {"rsa": "RSA", "ecdsa": "ECDSA"}
_HASHES: Final = {"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_USAGES: Final = {
    "digital_signature": "Ký số",
    "content_commitment": "Cam kết nội dung (chống chối bỏ)",
    "key_encipherment": "Mã hoá khoá",
    "data_encipherment": "Mã hoá dữ liệu",
    "key_agreement": "Thoả thuận khoá",
    "key_cert_sign": "Cấp chứng thư số",
    "crl_sign": "Ký danh sách thu hồi",
}


def rows(certificate: bytes, at: datetime) -> list[tuple[str, str]]:
    """What the certificate (DER) says, as (name, value) in reading order; the personal id is masked but for its last digits."""
    facts = x509.describe(certificate)
    found = [("Chủ sở hữu", facts.subject)]
    if facts.personal_id:
        found.append(("Số định danh cá nhân", masked(facts.personal_id)))
    if organisation := _organisation(certificate):
        found.append(("Tổ chức", organisation))
    if facts.tax_code:
        found.append(("Mã số thuế", facts.tax_code))
    return [
        *found,
        ("Đơn vị cấp", facts.issuer),
        ("Số sê-ri", facts.serial),
        ("Hiệu lực", f"Từ {vn_date(facts.not_before)} đến {vn_date(facts.not_after)}"),
        ("Thời hạn còn lại", remaining(facts.not_before, facts.not_after, at)),
        ("Thuật toán", algorithm(facts)),
        ("Mục đích sử dụng", ", ".join(_USAGES[usage] for usage in facts.usages)),
    ]


def masked(personal_id: str) -> str:
    return "•" * max(0, len(personal_id) - _SHOWN_OF_ID) + personal_id[-_SHOWN_OF_ID:]


def remaining(valid_from: datetime, valid_to: datetime, at: datetime) -> str:
    """Whole days by the Vietnamese calendar."""
    if at > valid_to:
        return "Đã hết hạn"
    if at < valid_from:
        return "Chưa có hiệu lực"
    days = (in_vietnam(valid_to).date() - in_vietnam(at).date()).days
    return f"{vn_number(days)} ngày" if days else "Hết hạn trong hôm nay"


def algorithm(facts: x509.CertificateFacts) -> str:
    """The key's algorithm and strength, and the hash of the issuer's signature."""
    key = _ALGORITHMS.get(facts.key_algorithm, "Không xác định")
    strength = f" {facts.key_bits} bit" if facts.key_bits else ""
    return f"{key}{strength}, {_HASHES.get(facts.signature_hash or '', 'hàm băm không xác định')}"


def _organisation(certificate: bytes) -> str:
    found = x509.load(certificate).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""
