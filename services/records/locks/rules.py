"""Setting, locking and unlocking a school year: plain data in, the lock after it and the fact out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import SchoolYearLockedV1, SchoolYearUnlockedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.records import cells
from services.records.cells import BadCell, text
from services.records.locks.errors import ALREADY_LOCKED, CORRECTIONS_OPEN, REASON_NEEDED, WRONG_DATE, WRONG_INSPECTOR, YEAR_LOCKED

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.mongo import Document
    from services.records.schoolyear import Staff

LONGEST_REASON = 500
_MANAGEMENT = ("hieu truong", "pho hieu truong")


def reason_in(words: str) -> str:
    """Raises Refused(REASON_NEEDED)."""
    reason = text(words)
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(REASON_NEEDED, most=LONGEST_REASON)
    return reason


def day_in(words: str, today: dt.date) -> dt.date | None:
    """A day as people write it, from today on; None takes the school's day back. Raises Refused(WRONG_DATE)."""
    try:
        day = cells.date(words)
    except BadCell as bad:
        raise Refused(WRONG_DATE, reason=f"{bad}.") from bad
    if day is not None and day < today:
        raise Refused(WRONG_DATE, reason="Ngày khóa học bạ dự kiến đã qua.")
    return day


def planned(lock: Document, day: dt.date | None, *, by: str, at: dt.datetime) -> Document:
    _open(lock)
    return {**lock, "planned_on": day.isoformat() if day else None, "history": _told(lock, "plan", by, at, "")}


def appointed(lock: Document, person: Staff | None, *, by: str, at: dt.datetime) -> Document:
    """Who witnesses for the people's inspection board: staff of the school, but neither management nor board.

    Raises Refused: WRONG_INSPECTOR, YEAR_LOCKED.
    """
    _open(lock)
    if person is None:
        raise Refused(WRONG_INSPECTOR, reason="Người được chọn không có trong danh sách cán bộ của năm học.")
    if person.administrator or cells.key(person.position).startswith(_MANAGEMENT):
        reason = "Cán bộ quản lý và quản trị viên đã chứng kiến ở thành phần khác nên không đại diện Ban thanh tra nhân dân."
        raise Refused(WRONG_INSPECTOR, reason=reason)
    return {**lock, "inspector": person.code, "history": _told(lock, "appoint", by, at, "")}


def locked(lock: Document, reason: str, *, unfinished: int, by: str, at: dt.datetime) -> Change:
    """`unfinished`: corrections that are unlocked. Raises Refused: ALREADY_LOCKED, CORRECTIONS_OPEN."""
    if lock["locked"]:
        raise Refused(ALREADY_LOCKED, state="đã khóa")
    if unfinished:
        raise Refused(CORRECTIONS_OPEN, count=unfinished)
    after = {**lock, "locked": True, "history": _told(lock, "lock", by, at, reason)}
    return Change(after, SchoolYearLockedV1(school=lock["school"], year=lock["year"], locked_at=at))


def unlocked(lock: Document, reason: str, *, by: str, at: dt.datetime) -> Change:
    """Raises Refused(ALREADY_LOCKED) when there is no lock to take off."""
    if not lock["locked"]:
        raise Refused(ALREADY_LOCKED, state="đang mở")
    after = {**lock, "locked": False, "history": _told(lock, "unlock", by, at, reason)}
    return Change(after, SchoolYearUnlockedV1(school=lock["school"], year=lock["year"], unlocked_at=at))


def _open(lock: Document) -> None:
    if lock["locked"]:
        raise Refused(YEAR_LOCKED)


def _told(lock: Document, act: str, by: str, at: dt.datetime, reason: str) -> list[Document]:
    return [*lock["history"], {"at": at, "by": by, "act": act, "reason": reason}]
