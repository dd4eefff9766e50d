"""A secondary school for the journeys of identity: its people have signed in once, and everybody has an account at the provider."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser

from infra.demo.people import Person
from infra.demo.road import AT_ONCE, PROVIDER, Road
from infra.demo.school import read
from tests.integration.agent_world import until_true

ROOT = Path(__file__).resolve().parents[2]
PROVIDER_NAME = "Nhà cung cấp thử nghiệm"
PROVIDER_PASSWORD = "mat-khau-ky-so"
ACCOUNTS = "/api/identity/signing-accounts"
SCHOOL_CERTIFICATE = "/api/identity/school-certificate"
NOT_REGISTERED = "NOT_REGISTERED"
CROWD = 50
"""Teachers who wait for approval at the same time."""


@dataclass
class School:
    """`remote`, `token`, `hasty`, `forgetful`: staff codes of teachers that have a journey of their own; `crowd`: the others'."""

    info: dict[str, Any]
    road: Road
    browser: Browser
    remote: str
    token: str
    hasty: str
    forgetful: str
    crowd: tuple[str, ...]
    managers: tuple[str, ...]

    @property
    def base(self) -> str:
        return self.road.base

    @property
    def name(self) -> str:
        return self.road.export.school.name

    @property
    def issuer(self) -> Person:
        return self.road.staff[self.road.export.issuer.code]

    @property
    def phone_page(self) -> str:
        return f"{self.info['sandbox']['provider']}/phone"

    def seal(self, number: int) -> str:
        """User name of one of the school's accounts at the provider, each with a certificate of its own."""
        return f"mst-{self.road.export.school.tax_code}-{number}"

    def personal_id(self, code: str) -> str:
        return next(s.personal_id for s in self.road.export.staff if s.code == code)

    async def control(self, path: str, order: dict[str, Any]) -> None:
        """Tell the sandbox provider."""
        async with httpx.AsyncClient(base_url=self.info["sandbox"]["provider"], timeout=300) as provider:
            (await provider.post(path, json=order)).raise_for_status()

    async def register(self, person: Person, path: str, user: str) -> None:
        """By API, until the phone has confirmed."""
        proof = await person.post(path, {"provider": PROVIDER, "username": user, "password": PROVIDER_PASSWORD})

        async def over() -> str:
            state = str((await person.get(f"/api/identity/proofs/{proof['proof']}"))["state"])
            return "" if state == "WAITING_FOR_KEY" else state

        assert await until_true(over) == "PROVED"

    async def register_all(self, codes: tuple[str, ...]) -> None:
        """Their own signing accounts, several people at a time."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(code: str) -> None:
            async with limit:
                await self.register(self.road.staff[code], ACCOUNTS, code)

        await asyncio.gather(*(one(code) for code in codes))

    async def prepare_to_sign(self) -> None:
        """The crowd, the managers and the school have approved certificates; by API as far as they have none yet."""
        officer, admin, issuer = self.road.officer, self.road.admin, self.issuer
        signers = {*self.crowd, *self.managers}
        states = {a["person"]: a["state"] for a in await admin.get(ACCOUNTS)}
        await self.register_all(tuple(sorted(code for code in signers if states.get(code, NOT_REGISTERED) == NOT_REGISTERED)))
        if (await issuer.get(SCHOOL_CERTIFICATE))["state"] == NOT_REGISTERED:
            await self.register(issuer, SCHOOL_CERTIFICATE, self.seal(1))
        await admin.post(f"{ACCOUNTS}/approve", {"persons": sorted(self.crowd)})

        async def approved() -> bool:
            if (await officer.get("/api/district/certificates", state="pending"))["certificates"]:
                await officer.post("/api/district/certificates/approve", {"all": True})
            done = {a["person"] for a in await admin.get(ACCOUNTS) if a["state"] == "APPROVED"}
            return signers <= done and (await issuer.get(SCHOOL_CERTIFICATE))["state"] == "APPROVED"

        await until_true(approved)

    async def transcript_to_issue(self) -> None:
        """One, signed by the teachers and the leader, in a class where nobody has a journey of their own."""
        road = self.road
        room = next(c for c in road.export.classes if c.code == "8A")
        job = (await road.admin.post("/api/records/transcripts", {"classes": [room.code]}))["job"]

        async def created() -> bool:
            return bool((await road.admin.get(f"/api/records/jobs/{job}"))["created"] == 1)

        await until_true(created)
        road.outcome.created = 1
        road.provider_passwords.update(dict.fromkeys((*self.crowd, *self.managers), PROVIDER_PASSWORD))
        for step in ("subjects", "homeroom", "leader"):
            await road.sign(step)


def _export(folder: Path) -> None:
    """Four classes a grade, so that there are more than fifty teachers; a pupil a class."""
    command = [sys.executable, str(ROOT / "samples" / "make_school.py"), "--level", "THCS", "--out", str(folder), "--code", "31300097"]
    command += ["--name", "Trường THCS An Hồng", "--province", "057", "--classes-per-grade", "4", "--pupils", "1", "--defects", "0"]
    subprocess.run(command, check=True, capture_output=True)


async def school_of(info: dict[str, Any], folder: Path, browser: Browser) -> School:
    """Raises Refusal, or TimeoutError when something stands still."""
    await asyncio.to_thread(_export, folder)
    road = Road(info, read(folder), lambda _: None)
    for stage in (road.organisations, road.import_year, road.accounts):
        await stage()
    managers = tuple(sorted({c.leader for c in road.export.classes}))
    remote, token, hasty, forgetful, *others = sorted(road.export.signing_staff - set(managers))
    crowd = tuple(others[:CROWD])
    assert len(crowd) == CROWD
    school = School(info, road, browser, remote, token, hasty, forgetful, crowd, managers)
    people = {s.code: s for s in road.export.staff}
    users = [
        {"user": code, "kind": "personal", "name": people[code].name, "identifier": people[code].personal_id}
        for code in (remote, hasty, *crowd, *managers)
    ]
    tax_code = road.export.school.tax_code
    users += [{"user": school.seal(n), "kind": "organisation", "name": school.name, "identifier": tax_code} for n in (1, 2)]
    await school.control("/control/users", {"users": [{**user, "password": PROVIDER_PASSWORD} for user in users]})
    return school
