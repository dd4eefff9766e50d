"""The signing program's few routes, and what its person asks about it. The program refuses nothing on trust: keys are published here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, StringConstraints, model_validator

from contracts.access import Principal
from services.chassis import clock
from services.chassis.access import TheAgent
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.identity.accounts.routes import Settled
from services.identity.accounts.sessions import COOKIE, public_id_of
from services.identity.agents import jobs, pairing, store
from services.identity.at_hand import Db, From
from services.identity.messages import Body
from services.means.token import Failure, JobSigner

router = APIRouter(prefix="/api/identity")

LONGEST_WAIT = 25
"""Seconds; shorter than what proxies on the way give up after."""

JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]


class PairingCode(BaseModel):
    """`code` is shown to the person, who types it into the program before `expires_at`."""

    code: str
    expires_at: datetime


class Pairing(Body):
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.+-]{1,20}$")]


class PairedAgent(BaseModel):
    """The session's secret stands in the cookie of this answer alone."""

    agent: str
    name: str


class AgentState(BaseModel):
    """A paired program; `id` is what its session is called in the list of devices."""

    id: str
    host: str
    version: str
    since: datetime
    last_seen: datetime | None
    online: bool


class Keys(BaseModel):
    """A JWKS (RFC 7517)."""

    keys: list[dict[str, Any]]


class SignedJob(BaseModel):
    """A compact JWS, described in `services/means/token.py`."""

    job: str


class Answer(Body):
    """One of the two: `result` as the kind of job has it, or `failure`."""

    result: dict[str, Any] | None = None
    failure: Failure | None = None

    @model_validator(mode="after")
    def _one(self) -> Answer:
        if (self.result is None) == (self.failure is None):
            raise ValueError("either result or failure")
        return self


def _signer(request: Request) -> JobSigner:
    signer: JobSigner = request.app.state.job_signer
    return signer


Signer = Annotated[JobSigner, Depends(_signer)]


async def _living(who: TheAgent, db: Db) -> Principal:
    """The internal token outlives the session by some seconds; a program that was signed out gets nothing in them."""
    if await store.agent_session(db, str(who.agent), clock.now()) is None:
        raise Refused(SIGN_IN_NEEDED)
    return who


LivingAgent = Annotated[Principal, Depends(_living)]


@router.get("/agents")
async def list_agents(here: Settled, db: Db) -> list[AgentState]:
    """The own paired programs, the one paired last first. They are signed out like other devices."""
    return await states_of(db, here.who.person)


@router.post("/agents/pairing-codes", status_code=201)
async def begin_pairing(here: Settled, db: Db) -> PairingCode:
    """A code is good for five minutes and for one program; a new one makes the one before void."""
    code = await pairing.begin(db, here)
    return PairingCode(code=pairing.shown(code), expires_at=clock.now() + pairing.VALID)


@router.post("/sessions/agents")
async def pair(order: Pairing, db: Db, origin: From, response: Response) -> PairedAgent:
    """Open to whoever knows a code."""
    told = {"host": order.host, "version": order.version}
    paired = await pairing.pair(db, order.code, told, origin.address)
    response.set_cookie(COOKIE, paired.token, path="/", secure=True, httponly=True, samesite="lax")
    return PairedAgent(agent=paired.agent, name=paired.name)


@router.get("/agents/keys")
async def keys(signer: Signer) -> Keys:
    """With which jobs are signed; a program keeps them from its pairing on."""
    return Keys.model_validate(signer.public_keys())


@router.get("/agents/me")
async def me(who: LivingAgent) -> PairedAgent:
    return PairedAgent(agent=str(who.agent), name=who.name)


@router.get("/agents/jobs", responses={204: {"description": "nothing to do"}}, response_model=SignedJob)
async def next_job(
    request: Request,
    *,
    who: TheAgent,
    db: Db,
    signer: Signer,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
    working: Annotated[list[JobId] | None, Query(max_length=50)] = None,
) -> SignedJob | Response:
    """The next job but those that the program is `working` on, as soon as there is one within `wait` seconds."""
    found = await jobs.next_for(db, str(who.agent), working or [], wait, request.is_disconnected)
    if found is None:
        return Response(status_code=204)
    given = {"kind": found["kind"], "content": found["content"], "expires_at": found["expires_at"]}
    return SignedJob(job=signer.sign(agent=str(who.agent), job=found["_id"], **given))


@router.post("/agents/jobs/{job}", status_code=204)
async def answer(job: JobId, given: Answer, who: LivingAgent, db: Db) -> None:
    await jobs.answer(db, who, job, given.failure if given.failure is not None else given.result or {})


async def states_of(db: Db, person: str) -> list[AgentState]:
    return [
        AgentState(
            id=public_id_of(found["session"]),
            host=found["host"],
            version=found["program"],
            since=found["paired_at"],
            last_seen=found["polled_at"],
            online=found["online"],
        )
        for found in await jobs.paired(db, person)
    ]
