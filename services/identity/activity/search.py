"""Searching the trail: who may see which part of it, what is asked for, and one page of it in words."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal, allowed
from services.chassis.clock import VIETNAM
from services.chassis.errors import FORBIDDEN, Refused
from services.chassis.vietnamese import fold
from services.identity.activity import store
from services.identity.activity.words import ACTS, MACHINES, REFUSED_ACTS, SERVICES, lines, words_of
from services.identity.errors import WRONG_CURSOR, WRONG_PERIOD
from services.identity.organisations import store as organisations
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document

PAGE_SIZE = 50
MOST_COUNTED = 10_000
KEYS = ("who", "act", "kind", "subject", "service", "place", "result", "from", "to", "request")
CURSOR = re.compile(r"(\d{1,15})~([a-z]{1,20}:\d{1,18})")


@dataclass(frozen=True)
class Scope:
    """The places whose acts somebody may see; None: the own acts alone."""

    person: str
    places: tuple[str, ...] | None

    def filter(self, place: str = "") -> dict[str, Any]:
        """Raises Refused(FORBIDDEN) for another place."""
        if self.places is None:
            return {"actor": self.person}
        if place and place not in self.places:
            raise Refused(FORBIDDEN, action=Action.VIEW_AUDIT.value)
        return {"place": place or {"$in": list(self.places)}}


async def scope_of(db: Database, who: Principal) -> Scope:
    """Raises Refused(FORBIDDEN) for those who see only their own."""
    if who.school and allowed(who, Action.VIEW_AUDIT, school=who.school):
        return Scope(who.person, (who.school,))
    unit = await one(db, "units", who.unit) if who.unit else None
    if unit is None or not allowed(who, Action.VIEW_AUDIT, path=tuple(unit["path"])):
        raise Refused(FORBIDDEN, action=Action.VIEW_AUDIT.value)
    units = await db["units"].find({"path": unit["_id"]}, projection={"_id": 1}).to_list(None)
    schools = await organisations.schools_below(db, unit["_id"])
    return Scope(who.person, tuple(dict.fromkeys([unit["_id"], *(u["_id"] for u in units), *(s["_id"] for s in schools)])))


def own_scope(who: Principal) -> Scope:
    return Scope(who.person, None)


async def filter_of(db: Database, scope: Scope, query: Mapping[str, str]) -> dict[str, Any]:
    """Raises Refused: FORBIDDEN for a place out of reach, WRONG_PERIOD for a day that is none."""
    parts: list[dict[str, Any]] = [scope.filter(query.get("place", ""))]
    if who := query.get("who", ""):
        parts.append({"actor": {"$in": await _codes(db, scope, who)}})
    acts = [act for act, words in ACTS.items() if query.get("kind", "") in ("", words.kind)]
    if query.get("act") or query.get("kind"):
        parts.append({"act": {"$in": [act for act in acts if query.get("act", "") in ("", act)]}})
    for key, name in (("subject", "subject"), ("request", "request_id"), ("service", "service")):
        if query.get(key):
            parts.append({name: query[key]})
    if query.get("result") in ("done", "refused"):
        parts.append({"act": {("$in" if query["result"] == "refused" else "$nin"): list(REFUSED_ACTS)}})
    if period := period_of(query.get("from", ""), query.get("to", "")):
        parts.append({"at": period})
    return {"$and": parts}


def period_of(first: str, last: str) -> dict[str, dt.datetime]:
    """Whole days in Vietnam, both included; either may be missing. Raises Refused(WRONG_PERIOD)."""
    try:
        start = dt.date.fromisoformat(first) if first else None
        end = dt.date.fromisoformat(last) if last else None
    except ValueError as problem:
        raise Refused(WRONG_PERIOD) from problem
    if start and end and end < start:
        raise Refused(WRONG_PERIOD)
    found = {}
    if start:
        found["$gte"] = dt.datetime.combine(start, dt.time(), VIETNAM)
    if end and end < dt.date.max:
        found["$lt"] = dt.datetime.combine(end + dt.timedelta(days=1), dt.time(), VIETNAM)
    return found


@dataclass(frozen=True)
class Found:
    """`next` leads to what is older; "" at the end. `total` is at most MOST_COUNTED."""

    documents: Sequence[Document]
    next: str
    total: int


async def search(db: Database, scope: Scope, query: Mapping[str, str], before: str = "") -> Found:
    """Raises Refused: as `filter_of`, and WRONG_CURSOR."""
    wanted = await filter_of(db, scope, query)
    total = await store.count(db, wanted, most=MOST_COUNTED)
    if before:
        wanted["$and"].append(_older_than(before))
    found = await store.search(db, wanted, limit=PAGE_SIZE + 1)
    more, shown = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    return Found(shown, _cursor(shown[-1]) if more else "", total)


def _cursor(document: Document) -> str:
    return f"{round(document['at'].timestamp() * 1000)}~{document['_id']}"


def _older_than(cursor: str) -> dict[str, Any]:
    parsed = CURSOR.fullmatch(cursor)
    if not parsed:
        raise Refused(WRONG_CURSOR)
    try:
        at = dt.datetime.fromtimestamp(int(parsed[1]) / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise Refused(WRONG_CURSOR) from problem
    return {"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": parsed[2]}}]}


async def _codes(db: Database, scope: Scope, who: str) -> list[str]:
    """The code itself, the machine of that name, and whoever of the places has the words in the name."""
    wanted = fold(who)
    machines = [code for code, name in MACHINES.items() if wanted in fold(name)]
    people: list[str] = []
    if scope.places is not None:
        belongs = {"$in": list(scope.places)}
        found = db["people"].find({"$or": [{"school": belongs}, {"unit": belongs}]}, projection={"name": 1})
        people = [person["_id"] async for person in found if wanted in fold(person["name"])]
    return [who, *machines, *people]


@dataclass(frozen=True)
class Names:
    """Of people, schools and units, by code."""

    of: Mapping[str, str]

    def __call__(self, code: str | None) -> str:
        return self.of.get(code or "", code or "")


async def names_of(db: Database, documents: Sequence[Document]) -> Names:
    codes = list({code for d in documents for code in (d["actor"], d["subject"], d["place"]) if code})
    found = dict(MACHINES)
    for collection in ("people", "schools", "units"):
        shown = db[collection].find({"_id": {"$in": codes}}, projection={"name": 1})
        found.update({each["_id"]: each["name"] async for each in shown})
    return Names(found)


def row(document: Document, names: Names) -> dict[str, Any]:
    """An entry in words."""
    words = words_of(document["act"])
    origin = document["origin"] or {}
    details = json.loads(document["details"])
    return {
        "id": document["_id"],
        "at": document["at"],
        "actor": document["actor"],
        "actor_name": names(document["actor"]),
        "act": document["act"],
        "text": words.text,
        "kind": words.kind,
        "refused": words.refused,
        "subject": document["subject"],
        "subject_name": names(document["subject"]),
        "place": document["place"] or "",
        "place_name": names(document["place"]),
        "service": document["service"],
        "service_name": SERVICES[document["service"]],
        "number": document["number"],
        "hash": document["hash"],
        "address": origin.get("address", details.get("address", "")),
        "device": origin.get("device", ""),
        "request_id": document["request_id"] or "",
        "details": [] if document["details_left_out"] else list(lines(details)),
        "details_left_out": document["details_left_out"],
    }
