"""What only the calendar decides: certificates that expire, those that soon will, and how long some have not been asked about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from services.chassis import clock
from services.chassis.mongo import transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import watch_store
from services.identity.certificates.expiry import WARNED_AT, expiry_warning
from services.identity.certificates.watch import write
from services.identity.certificates.watch_rules import Times
from services.identity.notices import store as notices
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session

AT_ONCE = 100
UNCHECKED_OLDEST = Gauge("certificates_unchecked_oldest_seconds", "since the approved certificate worst off should have been asked about")


@dataclass
class Calendar:
    """Asks nobody. Done twice by two workers it has its effect once: a state ends once, and a notice is made once."""

    db: Database
    times: Times = field(default_factory=Times)
    _warn_at: dt.datetime | None = None

    async def round(self) -> int:
        at = clock.now()
        oldest = await watch_store.oldest_unchecked(self.db, at)
        UNCHECKED_OLDEST.set((at - oldest).total_seconds() if oldest is not None else 0)
        over = await watch_store.expired(self.db, at, AT_ONCE)
        for request in over:
            await self._end(request, at)
        return len(over) + await self._warn(at)

    async def _end(self, request: str, at: dt.datetime) -> None:
        async def work(session: Session) -> None:
            now = await one(self.db, "registrations", request, session)
            if now is not None and now["state"] in watch_store.WATCHED:
                await write(self.db, session, now, certificates.end(now, "expired", at=at), "expired", reason="expired", words="", at=at)

        await transaction(self.db, work)

    async def _warn(self, at: dt.datetime) -> int:
        """Once in a while, as it looks through everything that ends within a month."""
        if self._warn_at is not None and at < self._warn_at:
            return 0
        due: dict[str, tuple[Document, int]] = {}
        for days in WARNED_AT:
            for registration in await watch_store.to_warn(self.db, at, days, AT_ONCE):
                warning = expiry_warning(registration["facts"]["valid_to"], at)
                if warning is not None:
                    due[registration["_id"]] = (registration, warning)

        async def work(session: Session) -> None:
            for registration, warning in due.values():
                await notices.tell(self.db, session, registration, "expiring", at=at, days=warning)
            await watch_store.set_warned(self.db, session, {request: warning for request, (_, warning) in due.items()})

        if due:
            await transaction(self.db, work)
        else:
            self._warn_at = at + self.times.warnings
        return len(due)
