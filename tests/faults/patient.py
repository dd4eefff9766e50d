"""People who live with a system whose parts die: told that it is away, they wait, and look before they do something again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from infra.demo.people import Person, Refusal
from infra.demo.road import Road
from services.district.errors import NOTHING_SELECTED
from services.publishing.errors import NOTHING_TO_SEND
from services.records.errors import IMPORT_RUNNING
from services.records.imports.errors import OTHER_IMPORT_RUNNING

AWAY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
TRIES = 240
PAUSE = 0.5
"""Seconds between two tries."""
LEFT_NOTHING = {"/api/district/certificates/approve": NOTHING_SELECTED, "/api/publishing/submissions": NOTHING_TO_SEND}
"""What a second press of the button says when the first had done everything."""


@dataclass
class PatientPerson(Person):
    chosen: str = ""
    """The new password that was asked for last."""

    async def first_sign_in(self) -> None:
        try:
            await super().first_sign_in()
        except Refusal:
            if not self.chosen:
                raise
            # the change may have been made although nobody said so; it ended the session, and only the new password fits
            self.password = self.chosen
            await self.sign_in()

    async def get(self, path: str, **query: str) -> Any:
        answer, _ = await self._served("GET", path, params=query)
        return self._answer(answer)

    async def download(self, path: str) -> bytes:
        answer, _ = await self._served("GET", path)
        self._answer(answer)
        return answer.content

    async def upload(self, path: str, files: dict[str, bytes]) -> Any:
        """A second preview of the same workbooks harms nobody."""
        answer, _ = await self._served("POST", path, files=[("files", (name, content)) for name, content in files.items()])
        return self._answer(answer)

    async def post(self, path: str, body: object = None) -> Any:
        if path == "/api/identity/password":
            assert isinstance(body, dict)
            self.chosen = body["new"]
        answer, in_doubt = await self._served("POST", path, json=body)
        if self.must_confirm(answer):
            # a confirmation whose answer gets lost leaves a session of which nobody has the secret; signing in can be repeated
            await self.sign_in()
            answer, in_doubt = await self._served("POST", path, json=body)
        return await self._found_out(path, body, answer) if in_doubt else self._answer(answer)

    async def _served(self, method: str, path: str, **request: Any) -> tuple[httpx.Response, bool]:
        """The answer, and whether an earlier try may have been done without an answer."""
        in_doubt = False
        for _ in range(TRIES):
            answer = await self.http.request(method, path, **request)
            if answer.status_code not in AWAY:
                break
            in_doubt = True
            await asyncio.sleep(PAUSE)
        return answer, in_doubt

    async def _written(self, path: str) -> Any:
        """An import whose writing stopped in the middle goes on by itself, once the lease of whoever died has ended."""
        for _ in range(TRIES):
            standing = await self.get(path)
            if standing["state"] == "confirmed":
                break
            await asyncio.sleep(PAUSE)
        assert standing["state"] == "confirmed"
        return standing

    async def _found_out(self, path: str, body: object, answer: httpx.Response) -> Any:
        code = answer.json().get("code") if not answer.is_success else None
        if path.endswith("/confirm") and code in {IMPORT_RUNNING.code, OTHER_IMPORT_RUNNING.code}:
            return await self._written(path.removesuffix("/confirm"))
        if path in LEFT_NOTHING and code == LEFT_NOTHING[path].code:
            return {}
        said = self._answer(answer)
        if path in ("/api/identity/units", "/api/identity/schools"):
            issued = said.get("officer") or said.get("administrator")
            if not issued["one_time_password"]:
                assert isinstance(body, dict)
                return await self.post(path, {**body, "reset": True})
        if path.endswith("/credentials"):
            # one-time passwords are shown once: who has none in this answer gets another
            staff = {row["person"] for row in await self.get("/api/identity/signing-accounts")} - {self.username}
            missing = sorted(staff - {c["person"] for c in said if c["one_time_password"]})
            return said + (await self.post(path, {"persons": missing}) if missing else [])
        return said


class PatientRoad(Road):
    def _person(self, username: str, name: str, version: str, one_time_password: str) -> Person:
        return PatientPerson.make(self.base, self.trust, username=username, name=name, version=version, one_time_password=one_time_password)

    async def _register(self, person: Person, path: str, order: dict[str, str], limit: asyncio.Semaphore) -> None:
        """A provider signs a challenge once: who loses its answer registers again."""
        for attempt in range(3):
            try:
                return await super()._register(person, path, order, limit)
            except Refusal:
                if attempt == 2:
                    raise
        return None

    async def create(self) -> int:
        """The job whose number got lost may have made some: what is there counts."""
        await super().create()
        self.outcome.created = len((await self.admin.get("/api/records/transcripts"))["transcripts"])
        return self.outcome.created
