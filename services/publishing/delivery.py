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
from services.chassis.leases import claim, owner_token, release
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.gateways.national import Enclosed, GatewayAway, NationalGateway, PackageInfo, PackageRefused, Result, build_package
from services.publishing.metrics import SUBMISSIONS
from services.publishing.submissions import answered, stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.process import Parts
    from services.publishing.store import Store

PACKAGE_SIZE = 50
"""Transcripts."""
ASK_AFTER = dt.timedelta(seconds=20)
LONGEST_PAUSE = 60.0
ANSWERS = ("ACCEPTED", "REJECTED")
CALLBACK_PATH = "/api/publishing/gateway-callbacks"
log = logging.getLogger(__name__)


class Delivery:
    def __init__(self, parts: Parts, store: Store, gateway: NationalGateway) -> None:
        self.parts = parts
        self.store = store
        self.gateway = gateway
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
        body = await self.parts.objects.get(DocumentRef.model_validate(package["object"]))
        attempts = package["attempts"] + 1
        # written down first: whoever finds it after a crash asks the gateway before sending again
        await self.store.set_package(package["_id"], "ready", package["next_at"], attempts=attempts)
        failpoints.reach("publishing.before-send")
        try:
            if not package["attempts"] or await self.gateway.results(package["_id"]) is None:
                await self.gateway.send(package["_id"], body)
        except GatewayAway as problem:
            pause = dt.timedelta(seconds=min(2.0**attempts, LONGEST_PAUSE))
            log.warning("the gateway is away", extra={"package": package["_id"], "attempt": attempts, "problem": str(problem)})
            await self.store.set_package(package["_id"], "ready", clock.now() + pause, attempts=attempts)
        except PackageRefused as refusal:
            log.warning("the gateway refused a package", extra={"package": package["_id"], "code": refusal.code})
            refused = [Result(uuid=t, status="REJECTED", code=refusal.code, reason=refusal.reason) for t in package["transcripts"]]
            await apply(self.store, package["_id"], refused)
        else:
            failpoints.reach("publishing.sent")
            await self._sent(package, attempts)
            failpoints.reach("publishing.sent.committed")
        await release(self.store.db["packages"], package["_id"], self.owner)
        return 1

    async def ask(self) -> int:
        """Ask about one package whose answer is overdue."""
        package = await self._due("sent")
        if package is None:
            return 0
        try:
            results = await self.gateway.results(package["_id"])
        except (GatewayAway, PackageRefused) as problem:
            log.warning("the gateway did not tell", extra={"package": package["_id"], "problem": str(problem)})
            results = []
        if results is None:
            await self.store.set_package(package["_id"], "ready", clock.now(), attempts=package["attempts"])
        else:
            await self.store.set_package(package["_id"], "sent", clock.now() + ASK_AFTER, attempts=package["attempts"])
            await apply(self.store, package["_id"], results)
        await release(self.store.db["packages"], package["_id"], self.owner)
        return 1

    async def _due(self, state: str) -> Document | None:
        return await claim(
            self.store.db["packages"], {"state": state, "next_at": {"$lte": clock.now()}}, self.owner, self.lease_seconds, sort="next_at"
        )

    async def _sent(self, package: Document, attempts: int) -> None:
        async def work(session: Session) -> None:
            loaded = await self.store.load(session, package["transcripts"])
            sent = [
                Change({**d, "state": "SENT", "sent_at": clock.now()})
                for d in loaded.values()
                if d["state"] == "PACKED" and d["package"] == package["_id"]
            ]
            await self.store.save(session, sent, actor="publishing", cause=package["_id"])
            await self.store.set_package(package["_id"], "sent", clock.now() + ASK_AFTER, attempts=attempts, session=session)
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


async def apply(store: Store, package_id: str, results: Sequence[Result]) -> None:
    """Take the gateway's word over, from a callback or an answer; what is known already changes nothing."""
    decided = {r.uuid: r for r in results if r.status != "PENDING"}
    package = await store.package(package_id)
    if package is None or not decided:
        return

    async def work(session: Session) -> Counter[str]:
        loaded = await store.load(session, [t for t in package["transcripts"] if t in decided])
        changes = []
        for transcript, submission in loaded.items():
            said = decided[transcript]
            change = answered(
                submission,
                package_id,
                accepted=said.status == "ACCEPTED",
                code=said.code or "",
                reason=said.reason or "",
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
