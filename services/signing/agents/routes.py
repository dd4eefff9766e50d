"""What the signing program asks of signing: its next batch, the documents of it, and where to put the values."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, StringConstraints

from services.chassis import clock
from services.chassis.access import TheAgent
from services.chassis.mongo import Database
from services.chassis.objects import Objects
from services.means.token import JobSigner
from services.signing.agents import jobs
from services.signing.agents.jobs import Answers, Piece, Told

router = APIRouter(prefix="/api/signing/agents/jobs")

LONGEST_WAIT = 25
"""Seconds; shorter than what proxies on the way give up after."""
JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]


class SignedJob(BaseModel):
    """A compact JWS, described in `services/means/token.py`."""

    job: str


def _db(request: Request) -> Database:
    db: Database = request.app.state.store.db
    return db


@router.get("", responses={204: {"description": "nothing to sign"}}, response_model=SignedJob)
async def next_job(
    request: Request,
    *,
    who: TheAgent,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
    working: Annotated[list[JobId] | None, Query(max_length=50)] = None,
) -> SignedJob | Response:
    """The next batch but those that the program is `working` on, as soon as there is one within `wait` seconds."""
    signer: JobSigner = request.app.state.job_signer
    order = await jobs.next_for(_db(request), who, working or [], wait, request.is_disconnected)
    if order is None:
        return Response(status_code=204)
    until = clock.now() + jobs.TAKE_WITHIN
    return SignedJob(job=signer.sign(agent=str(who.agent), job=order.id, kind="sign", content=order.content, expires_at=until))


@router.get("/{job}/items")
async def items(request: Request, who: TheAgent, job: JobId) -> Response:
    """What is to be signed; its SHA-256 stands in the job."""
    return Response(await jobs.listed(_db(request), who, job), media_type="application/json")


@router.get("/{job}/items/{number}")
async def piece(request: Request, who: TheAgent, job: JobId, number: int) -> Piece:
    """The documents of one item, so that the program can compute for itself what it signs."""
    objects: Objects = request.app.state.objects
    return await jobs.piece(_db(request), objects, who, job, number)


@router.post("/{job}/items", status_code=204)
async def answer(request: Request, who: TheAgent, job: JobId, body: Answers) -> None:
    """Values as they are made. 409 once nobody waits for them any more."""
    await jobs.answer(_db(request), who, job, body)


@router.post("/{job}", status_code=204)
async def tell(request: Request, who: TheAgent, job: JobId, body: Told) -> None:
    """Waiting for the PIN or the token, signing; or a failure, which ends the job."""
    await jobs.tell(_db(request), who, job, body)
