"""The life of a service process: `python -m services.<name> web|worker|relay …`, as many roles as it is given."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import time
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis import audit_seal, inbox, outbox, tracing
from services.chassis import logging as json_logging
from services.chassis.kafka import Readers, producer
from services.chassis.metrics import EVENT_LOOP_LAG
from services.chassis.mongo import Database, PyMongoError, connect
from services.chassis.objects import Objects
from services.chassis.relay import Relay
from services.chassis.settings import Settings
from services.chassis.work import Pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence

    from services.chassis.audit_tell import Tell
    from services.chassis.kafka import Consumer

ROLES = ("web", "worker", "relay")
DRAIN_SECONDS = 20
log = logging.getLogger(__name__)


@dataclass
class Parts:
    """What a service is wired from; the chassis makes it, `services/<name>/app.py` uses it."""

    settings: Settings
    db: Database
    objects: Objects
    pool: Pool


@dataclass
class Service:
    """A service as the chassis sees it.

    `web` makes the HTTP side, `consumers` the reading of topics, `work` the endless loops of the worker role.
    `sealed` makes what tells the entries of the audit trail when they are chained.
    `commands` are done once by hand, in place of a role: `python -m services.<name> <command>`.
    """

    name: str
    web: Callable[[Parts], FastAPI]
    indexes: Callable[[Database], Awaitable[None]]
    consumers: Callable[[Parts], Sequence[Consumer]] = lambda _: ()
    work: Callable[[Parts], Sequence[Coroutine[None, None, None]]] = lambda _: ()
    sealed: Callable[[Database], Tell] | None = None
    commands: Mapping[str, Callable[[Parts], Awaitable[None]]] = field(default_factory=dict)


@dataclass
class Health:
    started: bool = False
    draining: bool = False
    beat: float = field(default_factory=time.monotonic)


def run(service: Service) -> None:
    parser = argparse.ArgumentParser(prog=f"services.{service.name}")
    parser.add_argument("roles", nargs="+", choices=(*ROLES, *service.commands))
    roles = set(parser.parse_args().roles)
    commands = roles & service.commands.keys()
    if commands and len(roles) > 1:
        parser.error(f"{', '.join(sorted(commands))}: one command at a time, and no role beside it")
    settings = Settings()
    json_logging.configure(service.name, settings.log_level)
    tracing.configure(service.name)
    asyncio.run(_once(service, settings, *commands) if commands else _live(service, settings, roles))


async def _once(service: Service, settings: Settings, command: str) -> None:
    async with connect(settings, service.name) as db:
        pool = Pool(settings.pool_size)
        try:
            await service.commands[command](Parts(settings, db, Objects(settings, service.name), pool))
        finally:
            pool.close()


async def _live(service: Service, settings: Settings, roles: set[str]) -> None:
    health = Health()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(connect(settings, service.name))
        await outbox.ensure_indexes(db)
        await inbox.ensure_indexes(db)
        await audit_seal.ensure_indexes(db)
        await service.indexes(db)
        pool = Pool(settings.pool_size)
        stack.callback(pool.close)
        parts = Parts(settings, db, Objects(settings, service.name), pool)
        running = [_heartbeat(health)]
        if "web" in roles:
            running.append(_serve(_with_health(service.web(parts), parts, health), settings.host, settings.port, stop))
        else:
            admin = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
            running.append(_serve(_with_health(admin, parts, health), settings.host, settings.admin_port, stop))
        if roles & {"worker", "relay"}:
            sender = await stack.enter_async_context(producer(settings, service.name))
            if "relay" in roles:
                running.append(Relay(db, sender, settings.relay_lease_seconds).run())
                running.append(audit_seal.Sealer(db, settings.relay_lease_seconds, service.sealed(db) if service.sealed else None).run())
            if "worker" in roles:
                readers = Readers(settings, service.name, db, sender)
                for consumer in service.consumers(parts):
                    readers.add(consumer)
                running.append(readers.run())
                running.extend(service.work(parts))
        tasks = [asyncio.create_task(part) for part in running]
        health.started = True
        log.info("started", extra={"roles": sorted(roles)})
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        health.draining = True
        stopping.cancel()
        on_purpose = stop.is_set()
        stop.set()
        for task in tasks:
            task.cancel()
        _, hanging = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        failed = [t for t in tasks if t.done() and not t.cancelled() and t.exception()]
        for task in failed:
            log.critical("a part of the process failed", exc_info=task.exception())
        if failed or hanging or not on_purpose:
            log.critical("the process ends so that it is started again", extra={"hanging": len(hanging)})
            raise SystemExit(1)
        log.info("stopped")


async def _heartbeat(health: Health) -> None:
    while True:
        expected = time.monotonic() + 1
        await asyncio.sleep(1)
        EVENT_LOOP_LAG.set(max(0.0, time.monotonic() - expected))
        health.beat = time.monotonic()


async def _serve(app: FastAPI, host: str, port: int, stop: asyncio.Event) -> None:
    server = _Server(uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10))
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await serving
    if not stop.is_set():
        raise RuntimeError("the HTTP server ended by itself")


class _Server(uvicorn.Server):
    """Signals are the process's, not uvicorn's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _with_health(app: FastAPI, parts: Parts, health: Health) -> FastAPI:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return Response(status_code=200 if time.monotonic() - health.beat < 10 else 503)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        if not health.started or health.draining:
            return Response(status_code=503)
        try:
            await parts.db.command("ping")
        except PyMongoError:
            return Response(status_code=503)
        return Response(status_code=200)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
