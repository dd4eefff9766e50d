"""The wiring of district."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from contracts.events.district import DistrictActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.district import certificate_routes, handlers, pages, routes
from services.district.board import routes as board_routes
from services.district.lock_dates import routes as lock_date_routes
from services.district.lookup import routes as lookup_routes
from services.district.model import rebuilding
from services.district.store import Store, ensure_indexes
from services.district.withdrawals import pages as withdrawal_pages
from services.district.withdrawals import routes as withdrawal_routes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "district")
    app.state.store = Store(parts.db)
    app.state.looks = {}
    app.include_router(routes.router)
    app.state.objects = parts.objects
    app.include_router(certificate_routes.router)
    app.include_router(lock_date_routes.router)
    app.include_router(withdrawal_routes.router)
    app.include_router(lookup_routes.router)
    app.include_router(board_routes.router)
    app.include_router(pages.router)
    app.include_router(withdrawal_pages.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    return [forever("rebuilding", partial(rebuilding.finish, parts.db), idle=1.0)]


service = Service(
    name="district",
    web=web,
    indexes=ensure_indexes,
    consumers=consumers,
    work=work,
    sealed=told_as(DistrictActsSealedV1),
    commands={"rebuild": rebuilding.begin_command, "rebuilt": rebuilding.wait_command},
)
