"""From the choice of a certificate over the proof that its key is held to the registration.

Providers are asked outside of transactions and only by whoever holds the proof's lease, so that two who poll at once sign once. What
was learnt is kept before the next step; whatever is lost by a crash is asked again or, where that cannot be, tried anew by the person.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cryptography.fernet import InvalidToken

from services.chassis import audit, clock, failpoints, leases
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import DuplicateKeyError, transaction
from services.identity.agents import jobs
from services.identity.certificates import proofs, revocation, store
from services.identity.certificates import registrations as certificates
from services.identity.errors import (
    CANNOT_SIGN,
    NO_CREDENTIAL,
    NO_TOKEN_CERTIFICATE,
    PROOF_EXPIRED,
    PROVIDER_UNAVAILABLE,
    REASON_NEEDED,
    TOKEN_FAILED,
    UNKNOWN_PROOF,
    WRONG_PROOF,
)
from services.identity.store import one
from services.means import challenge, token
from services.means.csc import scheme_of
from services.means.remote import (
    Authorized,
    Credential,
    Expired,
    Explicit,
    ProviderBroken,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Rejected,
    Waiting,
)
from services.means.remote import Session as ProviderSession
from services.means.x509 import WrongSignature, default_scheme

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document, Session
    from services.identity.certificates.registering import Login, Registry
    from services.identity.certificates.registrations import Candidate, Kind, Wanted
    from services.means.remote import Outcome
    from services.means.x509 import Scheme

    Work = Callable[[Session], Awaitable[Document]]

LEASE_SECONDS: Final = 60.0
PROVIDER_SECONDS: Final = 45.0
"""Less than the lease, so that nobody else begins while a provider is still being asked."""
REGISTERED: Final = {"person": "signing account registered", "school": "school certificate registered"}
log = logging.getLogger(__name__)

End = tuple[str, Refused]


async def open_account(registry: Registry, kind: Kind, who: Principal, login: Login, *, reason: str, request_id: str) -> Document:
    """Sign in at the provider and wait for the choice of a certificate. Raises Refused as `Providers.open` does, NO_CREDENTIAL."""
    wanted = await registry.wanted(kind, who)
    opened, _ = await _opened(registry, wanted, login, reason)
    return await _begin(registry, opened, request_id)


async def open_token(registry: Registry, kind: Kind, who: Principal, *, reason: str, request_id: str) -> Document:
    """Ask the person's signing program what is on the token. Raises Refused(AGENT_OFFLINE)."""
    wanted = await registry.wanted(kind, who)
    await _check_reason(registry, None, wanted, reason)
    opened = proofs.opened(wanted, means="token", provider="", offers=(), reason=reason, secret=None, job=None, at=clock.now())
    return await _begin(registry, opened, request_id)


async def register(
    registry: Registry, kind: Kind, who: Principal, login: Login, credential_id: str | None, *, reason: str, request_id: str
) -> Document:
    """Sign in, choose and ask for the proof in one act; without `credential_id` the only usable certificate is taken.

    Raises Refused as `open_account` and `choose` do; then nothing is kept.
    """
    wanted = await registry.wanted(kind, who)
    opened, found = await _opened(registry, wanted, login, reason)
    candidate = await _choice(registry, wanted, found, credential_id)
    asked = await _ask(registry, opened, candidate, found, who, request_id=request_id)
    return await poll(registry, asked["_id"], who, request_id=request_id)


async def choose(
    registry: Registry, proof_id: str, who: Principal, credential_id: str, *, request_id: str, typed: Mapping[str, str] | None = None
) -> Document:
    """Take one of the offered certificates and ask for the proof. `typed`: what the account wants for it (`Credential.secrets`), by id.

    Raises Refused: UNKNOWN_PROOF; as `certificates.choose`, `revocation.ask` and `certificates.register` do. The choice stays open then.
    """
    proof = await own(registry, proof_id, who)
    if proof["state"] != proofs.CHOOSING or proofs.is_over(proof, clock.now()):
        return await poll(registry, proof_id, who, request_id=request_id)
    wanted = await registry.wanted(proof["kind"], who)
    found = [proofs.credential_of(each) for each in proof["offers"]]
    candidate = await _choice(registry, wanted, found, credential_id)
    await _ask(registry, proof, candidate, found, who, request_id=request_id)
    return await poll(registry, proof_id, who, request_id=request_id, typed=typed)


