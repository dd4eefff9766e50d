"""The print configuration of each school year: collection `printing`, one document a school and year, made when something is first set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates, audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.records.locks.errors import YEAR_LOCKED
from services.records.locks.store import lock_of
from services.records.printing.settings import Printing, PrintSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from services.chassis.mongo import Database, Document, Session

PRINTING = "printing"


def printing_id(school: str, year: str) -> str:
    """Not the key of the year itself: that one is the subject of events."""
    return f"{school}:{year}:printing"


async def settings_of(db: Database, school: str, year: str, session: Session | None = None) -> PrintSettings:
    return _settings(await db[PRINTING].find_one({"_id": printing_id(school, year)}, session=session))


async def configure(
    db: Database,
    school: str,
    year: str,
    decide: Callable[[PrintSettings], PrintSettings],
    *,
    classes: Collection[str] | None,
    actor: str,
) -> None:
    """Keep what `decide` makes of the present configuration; `classes` None: the school's own.

    Raises what `decide` raises, and Refused(YEAR_LOCKED) under the final lock.
    """

    async def work(session: Session) -> None:
        if (await lock_of(db, school, year, session))["locked"]:
            raise Refused(YEAR_LOCKED)
        found = await db[PRINTING].find_one({"_id": printing_id(school, year)}, session=session)
        before = _settings(found)
        after = decide(before)
        if after == before:
            return
        document = {
            "_id": printing_id(school, year),
            "school": school,
            "year": year,
            "sequence": (found or {}).get("sequence", 0),
            "own": after.school.model_dump(mode="json"),
            # class codes are not fit for keys of a document
            "classes": [{"code": code, **own.model_dump(mode="json")} for code, own in after.classes.items()],
            "at": clock.now(),
            "by": actor,
        }
        await aggregates.save(db, session, PRINTING, [Change(document)], actor=actor)
        await audit.record(
            db,
            session,
            actor=actor,
            act="printing configured",
            subject=f"{school}:{year}",
            place=school,
            details={"year": year, "changed": _differences(before, after, classes)},
        )

    await transaction(db, work)


def _settings(document: Document | None) -> PrintSettings:
    if document is None:
        return PrintSettings()
    classes = {row["code"]: Printing.model_validate({k: v for k, v in row.items() if k != "code"}) for row in document["classes"]}
    return PrintSettings(school=Printing.model_validate(document["own"]), classes=classes)


def _differences(before: PrintSettings, after: PrintSettings, classes: Collection[str] | None) -> list[str]:
    """One line a value that changed: "5A: Lãnh đạo ký: 31300001001 → 31300001002"."""
    if classes is None:
        return _lines("Toàn trường", before.school, after.school)
    return [
        line for code in sorted(classes) for line in _lines(code, before.classes.get(code, Printing()), after.classes.get(code, Printing()))
    ]


def _lines(whose: str, before: Printing, after: Printing) -> list[str]:
    names = {"place": "Địa danh", "date": "Ngày ghi học bạ", "leader": "Lãnh đạo ký"}
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [f"{whose}: {name}: {old[k] or '–'} → {new[k] or '–'}" for k, name in names.items() if old[k] != new[k]]
