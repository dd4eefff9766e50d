"""Running batches: hashes out, the person's confirmation, signatures back, each verified and embedded, outcome by outcome.

A batch is leased by one worker. After a crash another takes it up where the database says it was: prepared hashes are asked
for again under the same authorisation, so nothing is signed twice for one intent, and what is embedded stays.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from contracts.events.signing import SignatureFact
from contracts.nouns import worded
from services.chassis import audit, clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refusal, Refused
from services.chassis.kafka import is_transient
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import Document, Session, transaction
from services.means.remote import Authorized, Credential, Expired, Outcome, ProviderError, ProviderRefused, ProviderUnavailable, Rejected
from services.means.remote import Refusal as RefusalCode
from services.means.remote import Session as ProviderSession
from services.means.x509 import WrongSignature, describe
from services.signing import confirming, revocation, token_means, turns
from services.signing.agents.errors import STATES as TOKEN_STATES
from services.signing.asking import described, labels_of, pause, refused_by, transaction_of
from services.signing.batches import CONFIRM_WITHIN, SIGN_WITHIN, check_still_approved, claimant, told_kind
from services.signing.errors import (
    ASKED_OR_NOT,
    CANCELLED,
    DAMAGED,
    EXPIRED,
    NOT_CONFIRMED,
    NOT_SIGNED,
    PROVIDER_AWAY,
    QUEUED_TOO_LONG,
    REJECTED,
    STALE,
    WRONG_VALUE,
)
from services.signing.items import HASHED, OPEN
from services.signing.metrics import SIGNATURES, SIGNER_SECONDS
from services.signing.pictures import Pictures
from services.signing.queues import kind_of
from services.signing.steps import STEPS, prepare
from services.signing.steps.kind import Documents, Finished, Intent, Prepared, finish
from services.signing.store import UNFINISHED
from services.signing.tasks import basis_of, outdated, signed, told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from services.chassis.process import Parts
    from services.signing.providers import Providers
    from services.signing.store import Store

AT_ONCE = 64
"""Batches that one worker runs at a time: most of them wait for somebody's phone. The others wait for their turn (`turns.py`)."""
WORKING = 4
"""Chunks of documents that one worker prepares or embeds at a time."""
CHUNK = 24
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds for which a provider that failed is left alone while its values are fetched: ever longer."""
ATTEMPTS = 3
ASK_AGAIN = 2
"""How often a batch may ask its person once more, for what an authorisation no longer lets be signed."""
SPENT = {RefusalCode.TOO_MANY, RefusalCode.AUTHORISATION_EXPIRED, RefusalCode.UNKNOWN_TRANSACTION}
"""What a provider says of an authorisation that was used up or has run out: its values were lost on their way to us."""
ENDINGS = {
    REJECTED.code: "refused",
    EXPIRED.code: "expired",
    NOT_CONFIRMED.code: "expired",
    CANCELLED.code: "cancelled",
    STALE.code: "stale",
    **TOKEN_STATES,
}
"""By the reason's code, how an item ended; any other reason is a failure."""
log = logging.getLogger(__name__)


def owner_of(batch: Document) -> str:
    """Of the lease under which it is run here."""
    return str(batch["lease"]["owner"])


def pauses() -> Iterator[float]:
    pause_seconds = FIRST_PAUSE
    while True:
        yield pause_seconds
        pause_seconds = min(LONGEST_PAUSE, pause_seconds * 2)


class LeaseLost(Exception):
    """Another worker has the batch now."""


class AuthorisationSpent(Exception):
    """The provider signs no more under it, and documents are left."""


