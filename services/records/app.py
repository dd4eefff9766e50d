"""The wiring of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import RecordsActsSealedV1
from services.chassis.audit_tell import told_as
from services.chassis.process import Parts, Service
from services.chassis.snapshots import republishing
from services.chassis.web.app import make_app
from services.chassis.work import forever
from services.records import evidence_routes, handlers, snapshots
from services.records.archive import pages as archive_pages
from services.records.archive import routes as archive_routes
from services.records.archive.exporting import Exporting
from services.records.archive.sealing import Seal
from services.records.cancellation import pages as cancellation_pages
from services.records.cancellation import routes as cancellation_routes
from services.records.copies import pages as copy_pages
from services.records.copies import routes as copy_routes
from services.records.corrections import pages as correction_pages
from services.records.corrections import routes as correction_routes
from services.records.digitisation import data_pages as digitised_data_pages
from services.records.digitisation import pages as digitisation_pages
from services.records.digitisation import routes as digitisation_routes
from services.records.dossier import pages as dossier_pages
from services.records.dossier import routes as dossier_routes
from services.records.export import pages as export_pages
from services.records.export import routes as export_routes
from services.records.finalisation import pages as finalisation_pages
from services.records.finalisation import routes as finalisation_routes
from services.records.imports import pages as import_pages
from services.records.imports import pull_pages
from services.records.imports import routes as import_routes
from services.records.imports.pulling import Pulling
from services.records.imports.sector import sector_database
from services.records.imports.writing import Writing
from services.records.learners import pages as learner_pages
from services.records.learners import routes as learner_routes
from services.records.locks import pages as lock_pages
from services.records.locks import routes as lock_routes
from services.records.lookup import pages as lookup_pages
from services.records.lookup import routes as lookup_routes
from services.records.printing import pages as printing_pages
from services.records.printing import routes as printing_routes
from services.records.progress import pages as progress_pages
from services.records.progress import routes as progress_routes
from services.records.review import pages as review_pages
from services.records.review import routes as review_routes
from services.records.rules import pages as rule_pages
from services.records.rules import routes as rule_routes
from services.records.store import Store, ensure_indexes
from services.records.summaries import list_pages as summary_list_pages
from services.records.summaries import pages as summary_pages
from services.records.summaries import routes as summary_routes
from services.records.transcripts import confirmation_pages, creation_pages, pages, routes
from services.records.transcripts.creation import Creation
from services.records.transcripts.rendering import Rendering
from services.records.transfers import pages as transfer_pages
from services.records.transfers import routes as transfer_routes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from fastapi import FastAPI

    from services.chassis.kafka import Consumer


def web(parts: Parts) -> FastAPI:
    app = make_app(parts.settings, "records")
    app.state.parts = parts
    app.state.store = Store(parts.db)
    for each in (
        import_routes,
        import_pages,
        pull_pages,
        routes,
        pages,
        evidence_routes,
        creation_pages,
        confirmation_pages,
        finalisation_routes,
        finalisation_pages,
        printing_routes,
        printing_pages,
        cancellation_routes,
        cancellation_pages,
    ):
        app.include_router(each.router)
    for topic in (lock_routes, lock_pages, correction_routes, correction_pages):
        app.include_router(topic.router)
    for certified in (rule_routes, rule_pages, copy_routes, copy_pages):
        app.include_router(certified.router)
    for looking in (dossier_routes, dossier_pages, export_routes, export_pages, review_routes, review_pages):
        app.include_router(looking.router)
    for keeping in (learner_routes, learner_pages, transfer_routes, transfer_pages, archive_routes, archive_pages):
        app.include_router(keeping.router)
    for summing_up in (summary_routes, summary_pages, summary_list_pages):
        app.include_router(summing_up.router)
    for digitising in (digitisation_routes, digitisation_pages, digitised_data_pages):
        app.include_router(digitising.router)
    for following in (progress_routes, progress_pages, lookup_routes, lookup_pages):
        app.include_router(following.router)
    return app


def consumers(parts: Parts) -> Sequence[Consumer]:
    return handlers.consumers(Store(parts.db))


def work(parts: Parts) -> Sequence[Coroutine[None, None, None]]:
    store = Store(parts.db)
    loops = [
        forever("creation", Creation(parts, store).round),
        forever("rendering", Rendering(parts, store).round),
        forever("importing", Writing(parts).round),
        forever("archiving", Exporting(parts, store, Seal(parts.settings)).round),
    ]
    sector = sector_database(parts.settings)
    return [*loops, forever("pulling", Pulling(parts, sector).round)] if sector else loops


service = Service(
    name="records",
    web=web,
    indexes=ensure_indexes,
    consumers=consumers,
    work=work,
    sealed=told_as(RecordsActsSealedV1),
    commands={"republish": republishing(snapshots.CLASSES, snapshots.TRANSCRIPTS)},
)
