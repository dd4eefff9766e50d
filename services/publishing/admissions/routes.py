"""JSON of the admissions portal's desk under /api/publishing/admissions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.lock_dates import FINAL_GRADES
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import NOT_FOUND, Refused
from services.publishing.admissions import rules, sending
from services.publishing.admissions import store as admissions
from services.publishing.admissions.errors import NO_RECEIPT
from services.publishing.routes import own_school, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Document
    from services.publishing.store import Store

router = APIRouter(prefix="/api/publishing/admissions")


class Chosen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    transcripts: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False


class Attempt(BaseModel):
    """`outcome`: RECEIPTED, REFUSED, REVOKED. `number` is the receipt's."""

    push: str
    requested_at: dt.datetime
    sent_at: dt.datetime | None
    at: dt.datetime
    outcome: str
    code: str
    reason: str
    number: str


class Admission(BaseModel):
    """`state`: NOT_ACCEPTED (the national gateway does not hold it), NOT_SENT, RESEND (the portal had an earlier version), REQUESTED,
    SENT, RECEIPTED, REFUSED, REVOKING, REVOKED. `push` is the id under which the portal knows the latest attempt."""

    transcript: str
    year: str
    class_code: str
    grade: int
    version: int
    pupil_code: str
    pupil_name: str
    state: str
    state_name: str
    push: str | None
    sent_at: dt.datetime | None
    receipt_number: str | None
    receipted_at: dt.datetime | None
    reason: str
    history: list[Attempt]


class Admissions(BaseModel):
    admissions: list[Admission]


def shown(submission: Mapping[str, Any], admission: Mapping[str, Any] | None, *, replaces: bool) -> Admission:
    state = rules.standing(submission, admission, replaces=replaces)
    about = admission or {}
    refusal, receipt = about.get("refusal"), about.get("receipt")
    return Admission(
        transcript=submission["_id"],
        **{key: submission[key] for key in rules.COPIED if key != "school"},
        state=state,
        state_name=rules.WORDS[state],
        push=about.get("push"),
        sent_at=about.get("sent_at"),
        receipt_number=receipt["number"] if receipt else None,
        receipted_at=receipt["issued_at"] if receipt else None,
        reason=f"{refusal['code']}: {refusal['reason']}" if refusal else "",
        history=about.get("history", []),
    )


async def of_school(store: Store, school: str) -> list[tuple[Document, Document | None, bool]]:
    """Transcripts of the final grades with their admission, and whether the portal had an earlier version; also those that are in force
    no more while the portal is being told."""
    known = await admissions.of_school(store.db, school)
    listed = [s for s in await store.submissions(school) if s["grade"] in FINAL_GRADES]
    telling = [i for i, a in known.items() if a["state"] == rules.REVOKING]
    gone = await admissions.submissions(store.db, set(telling) - {s["_id"] for s in listed})
    sent = rules.pupils_sent(known.values())
    return [(s, known.get(s["_id"]), rules.pupil_of(s) in sent) for s in (*listed, *gone)]


async def one(store: Store, transcript: str, school: str) -> tuple[Document, Document | None, bool]:
    """Raises Refused(NOT_FOUND), also for another school's and for other grades."""
    found = await store.submission(transcript)
    if found is None or found["school"] != school or found["grade"] not in FINAL_GRADES:
        raise Refused(NOT_FOUND)
    versions = await admissions.of_pupil(store.db, school, *rules.pupil_of(found))
    own = next((a for a in versions if a["_id"] == transcript), None)
    return found, own, rules.pupil_of(found) in rules.pupils_sent(versions)


@router.get("")
async def listed(
    request: Request, who: Who, class_code: Annotated[str | None, Query(alias="class")] = None, state: str | None = None
) -> Admissions:
    """Transcripts of grades 5, 9 and 12 and how each stands with the admissions portal."""
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    every = [shown(s, a, replaces=r) for s, a, r in await of_school(store_of(request), own_school(who))]
    return Admissions(admissions=[e for e in every if class_code in (None, e.class_code) and state in (None, e.state)])


@router.post("", status_code=202)
async def send(request: Request, who: Who, chosen: Chosen) -> dict[str, Any]:
    """ "Gửi lên Cổng Tuyển sinh": by class, selection or everything that the national gateway has accepted; refused ones again."""
    require_fresh(who, Action.SUBMIT, school=own_school(who))
    return await sending.push(
        store_of(request),
        who,
        transcripts=chosen.transcripts,
        classes=chosen.classes,
        everything=chosen.all,
        request_id=request.state.request_id,
    )


@router.get("/{transcript}")
async def standing(request: Request, who: Who, transcript: str) -> Admission:
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    submission, admission, replaces = await one(store_of(request), transcript, own_school(who))
    return shown(submission, admission, replaces=replaces)


@router.get("/{transcript}/receipt", response_class=Response)
async def receipt(request: Request, who: Who, transcript: str) -> Response:
    """The receipt as the portal signed it: a JWS (RFC 7515) that anybody can verify."""
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    _, admission, _ = await one(store_of(request), transcript, own_school(who))
    if admission is None or admission["receipt"] is None:
        raise Refused(NO_RECEIPT)
    headers = {"Content-Disposition": f'attachment; filename="bien-nhan-{transcript}.jws"', "X-Content-Type-Options": "nosniff"}
    return Response(admission["receipt"]["jws"], media_type="application/jose", headers=headers)