class Runner:
    def __init__(self, parts: Parts, store: Store, providers: Providers) -> None:
        self.parts = parts
        self.store = store
        self.providers = providers
        self.pictures = Pictures(store.db, parts.objects, parts.pool)
        self.lease_seconds = parts.settings.lease_seconds
        self.running: set[asyncio.Task[None]] = set()
        self.gate = turns.Gate(WORKING)

    async def round(self) -> int:
        """Take up the batch whose turn it is, if there is room; it goes on in a task of its own."""
        if len(self.running) >= AT_ONCE:
            return 0
        queued = await self.store.queued_batches()
        if not queued:
            return 0
        # each run is an owner of its own: one whose lease ended while this machine was busy must not be taken for its successor
        owner = owner_token()
        for batch_id in turns.in_order(queued, await self.store.served_schools()):
            batch = await claim(self.store.db["batches"], {"_id": batch_id, "state": {"$in": UNFINISHED}}, owner, self.lease_seconds)
            if batch is not None:
                break
        else:
            return 0
        task = asyncio.create_task(self._run(batch))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return 1

    async def _run(self, batch: Document) -> None:
        try:
            await self._while_held(batch)
        except LeaseLost:
            log.warning("lost the lease of a batch", extra={"batch": batch["_id"]})
        except Exception as problem:
            if is_transient(problem):
                log.warning("a batch was interrupted and will be taken up again", extra={"batch": batch["_id"]}, exc_info=True)
                await asyncio.sleep(1)
            else:
                log.exception("a batch failed", extra={"batch": batch["_id"], "attempt": batch.get("attempts", 0) + 1})
                with suppress(LeaseLost):
                    await self._defective(batch)
        finally:
            await release(self.store.db["batches"], batch["_id"], owner_of(batch))

    async def _while_held(self, batch: Document) -> None:
        """Work and lease end together. Raises LeaseLost, and what the work raises."""
        going, renewing = asyncio.create_task(self._go(batch)), asyncio.create_task(self._renew(batch))
        try:
            await asyncio.wait((going, renewing), return_when=asyncio.FIRST_COMPLETED)
            if not going.done():
                renewing.result()
                raise LeaseLost
            going.result()
        finally:
            going.cancel()
            renewing.cancel()
            await asyncio.gather(going, renewing, return_exceptions=True)

    async def _defective(self, batch: Document) -> None:
        """Try again a few times; then end what is open, so that people know and can sign it anew."""
        attempts = batch.get("attempts", 0) + 1
        await self._set(batch, attempts=attempts)
        if attempts >= ATTEMPTS:
            await self._end_open_items(batch, DAMAGED)
            await self._finish(batch)

    async def _finish(self, batch: Document) -> None:
        await self._end_open_items(batch, STALE)
        await token_means.close(self.store, batch)
        if not await self.store.finish_batch(batch["_id"], owner_of(batch)):
            raise LeaseLost
        batch["state"] = "finished"

    async def _renew(self, batch: Document) -> None:
        """Ends when the lease is lost. While the database is away it is tried again: whether it was too late the database knows."""
        while True:
            try:
                if not await renew(self.store.db["batches"], batch["_id"], owner_of(batch), self.lease_seconds):
                    return
            except Exception as problem:
                if not is_transient(problem):
                    raise
                log.warning("the lease of a batch could not be renewed", extra={"batch": batch["_id"]}, exc_info=True)
            await asyncio.sleep(self.lease_seconds / 4)

    async def _set(self, batch: Document, **changes: Any) -> None:
        if not await self.store.set_batch(batch["_id"], owner_of(batch), changes):
            raise LeaseLost
        batch.update(changes)

    async def _check_held(self, batch: Document, session: Session) -> None:
        if not await self.store.is_held(batch["_id"], owner_of(batch), session):
            raise LeaseLost

    async def _go(self, batch: Document) -> None:
        try:
            if batch["state"] == "preparing":
                await self._prepare(batch)
                await self._set(batch, state="waiting", deadline=clock.now() + CONFIRM_WITHIN)
            while True:
                if batch["state"] == "waiting":
                    await self._authorise(batch)
                try:
                    await self._sign(batch)
                    break
                except AuthorisationSpent:
                    log.warning("the authorisation is spent, the person is asked again", extra={"batch": batch["_id"]})
                    again = {"asked_again": batch.get("asked_again", 0) + 1, "deadline": clock.now() + CONFIRM_WITHIN}
                    await self._set(batch, state="waiting", handle=None, sad=None, answer=None, codes_sent_at=None, **again)
        except Refused as refusal:
            await self._end_open_items(batch, refusal.refusal, **refusal.values)
        await self._finish(batch)

    # hashes

    async def _prepare(self, batch: Document) -> None:
        if clock.now() > batch["deadline"]:
            raise Refused(QUEUED_TOO_LONG)
        items = await self.store.items(batch["_id"], states=["queued"])
        for start in range(0, len(items), CHUNK):
            if await self.store.cancel_requested(batch["_id"]):
                raise Refused(CANCELLED)
            chunk = items[start : start + CHUNK]
            tasks = await self.store.load_tasks(None, [i["transcript"] for i in chunk])
            async with self.gate.turn(batch["school"]):
                works = (self._prepare_one(batch, i, tasks[i["transcript"]]) for i in chunk)
                outcomes = await asyncio.gather(*works, return_exceptions=True)
            failpoints.reach("signing.before-intent")
            changes: dict[str, dict[str, Any]] = {}
            for item, outcome in zip(chunk, outcomes, strict=True):
                if isinstance(outcome, Prepared):
                    changes[item["_id"]] = {
                        "state": "prepared",
                        "prepared": outcome.model_dump(mode="python"),
                        "basis": basis_of(tasks[item["transcript"]]),
                    }
                elif is_transient(outcome):
                    raise outcome
                else:
                    log.error("a transcript cannot be prepared", extra={"transcript": item["transcript"]}, exc_info=outcome)
                    await self._fail(batch, [item], DAMAGED)
            await self.store.set_items(changes, among=["queued"])
        failpoints.reach("signing.prepared")

    async def _prepare_one(self, batch: Document, item: Document, task: Document) -> Prepared:
        intent = Intent(
            step=batch["step"],
            person=batch["person"],
            name=batch["name"],
            subjects=tuple(item["subjects"]),
            before=tuple(s["id"] for s in task["signatures"]),
            signed_at=batch["signing_time"],
            certificate=batch["certificate"],
            chain=tuple(batch["chain"]),
            stamp=await self.pictures.of(batch),
        )
        xml = await self.parts.objects.get(DocumentRef.model_validate(task["xml"] or task["content"]))
        pdf = await self.parts.objects.get(DocumentRef.model_validate(task["pdf"])) if task["pdf"] else None
        return await self.parts.pool.run(prepare, intent, xml, pdf)

    # the person's word

    async def _authorise(self, batch: Document) -> None:
        """Ask the person once for all hashes and wait for the answer; raises Refused when it is no, or does not come."""
        items = await self.store.items(batch["_id"], states=HASHED, bodies=True)
        if not items:
            await self._set(batch, state="signing")
            return
        hashes = [h for i in items for h in Prepared.model_validate(i["prepared"]).hashes]
        if not batch.get("handle"):
            if not self._may_ask(batch, items):
                raise Refused(ASKED_OR_NOT)
            await revocation.asked(batch["certificate"], batch["chain"], self.providers.roots)
            await self._set(batch, deadline=clock.now() + CONFIRM_WITHIN)
            await self.store.move_items(batch["_id"], HASHED, "sent")
        while True:
            if await self.store.cancel_requested(batch["_id"]):
                raise Refused(CANCELLED)
            # looked at before the answer is: what was confirmed while nobody was here to ask counts
            late = clock.now() > batch["deadline"]
            await check_still_approved(self.store, batch)
            answer = await self._asked(batch, hashes, items)
            failpoints.reach("signing.asked")
            if isinstance(answer, Authorized):
                await self._confirmed(batch, answer.sad)
                return
            if isinstance(answer, Rejected):
                raise Refused(REJECTED)
            if isinstance(answer, Expired):
                raise Refused(EXPIRED)
            if late:
                raise Refused(NOT_CONFIRMED if confirming.by_hand(batch) else await token_means.late(self.store, batch))
            if answer is not None and not batch.get("handle"):
                await self._set(batch, handle=answer.handle)
                await self.store.move_items(batch["_id"], HASHED, "waiting")
            await pause(self.store.db, batch, self._check_seconds(batch))

    def _may_ask(self, batch: Document, items: Sequence[Document]) -> bool:
        """Not when a worker died over this very question, and asking again could have the same signed once more."""
        maybe_asked = any(i["state"] == "sent" for i in items)
        return token_means.by_token(batch) or not maybe_asked or self.providers.by_id(batch["provider"]).may_ask_again

    def _check_seconds(self, batch: Document) -> float:
        return token_means.LOOK_SECONDS if token_means.by_token(batch) else self.providers.by_id(batch["provider"]).check_seconds

    async def _confirmed(self, batch: Document, sad: str) -> None:
        """From here on it cannot be stopped; who was told that it is stopped was told the truth."""
        changes = {"state": "signing", "sad": self.providers.seal(sad), "deadline": clock.now() + SIGN_WITHIN}
        if not await self.store.set_batch(batch["_id"], owner_of(batch), changes, unless_cancelled=True):
            if await self.store.cancel_requested(batch["_id"]):
                raise Refused(CANCELLED)
            raise LeaseLost
        batch.update(changes)

    async def _asked(self, batch: Document, hashes: list[bytes], items: Sequence[Document]) -> Outcome | None:
        """The provider's answer to the question, which is asked first if it was not yet; None while it is not to be reached."""
        if token_means.by_token(batch):
            return await token_means.asked(self.store, batch)
        provider = self.providers.by_id(batch["provider"])
        try:
            if batch.get("handle"):
                return await provider.check(self._session(batch), batch["handle"])
            if confirming.by_hand(batch):
                return await confirming.answered(self.store, self.providers, batch)
            return await provider.authorize(
                self._session(batch),
                batch["credential"]["id"],
                hashes,
                described(batch, len(items)),
                transaction=transaction_of(batch),
                labels=labels_of(items),
            )
        except ProviderUnavailable:
            log.warning("the provider is away", extra={"batch": batch["_id"], "provider": batch["provider"]})
            return None
        except ProviderRefused as problem:
            if problem.code is RefusalCode.UNKNOWN_TRANSACTION and not batch.get("handle"):
                raise Refused(ASKED_OR_NOT) from problem
            raise refused_by(batch, problem) from problem
        except ProviderError as problem:
            raise Refused(PROVIDER_AWAY) from problem

    def _session(self, batch: Document) -> ProviderSession:
        return self.providers.session_of(batch)

    # signatures back

    async def _sign(self, batch: Document) -> None:
        items = await self.store.items(batch["_id"], states=[*HASHED, "returned"], bodies=True)
        # how long a provider may be away counts from when somebody is here to ask it
        await self._set(batch, deadline=clock.now() + SIGN_WITHIN)
        await token_means.taken_up(self.store, batch)
        for start in range(0, len(items), CHUNK):
            await self._sign_chunk(batch, items[start : start + CHUNK])

    async def _sign_chunk(self, batch: Document, items: Sequence[Document]) -> None:
        prepared = {i["_id"]: Prepared.model_validate(i["prepared"]) for i in items}
        values = await self._returned(batch, items, prepared)
        unsigned = [i for i in items if i["_id"] in values and not all(values[i["_id"]])]
        await self._fail(batch, unsigned, NOT_SIGNED)
        await self._set(batch, deadline=clock.now() + SIGN_WITHIN)
        items, tasks = await self._without_stale(batch, [i for i in items if i["_id"] in values and i not in unsigned])
        failpoints.reach("signing.before-store")
        async with self.gate.turn(batch["school"]):
            works = (self._embed(batch, tasks[i["transcript"]], prepared[i["_id"]], values[i["_id"]]) for i in items)
            outcomes = await asyncio.gather(*works, return_exceptions=True)
        done: dict[str, tuple[Finished, dict[str, DocumentRef]]] = {}
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, tuple):
                done[item["transcript"]] = outcome
            elif is_transient(outcome):
                raise outcome
            elif isinstance(outcome, WrongSignature):
                log.error(
                    "the provider returned a wrong signature", extra={"transcript": item["transcript"], "provider": batch["provider"]}
                )
                await self._fail(batch, [item], WRONG_VALUE)
            else:
                log.error("a signature could not be embedded", extra={"transcript": item["transcript"]}, exc_info=outcome)
                await self._fail(batch, [item], DAMAGED)
        failpoints.reach("signing.stored")
        await self._record(batch, items, done)

    async def _without_stale(
        self, batch: Document, items: Sequence[Document], session: Session | None = None
    ) -> tuple[list[Document], dict[str, Document]]:
        """Items whose documents still wait for just this signature, on just what it was made on, and their tasks; the others end.

        With a session nothing ends yet: what is decided there may be decided once more.
        """
        tasks = await self.store.load_tasks(session, [i["transcript"] for i in items])
        locked = await self.store.locked_years(session, batch["school"])
        claim_of = claimant(batch["step"], batch["person"])
        why = {i["_id"]: outdated(tasks.get(i["transcript"]), i, batch, claimant=claim_of, locked=locked) for i in items}
        if session is None:
            for refusal in dict.fromkeys(r for r in why.values() if r is not None):
                await self._fail(batch, [i for i in items if why[i["_id"]] is refusal], refusal)
        return [i for i in items if why[i["_id"]] is None], tasks

    async def _returned(self, batch: Document, items: Sequence[Document], prepared: Mapping[str, Prepared]) -> dict[str, list[bytes]]:
        """The values of each item; they are kept before anything is done with them, since a provider gives them only once."""
        if token_means.by_token(batch):
            return await self._from_token(batch, items)
        kept = {i["_id"]: list(i["values"]) for i in items if i["state"] == "returned"}
        asked = [i["_id"] for i in items if i["state"] in HASHED]
        if asked:
            values = await self._values(batch, [h for i in asked for h in prepared[i].hashes], chunk=asked[0])
            failpoints.reach("signing.signed")
            fresh = {i: [values.pop(0) for _ in prepared[i].hashes] for i in asked}
            await self.store.set_items({i: {"state": "returned", "values": v} for i, v in fresh.items()}, among=HASHED)
            kept |= fresh
        failpoints.reach("signing.returned")
        return kept

    async def _from_token(self, batch: Document, items: Sequence[Document]) -> dict[str, list[bytes]]:
        """What the person's program answered; items that it did not sign end here with the reason."""
        values, refused = await token_means.returned(self.store, batch, items, check_still_approved)
        for refusal in set(refused.values()):
            await self._fail(batch, [i for i in items if refused.get(i["_id"]) == refusal], refusal)
        failpoints.reach("signing.returned")
        return values

    async def _values(self, batch: Document, hashes: list[bytes], *, chunk: str) -> list[bytes]:
        """Asked again after a crash or a lost answer it is the same transaction, by the name of the chunk's first item.

        Raises AuthorisationSpent when the provider does not know it again; Refused when the answer stays no.
        """
        provider = self.providers.by_id(batch["provider"])
        kept = batch["credential"]
        credential = Credential(
            id=kept["id"],
            certificate=batch["certificate"],
            chain=tuple(batch["chain"]),
            key_algorithms=tuple(kept["key_algorithms"]),
            scal=kept["scal"],
            multisign=kept["multisign"],
        )
        for pause_seconds in pauses():
            await check_still_approved(self.store, batch)
            try:
                with SIGNER_SECONDS.labels(batch["provider"]).time():
                    sad = self.providers.unseal(batch["sad"])
                    return await provider.sign(self._session(batch), credential, sad, hashes, client_data=chunk)
            except ProviderUnavailable as problem:
                if clock.now() > batch["deadline"]:
                    raise Refused(PROVIDER_AWAY) from problem
                await asyncio.sleep(max(pause_seconds, min(problem.retry_after or 0, LONGEST_PAUSE)))
            except ProviderRefused as problem:
                if problem.code is RefusalCode.HASH_NOT_AUTHORISED:
                    return [b""] * len(hashes)  # none of this chunk was signed, which says nothing of the others
                if problem.code in SPENT and batch.get("asked_again", 0) < ASK_AGAIN:
                    raise AuthorisationSpent from problem
                raise refused_by(batch, problem) from problem
            except ProviderError as problem:
                raise Refused(PROVIDER_AWAY) from problem
        raise AssertionError("the pauses have no end")

    async def _embed(
        self, batch: Document, task: Document, prepared: Prepared, values: list[bytes]
    ) -> tuple[Finished, dict[str, DocumentRef]]:
        """Verify, embed, store. Subject teachers' signatures are put together when the last one is there (`assembling.py`)."""
        parallel = batch["step"] == "subjects"
        xml = None if parallel else await self.parts.objects.get(DocumentRef.model_validate(task["xml"] or task["content"]))
        pdf = await self.parts.objects.get(DocumentRef.model_validate(task["pdf"])) if prepared.pdf else None
        finished = await self.parts.pool.run(
            finish, prepared, values, batch["certificate"], tuple(batch["chain"]), Documents(xml=xml, pdf=pdf)
        )
        prefix = f"transcripts/{task['_id']}"
        files: dict[str, DocumentRef] = {}
        if finished.xml is not None:
            files["xml"] = await self.parts.objects.put(prefix, ".xml", finished.xml, "application/xml")
        if finished.pdf is not None:
            files["pdf"] = await self.parts.objects.put(prefix, ".pdf", finished.pdf, "application/pdf")
        return finished, files

    async def _record(
        self, batch: Document, items: Sequence[Document], done: Mapping[str, tuple[Finished, dict[str, DocumentRef]]]
    ) -> None:
        facts = describe(batch["certificate"])
        step = STEPS[batch["step"]]
        finished_items = [i for i in items if i["transcript"] in done]

        async def work(session: Session) -> list[Document]:
            await self._check_held(batch, session)
            await check_still_approved(self.store, batch, session)
            wanted, tasks = await self._without_stale(batch, finished_items, session)
            by_transcript = {i["transcript"]: i for i in wanted}
            if not by_transcript:
                return []
            changes, elements, outcomes = [], [], {}
            for transcript, item in by_transcript.items():
                finished, files = done[transcript]
                fact = SignatureFact(
                    role=batch["step"],
                    person=batch["person"],
                    name=batch["name"],
                    subjects=tuple(item["subjects"]),
                    signed_at=batch["signing_time"],
                    certificate_serial=facts.serial,
                    certificate_subject=facts.subject,
                    scheme=finished.scheme,
                )
                signature_id = step.signature_id(batch["person"])
                task = tasks[transcript]
                claims = {p: b for p, b in task["claims"].items() if p != claimant(batch["step"], batch["person"])}
                references = {kind: ref.model_dump(mode="json") for kind, ref in files.items()}
                after = signed({**task, "claims": claims}, batch["person"], batch["step"], fact, signature_id, **references)
                changes.append(Change(after, told_of(batch["step"], fact, files, after)))
                if batch["step"] == "subjects":
                    elements.append(
                        {
                            "_id": f"{transcript}:{signature_id}",
                            "transcript": transcript,
                            "signature_id": signature_id,
                            "element": finished.signature,
                        }
                    )
                outcomes[item["_id"]] = {"state": "embedded", "prepared": None, "values": None}
            await self.store.save_tasks(session, changes, actor=batch["person"], cause=batch["_id"])
            await self.store.add_signatures(session, elements)
            await self.store.set_items(outcomes, session, among=OPEN)
            details = {"step": batch["step"], **told_kind(batch), "signed": sorted(by_transcript), "certificate": facts.serial}
            await audit.record(
                self.store.db,
                session,
                actor=batch["person"],
                act="sign",
                subject=batch["_id"],
                place=batch["school"],
                request_id=batch["request_id"],
                details=details,
            )
            failpoints.reach("signing.before-commit")
            return wanted

        recorded = await transaction(self.store.db, work) if finished_items else []
        SIGNATURES.labels(batch["step"], "embedded").inc(len(recorded))
        failpoints.reach("signing.committed")
        known = {i["_id"] for i in recorded}
        await self._without_stale(batch, [i for i in finished_items if i["_id"] not in known])

    # what did not work

    async def _end_open_items(self, batch: Document, refusal: Refusal, **values: object) -> None:
        await self._fail(batch, await self.store.items(batch["_id"], states=OPEN), refusal, **values)

    async def _fail(self, batch: Document, items: Sequence[Document], refusal: Refusal, **values: object) -> None:
        """The items that have no outcome yet end with a reason; their transcripts wait again for the person."""
        refused = Refused(refusal, **values)
        state = ENDINGS.get(refusal.code, "failed")

        async def work(session: Session) -> int:
            await self._check_held(batch, session)
            still_open = await self.store.open_of(items, session)
            tasks = await self.store.load_tasks(session, [i["transcript"] for i in still_open])
            freed = [
                Change({**t, "claims": {p: b for p, b in t["claims"].items() if b != batch["_id"]}})
                for t in tasks.values()
                if batch["_id"] in t["claims"].values()
            ]
            await self.store.save_tasks(session, freed, actor=batch["person"], cause=batch["_id"])
            outcome = {
                "state": state,
                "code": refused.code,
                "reason": worded(kind_of(batch), refused.cause),
                "action": worded(kind_of(batch), refused.action),
                "prepared": None,
                "values": None,
            }
            await self.store.set_items({i["_id"]: outcome for i in still_open}, session, among=OPEN)
            about = {"step": batch["step"], **told_kind(batch)}
            details = {**about, "outcome": state, "code": refused.code, "transcripts": [i["transcript"] for i in still_open]}
            if still_open:
                await audit.record(
                    self.store.db,
                    session,
                    actor=batch["person"],
                    act="not signed",
                    subject=batch["_id"],
                    place=batch["school"],
                    request_id=batch["request_id"],
                    details=details,
                )
            return len(still_open)

        if items:
            SIGNATURES.labels(batch["step"], state).inc(await transaction(self.store.db, work))
