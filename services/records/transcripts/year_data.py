"""What the transcripts of a school year share, with the print configuration put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.records.printing.settings import PrintSettings, effective
from services.records.printing.store import settings_of
from services.records.store import class_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.records.schoolyear import Assignment, School, SchoolClass, Staff
    from services.records.store import Store


@dataclass(frozen=True)
class YearData:
    """What the transcripts of a school year share; school and class as the print configuration has them for the class."""

    schools: Mapping[str, School]
    classes: Mapping[str, SchoolClass]
    assignments: Sequence[Assignment]
    staff: Mapping[str, Staff]

    @classmethod
    async def load(cls, store: Store, school: str, year: str) -> YearData:
        return cls.printed(
            await store.school(school, year),
            [class_of(d) for d in await store.classes(school, year)],
            await settings_of(store.db, school, year),
            await store.assignments(school, year),
            await store.staff(school, year),
        )

    @classmethod
    def printed(
        cls,
        school: School,
        classes: Sequence[SchoolClass],
        settings: PrintSettings,
        assignments: Sequence[Assignment],
        staff: Mapping[str, Staff],
    ) -> YearData:
        pairs = {c.code: effective(settings, school, c) for c in classes}
        return cls({code: s for code, (s, _) in pairs.items()}, {code: c for code, (_, c) in pairs.items()}, assignments, staff)
