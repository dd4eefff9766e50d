"""Work on requests to withdraw: what came back signed is examined; what was approved, the gateway is told until it has answered.

An order is written down before it goes out, and asked about before it goes out again: the gateway knows it by the request's id.
"""

from __future__ import annotations

import datetime as dt
import logging
from base64 import b64encode
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.chassis import audit, clock, failpoints
from services.chassis.leases import claim, owner_token, release
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.publishing.admissions import rules as admissions
from services.publishing.admissions.handlers import fallen
from services.publishing.breaker import pause_of
from services.publishing.delivery import UNNAMED
from services.publishing.gateways.national import GatewayAway, PackageRefused, Withdrawn, withdrawal_order
from services.publishing.withdrawals import rules, store
from services.publishing.withdrawals.errors import FILE_LOST
from services.publishing.withdrawals.sealed import problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.aggregates import Change
    from services.chassis.process import Parts
    from services.publishing.gateways.national import NationalGateway

CHUNK = 20
log = logging.getLogger(__name__)


class Obeying:
    def __init__(self, parts: Parts, gateway: NationalGateway, roots: Sequence[bytes]) -> None:
        self.parts = parts
        self.db = parts.db
        self.gateway = gateway
        self.roots = tuple(roots)
        self.owner = owner_token()
        self.lease_seconds = 1.5 * parts.settings.lease_seconds

    async def examine(self) -> int:
        """Done twice by two workers it has its effect once."""
        due = await store.to_examine(self.db, CHUNK)
        for request in due:
            problem = await self._problem(request)
            if problem is not None:
                log.critical("a signed request is not what was asked for", extra={"withdrawal": request["_id"], "problem": problem})
            await self._examined(request["_id"], request["attempt"], problem)
            failpoints.reach("publishing.withdrawal.examined")
        return len(due)

    async def _problem(self, request: Document) -> str | None:
        try:
            signed, content = await self.parts.objects.get_all([DocumentRef.model_validate(request[k]) for k in ("signed", "content")])
        except (DamagedObject, MissingObject):
            return "tệp bị mất hoặc đã thay đổi"
        return await self.parts.pool.run(problem_of, signed, content, self.roots, clock.now())

    async def _examined(self, request_id: str, attempt: str, problem: str | None) -> None:
        async def work(session: Session) -> None:
            request = (await store.load(self.db, session, [request_id]))[request_id]
            change = rules.examined(request, problem, clock.now()) if request["attempt"] == attempt else None
            if change is None:
                return
            await store.save(self.db, session, [change], actor=request["by"], cause=attempt)
            if problem is not None:
                await self._record(session, change.document, "withdrawal stopped", {"code": change.document["note"]["code"]})
            failpoints.reach("publishing.withdrawal.before-claim")

        await transaction(self.db, work)

    async def tell(self) -> int:
        """Tell the gateway of one approved request, or ask what became of it when it may know it already."""
        order = await claim(
            self.db["withdrawal_orders"],
            {"state": "ready", "next_at": {"$lte": clock.now()}},
            self.owner,
            self.lease_seconds,
            sort="next_at",
        )
        if order is None:
            return 0
        attempts = order["attempts"] + 1
        # written down first: whoever finds it after a crash asks before telling again
        await store.set_order(self.db, order["_id"], attempts=attempts, next_at=order["next_at"])
        failpoints.reach("publishing.withdrawal.before-telling")
        try:
            answer = await self._answer(order)
        except GatewayAway as problem:
            log.warning("the gateway is away", extra={"withdrawal": order["_id"], "attempt": attempts, "problem": str(problem)})
            pause = dt.timedelta(seconds=pause_of(attempts, at_least=problem.retry_after))
            await store.set_order(self.db, order["_id"], attempts=attempts, next_at=clock.now() + pause)
        except (DamagedObject, MissingObject):
            log.critical("a signed request is damaged", extra={"withdrawal": order["_id"]}, exc_info=True)
            await self._answered(order["_id"], _refused(order["_id"], FILE_LOST.code, FILE_LOST.cause), by="publishing")
        else:
            failpoints.reach("publishing.withdrawal.told")
            await self._answered(order["_id"], answer)
            failpoints.reach("publishing.withdrawal.answered")
        await release(self.db["withdrawal_orders"], order["_id"], self.owner)
        return 1

    async def _answer(self, order: Document) -> Withdrawn:
        """Raises GatewayAway, DamagedObject, MissingObject. What the gateway refuses as a whole is refused for good."""
        try:
            known = await self.gateway.withdrawal(order["_id"]) if order["attempts"] else None
            return known or await self.gateway.withdraw(order["_id"], await self._body(order["_id"]))
        except PackageRefused as refusal:
            return _refused(order["_id"], refusal.code, refusal.reason)

    async def _body(self, request_id: str) -> bytes:
        request = (await store.load(self.db, None, [request_id]))[request_id]
        signed = await self.parts.objects.get(DocumentRef.model_validate(request["signed"]))
        return withdrawal_order(request, b64encode(signed).decode())

    async def _answered(self, request_id: str, answer: Withdrawn, *, by: str = "national-gateway") -> None:
        async def work(session: Session) -> None:
            request = (await store.load(self.db, session, [request_id]))[request_id]
            change = _outcome(request, answer, by)
            await store.finish_order(self.db, session, request_id)
            if change is None:
                return
            after = change.document
            await store.save(self.db, session, [change], actor=by, cause=request_id)
            if after["state"] == rules.WITHDRAWN:
                await self._submission(session, after)
            obeyed = after["state"] == rules.WITHDRAWN
            told = {"transcripts": [after["transcript"]], **({} if obeyed else {"code": after["note"]["code"]})}
            await self._record(session, after, "withdrawal obeyed" if obeyed else "withdrawal not obeyed", told, actor=by)
            failpoints.reach("publishing.withdrawal.before-end")

        await transaction(self.db, work)

    async def _submission(self, session: Session, request: Document) -> None:
        """The gateway holds it no more, and the list of what was sent says so."""
        held = {"_id": request["transcript"], "state": "ACCEPTED"}
        await self.db["submissions"].update_one(held, {"$set": {"state": "WITHDRAWN"}, "$inc": {"sequence": 1}}, session=session)
        await fallen(self.db, session, [request["transcript"]], admissions.WITHDRAWN, cause=request["_id"])

    async def _record(
        self, session: Session, request: Document, act: str, details: dict[str, object], *, actor: str = "publishing"
    ) -> None:
        await audit.record(self.db, session, actor=actor, act=act, subject=request["_id"], place=request["school"], details=details)


def _refused(request_id: str, code: str, reason: str) -> Withdrawn:
    return Withdrawn(withdrawal_id=request_id, state="REFUSED", code=code, reason=reason, at=clock.now())


def _outcome(request: Document, answer: Withdrawn, by: str) -> Change | None:
    at = answer.at or clock.now()
    if answer.state == "WITHDRAWN":
        return rules.obeyed(request, at)
    return rules.disobeyed(request, answer.code or UNNAMED[0], answer.reason or UNNAMED[1], at, by=by)
