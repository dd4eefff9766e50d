"""Entries of the audit trails as the services tell them to identity, which keeps them in one place to search."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.event import Fact


class SealedAct(BaseModel):
    """An entry with its link of the chain; every value is as the chain's digest covers it.

    `place` is the code of the organisation concerned, `details` what was before and after, by ids and states.
    With `details_left_out` they were too large to travel, and the digest can be proved in the service's own trail alone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    previous: str
    hash: str
    id: str
    at: dt.datetime
    actor: str
    act: str
    subject: str
    place: str | None
    origin: dict[str, str] | None
    request_id: str | None
    details: dict[str, Any]
    details_left_out: bool = False


class ActsSealed(Fact):
    """A stretch of a service's audit trail. Each service tells its own type, on a topic of its own, with its name as the key."""

    acts: tuple[SealedAct, ...]
