"""Documents in a real object store: written once by digest, checked when read, and only by who may."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest
from minio import Minio
from minio.error import S3Error

from contracts.documents import DocumentRef
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis.kafka import is_transient
from services.chassis.objects import DamagedObject, MissingObject, Objects, ObjectsUnavailable
from tests.integration.chassis_service import settings_of

CONTENT = b"the first document"


@pytest.fixture
def records(stores: Stack) -> Objects:
    return Objects(settings_of(service_environment(stores.instance, "records")), "records")


def versions(stores: Stack, key: str) -> int:
    store = Minio(stores.instance.address("minio"), "root", stores.instance.secret("minio-root"), secure=False)
    return sum(1 for _ in store.list_objects("records", prefix=key, include_version=True))


async def test_a_document_comes_back_as_it_was_put(records: Objects) -> None:
    ref = await records.put("things", ".txt", CONTENT, "text/plain")
    assert ref == DocumentRef(
        bucket="records", key=f"things/{sha256(CONTENT).hexdigest()}.txt", sha256=sha256(CONTENT).hexdigest(), size=len(CONTENT)
    )
    assert await records.get(ref) == CONTENT
    assert await records.get_all([ref, ref]) == [CONTENT, CONTENT]


async def test_the_same_content_is_the_same_object(records: Objects) -> None:
    assert await records.put("same", ".txt", CONTENT, "text/plain") == await records.put("same", ".txt", CONTENT, "text/plain")


async def test_damaged_content_is_refused_and_waiting_does_not_help(records: Objects, stores: Stack) -> None:
    ref = await records.put("damaged", ".txt", CONTENT, "text/plain")
    root = Minio(stores.instance.address("minio"), "root", stores.instance.secret("minio-root"), secure=False)
    root.put_object("records", ref.key, io.BytesIO(b"another document!!"), len(CONTENT))
    with pytest.raises(DamagedObject) as caught:
        await records.get(ref)
    assert not is_transient(caught.value)


async def test_a_missing_document_is_missing_and_waiting_does_not_help(records: Objects) -> None:
    ref = DocumentRef(bucket="records", key="things/none.txt", sha256="0" * 64, size=1)
    with pytest.raises(MissingObject) as caught:
        await records.get(ref)
    assert not is_transient(caught.value)


async def test_a_store_that_is_away_is_waited_for(stores: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**service_environment(stores.instance, "records"), "HOCBA_OBJECTS": "127.0.0.1:9"}
    away = Objects(settings_of(environment), "records")
    with pytest.raises(ObjectsUnavailable) as caught:
        await away.put("things", ".txt", CONTENT, "text/plain")
    assert is_transient(caught.value)


@pytest.mark.parametrize(("service", "bucket"), [("district", "records"), ("publishing", "records"), ("records", "archive")])
async def test_a_service_reads_but_does_not_write_the_bucket_of_another(records: Objects, stores: Stack, service: str, bucket: str) -> None:
    ref = await records.put("read", ".txt", CONTENT, "text/plain")
    other = Objects(settings_of(service_environment(stores.instance, service)), bucket)
    assert await other.get(ref) == CONTENT
    with pytest.raises(S3Error) as caught:
        await other.put("things", ".txt", CONTENT, "text/plain")
    assert caught.value.code == "AccessDenied"
    assert not is_transient(caught.value)


async def test_a_wrong_password_is_a_fault_of_set_up_and_not_waited_for(stores: Stack) -> None:
    environment = {**service_environment(stores.instance, "records"), "HOCBA_OBJECTS_USER": "district"}
    wrong = Objects(settings_of(environment), "records")
    with pytest.raises(S3Error) as caught:
        await wrong.get(DocumentRef(bucket="records", key="x", sha256="0" * 64, size=1))
    assert not is_transient(caught.value)
