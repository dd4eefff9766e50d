"""Shapes that the JSON routes of identity share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from services.chassis.errors import Refused


@dataclass(frozen=True)
class Outcome:
    """What became of one item of a bulk act; `refused` when nothing."""

    person: str
    refused: Refused | None = None


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Item(BaseModel):
    """What became of one item of a bulk act; `code` and `message` say why it was not done."""

    person: str
    done: bool
    code: str | None = None
    message: str | None = None


class Outcomes(BaseModel):
    items: list[Item]
    done: int
    refused: int


def outcomes_of(outcomes: list[Outcome]) -> Outcomes:
    items = [
        Item(
            person=o.person,
            done=o.refused is None,
            code=o.refused.code if o.refused else None,
            message=o.refused.cause if o.refused else None,
        )
        for o in outcomes
    ]
    done = sum(item.done for item in items)
    return Outcomes(items=items, done=done, refused=len(items) - done)
