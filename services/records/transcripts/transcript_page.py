"""What the page "Xem học bạ" says of one transcript. Plain data in, words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from services.chassis.web.look import vn_date, vn_number
from services.records.cancellation.cancelling import why
from services.records.documents import COLLECTIONS, kind_of
from services.records.render.text import GENERAL_COMPETENCES, QUALITIES, SPECIFIC_COMPETENCES, traits_of
from services.records.schoolyear import PrimaryResult, TranscriptContent
from services.records.transcripts.content import required_signers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from contracts.events.records import Signer
    from services.records.schoolyear import SecondaryResult

CHECKED = "Đã kiểm tra khi ký"
ROLES = {"homeroom": "Giáo viên chủ nhiệm", "leader": "Lãnh đạo", "issue": "Nhà trường ký phát hành"}
Table = dict[str, Any]
Facts = list[tuple[str, str]]


def context_of(transcript: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that records/transcript.html needs of the transcript itself."""
    content = TranscriptContent.model_validate(transcript["content"])
    return {
        "title": f"Học bạ: {content.pupil.name}",
        "noun": "học bạ",
        "crumb": f"Lớp {content.school_class.name} · Năm học {content.school.year}",
        "back_text": f"Lớp {content.school_class.name}",
        "state": transcript["state"],
        "state_reason": why(transcript),
        "version": transcript["version"],
        "id": transcript["_id"],
        "facts": facts_of(content),
        "tables": tables_of(content),
        "signatures": signatures_of(content, [SignatureFact.model_validate(s) for s in transcript["signatures"]]),
        "level": transcript.get("level") or "",
        "timestamped_at": transcript.get("timestamped_at"),
        "preview_href": "" if transcript["pdf"] else f"/api/records/transcripts/{transcript['_id']}/preview.pdf",
        "dossier_href": f"/ui/records/transcripts/{transcript['_id']}/dossier",
        **files_of(transcript),
    }


def files_of(transcript: Mapping[str, Any]) -> dict[str, Any]:
    """Where PDF and XML of a transcript or a class summary are, and how large."""
    files: dict[str, Any] = {}
    folder = COLLECTIONS[kind_of(transcript)]
    for kind in ("pdf", "xml"):
        reference = transcript[kind]
        files[f"{kind}_href"] = f"/api/records/{folder}/{transcript['_id']}/document.{kind}" if reference else ""
        files[f"{kind}_size"] = reference["size"] if reference else 0
    return files


def signatures_of(content: TranscriptContent, made: Sequence[SignatureFact]) -> list[dict[str, Any]]:
    return signature_rows(made, awaited(content, made))


def signature_rows(made: Sequence[SignatureFact], awaited: Sequence[Signer]) -> list[dict[str, Any]]:
    """The signatures that stand in the documents, then those that are still to come.

    Signing verifies every value before it embeds it, so what stands there was valid when it was made.
    """
    rows = [
        {
            "role": _role(s.role, s.subjects),
            "name": s.name,
            "signed_at": s.signed_at,
            "certificate_serial": s.certificate_serial,
            "certificate_subject": s.certificate_subject,
            "verdict": "VALID",
            "detail": CHECKED,
        }
        for s in made
    ]
    return rows + [_pending(_role(s.role, s.subjects), s.name) for s in awaited] + _pending_issue(made)


def awaited(content: TranscriptContent, made: Sequence[SignatureFact]) -> list[Signer]:
    """Who has not signed yet. In primary the homeroom teacher's one signature covers the own subjects (guides 003, 000)."""
    signed = {("subject_teacher" if s.role == "subjects" else s.role, s.person) for s in made}
    covered = content.school_class.homeroom if content.school.level == "TH" else None
    return [
        s
        for s in required_signers(content)
        if (s.role, s.person) not in signed and not (s.role == "subject_teacher" and s.person == covered)
    ]


def _role(role: str, subjects: Sequence[str]) -> str:
    words = ROLES.get(role, "Giáo viên bộ môn")
    return f"{words} ({', '.join(subjects)})" if subjects else words


def _pending(role: str, name: str) -> dict[str, Any]:
    empty = {"signed_at": None, "certificate_serial": "", "certificate_subject": "", "detail": ""}
    return {"role": role, "name": name, "verdict": "PENDING", **empty}


