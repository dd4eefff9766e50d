"""Jobs `sign` for the program on the person's computer: what it is asked, what it sees, what it answers, item by item.

The program signs nothing that it has not recomputed, so it gets the documents, and its order names the digests it must arrive at.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.documents import DocumentRef
from contracts.nouns import NOUNS
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.means.token import FailureCode, SignBatch
from services.signing.agents import store
from services.signing.agents.errors import JOB_OVER, UNKNOWN_JOB
from services.signing.queues import kind_of, title_of
from services.signing.steps import STEPS
from services.signing.steps.kind import Prepared

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.objects import Objects

LOOK_SECONDS = 0.5
"""How often a waiting program's jobs are looked for."""
TAKE_WITHIN: Final = timedelta(minutes=5)
"""A signed job that is older is not taken any more."""
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Order:
    """A job for one program: `content` as in `token.SignBatch`."""

    id: str
    content: dict[str, Any]


class Piece(BaseModel):
    """The documents of one item and what is to be signed in them, in base64.

    `xml` is the whole document, `signature` the ds:Signature without its value; `pdf` the document before the signature and `revision`
    what is appended to it, `attributes` the DER of the signed attributes; these three are null where only the XML is signed.
    """

    xml: str
    signature: str
    pdf: str | None
    revision: str | None
    attributes: str | None


def _value(text: str) -> str:
    b64decode(text, validate=True)
    return text


Value = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_value)]


class Answered(BaseModel):
    """One item: its values in base64 (of the XML, then of the PDF), or why it was not signed."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=0)
    values: list[Value] = Field(default=[], max_length=2)
    failure: FailureCode | None = None

    @model_validator(mode="after")
    def _one(self) -> Answered:
        if bool(self.values) == (self.failure is not None):
            raise ValueError("either values or a failure")
        return self


class Answers(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Answered] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Told(BaseModel):
    """How the program stands: it waits for the PIN, for the token, it signs; or it does not sign, and why."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["PIN", "UNPLUGGED", "SIGNING"] | None = None
    failure: FailureCode | None = None

    @model_validator(mode="after")
    def _one(self) -> Told:
        if (self.state is None) == (self.failure is None):
            raise ValueError("either a state or a failure")
        return self


async def asked(db: Database, batch: Document, scheme: str) -> Document:
    """The job of this batch, made when it is first asked for."""
    at = clock.now()
    return await store.make_job(
        db,
        {
            "_id": batch["_id"],
            "person": batch["person"],
            "school": batch["school"],
            "title": STEPS[batch["step"]].title,
            "noun": NOUNS[kind_of(batch)],
            "certificate": hashlib.sha256(batch["certificate"]).hexdigest(),
            "scheme": scheme,
            "state": "ASKED",
            "confirmed": False,
            "agent": None,
            "failure": None,
            "created_at": at,
            "heard_at": at,
            "moved_at": at,
            "ended_at": None,
        },
    )


async def next_for(
    db: Database, who: Principal, working: Sequence[str], wait_seconds: float, gone: Callable[[], Awaitable[bool]]
) -> Order | None:
    """Wait for a batch that this program can sign; None when there is none in time, or who asked is `gone`."""
    agent = str(who.agent)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_seconds
    await store.polled(db, agent, who.person, clock.now())
    while True:
        at = clock.now()
        await store.heard(db, agent, working, at)
        found = await store.take_job(db, who.person, agent, working, at)
        if found is not None:
            return await _order(db, found)
        left = until - loop.time()
        if left <= 0 or await gone():
            return None
        await asyncio.sleep(min(LOOK_SECONDS, left))


