"""How identity is wired."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.chassis.access import TokenMaker
from services.chassis.process import Parts, Service
from services.chassis.settings import needed
from services.chassis.web.app import make_app
from services.identity import certificate_routes, openapi, pages, routes, store
from services.identity.handlers import decision_consumer, staff_consumer
from services.identity.passwords import Hashing
from services.identity.providers import Providers, read_roots
from services.identity.registering import Registry
from services.identity.sign_in import Door

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    settings = parts.settings
    app = make_app(settings, "identity")
    app.state.db = parts.db
    app.state.token_maker = TokenMaker(needed(settings.token_signing_key_file, "token_signing_key_file"))
    app.state.door = Door(parts.db, Hashing(), asyncio.sleep)
    app.state.registry = Registry(
        parts.db,
        Providers(needed(settings.providers_file, "providers_file"), settings.ca_file),
        read_roots(needed(settings.trust_dir, "trust_dir")),
    )
    app.add_exception_handler(pages.MustChangePassword, pages.lead_to_password)
    for router in (routes.router, certificate_routes.router, pages.router, openapi.router):
        app.include_router(router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return (staff_consumer(parts.db), decision_consumer(parts.db))


service = Service("identity", web=web, indexes=store.ensure_indexes, consumers=consumers)
