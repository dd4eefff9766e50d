"""\"Tra cứu học bạ\" within the school: by grade, class, name, pupil, UUID and state. Who sees a class finds its transcripts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from services.chassis.vietnamese import fold
from services.records.export.exporting import EXPORTABLE, may_export
from services.records.lookup import store
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import AWAITED, WORDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.records.store import Store

AWAITING = "AWAITING"
FILTERS = ("year", "grade", "class", "name", "id", "state", "pupil")
"""Of the address. A personal id never stands in it: the page asks for it by a form and goes on with the pupil's code."""


async def readings(records: Store, who: Principal, school: str) -> dict[str, Reading]:
    """Every year as the person may see it, newest first."""
    return {year: await Reading.of(records, who, school, year) for year in await records.years(school)}


async def classes_by_year(records: Store, who: Principal, school: str) -> dict[str, list[str]]:
    """The classes that the person may see, newest year first."""
    return {year: await looked_at.visible_classes() for year, looked_at in (await readings(records, who, school)).items()}


async def looked_up(records: Store, who: Principal, school: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the filter finds, cancelled ones too: of the year asked for, or the newest; a pupil or a UUID is looked for in all years."""
    every = await readings(records, who, school)
    everywhere = bool(query.get("pupil") or query.get("id"))
    years = [query["year"]] if query.get("year") else list(every) if everywhere else list(every)[:1]
    rows: list[dict[str, Any]] = []
    for year in years:
        if year not in every:
            continue
        codes = [c for c in await every[year].visible_classes() if query.get("class", "") in ("", c)]
        documents = await store.found(
            records.db, school, year, codes, pupil=query.get("pupil", ""), transcript=query.get("id", "").strip().lower()
        )
        rows += [row_of(d, every[year].who, school) for d in documents]
    return [r for r in rows if matches(r, query)]


def matches(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    state = query.get("state", "")
    return (
        fold(query.get("name", "")) in fold(row["name"])
        and query.get("grade", "") in ("", str(row["grade"]))
        and (state in ("", row["state"]) or (state == AWAITING and row["state"] in AWAITED))
    )


def row_of(transcript: Mapping[str, Any], who: Principal, school: str) -> dict[str, Any]:
    state = State(transcript["state"])
    pupil = transcript["content"]["pupil"]
    return {
        "id": transcript["_id"],
        "year": transcript["year"],
        "class": transcript["class_code"],
        "grade": transcript["grade"],
        "code": transcript["pupil_code"],
        "name": transcript["pupil_name"],
        "born": dt.date.fromisoformat(pupil["born"]),
        "personal_id": pupil["personal_id"],
        "version": transcript["version"],
        "state": state.value,
        "state_text": WORDS[state],
        "live": bool(transcript.get("live")),
        "created_at": transcript["created_at"],
        "exportable": state in EXPORTABLE and may_export(who, school, transcript["class_code"]),
    }
