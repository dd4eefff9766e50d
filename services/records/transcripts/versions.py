"""What came before a new transcript: the cancelled one that it replaces, the sealed one of the year before, and the years of study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.records.schoolyear import PreviousTranscript, StudyYear

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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


@dataclass(frozen=True)
class Earlier:
    """By personal id: the newest sealed transcript of an earlier year, and the years of study that documents prove."""

    previous: Mapping[str, PreviousTranscript]
    history: Mapping[str, tuple[StudyYear, ...]]


async def earlier_of(db: Database, school: str, year: str, personal_ids: Collection[str], session: Session | None = None) -> Earlier:
    """From what the school itself has sealed and not cancelled; years at other schools from what came with a transfer."""
    ids = list(personal_ids)
    previous: dict[str, PreviousTranscript] = {}
    years: dict[str, dict[str, StudyYear]] = {}
    async for came in db["received"].find({"school": school, "personal_id": {"$in": ids}, "document.year": {"$lt": year}}, session=session):
        document = came["document"]
        of_year = StudyYear(year=document["year"], class_name=document["class_name"], school_name=document["school_name"])
        years.setdefault(came["personal_id"], {})[of_year.year] = of_year
    wanted = {
        "school": school,
        "content.pupil.personal_id": {"$in": ids},
        "year": {"$lt": year},
        "live": True,
        "timestamped_at": {"$ne": None},
    }
    parts = ("pupil.personal_id", "pupil.register_number", "pupil.enrolled_on", "school.name", "school_class.name")
    fields = {"year": 1, "pdf": 1, "xml": 1, **{f"content.{part}": 1 for part in parts}}
    async for own in db["transcripts"].find(wanted, projection=fields, session=session).sort("year", 1):
        content, pupil = own["content"], own["content"]["pupil"]
        previous[pupil["personal_id"]] = PreviousTranscript(
            transcript=own["_id"], year=own["year"], pdf_sha256=own["pdf"]["sha256"], xml_sha256=own["xml"]["sha256"]
        )
        years.setdefault(pupil["personal_id"], {})[own["year"]] = StudyYear(
            year=own["year"],
            class_name=content["school_class"]["name"],
            school_name=content["school"]["name"],
            register_number=pupil["register_number"],
            joined_on=pupil["enrolled_on"],
        )
    return Earlier(previous, {personal_id: tuple(found[y] for y in sorted(found)) for personal_id, found in years.items()})
