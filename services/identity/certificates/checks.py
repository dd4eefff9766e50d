"""What is checked about a certificate, and with which result, in plain words. What it says: in_words.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.means.x509 import Problem

_CHECKED: Final = (
    ("Thời hạn hiệu lực", ("expired", "not_yet_valid"), "Đang trong thời hạn hiệu lực."),
    (
        "Người được cấp",
        (
            "personal_for_organisation",
            "organisation_for_personal",
            "no_personal_id",
            "no_tax_code",
            "other_person",
            "other_organisation",
        ),
        "Đúng là chứng thư số cá nhân, số định danh cá nhân khớp với hồ sơ nhân sự.",
    ),
    ("Tổ chức cấp", ("untrusted", "incomplete_chain", "expired_chain"), "Kiểm tra được đến chứng thư số gốc được tin cậy."),
    (
        "Thuật toán và độ dài khóa",
        ("weak_key", "weak_hash"),
        "Đủ mạnh theo quy định: RSA từ 2048 bit hoặc ECDSA từ 256 bit, SHA-256.",
    ),
    ("Mục đích sử dụng", ("wrong_usage",), "Được cấp để ký số."),
)


@dataclass(frozen=True)
class Check:
    """`tone`: success, danger, or neutral when it was not asked."""

    text: str
    result: str
    tone: str
    words: str


def checks_of(problems: Sequence[Problem]) -> list[Check]:
    """What `x509.unfit` looks at, point by point. A problem of a kind that no point knows stands by itself."""
    known = {code for _, codes, _ in _CHECKED for code in codes}
    checks = [_check(text, [p for p in problems if p.code in codes], good) for text, codes, good in _CHECKED]
    others = [p for p in problems if p.code not in known]
    return [*checks, *([_check("Điều kiện khác", others, "")] if others else [])]


def _check(text: str, problems: Sequence[Problem], good: str) -> Check:
    if not problems:
        return Check(text, "Đạt", "success", good)
    return Check(text, "Không đạt", "danger", " ".join(f"{p.message_vi} {p.action_vi}" for p in problems))
