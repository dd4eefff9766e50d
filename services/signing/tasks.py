"""What a transcript or a class summary still needs to be signed by whom: one task a document. Plain data in, decision out.

`step` is the step at hand; between the subject teachers and the homeroom teacher it is "assembling", then "rendering";
after the school's signature "sealing" until both documents are at the archive level. One that was sent back is "returned" until
records says what becomes of it: it goes on at the step where it was, or it is "cancelled" for ever.
`waiting` lists the persons who may sign now. `claims` says in which running batch a person's signature is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import RequestSealedV1, SealRefusedV1, StepSignedV1, SubjectSignedV1, TranscriptReturnedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refusal, Refused
from services.signing.errors import BEING_SIGNED, DROPPED, NOT_WAITING, STALE, YEAR_LOCKED
from services.signing.errors import RETURNED as RETURNED_ALREADY
from services.signing.policies import plan, policy_for

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from contracts.documents import DocumentRef
    from contracts.event import Event, Fact
    from contracts.events.publishing import SealRequestedV1
    from contracts.events.records import CancellationRefusedV1, TranscriptCreatedV1
    from contracts.events.signing import SignatureFact

Task = dict[str, Any]
ASSEMBLING, RENDERING, SEALING, DONE = "assembling", "rendering", "sealing", "done"
RETURNED, CANCELLED = "returned", "cancelled"
REQUEST = "withdrawal_request"
CLOSED: dict[str, Refusal] = {RETURNED: RETURNED_ALREADY, CANCELLED: DROPPED}
"""Steps at which nobody signs, and what is said to who tries."""


def new_task(event: Event[TranscriptCreatedV1]) -> Task:
    fact = event.data
    steps = [
        {"name": s.name, "order": s.order, "signers": [{**signer.model_dump(mode="json"), "signed": False} for signer in s.signers]}
        for s in plan(policy_for(fact.level, fact.year, fact.kind), fact.required)
    ]
    task: Task = {
        "_id": event.subject,
        "kind": fact.kind,
        "school": fact.school,
        "year": fact.year,
        "level": fact.level,
        "class_code": fact.class_code,
        "grade": fact.grade,
        "pupil_code": fact.pupil_code,
        "pupil_name": fact.pupil_name,
        "version": fact.version,
        "steps": steps,
        "content": fact.content.model_dump(mode="json"),
        "xml": None,
        "pdf": None,
        "claims": {},
        "signatures": [],
        "signed_by": [],
    }
    return at_step(task, "subjects" if waiting_in(task, "subjects") else ASSEMBLING)


def request_task(event: Event[SealRequestedV1], before: Task | None) -> Task:
    """A school's request to take a document back: its XML waits for the school's certificate, and for nothing else.

    A request that is sent for signing again, after it was taken back or declined, takes the place of what it was before.
    """
    fact = event.data
    task: Task = {
        "_id": event.subject,
        "sequence": (before or {}).get("sequence", 0),
        "kind": REQUEST,
        "attempt": fact.attempt,
        "school": fact.school,
        "year": fact.year,
        "class_code": fact.class_code,
        "grade": fact.grade,
        "pupil_code": fact.pupil_code,
        "pupil_name": fact.pupil_name,
        "version": 1,
        "steps": [{"name": "issue", "order": "serial", "signers": []}],
        "content": fact.content.model_dump(mode="json"),
        "xml": None,
        "pdf": None,
        "claims": {},
        "signatures": [],
        "signed_by": [],
    }
    return at_step(task, "issue")


def signers_of(task: Task, step: str) -> list[dict[str, Any]]:
    return next((list(s["signers"]) for s in task["steps"] if s["name"] == step), [])


def waiting_in(task: Task, step: str) -> list[str]:
    return [s["person"] for s in signers_of(task, step) if not s["signed"]]


def may_sign_in(task: Task, step: str) -> list[str]:
    """Of those who have not signed yet, who may now: in a step of the order "serial" the first one alone."""
    left = waiting_in(task, step)
    serial = any(s["name"] == step and s.get("order") == "serial" for s in task["steps"])
    return left[:1] if serial else left


def at_step(task: Task, step: str) -> Task:
    return {**task, "step": step, "waiting": may_sign_in(task, step)}


def signed(task: Task, person: str, step: str, fact: SignatureFact, signature_id: str, **files: object) -> Task:
    """The task after this person's signature in this step; moves on when it was the last one of the step."""
    steps = [
        {**s, "signers": [{**r, "signed": r["signed"] or r["person"] == person} for r in s["signers"]]} if s["name"] == step else s
        for s in task["steps"]
    ]
    after: Task = {
        **task,
        **files,
        "steps": steps,
        "claims": {p: b for p, b in task["claims"].items() if p != person},
        "signatures": [*task["signatures"], {"id": signature_id, "step": step, **fact.model_dump(mode="json")}],
        "signed_by": [*task["signed_by"], f"{step}:{person}"],
    }
    if waiting_in(after, step):
        return at_step(after, step)
    names = [s["name"] for s in steps]
    last = DONE if task.get("kind") == REQUEST else SEALING
    following = names[names.index(step) + 1] if step != names[-1] else last
    return at_step(after, ASSEMBLING if step == "subjects" else following)


