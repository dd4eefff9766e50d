"""What the page of one class summary says. Plain data in, words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from contracts.nouns import worded
from services.chassis.web.look import vn_date
from services.records.cancellation.cancelling import why
from services.records.documents import name_of
from services.records.render.summary import PERIODS, SUBJECT_LEVELS, awarded, columns, completed, rating_counts, subject_counts
from services.records.schoolyear import SummaryContent
from services.records.summaries.rules import required_signers
from services.records.transcripts.transcript_page import files_of, signature_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.schoolyear import SummaryRow

LEVELS = ("Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành")
"""In the words of TT 27/2020, Điều 9, for `SUBJECT_LEVELS`."""


def context_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that records/transcript.html needs of the summary itself."""
    content = SummaryContent.model_validate(summary["content"])
    made = [SignatureFact.model_validate(s) for s in summary["signatures"]]
    signed = {(s.role, s.person) for s in made}
    return {
        "title": f"{name_of(summary)}",
        "noun": "bảng tổng hợp",
        "crumb": f"Kết quả đánh giá giáo dục · Năm học {content.school.year}",
        "back_text": "Danh sách bảng tổng hợp",
        "state": summary["state"],
        "state_reason": worded("class_summary", why(summary)),
        "version": summary["version"],
        "id": summary["_id"],
        "facts": facts_of(content),
        "tables": tables_of(content),
        "signatures": signature_rows(made, [s for s in required_signers(content) if (s.role, s.person) not in signed]),
        "level": summary.get("level") or "",
        "timestamped_at": summary.get("timestamped_at"),
        "preview_href": "",
        "dossier_href": "",
        **files_of(summary),
    }


def facts_of(content: SummaryContent) -> list[tuple[str, str]]:
    rows = content.rows
    return [
        ("Trường", content.school.name),
        ("Lớp", content.school_class.name),
        ("Thời điểm", PERIODS[content.period]),
        ("Số học sinh", str(len(rows))),
        ("Giáo viên chủ nhiệm", content.homeroom_name),
        ("Lãnh đạo ký", f"{content.leader_name} ({content.leader_position})"),
        ("Địa danh, ngày ghi", f"{content.school.print_place}, {vn_date(content.school.print_date)}"),
        *((f"Xếp loại {rating}", str(count)) for rating, count in rating_counts(rows)),
        ("Được khen thưởng", str(awarded(rows))),
        ("Hoàn thành chương trình lớp học", str(completed(rows))),
    ]


def tables_of(content: SummaryContent) -> list[dict[str, Any]]:
    """The whole form, with competences and qualities, stands in the PDF."""
    subjects = [s.name for s in columns(content).subjects]
    counts = []
    for name in subjects:
        found = subject_counts(content.rows, name)
        counts.append([name, *(str(found[level]) for level in SUBJECT_LEVELS)])
    return [
        {
            "caption": "Kết quả từng học sinh",
            "columns": ["Họ và tên", "Ngày sinh", *subjects, "Xếp loại", "Khen thưởng"],
            "rows": [_line(row, subjects) for row in content.rows],
        },
        {"caption": "Số học sinh theo mức đạt được", "columns": ["Môn học và hoạt động giáo dục", *LEVELS], "rows": counts},
    ]


def _line(row: SummaryRow, subjects: list[str]) -> list[str]:
    by_name = {s.name: f"{s.level} ({s.mark})" if s.mark is not None else s.level for s in row.subjects}
    return [row.name, vn_date(row.born), *(by_name.get(name, "") for name in subjects), row.rating, row.award]
