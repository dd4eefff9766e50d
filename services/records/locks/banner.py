"""What every page of records says of the locks: until when the year is open, or that it is locked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from services.chassis.web.look import Deadline, Notice, Shell, vn_date
from services.records.locks.dates import dates_of, today
from services.records.locks.intake import intake_day
from services.records.locks.store import lock_of

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.mongo import Database


async def with_lock(shell: Shell, db: Database, school: str, year: str) -> Shell:
    """The shell with the year's dates, or that the year is locked: the day that comes first, beside the others.

    They are the school's planned day, else the national one, and the oversight units' last day of intake (menu 6.2).
    """
    lock = await lock_of(db, school, year)
    dates = dates_of(lock)
    if lock["locked"]:
        at = lock["history"][-1]["at"]
        text = f"Học bạ năm học {year} đã khóa từ {vn_date(at)}: chỉ tra cứu, in và xuất lưu trữ."
        return dataclasses.replace(shell, notices=[*shell.notices, Notice("info", text)])
    national = f"hạn toàn quốc {vn_date(dates.national)}"
    text = f"Nhà trường khóa học bạ ({national})" if dates.planned else "Hạn toàn quốc hoàn thành học bạ số"
    shown = deadline_of(text, dates.lock, await intake_day(db, school, year))
    return dataclasses.replace(shell, deadline=Deadline(*shown, (shown[1] - today()).days))


def deadline_of(text: str, lock: dt.date, intake: dt.date | None) -> tuple[str, dt.date]:
    """`text` is what is said of `lock`; the earlier day gives the strip its date."""
    if intake is None:
        return text, lock
    if intake < lock:
        return f"Ngày khóa tiếp nhận ({text[0].lower()}{text[1:]} {vn_date(lock)})", intake
    return f"{text}; khóa tiếp nhận {vn_date(intake)}", lock
