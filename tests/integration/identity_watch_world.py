"""Registrations with certificates of the sandbox PKI on a real database, and the work loops that look after them."""

from __future__ import annotations

import datetime as dt
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis import clock, outbox
from services.chassis.aggregates import save
from services.chassis.mongo import Database, Document, connect, transaction
from services.chassis.settings import Settings, needed
from services.identity import store
from services.identity.certificates import registrations as certificates
from services.identity.certificates.decisions import Decisions, take_decision
from services.identity.certificates.providers import read_roots
from services.identity.certificates.registrations import Candidate, Wanted
from services.identity.certificates.watch import Watch
from services.identity.certificates.watch_calendar import Calendar
from services.identity.certificates.watch_lists import Lists
from services.identity.certificates.watch_rules import Times
from services.identity.organisations import people
from services.means import x509

SCHOOL: Document = {
    "_id": "31300001",
    "name": "Trường Tiểu học An Hồng",
    "tax_code": "0231300001",
    "path": ["031", "03101"],
    "year": "2025-2026",
}
OFFICER = "031-cb01"
AT_ONCE = Times(*(dt.timedelta(0) for _ in range(5)))
"""Everything is due in every round."""
RARELY = Times(lists=dt.timedelta(0), alone=dt.timedelta(hours=1), listed=dt.timedelta(days=1))
"""Lists are due in every round, a certificate by itself only once."""


def person(number: int, position: str = "Giáo viên", **flags: Any) -> Document:
    code = f"{SCHOOL['_id']}{number:03d}"
    blank = people.blank(code, f"Nguyễn Văn {number}", school=SCHOOL["_id"])
    facts = {"listed": True, "position": position, "personal_id": f"031190{number:06d}", "teaches": position == "Giáo viên", **flags}
    return people.with_roles({**blank, **facts})


PRINCIPAL = person(1, "Hiệu trưởng")
ADMINISTRATOR = person(3, "Nhân viên", administrator=True)
ISSUER = person(4, "Nhân viên", issuer=True)
TEACHER = person(6)
OTHER = person(7)
STAFF = (PRINCIPAL, ADMINISTRATOR, ISSUER, TEACHER, OTHER)


@dataclass
class World:
    environment: dict[str, str]
    db: Database
    roots: list[bytes]
    pki: httpx.Client
    times: Times = AT_ONCE

    def watch(self, times: Times | None = None) -> Watch:
        return Watch(self.db, self.roots, times or self.times)

    def lists(self, times: Times | None = None) -> Lists:
        return Lists(self.db, self.roots, times or self.times)

    def decisions(self) -> Decisions:
        return Decisions(self.db, self.roots, self.times)

    def calendar(self) -> Calendar:
        return Calendar(self.db, self.times)

    async def waiting(self, who: Document, kind: certificates.Kind = "person", **order: Any) -> Document:
        """Somebody's registration, or the school's by them, with a certificate of its own."""
        own = {"kind": "personal", "name": who["name"], "identifier": who["personal_id"]}
        organisation = {"kind": "organisation", "name": SCHOOL["name"], "identifier": SCHOOL["tax_code"]}
        made = self._post(
            "/control/certificates", {**(own if kind == "person" else organisation), "key": "p256", "with_key": False, **order}
        )
        der = ssl.PEM_cert_to_DER_cert(made["certificate"])
        chain = tuple(c for c in map(ssl.PEM_cert_to_DER_cert, made["chain"]) if c not in self.roots)
        candidate = Candidate(made["serial"], der, chain, x509.describe(der), ())
        standing = await self.db["registrations"].find_one({"kind": kind, "owner": who["_id"] if kind == "person" else SCHOOL["_id"]})
        change = certificates.register(
            Wanted(kind, SCHOOL, who),
            candidate,
            means="remote",
            provider="sandbox",
            proof={},
            reason="Đổi nhà cung cấp" if standing else "",
            waiting=None,
            approved=standing,
            at=clock.now(),
        )
        assert change is not None
        await transaction(self.db, lambda session: save(self.db, session, "registrations", [change], actor=who["_id"]))
        return await self.now(change.document)

    async def approved(self, who: Document, kind: certificates.Kind = "person", **order: Any) -> Document:
        waiting = await self.waiting(who, kind, **order)
        changes = certificates.approve(waiting, who, None, decider=OFFICER, at=clock.now())
        await transaction(self.db, lambda session: save(self.db, session, "registrations", changes, actor=OFFICER))
        if kind == "school":
            await self.db["owners"].insert_one({"_id": waiting["sha256"], "school": SCHOOL["_id"]})
        return await self.now(waiting)

    async def decide(self, registration: Document, *, approved: bool = True, reason: str = "", decider: str = OFFICER) -> None:
        """What the handler of the event does."""
        await transaction(
            self.db,
            lambda session: take_decision(
                self.db, session, registration["_id"], approved=approved, reason=reason, decider=decider, cause="test"
            ),
        )

    async def now(self, registration: Document) -> Document:
        found = await self.db["registrations"].find_one({"_id": registration["_id"]})
        assert found is not None
        return found

    async def state(self, registration: Document) -> str:
        return str((await self.now(registration))["state"])

    async def put(self, registration: Document, **changes: Any) -> None:
        await self.db["registrations"].update_one({"_id": registration["_id"]}, {"$set": changes})

    async def facts(self, kind: str) -> list[dict[str, Any]]:
        """What was told, oldest first."""
        found = self.db["outbox"].find({}).sort([("at", 1), ("sequence", 1)])
        events = [json.loads(document["body"]) async for document in found]
        return [{"subject": e["subject"], **e["data"]} for e in events if e["type"] == kind]

    async def told(self, what: str) -> list[str]:
        """Who has a notice of it."""
        return sorted([notice["person"] async for notice in self.db["notices"].find({"what": what})])

    def revoke(self, registration: Document, reason: str = "keyCompromise") -> None:
        self._post("/control/revoke", {"serial": registration["facts"]["serial"].lower(), "reason": reason})

    def revoke_issuer(self, registration: Document) -> None:
        _, chain = certificates.ders(registration)
        self._post("/control/revoke", {"serial": x509.describe(chain[0]).serial.lower()})

    def down(self, *endpoints: str) -> None:
        for endpoint in endpoints:
            self._post("/control/faults", {"endpoint": endpoint, "down": True})

    def well(self) -> None:
        self.pki.delete("/control/faults").raise_for_status()

    def killed_at(self, failpoint: str, what: str) -> int:
        """How a process ended that was to do one round."""
        command = [sys.executable, "-m", "tests.integration.identity_watching", what]
        environment = {**os.environ, **self.environment, "HOCBA_FAILPOINT": failpoint}
        return subprocess.run(command, env=environment, check=False, timeout=300).returncode

    def _post(self, path: str, order: dict[str, Any]) -> Any:
        return self.pki.post(path, json=order).raise_for_status().json()


@asynccontextmanager
async def world_of(stack: Stack) -> AsyncIterator[World]:
    environment = service_environment(stack.instance, "identity")
    settings = Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})
    with httpx.Client(base_url=stack.info["sandbox"]["pki"], timeout=60, trust_env=False) as client:
        async with connect(settings, "identity") as db:
            for name in await db.list_collection_names():
                await db[name].delete_many({})
            await outbox.ensure_indexes(db)
            await store.ensure_indexes(db)
            await db["people"].insert_many([{**each} for each in STAFF])
            await db["schools"].insert_one({**SCHOOL})
            world = World(environment, db, read_roots(needed(settings.trust_dir, "trust_dir")), client)
            yield world
            world.well()