async def send_codes(registry: Registry, proof_id: str, who: Principal, credential_id: str) -> bool:
    """Have the one-time passwords of an offered certificate sent; False when that was done a moment ago, or there is nothing to send.

    Raises Refused: UNKNOWN_PROOF, PROVIDER_UNAVAILABLE, CANNOT_SIGN.
    """
    proof = await own(registry, proof_id, who)
    offered = next((proofs.credential_of(each) for each in proof["offers"] if each["credential_id"] == credential_id), None)
    sent = [each for each in offered.secrets if each.sent] if offered else []
    if not sent:
        return False
    client = registry.providers.client(proof["provider"])
    assert isinstance(client, Explicit), "only such a provider has credentials with secrets"
    at = clock.now()
    if not await store.note_codes_sent(registry.db, proof_id, at, before=at - proofs.SEND_AGAIN):
        return False
    try:
        for each in sent:
            await client.send_code(_session_of(registry, proof), credential_id, each.id)
    except ProviderError as problem:
        await store.note_codes_sent(registry.db, proof_id, None, before=at)
        if isinstance(problem, ProviderRefused):
            raise Refused(CANNOT_SIGN, reason=problem.code.value) from problem
        raise Refused(PROVIDER_UNAVAILABLE) from problem
    return True


async def own(registry: Registry, proof_id: str, who: Principal) -> Document:
    """As it stands. Raises Refused(UNKNOWN_PROOF), also for one of somebody else."""
    proof = await store.own_proof(registry.db, proof_id, who.person)
    if proof is None or proof["school"] != who.school:
        raise Refused(UNKNOWN_PROOF)
    return proof


async def offers(registry: Registry, proof: Document, who: Principal) -> list[Candidate]:
    """What can be chosen, judged now."""
    wanted = await registry.wanted(proof["kind"], who)
    return registry.judged(wanted, [proofs.credential_of(each) for each in proof["offers"]])


async def give_up(registry: Registry, proof_id: str, who: Principal, *, request_id: str) -> None:
    proof = await own(registry, proof_id, who)
    if proof["state"] in proofs.OPEN:
        await _settle(registry, proof, (proofs.EXPIRED, Refused(PROOF_EXPIRED)), request_id)


async def poll(registry: Registry, proof_id: str, who: Principal, *, request_id: str, typed: Mapping[str, str] | None = None) -> Document:
    """Carry the proof on as far as it goes now. Whoever comes while another does so sees it as it stands."""
    proof = await own(registry, proof_id, who)
    if proof["state"] not in proofs.OPEN:
        return proof
    owner = leases.owner_token()
    collection = registry.db["proofs"]
    mine = await leases.claim(collection, {"_id": proof_id, "state": {"$in": list(proofs.OPEN)}}, owner, LEASE_SECONDS)
    if mine is not None:
        try:
            await _advance(registry, mine, who, request_id, typed or {})
        finally:
            await leases.release(collection, proof_id, owner)
    return await own(registry, proof_id, who)


async def _opened(registry: Registry, wanted: Wanted, login: Login, reason: str) -> tuple[Document, list[Credential]]:
    await _check_reason(registry, None, wanted, reason)
    session, found = await registry.providers.open(login.provider, login.username, login.password)
    if not found:
        raise Refused(NO_CREDENTIAL)
    sealed = registry.box.seal(json.dumps({"token": session.access_token, "until": session.expires_at.isoformat()}))
    at = clock.now()
    opened = proofs.opened(wanted, means="remote", provider=login.provider, offers=found, reason=reason, secret=sealed, job=None, at=at)
    return opened, found


async def _check_reason(registry: Registry, session: Session | None, wanted: Wanted, reason: str) -> None:
    """Before the person goes through it all. Raises Refused(REASON_NEEDED)."""
    if wanted.kind == "school" and not reason and (await registry.standing(session, wanted))[1] is not None:
        raise Refused(REASON_NEEDED)