async def _order(db: Database, job: Document) -> Order:
    items = await store.open_items(db, job["_id"])
    listed = [
        [
            item["number"],
            title_of(item),
            bytes(item["prepared"]["xml"]["digest"]).hex(),
            bytes(item["prepared"]["pdf"]["digest"]).hex() if item["prepared"].get("pdf") else None,
        ]
        for item in items
    ]
    encoded = json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()
    await store.keep_items(db, job["_id"], encoded)
    content = SignBatch(
        batch=job["_id"],
        title=f"{job['title']}: {len(items)} {job['noun']}",
        count=max(1, len(items)),
        items=hashlib.sha256(encoded).hexdigest(),
        certificate=job["certificate"],
        scheme=job["scheme"],
    )
    return Order(job["_id"], content.model_dump(mode="json"))


async def listed(db: Database, who: Principal, job_id: str) -> bytes:
    """The items as the job names them by their digest."""
    await _own(db, who, job_id)
    found = await store.items_of(db, job_id, str(who.agent))
    if found is None:
        raise Refused(JOB_OVER)
    return found


async def piece(db: Database, objects: Objects, who: Principal, job_id: str, number: int) -> Piece:
    await _own(db, who, job_id)
    item = await store.open_item(db, job_id, number)
    if item is None:
        raise Refused(JOB_OVER)
    prepared = Prepared.model_validate(item["prepared"])
    task = await db["tasks"].find_one({"_id": item["transcript"]})
    if task is None:
        raise Refused(UNKNOWN_JOB)
    xml = await objects.get(DocumentRef.model_validate(task["xml"] or task["content"]))
    pdf = await objects.get(DocumentRef.model_validate(task["pdf"])) if prepared.pdf else None
    return Piece(
        xml=_encoded(xml),
        signature=_encoded(prepared.xml.signature),
        pdf=_encoded(pdf) if pdf is not None else None,
        revision=_encoded(prepared.pdf.revision) if prepared.pdf else None,
        attributes=_encoded(prepared.pdf.signed_attributes) if prepared.pdf else None,
    )


async def tell(db: Database, who: Principal, job_id: str, told: Told) -> None:
    """Raises Refused: UNKNOWN_JOB, JOB_OVER, at which the program stops."""
    job = await _own(db, who, job_id)
    at = clock.now()
    changes: Document = {"heard_at": at}
    if told.failure is not None:
        changes |= {"state": store.ENDED, "failure": told.failure, "ended_at": at}
    else:
        changes["state"] = told.state
        if told.state == "SIGNING":
            changes |= {"confirmed": True, "moved_at": at}

    async def work(session: Session) -> None:
        if not await store.change(db, session, job_id, str(who.agent), changes):
            raise Refused(JOB_OVER)
        if told.failure is not None or told.state == "SIGNING":
            details = {"agent": who.agent, **({"failure": told.failure} if told.failure else {"means": "token"})}
            await audit.record(db, session, actor=who.person, act="agent answered", subject=job_id, place=job["school"], details=details)

    await transaction(db, work)


async def answer(db: Database, who: Principal, job_id: str, answers: Answers) -> None:
    """Values are kept as they come; whether they are right is found when they are embedded. Raises Refused: UNKNOWN_JOB, JOB_OVER."""
    job = await _own(db, who, job_id)
    at = clock.now()
    values = {one.number: [b64decode(v) for v in one.values] for one in answers.items if one.values}
    failures = {one.number: str(one.failure) for one in answers.items if one.failure is not None}

    async def work(session: Session) -> None:
        moved = {"state": "SIGNING", "heard_at": at, "moved_at": at}
        if not job["confirmed"] or not await store.change(db, session, job_id, str(who.agent), moved):
            raise Refused(JOB_OVER)
        await store.returned(db, session, job_id, values, failures)

    await transaction(db, work)


async def _own(db: Database, who: Principal, job_id: str) -> Document:
    job = await store.job(db, job_id)
    if job is None or job["person"] != who.person:
        raise Refused(UNKNOWN_JOB)
    if job["agent"] != who.agent or job["state"] == store.ENDED:
        raise Refused(JOB_OVER)
    return job


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()
