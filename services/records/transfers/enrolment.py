"""What a transfer does to the pupils of a school year. Imports leave it standing (`imports/difference.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import ClassImportedV1
from services.chassis import aggregates
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.records.locks.locking import locks_of
from services.records.transfers.errors import NO_SUCH_CLASS, OTHER_PUPIL
from services.records.transfers.words import LEFT

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session
    from services.records.schoolyear import Pupil

NO_RESULT = {"field": "Kết quả", "kind": "missing", "message": "Chưa có kết quả năm học của học sinh chuyển đến.", "article": ""}


async def set_status(db: Database, session: Session, *, school: str, year: str, code: str, status: str) -> str | None:
    """What the status was before; None where nothing was changed since the year has its final lock."""
    if (await locks_of(db, school, year, pupils=(), session=session)).final:
        return None
    found = await db["pupils"].find_one({"school": school, "year": year, "code": code, "data": {"$ne": None}}, session=session)
    if found is None:
        return None
    await db["pupils"].update_one({"_id": found["_id"]}, {"$set": {"data.status": status}}, session=session)
    return str(found["data"]["status"])


async def enrol(db: Database, session: Session, *, school: str, year: str, class_code: str, pupil: Pupil, arrival: str, actor: str) -> str:
    """Put the pupil into the class, unless the data of the year have them already; returns the code of the class they are in.

    Raises Refused: NO_SUCH_CLASS, OTHER_PUPIL.
    """
    if (await locks_of(db, school, year, pupils=(), session=session)).final:
        raise Refused(NO_SUCH_CLASS)
    classes = db["classes"]
    found = await classes.find_one({"school": school, "year": year, "code": class_code, "gone": {"$ne": True}}, session=session)
    if found is None:
        raise Refused(NO_SUCH_CLASS)
    key = f"{school}:{year}:{pupil.code}"
    known = await db["pupils"].find_one({"_id": key}, session=session)
    if known is not None:
        if known["data"] is not None and known["data"]["personal_id"] != pupil.personal_id:
            raise Refused(OTHER_PUPIL)
        await db["pupils"].update_one({"_id": key, "data.status": LEFT}, {"$set": {"data.status": "Đang học"}}, session=session)
        return str(known["class_code"])
    data = {**pupil.model_dump(mode="json"), "class_code": class_code, "status": "Đang học"}
    document: Document = {
        "_id": key,
        "school": school,
        "year": year,
        "code": pupil.code,
        "class_code": class_code,
        "number": found["pupils"],
        "name": pupil.name,
        "data": data,
        "result": None,
        "missing": [NO_RESULT],
        "arrival": arrival,
    }
    await db["pupils"].insert_one(document, session=session)
    counts = {"pupils": found["pupils"] + 1, "refused": found["refused"] + 1}
    fact = ClassImportedV1(school=school, year=year, code=class_code, name=found["data"]["name"], grade=found["data"]["grade"], **counts)
    await aggregates.save(db, session, "classes", [Change({**found, **counts}, fact)], actor=actor, cause=arrival)
    return class_code
