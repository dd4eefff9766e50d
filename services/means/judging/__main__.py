"""Kiểm tra ngoại tuyến tài liệu PDF, XML đã ký số: python -m services.means.judging --goc <thư mục chứng thư gốc> <tệp> …

Không dùng mạng: những gì cần đến nguồn phát hành được ghi là "chưa kiểm tra được". Kết quả là chữ, hoặc JSON với --json.
Mã thoát: 0 mọi tệp đạt; 1 có tệp không đạt; 2 không có tệp nào không đạt nhưng có phần chưa kiểm tra được.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.chassis import clock
from services.means.judging.examined import Check, CheckState, Examined, examine, worst
from services.means.judging.recognise import NotADocument, read_roots

WORDS: Final[dict[CheckState, str]] = {"passed": "ĐẠT", "failed": "KHÔNG ĐẠT", "unchecked": "CHƯA KIỂM TRA ĐƯỢC"}
EXITS: Final[dict[CheckState, int]] = {"passed": 0, "failed": 1, "unchecked": 2}
KINDS: Final = {"transcript": "học bạ số", "class_summary": "bảng tổng hợp kết quả đánh giá giáo dục", "foreign": "tài liệu khác"}
SOURCE: Final = Check(
    state="unchecked",
    text="Chưa kiểm tra được khi không có mạng: tài liệu còn hiệu lực, đã được thay thế hay thu hồi. Tra cứu mã định danh tại nguồn.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.means.judging", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="tệp")
    parser.add_argument("--goc", required=True, type=Path, metavar="thư-mục", help="thư mục có các chứng thư số gốc được tin cậy (*.pem)")
    parser.add_argument("--thu-hoi", type=Path, metavar="thư-mục", help="thư mục có các danh sách thu hồi (*.crl), nếu có")
    parser.add_argument("--json", action="store_true", help="kết quả dạng JSON, mỗi tệp một dòng")
    chosen = parser.parse_args(arguments)
    try:
        roots, crls = read_roots(chosen.goc), _crls(chosen.thu_hoi)
    except (OSError, ValueError) as problem:
        parser.error(f"không đọc được chứng thư số gốc hoặc danh sách thu hồi: {problem}")
    if not roots:
        parser.error(f"không có chứng thư số gốc nào trong {chosen.goc}")
    states: list[Check] = []
    for file in chosen.files:
        try:
            found = examine(file.read_bytes(), roots, clock.now(), crls)
        except (OSError, NotADocument) as problem:
            what = problem.what if isinstance(problem, NotADocument) else "không đọc được tệp"
            states.append(Check(state="failed", text=what))
            told = {"file": str(file), "state": "failed", "text": what}
            _say(json.dumps(told, ensure_ascii=False) if chosen.json else _refused(file, what))
            continue
        states.append(Check(state=found.state, text=""))
        _say(json.dumps(_told(file, found), ensure_ascii=False) if chosen.json else "\n".join(_lines(file, found)))
    return EXITS[worst(*states)]


def _crls(folder: Path | None) -> tuple[bytes, ...]:
    """DER of every list, which may be PEM too. Raises OSError and ValueError."""
    found = []
    for file in sorted(folder.glob("*.crl")) if folder else ():
        content = file.read_bytes()
        load = x509.load_pem_x509_crl if content.startswith(b"-----") else x509.load_der_x509_crl
        found.append(load(content).public_bytes(Encoding.DER))
    return tuple(found)


def _told(file: Path, found: Examined) -> dict[str, Any]:
    signers = [{**one.model_dump(mode="json"), "state": one.state} for one in found.signers]
    return {
        "file": str(file),
        "state": found.state,
        **found.model_dump(mode="json", exclude={"signers"}),
        "at_source": SOURCE.model_dump(),
        "signers": signers,
    }


def _refused(file: Path, what: str) -> str:
    return f"{file}\n  {WORDS['failed']}: không phải tệp PDF hoặc XML ({what})."


def _lines(file: Path, found: Examined) -> list[str]:
    lines = [
        f"{file}",
        f"  {WORDS[found.state]} – {KINDS[found.kind]}, {found.form.upper()}, SHA-256 {found.sha256}",
        *([f"  Mã định danh ghi trong tệp: {found.document}"] if found.document else []),
        *(["  Tệp là bản sao; kết quả là của học bạ gốc đính kèm."] if found.copy_of_original else []),
    ]
    checks = [
        ("Tính toàn vẹn", found.integrity),
        ("Chứng thư số", found.trust),
        ("Thời điểm ký", found.time),
        ("Tình trạng tại nguồn", SOURCE),
    ]
    lines += [f"  {name}: {WORDS[check.state]}. {check.text}" for name, check in checks]
    for number, one in enumerate(found.signers, start=1):
        lines.append(f"  {number}. {one.name} ({one.role or 'không ghi vai trò'}): {WORDS[one.state]}")
        lines.append(f"     Chứng thư số {one.serial or '–'} do {one.issuer or '–'} cấp")
        for name, check in (("Toàn vẹn", one.integrity), ("Chứng thư số", one.trust), ("Thời gian", one.time)):
            lines.append(f"     {name}: {WORDS[check.state]}. {check.text}")
    return lines


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
