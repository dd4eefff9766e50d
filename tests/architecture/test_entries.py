"""What comes in from outside: who may call a route, what is refused and how, which service reads which topic."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import pytest
from fastapi.routing import iter_route_contexts

from contracts.topics import TOPICS, dead_letter_topic, topic
from infra.generate import SERVICES
from infra.generate.openapi import app_of, parts_without_servers, service_named
from infra.generate.schemas import facts
from infra.generate.tables import catalogues, import_findings
from services.chassis.access import signed_in, the_agent
from services.identity.at_hand import CookieSession

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

    from services.chassis.errors import Refusal
    from services.chassis.kafka import Consumer

ASKS_WHO = {signed_in, the_agent, *(mark.dependency for mark in get_args(CookieSession)[1:])}
"""The internal token, and, in identity alone, the cookie that the token is made from."""
OPEN = {
    ("POST", "/api/identity/sessions"): "signing in",
    ("GET", "/ui/identity/sign-in"): "signing in",
    ("POST", "/ui/identity/sign-in"): "signing in",
    ("GET", "/ui/identity/sign-in/forgotten"): "asking for a new password",
    ("POST", "/ui/identity/sign-in/forgotten"): "asking for a new password; the answer tells nothing, a name is throttled",
    ("GET", "/ui/identity/sign-in/forgotten/sent"): "a message without data",
    ("GET", "/ui/identity/sign-in/reset"): "choosing a new password: the secret of a one-time link says who may; looking changes nothing",
    ("POST", "/ui/identity/sign-in/reset"): "choosing a new password: the secret of a one-time link says who may",
    ("GET", "/ui/identity/sign-in/reset/done"): "a message without data",
    ("GET", "/ui/identity/sign-in/oidc/{provider_id}"): "signing in",
    ("GET", "/ui/identity/sign-in/oidc/{provider_id}/begin"): "signing in",
    ("GET", "/ui/identity/sign-in/oidc/{provider_id}/callback"): "signing in: state, cookie and the provider's ID token say who it is",
    ("POST", "/ui/identity/sign-out"): "leaving works with an ended session, too; the form value is bound to the cookie",
    ("GET", "/internal/session"): "the gateway's question whether there is a session; the gateway does not pass it on from outside",
    ("POST", "/api/identity/sessions/agents"): "pairing a signing program: a one-time code that its person was shown proves it",
    ("GET", "/api/identity/agents/keys"): "public keys, kept by signing programs before they are paired",
    ("GET", "/openapi"): "descriptions without data",
    ("GET", "/openapi/"): "descriptions without data",
    ("GET", "/openapi/{name}"): "files of the description page",
    ("POST", "/api/publishing/gateway-callbacks"): "the national gateway has no account: an HMAC over body and time proves it",
    ("GET", "/ui/publishing/verify"): "anybody checks a document; the page holds no data",
    ("POST", "/ui/publishing/verify"): "anybody checks a file of their own; nothing of it is kept",
    ("GET", "/ui/publishing/verify/{code}"): "anybody with the code on a document sees its status; nothing about a pupil",
    ("GET", "/api/publishing/verification/documents/{code}"): "anybody with the code on a document sees its status; nothing about a pupil",
    ("POST", "/api/publishing/verification/files"): "anybody checks a file of their own; nothing of it is kept",
    ("POST", "/api/publishing/reading/transcripts"): "a system without an account: its signature over the request proves it",
    ("POST", "/api/publishing/reading/files"): "a system without an account: its signature over the request proves it",
    ("GET", "/ui/publishing/shared"): "where share links lead; the page holds no data",
    ("POST", "/ui/publishing/shared"): "whoever holds a share link: its secret, 130 random bits, says what may be seen",
    ("POST", "/ui/publishing/shared/file"): "whoever holds a share link: its secret, 130 random bits, says what may be seen",
    ("POST", "/api/signing/provider-callbacks/{provider}"): "a hint that is trusted for nothing: whoever waits asks the provider itself",
    **{("GET", f"/api/{name}/openapi.json"): "a description without data" for name in SERVICES},
    ("GET", "/static/{name}"): "style, script and icon",
}
FILLED_IN = re.compile(r"\{\w+\}")
"""A text that comes whole from the rule that refuses."""
VIETNAMESE_MARKS = re.compile(r"[\u0300-\u0323\u031b\u0302\u0306đĐ]")


def routes(name: str) -> Iterator[tuple[str, str, set[object]]]:
    """(method, path, everything that the route depends on)."""
    for route in iter_route_contexts(app_of(name).routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        asked = set(_dependencies(dependant)) if dependant else set()
        yield from ((method, str(route.path), asked) for method in (route.methods or ()) if method != "HEAD")


def _dependencies(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _dependencies(each)


def test_every_route_asks_who_is_there_unless_it_is_listed_as_open() -> None:
    found = {(method, path): bool(asked & ASKS_WHO) for name in SERVICES for method, path, asked in routes(name)}
    assert len(found) > 50
    assert sorted(key for key, asks in found.items() if not asks and key not in OPEN) == []
    assert sorted(key for key in OPEN if found.get(key, True)) == [], "these are gone, or ask by now"


ALL = [refusal for refusals in catalogues().values() for refusal in refusals]


def test_every_code_is_unique_and_of_one_shape() -> None:
    codes = [r.code for r in ALL] + [c.code for c in import_findings()]
    assert [code for code in codes if not re.fullmatch(r"HB-[A-Z]{3}-\d{3}", code)] == []
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_every_service_keeps_an_area_of_codes_to_itself() -> None:
    areas = {module: {r.code[3:6] for r in refusals} for module, refusals in catalogues().items()}
    owners: dict[str, set[str]] = {}
    for module, used in areas.items():
        for area in used:
            owners.setdefault(area, set()).add(module.split(".")[1])
    assert {area: services for area, services in owners.items() if len(services) > 1} == {}


@pytest.mark.parametrize("refusal", ALL, ids=lambda r: r.code)
def test_a_refusal_speaks_vietnamese_to_people_and_english_to_programs(refusal: Refusal) -> None:
    assert 400 <= refusal.status < 600
    for text in (refusal.title, refusal.cause, refusal.action):
        assert unicodedata.is_normalized("NFC", text)
        assert FILLED_IN.fullmatch(text) or VIETNAMESE_MARKS.search(unicodedata.normalize("NFD", text)), text
    assert refusal.action.endswith(".") or FILLED_IN.fullmatch(refusal.action), "the action is a sentence"
    assert refusal.detail.isascii()
    assert refusal.detail


async def _consumers(name: str) -> list[Consumer]:
    async with parts_without_servers(name) as parts:
        return list(service_named(name).consumers(parts))


@pytest.fixture(scope="module")
def consumers() -> dict[str, list[Consumer]]:
    return {name: asyncio.run(_consumers(name)) for name in SERVICES}


def test_the_readers_of_each_topic_are_exactly_those_it_names(consumers: dict[str, list[Consumer]]) -> None:
    reading = {(consumer.name, consumer.service) for found in consumers.values() for consumer in found}
    assert reading == {(t.name, service) for t in TOPICS for service in t.consumers}
    assert all(consumer.service == name for name, found in consumers.items() for consumer in found)


def test_a_reader_takes_facts_of_its_own_topic_and_at_least_one(consumers: dict[str, list[Consumer]]) -> None:
    for consumer in (c for found in consumers.values() for c in found):
        assert consumer.handlers, consumer.group
        assert {fact.topic for fact, _ in consumer.handlers.values()} == {consumer.name}
        assert consumer.group == topic(consumer.name).group(consumer.service), "its dead letters have a topic of another name"


def test_a_fact_is_told_by_the_owner_of_its_topic() -> None:
    owners = {t.name: t.owner for t in TOPICS}
    assert [f.__name__ for f in facts() if f.__module__ != f"contracts.events.{owners[f.topic]}"] == []


def test_names_of_topics_and_groups_are_unique_and_fit_kafka() -> None:
    groups = [t.group(service) for t in TOPICS for service in t.consumers]
    names = [t.name for t in TOPICS] + [dead_letter_topic(group) for group in groups]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z.]{1,200}", name)] == []
    assert [t.name for t in TOPICS if not t.name.startswith(f"{t.owner}.") or t.owner in t.consumers] == []
