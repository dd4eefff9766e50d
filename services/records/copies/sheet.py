"""What the template prints of a copy: every word ready, so that Typst only lays out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from services.chassis import clock
from services.records.copies.rules import KINDS, MEDIA, Ask, is_deputy, number_text
from services.records.render.compose import qr
from services.records.render.text import clean, date_text, date_words, moment_text
from services.records.transcripts.transcript_page import ROLES, facts_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.events.signing import SignatureFact
    from services.records.schoolyear import TranscriptContent

ABOUT_PUPIL: Final = (
    "Họ và tên",
    "Ngày sinh",
    "Giới tính",
    "Dân tộc",
    "Quốc tịch",
    "Nơi sinh",
    "Quê quán",
    "Nơi ở hiện nay",
    "Số định danh cá nhân",
)
PAPER_NOTE: Final = (
    "Bản in này không mang được chữ ký số của học bạ gốc. Bản sao có giá trị khi được nhà trường ký, đóng dấu xác nhận; "
    "chữ ký số được kiểm tra trên học bạ số gốc theo mã QR."
)
FILE_NOTE: Final = (
    "Các trang của tệp này không mang được chữ ký số của học bạ gốc. Tệp học bạ gốc đã ký số được đính kèm trong tệp này "
    "(hoc-ba-goc.pdf); chữ ký số được kiểm tra trên tệp đính kèm hoặc theo mã QR."
)


def sheet(copy: Mapping[str, Any], content: TranscriptContent, signatures: Sequence[SignatureFact]) -> dict[str, Any]:
    """JSON-able. `copy` as issued; `signatures` are those of the original."""
    ask = Ask.model_validate(copy["ask"])
    issued_at: dt.datetime = copy["issued_at"]
    number = number_text(copy["number"], copy["register_year"])
    what = KINDS[ask.kind]
    position = clean(copy["signer"]["position"])
    school = content.school
    data = {
        "title": f"{what} học bạ số",
        "document_title": f"{what} số {number} - {content.pupil.name} - Năm học {school.year}",
        "number": number,
        "unit": school.unit_name,
        "school": school.name,
        "place_date": f"{school.print_place}, {date_words(clock.in_vietnam(issued_at).date())}",
        "facts": _facts(copy, content, signatures, ask),
        "signatures": [[_role(s), s.name, moment_text(s.signed_at), s.certificate_serial] for s in signatures if s.role in ROLES],
        "teachers": sum(s.role not in ROLES for s in signatures),
        "statement": _statement(content, ask),
        "note": FILE_NOTE if ask.medium == "FILE" else PAPER_NOTE,
        "signer_titles": ["KT. HIỆU TRƯỞNG", position.upper()] if is_deputy(position) else ["HIỆU TRƯỞNG"],
        "signer": copy["signer"]["name"],
        "signed_how": "(Ký số)" if ask.medium == "FILE" else "(Ký, ghi rõ họ tên, đóng dấu)",
        "stamp": f"{what.upper()} số {number}",
        "parts": _parts(content, ask) if ask.kind == "EXTRACT" else [],
    }
    return {**_cleaned(data), "qr": qr(content.verify_url), "verify_url": content.verify_url}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _facts(copy: Mapping[str, Any], content: TranscriptContent, signatures: Sequence[SignatureFact], ask: Ask) -> list[list[str]]:
    sealed = [s.signed_at for s in signatures if s.role == "issue"]
    version = f"{content.id}, phiên bản {content.version}"
    return [
        ["Họ và tên học sinh", content.pupil.name],
        ["Ngày, tháng, năm sinh", date_text(content.pupil.born)],
        ["Lớp, năm học", f"{content.school_class.name}, năm học {content.school.year}"],
        ["Mã định danh học bạ gốc", version],
        ["Nhà trường ký phát hành", moment_text(sealed[-1]) if sealed else ""],
        ["Dấu vân tay SHA-256 của tệp gốc", copy["source"]["pdf"]["sha256"]],
        ["Người yêu cầu", f"{ask.requester} ({ask.relation})"],
        ["Mục đích", ask.purpose],
        ["Hình thức, số lượng", f"{MEDIA[ask.medium]}, {ask.count:02d} bản"],
    ]


def _role(signature: SignatureFact) -> str:
    return ROLES[signature.role]


def _statement(content: TranscriptContent, ask: Ask) -> str:
    if ask.kind == "EXTRACT":
        return f"{content.school.name} xác nhận nội dung trích sao dưới đây đúng với học bạ số gốc đang lưu tại trường."
    return f"{content.school.name} xác nhận các trang tiếp theo được sao nguyên vẹn từ học bạ số gốc đang lưu tại trường."


def _parts(content: TranscriptContent, ask: Ask) -> list[dict[str, Any]]:
    """The chosen parts in their order: a caption with either pairs or a table."""
    facts = facts_of(content)
    subjects, *levels = tables_of(content)
    parts: list[dict[str, Any]] = []
    if "profile" in ask.parts:
        rows = [[key, value] for key, value in facts if key in ABOUT_PUPIL]
        parts.append({"caption": "Thông tin học sinh", "columns": [], "rows": rows})
    if "subjects" in ask.parts:
        parts.append(subjects)
    if "levels" in ask.parts:
        parts += levels
    if "outcome" in ask.parts:
        rows = [[key, value] for key, value in facts if key not in ABOUT_PUPIL and key != "Trường"]
        parts.append({"caption": "Kết quả cuối năm", "columns": [], "rows": rows})
    return parts
