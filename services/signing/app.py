"""The wiring of signing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.process import Parts, Service
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.signing import handlers, pages, routes
from services.signing.assembling import Assembling
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store, ensure_indexes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "signing")
    app.state.store = Store(parts.db)
    app.state.providers = Providers(parts.settings)
    app.include_router(routes.router)
    app.include_router(pages.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    store = Store(parts.db)
    return [
        forever("assembling", Assembling(parts, store).round),
        forever("batches", Runner(parts, store, Providers(parts.settings)).round),
    ]


service = Service(name="signing", web=web, indexes=ensure_indexes, consumers=consumers, work=work)
