"""Approved certificates are watched: one that is revoked ends, one on hold pauses, one that nobody can ask about stays and is seen.

Nothing is kept between asking and writing: a registration stays due until its answer is written, so whoever takes it up after a crash
asks again. Two workers never ask about one at once (`lease`), and what lost its lease writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import save
from services.chassis.leases import owner_token, up_to
from services.chassis.metrics import WORK_ITEMS
from services.chassis.mongo import transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import store, watch_store
from services.identity.certificates.registrations import APPROVED, SUSPENDED
from services.identity.certificates.watch_rules import GOOD, Answer, Times, is_long_unchecked, list_of, meaning, next_look
from services.identity.notices import store as notices
from services.identity.store import one
from services.means.timestamps import outgoing
from services.means.validation_data import Prover, Unprovable, ValidationDataUnavailable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session
    from services.identity.notices.notices import What

AT_ONCE = 16
"""Certificates that one worker asks about at a time."""
TIMEOUT_SECONDS = 5.0
"""For each answer."""
LEASE_SECONDS = 120.0
"""Longer than the slowest round: every answer may be waited for, by responder and by list, for the certificate and its issuers."""
ACTOR = "identity"
ASKED_FOR = ("suspected", "unchecked_since", "unchecked_told")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watch:
    """`roots` are DER."""

    db: Database
    roots: Sequence[bytes]
    times: Times = field(default_factory=Times)
    lease_seconds: float = LEASE_SECONDS
    owner: str = field(default_factory=owner_token)

    async def round(self) -> int:
        """Ask about those that are due, each by itself: the responder, and the list where it does not answer."""
        due = await up_to(AT_ONCE, lambda: watch_store.claim_due(self.db, self.owner, self.lease_seconds, clock.now()))
        if not due:
            return 0
        async with outgoing() as session:
            prover = Prover(self.roots, session, timeout_seconds=TIMEOUT_SECONDS)
            answers = await asyncio.gather(*(_ask(prover, registration) for registration in due))
        for registration, answer in zip(due, answers, strict=True):
            await self._settle(registration, answer)
            WORK_ITEMS.labels("certificates watched", answer.state).inc()
        return len(due)

    async def _settle(self, registration: Document, answer: Answer) -> None:
        at = clock.now()
        on_hold = registration["state"] == SUSPENDED
        if answer.state == "unknown":
            await self._leave(registration, at)
        elif answer.state == "revoked" or (answer.state == "suspended") != on_hold:
            await self._change(registration, answer, at)
        else:
            await self._look_again(registration, at)

    async def _look_again(self, registration: Document, at: dt.datetime) -> None:
        certificate, _ = certificates.ders(registration)
        name = list_of(certificate)
        listed = name is not None and await watch_store.know_list(self.db, name, at)
        changes = {"list": name, "checked_at": at, "next_check_at": next_look(registration, self.times, at, listed=listed)}
        await watch_store.put_back(self.db, registration["_id"], self.owner, changes, gone=ASKED_FOR)

    async def _leave(self, registration: Document, at: dt.datetime) -> None:
        """Nobody can be asked: it goes on signing, and those concerned are told after a day."""
        silent = {**registration, "unchecked_since": registration.get("unchecked_since") or at}
        changes = {"unchecked_since": silent["unchecked_since"], "next_check_at": at + self.times.alone}
        if not is_long_unchecked(silent, at):
            await watch_store.put_back(self.db, registration["_id"], self.owner, changes)
            return

        async def work(session: Session) -> None:
            await notices.tell(self.db, session, registration, "unchecked", at=at)
            told = {**changes, "unchecked_told": True}
            await watch_store.put_back(self.db, registration["_id"], self.owner, told, session=session)

        await transaction(self.db, work)

    async def _change(self, registration: Document, answer: Answer, at: dt.datetime) -> None:
        async def work(session: Session) -> None:
            now = await watch_store.still_held(self.db, session, registration["_id"], self.owner, [registration["state"]])
            if now is None:
                return
            change: Change
            what: What
            if answer.state == "revoked":
                change, what = certificates.end(now, answer.reason, at=at), "revoked"
            elif answer.state == "suspended":
                change, what = certificates.suspend(now), "suspended"
            else:
                person = await one(self.db, "people", now["person"], session)
                assert person is not None
                change, what = certificates.resume(now, person), "resumed"
            await write(self.db, session, now, change, what, reason=answer.reason or answer.state, words=answer.message, at=at)

        await transaction(self.db, work)


async def write(
    db: Database, session: Session, before: Document, change: Change, what: What, *, reason: str, words: str, at: dt.datetime
) -> None:
    """What the watch found: the change with its event, the audit entry, and the notices, all or nothing."""
    after = change.document
    await save(db, session, "registrations", [change], actor=ACTOR)
    if before["kind"] == "school" and after["state"] not in (APPROVED, SUSPENDED):
        await store.release_certificate(db, session, before["sha256"])
    act = "signing account watched" if before["kind"] == "person" else "school certificate watched"
    details = {"request": before["_id"], "before": before["state"], "after": after["state"], "reason": reason}
    await audit.record(db, session, actor=ACTOR, act=act, subject=before["owner"], place=before["school"], details=details)
    await notices.tell(db, session, before, what, at=at, reason=words)
    log.info("a watched certificate changed", extra={"request": before["_id"], "state": after["state"], "reason": reason})


async def _ask(prover: Prover, registration: Document) -> Answer:
    certificate, chain = certificates.ders(registration)
    try:
        if registration.get("suspected"):
            # its list names it, or its issuer: that counts even where the responder still says good
            await prover.lists(certificate, chain)
        await prover.prove(certificate, chain)
    except (Unprovable, ValidationDataUnavailable) as problem:
        answer = meaning(problem, certificate)
        if answer.state == "unknown":
            log.warning("a certificate cannot be asked about", extra={"request": registration["_id"], "reason": str(problem)})
        return answer
    return GOOD
