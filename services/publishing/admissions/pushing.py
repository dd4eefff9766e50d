"""The work on admissions: pushes go out until the portal has them, receipts are asked for and examined, revocations are told.

An attempt is written down before anything goes out, and the portal is asked before the same push goes out again: it knows it by its id.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.leases import claim, owner_token, release
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.admissions import rules, store
from services.publishing.admissions.receipts import Expected, Receipt, examined
from services.publishing.breaker import Breaker, pause_of
from services.publishing.gateways.admissions import revocation_order
from services.publishing.gateways.national import Enclosed, PackageInfo, build_package
from services.publishing.gateways.service_http import GatewayAway, PackageRefused
from services.publishing.metrics import ADMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.chassis.aggregates import Change
    from services.chassis.process import Parts
    from services.publishing.gateways.admissions import AdmissionsPortal, Standing

FIRST_QUESTION, LONGEST_WAIT = dt.timedelta(seconds=2), dt.timedelta(seconds=30)
REFUSED_REVOCATION = dt.timedelta(minutes=10)
"""Before it is told again: the portal's people have something to put right."""
UNNAMED = ("TS-000", "Cổng Tuyển sinh không nêu lý do")
log = logging.getLogger(__name__)


def ask_after(questions: int) -> dt.timedelta:
    """The pause before the next question, when so many have been asked in vain."""
    longer: int = 2 ** min(questions, 10)
    return min(LONGEST_WAIT, FIRST_QUESTION * longer)


