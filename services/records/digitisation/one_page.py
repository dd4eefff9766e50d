"""What the page of one paper transcript says: its parts with their data, each beside the scan. Plain data in, words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.access import Action, allowed
from contracts.menu import DIGITISATION, HOMEROOM, LEADER, SUBJECTS
from services.chassis.web.look import vn_date
from services.records.digitisation.form import values_of
from services.records.digitisation.rules import PROGRESS_WORDS, SEEN_WORDS, Seen
from services.records.schoolyear import Pupil
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.records.digitisation.cases import Case, Digitised
    from services.records.digitisation.rules import Part

SEEN_TONES = {Seen.WAITING: "waiting", Seen.CHECKED: "success", Seen.STALE: "warning", Seen.SENT_BACK: "danger"}
ACTS = {
    "open": "Mở số hóa",
    "type": "Nhập dữ liệu",
    "scan": "Tải lên bản quét",
    "check": "Đã đối chiếu",
    "send back": "Trả lại",
}
UNCHECKED = "Chưa có bộ quy định đánh giá cho khối và năm học này: dữ liệu ghi như trên học bạ giấy, không đối chiếu theo quy định."


def context_of(case: Case, shared: Digitised, who: Principal) -> dict[str, Any]:
    school, item = case.item["school"], case.item
    here = f"{DIGITISATION}/{item['year']}/{item['pupil_code']}"
    may_digitise = allowed(who, Action.DIGITISE, school=school) and case.transcript is None
    profile = Pupil.model_validate(case.pupil["data"]) if case.pupil["data"] else None
    return {
        "title": f"Số hóa học bạ giấy: {case.pupil['name']}",
        "facts": [
            ("Học sinh", f"{case.pupil['name']} ({case.pupil['code']})"),
            ("Ngày sinh", vn_date(profile.born) if profile else ""),
            ("Năm học, lớp", f"{item['year']}, lớp {case.school_class.name}"),
            ("Trường ghi trên học bạ giấy", item["paper_school"] or "Học bạ giấy của trường"),
            ("Nhân viên học vụ rà soát", shared.name(case.who.reviewer)),
            ("Lãnh đạo ký và chịu trách nhiệm", shared.name(case.who.leader)),
            ("Đối chiếu theo", case.circular or UNCHECKED),
        ],
        "state_text": PROGRESS_WORDS[case.progress],
        "unchecked": "" if case.circular else UNCHECKED,
        "transcript": WORDS[State(case.transcript["state"])] if case.transcript else "",
        "transcript_href": f"/ui/records/transcripts/{case.transcript['_id']}" if case.transcript else "",
        "scan_href": f"/api/records/digitisation/{item['year']}/{item['pupil_code']}/scan.pdf" if item["scan"] else "",
        "scan_pages": item["scan"]["pages"] if item["scan"] else 0,
        "scan_sha256": case.scan,
        "scan_action": f"{here}/scan" if may_digitise else "",
        "data_href": f"{here}/data" if may_digitise and case.pupil["data"] else "",
        "check_action": f"{here}/check",
        "sign_links": _sign_links(case, who),
        "parts": [_part(case, part, shared, who) for part in case.parts],
        "history": [
            {"at": h["at"], "name": shared.name(h["by"]), "act": ACTS[h["act"]], "part": h.get("part", ""), "reason": h.get("reason", "")}
            for h in reversed(item["history"])
        ],
    }


def _sign_links(case: Case, who: Principal) -> list[tuple[str, str]]:
    """Where the person signs what falls to them: the head, too, who signs for those who left."""
    if case.transcript is None:
        return []
    found = []
    if any(p.kind == "subjects" and p.signer == who.person for p in case.parts):
        found.append(("Ký phần môn học", SUBJECTS))
    if any(p.kind == "homeroom" and p.signer == who.person for p in case.parts):
        found.append(("Ký phần giáo viên chủ nhiệm", HOMEROOM))
    return [*found, ("Ký lãnh đạo", LEADER)] if case.who.leader == who.person else found


def _part(case: Case, part: Part, shared: Digitised, who: Principal) -> dict[str, Any]:
    seen, check = case.seen(part), case.check(part)
    open_ = case.transcript is None and bool(case.scan) and case.result is not None
    mine = part.reviewer == who.person and allowed(who, Action.REVIEW_DIGITISATION, school=case.item["school"], own=True)
    return {
        "key": part.key,
        "kind": part.kind,
        "title": part.title,
        "rows": _values(case, part),
        "written_by": ", ".join(part.written_by),
        "reviewer": shared.name(part.reviewer),
        "signer": shared.name(part.signer),
        "seen": SEEN_WORDS[seen],
        "tone": SEEN_TONES[seen],
        "by": shared.name(check["by"]) if check else "",
        "at": check["at"] if check else None,
        "reason": check["reason"] if check else "",
        "digest": case.digest(part),
        "may_check": open_ and mine and seen is not Seen.CHECKED,
        "may_send_back": open_ and mine and seen is not Seen.SENT_BACK,
    }


def _values(case: Case, part: Part) -> list[tuple[str, str]]:
    if part.kind == "profile":
        return _profile(case)
    subjects = {s.name for s in case.result.subjects} if case.result else set()
    found = values_of(case.result).items()
    named = [(name, value, name.partition(":")[0]) for name, value in found]
    if part.kind == "subjects":
        return [(name, value) for name, value, subject in named if subject in part.subjects]
    return [(name, {"x": "Có"}.get(value, value)) for name, value, subject in named if subject not in subjects]


def _profile(case: Case) -> list[tuple[str, str]]:
    if not case.pupil["data"]:
        return []
    pupil = Pupil.model_validate(case.pupil["data"])
    return [
        ("Họ và tên", pupil.name),
        ("Ngày sinh", vn_date(pupil.born)),
        ("Giới tính", pupil.sex),
        ("Dân tộc", pupil.ethnicity),
        ("Nơi sinh", pupil.birth_place),
        ("Quê quán", pupil.home_town),
        ("Nơi ở hiện nay", pupil.address),
        ("Số định danh cá nhân", pupil.personal_id),
        ("Họ và tên cha", pupil.father),
        ("Họ và tên mẹ", pupil.mother),
        ("Người giám hộ", pupil.guardian),
        ("Lớp", case.school_class.name),
    ]