def _pending_issue(made: Sequence[SignatureFact]) -> list[dict[str, Any]]:
    return [] if any(s.role == "issue" for s in made) else [_pending(ROLES["issue"], "")]


def facts_of(content: TranscriptContent) -> Facts:
    pupil, result = content.pupil, content.result
    facts: Facts = [
        ("Họ và tên", pupil.name),
        ("Ngày sinh", vn_date(pupil.born)),
        ("Giới tính", pupil.sex),
        ("Dân tộc", pupil.ethnicity),
        ("Quốc tịch", pupil.nationality),
        ("Nơi sinh", pupil.birth_place),
        ("Quê quán", pupil.home_town),
        ("Nơi ở hiện nay", pupil.address),
        ("Số định danh cá nhân", pupil.personal_id),
        ("Trường", content.school.name),
        ("Giáo viên chủ nhiệm", content.homeroom_name),
        ("Lãnh đạo ký", f"{content.leader_name} ({content.leader_position})"),
        ("Số ngày nghỉ", f"{result.absent_excused + result.absent_unexcused} (không phép {result.absent_unexcused})"),
    ]
    own = _primary_facts(result) if isinstance(result, PrimaryResult) else _secondary_facts(result)
    paper = [("Nguồn", f"Số hóa từ học bạ giấy, bản quét {content.digitised.scan_pages} trang")] if content.digitised else []
    return [*paper, *facts, *own, ("Được lên lớp", "Có" if result.promoted else "Không"), ("Khen thưởng", result.award)]


def _primary_facts(result: PrimaryResult) -> Facts:
    return [
        ("Mức đánh giá kết quả giáo dục", result.rating),
        ("Nhận xét về phẩm chất", result.quality_comment),
        ("Nhận xét về năng lực", result.competence_comment),
        ("Nhận xét của giáo viên chủ nhiệm", result.homeroom_comment),
        ("Chiều cao", _measure(result.height_cm, "cm")),
        ("Cân nặng", _measure(result.weight_kg, "kg")),
        ("Sức khỏe", result.health),
        ("Hoàn thành chương trình lớp học", "Có" if result.completed else "Chưa"),
    ]


def _measure(value: Decimal | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{vn_number(int(value) if value == int(value) else value)} {unit}"


def _secondary_facts(result: SecondaryResult) -> Facts:
    return [
        ("Nhận xét của giáo viên chủ nhiệm", result.homeroom_comment),
        ("Chứng chỉ", result.certificate),
        ("Kết quả tham gia các cuộc thi", result.contests),
    ]


def tables_of(content: TranscriptContent) -> list[Table]:
    result = content.result
    if isinstance(result, PrimaryResult):
        return _primary_tables(result)
    return _secondary_tables(result)


def _primary_tables(result: PrimaryResult) -> list[Table]:
    subjects = [[s.name, s.level, "" if s.mark is None else str(s.mark), s.comment] for s in result.subjects]
    tables = [
        {
            "caption": "Các môn học và hoạt động giáo dục",
            "columns": ["Môn học và hoạt động giáo dục", "Mức đạt được", "Điểm KTĐK", "Nhận xét"],
            "rows": subjects,
        }
    ]
    for group in (QUALITIES, GENERAL_COMPETENCES, SPECIFIC_COMPETENCES):
        traits = [[t.name, t.level] for t in traits_of(result.traits, group)]
        if traits:
            tables.append({"caption": group, "columns": ["Nội dung", "Mức đạt được"], "rows": traits})
    return tables


def _secondary_tables(result: SecondaryResult) -> list[Table]:
    reassessed = any(s.reassessed for s in result.subjects)
    columns = ["Môn học", "Học kỳ I", "Học kỳ II", "Cả năm", *(["Đánh giá lại"] if reassessed else []), "Nhận xét"]
    subjects = []
    for s in result.subjects:
        marks = [s.semester1, s.semester2, s.year, *([s.reassessed] if reassessed else [])]
        subjects.append([s.name, *(m.replace(".", ",") for m in marks), s.comment])
    overall = [["Kết quả học tập", *result.study], ["Kết quả rèn luyện", *result.conduct]]
    return [
        {"caption": "Kết quả các môn học", "columns": columns, "rows": subjects},
        {"caption": "Kết quả học tập và rèn luyện", "columns": ["Nội dung", "Học kỳ I", "Học kỳ II", "Cả năm"], "rows": overall},
    ]
