"""The wiring of district."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.district import DistrictActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.web.app import make_app
from services.district import certificate_routes, handlers, pages, routes
from services.district.lock_dates import routes as lock_date_routes
from services.district.store import Store, ensure_indexes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "district")
    app.state.store = Store(parts.db)
    app.include_router(routes.router)
    app.include_router(certificate_routes.router)
    app.include_router(lock_date_routes.router)
    app.include_router(pages.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


service = Service(name="district", web=web, indexes=ensure_indexes, consumers=consumers, sealed=told_as(DistrictActsSealedV1))
