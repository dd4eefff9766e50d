"""What is done with share links: the school makes and revokes them, whoever holds one opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import DuplicateKeyError, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.sharing import rules, secret, store
from services.publishing.sharing.errors import FILE_DAMAGED, LINK_GONE, MADE_ALREADY, NOT_IN_FORCE
from services.publishing.verification import store as verification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database
    from services.chassis.objects import Objects

ANYBODY = "anonymous"
"""The actor of whoever holds a link; where from stands in the trail, as of everybody."""


async def make(db: Database, who: Principal, key: str, transcripts: Sequence[str], ask: rules.Ask) -> tuple[rules.Share, str]:
    """The link and its secret, which nobody can ask for again. `key` is the id that the link gets; a form is good for one.

    Raises Refused: NOT_SHAREABLE, MADE_ALREADY.
    """
    told, at, ids = secret.new(), clock.now(), list(dict.fromkeys(transcripts))

    async def work(session: Session) -> rules.Share:
        held = await store.named(db, session, ids)
        known = await store.sources(db, ids, session)
        share = rules.made(key, secret.digest_of(told), list(zip(held, known, strict=True)), ask, who=who, at=at)
        await store.add(db, session, share)
        details = {"transcripts": ids, "pupil": share["pupil_code"], "until": share["until"], "relation": ask.relation}
        await audit.record(db, session, actor=who.person, act="share link made", subject=key, place=who.school, details=details)
        return share

    try:
        return await transaction(db, work), told
    except DuplicateKeyError as problem:
        raise Refused(MADE_ALREADY) from problem


async def revoke(db: Database, who: Principal, key: str, reason: str) -> None:
    """Raises Refused: NOT_FOUND, REASON_NEEDED, ENDED_ALREADY."""
    said, at = rules.reason_of(reason), clock.now()

    async def work(session: Session) -> None:
        share = rules.revoked(await store.one(db, key, str(who.school), session), said, who=who, at=at)
        await store.set_revoked(db, session, share)
        details = {"reason": said, "transcripts": [t["id"] for t in share["transcripts"]]}
        await audit.record(db, session, actor=who.person, act="share link revoked", subject=key, place=who.school, details=details)

    await transaction(db, work)


async def opened(db: Database, text: str, document: str = "", *, what: str = "open") -> tuple[rules.Share, Mapping[str, Any]]:
    """The share behind a secret, and the transcript asked for; counted and recorded before anything is shown.

    `what`: "open", "pdf" or "xml". Raises Refused(LINK_GONE): unknown, run out, revoked and not shared are one answer.
    """
    told = secret.typed(text)
    if told is None:
        raise Refused(LINK_GONE)
    digest = secret.digest_of(told)

    async def work(session: Session) -> tuple[rules.Share, Mapping[str, Any]]:
        share = await store.by_digest(db, digest, session)
        if share is None or rules.state_of(share, clock.now()) != "in_force":
            raise Refused(LINK_GONE)
        transcript = rules.transcript_in(share, document)
        if transcript is None:
            raise Refused(LINK_GONE)
        await store.count(db, session, share["_id"], what=what, document=transcript["id"])
        act = "share link opened" if what == "open" else "shared file fetched"
        details = {"transcripts": [transcript["id"]], **({} if what == "open" else {"form": what})}
        await audit.record(db, session, actor=ANYBODY, act=act, subject=share["_id"], place=share["school"], details=details)
        return share, transcript

    return await transaction(db, work)


async def file_of(db: Database, objects: Objects, transcript: Mapping[str, Any], form: str) -> bytes:
    """The sealed file, while its version is in force. Raises Refused: NOT_IN_FORCE, FILE_DAMAGED."""
    source = await verification.by_code(db, transcript["id"])
    if source is None or source.standing != "in_force":
        raise Refused(NOT_IN_FORCE)
    try:
        return await objects.get(DocumentRef.model_validate(transcript[form]))
    except (DamagedObject, MissingObject) as problem:
        raise Refused(FILE_DAMAGED) from problem