class Pushing:
    def __init__(self, parts: Parts, portal: AdmissionsPortal, roots: Sequence[bytes]) -> None:
        self.parts = parts
        self.db = parts.db
        self.portal = portal
        self.roots = tuple(roots)
        self.breaker = Breaker()
        self.owner = owner_token()
        self.lease_seconds = 1.5 * parts.settings.lease_seconds

    async def push(self) -> int:
        """Send one push that is due; one that may have arrived already is asked about first."""
        job = await self._due("ready")
        if job is None:
            return 0
        try:
            await self._push(job)
        finally:
            self.breaker.left()
        await release(self.db["admission_jobs"], job["_id"], self.owner)
        return 1

    async def ask(self) -> int:
        """Ask what became of one push that the portal has."""
        job = await self._due("sent")
        if job is None:
            return 0
        try:
            await self._ask(job)
        finally:
            self.breaker.left()
        await release(self.db["admission_jobs"], job["_id"], self.owner)
        return 1

    async def revoke(self) -> int:
        """Tell the portal that the transcript of one push is in force no more."""
        job = await self._due("revoking")
        if job is None:
            return 0
        try:
            await self._revoke(job)
        finally:
            self.breaker.left()
        await release(self.db["admission_jobs"], job["_id"], self.owner)
        return 1

    async def _due(self, state: str) -> Document | None:
        """A job that the breaker lets through; whoever gets one tells the breaker how it went."""
        if self.breaker.holds:
            return None
        wanted = {"state": state, "next_at": {"$lte": clock.now()}}
        job = await claim(self.db["admission_jobs"], wanted, self.owner, self.lease_seconds, sort="next_at")
        if job is not None and not self.breaker.enter():
            await release(self.db["admission_jobs"], job["_id"], self.owner)
            return None
        return job

    # --- sending

    async def _push(self, job: Document) -> None:
        body = await self._package(job)
        if body is None:
            await self._change(job, lambda a: rules.stopped(a, job["_id"], clock.now()), act="admission stopped", actor="publishing")
            return
        job = {**job, "digest": hashlib.sha256(body).hexdigest()}
        attempts = job["attempts"] + 1
        # written down first: whoever finds it after a crash asks the portal before sending again
        if not await store.set_job(self.db, job["_id"], "ready", attempts=attempts, digest=job["digest"]):
            return
        try:
            known = await self.portal.standing(job["_id"]) if job["attempts"] else None
            said = known or await self.portal.push(job["_id"], body)
        except GatewayAway as problem:
            self._away(job, problem)
            pause = dt.timedelta(seconds=pause_of(attempts, at_least=problem.retry_after))
            await store.set_job(self.db, job["_id"], "ready", next_at=clock.now() + pause)
        except PackageRefused as refusal:
            await self._there()
            await self._refused(job, refusal.code, refusal.reason)
        else:
            await self._there()
            await self._heard(job, said)

    async def _package(self, job: Document) -> bytes | None:
        """The same bytes whenever it is made; None when the stored files are damaged."""
        submission = await self._submission(job)
        try:
            pdf, xml = await self.parts.objects.get_all([DocumentRef.model_validate(submission[k]) for k in ("pdf", "xml")])
        except (DamagedObject, MissingObject):
            log.critical("a stored document is damaged", extra={"transcript": submission["_id"]}, exc_info=True)
            return None
        info = PackageInfo(
            id=job["_id"],
            school=submission["school"],
            year=submission["year"],
            class_code=submission["class_code"],
            made_at=job["made_at"],
            callback=self.parts.settings.public_url,
        )
        enclosed = [Enclosed(submission["_id"], submission["version"], submission["pupil_code"], pdf, xml)]
        return await asyncio.to_thread(build_package, info, enclosed)

    async def _submission(self, job: Document) -> Document:
        found: Document = await self.db["submissions"].find_one({"_id": job["transcript"]}) or {}
        return found

    # --- what the portal says

    async def _ask(self, job: Document) -> None:
        try:
            said = await self.portal.standing(job["_id"])
        except GatewayAway as problem:
            self._away(job, problem)
            await self._later(job)
        except PackageRefused as refusal:
            await self._there()
            log.warning("the portal did not tell", extra={"push": job["_id"], "code": refusal.code})
            await self._later(job)
        else:
            await self._there()
            if said is None:
                # it forgot the push: it gets the same again
                await store.set_job(self.db, job["_id"], "sent", state="ready", next_at=clock.now())
            else:
                await self._heard(job, said)

    async def _heard(self, job: Document, said: Standing) -> None:
        push, at = job["_id"], clock.now()
        if said.state == "REFUSED":
            await self._refused(job, said.code or UNNAMED[0], said.reason or UNNAMED[1])
            return
        if said.state == "RECEIPTED":
            receipt = await self._examined(job, said.receipt or "")
            if isinstance(receipt, Receipt):
                jws = said.receipt or ""
                await self._change(job, lambda a: rules.receipted(a, push, receipt, jws, at), act="admission receipted")
                return
            log.critical("a receipt does not stand", extra={"push": push, "problem": receipt})
            doubt = receipt
            await self._change(job, lambda a: rules.doubted(a, push, doubt), act="receipt doubted", done=False)
        else:
            await self._change(job, lambda a: rules.passed_on(a, push, at), done=False)
        await self._later(job)

    async def _examined(self, job: Document, jws: str) -> Receipt | str:
        submission = await self._submission(job)
        expected = Expected(
            push=job["_id"],
            transcript=job["transcript"],
            version=submission["version"],
            school=submission["school"],
            sha256=job["digest"] or "",
            pdf_sha256=submission["pdf"]["sha256"],
            xml_sha256=submission["xml"]["sha256"],
        )
        return await self.parts.pool.run(examined, jws, expected, self.roots, clock.now())

    async def _refused(self, job: Document, code: str, reason: str) -> None:
        await self._change(job, lambda a: rules.refused(a, job["_id"], code, reason, clock.now()), act="admission refused")

    async def _later(self, job: Document) -> None:
        """Asked again after a while, whether it was sent just now or is being waited for."""
        asked = job["asked"] + 1 if job["state"] == "sent" else 0
        await store.set_job(self.db, job["_id"], job["state"], state="sent", asked=asked, next_at=clock.now() + ask_after(asked))

    # --- taking back

    async def _revoke(self, job: Document) -> None:
        attempts = job["attempts"] + 1
        await store.set_job(self.db, job["_id"], "revoking", attempts=attempts)
        admission = (await store.load(self.db, None, [job["transcript"]]))[job["transcript"]]
        try:
            await self.portal.revoke(job["_id"], revocation_order(admission))
        except GatewayAway as problem:
            self._away(job, problem)
            pause = dt.timedelta(seconds=pause_of(attempts, at_least=problem.retry_after))
            await store.set_job(self.db, job["_id"], "revoking", next_at=clock.now() + pause)
        except PackageRefused as refusal:
            await self._there()
            log.critical("the portal does not strike out what is in force no more", extra={"push": job["_id"], "code": refusal.code})
            await store.set_job(self.db, job["_id"], "revoking", next_at=clock.now() + REFUSED_REVOCATION)
        else:
            await self._there()
            await self._change(job, lambda a: rules.revoked(a, job["_id"], clock.now()), act="admission revoked")

    # --- common

    async def _change(
        self,
        job: Document,
        decide: Callable[[Document], Change | None],
        *,
        act: str | None = None,
        actor: str = "admissions-portal",
        done: bool = True,
    ) -> None:
        """Carry out what `decide` makes of the admission as it stands now; with `done` nothing more is to be done about the push.

        A push that is to be revoked meanwhile stays so.
        """

        async def work(session: Session) -> str | None:
            admission = (await store.load(self.db, session, [job["transcript"]]))[job["transcript"]]
            change = decide(admission)
            if done:
                await store.set_job(self.db, job["_id"], job["state"], session, state="done", next_at=clock.now())
            if change is None:
                return None
            await store.save(self.db, session, [change], actor=actor, cause=job["_id"])
            after = change.document
            if act is not None:
                details = {k: v for k, v in {"code": (after["refusal"] or {}).get("code"), "number": _number(after)}.items() if v}
                await audit.record(
                    self.db, session, actor=actor, act=act, subject=after["_id"], place=after["school"], details=details or None
                )
            return str(after["state"])

        state = await transaction(self.db, work)
        if done and state is not None:
            ADMISSIONS.labels(state.lower()).inc()

    def _away(self, job: Document, problem: GatewayAway) -> None:
        log.warning("the admissions portal is away", extra={"push": job["_id"], "problem": str(problem)})
        self.breaker.failed(problem.retry_after)

    async def _there(self) -> None:
        """After it was away: what waits goes now, not when its own pause is over."""
        if self.breaker.worked():
            log.info("the admissions portal is there again")
            await store.wake(self.db)


def _number(admission: Document) -> str | None:
    return admission["receipt"]["number"] if admission["state"] == rules.RECEIPTED else None
