"""A worker that makes, renews and writes evidence (`evidence`) or audits (`audit`), and nothing else: it can be killed at any line."""

from __future__ import annotations

import asyncio
import sys

from services.chassis.mongo import connect
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings, needed
from services.chassis.work import Pool, forever
from services.means.timestamps import TimestampAuthority, outgoing
from services.means.validation_data import ValidationSource
from services.signing.auditing.auditor import Auditor
from services.signing.ers.making import Making
from services.signing.ers.renewing import Renewing
from services.signing.ers.stamping import Stamping
from services.signing.ers.writing import Writing
from services.signing.providers import read_roots
from services.signing.store import Store

IDLE = 0.1


async def main(work: str) -> None:
    settings = Settings()
    roots = read_roots(needed(settings.trust_dir, "trust_dir"))
    async with connect(settings, "signing") as db, outgoing() as session:
        parts = Parts(settings, db, Objects(settings, "signing"), Pool(1))
        if work == "audit":
            await forever("auditing", Auditor(parts, Store(db), roots).round, idle=IDLE)
        authority = TimestampAuthority(needed(settings.tsa_url, "tsa_url"), roots, session)
        stamping = Stamping(authority, ValidationSource(roots, authority, session), roots)
        loops = {"making": Making(parts, stamping).round, "renewing": Renewing(parts, stamping).round, "writing": Writing(parts).round}
        await asyncio.gather(*(forever(name, round_of, idle=IDLE) for name, round_of in loops.items()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
