"""The envelope that every event travels in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Generic, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """What happened. The class name is the event's type; its producer owns it.

    Only optional fields are ever added; any other change is a new class with the next number.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    topic: ClassVar[str]


F = TypeVar("F", bound=Fact)
Subject = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9:._-]+$")]


class Event(BaseModel, Generic[F]):
    """One fact with where it came from.

    `subject` is the aggregate and the Kafka key: an opaque id, never personal data.
    `sequence` grows with every change of the subject, so a consumer can tell old from new.
    `actor` is the person (or service) whose act caused it; `cause` the request or event that did.
    `snapshot` names the republishing that told it: the subject as it was at `sequence`, not anything new. Who knows the subject skips it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: UUID = Field(default_factory=uuid4)
    type: str
    subject: Subject
    sequence: int = Field(ge=1)
    occurred_at: dt.datetime
    actor: str
    cause: str | None = None
    traceparent: str | None = None
    snapshot: str | None = None
    data: F
