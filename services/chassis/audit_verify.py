"""Walks a service's audit trail and names the first bad record.

`python -m services.chassis.audit_verify --service NAME [--head NUMBER:HASH] [--minutes N]`, with the environment of that service.

Writes one JSON line: how many records are sound, the head to note, and the fault. Exit status 0: sound; 1: a bad record;
2: it could not be looked at. `--head` is an earlier head, from the service's log or an earlier run: without one, an end that was
cut off and a chain that was made anew from its first record on cannot be told from a sound one.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.audit_chain import Fault, Head, Walk
from services.chassis.mongo import PyMongoError, connect
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.chassis.mongo import Database, Document

MINUTES = 10
"""How long an entry may wait for its number: far longer than a restart of the process that seals."""


async def verify(db: Database, head: Head | None = None, *, minutes: float = MINUTES) -> tuple[Head, Fault | None]:
    """How far the chain is sound, and what is wrong with the first bad record. The service may go on meanwhile."""
    walk = Walk(head, clock.now() - dt.timedelta(minutes=minutes))
    async for entry in _by_number(db):
        fault = walk.take(entry)
        if fault:
            return walk.at, fault
    return walk.at, walk.end()


async def _by_number(db: Database) -> AsyncIterator[Document]:
    """The numbered, then what has something else for a number, then the one that waits longest."""
    async for entry in db["audit"].find({"number": {"$gte": 1}}).sort("number", 1):
        yield entry
    async for entry in db["audit"].find({"number": {"$ne": None, "$not": {"$gte": 1}}}):
        yield entry
    async for entry in db["audit"].find({"number": None}).sort([("at", 1), ("_id", 1)]).limit(1):
        yield entry


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", required=True)
    parser.add_argument("--head", type=_head, metavar="NUMBER:HASH", help="an earlier head that the chain must still hold")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long an entry may wait for its number ({MINUTES})")
    arguments = parser.parse_args()
    try:
        async with connect(Settings(), arguments.service) as db:
            sound, fault = await verify(db, arguments.head, minutes=arguments.minutes)
    except PyMongoError as problem:
        sys.stderr.write(f"the audit trail cannot be read: {problem}\n")
        return 2
    line = {"service": arguments.service, "sound": sound.number, "head": str(sound), "fault": asdict(fault) if fault else None}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1 if fault else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
