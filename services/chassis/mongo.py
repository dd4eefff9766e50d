"""The only import of the MongoDB driver.

motor gets no more features, so only calls are used that PyMongo's async API has under the same name:
the change of driver is this file.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import ASCENDING, DESCENDING, DeleteOne, IndexModel, InsertOne, ReplaceOne, ReturnDocument, UpdateMany, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.chassis import failpoints
from services.chassis.settings import Settings, secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "BulkWriteError",
    "Collection",
    "Database",
    "DeleteOne",
    "Document",
    "DuplicateKeyError",
    "IndexModel",
    "InsertOne",
    "OperationFailure",
    "PyMongoError",
    "ReplaceOne",
    "ReturnDocument",
    "Session",
    "UpdateMany",
    "UpdateOne",
    "connect",
    "may_pass",
    "transaction",
]

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
T = TypeVar("T")

log = logging.getLogger(__name__)

PASSING_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")
PASSING_CODES = frozenset({6, 7, 24, 46, 89, 91, 112, 134, 189, 202, 251, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""Network, shutdown, election, lock and write-conflict codes of mongod's error_codes.yml."""


def may_pass(problem: PyMongoError) -> bool:
    """Whether the same may well succeed later: the server is away, busy, or changing its primary."""
    if isinstance(problem, InvalidOperation | ConfigurationError):
        return False
    if not isinstance(problem, OperationFailure) or isinstance(problem, ExecutionTimeout | WTimeoutError):
        return True
    return problem.code in PASSING_CODES or any(problem.has_error_label(label) for label in PASSING_LABELS)


@asynccontextmanager
async def connect(settings: Settings, service: str) -> AsyncIterator[Database]:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        settings.mongo_url,
        username=settings.mongo_user,
        password=secret(settings.mongo_password_file),
        authSource=service,
        appname=service,
        tz_aware=True,
        retryWrites=True,
        serverSelectionTimeoutMS=10_000,
        maxPoolSize=50,
        w="majority",
        readConcernLevel="majority",
    )
    try:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)
        yield client.get_database(service, codec_options=options)
    finally:
        client.close()


async def transaction(db: Database, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run `work` in one transaction; it is run again after a write conflict, so it must not reach outside the database.

    A duplicate key aborts the transaction on the server (SERVER-34059): catch DuplicateKeyError outside.
    """
    for attempt in range(20):
        async with await db.client.start_session() as session:
            session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority"))
            try:
                result = await work(session)
                failpoints.reach("transaction.before-commit")
                await _commit(session)
                failpoints.reach("transaction.committed")
            except PyMongoError as problem:
                if session.delegate.in_transaction:
                    await session.abort_transaction()
                if not problem.has_error_label("TransientTransactionError") or attempt == 19:
                    raise
                await asyncio.sleep(min(0.01 * 2**attempt, 1.0))
            except BaseException:
                if session.delegate.in_transaction:
                    await session.abort_transaction()
                raise
            else:
                return result
    raise AssertionError("the last attempt returns or raises")


async def _commit(session: Session) -> None:
    for attempt in range(10):
        try:
            await session.commit_transaction()
        except PyMongoError as problem:
            if not problem.has_error_label("UnknownTransactionCommitResult") or attempt == 9:
                raise
            await asyncio.sleep(0.1)
        else:
            return
