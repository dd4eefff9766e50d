""" "Lấy dữ liệu năm học trước": what was approved last school year and still holds, registered anew without another proof.

The guides copy the decision of last year's accounts too (001, II.2.1), where the school itself decides: an account that somebody else
who may approve copies is approved at once. What the oversight unit decides, and what somebody copies of their own, waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import revocation, store
from services.identity.certificates.registrations import Wanted
from services.identity.errors import NOTHING_LAST_YEAR, REVOCATION_UNKNOWN, STANDS_ALREADY, UNKNOWN_PERSON, UNKNOWN_SCHOOL
from services.identity.messages import Outcome
from services.identity.organisations import store as organisations_store
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document, Session
    from services.identity.certificates.registering import Registry
    from services.identity.certificates.registrations import Kind

COPIED = {"person": "signing account copied", "school": "school certificate copied"}


async def copy_own(registry: Registry, kind: Kind, who: Principal, *, request_id: str) -> Document:
    """The own account or the certificate of the own school; the registration that waits now.

    Raises Refused: NOTHING_LAST_YEAR, STANDS_ALREADY, UNFIT_CERTIFICATE, and as `revocation.ask` does.
    """
    wanted = await registry.wanted(kind, who)
    last = await last_year(registry, wanted)
    if last is None:
        raise Refused(NOTHING_LAST_YEAR, owner=_owner(wanted))
    [asked] = await revocation.ask([certificates.ders(last)], registry.roots)

    async def work(session: Session) -> Document:
        now = await registry.wanted(kind, who, session)
        change = _repeated(registry, now, last, await registry.standing(session, now), asked)
        return await _enter(registry, session, now, change, by=who.person, approved=False, request_id=request_id)

    return await transaction(registry.db, work)


async def copy_from_last_year(
    registry: Registry, who: Principal, school: str, persons: Sequence[str] | None, *, request_id: str
) -> list[Outcome]:
    """The accounts of those named, or of all who have none this year yet; each with its own outcome. `who` may approve at the school.

    Raises Refused: UNKNOWN_SCHOOL, NO_YEAR.
    """
    place = await one(registry.db, "schools", school)
    if place is None:
        raise Refused(UNKNOWN_SCHOOL, school=school)
    year = Wanted("person", place, {}).year
    last = await store.approved_last_year(registry.db, None, "person", school, year, owners=persons)
    answers = await revocation.ask([certificates.ders(r) for r in last.values()], registry.roots)
    asked = dict(zip(last, answers, strict=True))

    async def work(session: Session) -> list[Outcome]:
        people = await organisations_store.people_by_code(registry.db, last, session)
        open_ones = await store.open_registrations(registry.db, session, school, year, last)
        outcomes = []
        for code in _those(persons, last, {r["owner"] for r in open_ones}):
            try:
                wanted = _wanted(place, people.get(code), last.get(code), code)
                standing = await registry.standing(session, wanted)
                change = _repeated(registry, wanted, last[code], standing, asked.get(code, Refused(REVOCATION_UNKNOWN)))
                decides = not change.document["by_oversight"] and code != who.person
                await _enter(registry, session, wanted, change, by=who.person, approved=decides, request_id=request_id)
            except Refused as refused:
                if refused.refusal is CONFLICT:
                    raise
                outcomes.append(Outcome(code, refused))
            else:
                outcomes.append(Outcome(code))
        return outcomes

    return await transaction(registry.db, work)


async def last_year(registry: Registry, wanted: Wanted) -> Document | None:
    """What could be copied for the owner; None also before the first import."""
    if wanted.school["year"] is None:
        return None
    owner = wanted.person["_id"] if wanted.kind == "person" else wanted.school["_id"]
    found = await store.approved_last_year(registry.db, None, wanted.kind, wanted.school["_id"], wanted.year, owners=[owner])
    return found.get(owner)


def _those(persons: Sequence[str] | None, last: Iterable[str], standing: set[str]) -> list[str]:
    return list(dict.fromkeys(persons)) if persons is not None else sorted(set(last) - standing)


def _wanted(place: Document, person: Document | None, last: Document | None, code: str) -> Wanted:
    if last is None:
        raise Refused(NOTHING_LAST_YEAR, owner=code)
    if person is None or person["school"] != place["_id"] or not person["roles"]:
        raise Refused(UNKNOWN_PERSON, person=code)
    return Wanted("person", place, person)


def _repeated(
    registry: Registry, wanted: Wanted, last: Document, standing: tuple[Document | None, Document | None], asked: Refused | None
) -> Change:
    """Last year's registration as a request of this year. Raises Refused."""
    if any(standing):
        raise Refused(STANDS_ALREADY, owner=_owner(wanted))
    certificate, chain = certificates.ders(last)
    at = clock.now()
    candidate = certificates.judge(wanted, last["credential_id"], certificate, chain, registry.roots, at=at)
    assert candidate is not None
    if candidate.problems:
        raise certificates.unfit(candidate.problems)
    if asked is not None:
        raise asked
    change = certificates.register(
        wanted,
        candidate,
        means=last["means"],
        provider=last["provider"],
        provider_name=registry.providers.name(last["provider"]),
        proof=last["proof"],
        copied_from=last["_id"],
        reason="",
        waiting=None,
        approved=None,
        at=at,
    )
    assert change is not None
    return change


async def _enter(
    registry: Registry, session: Session, wanted: Wanted, change: Change, *, by: str, approved: bool, request_id: str
) -> Document:
    document = change.document
    if approved:
        [change] = certificates.approve(document, wanted.person, None, decider=by, at=document["requested_at"])
    details = {"copied_from": document["copied_from"], "after": change.document["state"]}
    return await registry.enter(session, wanted, change, act=COPIED[wanted.kind], actor=by, request_id=request_id, details=details)


def _owner(wanted: Wanted) -> str:
    code: str = wanted.person["_id"] if wanted.kind == "person" else wanted.school["_id"]
    return code
