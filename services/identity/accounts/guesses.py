"""How often somebody may guess at an account.

Each device that has signed in before has a counter of its own, all others share one: ten failures in a row hold that counter for
15 minutes. What strangers do never holds the owner's device. Over all devices, an hour has room for a hundred failures; strangers
alone, at ten in 15 minutes, do not reach that. Everything is counted before it is looked at, so that many at once do not pass a limit.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from services.chassis import audit
from services.chassis.errors import Refused
from services.chassis.mongo import ReturnDocument
from services.identity.accounts import passwords, store
from services.identity.errors import LOCKED, LOCKED_EVERYWHERE
from services.identity.organisations.people import place_of
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session

HOUR = timedelta(hours=1)
MOST_AN_HOUR = 100


@dataclass(frozen=True)
class Attempt:
    """One guess that was let through: how many there were on its counter since the last right one, itself included."""

    username: str
    account: str
    counter: str
    number: int
    mark: str


async def begin(db: Database, username: str, device: str | None, at: datetime) -> Attempt:
    """`device`: digest of one that the account knows. Raises Refused: LOCKED, LOCKED_EVERYWHERE."""
    account = store.guess_key(username)
    counter = f"{account}:{device}" if device else account
    number = await store.count_guess(db, counter, at, account=account)
    if number > passwords.LOCKED_FROM:
        raise Refused(LOCKED, limit=passwords.LOCKED_FROM, minutes=int(passwords.LOCK.total_seconds() // 60))
    mark = secrets.token_hex(8)
    if not await _count_in_the_hour(db, account, mark, at):
        raise Refused(LOCKED_EVERYWHERE, limit=MOST_AN_HOUR)
    return Attempt(username, account, counter, number, mark)


async def failed(
    db: Database, attempt: Attempt, wait: Callable[[float], Awaitable[None]], *, act: str, request_id: str, address: str
) -> None:
    """Said in the trail, answered late. The same queries whether there is such an account or not.

    A name that nobody has is kept as its digest: it may be a password that was typed in the wrong field.
    """
    known = await store.account_named(db, attempt.username)
    person = await one(db, "people", known["_id"] if known else "")
    subject, place = (person["_id"], place_of(person)) if person else (attempt.account, None)
    details = {"attempt": attempt.number, "address": address}
    await audit.record(db, None, actor="anonymous", act=act, subject=subject, place=place, request_id=request_id, details=details)
    if attempt.number == passwords.LOCKED_FROM:
        await audit.record(
            db, None, actor="anonymous", act="sign-in locked", subject=subject, place=place, request_id=request_id, details=details
        )
    await wait(passwords.delay(attempt.number))


async def passed(db: Database, attempt: Attempt, session: Session) -> None:
    """Whoever it is has proved it in full: this counter starts anew."""
    await db["guesses"].delete_one({"_id": attempt.counter}, session=session)
    await _take_out_of_the_hour(db, attempt, session)


async def half_passed(db: Database, attempt: Attempt, session: Session) -> None:
    """The password was right, the second factor is still to come: this was no failure, but those before it stay counted."""
    left = {"$subtract": ["$failures", 1]}
    open_again = {"$cond": [{"$lt": [left, passwords.LOCKED_FROM]}, None, "$until"]}
    await db["guesses"].update_one({"_id": attempt.counter}, [{"$set": {"failures": left, "until": open_again}}], session=session)
    await _take_out_of_the_hour(db, attempt, session)


async def _count_in_the_hour(db: Database, account: str, mark: str, at: datetime) -> bool:
    """False when the last 60 minutes are full; what is not let through does not fill them further."""
    recent = {"$filter": {"input": {"$ifNull": ["$marks", []]}, "cond": {"$gt": ["$$this.at", at - HOUR]}}}
    with_this = {"$concatArrays": ["$marks", [{"mark": mark, "at": at}]]}
    document: Document | None = await db["guesses"].find_one_and_update(
        {"_id": _hour_of(account)},
        [
            {"$set": {"account": account, "at": at, "marks": recent}},
            {"$set": {"marks": {"$cond": [{"$lt": [{"$size": "$marks"}, MOST_AN_HOUR]}, with_this, "$marks"]}}},
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert document is not None
    return any(each["mark"] == mark for each in document["marks"])


async def _take_out_of_the_hour(db: Database, attempt: Attempt, session: Session) -> None:
    update = {"$pull": {"marks": {"mark": attempt.mark}}}
    await db["guesses"].update_one({"_id": _hour_of(attempt.account)}, update, session=session)


def _hour_of(account: str) -> str:
    return f"{account}:hour"
