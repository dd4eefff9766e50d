"""The wiring of publishing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from contracts.events.publishing import PublishingActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.settings import needed
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.means.judging.recognise import read_roots
from services.publishing import handlers, lookup_routes, pages, routes
from services.publishing.admissions import pages as admission_pages
from services.publishing.admissions import routes as admission_routes
from services.publishing.admissions.pushing import Pushing
from services.publishing.delivery import Delivery
from services.publishing.gateways.admissions import AdmissionsPortal
from services.publishing.gateways.national import NationalGateway
from services.publishing.reading import consumers as reading_consumers
from services.publishing.reading import routes as reading_routes
from services.publishing.sharing import open_pages as shared_pages
from services.publishing.sharing import pages as sharing_pages
from services.publishing.sharing import routes as sharing_routes
from services.publishing.store import Store, ensure_indexes
from services.publishing.verification import pages as verification_pages
from services.publishing.verification import routes as verification_routes
from services.publishing.verification.bounded import Bounded
from services.publishing.verification.verifying import Verifier
from services.publishing.withdrawals import pages as withdrawal_pages
from services.publishing.withdrawals import routes as withdrawal_routes
from services.publishing.withdrawals.obeying import Obeying

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


SENDERS = 4
"""Packages on the way at a time, so that one that hangs does not hold up the rest."""
ASKERS = 2
PUSHERS = 2


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "publishing")
    app.state.settings = parts.settings
    app.state.store = Store(parts.db)
    app.state.objects = parts.objects
    app.state.verifier = Verifier(parts.db, read_roots(needed(parts.settings.trust_dir, "trust_dir")), Bounded())
    app.state.consumers = reading_consumers.read(parts.settings.consumers_file)
    # made when it is first asked: a web process that nobody looks up from needs no gateway
    app.state.gateway = cache(lambda: NationalGateway(parts.settings))
    app.include_router(routes.router)
    app.include_router(lookup_routes.router)
    app.include_router(withdrawal_routes.router)
    app.include_router(admission_routes.router)
    app.include_router(pages.router)
    app.include_router(withdrawal_pages.router)
    app.include_router(reading_routes.router)
    app.include_router(sharing_routes.router)
    app.include_router(sharing_pages.router)
    app.include_router(shared_pages.router)
    app.include_router(admission_pages.router)
    app.include_router(verification_routes.router)
    app.include_router(verification_pages.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    gateway = NationalGateway(parts.settings)
    delivery = Delivery(parts, Store(parts.db), gateway)
    senders = [forever("send", delivery.send) for _ in range(SENDERS)]
    askers = [forever("ask", delivery.ask, idle=1.0) for _ in range(ASKERS)]
    roots = read_roots(needed(parts.settings.trust_dir, "trust_dir"))
    obeying = Obeying(parts, gateway, roots)
    withdrawing = [forever("withdrawal requests", obeying.examine), forever("withdrawals", obeying.tell)]
    pushing = Pushing(parts, AdmissionsPortal(parts.settings), roots)
    pushers = [forever("admissions", pushing.push) for _ in range(PUSHERS)]
    admissions = [*pushers, forever("receipts", pushing.ask, idle=1.0), forever("revocations", pushing.revoke, idle=1.0)]
    return [forever("pack", delivery.pack), *senders, *askers, *withdrawing, *admissions]


service = Service(
    name="publishing", web=web, indexes=ensure_indexes, consumers=consumers, work=work, sealed=told_as(PublishingActsSealedV1)
)
