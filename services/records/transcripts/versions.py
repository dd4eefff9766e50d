"""What came before a new transcript: the cancelled one that it replaces, the sealed one of the year before, and the years of study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.records.schoolyear import PreviousTranscript, StudyYear

if TYPE_CHECKING:
    from collections.abc import Collection

    from services.chassis.mongo import Database, Session


@dataclass(frozen=True)
class Replaced:
    transcript: str
    version: int


async def replaced_of(db: Database, school: str, year: str, pupils: Collection[str], session: Session | None = None) -> dict[str, Replaced]:
    """By pupil code, the last of the year's transcripts that were cancelled."""
    wanted = {"school": school, "year": year, "pupil_code": {"$in": list(pupils)}, "live": False}
    found = db["transcripts"].find(wanted, projection={"pupil_code": 1, "version": 1}, session=session).sort("version", 1)
    return {t["pupil_code"]: Replaced(t["_id"], t["version"]) async for t in found}


async def previous_of(
    db: Database, school: str, year: str, personal_ids: Collection[str], session: Session | None = None
) -> dict[str, PreviousTranscript]:
    """By personal id, the newest transcript of an earlier year at this school that the school has sealed and not cancelled."""
    wanted = {
        "school": school,
        "content.pupil.personal_id": {"$in": list(personal_ids)},
        "year": {"$lt": year},
        "live": True,
        "timestamped_at": {"$ne": None},
    }
    fields = {"year": 1, "pdf": 1, "xml": 1, "content.pupil.personal_id": 1}
    found = db["transcripts"].find(wanted, projection=fields, session=session).sort("year", 1)
    return {
        t["content"]["pupil"]["personal_id"]: PreviousTranscript(
            transcript=t["_id"], year=t["year"], pdf_sha256=t["pdf"]["sha256"], xml_sha256=t["xml"]["sha256"]
        )
        async for t in found
    }


async def history_of(
    db: Database, school: str, year: str, personal_ids: Collection[str], session: Session | None = None
) -> dict[str, tuple[StudyYear, ...]]:
    """By personal id, the earlier years that documents prove: the school's own sealed ones, and those that came with a transfer."""
    ids = list(personal_ids)
    found: dict[str, dict[str, StudyYear]] = {}
    async for came in db["received"].find({"school": school, "personal_id": {"$in": ids}, "document.year": {"$lt": year}}, session=session):
        document = came["document"]
        of_year = StudyYear(year=document["year"], class_name=document["class_name"], school_name=document["school_name"])
        found.setdefault(came["personal_id"], {})[of_year.year] = of_year
    wanted = {
        "school": school,
        "content.pupil.personal_id": {"$in": ids},
        "year": {"$lt": year},
        "live": True,
        "timestamped_at": {"$ne": None},
    }
    async for own in db["transcripts"].find(wanted, projection={"year": 1, "content": 1}, session=session):
        content = own["content"]
        pupil = content["pupil"]
        of_year = StudyYear(
            year=own["year"],
            class_name=content["school_class"]["name"],
            school_name=content["school"]["name"],
            register_number=pupil["register_number"],
            joined_on=pupil["enrolled_on"],
        )
        found.setdefault(pupil["personal_id"], {})[of_year.year] = of_year
    return {personal_id: tuple(years[y] for y in sorted(years)) for personal_id, years in found.items()}
