"""Contexts of the pages of sharing: the school's list and forms, and what whoever holds a link sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from services.means.judging.examined import Check, CheckState
from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, name_of, paging, shell, variants
from tests.unit.chassis.web_samples_verification import signer

PICTURE = Markup('<svg width="148" height="148"><path d="M4 4h28v28z"/></svg>')
STATES = (("Đang hiệu lực", "success"), ("Hết hạn", "neutral"), ("Đã thu hồi", "danger"))
ASKED = "Sở Giáo dục và Đào tạo Hải Phòng, Phòng Quản lý chất lượng (Cơ quan, tổ chức)"
IDS = [f"0197c2f2-7b1e-4d55-a5a0-5f6f0c1d2e3{n}" for n in range(3)]
SCHOOL: dict[str, Any] = {"shell": shell(), "title": "Chia sẻ học bạ", "crumb": "Chia sẻ học bạ", "back_href": "/ui/publishing/shares"}
VALUES = {"asker": "", "relation": "", "purpose": "", "reference": "", "days": "7", "key": IDS[0]}
OUT: dict[str, Any] = {
    "shell": dataclasses.replace(OUTSIDE, home="/ui/publishing/shared"),
    "title": "Học bạ được chia sẻ",
    "action": "/ui/publishing/shared",
    "errors": {},
}


def sharing() -> Iterator[Sample]:
    yield from variants("publishing/shares", _list)
    yield from variants("publishing/share_choice", _choice)
    yield _new("", {}, {})
    wrong = {
        "transcripts": "Chọn ít nhất một học bạ.",
        "relation": "Chọn quan hệ với học sinh.",
        "days": "Thời hạn là số ngày từ 1 đến 30.",
    }
    yield _new("-error", wrong, {"asker": ASKED, "purpose": "Xét tuyển vào lớp 6", "days": "365"})
    made = {"name": name_of(3), "asker": ASKED, "until": MOMENT, "address": "hocba.example/ui/publishing/shared#" + "7Q2M" * 6 + "XY"}
    made |= {"title": "Đường dẫn chia sẻ đã tạo", "code": "-".join(["7Q2M"] * 6 + ["XY"]), "qr": PICTURE, "href": "/ui/publishing/shares/1"}
    yield Sample("publishing/share_made", "publishing/share_made.html", {**SCHOOL, **made})
    for number, name in enumerate(("open", "ended", "revoked")):
        yield _one(name, number)
    yield Sample("publishing/shared", "publishing/shared.html", OUT)
    yield _open("valid", "Hợp lệ và đang có hiệu lực", "success", "passed", rows=1)
    yield _open("many", "Không hợp lệ", "danger", "failed", rows=3)
    yield _open("busy", "Chưa kiểm tra được đầy đủ", "waiting", "unchecked", rows=1, note="Hệ thống đang kiểm tra nhiều tệp cùng lúc.")
    yield _open("gone", "", "danger", "unchecked", rows=2, files=[])


def _list(rows: int) -> dict[str, Any]:
    return {
        **SCHOOL,
        "query": {"find": "an"} if rows else {},
        "paging": paging(rows),
        "tabs": [
            {"text": t, "href": "?", "current": n == 0, "count": rows} for n, t in enumerate(("Tất cả", *(words for words, _ in STATES)))
        ],
        "new_href": "/ui/publishing/shares/new",
        "rows": [
            {
                "name": name_of(n),
                "pupil": f"31300072{n:05}",
                "count": 1 + n % 5,
                "asker": ASKED if n % 3 == 0 else f"{name_of(n + 1)} (Mẹ)",
                "purpose": "Xét tuyển vào lớp 6 trường chất lượng cao",
                "made_at": MOMENT,
                "until": MOMENT,
                "opened": n % 4,
                "state_text": STATES[n % 3][0],
                "tone": STATES[n % 3][1],
                "href": "/ui/publishing/shares/1",
            }
            for n in range(rows)
        ],
    }


def _choice(rows: int) -> dict[str, Any]:
    found = [
        {
            "name": name_of(n),
            "pupil": f"31300072{n:05}",
            "class_name": "5A",
            "year": "2025-2026",
            "href": "?pupil=1",
        }
        for n in range(rows)
    ]
    return {**SCHOOL, "query": {"find": "an"}, "rows": found[:50], "total": rows}


def _new(name: str, errors: dict[str, str], values: dict[str, str]) -> Sample:
    rows = [
        {"id": IDS[0], "text": "Năm học 2025-2026, lớp 5A, phiên bản 2", "status": "Đang có hiệu lực", "fit": True},
        {"id": IDS[1], "text": "Năm học 2025-2026, lớp 5A, phiên bản 1", "status": "Đã được thay thế", "fit": False},
        {"id": IDS[2], "text": "Năm học 2024-2025, lớp 4A, phiên bản 1", "status": "Đang có hiệu lực", "fit": True},
    ]
    context = {
        **SCHOOL,
        "title": f"Chia sẻ học bạ: {name_of(3)}",
        "action": "/ui/publishing/shares",
        "pupil": "3130007200042",
        "rows": rows,
        "chosen": [] if errors else [IDS[0]],
        "relations": [("", "Chọn quan hệ"), ("Mẹ", "Mẹ"), ("Cơ quan, tổ chức", "Cơ quan, tổ chức")],
        "most_days": 30,
        "values": {**VALUES, **values},
        "errors": errors,
    }
    return Sample(f"publishing/share_new{name}", "publishing/share_new.html", context)


def _one(name: str, number: int) -> Sample:
    words, tone = STATES[number]
    facts = [("Học sinh", f"{name_of(3)} (3130007200042)"), ("Người đề nghị", ASKED), ("Mục đích sử dụng", "Xét tuyển vào lớp 6")]
    context = {
        **SCHOOL,
        "title": f"Đường dẫn chia sẻ: {name_of(3)}",
        "state_text": words,
        "tone": tone,
        "facts": facts,
        "transcripts": [{"name": f"Năm học 202{n}-202{n + 1}, lớp {n}A", "id": IDS[n], "version": 1, "status": words} for n in range(3)],
        "openings": [{"at": MOMENT, "text": "Mở trang", "document": "2025-2026, lớp 5A"}] * (number * 30),
        "revoke_href": "" if number else "/ui/publishing/shares/1/revoke",
    }
    return Sample(f"publishing/share-{name}", "publishing/share.html", context)


def _open(name: str, outcome: str, tone: str, state: CheckState, *, rows: int, note: str = "", files: list[Any] | None = None) -> Sample:
    check = Check(state=state, text="Chứng thư số do tổ chức được tin cậy cấp; chưa kiểm tra được nó có bị thu hồi hay không.")
    checks = [(n, check) for n in ("Tính toàn vẹn", "Độ tin cậy của chứng thư số", "Thời điểm ký", "Tình trạng tại nguồn")]
    about = {"outcome": outcome, "tone": tone, "checks": [] if note else checks, "note": note, "sha256": "0f" * 32}
    signers = [] if note else [signer(n, check) for n in range(4)]
    judged = [{"form": form, "name": form.upper(), "size": 90_412, "signers": signers, **about} for form in ("pdf", "xml")]
    context = {
        **OUT,
        "file_action": "/ui/publishing/shared/file",
        "code": "7Q2M" * 6 + "XY",
        "school": "Trường Tiểu học An Hồng",
        "name": name_of(3),
        "purpose": "Xét tuyển vào lớp 6 trường chất lượng cao",
        "until": MOMENT,
        "rows": [
            {
                "id": IDS[n],
                "text": f"Năm học 202{5 - n}-202{6 - n}, lớp {5 - n}A, phiên bản 1",
                "current": n == 0,
                "status": "Đang có hiệu lực",
                "tone": "success",
                "sentence": "Đây là phiên bản đang có hiệu lực tại nguồn.",
            }
            for n in range(rows)
        ],
        "document": IDS[0],
        "files": judged if files is None else files,
    }
    return Sample(f"publishing/shared_open-{name}", "publishing/shared_open.html", context)
