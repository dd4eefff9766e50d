"""What a transcript still needs to be signed by whom: one task a transcript. Plain data in, decision out.

`step` is the step at hand; between the subject teachers and the homeroom teacher it is "assembling", then "rendering";
after the school's signature "sealing" until both documents are at the archive level.
`waiting` lists the persons who may sign now. `claims` says in which running batch a person's signature is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.signing.policies import plan, policy_for

if TYPE_CHECKING:
    from contracts.event import Event
    from contracts.events.records import TranscriptCreatedV1
    from contracts.events.signing import SignatureFact

Task = dict[str, Any]
ASSEMBLING, RENDERING, SEALING, DONE = "assembling", "rendering", "sealing", "done"


def new_task(event: Event[TranscriptCreatedV1]) -> Task:
    fact = event.data
    steps = [
        {"name": s.name, "signers": [{**signer.model_dump(mode="json"), "signed": False} for signer in s.signers]}
        for s in plan(policy_for(fact.level, fact.year), fact.required)
    ]
    task: Task = {
        "_id": event.subject,
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


def signers_of(task: Task, step: str) -> list[dict[str, Any]]:
    return next((list(s["signers"]) for s in task["steps"] if s["name"] == step), [])


def waiting_in(task: Task, step: str) -> list[str]:
    return [s["person"] for s in signers_of(task, step) if not s["signed"]]


def at_step(task: Task, step: str) -> Task:
    return {**task, "step": step, "waiting": waiting_in(task, step)}


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
    following = names[names.index(step) + 1] if step != names[-1] else SEALING
    return at_step(after, ASSEMBLING if step == "subjects" else following)
