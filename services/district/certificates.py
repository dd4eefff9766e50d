"""Requests of menu 6.1 as the oversight unit sees them: statuses, what a filter means, what is shown. Plain data in, plain data out."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from services.chassis.clock import in_vietnam
from services.chassis.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document

PENDING, APPROVED, REFUSED, ENDED = "pending", "approved", "refused", "ended"
STATES = {PENDING: "Chờ duyệt", APPROVED: "Đã duyệt", REFUSED: "Từ chối", ENDED: "Hết hiệu lực/đã thu hồi"}
ALL = "all"
KINDS = {"school": "Chứng thư số đơn vị", "manager": "Tài khoản ký số của cán bộ quản lý"}
WAITING_DAYS = ("3", "7", "15", "30")
ENDED_WORDS = {
    "replaced": "Đã thay bằng chứng thư số mới.",
    "revoked": "Chứng thư số đã bị thu hồi.",
    "issuer revoked": "Chứng thư số của đơn vị cấp đã bị thu hồi.",
    "expired": "Chứng thư số đã hết hạn.",
    "suspended": "Chứng thư số đang bị đơn vị cấp tạm dừng.",
    "personal id changed": "Số định danh cá nhân trong hồ sơ nhân sự đã thay đổi.",
    "person left": "Không còn làm việc tại trường.",
}
"""By the reason in CertificateEndedV1."""
SORTS = {"requested_at": "requested_at", "school": "search", "valid_to": "valid_to", "kind": "kind"}
DATES = ("valid_from", "valid_to")


def searchable(request: Mapping[str, Any]) -> str:
    """What "name" is looked for in, the school first so that lists sort by it."""
    return fold(f"{request['school_name']} {request['person_name']}")


def wanted(unit: str, query: Mapping[str, str], at: dt.datetime, *, state: str | None = None) -> dict[str, Any]:
    """What the filter of the page or the API finds in the branch; a value that nobody offers is left aside."""
    found: dict[str, Any] = {"path": unit}
    chosen = state or query.get("state", "")
    if chosen in STATES:
        found["state"] = chosen
    if query.get("kind") in KINDS:
        found["kind"] = query["kind"]
    if query.get("school"):
        found["school"] = query["school"]
    if name := fold(query.get("name", "")):
        found["search"] = {"$regex": re.escape(name)}
    if query.get("waiting") in WAITING_DAYS:
        found["state"] = PENDING
        found["requested_at"] = {"$lte": at - dt.timedelta(days=int(query["waiting"]))}
    return found


def ordering(query: Mapping[str, str]) -> list[tuple[str, int]]:
    """What has waited longest comes first; of what is decided the newest."""
    key = SORTS.get(query.get("sort", ""))
    if key is None:
        return [("requested_at", 1 if query.get("state", "") in ("", PENDING) else -1), ("_id", 1)]
    return [(key, -1 if query.get("order") == "desc" else 1), ("requested_at", 1), ("_id", 1)]


def days(since: dt.datetime, until: dt.datetime) -> int:
    """Whole days of the Vietnamese calendar."""
    return (in_vietnam(until).date() - in_vietnam(since).date()).days


def shown(request: Document, at: dt.datetime) -> dict[str, Any]:
    """A request as pages, file and API show it."""
    valid_to = dt.datetime.fromisoformat(request["valid_to"])
    checking = request["state"] == APPROVED and request.get("effective_at") is None
    return {
        "id": request["_id"],
        "school": request["school"],
        "school_name": request["school_name"],
        "kind": request["kind"],
        "kind_name": KINDS[request["kind"]],
        "person_name": request["person_name"],
        "subject": request["certificate_subject"],
        "organisation": request.get("certificate_organisation", ""),
        "tax_code": request.get("certificate_tax_code", ""),
        "issuer": request["certificate_issuer"],
        "serial": request["certificate_serial"],
        "algorithm": request.get("certificate_algorithm", ""),
        "provider": request.get("provider", ""),
        "year": request.get("year", ""),
        "valid_from": dt.datetime.fromisoformat(request["valid_from"]),
        "valid_to": valid_to,
        "days_left": days(at, valid_to),
        "requested_at": request["requested_at"],
        "days_waiting": days(request["requested_at"], at) if request["state"] == PENDING else None,
        "asked_because": request["reason"],
        "state": request["state"],
        "state_name": STATES[request["state"]],
        "reason": reason_of(request),
        "checking": checking,
        "decided_at": request.get("decided_at"),
        "ended_at": request.get("ended_at"),
    }


def reason_of(request: Document) -> str:
    """Why it is refused or has ended; of what is approved, that its last check is still under way."""
    if request["state"] == REFUSED:
        return str(request.get("refusal", ""))
    if request["state"] == ENDED:
        return ENDED_WORDS.get(request.get("ended", ""), "")
    if request["state"] == APPROVED and request.get("effective_at") is None:
        return "Đang kiểm tra thu hồi trước khi có hiệu lực."
    return ""


def present(history: Sequence[Document], request: Document) -> Document | None:
    """The other certificate of the same owner that signs now, and goes on until a new one is approved."""
    others = [r for r in history if r["_id"] != request["_id"] and r["state"] == APPROVED and r.get("effective_at") is not None]
    return max(others, key=lambda r: r["effective_at"], default=None)


HEADERS = (
    "Mã trường",
    "Tên trường",
    "Loại",
    "Người đăng ký",
    "Chủ thể chứng thư số",
    "Mã số thuế",
    "Đơn vị cấp",
    "Số chứng thư",
    "Hiệu lực từ",
    "Hiệu lực đến",
    "Ngày gửi",
    "Trạng thái duyệt",
    "Lý do",
)


def line(row: Mapping[str, Any]) -> list[str | int]:
    """A row of the file, under HEADERS."""

    def date(moment: dt.datetime) -> str:
        return f"{in_vietnam(moment):%d/%m/%Y}"

    return [
        row["school"],
        row["school_name"],
        row["kind_name"],
        row["person_name"],
        row["subject"],
        row["tax_code"],
        row["issuer"],
        row["serial"],
        date(row["valid_from"]),
        date(row["valid_to"]),
        date(row["requested_at"]),
        row["state_name"],
        row["reason"] or row["asked_because"],
    ]
