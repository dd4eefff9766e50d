"""JSON under /api/records: classes, pupils, transcripts and what is done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.documents import DocumentKind, DocumentRef
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.records.at_hand import Year, own_school, parts_of, reading, store_of, visible_transcript
from services.records.errors import NO_DOCUMENT
from services.records.transcripts import confirmation, dialogue, jobs
from services.records.transcripts.deciding import each
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    pass

router = APIRouter(prefix="/api/records")


class Selection(BaseModel):
    """What a bulk act is about: classes, single pupils or transcripts, or everything."""

    model_config = ConfigDict(extra="forbid")

    classes: list[str] | None = Field(default=None, max_length=200)
    pupils: list[str] | None = Field(default=None, max_length=5000)
    transcripts: list[str] | None = Field(default=None, max_length=5000)
    all: bool = False


class Decision(Selection):
    """With `kind`, the named `transcripts` and those of the classes are class summaries."""

    kind: DocumentKind = "transcript"


class CreationOrder(Selection):
    """`comments`: "none" leaves out what teachers wrote about single subjects. `skip_reassessed`: leave out who waits for the summer."""

    comments: Literal["subject", "none"] = "subject"
    skip_reassessed: bool = False


@router.get("/classes")
async def classes(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    looked_at = await reading(request, who, year)
    return {"school": looked_at.school, "year": looked_at.year, "classes": await looked_at.classes()}


@router.get("/classes/{code}/pupils")
async def pupils(request: Request, who: Who, code: str, year: Year = None) -> dict[str, Any]:
    looked_at = await reading(request, who, year)
    return {"class": code, "pupils": await looked_at.pupils(code)}


@router.post("/transcripts", status_code=202)
async def create(request: Request, who: Who, order: CreationOrder, year: Year = None) -> dict[str, Any]:
    """Create transcripts for a selection (menu 2.1): answers with the job to follow."""
    looked_at = await reading(request, who, year)
    chosen = await looked_at.selected_pupils(order.classes, order.pupils, everything=order.all)
    looked_at.require_create(chosen)
    options = jobs.Options(comments=order.comments, skip_reassessed=order.skip_reassessed)
    job_id = await jobs.start(
        store_of(request), school=looked_at.school, year=looked_at.year, pupils=chosen, actor=who.person, options=options
    )
    return {"job": job_id}


@router.post("/transcripts/review")
async def review(request: Request, who: Who, selection: Selection, year: Year = None) -> dict[str, Any]:
    """What the dialogue shows before such an order: the form, who will sign for each class, how many lack something. Creates nothing."""
    looked_at = await reading(request, who, year)
    chosen = await looked_at.selected_pupils(selection.classes, selection.pupils, everything=selection.all)
    looked_at.require_create(chosen)
    return await dialogue.review(looked_at, chosen)


@router.get("/jobs/{job_id}")
async def job(request: Request, who: Who, job_id: str) -> dict[str, Any]:
    found = await jobs.job_of(store_of(request).db, own_school(who), job_id)
    if found["actor"] != who.person:
        require(who, Action.VIEW_SCHOOL, school=found["school"])
    return jobs.shown(found)


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, who: Who, job_id: str) -> dict[str, Any]:
    """Stop a creation job: what it has created stays. For whoever started it, and whoever may create for the whole school."""
    db, school = store_of(request).db, own_school(who)
    found = await jobs.job_of(db, school, job_id)
    if found["actor"] != who.person:
        require(who, Action.CREATE, school=school)
    await jobs.cancel(db, found, actor=who.person)
    return jobs.shown(await jobs.job_of(db, school, job_id))


@router.post("/jobs/{job_id}/retry", status_code=202)
async def retry_job(request: Request, who: Who, job_id: str) -> dict[str, Any]:
    """A new job, with the same choices, for those for whom an ended one created nothing."""
    store, school = store_of(request), own_school(who)
    found = await jobs.job_of(store.db, school, job_id)
    if found["actor"] != who.person:
        require(who, Action.CREATE, school=school)
    pupils = await jobs.repeatable(store, found)
    (await Reading.of(store, who, school, found["year"])).require_create(pupils)
    options = jobs.Options.model_validate(found["options"])
    new = await jobs.start(store, school=school, year=found["year"], pupils=pupils, actor=who.person, options=options, repeats=job_id)
    return {"job": new}


@router.get("/transcripts")
async def transcripts(
    request: Request,
    who: Who,
    class_code: Annotated[str | None, Query(alias="class")] = None,
    state: State | None = None,
    year: Year = None,
) -> dict[str, Any]:
    looked_at = await reading(request, who, year)
    codes = await looked_at.visible_classes()
    wanted = [c for c in codes if class_code in (None, c)]
    found = await looked_at.store.transcripts(looked_at.school, looked_at.year, classes=wanted, states=[state] if state else None)
    return {
        "transcripts": [
            {
                "id": t["_id"],
                "pupil": t["pupil_code"],
                "name": t["pupil_name"],
                "class": t["class_code"],
                "version": t["version"],
                "state": t["state"],
                "state_text": WORDS[State(t["state"])],
                "refusal": t.get("refusal"),
            }
            for t in found
        ]
    }


@router.get("/transcripts/{transcript_id}")
async def transcript(request: Request, who: Who, transcript_id: str) -> dict[str, Any]:
    found = await visible_transcript(request, who, transcript_id)
    return {
        "id": found["_id"],
        "pupil": found["pupil_code"],
        "name": found["pupil_name"],
        "class": found["class_code"],
        "version": found["version"],
        "state": found["state"],
        "state_text": WORDS[State(found["state"])],
        "refusal": found.get("refusal"),
        "signatures": found["signatures"],
        "level": found.get("level"),
        "timestamped_at": found.get("timestamped_at"),
        "documents": {k: found[k] for k in ("xml", "pdf") if found[k]},
    }


@router.get("/transcripts/{transcript_id}/document.{kind}")
async def document(request: Request, who: Who, transcript_id: str, kind: str) -> Response:
    """The newest PDF or XML with the signatures that it has so far."""
    found = await visible_transcript(request, who, transcript_id)
    reference = found.get(kind) if kind in ("pdf", "xml") else None
    if reference is None:
        raise Refused(NO_DOCUMENT)
    content = await parts_of(request).objects.get(DocumentRef.model_validate(reference))
    headers = {
        "Content-Disposition": f'inline; filename="{transcript_id}.{kind}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/pdf" if kind == "pdf" else "application/xml", headers=headers)


@router.post("/confirmations")
async def confirm(request: Request, who: Who, selection: Decision, year: Year = None) -> dict[str, Any]:
    """ "Xác nhận hoàn thành" (menu 2.7, of class summaries 3.5.1): by class, selection or for all that are signed."""
    return await _decide(await reading(request, who, year), selection, "confirm", request.state.request_id)


@router.post("/confirmations/undo")
async def undo(request: Request, who: Who, selection: Decision, year: Year = None) -> dict[str, Any]:
    return await _decide(await reading(request, who, year), selection, "undo confirm", request.state.request_id)


async def _decide(looked_at: Reading, selection: Decision, act: str, request_id: str) -> dict[str, Any]:
    require(looked_at.who, Action.CONFIRM, school=looked_at.school)
    decide, states = confirmation.ACTS[act]
    chosen = await looked_at.selected_transcripts(
        selection.classes, selection.transcripts, everything=selection.all, states=states, kind=selection.kind
    )
    return await each(
        looked_at.store,
        chosen,
        decide,
        school=looked_at.school,
        year=looked_at.year,
        what="confirm",
        act=act,
        actor=looked_at.who.person,
        request_id=request_id,
        kind=selection.kind,
    )
