"""The way to a registration: what a provider account holds, the choice of a certificate, the proof that its key is held.

Registering answers 202 with a proof; asking for the proof again and again carries it on until it is over. The routes are the same for
a person's own signing account and for the school's certificate.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from contracts.access import Action, Principal
from services.chassis.access import Who, require
from services.identity.at_hand import RequestId, TheRegistry
from services.identity.certificates import proofs, proving
from services.identity.certificates.registering import Login, Registry
from services.identity.certificates.registrations import Kind
from services.identity.certificates.shapes import CertificateFacts, CredentialOffer
from services.identity.messages import Body

if TYPE_CHECKING:
    from services.chassis.mongo import Document
    from services.identity.certificates.registrations import Candidate

router = APIRouter(prefix="/api/identity")

ACTIONS: dict[str, Action] = {"person": Action.REGISTER_SIGNING_ACCOUNT, "school": Action.REGISTER_SCHOOL_CERTIFICATE}
"""Who may register for whom."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
ProviderId = Annotated[str, StringConstraints(min_length=1, max_length=60)]
CredentialId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ProofId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]


class ProviderLogin(Body):
    """An account at a remote signing provider; it is passed on to the provider and kept nowhere."""

    provider: ProviderId
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)]

    def login(self) -> Login:
        return Login(self.provider, self.username, self.password.get_secret_value())


class Registration(ProviderLogin):
    """With a key at a provider. Without `credential_id` the only usable credential is taken."""

    means: Literal["remote"] = "remote"
    credential_id: CredentialId | None = None


class TokenRegistration(Body):
    """With a key on a token in the person's own computer; the person's signing program is asked for the certificates first."""

    means: Literal["token"]


class SchoolRegistration(Registration):
    """`reason` is needed to replace a certificate that is approved."""

    reason: Reason = ""


class SchoolTokenRegistration(TokenRegistration):
    reason: Reason = ""


class Choice(Body):
    credential_id: CredentialId


class ProviderOffer(BaseModel):
    id: str
    name: str


class Proof(BaseModel):
    """`state`: CHOOSING (one of `offers`, once they are there), WAITING_FOR_KEY, PROVED, REFUSED or EXPIRED; `what_to_do` says it in words.

    When it is over: `registration`, or `code` and `cause` of the refusal.
    """

    proof: str
    kind: Kind
    means: str
    state: str
    state_name: str
    what_to_do: str
    offers: list[CredentialOffer]
    expires_at: dt.datetime
    registration: str | None
    code: str | None
    cause: str | None


@router.get("/providers")
async def list_providers(who: Who, registry: TheRegistry) -> list[ProviderOffer]:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    return [ProviderOffer(id=p.id, name=p.name) for p in registry.providers.listed]


@router.post("/signing-accounts/credentials")
async def list_own_credentials(order: ProviderLogin, who: Who, registry: TheRegistry) -> list[CredentialOffer]:
    """What the provider account holds, judged as the actor's own certificate."""
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    return await _credentials(registry, "person", who, order)


@router.post("/signing-accounts", status_code=202)
async def register_signing_account(
    order: Registration | TokenRegistration, who: Who, registry: TheRegistry, request_id: RequestId
) -> Proof:
    require(who, Action.REGISTER_SIGNING_ACCOUNT, school=who.school or "")
    return await _begun(registry, "person", who, order, reason="", request_id=request_id)


@router.post("/school-certificate/credentials")
async def list_school_credentials(order: ProviderLogin, who: Who, registry: TheRegistry) -> list[CredentialOffer]:
    """What the provider account holds, judged as the certificate of the actor's school."""
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    return await _credentials(registry, "school", who, order)


@router.post("/school-certificate", status_code=202)
async def register_school_certificate(
    order: SchoolRegistration | SchoolTokenRegistration, who: Who, registry: TheRegistry, request_id: RequestId
) -> Proof:
    require(who, Action.REGISTER_SCHOOL_CERTIFICATE, school=who.school or "")
    return await _begun(registry, "school", who, order, reason=order.reason, request_id=request_id)


@router.get("/proofs/{proof_id}")
async def carry_on_proof(proof_id: ProofId, who: Who, registry: TheRegistry, request_id: RequestId) -> Proof:
    """As far as it goes now; ask again until the state is PROVED, REFUSED or EXPIRED."""
    await own_proof(registry, proof_id, who)
    return await _shown(registry, await proving.poll(registry, proof_id, who, request_id=request_id), who)


@router.post("/proofs/{proof_id}/certificate", status_code=202)
async def choose_certificate(proof_id: ProofId, order: Choice, who: Who, registry: TheRegistry, request_id: RequestId) -> Proof:
    await own_proof(registry, proof_id, who)
    return await _shown(registry, await proving.choose(registry, proof_id, who, order.credential_id, request_id=request_id), who)


@router.post("/proofs/{proof_id}/give-up")
async def give_up_proof(proof_id: ProofId, who: Who, registry: TheRegistry, request_id: RequestId) -> Proof:
    await own_proof(registry, proof_id, who)
    await proving.give_up(registry, proof_id, who, request_id=request_id)
    return await _shown(registry, await proving.own(registry, proof_id, who), who)


async def own_proof(registry: Registry, proof_id: str, who: Principal) -> Document:
    """Raises Refused: UNKNOWN_PROOF, FORBIDDEN to somebody who may not register for it any more."""
    proof = await proving.own(registry, proof_id, who)
    require(who, ACTIONS[proof["kind"]], school=proof["school"])
    return proof


def what_to_do(proof: Document) -> str:
    if proof["refusal"] is not None:
        return str(proof["refusal"]["action"])
    remote = proof["means"] == "remote"
    if proof["state"] == proofs.CHOOSING:
        return "Chọn chứng thư số rồi xác nhận." if proof["offers"] else "Chờ chương trình ký số đọc chứng thư số trên thiết bị ký."
    if proofs.waits_on_page(proof):
        return "Đến trang của nhà cung cấp chữ ký số, đăng nhập và đồng ý."
    if proof["state"] == proofs.WAITING:
        return "Mở ứng dụng xác nhận ký số trên điện thoại và xác nhận." if remote else "Nhập mã PIN trên chương trình ký số."
    return "Chờ duyệt đăng ký."


async def _credentials(registry: Registry, kind: Kind, who: Principal, order: ProviderLogin) -> list[CredentialOffer]:
    wanted = await registry.wanted(kind, who)
    login = order.login()
    _, found = await registry.providers.open(login.provider, login.username, login.password)
    return [_offer(candidate) for candidate in registry.judged(wanted, found)]


async def _begun(
    registry: Registry, kind: Kind, who: Principal, order: Registration | TokenRegistration, *, reason: str, request_id: str
) -> Proof:
    if isinstance(order, Registration):
        made = await proving.register(registry, kind, who, order.login(), order.credential_id, reason=reason, request_id=request_id)
    else:
        made = await proving.open_token(registry, kind, who, reason=reason, request_id=request_id)
    return await _shown(registry, made, who)


async def _shown(registry: Registry, proof: Document, who: Principal) -> Proof:
    refusal = proof["refusal"] or {}
    return Proof(
        proof=proof["_id"],
        kind=proof["kind"],
        means=proof["means"],
        state=proof["state"],
        state_name=proofs.STATES[proof["state"]],
        what_to_do=what_to_do(proof),
        offers=[_offer(c) for c in await proving.offers(registry, proof, who)],
        expires_at=proof["expires_at"],
        registration=proof["registration"],
        code=refusal.get("code"),
        cause=refusal.get("cause"),
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