async def _choice(registry: Registry, wanted: Wanted, found: Sequence[Credential], credential_id: str | None) -> Candidate:
    candidate = certificates.choose(registry.judged(wanted, found), credential_id)
    [refused] = await revocation.ask([(candidate.certificate, candidate.chain)], registry.roots)
    if refused is not None:
        raise refused
    return candidate


async def _begin(registry: Registry, opened: Document, request_id: str) -> Document:
    """Keep a new attempt in place of an open one of the same person; a token's program is asked in the same transaction."""

    async def work(session: Session) -> Document:
        proof = opened
        if opened["means"] == "token":
            job = await jobs.ask(registry.db, session, person=opened["person"], kind="certificates", content={}, valid_for=proofs.LIFETIME)
            proof = {**opened, "job": job}
        await _replace_open(registry, session, proof)
        await store.add_proof(registry.db, session, proof)
        await _record(registry, session, proof, "key proof begun", request_id)
        return proof

    return await _once_more(registry, work)


async def _ask(
    registry: Registry, proof: Document, candidate: Candidate, found: Sequence[Credential], who: Principal, *, request_id: str
) -> Document:
    """The chosen certificate with its challenge, kept; what is registered already needs no other proof.

    Raises Refused: REQUEST_WAITING, REASON_NEEDED.
    """
    credential = next(each for each in found if each.id == candidate.credential_id)
    asked = proofs.chosen(proof, candidate, credential, server=registry.server, at=clock.now())

    async def work(session: Session) -> Document:
        current = await one(registry.db, "proofs", proof["_id"], session)
        if current is not None and current["state"] != proofs.CHOOSING:
            return current
        wanted = await registry.wanted(proof["kind"], who, session)
        waiting, approved = await registry.standing(session, wanted)
        same = certificates.same(proofs.sha256(candidate.certificate), proof["provider"], waiting, approved)
        after = asked
        if same is not None:
            after = proofs.settled(asked, proofs.PROVED, registration=same["_id"])
        else:
            certificates.check_free(wanted, reason=proof["reason"], waiting=waiting, approved=approved)
            if proof["means"] == "token":
                after = {**asked, "job": await _ask_token(registry, session, asked)}
        if current is not None:
            await store.keep_proof(registry.db, session, current, after)
        else:
            standing = await _replace_open(registry, session, after)
            if standing is not None:
                return standing
            await store.add_proof(registry.db, session, after)
        if same is None:
            await _record(registry, session, after, "key proof asked", request_id)
        return after

    return await _once_more(registry, work)


async def _ask_token(registry: Registry, session: Session, proof: Document) -> str:
    certificate = proofs.credential_of(proof["chosen"]).certificate
    content = {"text": proof["challenge"], "certificate": proofs.sha256(certificate), "scheme": default_scheme(certificate)}
    return await jobs.ask(registry.db, session, person=proof["person"], kind="prove", content=content, valid_for=proofs.LIFETIME)


async def _replace_open(registry: Registry, session: Session, proof: Document) -> Document | None:
    """End the person's open attempt; the open one itself if it is the very same (the same click twice)."""
    there = await store.open_proof(registry.db, session, proofs.slot(proof["kind"], proof["person"]))
    if there is None:
        return None
    if "slot" in proof and proofs.same_attempt(there, proof) and not proofs.is_over(there, clock.now()):
        return there
    await store.keep_proof(registry.db, session, there, proofs.settled(there, proofs.EXPIRED, refusal=Refused(PROOF_EXPIRED)))
    return None


async def _once_more(registry: Registry, work: Work) -> Document:
    """Two first attempts of one person at once meet at the slot; the second then sees the first."""
    try:
        return await transaction(registry.db, work)
    except DuplicateKeyError:
        return await transaction(registry.db, work)