def why_not(task: Task | None, *, school: str | None, step: str, person: str) -> Refusal | None:
    """Why this person may neither sign it in this step now nor send it back; whoever has no part in it learns nothing of it."""
    if task is None or task["school"] != school:
        return NOT_WAITING
    if step != "issue" and all(s["person"] != person for s in signers_of(task, step)):
        return NOT_WAITING
    if task["step"] in CLOSED:
        return CLOSED[task["step"]]
    return None if task["step"] == step and (step == "issue" or person in task["waiting"]) else NOT_WAITING


def outdated(task: Task | None, item: Task, batch: Task, *, claimant: str, locked: Collection[str] = ()) -> Refusal | None:
    """Why a signature that a batch has made, or is about to ask for, is not wanted any more: the document went on without it.

    `claimant` holds the claim; `item["basis"]` is what the signature was prepared on (`basis_of`).
    """
    if task is None or task["step"] != batch["step"] or task["claims"].get(claimant) != batch["_id"]:
        return STALE
    if batch["step"] != "issue" and batch["person"] not in task["waiting"]:
        return STALE
    if "basis" in item and item["basis"] != basis_of(task):
        return STALE
    return YEAR_LOCKED if task["year"] in locked else None


def basis_of(task: Task) -> list[str]:
    """The digests of what a signature of this task is made on, as they stand now."""
    return [task[part]["sha256"] for part in ("content", "xml", "pdf") if task[part]]


def given_back(
    task: Task | None,
    *,
    school: str | None,
    step: str,
    person: str,
    name: str,
    reason: str,
    at: dt.datetime,
    locked: Collection[str] = (),
) -> Change:
    """Raises Refused. While anybody's signature of it is on its way it stays: of a signature and a return one wins.

    `locked`: school years with their final lock, in which nobody could decide what becomes of it.
    """
    refusal = why_not(task, school=school, step=step, person=person)
    if task is None or refusal is not None:
        raise Refused(refusal or NOT_WAITING)
    if task["year"] in locked:
        raise Refused(YEAR_LOCKED)
    if task["claims"]:
        raise Refused(BEING_SIGNED)
    if task.get("kind") == REQUEST:
        declined = SealRefusedV1(attempt=task["attempt"], by=person, name=name, reason=reason, refused_at=at)
        return Change(dropped(task), declined)
    after = {**task, "returned_from": step, "answer": None}
    return Change(at_step(after, RETURNED), TranscriptReturnedV1(step=step, by=person, name=name, reason=reason, returned_at=at))


def reopened(task: Task, fact: CancellationRefusedV1) -> Task:
    """Its cancellation was refused: signing goes on where it was returned from, or tries again what stood still."""
    if task["step"] == RETURNED:
        return at_step({**task, "answer": fact.reason}, task["returned_from"])
    return {**task, "stopped": None} if task["step"] != CANCELLED else task


def dropped(task: Task) -> Task:
    return at_step({**task, "claims": {}}, CANCELLED)


def told_of(step: str, fact: SignatureFact, files: Mapping[str, DocumentRef], after: Task) -> Fact | None:
    """What is told of a signature; None where that waits for the archive level."""
    if step == "subjects":
        return SubjectSignedV1(signature=fact, remaining=len(waiting_in(after, "subjects")))
    if after.get("kind") == REQUEST:
        return RequestSealedV1(attempt=after["attempt"], signature=fact, xml=files["xml"])
    if step == "issue":
        return None  # told once both documents are at the archive level (`sealing.py`)
    return StepSignedV1(step=step, signature=fact, xml=files["xml"], pdf=files["pdf"])
