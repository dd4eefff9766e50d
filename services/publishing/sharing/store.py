"""Every query of sharing.

shares: one a link, with the digest of its secret. share_openings: when one was opened or a file of it was fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.publishing.submissions import NOT_LISTED
from services.publishing.verification import store as verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.publishing.sharing.rules import Share
    from services.publishing.verification.source import Source

MOST_LISTED = 5000
MOST_OPENINGS = 200
"""Shown, newest first."""


async def ensure_indexes(db: Database) -> None:
    await db["shares"].create_indexes(
        [IndexModel([("digest", ASCENDING)], unique=True), IndexModel([("school", ASCENDING), ("made_at", DESCENDING)])]
    )
    await db["share_openings"].create_indexes([IndexModel([("share", ASCENDING), ("at", DESCENDING)])])


async def add(db: Database, session: Session, share: Share) -> None:
    """Raises DuplicateKeyError when the same form was sent before."""
    await db["shares"].insert_one(share, session=session)


async def set_revoked(db: Database, session: Session, share: Share) -> None:
    """Raises Refused(CONFLICT) when somebody else was faster."""
    fields = {name: share[name] for name in ("revoked_at", "revoked_by", "revoked_by_name", "reason")}
    changed = await db["shares"].update_one({"_id": share["_id"], "revoked_at": None}, {"$set": fields}, session=session)
    if changed.modified_count != 1:
        raise Refused(CONFLICT)


async def count(db: Database, session: Session, share: str, *, what: str, document: str) -> None:
    """`what`: "open", "pdf" or "xml". Who it was is not kept here."""
    at = clock.now()
    if what == "open":
        await db["shares"].update_one({"_id": share}, {"$inc": {"opened": 1}, "$set": {"opened_at": at}}, session=session)
    await db["share_openings"].insert_one({"share": share, "at": at, "what": what, "document": document}, session=session)


async def one(db: Database, key: str, school: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND), also for another school's."""
    found = await db["shares"].find_one({"_id": key, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def by_digest(db: Database, digest: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db["shares"].find_one({"digest": digest}, session=session)
    return found


async def of_school(db: Database, school: str) -> list[Document]:
    """Newest first."""
    return await db["shares"].find({"school": school}).sort([("made_at", -1), ("_id", 1)]).limit(MOST_LISTED).to_list(MOST_LISTED)


async def openings(db: Database, key: str) -> list[Document]:
    return await db["share_openings"].find({"share": key}).sort([("at", -1)]).limit(MOST_OPENINGS).to_list(MOST_OPENINGS)


# --- what may be shared


async def confirmed(db: Database, school: str, *, pupil: str | None = None) -> list[Document]:
    """Confirmed transcripts of the school, of all years, or of one pupil."""
    wanted: Document = {"school": school, "state": {"$nin": list(NOT_LISTED)}, "kind": {"$in": ["transcript", None]}}
    if pupil is not None:
        wanted["pupil_code"] = pupil
    return await db["submissions"].find(wanted).sort([("year", -1), ("version", -1)]).to_list(None)


async def named(db: Database, session: Session, ids: Sequence[str]) -> list[Document | None]:
    found = {d["_id"]: d for d in await db["submissions"].find({"_id": {"$in": list(ids)}}, session=session).to_list(None)}
    return [found.get(each) for each in ids]


async def sources(db: Database, ids: Sequence[str], session: Session | None = None) -> list[Source | None]:
    return [await verification.by_code(db, each, session) for each in ids]


async def school_name(db: Database, school: str) -> str:
    found = await db["schools"].find_one({"_id": school}, projection={"name": 1})
    return str(found["name"]) if found else school
