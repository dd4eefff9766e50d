"""The wiring of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import RecordsActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.records import handlers
from services.records.imports import pages as import_pages
from services.records.imports import routes as import_routes
from services.records.store import Store, ensure_indexes
from services.records.transcripts import confirmation_pages, pages, routes
from services.records.transcripts.creation import Creation
from services.records.transcripts.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "records")
    app.state.parts = parts
    app.state.store = Store(parts.db)
    for each in (import_routes, import_pages, routes, pages, confirmation_pages):
        app.include_router(each.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    store = Store(parts.db)
    return [forever("creation", Creation(parts, store).round), forever("rendering", Rendering(parts, store).round)]


service = Service(name="records", web=web, indexes=ensure_indexes, consumers=consumers, work=work, sealed=told_as(RecordsActsSealedV1))
