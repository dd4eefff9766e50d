"""Queries of "Tra cứu học bạ": transcripts of the school, cancelled versions among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document

SHOWN = {
    "year": 1,
    "class_code": 1,
    "grade": 1,
    "pupil_code": 1,
    "pupil_name": 1,
    "version": 1,
    "state": 1,
    "live": 1,
    "created_at": 1,
    "content.pupil.personal_id": 1,
    "content.pupil.born": 1,
}


async def found(db: Database, school: str, year: str, classes: Sequence[str], *, pupil: str = "", transcript: str = "") -> list[Document]:
    """Of these classes; of one pupil, or the one transcript, where they are named."""
    wanted: Document = {"school": school, "year": year, "class_code": {"$in": list(classes)}}
    if pupil:
        wanted["pupil_code"] = pupil
    if transcript:
        wanted["_id"] = transcript
    return await db["transcripts"].find(wanted, projection=SHOWN).to_list(None)


async def pupil_of_personal_id(db: Database, school: str, classes_by_year: dict[str, list[str]], personal_id: str) -> str | None:
    """The pupil's code by which the school knows this personal id, in the newest year of those classes."""
    visible = [{"year": year, "class_code": {"$in": classes}} for year, classes in classes_by_year.items()]
    if not visible:
        return None
    wanted = {"school": school, "content.pupil.personal_id": personal_id, "$or": visible}
    known = await db["transcripts"].find_one(wanted, sort=[("year", -1)], projection={"pupil_code": 1})
    return str(known["pupil_code"]) if known else None
