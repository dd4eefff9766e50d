"""Contexts of the pages of verification, which everybody sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from services.means.judging.examined import Check, CheckState, Signer
from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, name_of

BASE: dict[str, Any] = {
    "shell": dataclasses.replace(OUTSIDE, home="/ui/publishing/verify", request_id=""),
    "title": "Kiểm tra học bạ số",
    "action": "/ui/publishing/verify",
    "errors": {},
}
DOCUMENT = "0197c2f2-7b1e-4d55-a5a0-5f6f0c1d2e3f"
SOURCE = {
    "document": DOCUMENT,
    "noun": "Học bạ",
    "school": "Trường Tiểu học An Hồng",
    "year": "2025-2026",
    "version": 2,
    "roles": ["Giáo viên bộ môn (9 người)", "Giáo viên chủ nhiệm", "Lãnh đạo nhà trường", "Nhà trường ký phát hành"],
}


def verification() -> Iterator[Sample]:
    yield Sample("publishing/verify", "publishing/verify.html", {**BASE, "code": ""})
    errors = {"code": "Mã định danh gồm 32 chữ số và chữ cái từ a đến f.", "file": "Chỉ kiểm tra được tệp không quá 20 MB."}
    yield Sample("publishing/verify-error", "publishing/verify.html", {**BASE, "code": "0197", "errors": errors})
    for status, tone in (("Đang có hiệu lực", "success"), ("Đã được thay thế", "warning"), ("Đã thu hồi", "danger")):
        source = {**SOURCE, "status": status, "tone": tone, "sentence": "Đây là phiên bản đang có hiệu lực tại nguồn."}
        yield Sample(f"publishing/verify_code-{tone}", "publishing/verify_code.html", {**BASE, "source": source})
    yield Sample("publishing/verify_code-unknown", "publishing/verify_code.html", {**BASE, "source": None})
    yield _file("passed", "Hợp lệ và đang có hiệu lực", "success", signers=3)
    yield _file("failed", "Không hợp lệ", "danger", signers=20)
    yield _file("unchecked", "Chưa kiểm tra được đầy đủ", "waiting", signers=0, foreign=True, copy_of_original=True, href="")


def _file(state: CheckState, outcome: str, tone: str, *, signers: int, **changes: Any) -> Sample:
    check = Check(state=state, text="Chứng thư số do tổ chức được tin cậy cấp; chưa kiểm tra được nó có bị thu hồi hay không.")
    context = {
        **BASE,
        "outcome": outcome,
        "tone": tone,
        "foreign": False,
        "copy_of_original": False,
        "checks": [(n, check) for n in ("Tính toàn vẹn", "Độ tin cậy của chứng thư số", "Thời điểm ký", "Tình trạng tại nguồn")],
        "signers": [signer(number, check) for number in range(signers)],
        "sha256": "0f" * 32,
        "href": f"/ui/publishing/verify/{DOCUMENT}",
        **changes,
    }
    return Sample(f"publishing/verify_file-{state}", "publishing/verify_file.html", context)


def signer(number: int, check: Check) -> Signer:
    return Signer(
        place=f"GVBM-{number}",
        name=name_of(number),
        role="Giáo viên bộ môn: Tiếng Việt" if number % 2 else None,
        issuer="Tổ chức cung cấp dịch vụ chứng thực chữ ký số công cộng" if number % 3 else "",
        serial="7546748D21F7480456D18A94C52F1C712AB89BD9",
        signed_at=MOMENT,
        proved_at=MOMENT if number % 2 else None,
        integrity=check,
        trust=check,
        time=check,
    )
