"""A verdict in words: integrity, signer, trust and time apart, and what ETSI EN 319 102-1 calls the whole of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from services.chassis.clock import in_vietnam
from services.means.x509 import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.signing.verify import Verdict

State = Literal["passed", "failed", "unknown"]
Indication = Literal["TOTAL_PASSED", "TOTAL_FAILED", "INDETERMINATE"]
CheckName = Literal["integrity", "signer", "trust", "time"]
NAMES: Final[Mapping[CheckName, str]] = {"integrity": "Toàn vẹn", "signer": "Người ký", "trust": "Tin cậy", "time": "Thời gian"}
STATES: Final[Mapping[State, str]] = {"passed": "Đạt", "failed": "Không đạt", "unknown": "Chưa đủ căn cứ"}
INDICATIONS: Final[Mapping[Indication, str]] = {
    "TOTAL_PASSED": "Hợp lệ",
    "TOTAL_FAILED": "Không hợp lệ",
    "INDETERMINATE": "Chưa đủ căn cứ kết luận",
}


class Check(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: CheckName
    state: State
    text: str


def _check(name: CheckName, state: State, text: str) -> Check:
    return Check(name=name, state=state, text=text)


INTEGRITY: Final[Any] = {
    "missing": _check("integrity", "failed", "Chữ ký đã ghi nhận không còn trong tệp."),
    "unknown_others": (
        _check("signer", "unknown", "Không có chữ ký để kiểm tra."),
        _check("trust", "unknown", "Không có chữ ký để kiểm tra."),
        _check("time", "unknown", "Không có chữ ký để kiểm tra."),
    ),
}
BREAKS: Final[Mapping[str, str]] = {
    "changed": "HASH_FAILURE",
    "wrong_value": "SIG_CRYPTO_FAILURE",
    "added_afterwards": "FORMAT_FAILURE",
    "unreadable": "FORMAT_FAILURE",
    "content_not_covered": "FORMAT_FAILURE",
    "missing_part": "SIGNED_DATA_NOT_FOUND",
}
"""Problems of integrity, with ETSI's sub-indication; of a part that is missing ETSI says that nothing can be concluded."""
WEAK: Final = frozenset({"weak_algorithm", "weak_key", "weak_hash"})
_TRUST: Final[Mapping[str, tuple[State, str]]] = {
    "expired": ("unknown", "Chứng thư số đã hết hạn và không có dấu thời gian chứng minh chữ ký có trước đó."),
    "not_yet_valid": ("failed", "Chứng thư số chưa có hiệu lực tại thời điểm xét."),
    "incomplete_chain": ("unknown", "Thiếu chứng thư số của đơn vị cấp, không kiểm tra được đến chứng thư số gốc."),
    "untrusted": ("failed", "Chứng thư số không dẫn đến tổ chức chứng thực được tin cậy."),
    "revoked": ("failed", "Chứng thư số đã bị thu hồi trước thời điểm xét."),
}
_SUB_TRUST: Final[Mapping[str, str]] = {
    "expired": "OUT_OF_BOUNDS_NO_POE",
    "not_yet_valid": "NOT_YET_VALID",
    "incomplete_chain": "NO_CERTIFICATE_CHAIN_FOUND",
    "untrusted": "NO_CERTIFICATE_CHAIN_FOUND",
    "revoked": "REVOKED_NO_POE",
}
_SCHEMES: Final = {"rsa-pkcs1": "RSA PKCS#1 v1.5", "rsa-pss": "RSA PSS", "ecdsa": "ECDSA"}


def checks_of(verdict: Verdict, made: Mapping[str, Any] | None, *, file_intact: bool, at: dt.datetime) -> tuple[Check, ...]:
    """`made` is what signing has written down of this signature, None: nothing. In the order of `NAMES`."""
    return (_integrity(verdict, file_intact=file_intact), _signer(verdict, made), _trust(verdict), _time(verdict, at))


def _broken(verdict: Verdict) -> list[str]:
    return [problem.code for problem in verdict.problems if problem.code in BREAKS]


