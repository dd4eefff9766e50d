"""The stores as the local stack makes them: who may do what, and what survives a restart."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from minio import Minio
from minio.error import S3Error
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.topics import TOPICS, dead_letter_topics
from infra.local import Stack, StackError
from infra.stack import leftovers, parts
from infra.stack.instance import SERVICES, Instance, load, load_states
from infra.stack.stores import prepare_kafka, prepare_mongo, prepare_objects

NAME = "stack-test"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(NAME, only=["mongod", "kafka", "minio"], fresh=True) as running:
        yield running


@pytest.fixture(scope="module")
def instance(stack: Stack) -> Instance:
    return stack.instance


def mongo(instance: Instance, service: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        instance.mongo_url,
        username=service,
        password=instance.secret(f"mongo-{service}"),
        authSource=service,
        serverSelectionTimeoutMS=20_000,
    )


def objects(instance: Instance, service: str) -> Minio:
    return Minio(instance.address("minio"), access_key=service, secret_key=instance.secret(f"minio-{service}"), secure=False)


def put(store: Minio, bucket: str, name: str, content: bytes) -> None:
    store.put_object(bucket, name, BytesIO(content), len(content))


def test_a_service_has_transactions_on_its_own_database(instance: Instance) -> None:
    with mongo(instance, "records") as client, client.start_session() as session:
        with session.start_transaction():
            client.records.things.insert_one({"_id": "kept"}, session=session)
        session.start_transaction()
        client.records.things.insert_one({"_id": "dropped"}, session=session)
        session.abort_transaction()
        assert [row["_id"] for row in client.records.things.find()] == ["kept"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_cannot_touch_the_database_of_another(instance: Instance, service: str) -> None:
    with mongo(instance, service) as client:
        client[service].own.insert_one({"of": service})
        for other in {*SERVICES, "admin"} - {service}:
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other].own.find_one()
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other].own.insert_one({"of": service})


def test_the_database_answers_nobody_without_a_password(instance: Instance) -> None:
    with MongoClient[dict[str, Any]](instance.mongo_url) as client, pytest.raises(OperationFailure, match="requires authentication"):
        client.records.own.find_one()


async def test_the_topics_of_the_contracts_are_there_with_their_partitions(instance: Instance) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=instance.address("kafka"))
    await admin.start()
    try:
        names = [topic.name for topic in TOPICS]
        described = {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics([*names, *dead_letter_topics()])}
        everything = await admin.list_topics()
    finally:
        await admin.close()
    assert described == {**{topic.name: topic.partitions for topic in TOPICS}, **dict.fromkeys(dead_letter_topics(), 1)}
    assert set(everything) - {"__consumer_offsets"} == set(described)


def test_a_service_writes_its_own_bucket_and_others_read_it(instance: Instance) -> None:
    put(objects(instance, "records"), "records", "a/1", b"one")
    assert objects(instance, "signing").get_object("records", "a/1").read() == b"one"
    for other in ("signing", "publishing", "identity", "district"):
        with pytest.raises(S3Error, match="Access Denied"):
            put(objects(instance, other), "records", "a/2", b"two")


def test_nobody_deletes_from_the_archive(instance: Instance) -> None:
    signing = objects(instance, "signing")
    put(signing, "archive", "sealed", b"sealed")
    assert objects(instance, "publishing").get_object("archive", "sealed").read() == b"sealed"
    for service in SERVICES:
        with pytest.raises(S3Error, match="Access Denied"):
            objects(instance, service).remove_object("archive", "sealed")


def test_an_object_written_again_keeps_its_earlier_version(instance: Instance) -> None:
    records = objects(instance, "records")
    for content in (b"first", b"second"):
        put(records, "records", "again", content)
    versions = [row.version_id for row in records.list_objects("records", prefix="again", include_version=True)]
    contents = {records.get_object("records", "again", version_id=version).read() for version in versions}
    assert contents == {b"first", b"second"}


def test_setting_up_the_stores_again_changes_nothing(instance: Instance) -> None:
    address = instance.address("mongod")
    prepare_mongo(address, address, instance.secret)
    prepare_kafka(instance.address("kafka"))
    prepare_objects(instance.address("minio"), instance.secret)
    with mongo(instance, "district") as client:
        client.district.own.insert_one({"still": "welcome"})


def test_an_instance_that_is_up_is_not_started_twice(stack: Stack) -> None:
    with pytest.raises(StackError, match="already up"):
        Stack(NAME, only=["minio"]).start()


def test_others_read_addresses_and_states_from_files(stack: Stack) -> None:
    described = load(NAME)
    assert described["ready"]
    assert described["pids"] == {name: stack.pid(name) for name in ("mongod", "kafka", "minio")}
    assert {name: state["state"] for name, state in load_states(NAME).items()} == dict.fromkeys(("mongod", "kafka", "minio"), "ready")
    assert all(peak > 0 for peak in stack.peak_memory_mb().values())


@pytest.mark.parametrize("store", ["mongod", "minio"])
def test_what_was_written_survives_the_crash_of_a_store(stack: Stack, instance: Instance, store: str) -> None:
    with mongo(instance, "signing") as client:
        client.signing.kept.insert_one({"before": store})
    put(objects(instance, "signing"), "signing", f"before-{store}", b"kept")
    before = stack.pid(store)
    stack.restart(store, signal.SIGKILL)
    assert stack.pid(store) != before
    with mongo(instance, "signing") as client:
        assert client.signing.kept.find_one({"before": store}) is not None
    assert objects(instance, "signing").get_object("signing", f"before-{store}").read() == b"kept"


def test_detached_it_comes_up_is_seen_and_goes_down_leaving_nothing() -> None:
    def local(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(parts.ROOT / "infra" / "local.py"), *arguments, "--instance", "detached-test"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    up = local("up", "--detach", "--fresh", "--only", "minio", "--only", "gateway")
    try:
        assert up.returncode == 0, up.stdout
        status = local("status")
        assert status.returncode == 0, status.stdout
        assert status.stdout.count(" ready ") == 2
    finally:
        down = local("down")
    assert down.stdout == "stopped\n"
    assert leftovers.left_of(load_states("detached-test")) == []
    assert local("status").returncode == 1
    assert local("down").stdout == "nothing was running\n"
