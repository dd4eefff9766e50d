"""One round of the watch over certificates, as a process that a test can kill: `python -m tests.integration.identity_watching watch`."""

from __future__ import annotations

import asyncio
import sys

from services.chassis.mongo import connect
from services.chassis.settings import Settings, needed
from services.identity.certificates.decisions import Decisions
from services.identity.certificates.providers import read_roots
from services.identity.certificates.watch import Watch

LEASE_SECONDS = 1.0


async def main(what: str) -> None:
    settings = Settings()
    roots = read_roots(needed(settings.trust_dir, "trust_dir"))
    async with connect(settings, "identity") as db:
        loop = Watch(db, roots, lease_seconds=LEASE_SECONDS) if what == "watch" else Decisions(db, roots, lease_seconds=LEASE_SECONDS)
        await loop.round()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
