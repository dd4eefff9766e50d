"""How identity is wired."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from services.chassis.access import TokenMaker
from services.chassis.process import Parts, Service
from services.chassis.settings import needed
from services.chassis.snapshots import republishing
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.identity import home, openapi, pages, store
from services.identity.accounts import factor_pages, factor_routes, recovery_pages, recovery_routes
from services.identity.accounts import pages as account_pages
from services.identity.accounts import routes as account_routes
from services.identity.accounts.factors import Keys
from services.identity.accounts.passkeys import site_of
from services.identity.accounts.passwords import Hashing
from services.identity.accounts.sign_in import Door
from services.identity.activity import pages as activity_pages
from services.identity.activity import routes as activity_routes
from services.identity.activity.handlers import activity_consumers, own_trail
from services.identity.agents import pages as agent_pages
from services.identity.agents import routes as agent_routes
from services.identity.certificates import account_pages as signing_account_pages
from services.identity.certificates import pages as certificate_pages
from services.identity.certificates import proof_pages, proof_routes, school_pages
from services.identity.certificates import routes as certificate_routes
from services.identity.certificates.decisions import Decisions
from services.identity.certificates.handlers import decision_consumer
from services.identity.certificates.providers import Providers, read_roots
from services.identity.certificates.registering import Registry
from services.identity.certificates.watch import Watch
from services.identity.certificates.watch_calendar import Calendar
from services.identity.certificates.watch_lists import Lists
from services.identity.images import pages as image_pages
from services.identity.images import routes as image_routes
from services.identity.images.store import Images
from services.identity.notices import pages as notice_pages
from services.identity.notices.handlers import correction_consumer
from services.identity.openid import pages as openid_pages
from services.identity.openid import routes as openid_routes
from services.identity.openid.client import OpenId, read_providers
from services.identity.organisations import change_pages, change_routes, making_pages, people_pages, people_routes, year_pages, year_routes
from services.identity.organisations import pages as organisation_pages
from services.identity.organisations import routes as organisation_routes
from services.identity.organisations.handlers import staff_consumer
from services.identity.organisations.planning import apply_due
from services.identity.organisations.snapshots import ORGANISATIONS
from services.identity.problems import pages as problem_pages
from services.identity.problems import routes as problem_routes
from services.identity.sealing import Box
from services.means.token import JobSigner

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    settings = parts.settings
    app = make_app(settings, "identity")
    app.state.db = parts.db
    app.state.public_url = settings.public_url
    app.state.token_maker = TokenMaker(needed(settings.token_signing_key_file, "token_signing_key_file"))
    app.state.door = Door(parts.db, Hashing(), asyncio.sleep, demanding=settings.second_factor == "required")
    app.state.job_signer = JobSigner(needed(settings.agent_key_file, "agent_key_file"))
    app.state.factor_keys = Keys(Box(needed(settings.factor_key_file, "factor_key_file")), site_of(settings.public_url))
    app.state.registry = Registry(
        parts.db,
        Providers(needed(settings.providers_file, "providers_file"), settings.ca_file),
        read_roots(needed(settings.trust_dir, "trust_dir")),
        Box(needed(settings.sealing_key_file, "sealing_key_file")),
        settings.public_url,
    )
    app.state.openid = OpenId(read_providers(settings.sign_in_providers_file), settings.ca_file)
    app.state.pool = parts.pool
    app.state.images = Images(parts.db, parts.objects, parts.pool)
    app.add_exception_handler(pages.Unfinished, pages.lead_on)
    for part in (
        account_routes,
        agent_routes,
        agent_pages,
        organisation_routes,
        change_routes,
        year_routes,
        making_pages,
        change_pages,
        organisation_pages,
        year_pages,
        certificate_routes,
        proof_routes,
        image_routes,
        home,
        account_pages,
        factor_routes,
        factor_pages,
        recovery_routes,
        people_routes,
        recovery_pages,
        openid_routes,
        openid_pages,
        people_pages,
        certificate_pages,
        signing_account_pages,
        school_pages,
        proof_pages,
        image_pages,
        notice_pages,
        activity_routes,
        activity_pages,
        problem_routes,
        problem_pages,
        openapi,
    ):
        app.include_router(part.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return (staff_consumer(parts.db), correction_consumer(parts.db), decision_consumer(parts.db), *activity_consumers(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    """Changes of the tree whose day has come, and the watch over certificates.

    A decision of the oversight unit is waited for, so it has a loop of its own.
    """
    roots = read_roots(needed(parts.settings.trust_dir, "trust_dir"))
    return [
        forever("due changes", partial(apply_due, parts.db), idle=10.0),
        forever("decisions", Decisions(parts.db, roots).round),
        forever("watch", Watch(parts.db, roots).round, idle=1.0),
        forever("revocation lists", Lists(parts.db, roots).round, idle=1.0),
        forever("certificate calendar", Calendar(parts.db).round, idle=5.0),
    ]


service = Service(
    "identity",
    web=web,
    indexes=store.ensure_indexes,
    consumers=consumers,
    work=work,
    sealed=own_trail,
    commands={"republish": republishing(ORGANISATIONS)},
)
