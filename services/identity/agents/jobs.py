"""Jobs for the signing program on a person's computer: asked by the flows of identity, answered by the program.

A job waits (QUEUED), is delivered (TAKEN, again after a lost connection) and ends once: DONE with `result` (a dump of the model in
`token.RESULT`), FAILED with `failure` (a code of `token.FAILURES`), or EXPIRED. It is kept for a day after its deadline.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import ValidationError

from services.chassis import audit, clock
from services.chassis.errors import INVALID_INPUT, SIGN_IN_NEEDED, Refused
from services.chassis.mongo import transaction
from services.identity.agents import store
from services.identity.errors import AGENT_JOB_OVER, AGENT_OFFLINE, UNKNOWN_AGENT_JOB
from services.identity.organisations.people import place_of
from services.identity.store import one
from services.means import token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session

LOOK_SECONDS = 1.0
"""How often a waiting agent's jobs are looked for."""


async def ask(db: Database, session: Session, *, person: str, kind: token.Kind, content: dict[str, Any], valid_for: timedelta) -> str:
    """Ask the person's program, within the caller's transaction; the job's id. It answers until `valid_for` has passed.

    `content` is checked against `token.CONTENT[kind]` (ValueError). Raises Refused(AGENT_OFFLINE) when no program of the person is
    connected; of several the one paired last is asked.
    """
    checked = token.CONTENT[kind].model_validate(content)
    found = await online(db, person, session)
    if found is None:
        raise Refused(AGENT_OFFLINE)
    at = clock.now()
    job_id = str(uuid4())
    asked = {
        "_id": job_id,
        "person": person,
        "agent": found["_id"],
        "kind": kind,
        "content": checked.model_dump(mode="json"),
        "state": "QUEUED",
        "created_at": at,
        "expires_at": at + valid_for,
        "result": None,
        "failure": None,
    }
    await store.add_job(db, session, asked)
    details = {"job": job_id, "kind": kind, "agent": found["_id"]}
    owner = await one(db, "people", person, session)
    place = place_of(owner) if owner else None
    await audit.record(db, session, actor=person, act="agent asked", subject=person, place=place, details=details)
    return job_id


async def job(db: Database, job_id: str, person: str) -> Document | None:
    """The person's own job as it is now: `state`, `result`, `failure`, `expires_at`. None for one of somebody else as well."""
    found = await store.job(db, job_id, person)
    if found is not None and found["state"] in store.OPEN and clock.now() >= found["expires_at"]:
        return {**found, "state": "EXPIRED"}
    return found


async def online(db: Database, person: str, session: Session | None = None) -> Document | None:
    """The connected program of the person, the one paired last: `_id` (agent), `host`, `program`, `paired_at`, `polled_at`."""
    return next((agent for agent in await paired(db, person, session) if agent["online"]), None)


async def paired(db: Database, person: str, session: Session | None = None) -> list[Document]:
    """All paired programs of the person as in `online`, with `online` and the digest of the `session` to end."""
    at = clock.now()
    return [
        {
            "_id": found["agent"],
            "session": found["_id"],
            "host": found["host"],
            "program": found["program"],
            "paired_at": found["created_at"],
            "polled_at": found["polled_at"],
            "online": found["polled_at"] is not None and at - found["polled_at"] < store.ONLINE,
        }
        for found in await store.agents_of(db, person, at, session)
    ]


async def next_for(
    db: Database, agent: str, working: Sequence[str], wait_seconds: float, gone: Callable[[], Awaitable[bool]]
) -> Document | None:
    """Wait for a job of this agent but those it works on already; None when there is none in time, or who asked is `gone`.

    Raises Refused(SIGN_IN_NEEDED) once the agent's session is over, also while it waits.
    """
    if not await store.polled(db, agent, clock.now()):
        raise Refused(SIGN_IN_NEEDED)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_seconds
    while True:
        at = clock.now()
        if await store.agent_session(db, agent, at) is None:
            raise Refused(SIGN_IN_NEEDED)
        found = await store.take_job(db, agent, working, at)
        left = until - loop.time()
        if found is not None or left <= 0 or await gone():
            return found
        await asyncio.sleep(min(LOOK_SECONDS, left))


async def answer(db: Database, who: Principal, job_id: str, given: dict[str, Any] | token.Failure) -> None:
    """A result or a failure from the agent `who`; accepted once.

    Raises Refused: UNKNOWN_AGENT_JOB, AGENT_JOB_OVER, INVALID_INPUT for a result that does not fit the job.
    """
    agent = str(who.agent)

    async def work(session: Session) -> None:
        asked = await store.job_of_agent(db, session, job_id, agent)
        if asked is None:
            raise Refused(UNKNOWN_AGENT_JOB)
        ended: Document = {"state": "DONE", "result": None, "failure": None, "answered_at": clock.now()}
        if isinstance(given, token.Failure):
            ended |= {"state": "FAILED", "failure": given.code}
        else:
            ended["result"] = _checked(asked["kind"], given)
        if not await store.end_job(db, session, job_id, agent, ended):
            raise Refused(AGENT_JOB_OVER)
        details = {"job": job_id, "kind": asked["kind"], "state": ended["state"], "failure": ended["failure"]}
        await audit.record(db, session, actor=who.person, act="agent answered", subject=who.person, place=who.place, details=details)

    await transaction(db, work)


def _checked(kind: token.Kind, result: dict[str, Any]) -> Document:
    try:
        return token.RESULT[kind].model_validate(result).model_dump(mode="json")
    except ValidationError as wrong:
        raise Refused(INVALID_INPUT, fields="result") from wrong
