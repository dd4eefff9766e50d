"""The life of a share link: made on a recorded request, in force for some days, revoked at once. Plain data in, decision out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.chassis.errors import Refused
from services.chassis.vietnamese import readable
from services.publishing.sharing.errors import ENDED_ALREADY, NOT_SHAREABLE, REASON_NEEDED
from services.publishing.submissions import NOT_LISTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.publishing.verification.source import Source

Share = dict[str, Any]
State = Literal["in_force", "ended", "revoked"]

MOST_DAYS: Final = 30
"""The policy: whoever needs a transcript for longer asks again, so that each link answers a need of today."""
MOST_TRANSCRIPTS: Final = 12
SHORTEST, LONGEST = 5, 500
"""Characters of a reason."""
RELATIONS: Final = ("Học sinh", "Cha", "Mẹ", "Người giám hộ", "Người được ủy quyền", "Cơ quan, tổ chức")
WORDS: Final[Mapping[State, tuple[str, str]]] = {
    "in_force": ("Đang hiệu lực", "success"),
    "ended": ("Hết hạn", "neutral"),
    "revoked": ("Đã thu hồi", "danger"),
}
FORMS: Final[Mapping[str, str]] = {"pdf": "application/pdf", "xml": "application/xml"}
Line = Annotated[str, AfterValidator(readable), StringConstraints(min_length=1, max_length=200)]


class Ask(BaseModel):
    """Who asked for what: `reference` names the paper (request, letter, consent) or the note that the school keeps of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asker: Line
    relation: Literal["Học sinh", "Cha", "Mẹ", "Người giám hộ", "Người được ủy quyền", "Cơ quan, tổ chức"]
    purpose: Line
    reference: Line
    days: int = Field(ge=1, le=MOST_DAYS)


def may_be_shared(submission: Mapping[str, Any], source: Source | None) -> bool:
    """A transcript that is confirmed and whose version is in force."""
    listed = submission["state"] not in NOT_LISTED and submission.get("kind", "transcript") == "transcript"
    return listed and source is not None and source.standing == "in_force"


def made(
    key: str,
    digest: str,
    chosen: Sequence[tuple[Mapping[str, Any] | None, Source | None]],
    ask: Ask,
    *,
    who: Principal,
    at: dt.datetime,
) -> Share:
    """`chosen`: what the school holds of each document that was asked for. Raises Refused(NOT_SHAREABLE)."""
    submissions = [s for s, source in chosen if s is not None and s["school"] == who.school and may_be_shared(s, source)]
    if not submissions or len(submissions) != len(chosen) or len({s["pupil_code"] for s in submissions}) > 1:
        raise Refused(NOT_SHAREABLE)
    first = submissions[0]
    return {
        "_id": key,
        "digest": digest,
        "school": first["school"],
        "pupil_code": first["pupil_code"],
        "pupil_name": first["pupil_name"],
        "transcripts": [
            {"id": s["_id"], **{name: s[name] for name in ("year", "class_code", "grade", "version", "pdf", "xml")}}
            for s in sorted(submissions, key=lambda s: str(s["year"]), reverse=True)
        ],
        "ask": ask.model_dump(mode="json"),
        "made_by": who.person,
        "made_by_name": who.name,
        "made_at": at,
        "until": at + dt.timedelta(days=ask.days),
        "revoked_at": None,
        "revoked_by": None,
        "revoked_by_name": "",
        "reason": "",
        "opened": 0,
        "opened_at": None,
    }


def state_of(share: Mapping[str, Any], at: dt.datetime) -> State:
    if share["revoked_at"] is not None:
        return "revoked"
    return "in_force" if at < share["until"] else "ended"


def reason_of(text: str) -> str:
    """Raises Refused(REASON_NEEDED)."""
    said = readable(text)
    if not SHORTEST <= len(said) <= LONGEST:
        raise Refused(REASON_NEEDED, least=SHORTEST, most=LONGEST)
    return said


def revoked(share: Mapping[str, Any], reason: str, *, who: Principal, at: dt.datetime) -> Share:
    """Raises Refused(ENDED_ALREADY)."""
    if state_of(share, at) != "in_force":
        raise Refused(ENDED_ALREADY)
    return {**share, "revoked_at": at, "revoked_by": who.person, "revoked_by_name": who.name, "reason": reason}


def transcript_in(share: Mapping[str, Any], document: str) -> Mapping[str, Any] | None:
    """The named one of the shared transcripts, the newest when none is named; None for what is not shared."""
    every: Sequence[Mapping[str, Any]] = share["transcripts"]
    return next((t for t in every if document in ("", t["id"])), None)
