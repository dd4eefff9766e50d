"""Whose learner record a person may look at, and what is put together for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.access import Action
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.records.at_hand import own_school
from services.records.learners import store
from services.records.learners.chain import Held, Year, timeline
from services.records.transcripts.reading import Reading
from services.records.transfers import store as transfers

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.records.store import Store


@dataclass(frozen=True)
class Learner:
    """`personal_id` is "" for a pupil whose data are too incomplete to tell."""

    code: str
    name: str
    born: str
    personal_id: str
    years: list[Year]
    left: list[Document]
    came: list[Document]


async def require_pupil(records: Store, who: Principal, code: str) -> tuple[list[Document], list[Document]]:
    """(the pupil in the years of the own school, newest first; documents received for them).

    Whoever may see the class of the newest year may see the record; of a pupil who is in no class, whoever may see the whole school.
    Raises Refused.
    """
    school = own_school(who)
    own = await store.years_of(records.db, school, code)
    received = await store.received_codes(records.db, school, code)
    if own:
        looked_at = await Reading.of(records, who, school, own[0]["year"])
        await looked_at.require_class(own[0]["class_code"])
        return own, received
    require(who, Action.VIEW_SCHOOL, school=school)
    if not received:
        raise Refused(NOT_FOUND)
    return own, received


async def learner(records: Store, who: Principal, code: str) -> Learner:
    """Raises Refused(NOT_FOUND), Refused(FORBIDDEN)."""
    own, received = await require_pupil(records, who, code)
    school, db = own_school(who), records.db
    data = next((p["data"] for p in own if p["data"]), None) or {}
    personal_id = data.get("personal_id") or next((r["personal_id"] for r in received), "")
    transcripts = await store.transcripts_of(db, personal_id) if personal_id else []
    years = await records.years(school)
    held = Held(
        school=school,
        school_name=(await records.school(school, years[0])).name if years else school,
        pupils=own,
        transcripts=transcripts,
        received=await transfers.received_of(db, school, personal_id) if personal_id else [],
        classes={(y, c["code"]): c["data"]["name"] for y in {p["year"] for p in own} for c in await records.classes(school, y)},
    )
    left, came = await transfers.moves_of(db, school, personal_id) if personal_id else ([], [])
    name = own[0]["name"] if own else next((a["pupil_name"] for a in came), code)
    return Learner(code, name, data.get("born", ""), personal_id, timeline(held), left, came)


async def learners(records: Store, who: Principal) -> list[Document]:
    """Each pupil that the person may look at once: teachers the own classes of the newest year, others the whole school over all years."""
    school = own_school(who)
    years = await records.years(school)
    if not years:
        return []
    looked_at = await Reading.of(records, who, school, years[0])
    visible = await looked_at.visible_classes()
    every = [c["code"] for c in await records.classes(school, years[0])]
    if visible == every and every:
        return await store.pupils(records.db, school, None, None)
    return await store.pupils(records.db, school, years[0], visible)
