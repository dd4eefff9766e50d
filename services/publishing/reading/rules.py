"""What a proved request may have. Plain data in, decision out."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.chassis.errors import INVALID_INPUT, Refused
from services.publishing.reading.errors import CONSENT_NEEDED, PURPOSE_NOT_GRANTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.publishing.reading.consumers import Consumer
    from services.publishing.verification.source import Source

FILES_FOR: Final = dt.timedelta(minutes=15)
"""How long the files of an answer can be fetched."""
WINDOW: Final = 60
"""Seconds over which requests are counted."""
_CONSENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{7,79}")
Form = Literal["pdf", "xml"]


class Asked(BaseModel):
    """The claims of a request for the transcripts of one person, beside iss, aud, iat, exp and jti."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    personal_id: str = Field(pattern=r"^[0-9]{12}$", description="số định danh cá nhân")
    purpose: str = Field(description="own_view, administrative, admission or school_transfer, as granted to the consumer")
    consent: str = Field(description="where the consumer keeps the consent: 8 to 80 of A-Z a-z 0-9 . _ : / -")


class FileAsked(BaseModel):
    """The claims of a request for one file of an answer, beside iss, aud, iat, exp and jti."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reading: str = Field(max_length=80)
    document: str = Field(max_length=80)
    form: Form


def asked(claims: Mapping[str, Any], consumer: Consumer) -> Asked:
    """Raises Refused: CONSENT_NEEDED, PURPOSE_NOT_GRANTED, INVALID_INPUT; never with what stood in a field."""
    consent = claims.get("consent")
    if not isinstance(consent, str) or not _CONSENT.fullmatch(consent):
        raise Refused(CONSENT_NEEDED)
    try:
        found = Asked.model_validate(dict(claims))
    except ValidationError as problem:
        raise Refused(INVALID_INPUT, fields=_fields(problem)) from problem
    if found.purpose not in consumer.purposes:
        raise Refused(PURPOSE_NOT_GRANTED)
    return found


def file_asked(claims: Mapping[str, Any]) -> FileAsked:
    """Raises Refused(INVALID_INPUT)."""
    try:
        return FileAsked.model_validate(dict(claims))
    except ValidationError as problem:
        raise Refused(INVALID_INPUT, fields=_fields(problem)) from problem


def _fields(problem: ValidationError) -> str:
    return ", ".join(sorted({str(error["loc"][0]) for error in problem.errors(include_input=False)}))


def readable_by(consumer: Consumer, path: Iterable[str]) -> bool:
    """`path`: the units above the school, root first."""
    return not set(consumer.units).isdisjoint(path)


def may_be_read(source: Source | None) -> bool:
    return source is not None and source.standing == "in_force"


def window_of(at: dt.datetime) -> tuple[int, int]:
    """The window that a moment falls into, and the seconds until the next."""
    seconds = int(at.timestamp())
    return seconds // WINDOW, WINDOW - seconds % WINDOW
