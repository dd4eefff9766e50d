"""A batch whose person confirms by typing (PIN, one-time password) or on the provider's own page, instead of on a phone.

Either is about the hashes, so it is asked for at the batch's page when they are there, not where the batch starts. The web process
asks the provider itself: what was typed goes through it and is written nowhere. It leaves the authorisation, sealed, with the batch,
for whose worker that is the answer (docs/decisions/0044).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from services.chassis import clock
from services.chassis.errors import Refused
from services.means.remote import (
    Authorized,
    Explicit,
    ProviderError,
    ProviderRefused,
    Secret,
    Waiting,
)
from services.means.remote import Refusal as RefusalCode
from services.signing.asking import described, labels_of, refused_by, refused_for, transaction_of
from services.signing.errors import (
    NO_LONGER_WAITS,
    PROVIDER_AWAY,
    REJECTED,
    SECRET_NEEDED,
    WRONG_SECRET,
)
from services.signing.items import HASHED
from services.signing.steps.kind import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.means.remote import Credential
    from services.signing.providers import Providers
    from services.signing.store import Store

SEND_AGAIN: Final = dt.timedelta(seconds=30)
"""Between two one-time passwords of a batch: each may cost somebody a text message."""
LONGEST_SECRET: Final = 100


def kept(credential: Credential) -> dict[str, Any]:
    """What the batch keeps of how its person confirms."""
    return {"secrets": [asdict(each) for each in credential.secrets], "on_page": credential.on_page}


def secrets_of(batch: Mapping[str, Any]) -> tuple[Secret, ...]:
    return tuple(Secret(**each) for each in batch["credential"].get("secrets", ()))


def on_page(batch: Mapping[str, Any]) -> bool:
    return bool(batch["credential"].get("on_page"))


def by_hand(batch: Mapping[str, Any]) -> bool:
    """Must the person come to the batch's page for it to go on?"""
    return on_page(batch) or bool(secrets_of(batch))


def waits(batch: Mapping[str, Any]) -> bool:
    """For its person at this moment."""
    return by_hand(batch) and batch["state"] == "waiting" and not any(batch.get(key) for key in ("answer", "handle", "cancel"))


async def answered(store: Store, providers: Providers, batch: Document) -> Authorized | Waiting | None:
    """For the worker: what came of it so far. Raises Refused when that is a no."""
    answer = (await store.batch(batch["_id"])).get("answer")
    if not answer:
        return None
    if answer.get("rejected"):
        raise Refused(REJECTED)
    if "problem" in answer:
        raise refused_for(RefusalCode(answer["problem"]))
    return Waiting(answer["handle"]) if "handle" in answer else Authorized(providers.unseal(answer["sad"]), 0)


async def confirm(store: Store, providers: Providers, batch: Document, typed: Mapping[str, str]) -> None:
    """Pass on what the person typed, by the ids of `secrets_of`; when this returns the batch has its answer, which may be a no.

    Raises Refused, and then it may be typed again: SECRET_NEEDED, WRONG_SECRET, PROVIDER_AWAY; NO_LONGER_WAITS.
    """
    wanted = secrets_of(batch)
    provider = _provider(providers, batch, page=False)
    if not all(typed.get(each.id) for each in wanted):
        raise Refused(SECRET_NEEDED, secrets=", ".join(each.label for each in wanted))
    items, hashes = await _hashes(store, batch)
    try:
        outcome = await provider.authorize(
            providers.session_of(batch),
            batch["credential"]["id"],
            hashes,
            described(batch, len(items)),
            transaction=transaction_of(batch),
            labels=labels_of(items),
            secrets={each.id: typed[each.id] for each in wanted},
        )
    except ProviderRefused as problem:
        if problem.code is RefusalCode.WRONG_SECRET:
            raise Refused(WRONG_SECRET) from problem
        await _keep(store, batch, {"problem": refused_by(batch, problem).values["problem"]})
        return
    except ProviderError as problem:
        raise Refused(PROVIDER_AWAY) from problem
    answer = {"handle": outcome.handle} if isinstance(outcome, Waiting) else {"sad": providers.seal(outcome.sad)}
    await _keep(store, batch, answer)