async def _advance(registry: Registry, proof: Document, who: Principal, request_id: str, typed: Mapping[str, str]) -> None:
    if proofs.is_over(proof, clock.now()):
        await _settle(registry, proof, (proofs.EXPIRED, Refused(PROOF_EXPIRED)), request_id)
        return
    if proof["state"] == proofs.CHOOSING:
        if proof["job"] is not None:
            await _take_list(registry, proof, request_id)
        return
    if proof["signature"] is None:
        made = await (_ask_provider(registry, proof, typed) if proof["means"] == "remote" else _ask_program(registry, proof))
        if made is None:
            return
        if isinstance(made, tuple):
            await _settle(registry, proof, made, request_id)
            return
        failpoints.reach("identity.proof.signed")
        scheme = _scheme(proof)
        kept = {**proof, "signature": base64.b64encode(made).decode(), "scheme": scheme}
        if not await store.keep_proof(registry.db, None, proof, kept):
            return
        proof = kept
        failpoints.reach("identity.proof.kept")
    try:
        proofs.check(proof, proof["scheme"], base64.b64decode(proof["signature"]))
    except WrongSignature:
        log.warning("a challenge came back with a wrong signature", extra={"proof": proof["_id"], "provider": proof["provider"]})
        await _settle(registry, proof, (proofs.REFUSED, Refused(WRONG_PROOF)), request_id)
        return
    await _complete(registry, proof, who, request_id)


def _scheme(proof: Document) -> Scheme:
    credential = proofs.credential_of(proof["chosen"])
    return scheme_of(credential) if proof["means"] == "remote" else default_scheme(credential.certificate)


async def _ask_provider(registry: Registry, proof: Document, typed: Mapping[str, str]) -> bytes | End | None:
    """The signature value, or why there is none; None while the person has not answered or the provider is away."""
    try:
        session = _session_of(registry, proof)
        handle = registry.box.unseal(proof["handle"]) if proof["handle"] else None
    except InvalidToken:
        log.warning("a session that was sealed with another key is of no use", extra={"proof": proof["_id"]})
        return proofs.EXPIRED, Refused(PROOF_EXPIRED)
    try:
        async with asyncio.timeout(PROVIDER_SECONDS):
            return await _carry_on(registry, proof, session, handle, typed)
    except Refused as refused:
        return proofs.REFUSED, refused
    except ProviderRefused as problem:
        log.info("a provider refused the proof", extra={"provider": proof["provider"], "reason": problem.code.value})
        return proofs.in_words(problem)
    except ProviderBroken:
        log.warning("a provider does not follow its protocol", extra={"provider": proof["provider"]}, exc_info=True)
        return proofs.REFUSED, Refused(CANNOT_SIGN, reason="protocol")
    except (ProviderUnavailable, TimeoutError):
        log.warning("a provider is away", extra={"provider": proof["provider"]}, exc_info=True)
        return None


def _session_of(registry: Registry, proof: Document) -> ProviderSession:
    account = json.loads(registry.box.unseal(proof["secret"]))
    return ProviderSession(account["token"], datetime.fromisoformat(account["until"]))


async def _carry_on(
    registry: Registry, proof: Document, session: ProviderSession, handle: str | None, typed: Mapping[str, str]
) -> bytes | End | None:
    """Ask the person, or what the person answered, and have the challenge signed as soon as that is a yes. `typed` goes no further."""
    client = registry.providers.client(proof["provider"])
    credential = proofs.credential_of(proof["chosen"])
    digest = challenge.digest(proof["challenge"])
    if credential.on_page:
        if not proof.get("agreed"):
            return None
        outcome: Outcome = Authorized(registry.box.unseal(proof["agreed"]), 0)
    elif handle is None:
        asked = (session, credential.id, [digest], proofs.PURPOSES[proof["kind"]])
        if typed and isinstance(client, Explicit):
            outcome = await client.authorize(*asked, transaction=proof["_id"], secrets=typed)
        else:
            outcome = await client.authorize(*asked, transaction=proof["_id"])
        failpoints.reach("identity.proof.authorised")
    else:
        outcome = await client.check(session, handle)
    if isinstance(outcome, Waiting):
        if handle is None:
            await store.keep_proof(registry.db, None, proof, {**proof, "handle": registry.box.seal(outcome.handle)})
        return None
    if isinstance(outcome, Rejected | Expired):
        return proofs.answered(outcome)
    [value] = await client.sign(session, credential, outcome.sad, [digest], client_data=proof["_id"])
    return value


async def _ask_program(registry: Registry, proof: Document) -> bytes | End | None:
    """The signature value that the person's program gave, or why there is none; None while it is waited for."""
    asked = await jobs.job(registry.db, proof["job"], proof["person"])
    if asked is not None and asked["state"] == "DONE":
        return token.Proof.model_validate(asked["result"]).value
    return _no_answer(asked)


