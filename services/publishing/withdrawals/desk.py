"""Menu 2.10: what the administrator does with requests to withdraw; each is decided on its own, and whoever is refused is told why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from contracts.nouns import worded
from services.chassis import audit, clock
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import Document, Session, transaction
from services.publishing.window_store import windows_of
from services.publishing.withdrawals import rules, store
from services.publishing.withdrawals.document import request_xml
from services.publishing.withdrawals.errors import NOTHING_CHOSEN, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from contracts.access import Principal
    from contracts.documents import DocumentRef
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database
    from services.chassis.objects import Objects

    Decide = Callable[[Document], Change]
    Refusals = list[dict[str, str]]

CHUNK = 100
MOST = 5000


async def draft(db: Database, who: Principal, transcripts: Sequence[str], reason: str, *, request_id: str) -> dict[str, Any]:
    """ "Ghi": {"done": n, "refused": [{transcript, code, reason, action}], "requests": [ids]}; one request a document.

    Raises Refused(REASON_NEEDED, NOTHING_CHOSEN, TOO_MANY).
    """
    said, at = rules.reason_of(reason), clock.now()
    made: list[str] = []

    async def work(session: Session, chunk: Sequence[str], told: Refusals) -> Sequence[Change]:
        found = await db["submissions"].find({"_id": {"$in": list(chunk)}}, session=session).to_list(None)
        submissions = {s["_id"]: s for s in found}
        asked = await store.asked(db, session, chunk)
        windows = await windows_of(db, str(who.school), session)
        changes = []
        for transcript in chunk:
            try:
                own = rules.withdrawable(submissions.get(transcript), windows, at)
                changes.append(rules.drafted(own, reason=said, by=who, at=at, asked=transcript in asked))
            except Refused as refusal:
                told.append(_said(transcript, refusal, submissions.get(transcript)))
        return changes

    outcome = await _each(db, who, transcripts, work, act="draft withdrawal", request_id=request_id, made=made)
    return {**outcome, "requests": made}


async def edit(db: Database, who: Principal, request: str, reason: str, *, request_id: str) -> None:
    """Raises Refused: NOT_FOUND, REASON_NEEDED, NO_DRAFT."""
    said, at = rules.reason_of(reason), clock.now()

    async def work(session: Session) -> None:
        found = _own(await store.load(db, session, [request]), request, str(who.school))
        change = rules.edited(found, reason=said, by=who, at=at)
        await _save(db, session, who, [change], act="edit withdrawal", request_id=request_id)

    await transaction(db, work)


async def delete(db: Database, who: Principal, requests: Sequence[str], *, request_id: str) -> dict[str, Any]:
    """ "Xóa" of drafts."""
    at = clock.now()
    return await _decide(db, who, requests, lambda r: rules.deleted(r, by=who, at=at), act="delete withdrawal", request_id=request_id)


async def recall(db: Database, who: Principal, requests: Sequence[str], *, request_id: str) -> dict[str, Any]:
    """ "Rút yêu cầu": before it is signed it is a draft again; before the decision it ends."""
    at = clock.now()
    return await _decide(db, who, requests, lambda r: rules.recalled(r, by=who, at=at), act="recall withdrawal", request_id=request_id)


async def send(db: Database, objects: Objects, who: Principal, requests: Sequence[str], *, request_id: str) -> dict[str, Any]:
    """ "Gửi lên hệ thống": the requests wait for the school certificate, and go to the oversight unit once they are signed."""
    at, school = clock.now(), str(who.school)

    async def written(document: Document) -> tuple[str, DocumentRef]:
        content = request_xml({**document, "by_name": who.name}, at)
        return document["_id"], await objects.put(f"withdrawals/{document['_id']}", ".xml", content, "application/xml")

    async def work(session: Session, chunk: Sequence[str], told: Refusals) -> Sequence[Change]:
        loaded = await store.load(db, session, chunk)
        found = await db["submissions"].find({"_id": {"$in": [d["transcript"] for d in loaded.values()]}}, session=session).to_list(None)
        submissions = {s["_id"]: s for s in found}
        windows = await windows_of(db, school, session)
        changes = []
        for each in chunk:
            try:
                request = _own(loaded, each, school)
                rules.withdrawable(submissions.get(request["transcript"]), windows, at)
                # its XML says what it was; one that somebody has changed since is another
                same = each in contents and drafts[each]["sequence"] == request["sequence"]
                changes.append(rules.sent_to_be_sealed(request, contents[each] if same else None, by=who, at=at))
            except Refused as refusal:
                told.append(_said(each, refusal, loaded.get(each)))
        return changes

    chosen = list(dict.fromkeys(requests))[: MOST + 1]
    drafts = {i: d for i, d in (await store.load(db, None, chosen)).items() if d["school"] == school}
    contents = dict(await asyncio.gather(*(written(d) for d in drafts.values())))
    return await _each(db, who, requests, work, act="send withdrawal", request_id=request_id)


def _said(item: str, refusal: Refused, about: Mapping[str, Any] | None) -> dict[str, str]:
    kind = (about or {}).get("kind", "transcript")
    return {"id": item, "code": refusal.code, "reason": worded(kind, refusal.cause), "action": worded(kind, refusal.action)}


async def _decide(db: Database, who: Principal, requests: Sequence[str], decide: Decide, *, act: str, request_id: str) -> dict[str, Any]:
    async def work(session: Session, chunk: Sequence[str], told: Refusals) -> Sequence[Change]:
        loaded = await store.load(db, session, chunk)
        changes = []
        for each in chunk:
            try:
                changes.append(decide(_own(loaded, each, str(who.school))))
            except Refused as refusal:
                told.append(_said(each, refusal, loaded.get(each)))
        return changes

    return await _each(db, who, requests, work, act=act, request_id=request_id)


async def _each(
    db: Database,
    who: Principal,
    chosen: Sequence[str],
    work: Callable[[Session, Sequence[str], Refusals], Awaitable[Sequence[Change]]],
    *,
    act: str,
    request_id: str,
    made: list[str] | None = None,
) -> dict[str, Any]:
    every = list(dict.fromkeys(chosen))
    if not every:
        raise Refused(NOTHING_CHOSEN)
    if len(every) > MOST:
        raise Refused(TOO_MANY, most=MOST)
    done, refused = 0, []
    for start in range(0, len(every), CHUNK):

        async def tried(session: Session, chunk: Sequence[str] = every[start : start + CHUNK]) -> tuple[list[str], list[dict[str, str]]]:
            told: Refusals = []
            changes = await work(session, chunk, told)
            await _save(db, session, who, changes, act=act, request_id=request_id)
            return [change.document["_id"] for change in changes], told

        ids, no = await transaction(db, tried)
        done += len(ids)
        refused += no
        if made is not None:
            made += ids
    return {"done": done, "refused": refused}


async def _save(db: Database, session: Session, who: Principal, changes: Sequence[Change], *, act: str, request_id: str) -> None:
    await store.save(db, session, changes, actor=who.person, cause=request_id)
    for after in (change.document for change in changes):
        details = {"transcripts": [after["transcript"]], "reason": after["reason"]}
        await audit.record(
            db, session, actor=who.person, act=act, subject=after["_id"], place=who.school, request_id=request_id, details=details
        )


def _own(loaded: Mapping[str, Document], request: str, school: str) -> Document:
    """Raises Refused(NOT_FOUND) for what is not there or is another school's."""
    found = loaded.get(request)
    if found is None or found["school"] != school or found["state"] == rules.DELETED:
        raise Refused(NOT_FOUND)
    return found
