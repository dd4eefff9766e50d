"""The life of a correction request ("phiếu đề nghị sửa dữ liệu"): who may do what when. Plain data in, decision out.

Source: Quy chế Học bạ số of a school (28/11/2025), Điều 8: homeroom or subject teacher asks, the board gathers, the principal approves,
the unlock is witnessed by management, board, people's inspection board and the asking teacher, minutes end it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis.errors import FORBIDDEN, Refused
from services.records.corrections.errors import ALREADY_WITNESSED, OWN_REQUEST, WRONG_STEP

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from services.chassis.mongo import Document

SUBMITTED = "SUBMITTED"
FORWARDED = "FORWARDED"
APPROVED = "APPROVED"
UNLOCKED = "UNLOCKED"
DONE = "DONE"
REFUSED = "REFUSED"
WITHDRAWN = "WITHDRAWN"
RELOCKED = "RELOCKED"

WORDS: dict[str, str] = {
    SUBMITTED: "Chờ Ban quản trị",
    FORWARDED: "Chờ Hiệu trưởng phê duyệt",
    APPROVED: "Chờ chứng kiến mở khóa",
    UNLOCKED: "Đã mở khóa, chờ sửa",
    DONE: "Đã sửa, đã lập biên bản",
    REFUSED: "Bị từ chối",
    WITHDRAWN: "Đã rút",
    RELOCKED: "Đã khóa lại, không sửa",
}
OPEN = frozenset({SUBMITTED, FORWARDED, APPROVED, UNLOCKED})
"""A pupil has at most one request in these states."""

FORWARD, TURN_DOWN, APPROVE, REFUSE, WITNESS, CORRECT, WITHDRAW, RELOCK = (
    "forward",
    "turn down",
    "approve",
    "refuse",
    "witness",
    "correct",
    "withdraw",
    "relock",
)
MOVES: dict[str, tuple[frozenset[str], str]] = {
    FORWARD: (frozenset({SUBMITTED}), FORWARDED),
    TURN_DOWN: (frozenset({SUBMITTED}), REFUSED),
    APPROVE: (frozenset({FORWARDED}), APPROVED),
    REFUSE: (frozenset({FORWARDED}), REFUSED),
    WITNESS: (frozenset({APPROVED}), APPROVED),
    CORRECT: (frozenset({UNLOCKED}), DONE),
    WITHDRAW: (frozenset({SUBMITTED, FORWARDED, APPROVED}), WITHDRAWN),
    RELOCK: (frozenset({APPROVED, UNLOCKED}), RELOCKED),
}
"""Act → (states it starts from, state it leads to); the last witness leads to UNLOCKED."""

ACT_WORDS: dict[str, str] = {
    "ask": "Lập phiếu đề nghị sửa",
    FORWARD: "Báo cáo Hiệu trưởng",
    TURN_DOWN: "Ban quản trị từ chối",
    APPROVE: "Hiệu trưởng phê duyệt",
    REFUSE: "Hiệu trưởng từ chối",
    WITNESS: "Xác nhận chứng kiến mở khóa",
    CORRECT: "Sửa dữ liệu, khóa lại",
    WITHDRAW: "Rút phiếu",
    RELOCK: "Khóa lại, không sửa",
}
REASON_NEEDED = frozenset({TURN_DOWN, REFUSE, RELOCK})
WITHIN_WINDOW = frozenset({FORWARD, APPROVE, WITNESS, CORRECT})
"""Acts towards a change of data: none of them later than a week before the final lock."""

MANAGEMENT, BOARD, INSPECTION, ASKER = "management", "board", "inspection", "asker"
PARTIES: dict[str, str] = {
    MANAGEMENT: "Ban giám hiệu",
    BOARD: "Ban quản trị",
    INSPECTION: "Ban thanh tra nhân dân",
    ASKER: "Giáo viên đề nghị sửa",
}


@dataclass(frozen=True)
class Person:
    """Whoever acts, as the rules see them: `board` gathers, `manager` decides, `inspector` is the one appointed for the year."""

    code: str
    name: str
    board: bool = False
    manager: bool = False
    inspector: bool = False


def parties_open(request: Mapping[str, Any], person: Person) -> list[str]:
    """For which parties this person may still witness: one person stands for one party, the asker for nobody else."""
    witnessed: Mapping[str, Any] = request["witnesses"]
    if any(w["by"] == person.code for w in witnessed.values()):
        return []
    if person.code == request["asked_by"]:
        mine = [ASKER]
    elif person.inspector:
        mine = [INSPECTION]
    else:
        mine = [MANAGEMENT] * person.manager + [BOARD] * person.board
    return [party for party in mine if party not in witnessed]


def acts_open(request: Mapping[str, Any], person: Person) -> list[str]:
    """What this person may do with the request as it is, in the order of its life; dates and locks are looked at when it is done."""
    asker = person.code == request["asked_by"]
    rights = {
        FORWARD: person.board,
        TURN_DOWN: person.board,
        APPROVE: person.manager and not asker,
        REFUSE: person.manager and not asker,
        WITNESS: bool(parties_open(request, person)),
        CORRECT: asker,
        WITHDRAW: asker,
        RELOCK: person.manager,
    }
    return [act for act, may in rights.items() if may and request["state"] in MOVES[act][0]]


def awaits(request: Mapping[str, Any], person: Person) -> bool:
    """Whether the request waits for this person ("Chờ tôi xử lý"): taking back and locking again are possible but not awaited."""
    return any(act not in {WITHDRAW, RELOCK} for act in acts_open(request, person))


def moved(request: Document, act: str, person: Person, *, at: dt.datetime, reason: str = "", party: str = "") -> Document:
    """The request after `act`.

    Raises Refused: WRONG_STEP when its state forbids it, OWN_REQUEST for a manager's own request, ALREADY_WITNESSED, else FORBIDDEN.
    """
    sources, target = MOVES[act]
    if request["state"] not in sources:
        raise Refused(WRONG_STEP, state=WORDS[request["state"]])
    if act not in acts_open(request, person):
        _explain(request, act, person)
    entry: Document = {"at": at, "by": person.code, "name": person.name, "act": act, "reason": reason, "party": ""}
    after: Document = {**request}
    if act == WITNESS:
        standing = party or parties_open(request, person)[0]
        if standing not in parties_open(request, person):
            raise Refused(FORBIDDEN, action=f"witness for {standing}")
        entry["party"] = standing
        after["witnesses"] = {**request["witnesses"], standing: {"by": person.code, "name": person.name, "at": at}}
        if set(after["witnesses"]) == set(PARTIES):
            target = UNLOCKED
    return {**after, "state": target, "open": target in OPEN, "changed_at": at, "history": [*request["history"], entry]}


def _explain(request: Mapping[str, Any], act: str, person: Person) -> None:
    """Raises the refusal that says why the person may not."""
    if act in {APPROVE, REFUSE} and person.manager:
        raise Refused(OWN_REQUEST)
    if act == WITNESS and (person.board or person.manager or person.inspector or person.code == request["asked_by"]):
        raise Refused(ALREADY_WITNESSED)
    raise Refused(FORBIDDEN, action=act)
