"""What every page of records says of the locks: until when the year is open, or that it is locked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from services.chassis.web.look import Deadline, Notice, Shell, vn_date
from services.records.locks.dates import dates_of, today
from services.records.locks.store import lock_of

if TYPE_CHECKING:
    from services.chassis.mongo import Database


async def with_lock(shell: Shell, db: Database, school: str, year: str) -> Shell:
    """The shell with the year's dates: the school's planned day beside the national one, or that the year is locked."""
    lock = await lock_of(db, school, year)
    dates = dates_of(lock)
    if lock["locked"]:
        at = lock["history"][-1]["at"]
        text = f"Học bạ năm học {year} đã khóa từ {vn_date(at)}: chỉ tra cứu, in và xuất lưu trữ."
        return dataclasses.replace(shell, notices=[*shell.notices, Notice("info", text)])
    national = f"hạn toàn quốc {vn_date(dates.national)}"
    text = f"Nhà trường khóa học bạ ({national})" if dates.planned else "Hạn toàn quốc hoàn thành học bạ số"
    return dataclasses.replace(shell, deadline=Deadline(text, dates.lock, (dates.lock - today()).days))
