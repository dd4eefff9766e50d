"""Kiểm tra gói kết xuất nhật ký hoạt động: python3 kiem_tra.py [thư mục của gói].

Chỉ cần Python 3.9 trở lên, không cần cài thêm gì và không cần kết nối mạng. Kết quả: mã thoát 0 khi mọi thứ khớp, 1 khi có sai lệch.

1. Mỗi tệp trong gói có đúng mã SHA-256 ghi trong manifest.json.
2. Mỗi mục nhật ký có mã băm đúng với nội dung của chính nó.
3. Hai mục liền số của cùng một dịch vụ nối nhau: mã "previous" của mục sau là mã băm của mục trước.
4. Mục nằm ở đầu chuỗi (head) có mã băm đúng như đã ghi.

Gói chỉ chứa các mục của một đơn vị nên số thứ tự có thể cách quãng; phần ở giữa thuộc đơn vị khác.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def digest_of(entry: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of everything but the hash itself."""
    covered = {key: value for key, value in entry.items() if key != "hash"}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def wrong_files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Names of the files that are missing or other than the manifest says."""
    found = []
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(name)
    return found


def wrong_entries(lines: list[dict[str, Any]], heads: dict[str, str]) -> tuple[list[str], int]:
    """(what is wrong, how many entries came without their details and cannot be proved here)."""
    found: list[str] = []
    unproved = 0
    last: dict[str, tuple[int, str]] = {}
    for line in lines:
        service, entry = line["service"], line["entry"]
        name = f"{service} số {entry['number']}"
        if line["details_left_out"]:
            unproved += 1
        elif digest_of(entry) != entry["hash"]:
            found.append(f"{name}: nội dung không khớp mã băm")
        if service in last:
            number, known = last[service]
            if entry["number"] <= number:
                found.append(f"{name}: sai thứ tự")
            if entry["number"] == number + 1 and entry["previous"] != known:
                found.append(f"{name}: không nối tiếp mục số {number}")
        head_number, head = heads.get(service, "0:").split(":")
        if entry["number"] == int(head_number) and entry["hash"] != head:
            found.append(f"{name}: khác với đầu chuỗi đã ghi")
        last[service] = (entry["number"], entry["hash"])
    return found, unproved


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    problems = [f"{name}: thiếu tệp hoặc tệp đã bị thay đổi" for name in wrong_files(folder, manifest)]
    lines = [json.loads(text) for text in (folder / "nhat-ky.jsonl").read_bytes().splitlines()]
    if len(lines) != manifest["entries"]:
        problems.append(f"nhat-ky.jsonl: có {len(lines)} mục, manifest ghi {manifest['entries']} mục")
    wrong, unproved = wrong_entries(lines, manifest["heads"])
    problems += wrong
    said = [f"SAI: {problem}" for problem in problems]
    if unproved:
        said.append(f"Không kèm chi tiết nên không kiểm tra được tại đây: {unproved} mục")
    said.append(f"Đã kiểm tra {len(lines)} mục, {len(problems)} sai lệch.")
    sys.stdout.buffer.write("".join(f"{line}\n" for line in said).encode())
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
