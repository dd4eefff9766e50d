"""Delivery: packages are written down before they go out, sent under their own id until taken, and asked about when no answer comes.

States of a package: ready → sent → done; a refused one is done, with its transcripts refused.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import audit, clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.leases import claim, owner_token, release
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.breaker import Breaker, pause_of
from services.publishing.errors import CALLBACK_REUSED
from services.publishing.gateways.national import (
    Callback,
    Enclosed,
    GatewayAway,
    NationalGateway,
    PackageInfo,
    PackageRefused,
    Result,
    build_package,
)
from services.publishing.metrics import BREAKER_OPEN, CALLBACKS, SUBMISSIONS
from services.publishing.submissions import answered, stopped, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.process import Parts
    from services.publishing.store import Store

PACKAGE_SIZE = 50
"""Transcripts."""
FIRST_QUESTION, LONGEST_WAIT = dt.timedelta(seconds=5), dt.timedelta(seconds=30)
"""After sending, and at most between two questions, however long the gateway takes."""
ANSWERS = ("ACCEPTED", "REJECTED")
UNNAMED = ("NG-000", "Cổng tiếp nhận không nêu lý do")
"""A refusal without code or reason."""
CALLBACK_PATH = "/api/publishing/gateway-callbacks"
log = logging.getLogger(__name__)


def ask_after(questions: int) -> dt.timedelta:
    """The pause before the next question, when so many have been asked in vain."""
    longer: int = 2 ** min(questions, 10)
    return min(LONGEST_WAIT, FIRST_QUESTION * longer)


class Delivery:
    def __init__(self, parts: Parts, store: Store, gateway: NationalGateway) -> None:
        self.parts = parts
        self.store = store
        self.gateway = gateway
        self.breaker = Breaker()
        self.owner = owner_token()
        self.lease_seconds = 1.5 * parts.settings.lease_seconds  # an answer of the gateway may take its time

    async def pack(self) -> int:
        """Put cleared documents of one kind and class into a package; one whose files are damaged is stopped alone."""
        due = await self.store.next_cleared_class(PACKAGE_SIZE)
        if not due:
            return 0
        files = await asyncio.gather(*(self._files(d) for d in due))
        damaged = [d["_id"] for d, enclosed in zip(due, files, strict=True) if enclosed is None]
        if damaged:
            await self._stop(damaged)
        enclosed = [e for e in files if e is not None]
        if enclosed:
            await self._pack(due[0], enclosed)
        return len(due)

    async def _files(self, submission: Document) -> Enclosed | None:
        try:
            pdf, xml = await self.parts.objects.get_all([DocumentRef.model_validate(submission[k]) for k in ("pdf", "xml")])
        except (DamagedObject, MissingObject):
            log.critical("a stored document is damaged", extra={"transcript": submission["_id"]}, exc_info=True)
            return None
        return Enclosed(submission["_id"], submission["version"], submission["pupil_code"], pdf, xml)

    async def _stop(self, transcripts: Sequence[str]) -> None:
        async def work(session: Session) -> None:
            loaded = await self.store.load(session, transcripts)
            changes = [stopped(d, clock.now()) for d in loaded.values() if d["state"] == "CLEARED"]
            await self.store.save(session, changes, actor="publishing", cause="damaged document")
            for after in (change.document for change in changes):
                details = {"before": "CLEARED", "after": after["state"], "code": after["refusal"]["code"]}
                await audit.record(
                    self.store.db,
                    session,
                    actor="publishing",
                    act="submission stopped",
                    subject=after["_id"],
                    place=after["school"],
                    details=details,
                )

        await transaction(self.store.db, work)

    async def _pack(self, any_of_them: Document, enclosed: Sequence[Enclosed]) -> None:
        info = PackageInfo(
            id=str(uuid4()),
            school=any_of_them["school"],
            year=any_of_them["year"],
            class_code=any_of_them["class_code"],
            kind=any_of_them.get("kind", "transcript"),
            made_at=clock.now(),
            callback=self.parts.settings.public_url + CALLBACK_PATH,
        )
        transcripts = [e.transcript for e in enclosed]
        body = await self.parts.pool.run(build_package, info, enclosed)
        kept = await self.parts.objects.put(f"packages/{info.id}", ".zip", body, "application/zip")

        failpoints.reach("publishing.pack.stored")

        async def work(session: Session) -> None:
            loaded = await self.store.load(session, transcripts)
            packed = [Change({**d, "state": "PACKED", "package": info.id}) for d in loaded.values() if d["state"] == "CLEARED"]
            if len(packed) != len(transcripts):
                return
            await self.store.save(session, packed, actor="publishing", cause=info.id)
            await self.store.add_package(
                session,
                {
                    "_id": info.id,
                    "school": info.school,
                    "kind": info.kind,
                    "class_code": info.class_code,
                    "transcripts": transcripts,
                    "object": kept.model_dump(mode="json"),
                    "state": "ready",
                    "attempts": 0,
                    "made_at": info.made_at,
                    "next_at": info.made_at,
                },
            )
            failpoints.reach("publishing.pack.before-commit")

        await transaction(self.store.db, work)
        failpoints.reach("publishing.pack.committed")

    async def send(self) -> int:
        """Send one package that is due; one that may have arrived already is asked about first."""
        package = await self._due("ready")
        if package is None:
            return 0
        try:
            await self._send(package)
        finally:
            self.breaker.left()
        await release(self.store.db["packages"], package["_id"], self.owner)
        return 1

    async def _send(self, package: Document) -> None:
        attempts = package["attempts"] + 1
        # written down first: whoever finds it after a crash asks the gateway before sending again
        await self.store.set_package(package["_id"], "ready", package["next_at"], attempts=attempts)
        failpoints.reach("publishing.before-send")
        try:
            if not package["attempts"] or await self.gateway.results(package["_id"]) is None:
                await self.gateway.send(package["_id"], await self.parts.objects.get(DocumentRef.model_validate(package["object"])))
        except (DamagedObject, MissingObject):
            log.critical("a stored package is damaged", extra={"package": package["_id"]}, exc_info=True)
            await self._unpack(package)
        except GatewayAway as problem:
            self._away(package, problem)
            pause = dt.timedelta(seconds=pause_of(attempts, at_least=problem.retry_after))
            await self.store.set_package(package["_id"], "ready", clock.now() + pause, attempts=attempts)
        except PackageRefused as refusal:
            await self._there()
            log.warning("the gateway refused a package", extra={"package": package["_id"], "code": refusal.code})
            refused = [Result(uuid=t, status="REJECTED", code=refusal.code, reason=refusal.reason) for t in package["transcripts"]]
            await apply(self.store, package["_id"], refused)
        else:
            await self._there()
            failpoints.reach("publishing.sent")
            await self._sent(package, attempts)
            failpoints.reach("publishing.sent.committed")

    async def _unpack(self, package: Document) -> None:
        """One that never arrived and cannot be sent any more: its transcripts go out in another."""

        async def work(session: Session) -> None:
            loaded = await self.store.load(session, package["transcripts"])
            changes = [change for d in loaded.values() if (change := unpacked(d, package["_id"])) is not None]
            await self.store.save(session, changes, actor="publishing", cause="damaged package")
            await self.store.finish_package(session, package["_id"], package["transcripts"])

        await transaction(self.store.db, work)

    async def ask(self) -> int:
        """Ask about one package whose answer is overdue."""
        package = await self._due("sent")
        if package is None:
            return 0
        try:
            await self._ask(package)
        finally:
            self.breaker.left()
        await release(self.store.db["packages"], package["_id"], self.owner)
        return 1

    async def _ask(self, package: Document) -> None:
        try:
            results = await self.gateway.results(package["_id"])
        except GatewayAway as problem:
            self._away(package, problem)
            results = []
        except PackageRefused as refusal:
            await self._there()
            log.warning("the gateway did not tell", extra={"package": package["_id"], "code": refusal.code})
            results = []
        else:
            await self._there()
        if results is None:
            await self.store.set_package(package["_id"], "ready", clock.now(), attempts=package["attempts"])
        else:
            asked = package.get("asked", 0) + 1
            await self.store.set_package(package["_id"], "sent", clock.now() + ask_after(asked), attempts=package["attempts"], asked=asked)
            await apply(self.store, package["_id"], results)

    def _away(self, package: Document, problem: GatewayAway) -> None:
        log.warning("the gateway is away", extra={"package": package["_id"], "problem": str(problem)})
        self.breaker.failed(problem.retry_after)
        BREAKER_OPEN.set(self.breaker.is_open)

    async def _there(self) -> None:
        """After it was away: what waits goes now, not when its own pause is over."""
        if self.breaker.worked():
            log.info("the gateway is there again")
            await self.store.wake_packages()
        BREAKER_OPEN.set(0)

    async def _due(self, state: str) -> Document | None:
        """A package that the breaker lets through; whoever gets one tells the breaker how it went."""
        if self.breaker.holds:
            return None
        wanted = {"state": state, "next_at": {"$lte": clock.now()}}
        package = await claim(self.store.db["packages"], wanted, self.owner, self.lease_seconds, sort="next_at")
        if package is not None and not self.breaker.enter():
            await release(self.store.db["packages"], package["_id"], self.owner)
            return None
        return package

    async def _sent(self, package: Document, attempts: int) -> None:
        async def work(session: Session) -> None:
            loaded = await self.store.load(session, package["transcripts"])
            sent = [
                Change({**d, "state": "SENT", "sent_at": clock.now()})
                for d in loaded.values()
                if d["state"] == "PACKED" and d["package"] == package["_id"]
            ]
            await self.store.save(session, sent, actor="publishing", cause=package["_id"])
            await self.store.set_package(package["_id"], "sent", clock.now() + ask_after(0), attempts=attempts, asked=0, session=session)
            if sent:
                about = {} if package.get("kind", "transcript") == "transcript" else {"kind": package["kind"]}
                details = {
                    **about,
                    "class": package["class_code"],
                    "transcripts": [change.document["_id"] for change in sent],
                    "attempts": attempts,
                }
                await audit.record(
                    self.store.db,
                    session,
                    actor="publishing",
                    act="package sent",
                    subject=package["_id"],
                    place=package["school"],
                    details=details,
                )

        await transaction(self.store.db, work)


async def called_back(store: Store, said: Callback, digest: str) -> None:
    """Take a callback over. One that came before changes nothing; raises Refused for another one under the same event id."""
    if await store.package(said.package_id) is None:
        # sent by another installation, or by this one before its data were lost: no use in being told again
        log.warning("a callback for an unknown package", extra={"package": said.package_id, "event": said.event_id})
        CALLBACKS.labels("unknown package").inc()
        return
    known = await store.callback(said.event_id)
    if known is not None and known["digest"] != digest:
        raise Refused(CALLBACK_REUSED)
    CALLBACKS.labels("taken" if known is None else "repeated").inc()
    if known is None:
        await apply(store, said.package_id, said.results, event={"_id": said.event_id, "digest": digest})


async def apply(store: Store, package_id: str, results: Sequence[Result], *, event: Document | None = None) -> None:
    """Take the gateway's word over, from a callback or an answer; what is known already changes nothing.

    `event` is remembered with the change. What is said of transcripts that are not in the package is not heard.
    """
    decided = {r.uuid: r for r in results if r.status != "PENDING"}
    package = await store.package(package_id)
    if package is None or not decided:
        return

    async def work(session: Session) -> Counter[str]:
        if event is not None:
            await store.remember_callback(session, {**event, "package": package_id, "at": clock.now()})
        loaded = await store.load(session, [t for t in package["transcripts"] if t in decided])
        changes = []
        for transcript, submission in loaded.items():
            said = decided[transcript]
            change = answered(
                submission,
                package_id,
                accepted=said.status == "ACCEPTED",
                code=said.code or UNNAMED[0],
                reason=said.reason or UNNAMED[1],
                at=said.at or clock.now(),
            )
            if change is not None:
                changes.append(change)
        await store.save(session, changes, actor="national-gateway", cause=package_id)
        await store.finish_package(session, package_id, package["transcripts"])
        if changes:
            after = {c.document["_id"]: c.document["state"] for c in changes}
            details = {"class": package["class_code"], **{s.lower(): [t for t, now in after.items() if now == s] for s in ANSWERS}}
            await audit.record(
                store.db,
                session,
                actor="national-gateway",
                act="package answered",
                subject=package_id,
                place=package["school"],
                details=details,
            )
        return Counter(c.document["state"] for c in changes)

    for result, count in (await transaction(store.db, work)).items():
        SUBMISSIONS.labels(result.lower()).inc(count)
