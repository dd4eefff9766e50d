"""Revocation lists are read as a whole, so that one question to an issuer answers for all of its certificates.

A list only points out whom to look at: whoever it names is then asked about alone (`watch.py`), which judges and ends it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509

from services.chassis import clock
from services.chassis.leases import owner_token
from services.chassis.metrics import WORK_ITEMS
from services.identity.certificates import registrations as certificates
from services.identity.certificates import watch_store
from services.identity.certificates.watch import LEASE_SECONDS
from services.identity.certificates.watch_rules import Times
from services.means.timestamps import outgoing
from services.means.validation_data import Prover, Unprovable, ValidationDataUnavailable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from services.chassis.mongo import Database

TIMEOUT_SECONDS = 30.0
"""A list may be many megabytes."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lists:
    """`roots` are DER."""

    db: Database
    roots: Sequence[bytes]
    times: Times = field(default_factory=Times)
    lease_seconds: float = LEASE_SECONDS
    owner: str = field(default_factory=owner_token)

    async def round(self) -> int:
        """Ask for one list that is due."""
        at = clock.now()
        due = await watch_store.claim_list(self.db, self.owner, self.lease_seconds, at)
        if due is None:
            return 0
        name = due["_id"]
        if await watch_store.one_of_list(self.db, name) is None:
            await watch_store.forget_list(self.db, name, self.owner)
            return 1
        serials = await self._named(name, at)
        if serials is None:
            await watch_store.ask_alone(self.db, name, at, self.times.alone)
            changes = {"listed": False, "next_check_at": at + self.times.lists}
        else:
            await watch_store.suspect(self.db, name, serials, at)
            await watch_store.checked_by_list(self.db, name)
            changes = {"listed": True, "checked_at": at, "next_check_at": at + self.times.lists}
        await watch_store.put_list_back(self.db, name, self.owner, changes)
        WORK_ITEMS.labels("revocation lists", "read" if serials is not None else "missing").inc()
        return 1

    async def _named(self, name: str, at: dt.datetime) -> list[str] | None:
        """The serial numbers that the list revokes; None when it cannot be had or speaks only in part."""
        async with outgoing() as session:
            prover = Prover(self.roots, session, timeout_seconds=TIMEOUT_SECONDS)
            # a certificate that is good shows that the list is the issuer's and complete; those that are not are looked at alone
            while (sample := await watch_store.one_of_list(self.db, name)) is not None:
                certificate, chain = certificates.ders(sample)
                try:
                    found = await prover.lists(certificate, chain)
                except Unprovable as problem:
                    own = problem.certificate == certificate
                    await watch_store.suspect(self.db, name, [sample["facts"]["serial"]] if own else None, at)
                    continue
                except ValidationDataUnavailable as problem:
                    log.warning("a revocation list cannot be had", extra={"list": name, "reason": str(problem)})
                    return None
                return await asyncio.to_thread(revoked_serials, found, at) if found else None
        return []


def revoked_serials(lists: Sequence[bytes], at: dt.datetime) -> list[str] | None:
    """Upper-case hexadecimal. None when the lists speak for other issuers or some reasons only, so that silence would mean nothing."""
    serials = []
    for der in lists:
        crl = x509.load_der_x509_crl(der)
        try:
            scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
        except x509.ExtensionNotFound:
            scope = None
        if scope is not None and (scope.indirect_crl or scope.only_some_reasons):
            return None
        serials += [f"{entry.serial_number:X}" for entry in crl if entry.revocation_date_utc <= at]
    return serials
