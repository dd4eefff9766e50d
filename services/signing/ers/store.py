"""Evidence records in the database.

`evidence`: one document for each sealed transcript or class summary, from its sealing on. `path` leads from its files to the root of its
tree, `stamps` counts the timestamps of that tree which its file has, `earlier` are the chains in weaker hash algorithms.
`evidence_trees`: one for each hash tree, with its timestamps from the first to the last; renewing a tree renews all documents in it.
`behind`: not all files have the last one. `replaced`: its documents stand in a tree of a stronger algorithm.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from services.chassis import aggregates, clock
from services.chassis.aggregates import Change
from services.chassis.leases import claim, hold
from services.chassis.mongo import ASCENDING, IndexModel
from services.means.evidence_records import Stamp, chain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session

DOCUMENTS: Final = "evidence"
TREES: Final = "evidence_trees"
LEASES: Final = "evidence_leases"
FILES: Final = ("pdf", "xml")
"""What one record covers together: a data object group of RFC 4998."""


async def ensure_indexes(db: Database) -> None:
    await db[DOCUMENTS].create_indexes(
        [
            IndexModel([("tree", ASCENDING), ("waiting_since", ASCENDING)]),
            IndexModel([("tree", ASCENDING), ("stamps", ASCENDING)]),
            IndexModel([("damaged", ASCENDING)], partialFilterExpression={"damaged": True}),
        ]
    )
    await db[TREES].create_indexes([IndexModel([("behind", ASCENDING)]), IndexModel([("replaced", ASCENDING), ("ends", ASCENDING)])])


async def begin(db: Database, session: Session, tasks: Sequence[Mapping[str, Any]]) -> None:
    """Within the transaction that seals them: these wait for their evidence from now on."""
    made = [
        {
            "_id": f"{task['_id']}:evidence",
            "transcript": task["_id"],
            **{kind: task[kind] for kind in FILES},
            "waiting_since": clock.now(),
            "tree": None,
            "path": [],
            "stamps": 0,
            "digests": {},
            "earlier": [],
            "algorithms": [],
            "file": None,
            "damaged": False,
        }
        for task in tasks
    ]
    await aggregates.save(db, session, DOCUMENTS, [Change(each) for each in made], actor="signing", cause="sealing")


class Store:
    def __init__(self, db: Database, owner: str) -> None:
        self.db = db
        self.owner = owner

    async def alone(self, name: str, seconds: float) -> bool:
        """Whether this worker is the one that does the work of this name."""
        return await hold(self.db[LEASES], name, self.owner, seconds)

    # documents

    async def waiting(self, most: int) -> list[Document]:
        """Longest first."""
        found: list[Document] = await self.db[DOCUMENTS].find({"tree": None, "damaged": False}).sort("waiting_since", 1).to_list(most)
        return found

    async def behind(self, tree: Document, most: int) -> list[Document]:
        wanted = {"tree": tree["_id"], "stamps": {"$lt": len(tree["stamps"])}}
        found: list[Document] = await self.db[DOCUMENTS].find(wanted).sort("_id", 1).to_list(most)
        return found

    async def under(self, tree: Document) -> list[Document]:
        found: list[Document] = await self.db[DOCUMENTS].find({"tree": tree["_id"], "damaged": False}).sort("_id", 1).to_list(None)
        return found

    async def save(self, session: Session, changes: Sequence[Change]) -> None:
        """Raises Refused when another worker changed one of them meanwhile."""
        await aggregates.save(self.db, session, DOCUMENTS, changes, actor="signing", cause="evidence")

    # trees

    async def claim(self, wanted: Mapping[str, Any], seconds: float) -> Document | None:
        return await claim(self.db[TREES], wanted, self.owner, seconds, sort="ends")

    async def add_tree(self, session: Session, tree: Document) -> None:
        await self.db[TREES].insert_one(tree, session=session)

    async def change_tree(self, session: Session | None, tree: Document, changes: Mapping[str, Any]) -> bool:
        """Also gives it back. False when the lease was lost, or the tree has been renewed by another meanwhile."""
        mine = {"_id": tree["_id"], "lease.owner": self.owner, "stamps": {"$size": len(tree["stamps"])}, "replaced": False}
        done = await self.db[TREES].update_one(mine, {"$set": dict(changes), "$unset": {"lease": ""}}, session=session)
        return done.matched_count == 1

    # figures

    async def figures(self, now: dt.datetime, ahead: dt.timedelta) -> dict[str, float]:
        oldest = await self.waiting(1)
        first = await self.db[TREES].find({"replaced": False}).sort("ends", 1).to_list(1)
        live = {"replaced": False}
        return {
            "waiting": await self.db[DOCUMENTS].count_documents({"tree": None, "damaged": False}),
            "oldest": (now - oldest[0]["waiting_since"]).total_seconds() if oldest else 0,
            "behind": await self.db[TREES].count_documents({"behind": True}),
            "earliest_end": (first[0]["ends"] - now).total_seconds() if first else float("inf"),
            "overdue": await self.db[TREES].count_documents({**live, "ends": {"$lt": now + ahead / 2}}),
            "lost": await self.db[TREES].count_documents({**live, "$or": [{"ends": {"$lt": now}}, {"unprovable": True}]})
            + await self.db[DOCUMENTS].count_documents({"damaged": True}),
        }


def new_tree(tree_id: str, algorithm: str, stamp: Document, count: int) -> Document:
    return {
        "_id": tree_id,
        "algorithm": algorithm,
        "stamps": [stamp],
        "ends": stamp["ends"],
        "count": count,
        "behind": True,
        "replaced": False,
        "unprovable": False,
    }


def chain_of(document: Mapping[str, Any], algorithm: str, stamps: Sequence[Mapping[str, Any]]) -> bytes:
    """DER of the document's chain: its own way up in the first timestamp, the tree's in each renewal."""
    first, *renewals = stamps
    made = [Stamp(path_of(document["path"]), first["token"]), *(Stamp(path_of(each["path"]), each["token"]) for each in renewals)]
    return chain(algorithm, made)


def path_of(kept: Sequence[Sequence[bytes]]) -> tuple[tuple[bytes, ...], ...]:
    return tuple(tuple(bytes(each) for each in one) for one in kept)
