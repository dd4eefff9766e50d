"""A batch: one person, one step, many documents of one kind, one authorisation. Here it is checked and written down; `runner.py` runs it.

States of a batch: preparing → waiting → signing → finished. Of an item: queued → prepared (its intent is stored: what, who,
certificate, planned hashes) → sent (the provider is being asked) → waiting (for the person) → returned (the values are stored) →
embedded; or refused | expired | stale | failed | cancelled with a reason.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.access import Action, Principal
from contracts.nouns import worded
from services.chassis import audit, clock
from services.chassis.access import require, require_fresh
from services.chassis.aggregates import Change
from services.chassis.errors import FORBIDDEN, Refusal, Refused
from services.chassis.mongo import transaction
from services.means.remote import ProviderError, ProviderRefused
from services.means.x509 import describe, unfit
from services.signing import confirming, revocation, token_means
from services.signing.errors import (
    BEING_SIGNED,
    CERTIFICATE_UNFIT,
    NO_ACCOUNT,
    NO_SCHOOL_CERTIFICATE,
    NOT_WAITING,
    NOTHING_TO_SIGN,
    PROVIDER_AWAY,
    TOO_MANY,
    WRONG_LOGIN,
    YEAR_LOCKED,
)
from services.signing.queues import kind_of
from services.signing.steps import STEPS
from services.signing.tasks import signers_of, why_not

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from contracts.documents import SignedKind
    from services.chassis.mongo import Document, Session
    from services.means.remote import Credential
    from services.means.remote import Session as ProviderSession
    from services.signing.providers import Providers
    from services.signing.store import Store

CONFIRM_WITHIN = dt.timedelta(minutes=5)
"""From the question on the phone to its answer; the time in the queue does not count."""
QUEUE_WITHIN = dt.timedelta(minutes=30)
"""From the start of a batch to its turn."""
SIGN_WITHIN = dt.timedelta(minutes=5)
"""From one chunk's signatures to the next one's: how long a provider may be away in the middle of a batch."""
MOST = 5000
"""Items of a batch."""
NO_LONGER_GOOD = "Chứng thư số không còn được dùng để ký."
ENDED_WORDS = {
    "revoked": "Chứng thư số đã bị thu hồi.",
    "issuer revoked": "Chứng thư số của đơn vị cấp đã bị thu hồi.",
    "expired": "Chứng thư số đã hết hạn.",
    "suspended": "Chứng thư số đang bị tạm dừng.",
    "replaced": "Chứng thư số đã được thay bằng chứng thư số khác.",
}
"""Why a certificate signs no more, by the reason in CertificateEndedV1."""


@dataclass(frozen=True)
class Order:
    """What the person asked for; `transcripts` None takes everything that waits in `classes`, or at all."""

    step: str
    transcripts: Sequence[str] | None
    classes: Sequence[str] | None
    user: str
    password: str
    kind: SignedKind = "transcript"


def require_for(who: Principal, step: str) -> None:
    """For entries that start a batch. Raises ConfirmationNeeded: the school's seal needs to know anew who sets it."""
    if step == "issue":
        require_fresh(who, Action.ISSUE, school=who.school)


def require_any_step(who: Principal) -> None:
    """For an entry that tells by itself which batch is meant. Raises Refused(FORBIDDEN) for who signs nothing."""
    if who.school is None:
        raise Refused(FORBIDDEN, action=Action.SIGN.value)
    require(who, Action.SIGN, school=who.school)


async def waiting_for(
    store: Store, who: Principal, step: str, classes: Sequence[str] | None, kind: SignedKind = "transcript"
) -> list[Document]:
    """What this person may sign in this step now ("Chờ ký")."""
    school = require_step(who, step)
    return await store.waiting(school, step, None if step == "issue" else who.person, classes=classes, kind=kind)


def require_step(who: Principal, step: str) -> str:
    """The school in which this person may sign in this step. Raises Refused(FORBIDDEN)."""
    require_any_step(who)
    if step == "issue":
        require(who, Action.ISSUE, school=who.school)
    return str(who.school)


