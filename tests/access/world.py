"""The world that is asked: schools A and B, the units above them, all five services, and somebody of every kind signed in."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts.access import Principal
from services.chassis import clock
from services.chassis.mongo import Document
from services.chassis.origin import Origin
from services.chassis.process import Parts
from services.chassis.settings import needed, secret
from services.district import app as district
from services.identity import app as identity
from services.identity.accounts import sessions
from services.publishing import app as publishing
from services.records import app as records
from services.signing import app as signing
from tests.access.actors import ACTORS, Actor, Manner
from tests.access.bus import Bus
from tests.access.keeping import Keeper
from tests.access.rows import Row
from tests.integration import identity_world, pages_world

SERVICES = {"identity": identity, "records": records, "signing": signing, "publishing": publishing, "district": district}
PROCESSES = ("mongod", "minio", "sandbox-provider")
STALE = dt.timedelta(minutes=10)
AHEAD = dt.timedelta(hours=3)
"""A confirmation that is good, and a session that is in use, however long the suite takes."""
AGENT = "5f3c5a0e-6f0f-4f57-9d5c-9b53c2a1e001"
PLACE = re.compile(r"\{(\w+)\}")
SAFE_METHODS = ("GET", "HEAD")


@dataclass
class Asked:
    """`changed`: what stood in a database before and was changed or taken away by the request, as it stood: (collection, document)."""

    actor: Actor
    response: httpx.Response
    sent: list[str]
    changed: list[tuple[str, Document]]


@dataclass
class Access:
    pages: pages_world.World
    identity: identity_world.World
    parts: Mapping[str, Parts]
    clients: Mapping[str, httpx.AsyncClient]
    keeper: Keeper
    bus: Bus
    ids: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes, str]] = field(default_factory=dict)
    markers: set[str] = field(default_factory=set)
    pupil_markers: set[str] = field(default_factory=set)
    _cookies: dict[tuple[str, bool], str] = field(default_factory=dict)
    _principals: dict[str, Principal] = field(default_factory=dict)

    # --- who is there

    async def sign_in_all(self) -> None:
        """Sessions as a sign-in makes them, of everybody who has one; each also with a confirmation of ten minutes ago."""
        for actor in ACTORS:
            if actor.principal is None:
                continue
            for stale in (False, True):
                await self._sign_in(actor, stale=stale)

    async def _sign_in(self, actor: Actor, *, stale: bool) -> None:
        token, at = sessions.new_token(), clock.now()
        version = sessions.OVERSIGHT if actor.who.unit else "TH"
        forced = actor.manner is Manner.INCOMPLETE
        session = sessions.new_session(
            token,
            actor.who.person,
            version,
            forced=forced,
            factor=sessions.Factor.NONE,
            at=at,
            origin=Origin(address="203.0.113.9", device="Máy thử"),
        )
        session |= {"seen_at": at + AHEAD, "confirmed_at": at - STALE if stale else at + AHEAD}
        if actor.manner is Manner.PROGRAM:
            if stale:
                return
            session |= {"kind": "agent", "agent": AGENT, "host": "may-thu", "program": "1.0", "polled_at": at + AHEAD}
        await self.identity.db["sessions"].insert_one(session)
        self._cookies[actor.key, stale] = token
        person = await self.identity.db["people"].find_one({"_id": actor.who.person})
        assert person is not None, actor.key
        here = sessions.read(token, session, person, at, demanding=False)
        assert here is not None, actor.key
        self._principals[actor.key] = here.who

    def cookie(self, actor: Actor, *, stale: bool) -> str:
        return self._cookies[actor.key, stale and actor.is_person]

    def principal(self, actor: Actor) -> Principal:
        """As identity has them."""
        return self._principals[actor.key]

    # --- asking

    async def ask(self, actor: Actor, row: Row, *, stale: bool = False) -> Asked:
        """What `actor` gets for the row's request; what it wrote is put back."""
        path = PLACE.sub(lambda m: self.value(row.values.get(m[1], f"@{m[1]}"), actor), row.path)
        json_body, form, query = (self._filled(given, actor) for given in (row.json, row.form, dict(row.query)))
        headers = self._headers(actor, stale=stale)
        arguments: dict[str, Any] = {"params": query} if query else {}
        if row.method not in SAFE_METHODS and row.path.startswith("/ui/"):
            headers |= {"Origin": self.identity.settings.public_url, "Sec-Fetch-Site": "same-origin"}
        if row.json is not None:
            body = json.dumps(json_body).encode()
            arguments["content"] = body
            headers["Content-Type"] = "application/json"
            if actor.manner is Manner.GATEWAY:
                headers["X-Signature"] = self._signature(body)
        elif row.form is not None or row.file is not None:
            data: dict[str, list[str]] = {"csrf": [self._csrf(actor, stale=stale)]}
            for name, value in form or ():
                data.setdefault(name, []).append(value)
            arguments["data"] = data
        if row.file is not None:
            arguments["files"] = [(row.file[0], self.files[row.file[1]])]
        client = self.clients[service_of(row.path)]
        response = await client.request(row.method, path, headers=headers, **arguments)
        client.cookies.clear()
        changed = await self.keeper.put_back()
        return Asked(actor, response, [path, *_texts((json_body, form, query))], changed)

    def value(self, text: str, actor: Actor) -> str:
        """An id of the world, or of the one who asks; any other text is itself."""
        if text == "@me":
            return actor.principal.person if actor.principal else "nobody"
        return self.ids[text[1:]] if text.startswith("@") else text

    def _filled(self, given: Any, actor: Actor) -> Any:
        if isinstance(given, str):
            return self.value(given, actor)
        if isinstance(given, Mapping):
            return {key: self._filled(value, actor) for key, value in given.items()}
        if isinstance(given, list | tuple):
            return [self._filled(value, actor) for value in given]
        return given

    def _headers(self, actor: Actor, *, stale: bool) -> dict[str, str]:
        """What the gateway hands on: the cookie, and the internal token that it got for it."""
        if actor.principal is None:
            return {}
        headers = {"Cookie": f"{sessions.COOKIE}={self.cookie(actor, stale=stale)}"}
        if actor.manner is Manner.INCOMPLETE:
            return headers
        shift = -STALE if stale else AHEAD
        who = self.principal(actor).model_copy(update={"auth_time": int((clock.now() + shift).timestamp())})
        return {**headers, "Authorization": f"Bearer {self.pages.tokens.make(who)}"}

    def _csrf(self, actor: Actor, *, stale: bool) -> str:
        return sessions.csrf_of(self.cookie(actor, stale=stale)) if actor.principal else ""

    def _signature(self, body: bytes) -> str:
        key = secret(needed(self.parts["publishing"].settings.gateway_callback_secret_file, "gateway_callback_secret_file")).encode()
        at = str(int(clock.now().timestamp()))
        return f"t={at},v1={hmac.new(key, at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def service_of(path: str) -> str:
    parts = path.split("/")
    return parts[2] if parts[1] in ("api", "ui") else "identity"


def _texts(given: object) -> list[str]:
    """Every text in what was sent."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, Mapping):
        return [text for value in given.values() for text in _texts(value)]
    if isinstance(given, list | tuple):
        return [text for value in given for text in _texts(value)]
    return []
