"""Requests to withdraw as the oversight unit sees and decides them (menu 6.5). Plain data in, decision out.

States: pending → approved → withdrawn (the gateway has obeyed) | refused (by the unit, or by the gateway with its code); recalled: the
school took it back before the decision counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contracts.events.district import WithdrawalDecidedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, readable
from services.district.withdrawals.errors import NOT_PENDING, OWN_REQUEST, REASON_NEEDED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from contracts.access import Principal
    from contracts.event import Event
    from contracts.events.publishing import WithdrawalPendingV1
    from services.chassis.mongo import Document

PENDING, APPROVED, WITHDRAWN, REFUSED, RECALLED = "pending", "approved", "withdrawn", "refused", "recalled"
STATES = {
    PENDING: "Chờ xử lý",
    APPROVED: "Đã duyệt",
    WITHDRAWN: "Đã thu hồi",
    REFUSED: "Từ chối",
    RECALLED: "Nhà trường đã rút",
}
ALL = "all"
KINDS = {"transcript": "Học bạ", "class_summary": "Bảng tổng hợp"}
SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""
SORTS = {"sent_at": "sent_at", "school": "school_name", "name": "pupil_name", "grade": "grade"}

DOCUMENT = ("transcript", "school", "school_name", "year", "class_code", "grade", "version", "pupil_code", "pupil_name", "kind")
SHOWN = (*DOCUMENT, "reason", "by_name", "sealed_by_name", "sent_at", "state", "refusal", "decided_by_name", "decided_at", "ended_at")


def pending(event: Event[WithdrawalPendingV1], school: Mapping[str, Any] | None) -> Document:
    """A request that was claimed in records; `school` as district knows it, who is responsible for it decides."""
    fact = event.data
    name = school["name"] if school else fact.school
    return {
        "_id": event.subject,
        "sequence": 1,
        "state": PENDING,
        "path": list(school["path"]) if school else [],
        "school_name": name,
        "search": fold(f"{fact.pupil_name} {name}"),
        **fact.model_dump(mode="json"),
        "sent_at": fact.sent_at,
        "refusal": "",
        "decided_by": None,
        "decided_by_name": None,
        "decided_at": None,
        "ended_at": None,
    }


def reason_of(text: str) -> str:
    """The reason of a refusal as one clean line. Raises Refused(REASON_NEEDED)."""
    reason = readable(text)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Refused(REASON_NEEDED, least=SHORTEST, most=LONGEST)
    return reason


def decided(request: Document, *, approved: bool, reason: str, by: Principal, at: dt.datetime) -> Change:
    """Raises Refused: OWN_REQUEST, NOT_PENDING."""
    if by.person in (request["by"], request["sealed_by"]):
        raise Refused(OWN_REQUEST)
    if request["state"] != PENDING:
        raise Refused(NOT_PENDING, state=STATES[request["state"]])
    after = {
        **request,
        "state": APPROVED if approved else REFUSED,
        "refusal": reason,
        "decided_by": by.person,
        "decided_by_name": by.name,
        "decided_at": at,
    }
    fact = WithdrawalDecidedV1(
        transcript=request["transcript"], approved=approved, unit=str(by.unit), by_name=by.name, decided_at=at, reason=reason
    )
    return Change(after, fact)


def wanted(unit: str, query: Mapping[str, str], *, state: str | None = None) -> dict[str, Any]:
    """What the filter of the page or the API finds in the branch; a value that nobody offers is left aside."""
    found: dict[str, Any] = {"path": unit}
    chosen = state or query.get("state", "")
    if chosen in STATES:
        found["state"] = chosen
    if query.get("school"):
        found["school"] = query["school"]
    if query.get("grade", "").isdigit():
        found["grade"] = int(query["grade"])
    if name := fold(query.get("name", "")):
        found["search"] = {"$regex": re.escape(name)}
    return found


def ordering(query: Mapping[str, str]) -> list[tuple[str, int]]:
    """What has waited longest comes first; of what is decided the newest."""
    key = SORTS.get(query.get("sort", ""))
    if key is None:
        return [("sent_at", 1 if query.get("state", "") == PENDING else -1), ("_id", 1)]
    return [(key, -1 if query.get("order") == "desc" else 1), ("sent_at", 1), ("_id", 1)]


def shown(request: Document) -> dict[str, Any]:
    """A request as pages and API show it."""
    return {
        **{k: request[k] for k in SHOWN},
        "id": request["_id"],
        "kind_name": KINDS[request["kind"]],
        "state_name": STATES[request["state"]],
    }
