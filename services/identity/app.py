"""How identity is wired."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.chassis.access import TokenMaker
from services.chassis.process import Parts, Service
from services.chassis.settings import needed
from services.chassis.web.app import make_app
from services.identity import home, openapi, pages, store
from services.identity.accounts import pages as account_pages
from services.identity.accounts import routes as account_routes
from services.identity.accounts.passwords import Hashing
from services.identity.accounts.sign_in import Door
from services.identity.certificates import pages as certificate_pages
from services.identity.certificates import routes as certificate_routes
from services.identity.certificates.handlers import decision_consumer
from services.identity.certificates.providers import Providers, read_roots
from services.identity.certificates.registering import Registry
from services.identity.organisations import routes as organisation_routes
from services.identity.organisations.handlers import staff_consumer

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
    for part in (
        account_routes,
        organisation_routes,
        certificate_routes,
        home,
        account_pages,
        certificate_pages,
        openapi,
    ):
        app.include_router(part.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return (staff_consumer(parts.db), decision_consumer(parts.db))


service = Service("identity", web=web, indexes=store.ensure_indexes, consumers=consumers)
