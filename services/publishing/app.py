"""The wiring of publishing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from contracts.events.publishing import PublishingActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.publishing import handlers, lookup_routes, pages, routes
from services.publishing.delivery import Delivery
from services.publishing.gateways.national import NationalGateway
from services.publishing.store import Store, ensure_indexes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


SENDERS = 4
"""Packages on the way at a time, so that one that hangs does not hold up the rest."""
ASKERS = 2


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "publishing")
    app.state.settings = parts.settings
    app.state.store = Store(parts.db)
    # made when it is first asked: a web process that nobody looks up from needs no gateway
    app.state.gateway = cache(lambda: NationalGateway(parts.settings))
    app.include_router(routes.router)
    app.include_router(lookup_routes.router)
    app.include_router(pages.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    delivery = Delivery(parts, Store(parts.db), NationalGateway(parts.settings))
    senders = [forever("send", delivery.send) for _ in range(SENDERS)]
    askers = [forever("ask", delivery.ask, idle=1.0) for _ in range(ASKERS)]
    return [forever("pack", delivery.pack), *senders, *askers]


service = Service(
    name="publishing", web=web, indexes=ensure_indexes, consumers=consumers, work=work, sealed=told_as(PublishingActsSealedV1)
)
