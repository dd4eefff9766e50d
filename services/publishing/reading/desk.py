"""What a consumer gets: transcripts of one person that are in force, and their sealed files. Every read is in the audit trail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.errors import DAMAGED
from services.publishing.reading import rules, store
from services.publishing.reading.errors import READING_OVER, REPLAYED, TOO_FAST
from services.publishing.verification import store as verification

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.chassis.objects import Objects
    from services.publishing.reading.consumers import Consumer, Signed
    from services.publishing.verification.source import Source

log = logging.getLogger(__name__)
FORMS: tuple[rules.Form, ...] = ("pdf", "xml")


@dataclass(frozen=True)
class Found:
    """`reading`: by which the files are fetched `until` then."""

    reading: str
    until: dt.datetime
    transcripts: Sequence[tuple[Document, Source]]


async def admit(db: Database, signed: Signed) -> None:
    """Counts the request. Raises Refused: REPLAYED, TOO_FAST."""
    at, consumer = clock.now(), signed.consumer
    window, _ = rules.window_of(at)
    if await store.counted(db, consumer.id, window, at) > consumer.per_minute:
        raise Refused(TOO_FAST, most=consumer.per_minute)
    if not await store.first_time(db, consumer.id, signed.jti, at):
        raise Refused(REPLAYED)


async def transcripts(db: Database, signed: Signed) -> Found:
    """Nobody's, somebody's without transcripts, and those that the consumer may not see are one answer: none.

    Raises Refused as `rules.asked` does.
    """
    consumer, at = signed.consumer, clock.now()
    asked = rules.asked(signed.claims, consumer)
    held = await store.transcripts_of(db, asked.personal_id)
    paths = await store.paths_of(db, [s["school"] for s in held])
    own = [s for s in held if rules.readable_by(consumer, paths.get(s["school"], ()))]
    known = [(s, await verification.by_code(db, s["_id"])) for s in own]
    in_force = [(s, source) for s, source in known if source is not None and rules.may_be_read(source)]
    found = Found(str(uuid4()), at + rules.FILES_FOR, in_force)
    about = {"purpose": asked.purpose, "consent": asked.consent}
    reading = {
        "_id": found.reading,
        "consumer": consumer.id,
        **about,
        "at": at,
        "until": found.until,
        "files": {s["_id"]: {"school": s["school"], **{form: s[form] for form in FORMS}} for s, _ in in_force},
    }

    async def work(session: Session) -> None:
        await store.add_reading(db, session, reading)
        # each school's board sees what was read of its pupils; an answer without transcripts is nobody's, and recorded all the same
        schools: list[str | None] = [*sorted({str(s["school"]) for s, _ in in_force})]
        for school in schools or [None]:
            ids = [s["_id"] for s, _ in in_force if s["school"] == school]
            details = {"consumer": consumer.id, **about, "transcripts": ids}
            act = "transcripts read by consumer"
            await audit.record(db, session, actor=_actor(consumer), act=act, subject=found.reading, place=school, details=details)

    await transaction(db, work)
    return found


async def file(db: Database, objects: Objects, signed: Signed) -> tuple[bytes, rules.Form]:
    """A sealed file as it was issued, while its version is in force. Raises Refused: INVALID_INPUT, READING_OVER, DAMAGED."""
    asked, consumer = rules.file_asked(signed.claims), signed.consumer
    reading = await store.reading(db, asked.reading, consumer.id, clock.now())
    held: Mapping[str, Any] | None = (reading or {"files": {}})["files"].get(asked.document)
    if reading is None or held is None or not rules.may_be_read(await verification.by_code(db, asked.document)):
        raise Refused(READING_OVER)
    details = {"consumer": consumer.id, "purpose": reading["purpose"], "consent": reading["consent"]}
    await audit.record(
        db,
        None,
        actor=_actor(consumer),
        act="file read by consumer",
        subject=asked.reading,
        place=held["school"],
        details={**details, "transcripts": [asked.document], "form": asked.form},
    )
    try:
        return await objects.get(DocumentRef.model_validate(held[asked.form])), asked.form
    except (DamagedObject, MissingObject) as problem:
        log.exception("a confirmed file is missing or damaged", extra={"transcript": asked.document})
        raise Refused(DAMAGED) from problem


def _actor(consumer: Consumer) -> str:
    return f"consumer:{consumer.id}"
