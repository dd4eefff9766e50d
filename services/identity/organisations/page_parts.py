"""What the pages of units and schools share: words, addresses, the past and the plans as rows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from services.chassis.web.look import vn_date
from services.identity.errors import UNKNOWN_SCHOOL, UNKNOWN_UNIT
from services.identity.organisations import spans, store
from services.identity.organisations.changes import RENAMES, Kind, order_of
from services.identity.organisations.errors import CYCLE, ENDED, NOTHING_CHANGES, TOO_EARLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.datastructures import FormData

    from services.chassis.errors import Refused
    from services.chassis.mongo import Database, Document

PAGE = "/ui/identity/organisations"
UNITS, SCHOOLS = f"{PAGE}/units", f"{PAGE}/schools"
CHANGE, CHANGES = f"{PAGE}/change", f"{PAGE}/changes"
CRUMB = "1. Hệ thống / Đơn vị và trường học"
LEVELS = (("TH", "Tiểu học"), ("THCS", "THCS"), ("THPT", "THPT"))

ACTS: Mapping[Kind, str] = {
    Kind.RENAME_UNIT: "Đổi tên đơn vị",
    Kind.MOVE_UNIT: "Chuyển đơn vị cấp trên",
    Kind.MERGE_UNIT: "Sáp nhập đơn vị",
    Kind.ABOLISH_UNIT: "Giải thể đơn vị",
    Kind.RENAME_SCHOOL: "Đổi tên trường",
    Kind.MOVE_SCHOOL: "Chuyển đơn vị quản lý",
    Kind.CLOSE_SCHOOL: "Giải thể, sáp nhập trường",
}
TARGETS: Mapping[Kind, str] = {
    Kind.MOVE_UNIT: "Đơn vị cấp trên mới",
    Kind.MERGE_UNIT: "Đơn vị kế thừa",
    Kind.MOVE_SCHOOL: "Đơn vị quản lý mới",
    Kind.CLOSE_SCHOOL: "Trường kế thừa",
}
STATES: Mapping[str, tuple[str, str]] = {
    store.PLANNED: ("Chờ đến ngày", "waiting"),
    store.DONE: ("Đã có hiệu lực", "success"),
    store.UNDONE: ("Đã huỷ", "neutral"),
    store.FAILED: ("Không thực hiện được", "danger"),
}
DID = {
    "changed": ("Thay đổi đã có hiệu lực.", "Không có thay đổi nào."),
    "planned": ("Thay đổi đã được lên kế hoạch và tự có hiệu lực khi đến ngày.", "Không có thay đổi nào."),
    "undone": ("Đã huỷ thay đổi.", "Không có thay đổi nào."),
    "saved": ("Đã lưu thông tin.", "Thông tin không thay đổi."),
    "taken": ("Đã thu hồi quyền quản trị viên.", "Không có thay đổi nào."),
    "opened": ("Đã mở năm học.", "Không có thay đổi nào."),
}


def levels_text(levels: Sequence[str]) -> str:
    return ", ".join(text for level, text in LEVELS if level in levels)


def address_of(document: Document) -> str:
    return f"{SCHOOLS if 'unit' in document else UNITS}/{document['_id']}"


def field(form: FormData, name: str, longest: int = 200) -> str:
    """A text of a form; a file or nothing counts as empty."""
    value = form.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""


def day_of(text: str) -> dt.date | None:
    """What a date field sends; None for anything else."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def error_field(kind: Kind, refused: Refused) -> str:
    """The field of a change's form that a refusal is about; one that the form has."""
    fields = {
        **dict.fromkeys((CYCLE, UNKNOWN_UNIT, UNKNOWN_SCHOOL, ENDED), "target"),
        NOTHING_CHANGES: "name" if kind in RENAMES else "target",
        TOO_EARLY: "day",
    }
    found = fields.get(refused.refusal, "_form")
    return "_form" if found == "target" and kind not in TARGETS else found


async def chain(db: Database, path: Sequence[str]) -> str:
    """The names of the units from the root down."""
    names = await store.names(db, path)
    return " › ".join(names.get(code, code) for code in path)


async def past(db: Database, document: Document) -> list[dict[str, Any]]:
    """Oldest first."""
    found = spans.spans_of(document)
    names = await store.names(db, {code for s in found for code in s["path"]})
    return [
        {
            "name": s["name"],
            "above": " › ".join(names.get(code, code) for code in s["path"] if code != document["_id"]),
            "since": None if s["from"] == spans.DAWN.isoformat() else dt.date.fromisoformat(s["from"]),
            "until": dt.date.fromisoformat(s["to"]) - dt.timedelta(days=1) if s["to"] else None,
        }
        for s in found
    ]


async def change_rows(db: Database, changes: Iterable[Document]) -> list[dict[str, Any]]:
    documents = list(changes)
    names = await store.names(db, {code for d in documents for code in (d["code"], d["target"]) if code})
    return [_change_row(d, names) for d in documents]


def _change_row(document: Document, names: Mapping[str, str]) -> dict[str, Any]:
    order = order_of(document)
    status, tone = STATES[document["state"]]
    return {
        "id": document["_id"],
        "act": ACTS[order.kind],
        "name": names.get(order.code, order.code),
        "href": f"{SCHOOLS if order.kind.of_school else UNITS}/{order.code}",
        "day": order.day,
        "to": order.name or names.get(order.target, order.target),
        "basis": order.basis,
        "status": status,
        "tone": tone,
        "reason": document["refused"]["cause"] if document["refused"] else "",
        "by": document["ordered_by"],
        "at": document["ordered_at"],
        "undo": f"{CHANGES}/{document['_id']}/undo" if _may_be_undone(document["state"], order.day) else "",
    }


def _may_be_undone(state: str, day: dt.date) -> bool:
    return state == store.FAILED or (state == store.PLANNED and day > spans.today())


def state_text(document: Document) -> str:
    day = spans.ended_on(document)
    return "Đang hoạt động" if day is None else f"Không còn từ ngày {vn_date(day)}"


async def school_facts(db: Database, school: Document) -> list[tuple[str, str]]:
    return [
        ("Mã trường", school["_id"]),
        ("Tên trường", school["name"]),
        ("Cấp học", levels_text(school["levels"])),
        ("Mã số thuế", school["tax_code"]),
        ("Đơn vị quản lý", await chain(db, school["path"])),
        ("Tình trạng", state_text(school)),
        ("Năm học đang mở", school["year"] or ""),
    ]
