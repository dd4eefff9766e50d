"""Signing accounts (1.2, 1.3) and the school certificate (1.1). The proofs on the way there: proof_routes.py."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints, model_validator

from contracts.access import Action
from services.chassis.access import Who, require, require_fresh
from services.identity.at_hand import Db, RequestId, TheRegistry
from services.identity.certificates import copying, store
from services.identity.certificates import registrations as certificates
from services.identity.certificates.registrations import ACCOUNT_STATES, NOT_REGISTERED, SCHOOL_STATES
from services.identity.certificates.shapes import CertificateFacts
from services.identity.messages import Body, Code, Outcomes, outcomes_of
from services.identity.organisations import store as organisations_store
from services.identity.organisations.people import is_manager, may_issue
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Document
    from services.identity.certificates.providers import Providers

router = APIRouter(prefix="/api/identity")


class ApprovalOrder(Body):
    """Either `persons` or `all`."""

    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> ApprovalOrder:
        if (self.persons is None) != self.all:
            raise ValueError("name persons, or say all")
        return self


class RefusalOrder(Body):
    persons: Annotated[list[Code], Field(min_length=1, max_length=2000)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class SigningAccount(BaseModel):
    """`state`: NOT_REGISTERED, PENDING, APPROVED or REFUSED, and in the words of the guides; `decided_by`: school or oversight.

    `means`: remote or token; `provider` is its name, None for a token.
    """

    person: str
    name: str
    position: str
    state: str
    state_name: str
    means: str | None
    provider: str | None
    certificate: CertificateFacts | None
    reason: str
    may_issue: bool
    decided_by: str
    request: str | None


class SchoolRequest(BaseModel):
    request: str
    state: str
    state_name: str
    person: str
    means: str
    provider: str | None
    certificate: CertificateFacts
    reason: str
    refusal: str
    requested_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None


class SchoolCertificate(BaseModel):
    """`active` is what the school issues with now; `history` is newest first."""

    state: str
    state_name: str
    refusal: str
    active: SchoolRequest | None
    history: list[SchoolRequest]


@router.get("/signing-accounts/mine")
async def own_signing_account(who: Who, registry: TheRegistry, db: Db) -> SigningAccount:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    wanted = await registry.wanted("person", who)
    accounts = await store.latest_accounts(db, wanted.school["_id"], wanted.school["year"])
    return _account(wanted.person, accounts.get(who.person), registry.providers)


@router.post("/signing-accounts/mine/copy")
async def copy_own_signing_account(who: Who, registry: TheRegistry, db: Db, request_id: RequestId) -> SigningAccount:
    """Last school year's account, if it still holds; it waits for approval again."""
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    registration = await copying.copy_own(registry, "person", who, request_id=request_id)
    person = await one(db, "people", who.person)
    assert person is not None
    return _account(person, registration, registry.providers)


@router.get("/signing-accounts")
async def list_signing_accounts(who: Who, registry: TheRegistry, db: Db) -> list[SigningAccount]:
    """All staff of the actor's school with what stands for each in the open school year."""
    school = who.school or ""
    require(who, Action.APPROVE_SIGNING_ACCOUNT, school=school)
    school_document = await one(db, "schools", school)
    accounts = await store.latest_accounts(db, school, school_document["year"] if school_document else None)
    staff = await organisations_store.people_of(db, school)
    return [_account(p, accounts.get(code), registry.providers) for code, p in sorted(staff.items()) if p["roles"]]


@router.post("/signing-accounts/approve")
async def approve_signing_accounts(order: ApprovalOrder, who: Who, registry: TheRegistry, request_id: RequestId) -> Outcomes:
    """Everybody has an own outcome; the actor's own account and managers' accounts are left as they are, and reported."""
    require_fresh(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
    return outcomes_of(await registry.approve(who, who.school or "", order.persons, request_id=request_id))


@router.post("/signing-accounts/refuse")
async def refuse_signing_accounts(order: RefusalOrder, who: Who, registry: TheRegistry, request_id: RequestId) -> Outcomes:
    require_fresh(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
    return outcomes_of(await registry.refuse(who, who.school or "", order.persons, order.reason, request_id=request_id))


@router.post("/signing-accounts/copy")
async def copy_signing_accounts(order: ApprovalOrder, who: Who, registry: TheRegistry, request_id: RequestId) -> Outcomes:
    """Last school year's accounts that still hold, approved at once where the school decides; `all`: of those who have none yet."""
    require_fresh(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
    done = await copying.copy_from_last_year(registry, who, who.school or "", order.persons, request_id=request_id)
    return outcomes_of(done)


@router.get("/school-certificate")
async def show_school_certificate(who: Who, registry: TheRegistry, db: Db) -> SchoolCertificate:
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    return await _school_certificate(registry, who.school or "", db)


@router.post("/school-certificate/copy")
async def copy_school_certificate(who: Who, registry: TheRegistry, db: Db, request_id: RequestId) -> SchoolCertificate:
    """Last school year's certificate, if it still holds; it waits for the oversight unit again."""
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    await copying.copy_own(registry, "school", who, request_id=request_id)
    return await _school_certificate(registry, who.school or "", db)


async def _school_certificate(registry: TheRegistry, school: str, db: Db) -> SchoolCertificate:
    document = await one(db, "schools", school)
    history = [_request(r, registry.providers) for r in await store.history(db, "school", school, document["year"] if document else None)]
    state = history[0].state if history else NOT_REGISTERED
    active = next((r for r in history if r.state == certificates.APPROVED), None)
    return SchoolCertificate(
        state=state, state_name=SCHOOL_STATES[state], refusal=history[0].refusal if history else "", active=active, history=history
    )


def _account(person: Document, registration: Document | None, providers: Providers) -> SigningAccount:
    state = registration["state"] if registration else NOT_REGISTERED
    return SigningAccount(
        person=person["_id"],
        name=person["name"],
        position=person["position"],
        state=state,
        state_name=ACCOUNT_STATES[state],
        means=registration["means"] if registration else None,
        provider=(providers.name(registration["provider"]) or None) if registration else None,
        certificate=CertificateFacts(**registration["facts"]) if registration else None,
        reason=registration["refusal"] if registration else "",
        may_issue=may_issue(person),
        decided_by="oversight" if is_manager(person) else "school",
        request=registration["_id"] if registration else None,
    )


def _request(registration: Document, providers: Providers) -> SchoolRequest:
    return SchoolRequest(
        request=registration["_id"],
        state=registration["state"],
        state_name=SCHOOL_STATES[registration["state"]],
        person=registration["person"],
        means=registration["means"],
        provider=providers.name(registration["provider"]) or None,
        certificate=CertificateFacts(**registration["facts"]),
        reason=registration["reason"],
        refusal=registration["refusal"],
        requested_at=registration["requested_at"],
        decided_at=registration["decided_at"],
        decided_by=registration["decided_by"],
    )
