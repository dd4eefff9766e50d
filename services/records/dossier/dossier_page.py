"""The dossier in words: parts of a page, each a list of facts or a table of texts. Plain data in, words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.web.look import file_size, vn_date, vn_number, vn_time
from services.records.dossier.dossier import DONE, LATER, NOW, STOPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = {
    "subject_teacher": "Giáo viên bộ môn",
    "homeroom": "Giáo viên chủ nhiệm",
    "leader": "Lãnh đạo",
    "issue": "Nhà trường ký phát hành",
}
STEP_STATES = {
    DONE: ("Đã xong", "success"),
    NOW: ("Đang chờ", "waiting"),
    LATER: ("Chưa đến", "neutral"),
    STOPPED: ("Dừng lại", "warning"),
}
KINDS = {"pdf": "Bản PDF", "xml": "Bản XML"}
DETAILS = {"transcripts": "số học bạ", "classes": "số lớp", "before": "trước", "after": "sau", "reason": "lý do", "class": "lớp"}
Part = dict[str, Any]


def parts_of(told: Mapping[str, Any], *, state_words: Mapping[str, str]) -> list[Part]:
    """In the order of the page; a part has `facts` [(key, value)], or `columns` and `rows` of texts."""
    parts = [
        _facts(
            "Học sinh",
            [*told["facts"], ("Mã học sinh", told["pupil"]["code"]), ("Lớp", told["class"]["name"]), ("Khối", str(told["class"]["grade"]))],
        ),
        *({"title": t["caption"], "columns": t["columns"], "rows": t["rows"]} for t in told["tables"]),
        _signers(told),
        _certificates(told),
        _documents(told),
        _versions(told),
    ]
    if told["objections"]:
        rows = [[o["text"], vn_time(o["at"]), o["name"], o["reason"]] for o in told["objections"]]
        parts.append(_table("Trả lại, từ chối, hủy", ["Việc", "Thời điểm", "Người thực hiện", "Lý do"], rows))
    if told["submission"]:
        answered = vn_time(told["submission"]["decided_at"]) if told["submission"]["decided_at"] else "chưa trả lời"
        parts.append(_facts("Gửi lên Cổng tiếp nhận", [("Mã lần gửi", told["submission"]["id"]), ("Cổng tiếp nhận trả lời", answered)]))
    if told["previous"]:
        previous = [
            ("Năm học", told["previous"]["year"]),
            ("Mã định danh", str(told["previous"].get("transcript") or told["previous"].get("id") or "")),
        ]
        parts.append(_facts("Học bạ năm học trước", previous))
    parts.append(_history(told, state_words))
    return parts


def steps_of(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For the task list on top of the page."""
    rows = []
    for step in told["steps"]:
        status, tone = STEP_STATES[step["state"]]
        hint = vn_time(step["at"]) if step["at"] else step["detail"]
        rows.append({"text": step["text"], "hint": hint, "status": status, "tone": tone})
    return rows


def _facts(title: str, facts: list[tuple[str, str]]) -> Part:
    return {"title": title, "facts": facts}


def _table(title: str, columns: list[str], rows: list[list[str]]) -> Part:
    return {"title": title, "columns": columns, "rows": rows}


def _role(signer: Mapping[str, Any]) -> str:
    role = ROLES.get(signer["role"], signer["role"])
    return f"{role} ({', '.join(signer['subjects'])})" if signer["subjects"] else role


def _signers(told: Mapping[str, Any]) -> Part:
    rows = [
        [_role(s), s["name"] or "–", s["person"] or "–", vn_time(s["signed_at"]) if s["signed_at"] else "Chờ ký"] for s in told["signers"]
    ]
    return _table("Người ký", ["Vai trò", "Người ký", "Mã cán bộ", "Thời điểm ký"], rows)


def _certificates(told: Mapping[str, Any]) -> Part:
    """Each certificate once, whatever number of signatures it stands behind."""
    held = {s["certificate"]["serial"]: s["certificate"] for s in told["signers"] if s["certificate"]}
    rows = []
    for c in held.values():
        span = f"{vn_date(c['valid_from'])} đến {vn_date(c['valid_to'])}" if "valid_from" in c else "–"
        rows.append([c["subject"], c.get("issuer", "–"), c["serial"], span])
    return _table("Chứng thư số của người ký", ["Chủ thể", "Tổ chức cấp", "Số chứng thư", "Hiệu lực"], rows)


def _documents(told: Mapping[str, Any]) -> Part:
    rows = [[KINDS[d["kind"]], file_size(d["size"]), d["sha256"]] for d in told["documents"]]
    return _table("Tệp học bạ", ["Tệp", "Dung lượng", "Mã SHA-256"], rows)


def _versions(told: Mapping[str, Any]) -> Part:
    numbers = {v["id"]: vn_number(v["version"]) for v in told["versions"]}
    rows = []
    for v in told["versions"]:
        replaces = f"phiên bản {numbers[v['replaces']]}" if v["replaces"] in numbers else v["replaces"] or "–"
        replaced = f"phiên bản {numbers[v['replaced_by']]}" if v["replaced_by"] else "–"
        rows.append([vn_number(v["version"]), v["id"], v["state_text"], vn_time(v["created_at"]), replaces, replaced])
    columns = ["Phiên bản", "Mã định danh", "Trạng thái", "Ngày tạo", "Thay cho", "Được thay bằng"]
    return _table("Các phiên bản", columns, rows)


def _history(told: Mapping[str, Any], state_words: Mapping[str, str]) -> Part:
    rows = []
    for act in told["history"]:
        details = "; ".join(
            f"{DETAILS[key]}: {state_words.get(str(value), str(value))}" for key, value in act["details"].items() if key in DETAILS
        )
        rows.append([vn_time(act["at"]), act["text"], act["name"], details])
    return _table("Nhật ký của học bạ", ["Thời điểm", "Việc", "Người thực hiện", "Chi tiết"], rows)