async def send_codes(store: Store, providers: Providers, batch: Document) -> bool:
    """Have the one-time passwords sent; False when that was done a moment ago.

    Raises Refused: NO_LONGER_WAITS, PROVIDER_AWAY, PROVIDER_REFUSED.
    """
    provider = _provider(providers, batch, page=False)
    if not await store.note_codes_sent(batch["_id"], clock.now(), before=clock.now() - SEND_AGAIN):
        return False
    try:
        questions = {
            each.id: await provider.send_code(providers.session_of(batch), batch["credential"]["id"], each.id)
            for each in secrets_of(batch)
            if each.sent
        }
    except ProviderError as problem:
        await store.change_batch(batch["_id"], {"codes_sent_at": None})
        if isinstance(problem, ProviderRefused):
            raise refused_by(batch, problem) from problem
        raise Refused(PROVIDER_AWAY) from problem
    await store.change_batch(batch["_id"], {"questions": [[identity, text] for identity, text in questions.items() if text]})
    return True


async def leave(store: Store, providers: Providers, batch: Document, back: str) -> str:
    """The address of the provider's page; what proves the way back stays with the batch, and the last way out is the one that counts.

    "" when the provider takes no such question: then the batch has its answer. Raises Refused: NO_LONGER_WAITS, PROVIDER_AWAY.
    """
    provider = _provider(providers, batch, page=True)
    items, hashes = await _hashes(store, batch)
    try:
        begun = await provider.begin_on_page(
            batch["credential"]["id"],
            hashes,
            described(batch, len(items)),
            redirect_uri=back,
            transaction=transaction_of(batch),
            labels=labels_of(items),
        )
    except ProviderRefused as problem:
        await _keep(store, batch, {"problem": refused_by(batch, problem).values["problem"]})
        return ""
    except ProviderError as problem:
        raise Refused(PROVIDER_AWAY) from problem
    await store.change_batch(batch["_id"], {"leaving": {"state": _digest(begun.state), "verifier": providers.seal(begun.verifier)}})
    return begun.url


async def come_back(store: Store, providers: Providers, person: str, back: str, *, state: str, code: str, error: str) -> str:
    """What the browser brought from the provider's page; the batch's id. A way back is good once, and for its own person alone.

    Raises Refused: NO_LONGER_WAITS for one that is not known; PROVIDER_AWAY when the provider has trouble, and the person may leave again.
    """
    batch = await store.take_way_back(person, _digest(state)) if state else None
    if batch is None or not waits(batch):
        raise Refused(NO_LONGER_WAITS)
    if error == "access_denied":
        await _keep(store, batch, {"rejected": True})
        return str(batch["_id"])
    if error or not code:
        raise Refused(PROVIDER_AWAY)
    try:
        agreed = await _provider(providers, batch, page=True).finish_on_page(code, providers.unseal(batch["leaving"]["verifier"]), back)
    except ProviderRefused as problem:
        raise Refused(NO_LONGER_WAITS) from problem
    except ProviderError as problem:
        raise Refused(PROVIDER_AWAY) from problem
    await _keep(store, batch, {"sad": providers.seal(agreed.sad)})
    return str(batch["_id"])


def _provider(providers: Providers, batch: Document, *, page: bool) -> Explicit:
    """Raises Refused(NO_LONGER_WAITS), also for a batch that is confirmed in the other way."""
    if not waits(batch) or on_page(batch) != page:
        raise Refused(NO_LONGER_WAITS)
    found = providers.by_id(batch["provider"])
    assert isinstance(found, Explicit), "only such a provider has credentials of this kind"
    return found


async def _hashes(store: Store, batch: Document) -> tuple[Sequence[Document], list[bytes]]:
    items = await store.items(batch["_id"], states=HASHED, bodies=True)
    return items, [h for i in items for h in Prepared.model_validate(i["prepared"]).hashes]


async def _keep(store: Store, batch: Document, answer: Mapping[str, Any]) -> None:
    """Raises Refused(NO_LONGER_WAITS) when the batch was stopped, ended or answered meanwhile."""
    if not await store.answer_batch(batch["_id"], answer):
        raise Refused(NO_LONGER_WAITS)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