async def start(store: Store, providers: Providers, who: Principal, order: Order, *, request_id: str) -> dict[str, Any]:
    """Check everything that can be checked now ("pre-flight"), then write the batch down.

    Returns {"batch": id, "accepted": n, "refused": [{transcript, code, reason}]}. The password goes to the provider and nowhere else.
    """
    waiting = {t["_id"]: t for t in await waiting_for(store, who, order.step, order.classes, order.kind)}
    chosen = list(order.transcripts) if order.transcripts is not None else list(waiting)
    if not chosen or len(chosen) > MOST:
        raise Refused(NOTHING_TO_SIGN)
    account = await approved_account(store, providers, who, order.step)
    await revocation.refuse_revoked(account, providers.roots)
    opened, room = await _opened(providers, account, order)
    batch_id = str(uuid4())
    moment = clock.now()
    batch: Document = {
        "_id": batch_id,
        "person": who.person,
        "name": who.name,
        "school": who.school,
        "step": order.step,
        "kind": order.kind,
        "at": moment,
        "signing_time": moment,
        "state": "preparing",
        **opened,
        "certificate": b64decode(account["certificate"]),
        "chain": [b64decode(c) for c in account["chain"]],
        "deadline": moment + QUEUE_WITHIN,
        "total": 0,
        "request_id": request_id,
    }

    async def work(tx: Session) -> list[dict[str, str]]:
        tasks = await store.load_tasks(tx, chosen)
        locked = await store.locked_years(tx, who.school)
        refused: list[dict[str, str]] = []
        claimed: list[Change] = []
        items: list[Document] = []
        for transcript in dict.fromkeys(chosen):
            task = tasks.get(transcript)
            if len(items) >= room:
                refusal = Refused(TOO_MANY, room=room)
                refused.append({"transcript": transcript, "code": refusal.code, "reason": worded(order.kind, refusal.cause)})
                continue
            why = why_not_now(task, who, order.step, locked)
            if task is None or why is not None or transcript not in waiting:
                why = why or NOT_WAITING
                refused.append({"transcript": transcript, "code": why.code, "reason": worded(order.kind, why.cause)})
            else:
                claimed.append(Change({**task, "claims": {**task["claims"], claimant(order.step, who.person): batch_id}}))
                items.append(_item(batch_id, len(items), task, order.step, who.person))
        if not items:
            return refused
        await store.save_tasks(tx, claimed, actor=who.person, cause=batch_id)
        await store.add_batch(tx, {**batch, "total": len(items)}, items)
        details = {"step": order.step, **told_kind(batch), "items": len(items), "certificate": describe(batch["certificate"]).serial}
        await audit.record(
            store.db,
            tx,
            actor=who.person,
            act="start batch",
            subject=batch_id,
            place=who.school,
            request_id=request_id,
            details=details,
        )
        return refused

    refused = await transaction(store.db, work)
    accepted = len(dict.fromkeys(chosen)) - len(refused)
    return {"batch": batch_id if accepted else None, "accepted": accepted, "refused": refused}


async def cancel(store: Store, who: Principal, batch_id: str) -> bool:
    """Whether it is stopped, and then nothing of it is signed: true at any moment before the confirmation, and at none after."""

    async def work(tx: Session) -> bool:
        asked = await store.request_cancel(tx, batch_id, who.person)
        if asked:
            await audit.record(store.db, tx, actor=who.person, act="cancel batch", subject=batch_id, place=who.school)
        return asked

    return await transaction(store.db, work)


def why_not_now(task: Document | None, who: Principal, step: str, locked: Collection[str]) -> Refusal | None:
    """Why this document cannot go into a batch of this person in this step at this moment; `locked`: school years with their final lock."""
    refusal = why_not(task, school=who.school, step=step, person=who.person)
    if refusal is not None or task is None:
        return refusal or NOT_WAITING
    if task["year"] in locked:
        return YEAR_LOCKED
    return BEING_SIGNED if being_signed(task, step, who.person) else None


def claimant(step: str, person: str) -> str:
    """Whose signature a claim holds: the person's own, or for the issue step the school's, whoever makes it."""
    return "school" if step == "issue" else person


