"""Signing accounts (1.2, 1.3) and the school certificate (1.1)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator

from contracts.access import Action
from services.chassis.access import Who, require
from services.identity.at_hand import Db, RequestId, TheRegistry
from services.identity.certificates import registrations as certificates
from services.identity.certificates import store
from services.identity.certificates.registering import Login
from services.identity.certificates.registrations import ACCOUNT_STATES, NOT_REGISTERED, SCHOOL_STATES, Kind
from services.identity.messages import Body, Code, Outcomes, outcomes_of
from services.identity.organisations import store as organisations_store
from services.identity.organisations.people import is_manager, may_issue
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Document
    from services.identity.certificates.providers import Providers
    from services.identity.certificates.registrations import Candidate

router = APIRouter(prefix="/api/identity")

Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
ProviderId = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class ProviderLogin(Body):
    """An account at a remote signing provider; it is passed on to the provider and kept nowhere."""

    provider: ProviderId
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)]

    def login(self) -> Login:
        return Login(self.provider, self.username, self.password.get_secret_value())


class Registration(ProviderLogin):
    """Without `credential_id` the only usable credential is taken."""

    credential_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class SchoolRegistration(Registration):
    """`reason` is needed to replace a certificate that is approved."""

    reason: Reason = ""


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


class ProviderOffer(BaseModel):
    id: str
    name: str


class CertificateFacts(BaseModel):
    subject: str
    issuer: str
    serial: str
    valid_from: dt.datetime
    valid_to: dt.datetime


class CredentialOffer(BaseModel):
    """`problems` says, in words, what forbids its use."""

    credential_id: str
    certificate: CertificateFacts
    usable: bool
    problems: list[str]


class SigningAccount(BaseModel):
    """`state`: NOT_REGISTERED, PENDING, APPROVED or REFUSED, and in the words of the guides; `decided_by`: school or oversight."""

    person: str
    name: str
    position: str
    state: str
    state_name: str
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
    provider: str
    certificate: CertificateFacts
    reason: str
    refusal: str
    requested_at: dt.datetime
    decided_at: dt.datetime | None


class SchoolCertificate(BaseModel):
    """`active` is what the school issues with now; `history` is newest first."""

    state: str
    state_name: str
    refusal: str
    active: SchoolRequest | None
    history: list[SchoolRequest]


@router.get("/providers")
async def list_providers(who: Who, registry: TheRegistry) -> list[ProviderOffer]:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    return [ProviderOffer(id=p.id, name=p.name) for p in registry.providers.listed]


@router.post("/signing-accounts/credentials")
async def list_own_credentials(order: ProviderLogin, who: Who, registry: TheRegistry) -> list[CredentialOffer]:
    """What the provider account holds, judged as the actor's own certificate."""
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    return await _offers(registry, "person", who, order)


@router.post("/signing-accounts")
async def register_signing_account(order: Registration, who: Who, registry: TheRegistry, db: Db, request_id: RequestId) -> SigningAccount:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    registration = await registry.register("person", who, order.login(), order.credential_id, reason="", request_id=request_id)
    person = await one(db, "people", who.person)
    assert person is not None
    return _account(person, registration, registry.providers)


@router.get("/signing-accounts/mine")
async def own_signing_account(who: Who, registry: TheRegistry, db: Db) -> SigningAccount:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    wanted = await registry.wanted("person", who)
    accounts = await store.latest_accounts(db, wanted.school["_id"], wanted.school["year"])
    return _account(wanted.person, accounts.get(who.person), registry.providers)


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
    require(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
    return outcomes_of(await registry.approve(who, who.school or "", order.persons, request_id=request_id))


@router.post("/signing-accounts/refuse")
async def refuse_signing_accounts(order: RefusalOrder, who: Who, registry: TheRegistry, request_id: RequestId) -> Outcomes:
    require(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
    return outcomes_of(await registry.refuse(who, who.school or "", order.persons, order.reason, request_id=request_id))


@router.post("/school-certificate/credentials")
async def list_school_credentials(order: ProviderLogin, who: Who, registry: TheRegistry) -> list[CredentialOffer]:
    """What the provider account holds, judged as the certificate of the actor's school."""
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    return await _offers(registry, "school", who, order)


@router.post("/school-certificate")
async def register_school_certificate(
    order: SchoolRegistration, who: Who, registry: TheRegistry, db: Db, request_id: RequestId
) -> SchoolCertificate:
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    await registry.register("school", who, order.login(), order.credential_id, reason=order.reason, request_id=request_id)
    return await _school_certificate(registry, who.school or "", db)


@router.get("/school-certificate")
async def show_school_certificate(who: Who, registry: TheRegistry, db: Db) -> SchoolCertificate:
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    return await _school_certificate(registry, who.school or "", db)


async def _offers(registry: TheRegistry, kind: Kind, who: Who, order: ProviderLogin) -> list[CredentialOffer]:
    found = await registry.candidates(await registry.wanted(kind, who), order.login())
    return [_offer(candidate) for candidate in found]


async def _school_certificate(registry: TheRegistry, school: str, db: Db) -> SchoolCertificate:
    document = await one(db, "schools", school)
    history = [_request(r, registry.providers) for r in await store.history(db, "school", school, document["year"] if document else None)]
    state = history[0].state if history else NOT_REGISTERED
    active = next((r for r in history if r.state == certificates.APPROVED), None)
    return SchoolCertificate(
        state=state, state_name=SCHOOL_STATES[state], refusal=history[0].refusal if history else "", active=active, history=history
    )


def _offer(candidate: Candidate) -> CredentialOffer:
    facts = candidate.facts
    return CredentialOffer(
        credential_id=candidate.credential_id,
        certificate=CertificateFacts(
            subject=facts.subject, issuer=facts.issuer, serial=facts.serial, valid_from=facts.not_before, valid_to=facts.not_after
        ),
        usable=not candidate.problems,
        problems=[p.message_vi for p in candidate.problems],
    )


def _account(person: Document, registration: Document | None, providers: Providers) -> SigningAccount:
    state = registration["state"] if registration else NOT_REGISTERED
    return SigningAccount(
        person=person["_id"],
        name=person["name"],
        position=person["position"],
        state=state,
        state_name=ACCOUNT_STATES[state],
        provider=providers.name(registration["provider"]) if registration else None,
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
        provider=providers.name(registration["provider"]),
        certificate=CertificateFacts(**registration["facts"]),
        reason=registration["reason"],
        refusal=registration["refusal"],
        requested_at=registration["requested_at"],
        decided_at=registration["decided_at"],
    )
