"""JSON under /api/records/finalisation: which classes are finalised, what forbids it, finalising and taking it back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action, allowed
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import Refused
from services.records.at_hand import Year, reading
from services.records.finalisation import store
from services.records.finalisation.finalising import Standing, standings
from services.records.locks.locking import class_finalised
from services.records.locks.rules import reason_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/api/records/finalisation")
Act = Callable[..., Awaitable[None]]


class Classes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    classes: list[str] = Field(min_length=1, max_length=200)


class Reopened(Classes):
    reason: str = Field(max_length=4000)


@router.get("")
async def every_class(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    looked_at = await reading(request, who, year)
    return {"school": looked_at.school, "year": looked_at.year, "classes": await classes(looked_at)}


@router.get("/{code}")
async def one_class(request: Request, who: Who, code: str, year: Year = None) -> dict[str, Any]:
    """The pupils with what forbids finalising (`blocking`) and what their profiles lack (`lacking`)."""
    looked_at = await reading(request, who, year)
    found = await of_class(looked_at, code)
    pupils = [{"pupil": s.pupil, "blocking": s.blocking, "lacking": s.lacking} for s in found if s.blocking or s.lacking]
    return {"class": code, "pupils": pupils}


@router.post("")
async def finalise(request: Request, who: Who, chosen: Classes, year: Year = None) -> dict[str, Any]:
    return await finalise_all(await reading(request, who, year), chosen.classes)


@router.post("/undo")
async def undo(request: Request, who: Who, chosen: Reopened, year: Year = None) -> dict[str, Any]:
    """Management opens the data lock of classes again, with a reason, while nothing was made of the data."""
    return await reopen_all(await reading(request, who, year), chosen.classes, chosen.reason)


def may_finalise(looked_at: Reading, code: str) -> bool:
    who = looked_at.who
    return allowed(who, Action.FINALISE, school=looked_at.school, own=code in who.homeroom_of)


def may_reopen(looked_at: Reading) -> bool:
    return allowed(looked_at.who, Action.REOPEN_CLASS, school=looked_at.school)


async def finalise_all(looked_at: Reading, codes: Sequence[str]) -> dict[str, Any]:
    """Each class on its own: {"done": n, "refused": [{class, code, reason}]}. Raises Refused(FORBIDDEN) when one is not theirs."""
    who = looked_at.who
    for code in codes:
        require(who, Action.FINALISE, school=looked_at.school, own=code in who.homeroom_of)
    return await _each(looked_at, codes, store.finalise)


async def reopen_all(looked_at: Reading, codes: Sequence[str], reason: str) -> dict[str, Any]:
    """As `finalise_all`. Raises Refused: FORBIDDEN, REASON_NEEDED; ConfirmationNeeded."""
    require_fresh(looked_at.who, Action.REOPEN_CLASS, school=looked_at.school)
    return await _each(looked_at, codes, partial(store.reopen, reason=reason_in(reason)))


async def _each(looked_at: Reading, codes: Sequence[str], act: Act) -> dict[str, Any]:
    refused = []
    for code in dict.fromkeys(codes):
        try:
            await act(looked_at.store.db, looked_at.school, looked_at.year, code, actor=looked_at.who.person)
        except Refused as refusal:
            refused.append({"class": code, "code": refusal.code, "reason": refusal.cause})
    return {"done": len(set(codes)) - len(refused), "refused": refused}


async def of_class(looked_at: Reading, code: str) -> list[Standing]:
    school_class = await looked_at.store.school_class(looked_at.school, looked_at.year, code)
    await looked_at.require_class(code)
    pupils = await looked_at.store.pupils(looked_at.school, looked_at.year, classes=[code])
    return standings(pupils, school_class["data"]["grade"], looked_at.year)


async def classes(looked_at: Reading) -> list[dict[str, Any]]:
    """Each visible class; of those that are not finalised also how many pupils have something missing."""
    at = looked_at
    visible = set(await at.visible_classes())
    documents = [c for c in await at.store.classes(at.school, at.year) if c["code"] in visible]
    still_open = {c["code"]: c["data"]["grade"] for c in documents if not class_finalised(c)}
    pupils = await at.store.pupils(at.school, at.year, classes=still_open) if still_open else []
    counts = await asyncio.to_thread(_counts, pupils, still_open, at.year)
    staff = await at.store.staff(at.school, at.year)

    def name(code: str | None) -> str:
        return staff[code].name if code in staff else code or ""

    return [
        {
            "code": c["code"],
            "name": c["data"]["name"],
            "grade": c["data"]["grade"],
            "homeroom": name(c["data"]["homeroom"]),
            "pupils": c["pupils"],
            "finalised": class_finalised(c),
            "imported": c["data"]["finalised"],
            "finalised_at": c.get("finalised_at"),
            "finalised_by": name(c.get("finalised_by")),
            **counts.get(c["code"], {"blocking": 0, "lacking": 0}),
        }
        for c in documents
    ]


def _counts(pupils: Sequence[dict[str, Any]], grades: dict[str, int], year: str) -> dict[str, dict[str, int]]:
    counts = {}
    for code, grade in grades.items():
        found = standings([p for p in pupils if p["class_code"] == code], grade, year)
        counts[code] = {"blocking": sum(1 for s in found if s.blocking), "lacking": sum(1 for s in found if s.lacking)}
    return counts
