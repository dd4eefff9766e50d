"""Problem reports, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from services.chassis.access import Who
from services.identity.at_hand import Db
from services.identity.messages import Body
from services.identity.problems import desk, store
from services.identity.problems.reports import LONGEST

router = APIRouter(prefix="/api/identity")

Told = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Short = Annotated[str, StringConstraints(max_length=200)]


class ProblemOrder(Body):
    """`page` is the address of the page without its query, `request` the id that an error page names."""

    what: Told
    page: Short = ""
    request: Short = ""


class AnswerOrder(Body):
    state: Literal["WORKING", "DONE"]
    answer: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)] = ""


class ProblemReport(BaseModel):
    id: str
    place: str | None
    by: str
    at: dt.datetime
    what: str
    page: str
    request: str
    state: str
    answer: str
    answered_at: dt.datetime | None


class ProblemReports(BaseModel):
    problems: list[ProblemReport]


@router.post("/problems", status_code=201)
async def report(order: ProblemOrder, who: Who, db: Db) -> dict[str, str]:
    """Tell those who look after the school of a problem."""
    return {"id": await desk.report(db, who, order.what, page=order.page, request_id=order.request)}


@router.get("/problems")
async def reports_of(who: Who, db: Db, *, mine: bool = False) -> ProblemReports:
    """The own ones, and for those who answer them those of the school (of an officer: of the units of the branch)."""
    places = [] if mine else await desk.to_answer(db, who)
    found = await store.problems(db, {"$or": [{"by": who.person}, {"place": {"$in": places}}]})
    return ProblemReports(problems=[ProblemReport(id=d["_id"], request=d["request_id"], **_shown(d)) for d in found])


@router.post("/problems/{problem}/answer", status_code=204)
async def answer(order: AnswerOrder, problem: str, who: Who, db: Db) -> None:
    await desk.answer(db, who, problem, state=order.state, text=order.answer)


def _shown(document: dict[str, object]) -> dict[str, object]:
    keys = ("place", "by", "at", "what", "page", "state", "answer", "answered_at")
    return {key: document[key] for key in keys}
