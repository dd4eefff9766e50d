"""Pairing a signing program with a person: a short code from the page, typed into the program, becomes a session of the program's own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.chassis.origin import Origin
from services.identity.accounts import sessions
from services.identity.agents import store
from services.identity.errors import PAIRING_BUSY, WRONG_PAIRING_CODE
from services.identity.organisations.people import place_of
from services.identity.store import one

if TYPE_CHECKING:
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.sessions import Here

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without I, L, O, 0 and 1, which look alike."""
LENGTH = 8
VALID = timedelta(minutes=5)
WRONG_A_MINUTE = 60
"""Wrong codes from everywhere together. Of 31^8 codes, 300 guesses in a code's life find one of a thousand once in three million times."""


@dataclass(frozen=True)
class Paired:
    """`token` is the secret of the program's session for its cookie; it is not kept anywhere else."""

    token: str
    agent: str
    person: str
    name: str


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """In two halves, as people read it out."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def normalised(typed: str) -> str:
    return "".join(typed.upper().replace("-", " ").split())


def device_of(host: str) -> str:
    """How the program is called among the person's devices."""
    return f"Chương trình ký trên máy tính {clean_host(host)}"


def clean_host(host: str) -> str:
    return "".join(c for c in host if c.isprintable()).strip()[:60] or "không tên"


def agent_session(token: str, pairing: Document, agent: str, told: dict[str, str], *, at: datetime, address: str) -> Document:
    """A session like any other, so that it ends like any other, but of the kind that ordinary routes refuse."""
    host = clean_host(told["host"])
    session = sessions.new_session(
        token,
        pairing["person"],
        pairing["version"],
        forced=False,
        factor=sessions.Factor(pairing["factor"]),
        at=at,
        origin=Origin(device=device_of(host), address=address),
    )
    return {**session, "kind": "agent", "agent": agent, "host": host, "program": told["version"], "polled_at": None}


async def begin(db: Database, here: Here) -> str:
    """A new code for the person; an earlier one is void. It is also void once the session that asked for it is over."""
    code = new_code()
    person = here.who.person
    pairing: dict[str, Any] = {
        "_id": sessions.digest_of(code),
        "person": person,
        "session": here.digest,
        "version": here.version,
        "factor": here.factor.value,
        "expires_at": clock.now() + VALID,
    }

    async def work(session: Session) -> None:
        await store.keep_pairing(db, session, pairing)
        await audit.record(db, session, actor=person, act="agent pairing begun", subject=person, place=here.who.place)

    await transaction(db, work)
    return code


async def pair(db: Database, code: str, told: dict[str, str], address: str) -> Paired:
    """`told` is what the program says of itself: `host` and `version`. Raises Refused: WRONG_PAIRING_CODE, PAIRING_BUSY."""
    at = clock.now()
    # counted before the code is looked at, so that many at once do not pass the limit
    if await store.count_guess(db, at, 1) > WRONG_A_MINUTE:
        raise Refused(PAIRING_BUSY)
    token, agent = sessions.new_token(), str(uuid4())

    async def work(session: Session) -> Paired:
        pairing = await store.take_pairing(db, session, sessions.digest_of(normalised(code)), at)
        person = await one(db, "people", pairing["person"], session) if pairing else None
        if pairing is None or person is None or not await store.still_signed_in(db, session, pairing["session"], at):
            raise Refused(WRONG_PAIRING_CODE)
        made = agent_session(token, pairing, agent, told, at=at, address=address)
        await db["sessions"].insert_one(made, session=session)
        details = {"agent": agent, "address": address}
        place = place_of(person)
        await audit.record(db, session, actor=person["_id"], act="agent paired", subject=person["_id"], place=place, details=details)
        return Paired(token, agent, person["_id"], person["name"])

    paired = await transaction(db, work)
    await store.count_guess(db, at, -1)
    return paired
