"""The activity page of a school: what the rules find, what somebody has looked at, and counts."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.access import SECOND_FACTOR
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.activity import store
from services.identity.activity.rules import EVER, WATCHED, Act, Count, Finding, Known, unusual
from services.identity.activity.words import KINDS, words_of
from services.identity.errors import NO_FINDING
from services.identity.organisations import store as organisations
from services.identity.organisations.people import has_left, is_staff

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session

PERIOD = dt.timedelta(days=30)
USUAL = dt.timedelta(days=90)
"""How far back the usual is looked for."""
MOST_ACTS = 20_000
LATEST = 10
SHOWN_DAYS = 14


@dataclass(frozen=True)
class Watched:
    """`seen`: by the finding's id, who looked at it and when. `days`: (day, acts by kind), the newest first."""

    findings: Sequence[Finding]
    seen: Mapping[str, Document]
    days: Sequence[tuple[dt.date, Mapping[str, int]]]
    latest: Sequence[Document]

    @property
    def fresh(self) -> int:
        return sum(finding.id not in self.seen for finding in self.findings)


async def watch(db: Database, school: str) -> Watched:
    now = clock.now()
    since = now - PERIOD
    people = await organisations.people_of(db, school)
    left = _left(people, await store.imports(db, school))
    here = {"place": school, "at": {"$gte": since}}
    found = await store.search(db, {**here, "$or": [{"act": {"$in": WATCHED}}, {"actor": {"$in": list(left)}}]}, limit=MOST_ACTS)
    privileged = frozenset(code for code, person in people.items() if SECOND_FACTOR & set(person["roles"]))
    counts = await store.per_day(db, school, now - USUAL)
    known = Known(
        devices=await store.told_devices(db, privileged, since),
        privileged=privileged,
        left=left,
        counts=counts,
        since=since,
    )
    findings = unusual([_act(d) for d in found], known)
    return Watched(findings, await store.seen(db, school), _days(counts, now), await store.search(db, here, limit=LATEST))


def _act(document: Document) -> Act:
    device = (document["origin"] or {}).get("device", "")
    details = json.loads(document["details"])
    return Act(document["_id"], document["at"], document["actor"], document["act"], document["subject"], device, details)


def _left(people: Mapping[str, Document], imports: Sequence[Document]) -> dict[str, dt.datetime]:
    """Since when the import or the administrator has taken somebody off the list; who never stood there left long ago."""
    taken_off = {code: d["at"] for d in imports for code in json.loads(d["details"]).get("changed", ())}
    found = {}
    for code, person in people.items():
        if has_left(person):
            day_after = dt.date.fromisoformat(person["left"]["on"]) + dt.timedelta(days=1)
            found[code] = dt.datetime.combine(day_after, dt.time(), clock.VIETNAM)
        elif person["school"] and not person["roles"] and not is_staff(person):
            found[code] = taken_off.get(code, EVER)
    return found


def _days(counts: Sequence[Count], now: dt.datetime) -> list[tuple[dt.date, Mapping[str, int]]]:
    today = clock.in_vietnam(now).date()
    by_day: dict[str, Counter[str]] = {}
    for each in counts:
        by_day.setdefault(each.day, Counter())[words_of(each.act).kind] += each.number
    days = [today - dt.timedelta(days=n) for n in range(SHOWN_DAYS)]
    return [(day, {kind: by_day.get(day.isoformat(), Counter())[kind] for kind in KINDS}) for day in days]


async def mark_seen(db: Database, who: Principal, school: str, wanted: Sequence[str]) -> int:
    """How many were marked now. Raises Refused(NO_FINDING) when none of them is one of the school's that nobody has seen."""
    watched = await watch(db, school)
    fresh = [f.id for f in watched.findings if f.id in set(wanted) and f.id not in watched.seen]
    if not fresh:
        raise Refused(NO_FINDING)

    async def work(session: Session) -> None:
        await store.mark_seen(db, session, school, fresh, by=who.person, at=clock.now())
        await audit.record(db, session, actor=who.person, act="activity seen", subject=school, place=school, details={"findings": fresh})

    await transaction(db, work)
    return len(fresh)
