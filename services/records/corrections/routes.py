"""JSON and files under /api/records/corrections."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, StringConstraints

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis.access import Who, require
from services.chassis.errors import NOT_FOUND, Refused
from services.records.at_hand import Year, own_school, parts_of, reading, store_of
from services.records.corrections import desk, states, store
from services.records.corrections.errors import EVIDENCE_NEEDED, WRONG_EVIDENCE
from services.records.corrections.evidence import MOST_BYTES, MOST_FILES
from services.records.locks.store import lock_of

router = APIRouter(prefix="/api/records/corrections")

STEPS = {
    "forward": states.FORWARD,
    "turn-down": states.TURN_DOWN,
    "approve": states.APPROVE,
    "refuse": states.REFUSE,
    "witness": states.WITNESS,
    "withdraw": states.WITHDRAW,
    "relock": states.RELOCK,
}
"""As they stand in an address; the correction itself has its own."""
StepName = Literal["forward", "turn-down", "approve", "refuse", "witness", "withdraw", "relock"]
Party = Literal["", "management", "board", "inspection", "asker"]
Line = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=4000)]
FILE_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class StepOrder(BaseModel):
    """`reason` for what is turned down, refused or locked again; `party` where a person may witness for several."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=4000)] = ""
    party: Party = ""


class ValueOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: Annotated[str, StringConstraints(max_length=4000)]


class CorrectionShown(BaseModel):
    """A request as lists show it."""

    id: str
    number: int
    year: str
    class_code: str
    pupil: str
    field: str
    before: str
    after: str
    state: str
    state_text: str
    asked_by: str
    asked_at: dt.datetime
    mine: bool


@router.get("")
async def corrections(request: Request, who: Who, state: str | None = None, year: Year = None) -> dict[str, Any]:
    """The requests that the person may see; `mine` tells which wait for this person."""
    looked_at = await reading(request, who, year)
    require(who, Action.VIEW_CORRECTION, school=looked_at.school, own=True)
    lock = await lock_of(looked_at.store.db, looked_at.school, looked_at.year)
    person = desk.person_of(who, lock)
    found = [r for r in await store.requests(looked_at.store.db, looked_at.school, looked_at.year) if desk.may_see(looked_at.who, r, lock)]
    return {"corrections": [shown(r, person) for r in found if state in {None, r["state"]}]}


def shown(found: dict[str, Any], person: states.Person) -> CorrectionShown:
    same = ("number", "year", "class_code", "field", "before", "after", "state", "asked_by", "asked_at")
    return CorrectionShown(
        id=found["_id"],
        pupil=found["pupil_code"],
        state_text=states.WORDS[found["state"]],
        mine=states.awaits(found, person),
        **{k: found[k] for k in same},
    )


@router.get("/{correction_id}")
async def correction(request: Request, who: Who, correction_id: str) -> dict[str, Any]:
    """All of one request: `may` lists what the person can do now."""
    found, lock = await desk.seen(store_of(request).db, who, own_school(who), correction_id)
    person = desk.person_of(who, lock)
    addresses = {step: name for name, step in STEPS.items()} | {states.CORRECT: "correct"}
    return {
        **shown(found, person).model_dump(),
        "name": found["pupil_name"],
        "reason": found["reason"],
        "effects": found["effects"],
        "changes": found["changes"],
        "evidence": [{"name": e["name"], "media_type": e["media_type"], "sha256": e["document"]["sha256"]} for e in found["evidence"]],
        "witnesses": found["witnesses"],
        "history": found["history"],
        "minutes": found["minutes"]["sha256"] if found["minutes"] else None,
        "may": [addresses[step] for step in states.acts_open(found, person)],
        "parties": states.parties_open(found, person),
    }


@router.post("", status_code=201)
async def ask(
    request: Request,
    who: Who,
    *,
    class_code: Annotated[Line, Form(alias="class")],
    pupil: Line,
    field: Line,
    value: Long,
    reason: Long,
    files: list[UploadFile],
    year: Year = None,
) -> dict[str, str]:
    """A teacher asks for a correction of one value of a pupil of the own class or subject, with evidence."""
    looked_at = await reading(request, who, year)
    order = desk.Order(class_code=class_code, pupil=pupil, field=field, value=value, reason=reason)
    await desk.asked_about(looked_at, class_code, pupil)
    return {"correction": await desk.ask(parts_of(request), looked_at, order, await contents_of(files))}


async def contents_of(files: list[UploadFile]) -> list[tuple[str, bytes]]:
    """Names and contents; nothing is read of too many files, or of one that is too large. Raises Refused."""
    if len(files) > MOST_FILES:
        raise Refused(EVIDENCE_NEEDED, most=MOST_FILES)
    for number, file in enumerate(files, start=1):
        if (file.size or 0) > MOST_BYTES:
            raise Refused(WRONG_EVIDENCE, number=number, reason="tệp lớn hơn 10 MB")
    return [(file.filename or "", await file.read()) for file in files]


@router.post("/{correction_id}/steps/{step}")
async def take_step(request: Request, who: Who, correction_id: str, step: StepName, order: StepOrder) -> dict[str, str]:
    after = await desk.step(store_of(request).db, who, own_school(who), correction_id, STEPS[step], reason=order.reason, party=order.party)
    return {"state": after["state"]}


@router.post("/{correction_id}/correct")
async def correct(request: Request, who: Who, correction_id: str, order: ValueOrder) -> dict[str, str]:
    """Enter the approved value; the minutes are written and the result is locked again in the same act."""
    found, _ = await desk.seen(store_of(request).db, who, own_school(who), correction_id)
    looked_at = await reading(request, who, found["year"])
    after = await desk.correct(parts_of(request), looked_at, correction_id, order.value)
    return {"state": after["state"]}


@router.get("/{correction_id}/evidence/{number}")
async def evidence(request: Request, who: Who, correction_id: str, number: int) -> Response:
    """One file of the evidence, counted from 1; always as a download."""
    found, _ = await desk.seen(store_of(request).db, who, own_school(who), correction_id)
    if not 1 <= number <= len(found["evidence"]):
        raise Refused(NOT_FOUND)
    kept = found["evidence"][number - 1]
    reference = DocumentRef.model_validate(kept["document"])
    return await _file(request, reference, kept["media_type"], f"minh-chung-{found['number']}-{number}{reference.key[-4:]}")


@router.get("/{correction_id}/minutes.pdf")
async def minutes(request: Request, who: Who, correction_id: str) -> Response:
    found, _ = await desk.seen(store_of(request).db, who, own_school(who), correction_id)
    if found["minutes"] is None:
        raise Refused(NOT_FOUND)
    return await _file(request, DocumentRef.model_validate(found["minutes"]), "application/pdf", f"bien-ban-{found['number']}.pdf")


async def _file(request: Request, reference: DocumentRef, media_type: str, name: str) -> Response:
    content = await parts_of(request).objects.get(reference)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **FILE_HEADERS}
    return Response(content, media_type=media_type, headers=headers)