def _integrity(verdict: Verdict, *, file_intact: bool) -> Check:
    broken = [problem.message_vi for problem in verdict.problems if problem.code in BREAKS]
    if broken or not verdict.intact or verdict.coverage == "unclear":
        return _check("integrity", "failed", " ".join(broken) or "Chữ ký không đúng với nội dung.")
    if not file_intact:
        return _check("integrity", "failed", "Chữ ký đúng với nội dung của tệp, nhưng tệp không phải là tệp đã ghi nhận khi ký.")
    covered = {
        "whole": "Nội dung không thay đổi từ khi ký; chữ ký bảo vệ toàn bộ tài liệu.",
        "revision": "Nội dung không thay đổi từ khi ký; sau đó chỉ thêm chữ ký và dữ liệu lưu trữ.",
        "content": "Nội dung không thay đổi từ khi ký.",
    }
    return _check("integrity", "passed", covered[verdict.coverage])


def _signer(verdict: Verdict, made: Mapping[str, Any] | None) -> Check:
    if made is None:
        return _check("signer", "failed", "Hệ thống không ghi nhận chữ ký này.")
    if not verdict.certificate:
        return _check("signer", "unknown", "Không đọc được chứng thư số của người ký.")
    if describe(verdict.certificate).serial != made["certificate_serial"]:
        return _check("signer", "failed", "Chứng thư số trong chữ ký không phải của người ký đã ghi nhận.")
    return _check("signer", "passed", "Đúng người ký và đúng chứng thư số đã ghi nhận khi ký.")


def _trust(verdict: Verdict) -> Check:
    weak = [problem.message_vi for problem in verdict.problems if problem.code not in BREAKS and problem.code != "timestamp"]
    if weak:
        return _check("trust", "failed", " ".join(weak))
    if verdict.trust != "trusted":
        return _check("trust", *_TRUST[verdict.trust])
    if verdict.revocation == "unknown":
        text = "Chứng thư số do tổ chức được tin cậy cấp; chưa có bằng chứng trong tài liệu về tình trạng thu hồi."
        return _check("trust", "unknown", text)
    return _check("trust", "passed", "Chứng thư số do tổ chức được tin cậy cấp và không bị thu hồi tại thời điểm xét.")


def _time(verdict: Verdict, at: dt.datetime) -> Check:
    if any(problem.code == "timestamp" for problem in verdict.problems):
        return _check("time", "failed", "Dấu thời gian bị hỏng hoặc không do tổ chức được tin cậy cấp.")
    if verdict.proved_at is None:
        moment = f"{in_vietnam(at):%H:%M:%S %d/%m/%Y}"
        return _check("time", "unknown", f"Chỉ có thời điểm do người ký khai, chưa có dấu thời gian; xét tại {moment}.")
    return _check("time", "passed", f"Dấu thời gian chứng minh chữ ký đã có lúc {in_vietnam(verdict.proved_at):%H:%M:%S %d/%m/%Y}.")


def indication_of(verdict: Verdict, checks: Sequence[Check]) -> tuple[Indication, str | None]:
    """What EN 319 102-1, 5.1.3 calls it; time alone decides nothing while the certificate is good."""
    states = {check.name: check.state for check in checks}
    if states["integrity"] == "failed":
        broken = _broken(verdict)
        sub = next((BREAKS[code] for code in broken), "HASH_FAILURE")
        return ("INDETERMINATE" if broken == ["missing_part"] else "TOTAL_FAILED"), sub
    doubts = (
        (any(problem.code in WEAK for problem in verdict.problems), "CRYPTO_CONSTRAINTS_FAILURE"),
        (verdict.trust != "trusted", _SUB_TRUST.get(verdict.trust)),
        (states["signer"] != "passed" or "failed" in states.values(), "SIG_CONSTRAINTS_FAILURE"),
        (states["trust"] == "unknown", "TRY_LATER"),
    )
    doubt = next((sub for doubtful, sub in doubts if doubtful), None)
    return ("TOTAL_PASSED", None) if doubt is None else ("INDETERMINATE", doubt)


def scheme_words(verdict: Verdict) -> str:
    """The scheme and the key: "ECDSA, khóa 256 bit"."""
    if verdict.scheme is None or not verdict.certificate:
        return ""
    return f"{_SCHEMES[verdict.scheme]}, khóa {describe(verdict.certificate).key_bits} bit"