async def _take_list(registry: Registry, proof: Document, request_id: str) -> None:
    """What is on the token becomes the offers, as soon as the program has told it."""
    asked = await jobs.job(registry.db, proof["job"], proof["person"])
    if asked is None or asked["state"] != "DONE":
        end = _no_answer(asked)
        if end is not None:
            await _settle(registry, proof, end, request_id)
        return
    listed = token.Certificates.model_validate(asked["result"]).certificates
    found = [Credential(proofs.sha256(c.der), c.der, c.issuers, (), "", 1) for c in listed]
    if not found:
        await _settle(registry, proof, (proofs.REFUSED, Refused(NO_TOKEN_CERTIFICATE)), request_id)
        return
    after = {**proof, "offers": [proofs.offer(c) for c in found], "job": None, "expires_at": clock.now() + proofs.LIFETIME}
    await store.keep_proof(registry.db, None, proof, after)


def _no_answer(asked: Document | None) -> End | None:
    """Why a program gives no result; None while it may still come."""
    if asked is None or asked["state"] == "EXPIRED":
        return proofs.EXPIRED, Refused(PROOF_EXPIRED)
    if asked["state"] == "FAILED":
        message, advice = token.FAILURES[asked["failure"]]
        return proofs.REFUSED, Refused(TOKEN_FAILED, message=message, advice=advice, failure=asked["failure"])
    return None


async def _complete(registry: Registry, proof: Document, who: Principal, request_id: str) -> None:
    """Proved: the registration is made, or the reason is kept why it cannot be."""
    offered = proofs.credential_of(proof["chosen"])

    async def work(session: Session) -> None:
        at = clock.now()
        wanted = await registry.wanted(proof["kind"], who, session)
        candidate = certificates.judge(wanted, offered.id, offered.certificate, offered.chain, registry.roots, at=at)
        assert candidate is not None
        if candidate.problems:
            raise certificates.unfit(candidate.problems)
        waiting, approved = await registry.standing(session, wanted)
        change = certificates.register(
            wanted,
            candidate,
            means=proof["means"],
            provider=proof["provider"],
            provider_name=registry.providers.name(proof["provider"]),
            proof=proofs.evidence(proof, at),
            reason=proof["reason"],
            waiting=waiting,
            approved=approved,
            at=at,
        )
        made: Document | None
        if change is not None:
            details = {"proof": proof["_id"]}
            act, actor = REGISTERED[wanted.kind], proof["person"]
            made = await registry.enter(session, wanted, change, act=act, actor=actor, request_id=request_id, details=details)
        else:
            made = certificates.same(proofs.sha256(offered.certificate), proof["provider"], waiting, approved)
        assert made is not None
        if not await store.keep_proof(registry.db, session, proof, proofs.settled(proof, proofs.PROVED, registration=made["_id"])):
            raise Refused(CONFLICT)

    try:
        await transaction(registry.db, work)
    except Refused as refused:
        if not proofs.may_try_again(refused):
            await _settle(registry, proof, (proofs.REFUSED, refused), request_id)


async def refuse(registry: Registry, proof: Document, refused: Refused, request_id: str) -> None:
    """The person said no elsewhere than on the phone."""
    await _settle(registry, proof, (proofs.REFUSED, refused), request_id)


async def _settle(registry: Registry, proof: Document, end: End, request_id: str) -> None:
    state, refused = end
    after = proofs.settled(proof, state, refusal=refused)

    async def work(session: Session) -> None:
        if await store.keep_proof(registry.db, session, proof, after):
            await _record(registry, session, after, "key proof ended", request_id)

    await transaction(registry.db, work)


async def _record(registry: Registry, session: Session, proof: Document, act: str, request_id: str) -> None:
    details = {
        "proof": proof["_id"],
        "state": proof["state"],
        "means": proof["means"],
        "provider": proof["provider"],
        "certificate": proofs.sha256(proofs.credential_of(proof["chosen"]).certificate) if proof["chosen"] else None,
        "refusal": proof["refusal"]["code"] if proof["refusal"] else None,
    }
    actor, subject, place = proof["person"], proof["owner"], proof["school"]
    await audit.record(registry.db, session, actor=actor, act=act, subject=subject, place=place, request_id=request_id, details=details)
