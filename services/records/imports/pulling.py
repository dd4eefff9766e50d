"""Pulling a school year from the sector database: page by page in the background, ending in the same preview as files do.

What was read last is kept with the mark of that moment, so that "changes since last time" gives a whole year again.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import DuplicateKeyError, transaction
from services.records.imports import taking
from services.records.imports.errors import PULL_NOT_RESUMABLE, PULL_RUNNING
from services.records.imports.sector import LISTS, MarkExpired, SectorAway, SectorDatabase, SectorRefused, sheets_of

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.process import Parts
    from services.records.imports.sector import Rows

Mode = Literal["full", "changes"]
MOST_FAILURES = 8
MOST_RESTARTS = 3
LONGEST_WAIT = dt.timedelta(seconds=60)


async def start(db: Database, *, school: str, year: str, mode: Mode, actor: str) -> str:
    """Queue a pull; returns its id. Without an earlier one, or without its mark, everything is read. Raises Refused(PULL_RUNNING)."""
    known = await db["pull_marks"].find_one({"_id": f"{school}:{year}"})
    pull_id = str(uuid4())
    document: Document = {
        "_id": pull_id,
        "school": school,
        "year": year,
        "by": actor,
        "at": clock.now(),
        "mode": mode if known else "full",
        "state": "running",
        "since": known["mark"] if known else None,
        "failures": 0,
        "next_at": clock.now(),
        "problem": "",
        "restarts": 0,
        "import": None,
        **_from_the_start(),
    }

    async def work(session: Session) -> None:
        await db["pulls"].insert_one(document, session=session)
        details = {"year": year, "kind": document["mode"]}
        await audit.record(db, session, actor=actor, act="data pulled", subject=pull_id, place=school, details=details)

    try:
        await transaction(db, work)
    except DuplicateKeyError as problem:
        raise Refused(PULL_RUNNING) from problem
    return pull_id


def _from_the_start() -> Document:
    return {"list": 0, "cursor": "", "seen": [], "mark": None, "pages": 0, "rows": 0}


async def pull_of(db: Database, school: str, pull_id: str) -> Document:
    found = await db["pulls"].find_one({"_id": pull_id, "school": school})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def resume(db: Database, school: str, pull_id: str) -> None:
    """Go on with a pull that gave up, from the page where it stood. Raises Refused."""
    found = await pull_of(db, school, pull_id)
    again = {"$set": {"state": "running", "failures": 0, "next_at": clock.now(), "problem": ""}}
    try:
        done = await db["pulls"].update_one({"_id": pull_id, "state": "stopped"}, again)
    except DuplicateKeyError as problem:
        raise Refused(PULL_RUNNING) from problem
    if done.modified_count != 1:
        raise Refused(PULL_NOT_RESUMABLE, state=found["state"])


class Pulling:
    """The worker's side."""

    def __init__(self, parts: Parts, sector: SectorDatabase, *, wait: dt.timedelta = dt.timedelta(seconds=1)) -> None:
        self.parts = parts
        self.db = parts.db
        self.sector = sector
        self.wait = wait
        self.owner = owner_token()
        self.lease_seconds = parts.settings.lease_seconds

    async def round(self) -> int:
        """Take one pull that is due and read on until it ends, or until the sector database does not answer; returns the pages read."""
        due = {"state": "running", "next_at": {"$lte": clock.now()}}
        pull = await claim(self.db["pulls"], due, self.owner, self.lease_seconds, sort="next_at")
        if pull is None:
            return 0
        pages = 0
        try:
            while await renew(self.db["pulls"], pull["_id"], self.owner, self.lease_seconds):
                if self._complete(pull):
                    await self._finish(pull)
                    return pages + 1
                pull = await self._page(pull)
                pages += 1
        except MarkExpired:
            await self._anew(pull)
        except SectorRefused as refused:
            await self._set(pull, {"state": "failed", "problem": str(refused)})
        except SectorAway as away:
            await self._later(pull, str(away))
        finally:
            await release(self.db["pulls"], pull["_id"], self.owner)
        return pages

    @staticmethod
    def _complete(pull: Document) -> bool:
        return bool(pull["list"] >= (len(LISTS) if pull["mode"] == "full" else 1))

    async def _page(self, pull: Document) -> Document:
        """Read the next page and keep it, with where the one after it starts, in one transaction."""
        school, year, cursor = pull["school"], pull["year"], pull["cursor"]
        changes: list[Document]
        if pull["mode"] == "full":
            name = list(LISTS)[pull["list"]]
            rows = await self.sector.rows(school, year, name, cursor)
            changes, after, mark = [{"list": name, "id": row.id, "data": row.data} for row in rows.rows], rows.next, rows.mark
        else:
            told = await self.sector.changes(school, year, pull["since"], cursor)
            changes = [{"list": c.list, "id": c.id, "data": None if c.deleted else c.data} for c in told.changes if c.list in LISTS]
            after, mark = told.next, told.mark
        if after is not None and after in (cursor, *pull["seen"]):
            raise SectorAway("the same page again")
        fields: Document = {
            "list": pull["list"] + (after is None),
            "cursor": after or "",
            "seen": [] if after is None else [*pull["seen"], after],
            "mark": pull["mark"] or mark,
            "pages": pull["pages"] + 1,
            "rows": pull["rows"] + len(changes),
            "failures": 0,
            "problem": "",
        }
        page = {"_id": f"{pull['_id']}:{pull['pages']}", "pull": pull["_id"], "number": pull["pages"], "rows": json.dumps(changes)}

        async def work(session: Session) -> None:
            mine = {"_id": pull["_id"], "lease.owner": self.owner, "pages": pull["pages"]}
            if (await self.db["pulls"].update_one(mine, {"$set": fields}, session=session)).modified_count != 1:
                raise SectorAway("somebody else goes on with this pull")
            await self.db["pull_pages"].replace_one({"_id": page["_id"]}, page, upsert=True, session=session)

        await transaction(self.db, work)
        return {**pull, **fields}

    async def _finish(self, pull: Document) -> None:
        """The preview has the pull's id, so a second finish after a crash makes no second one."""
        key = f"{pull['school']}:{pull['year']}"
        rows: Rows = {name: {} for name in LISTS}
        if pull["mode"] == "changes":
            known = await self.db["pull_marks"].find_one({"_id": key})
            if known is None:
                raise MarkExpired
            rows |= json.loads(await self.parts.objects.get(DocumentRef.model_validate(known["rows"])))
        async for page in self.db["pull_pages"].find({"pull": pull["_id"]}).sort("number", 1):
            for change in json.loads(page["rows"]):
                if change["data"] is None:
                    rows[change["list"]].pop(change["id"], None)
                else:
                    rows[change["list"]][change["id"]] = change["data"]
        sheets = sheets_of(rows)
        await taking.take_sheets(self.parts, pull["_id"], pull["school"], pull["by"], pull["year"], sheets)
        body = json.dumps(rows, ensure_ascii=False).encode()
        kept = await self.parts.objects.put(f"pulls/{key.replace(':', '/')}", ".json", body, "application/json")
        mark = {"_id": key, "mark": pull["mark"], "rows": kept.model_dump(mode="json"), "at": clock.now()}

        async def work(session: Session) -> None:
            await self.db["pull_marks"].replace_one({"_id": key}, mark, upsert=True, session=session)
            fields: dict[str, Any] = {"state": "finished", "import": pull["_id"], "finished_at": clock.now()}
            await self.db["pulls"].update_one({"_id": pull["_id"]}, {"$set": fields}, session=session)
            await self.db["pull_pages"].delete_many({"pull": pull["_id"]}, session=session)

        await transaction(self.db, work)

    async def _anew(self, pull: Document) -> None:
        """What was asked about is known there no longer: read everything, once more from the first page."""

        async def work(session: Session) -> None:
            await self.db["pull_pages"].delete_many({"pull": pull["_id"]}, session=session)
            fields = {"mode": "full", "since": None, **_from_the_start(), **self._failed(pull, "the mark has expired")}
            fields["restarts"] = pull["restarts"] + 1
            if fields["restarts"] > MOST_RESTARTS:
                fields["state"] = "stopped"
            await self.db["pulls"].update_one({"_id": pull["_id"], "lease.owner": self.owner}, {"$set": fields}, session=session)

        await transaction(self.db, work)

    async def _later(self, pull: Document, problem: str) -> None:
        await self._set(pull, self._failed(pull, problem))

    def _failed(self, pull: Document, problem: str) -> Document:
        failures = pull["failures"] + 1
        wait = min(self.wait * 2 ** min(failures - 1, 10), LONGEST_WAIT)
        state = "stopped" if failures >= MOST_FAILURES else "running"
        return {"failures": failures, "problem": problem, "next_at": clock.now() + wait, "state": state}

    async def _set(self, pull: Document, fields: Document) -> None:
        await self.db["pulls"].update_one({"_id": pull["_id"], "lease.owner": self.owner}, {"$set": fields})
