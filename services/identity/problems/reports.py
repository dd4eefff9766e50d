"""A reported problem: what may be said, and what an answer makes of it. Plain data in, decision out.

States: NEW → WORKING → DONE, in any order but back to NEW.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis.errors import Refused
from services.identity.errors import ANSWER_NEEDED

if TYPE_CHECKING:
    from contracts.access import Principal

Problem = dict[str, Any]
NEW, WORKING, DONE = "NEW", "WORKING", "DONE"
STATES = (NEW, WORKING, DONE)
PAGE = re.compile(r"/ui/[A-Za-z0-9/_.~:-]{0,180}")
REQUEST = re.compile(r"[A-Za-z0-9-]{8,64}")
MOST_A_DAY = 10
LONGEST = 2000
"""Characters of what is told and of an answer."""


def reported(who: Principal, what: str, *, page: str, request_id: str, at: dt.datetime) -> Problem:
    """`page` and `request_id` are kept only when they look like ours."""
    return {
        "_id": str(uuid4()),
        "place": who.place,
        "by": who.person,
        "at": at,
        "what": what.strip()[:LONGEST],
        "page": page if PAGE.fullmatch(page) else "",
        "request_id": request_id if REQUEST.fullmatch(request_id) else "",
        "state": NEW,
        "answer": "",
        "answered_by": None,
        "answered_at": None,
        "read": True,
    }


def answered(problem: Problem, *, state: str, answer: str, by: str, at: dt.datetime) -> Problem:
    """Without an answer the one from before stays. Raises Refused(ANSWER_NEEDED) for an end without any."""
    said = answer.strip()[:LONGEST] or problem["answer"]
    if state == DONE and not said:
        raise Refused(ANSWER_NEEDED)
    return {**problem, "state": state, "answer": said, "answered_by": by, "answered_at": at, "read": problem["by"] == by}
