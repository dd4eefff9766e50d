"""What records tells others of where a transcript is and who holds it up. A plain document in, the fact out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from contracts.events.records import Awaited, TranscriptMovedV1
from services.records.documents import kind_of
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_ISSUER = Awaited(person="", name="")
NEEDED = (
    *("school", "year", "class_code", "grade", "state", "kind", "version", "sequence", "pupil_code", "pupil_name"),
    *("signatures", "created_at", "confirmed_at", "submitted_at", "decided_at", "refusal", "returned", "stopped"),
    *("content.school.level", "content.school_class", "content.pupil.personal_id", "content.subject_teachers"),
    *("content.homeroom_name", "content.leader_name"),
)
"""The fields of a document that this reads."""


def whereabouts(document: Mapping[str, Any]) -> TranscriptMovedV1:
    """Of a class summary only which class it is of and its state."""
    about = {k: document[k] for k in ("school", "year", "class_code", "grade", "state")}
    if kind_of(document) != "transcript":
        return TranscriptMovedV1(**about, kind=kind_of(document))
    content, state = document["content"], State(document["state"])
    stopped = (document.get("stopped") or {}) if state in AWAITED else {}
    return TranscriptMovedV1(
        **about,
        class_name=content["school_class"]["name"],
        level=content["school"]["level"],
        version=document["version"],
        pupil_code=document["pupil_code"],
        pupil_name=document["pupil_name"],
        personal_id=content["pupil"]["personal_id"],
        awaited=awaited(document, state),
        since=_since(document, state),
        created_at=document["created_at"],
        signed_at=next((_moment(s["signed_at"]) for s in document["signatures"] if s["role"] == "issue"), None),
        confirmed_at=document.get("confirmed_at"),
        submitted_at=document.get("submitted_at"),
        decided_at=document.get("decided_at"),
        refusal=(document.get("refusal") or {}).get("reason", "") if state is State.REJECTED else "",
        problem=f"{stopped['code']}: {stopped['reason']}" if stopped else "",
    )


def awaited(document: Mapping[str, Any], state: State) -> tuple[Awaited, ...]:
    """Of the present step. In primary the homeroom teacher's one signature covers the own subjects (guides 003, 000)."""
    content = document["content"]
    school_class = content["school_class"]
    if state is State.AWAITING_HOMEROOM:
        return (Awaited(person=school_class["homeroom"], name=content["homeroom_name"]),)
    if state is State.AWAITING_LEADER:
        return (Awaited(person=school_class["leader"], name=content["leader_name"]),)
    if state is State.AWAITING_ISSUE:
        return (ANY_ISSUER,)
    if state is not State.AWAITING_SUBJECT_TEACHERS:
        return ()
    done = {s["person"] for s in document["signatures"] if s["role"] in ("subjects", "subject_teacher")}
    if content["school"]["level"] == "TH":
        done.add(school_class["homeroom"])
    return tuple(Awaited(person=t["staff"], name=t["name"]) for t in content["subject_teachers"] if t["staff"] not in done)


def _since(document: Mapping[str, Any], state: State) -> dt.datetime | None:
    """A step waits since the one before it was signed, the first one since the transcript was made."""
    created: dt.datetime = document["created_at"]
    if state is State.RETURNED:
        returned: dt.datetime = document["returned"]["at"]
        return returned
    if state not in AWAITED:
        return None
    if state is State.AWAITING_SUBJECT_TEACHERS:
        return created
    return max((_moment(s["signed_at"]) for s in document["signatures"]), default=created)


def _moment(value: str | dt.datetime) -> dt.datetime:
    """Signatures are kept as they travelled, as texts."""
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
