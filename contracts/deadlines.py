"""Dates that the Ministry sets for every school of the country, by school year."""

from __future__ import annotations

import datetime as dt

USUAL = (8, 20)
"""Month and day, in the calendar year in which the school year ends: what the Ministry has set every year so far."""
BY_YEAR: dict[str, dt.date] = {"2025-2026": dt.date(2026, 8, 20)}
"""Named by a document for that very year (Công văn 7802/BGDĐT of 27/11/2025); another date of a later year is a line here."""


def national_deadline(year: str) -> dt.date:
    """The last day to bring the transcripts of a school year ("2025-2026") into the national database."""
    return BY_YEAR.get(year) or dt.date(int(year[:4]) + 1, *USUAL)
