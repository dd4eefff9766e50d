"""Correction requests: collection `corrections`, kept for good; what was corrected stands here and in the pupil's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates
from services.chassis.aggregates import Change
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel
from services.records.corrections.fields import LEVEL, MARK
from services.records.corrections.states import DONE
from services.records.schoolyear import Corrections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.event import Fact
    from services.chassis.mongo import Database, Document, Session

CORRECTIONS = "corrections"


async def ensure_indexes(db: Database) -> None:
    one_open = [("school", ASCENDING), ("year", ASCENDING), ("pupil_code", ASCENDING)]
    await db[CORRECTIONS].create_indexes(
        [
            IndexModel(one_open, unique=True, partialFilterExpression={"open": True}),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("number", ASCENDING)], unique=True),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("state", ASCENDING)]),
        ]
    )


async def requests(db: Database, school: str, year: str) -> list[Document]:
    """All of a school year, the newest first."""
    return await db[CORRECTIONS].find({"school": school, "year": year}).sort("number", -1).to_list(None)


async def request_of(db: Database, school: str, request_id: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND)."""
    found: Document | None = await db[CORRECTIONS].find_one({"_id": request_id, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def open_of(db: Database, school: str, year: str, pupil: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[CORRECTIONS].find_one(
        {"school": school, "year": year, "pupil_code": pupil, "open": True}, session=session
    )
    return found


async def save(db: Database, session: Session, document: Document, *, actor: str, fact: Fact | None = None) -> None:
    """Raises Refused(CONFLICT) when somebody else changed it meanwhile."""
    await aggregates.save(db, session, CORRECTIONS, [Change(document, fact)], actor=actor)


async def finished_of(
    db: Database, school: str, year: str, pupils: Iterable[str], session: Session | None = None
) -> dict[str, list[Document]]:
    """By pupil code: the corrections that were carried out, the oldest first."""
    wanted = {"school": school, "year": year, "state": DONE, "pupil_code": {"$in": list(pupils)}}
    found: dict[str, list[Document]] = {}
    async for document in db[CORRECTIONS].find(wanted, session=session).sort("number", 1):
        found.setdefault(document["pupil_code"], []).append(document)
    return found


def counted(finished: Iterable[Document]) -> Corrections:
    """What the subjects' table of the form says of corrections: marks, levels, and in which subjects."""
    changes = {e["field"]: e for d in finished for e in d["changes"] if e["kind"]}
    kinds = [e["kind"] for e in changes.values()]
    return Corrections(
        marks=kinds.count(MARK), levels=kinds.count(LEVEL), subjects=tuple(dict.fromkeys(e["subject"] for e in changes.values()))
    )
