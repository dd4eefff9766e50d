"""Queries of the auditor: when each stored document was examined, what was found, and which certificates were approved when."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from services.chassis import audit, clock
from services.chassis.leases import hold
from services.chassis.mongo import ASCENDING, IndexModel, UpdateOne, transaction
from services.signing.auditing.findings import Finding, words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.event import Event
    from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1
    from services.chassis.mongo import Database, Document, Session

LEASE = "auditor"
WHOLE, DIFFERENT = "whole", "different"


async def ensure_indexes(db: Database) -> None:
    await db["audits"].create_indexes(
        [
            IndexModel([("due", ASCENDING)]),
            IndexModel([("checked", ASCENDING)]),
            IndexModel([("result", ASCENDING), ("school", ASCENDING)]),
        ]
    )
    await db["approvals"].create_indexes([IndexModel([("owner", ASCENDING), ("since", ASCENDING)])])


# certificates that were approved, and until when


async def save_approvals(db: Database, session: Session, events: Sequence[Event[CertificateApprovedV1]]) -> None:
    for event in events:
        fact = event.data
        owner = _owner(fact.kind, fact.school, fact.person)
        digest = sha256(b64decode(fact.certificate)).hexdigest()
        kept = {"owner": owner, "sha256": digest, "since": event.occurred_at}
        key = f"{owner}:{digest}:{event.occurred_at.isoformat()}"
        await db["approvals"].update_one({"_id": key}, {"$setOnInsert": {**kept, "ended": None}}, upsert=True, session=session)


async def end_approvals(db: Database, session: Session, events: Sequence[Event[CertificateEndedV1]]) -> None:
    """`known_at`: until signing has heard of an end it signs with the certificate in good faith."""
    for event in events:
        fact = event.data
        wanted = {
            "owner": _owner(fact.kind, fact.school, fact.person),
            "sha256": fact.certificate_sha256,
            "since": {"$lte": event.occurred_at},
            "ended": None,
        }
        ended = {"at": event.occurred_at, "known_at": clock.now(), "reason": fact.reason}
        await db["approvals"].update_many(wanted, {"$set": {"ended": ended}}, session=session)


async def approvals_of(db: Database, owners: Iterable[tuple[str, str]]) -> list[Document]:
    """By (kind, owner)."""
    keys = sorted({f"{kind}:{owner}" for kind, owner in owners})
    found: list[Document] = await db["approvals"].find({"owner": {"$in": keys}}).to_list(None)
    return found


def _owner(kind: str, school: str, person: str) -> str:
    return f"{kind}:{person if kind == 'person' else school}"


# what is audited


async def lead(db: Database, owner: str, seconds: float) -> bool:
    """One auditor at a time, whatever number of workers there are."""
    return await hold(db["auditor"], LEASE, owner, seconds)


async def enrol(db: Database, most: int) -> int:
    """Take up the next `most` tasks that have signed files, going round for ever; how many were new or had new files."""
    state = await db["auditor"].find_one({"_id": LEASE}) or {}
    shown = {"school": 1, "kind": 1, "xml.sha256": 1, "pdf.sha256": 1}
    wanted = {"_id": {"$gt": state.get("after", "")}, "xml": {"$ne": None}}
    tasks = await db["tasks"].find(wanted, shown).sort([("_id", 1)]).limit(most).to_list(most)
    known = {a["_id"]: a["files"] async for a in db["audits"].find({"_id": {"$in": [t["_id"] for t in tasks]}}, {"files": 1})}
    now = clock.now()
    fresh = [t for t in tasks if known.get(t["_id"]) != files_of(t)]
    writes = [
        UpdateOne(
            {"_id": t["_id"]},
            {
                "$set": {"school": t["school"], "files": files_of(t), "due": now, "checked": now},
                "$setOnInsert": {"result": None, "findings": [], "audited_at": None, "since": None},
            },
            upsert=True,
        )
        for t in fresh
    ]
    if writes:
        await db["audits"].bulk_write(writes, ordered=False)
    after = tasks[-1]["_id"] if len(tasks) == most else ""
    await db["auditor"].update_one({"_id": LEASE}, {"$set": {"after": after}})
    return len(fresh)


def files_of(task: Mapping[str, Any]) -> dict[str, str | None]:
    return {file: task[file]["sha256"] if task.get(file) else None for file in ("xml", "pdf")}


async def due(db: Database, most: int) -> list[str]:
    """Those that are to be examined now, the longest unexamined first."""
    found = await db["audits"].find({"due": {"$lte": clock.now()}}, {"_id": 1}).sort([("due", 1)]).limit(most).to_list(most)
    return [each["_id"] for each in found]


async def forget(db: Database, document: str) -> None:
    """Of a document that signing has no task for any more."""
    await db["audits"].delete_one({"_id": document})


async def record(db: Database, task: Mapping[str, Any], findings: Sequence[Finding], *, again: dt.timedelta) -> bool:
    """Keep what was found; whether it is a difference that was not known. The audit trail has every beginning and end of one."""
    told = [f.model_dump() for f in findings]
    now = clock.now()

    async def work(session: Session) -> bool:
        before = await db["audits"].find_one({"_id": task["_id"]}, session=session) or {}
        was_different = before.get("result") == DIFFERENT
        fresh = bool(findings) and before.get("findings") != told
        after = {
            "school": task["school"],
            "files": files_of(task),
            "result": DIFFERENT if findings else WHOLE,
            "findings": told,
            "audited_at": now,
            "checked": now,
            "due": now + again,
            "since": (before.get("since") or now if was_different else now) if findings else None,
        }
        await db["audits"].update_one({"_id": task["_id"]}, {"$set": after}, upsert=True, session=session)
        if fresh or (was_different and not findings):
            act = "stored file differs" if findings else "stored file whole again"
            details = {"findings": [f"{f.file}:{f.place}:{f.code}" for f in findings], "reason": words(findings)}
            await audit.record(
                db,
                session,
                actor="signing",
                act=act,
                subject=task["_id"],
                place=task["school"],
                details=details if findings else {},
            )
        return fresh

    return await transaction(db, work)


async def audit_of(db: Database, document: str) -> Document | None:
    found: Document | None = await db["audits"].find_one({"_id": document})
    return found


async def different(db: Database, school: str) -> list[Document]:
    """Documents of the school whose stored files differ, the oldest first."""
    found: list[Document] = await db["audits"].find({"result": DIFFERENT, "school": school}).sort([("since", 1)]).to_list(None)
    return found


async def count_different(db: Database) -> int:
    return int(await db["audits"].count_documents({"result": DIFFERENT}))


async def longest_unexamined(db: Database) -> dt.datetime | None:
    """When the document was examined, or taken up, that has waited longest; None while there is none."""
    found = await db["audits"].find_one({}, {"checked": 1}, sort=[("checked", 1)])
    return None if found is None else found["checked"]