def being_signed(task: Document, step: str, person: str) -> bool:
    """Is it in a running batch for the signature that this person would make?"""
    return claimant(step, person) in task["claims"]


def _item(batch_id: str, number: int, task: Document, step: str, person: str) -> Document:
    subjects: list[str] = next((s["subjects"] for s in signers_of(task, step) if s["person"] == person), [])
    return {
        "_id": f"{batch_id}:{task['_id']}",
        "batch": batch_id,
        "number": number,
        "transcript": task["_id"],
        "kind": kind_of(task),
        "class_code": task["class_code"],
        "pupil_name": task["pupil_name"],
        "subjects": subjects,
        "state": "queued",
    }


async def approved_account(store: Store, providers: Providers, who: Principal, step: str) -> Document:
    """The approved certificate for this step, fit at this moment. Raises Refused with what is wrong with it."""
    kind, owner, refusal = ("school", str(who.school), NO_SCHOOL_CERTIFICATE) if step == "issue" else ("person", who.person, NO_ACCOUNT)
    account = await store.account(kind, owner)
    if account is None or account["school"] != who.school:
        raise Refused(refusal)
    problems = unfit(
        b64decode(account["certificate"]),
        [b64decode(c) for c in account["chain"]],
        providers.roots,
        at=clock.now(),
        kind="organisation" if step == "issue" else "personal",
        expected=account["owner_id"],
    )
    if problems:
        raise Refused(CERTIFICATE_UNFIT, reason=problems[0].message_vi, problem=problems[0].code)
    return account


async def check_still_approved(store: Store, batch: Document, session: Session | None = None) -> None:
    """Raises Refused(CERTIFICATE_UNFIT) when the batch's certificate has ended or expired since the batch was started."""
    kind, owner = ("school", batch["school"]) if batch["step"] == "issue" else ("person", batch["person"])
    account = await store.standing(kind, owner, session)
    if account is None or b64decode(account["certificate"]) != batch["certificate"]:
        problem = "replaced"
    elif (ended := account.get("ended")) is not None:
        problem = str(ended)
    elif clock.now() > describe(batch["certificate"]).not_after:
        problem = "expired"
    else:
        return
    raise Refused(CERTIFICATE_UNFIT, reason=ENDED_WORDS.get(problem, NO_LONGER_GOOD), problem=problem)


async def _opened(providers: Providers, account: Document, order: Order) -> tuple[Document, int]:
    """What the batch keeps of its means, and how many items one authorisation of it covers."""
    if token_means.by_token(account):
        return token_means.opened(), MOST
    session, credential = await _open(providers, account, order)
    kept = {
        "provider": account["provider"],
        "credential": {
            "id": credential.id,
            "key_algorithms": list(credential.key_algorithms),
            "scal": credential.scal,
            "multisign": credential.multisign,
            **confirming.kept(credential),
        },
        "token": providers.seal(session.access_token),
        "token_until": session.expires_at,
    }
    return kept, credential.multisign // (2 if signs_pdf(order.step, order.kind) else 1)


async def _open(providers: Providers, account: Document, order: Order) -> tuple[ProviderSession, Credential]:
    provider = providers.by_id(account["provider"])
    try:
        session = await provider.login(order.user, order.password)
        credentials = await provider.list_credentials(session)
    except ProviderRefused as problem:
        raise Refused(WRONG_LOGIN) from problem
    except ProviderError as problem:
        raise Refused(PROVIDER_AWAY) from problem
    certificate = b64decode(account["certificate"])
    for credential in credentials:
        if credential.id == account["credential_id"] and credential.certificate == certificate:
            return session, credential
    raise Refused(WRONG_LOGIN)


def signs_pdf(step: str, kind: SignedKind) -> bool:
    """A request to take a document back is XML alone."""
    return STEPS[step].pdf_field is not None and kind != "withdrawal_request"


def title_of(step: str) -> str:
    return STEPS[step].title


def told_kind(batch: Document) -> dict[str, str]:
    """What the audit trail says of the kind: nothing of transcripts, which are the rule."""
    kind = kind_of(batch)
    return {} if kind == "transcript" else {"kind": kind}
