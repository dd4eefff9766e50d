"""The object store: documents are written once under a name that holds their digest, and checked when read."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, S3Error, ServerError

from contracts.documents import DocumentRef
from services.chassis.settings import Settings, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARALLEL = 8
BUSY = frozenset({"SlowDown", "RequestTimeout", "ServiceUnavailable"})
T = TypeVar("T")


class ObjectsUnavailable(OSError):
    """The store is away or cannot serve now; the same may well succeed later."""


class MissingObject(Exception):
    """There is no such object: waiting does not help."""


class DamagedObject(Exception):
    """What was read is not what was written: stop with this document, never go on."""


class Objects:
    """One bucket to write (the owner's); every bucket that the credentials allow to read.

    Everything raises ObjectsUnavailable while the store is away. A refusal of rights stays minio's S3Error: it is a fault of set-up.
    """

    def __init__(self, settings: Settings, bucket: str) -> None:
        self.bucket = bucket
        self._client = Minio(
            endpoint=settings.objects,
            access_key=settings.objects_user,
            secret_key=secret(settings.objects_password_file),
            secure=False,
            http_client=urllib3.PoolManager(
                maxsize=PARALLEL, timeout=urllib3.Timeout(connect=5, read=30), retries=urllib3.Retry(total=5, backoff_factor=0.2)
            ),
        )
        self._threads = ThreadPoolExecutor(PARALLEL, thread_name_prefix="objects")

    async def put(self, prefix: str, suffix: str, content: bytes, media_type: str) -> DocumentRef:
        """Written as `<prefix>/<sha256><suffix>`; the same content twice is the same object."""
        digest = sha256(content).hexdigest()
        ref = DocumentRef(bucket=self.bucket, key=f"{prefix}/{digest}{suffix}", sha256=digest, size=len(content))
        await self._run(self._put, ref, content, media_type)
        return ref

    def _put(self, ref: DocumentRef, content: bytes, media_type: str) -> None:
        self._client.put_object(
            bucket_name=ref.bucket, object_name=ref.key, data=io.BytesIO(content), length=ref.size, content_type=media_type
        )

    async def get(self, ref: DocumentRef) -> bytes:
        """Raises MissingObject, and DamagedObject when the content does not have the digest of the reference."""
        content = await self._run(self._get, ref)
        if sha256(content).hexdigest() != ref.sha256:
            raise DamagedObject(f"{ref.bucket}/{ref.key}")
        return content

    async def get_unchecked(self, ref: DocumentRef) -> bytes:
        """What stands there now, whatever it is, for whoever examines it; never to be served. Raises MissingObject."""
        return await self._run(self._get, ref)

    async def get_all(self, refs: Sequence[DocumentRef]) -> list[bytes]:
        return list(await asyncio.gather(*(self.get(r) for r in refs)))

    def _get(self, ref: DocumentRef) -> bytes:
        answer = self._client.get_object(bucket_name=ref.bucket, object_name=ref.key)
        try:
            return bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()

    async def ready(self) -> bool:
        return bool(await self._run(lambda: self._client.bucket_exists(bucket_name=self.bucket)))

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError) as problem:
            raise ObjectsUnavailable(type(problem).__name__) from problem
        except S3Error as problem:
            if problem.code in ("NoSuchKey", "NoSuchBucket", "NoSuchVersion"):
                raise MissingObject(f"{problem.bucket_name}/{problem.object_name}") from problem
            if problem.response.status >= 500 or problem.code in BUSY:
                raise ObjectsUnavailable(problem.code) from problem
            raise
