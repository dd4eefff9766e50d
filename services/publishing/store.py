"""Every query of publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates, clock
from services.chassis.mongo import ASCENDING, IndexModel
from services.publishing import window_store
from services.publishing.admissions import store as admissions
from services.publishing.reading import store as reading
from services.publishing.sharing import store as sharing
from services.publishing.submissions import NOT_LISTED
from services.publishing.verification import store as verification
from services.publishing.withdrawals import store as withdrawals

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from contracts.documents import DocumentKind
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session


CALLBACKS_KEPT_SECONDS = 30 * 24 * 3600
"""Far longer than a callback's signature is good for."""


async def ensure_indexes(db: Database) -> None:
    await db["submissions"].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING), ("state", ASCENDING)]),
            IndexModel([("state", ASCENDING), ("school", ASCENDING), ("class_code", ASCENDING)]),
        ]
    )
    await db["packages"].create_indexes([IndexModel([("state", ASCENDING), ("next_at", ASCENDING)])])
    await db["callbacks"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=CALLBACKS_KEPT_SECONDS)])
    await window_store.ensure_indexes(db)
    await withdrawals.ensure_indexes(db)
    await admissions.ensure_indexes(db)
    await verification.ensure_indexes(db)
    await sharing.ensure_indexes(db)
    await reading.ensure_indexes(db)


def of_kind(kind: DocumentKind) -> Document:
    """What was written before there were kinds is about transcripts."""
    return {"kind": {"$in": [kind, None]}} if kind == "transcript" else {"kind": kind}


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    async def load(self, session: Session, ids: Iterable[str]) -> dict[str, Document]:
        found = await self.db["submissions"].find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return {d["_id"]: d for d in found}

    async def save(self, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
        await aggregates.save(self.db, session, "submissions", changes, actor=actor, cause=cause)

    async def submissions(
        self,
        school: str,
        *,
        classes: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        kind: DocumentKind = "transcript",
    ) -> list[Document]:
        wanted: Document = {"school": school, "state": {"$nin": list(NOT_LISTED)}, **of_kind(kind)}
        if classes:
            wanted["class_code"] = {"$in": list(classes)}
        if ids is not None:
            wanted["_id"] = {"$in": list(ids)}
        if states is not None:
            wanted["state"] = {"$in": list(states)}
        return await self.db["submissions"].find(wanted).sort([("class_code", 1), ("pupil_code", 1)]).to_list(None)

    async def submission(self, transcript: str) -> Document | None:
        found: Document | None = await self.db["submissions"].find_one({"_id": transcript})
        return found

    async def next_cleared_class(self, limit: int) -> list[Document]:
        """Cleared documents of one kind and class, to be packed together."""
        first = await self.db["submissions"].find_one({"state": "CLEARED"}, sort=[("school", 1), ("class_code", 1)])
        if first is None:
            return []
        wanted = {"state": "CLEARED", "school": first["school"], "year": first["year"], "class_code": first["class_code"]}
        wanted |= of_kind(first.get("kind", "transcript"))
        return await self.db["submissions"].find(wanted).sort("_id", 1).to_list(limit)

    async def add_package(self, session: Session, package: Document) -> None:
        await self.db["packages"].insert_one(package, session=session)

    async def package(self, package_id: str) -> Document | None:
        found: Document | None = await self.db["packages"].find_one({"_id": package_id})
        return found

    async def set_package(
        self, package_id: str, state: str, next_at: dt.datetime, *, attempts: int, asked: int = 0, session: Session | None = None
    ) -> None:
        """`asked`: questions in vain since it was sent."""
        await self.db["packages"].update_one(
            {"_id": package_id, "state": {"$ne": "done"}},
            {"$set": {"state": state, "next_at": next_at, "attempts": attempts, "asked": asked, "changed_at": clock.now()}},
            session=session,
        )

    async def callback(self, event_id: str) -> Document | None:
        found: Document | None = await self.db["callbacks"].find_one({"_id": event_id})
        return found

    async def remember_callback(self, session: Session, callback: Document) -> None:
        await self.db["callbacks"].update_one({"_id": callback["_id"]}, {"$setOnInsert": callback}, upsert=True, session=session)

    async def wake_packages(self) -> None:
        now = clock.now()
        await self.db["packages"].update_many({"state": "ready", "next_at": {"$gt": now}}, {"$set": {"next_at": now}})

    async def finish_package(self, session: Session, package_id: str, transcripts: Sequence[str]) -> None:
        """Done when every transcript has its answer."""
        open_ones = await self.db["submissions"].count_documents(
            {"_id": {"$in": list(transcripts)}, "package": package_id, "state": {"$in": ["PACKED", "SENT"]}}, session=session
        )
        if not open_ones:
            await self.db["packages"].update_one(
                {"_id": package_id}, {"$set": {"state": "done", "changed_at": clock.now()}}, session=session
            )
