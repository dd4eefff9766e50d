"""The wiring of signing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contracts.events.signing import SigningActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.settings import needed
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.means.timestamps import TimestampAuthority, outgoing
from services.means.token import JobSigner
from services.means.validation_data import ValidationSource
from services.signing import callbacks, handlers, overdue, pages, routes
from services.signing.agents import routes as agent_routes
from services.signing.agents import store as agent_store
from services.signing.assembling import Assembling
from services.signing.auditing.auditor import IDLE, Auditor
from services.signing.ers.making import Making
from services.signing.ers.renewing import IDLE_SECONDS, Renewing
from services.signing.ers.stamping import Stamping
from services.signing.ers.store import ensure_indexes as ensure_evidence_indexes
from services.signing.ers.writing import Writing
from services.signing.providers import Providers, read_roots
from services.signing.reports import pages as report_pages
from services.signing.reports import routes as report_routes
from services.signing.runner import Runner
from services.signing.sealing import Sealing
from services.signing.store import Store, ensure_indexes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer
    from services.chassis.mongo import Database


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "signing")
    app.state.store = Store(parts.db)
    app.state.providers = Providers(parts.settings)
    app.state.parts = parts
    app.state.hints = callbacks.Allowance()
    app.state.objects = parts.objects
    app.state.job_signer = JobSigner(needed(parts.settings.agent_key_file, "agent_key_file"))
    app.include_router(report_routes.router)
    app.include_router(report_pages.router)
    app.include_router(routes.router)
    app.include_router(callbacks.router)
    app.include_router(agent_routes.router)
    app.include_router(pages.router)
    return app


async def _indexes(db: Database) -> None:
    await ensure_indexes(db)
    await ensure_evidence_indexes(db)
    await agent_store.ensure_indexes(db)


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    store = Store(parts.db)
    return [
        _sealing(parts, store),
        _evidence(parts),
        forever("evidence files", Writing(parts).round),
        forever("assembling", Assembling(parts, store).round),
        forever("overdue", lambda: overdue.round_of(store)),
        forever("auditing", Auditor(parts, store, read_roots(needed(parts.settings.trust_dir, "trust_dir"))).round, idle=IDLE),
        forever("batches", Runner(parts, store, Providers(parts.settings)).round),
    ]


async def _sealing(parts: Parts, store: Store) -> None:
    roots = read_roots(needed(parts.settings.trust_dir, "trust_dir"))
    async with outgoing() as session:
        authority = TimestampAuthority(needed(parts.settings.tsa_url, "tsa_url"), roots, session)
        await forever("sealing", Sealing(parts, store, ValidationSource(roots, authority, session), authority).round)


async def _evidence(parts: Parts) -> None:
    roots = read_roots(needed(parts.settings.trust_dir, "trust_dir"))
    async with outgoing() as session:
        authority = TimestampAuthority(needed(parts.settings.tsa_url, "tsa_url"), roots, session)
        stamping = Stamping(authority, ValidationSource(roots, authority, session), roots)
        making = forever("evidence", Making(parts, stamping).round, idle=1.0)
        await asyncio.gather(making, forever("evidence renewal", Renewing(parts, stamping).round, idle=IDLE_SECONDS))


service = Service(name="signing", web=web, indexes=_indexes, consumers=consumers, work=work, sealed=told_as(SigningActsSealedV1))
