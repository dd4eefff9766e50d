"""Every query of signing."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from contracts.events.signing import TranscriptStoppedV1
from services.chassis import aggregates, clock
from services.chassis.aggregates import Change
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.leases import EXPIRED_OR_FREE, claim
from services.chassis.mongo import ASCENDING, IndexModel, UpdateOne, transaction
from services.signing.auditing.store import end_approvals, save_approvals
from services.signing.auditing.store import ensure_indexes as ensure_audit_indexes
from services.signing.items import OPEN
from services.signing.tasks import ASSEMBLING, CANCELLED, SEALING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.documents import SignedKind
    from contracts.event import Event
    from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1
    from contracts.events.records import SchoolYearLockedV1, SchoolYearUnlockedV1
    from services.chassis.mongo import Database, Document, Session

UNFINISHED = ["preparing", "waiting", "signing"]
"""States of a batch that has not ended."""
SECRETS = ("token", "sad", "handle", "answer", "leaving", "questions")
"""Of a batch: what is between us and the provider, forgotten at its end."""
MOST_QUEUED = 2000
"""Batches that are put in order at a time; the others are younger still."""


async def ensure_indexes(db: Database) -> None:
    await db["tasks"].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("step", ASCENDING), ("waiting", ASCENDING), ("class_code", ASCENDING)]),
            IndexModel([("school", ASCENDING), ("signed_by", ASCENDING)]),
            IndexModel([("step", ASCENDING), ("_id", ASCENDING)]),
        ]
    )
    await db["signatures"].create_indexes([IndexModel([("transcript", ASCENDING)])])
    await db["batches"].create_indexes(
        [IndexModel([("state", ASCENDING), ("_id", ASCENDING)]), IndexModel([("person", ASCENDING), ("at", ASCENDING)])]
    )
    await db["items"].create_indexes([IndexModel([("batch", ASCENDING), ("number", ASCENDING)], unique=True)])
    await ensure_audit_indexes(db)


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    # certificates that may sign

    async def save_certificates(self, session: Session, events: Sequence[Event[CertificateApprovedV1]]) -> None:
        """One approval that comes after a later one of the same owner changes nothing: only one request's events come in order."""
        await save_approvals(self.db, session, events)
        for event in events:
            fact = event.data
            owner = account_key(fact.kind, fact.person if fact.kind == "person" else fact.school)
            if await self.db["accounts"].find_one({"_id": owner, "since": {"$gt": event.occurred_at}}, session=session):
                continue
            await self.db["accounts"].replace_one(
                {"_id": owner}, {"_id": owner, "since": event.occurred_at, **fact.model_dump(mode="json")}, upsert=True, session=session
            )

    async def end_certificates(self, session: Session, events: Sequence[Event[CertificateEndedV1]]) -> None:
        """Only the certificate that is named ends: the owner may sign with another one by now."""
        await end_approvals(self.db, session, events)
        for event in events:
            fact = event.data
            account = await self.standing(fact.kind, fact.person if fact.kind == "person" else fact.school, session)
            if account is not None and hashlib.sha256(b64decode(account["certificate"])).hexdigest() == fact.certificate_sha256:
                await self.db["accounts"].update_one({"_id": account["_id"]}, {"$set": {"ended": fact.reason}}, session=session)

    async def standing(self, kind: str, owner: str, session: Session | None = None) -> Document | None:
        """What was approved last, also when it has ended since ("ended": the reason)."""
        found: Document | None = await self.db["accounts"].find_one({"_id": account_key(kind, owner)}, session=session)
        return found

    async def account(self, kind: str, owner: str) -> Document | None:
        found: Document | None = await self.db["accounts"].find_one({"_id": account_key(kind, owner), "ended": None})
        return found

    # school years that the principal locked

    async def save_year_locks(
        self, session: Session, events: Sequence[Event[SchoolYearLockedV1] | Event[SchoolYearUnlockedV1]], *, locked: bool
    ) -> None:
        """Events of one school year come in order."""
        for event in events:
            state = {"school": event.data.school, "year": event.data.year, "locked": locked}
            await self.db["year_locks"].update_one({"_id": event.subject}, {"$set": state}, upsert=True, session=session)

    async def locked_years(self, session: Session | None, school: str | None) -> set[str]:
        return set(await self.db["year_locks"].distinct("year", {"school": school, "locked": True}, session=session))

    # tasks

    async def save_tasks(self, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
        await aggregates.save(self.db, session, "tasks", changes, actor=actor, cause=cause)

    async def load_tasks(self, session: Session | None, ids: Iterable[str]) -> dict[str, Document]:
        found = await self.db["tasks"].find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return {t["_id"]: t for t in found}

    async def waiting(
        self, school: str, step: str, person: str | None, *, classes: Sequence[str] | None = None, kind: SignedKind = "transcript"
    ) -> list[Document]:
        """Tasks of this kind at `step`; `person` None for the issue step, which waits for whoever holds the right."""
        wanted: Document = {"school": school, "step": step, **_of_kind(kind)}
        if person is not None:
            wanted["waiting"] = person
        if classes:
            wanted["class_code"] = {"$in": list(classes)}
        return await self.db["tasks"].find(wanted).sort([("class_code", 1), ("_id", 1)]).to_list(None)

    async def signed(self, school: str, step: str, person: str, *, kind: SignedKind = "transcript") -> list[Document]:
        wanted: Document = {"school": school, "signed_by": f"{step}:{person}", **_of_kind(kind)}
        return await self.db["tasks"].find(wanted).sort([("class_code", 1), ("_id", 1)]).to_list(None)

    async def signed_of_class(self, school: str, year: str, class_code: str, most: int) -> list[Document]:
        """Documents of every kind that have a signed file; not the cancelled ones."""
        wanted: Document = {"school": school, "year": year, "class_code": class_code, "xml": {"$ne": None}, "step": {"$ne": CANCELLED}}
        found = await self.db["tasks"].find(wanted).sort([("pupil_code", 1), ("_id", 1)]).limit(most).to_list(most)
        return [t for t in found if t["signatures"]]

    async def signs_in_class(self, school: str, year: str, class_code: str, person: str) -> bool:
        wanted = {"school": school, "year": year, "class_code": class_code, "steps.signers.person": person}
        return await self.db["tasks"].find_one(wanted, {"_id": 1}) is not None

    async def task(self, transcript: str) -> Document:
        found = await self.db["tasks"].find_one({"_id": transcript})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    # signatures of the parallel step, until the last one is there

    async def add_signatures(self, session: Session, signatures: Sequence[Document]) -> None:
        if signatures:
            await self.db["signatures"].insert_many(list(signatures), session=session)

    async def signatures(self, transcripts: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """By transcript and signature id: the ds:Signature elements."""
        found: dict[str, dict[str, bytes]] = {t: {} for t in transcripts}
        async for s in self.db["signatures"].find({"transcript": {"$in": list(found)}}):
            found[s["transcript"]][s["signature_id"]] = s["element"]
        return found

    async def due_assemblies(self, limit: int) -> list[Document]:
        return await self.db["tasks"].find({"step": ASSEMBLING, "stopped": None}).limit(limit).to_list(limit)

    async def claim_sealing(self, owner: str, seconds: float) -> Document | None:
        return await claim(self.db["tasks"], {"step": SEALING, "stopped": None}, owner, seconds)

    async def set_aside(self, stopped: Mapping[str, Refused]) -> None:
        """Nothing more is done with these until records has them tried again, or cancels them; it is told why."""

        async def work(session: Session) -> None:
            changes = []
            for task in (await self.load_tasks(session, stopped)).values():
                # another worker may have been luckier meanwhile
                if task["step"] in (ASSEMBLING, SEALING) and not task.get("stopped"):
                    refused = stopped[task["_id"]]
                    reason = {"code": refused.code, "reason": refused.cause, "action": refused.action}
                    fact = TranscriptStoppedV1(code=refused.code, reason=refused.cause)
                    changes.append(Change({**task, "stopped": reason}, fact))
            await self.save_tasks(session, changes, actor="signing", cause="set aside")

        if stopped:
            await transaction(self.db, work)

    # batches

    async def add_batch(self, session: Session, batch: Document, items: Sequence[Document]) -> None:
        await self.db["batches"].insert_one(batch, session=session)
        if items:
            await self.db["items"].insert_many(list(items), session=session)

    async def batch(self, batch_id: str) -> Document:
        found = await self.db["batches"].find_one({"_id": batch_id})
        if found is None:
            raise Refused(NOT_FOUND)
        return found

    async def batches_of(self, person: str, limit: int = 20) -> list[Document]:
        """Newest first, without what only the worker needs."""
        hidden = dict.fromkeys((*SECRETS, "certificate", "chain"), 0)
        return await self.db["batches"].find({"person": person}, projection=hidden).sort("at", -1).to_list(limit)

    async def counts_of(self, batch_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """By batch: how many of its items are in which state."""
        found: dict[str, dict[str, int]] = {b: {} for b in batch_ids}
        by = {"batch": "$batch", "state": "$state"}
        stages: list[Document] = [{"$match": {"batch": {"$in": list(batch_ids)}}}, {"$group": {"_id": by, "n": {"$sum": 1}}}]
        async for row in self.db["items"].aggregate(stages):
            found[row["_id"]["batch"]][row["_id"]["state"]] = row["n"]
        return found

    async def set_batch(self, batch_id: str, owner: str, changes: Mapping[str, Any], *, unless_cancelled: bool = False) -> bool:
        """False when the lease was lost: the holder must stop. With `unless_cancelled` also when its person has stopped it."""
        wanted: Document = {"_id": batch_id, "lease.owner": owner, **({"cancel": {"$ne": True}} if unless_cancelled else {})}
        done = await self.db["batches"].update_one(wanted, {"$set": dict(changes)})
        return done.matched_count == 1

    async def is_held(self, batch_id: str, owner: str, session: Session) -> bool:
        """Is it run under this owner's lease, as far as this transaction sees?"""
        wanted = {"_id": batch_id, "lease.owner": owner}
        return await self.db["batches"].find_one(wanted, projection={"_id": 1}, session=session) is not None

    async def finish_batch(self, batch_id: str, owner: str) -> bool:
        """The end, with which the provider's token and authorisation are forgotten. False when the lease was lost."""
        end = {"$set": {"state": "finished", "ended_at": clock.now()}, "$unset": dict.fromkeys(SECRETS, "")}
        done = await self.db["batches"].update_one({"_id": batch_id, "lease.owner": owner}, end)
        return done.matched_count == 1

    async def change_batch(self, batch_id: str, changes: Mapping[str, Any]) -> None:
        """While it waits, by whoever answers for its person; what a worker keeps is not among this."""
        await self.db["batches"].update_one({"_id": batch_id, "state": "waiting"}, {"$set": dict(changes)})

    async def note_codes_sent(self, batch_id: str, at: dt.datetime, *, before: dt.datetime) -> bool:
        """False when one-time passwords were sent after `before`; of two who ask at once one is told so."""
        wanted = {"_id": batch_id, "state": "waiting", "$or": [{"codes_sent_at": None}, {"codes_sent_at": {"$lt": before}}]}
        return (await self.db["batches"].update_one(wanted, {"$set": {"codes_sent_at": at}})).matched_count == 1

    async def answer_batch(self, batch_id: str, answer: Mapping[str, Any]) -> bool:
        """What came of the person's confirmation; the worker is hinted at it. False when it has one, was stopped or has ended."""
        wanted = {"_id": batch_id, "state": "waiting", "answer": None, "cancel": {"$ne": True}}
        changes = {"$set": {"answer": dict(answer), "hinted": True}, "$unset": {"leaving": "", "questions": ""}}
        return (await self.db["batches"].update_one(wanted, changes)).matched_count == 1

    async def take_way_back(self, person: str, state: str) -> Document | None:
        """The batch, with `leaving`, of a person who comes back from a provider's page; the same `state` finds nothing a second time."""
        wanted = {"person": person, "state": "waiting", "leaving.state": state}
        found: Document | None = await self.db["batches"].find_one_and_update(wanted, {"$unset": {"leaving": ""}})
        return found

    async def queued_batches(self) -> list[Document]:
        """Those that nobody runs at this moment, oldest first: new ones, and those whose worker is gone."""
        wanted = {"state": {"$in": UNFINISHED}, "$expr": EXPIRED_OR_FREE}
        shown = {"school": 1, "at": 1, "cancel": 1, "state": 1}
        return await self.db["batches"].find(wanted, projection=shown).sort("at", 1).limit(MOST_QUEUED).to_list(None)

    async def served_schools(self) -> dict[str, int]:
        """How many batches of each school are being run now."""
        held = {"state": {"$in": UNFINISHED}, "lease": {"$exists": True}, "$expr": {"$not": [EXPIRED_OR_FREE]}}
        rows = self.db["batches"].aggregate([{"$match": held}, {"$group": {"_id": "$school", "n": {"$sum": 1}}}])
        return {row["_id"]: row["n"] async for row in rows}

    async def overdue_batches(self, before: dt.datetime) -> list[Document]:
        """Batches that should have ended by `before` and have not."""
        wanted = {"state": {"$in": UNFINISHED}, "deadline": {"$lt": before}}
        return await self.db["batches"].find(wanted, projection={"state": 1, "deadline": 1}).to_list(None)

    async def unfinished_counts(self) -> dict[str, int]:
        rows = self.db["batches"].aggregate([{"$match": {"state": {"$in": UNFINISHED}}}, {"$group": {"_id": "$state", "n": {"$sum": 1}}}])
        return {row["_id"]: row["n"] async for row in rows}

    async def cancel_requested(self, batch_id: str) -> bool:
        return await self.db["batches"].find_one({"_id": batch_id, "cancel": True}, projection={"_id": 1}) is not None

    async def request_cancel(self, session: Session, batch_id: str, person: str) -> bool:
        """False once the batch is confirmed."""
        done = await self.db["batches"].update_one(
            {"_id": batch_id, "person": person, "state": {"$in": ["preparing", "waiting"]}}, {"$set": {"cancel": True}}, session=session
        )
        return done.matched_count == 1

    async def items(self, batch_id: str, *, states: Sequence[str] | None = None, bodies: bool = False) -> list[Document]:
        wanted: Document = {"batch": batch_id}
        if states is not None:
            wanted["state"] = {"$in": list(states)}
        projection = None if bodies else {"prepared": 0, "values": 0}
        return await self.db["items"].find(wanted, projection=projection).sort("number", 1).to_list(None)

    async def open_of(self, items: Sequence[Document], session: Session) -> list[Document]:
        """Those of `items` that have no outcome yet."""
        wanted = {"_id": {"$in": [i["_id"] for i in items]}, "state": {"$in": list(OPEN)}}
        still_open = {i["_id"] async for i in self.db["items"].find(wanted, projection={"_id": 1}, session=session)}
        return [i for i in items if i["_id"] in still_open]

    async def set_items(self, changes: Mapping[str, Mapping[str, Any]], session: Session | None = None, *, among: Sequence[str]) -> None:
        """Of items in one of these states; others have gone on meanwhile, by the hand of somebody else, and stay as they are."""
        writes = [
            UpdateOne({"_id": i, "state": {"$in": list(among)}}, {"$set": dict(c), "$currentDate": {"changed_at": True}})
            for i, c in changes.items()
        ]
        if writes:
            await self.db["items"].bulk_write(writes, ordered=False, session=session)

    async def move_items(self, batch_id: str, states: Sequence[str], to: str) -> None:
        await self.db["items"].update_many({"batch": batch_id, "state": {"$in": list(states)}}, {"$set": {"state": to}})


def _of_kind(kind: SignedKind) -> Document:
    """Tasks that were written before there were kinds are about transcripts."""
    return {"kind": {"$in": [kind, None]}} if kind == "transcript" else {"kind": kind}


def account_key(kind: str, owner: str) -> str:
    return f"{kind}:{owner}"
