"""Makes the empty stores usable: replica set and users, topics, buckets and policies. Every step may be repeated.

The local stack calls the functions; compose runs the module itself with addresses and secrets from the environment.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED
from minio.credentials.providers import StaticProvider
from minio.versioningconfig import VersioningConfig
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from contracts.topics import TOPICS, dead_letter_topics
from infra.stack.instance import BUCKETS, SERVICES
from infra.stack.policies import ARCHIVE, policy

REPLICA_SET = "hocba"
ROOT = "root"
AUTHENTICATION_FAILED = 18
UNAUTHORIZED = 13
ALREADY_INITIALIZED = 23
NOT_YET_INITIALIZED = 94
PRIMARY_WITHIN_SECONDS = 30.0
HOUR_MS = 3_600_000


def mongo_answers(address: str) -> bool:
    client: MongoClient[dict[str, Any]] = MongoClient(f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=500)
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True


def prepare_mongo(address: str, member: str, secret: Callable[[str], str]) -> None:
    """Replica set of one member, reachable as `member`; a root user; a user per service, on its own database only.

    A service's user lives in the service's database, root in `admin`.
    Raises PyMongoError when the server refuses, TimeoutError without a primary.
    """
    url = f"mongodb://{address}/?directConnection=true&serverSelectionTimeoutMS=5000"
    root_password = secret("mongo-root")
    client: MongoClient[dict[str, Any]] = MongoClient(url, username=ROOT, password=root_password)
    try:
        client.admin.command("ping")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        _first_user(url, member, root_password)
    try:
        _replica_set_of(client, member)
        _wait_for_primary(client)
        for service in SERVICES:
            _mongo_user(client, service, secret(f"mongo-{service}"))
    finally:
        client.close()


def _first_user(url: str, member: str, root_password: str) -> None:
    """An empty server lets the first user be made from its own machine without a password, once it is a primary."""
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    try:
        try:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]})
        except OperationFailure as error:
            if error.code not in {ALREADY_INITIALIZED, UNAUTHORIZED}:
                raise
        _wait_for_primary(client)
        client.admin.command("createUser", ROOT, pwd=root_password, roles=["root"])
    finally:
        client.close()


def _replica_set_of(client: MongoClient[dict[str, Any]], member: str) -> None:
    """Initiate when needed; follow when the address has changed since the last run (the port was in use)."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]})
        return
    if [each["host"] for each in config["members"]] != [member]:
        config["members"] = [{"_id": 0, "host": member}]
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def _wait_for_primary(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + PRIMARY_WITHIN_SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"mongod did not become primary within {PRIMARY_WITHIN_SECONDS:.0f} s")
        time.sleep(0.05)


def _mongo_user(client: MongoClient[dict[str, Any]], service: str, password: str) -> None:
    roles = [{"role": role, "db": service} for role in ("readWrite", "dbAdmin")]
    database = client[service]
    known = database.command("usersInfo", service)["users"]
    database.command("updateUser" if known else "createUser", service, pwd=password, roles=roles)


# --- Kafka -------------------------------------------------------------------------------------------------------------


def prepare_kafka(address: str) -> None:
    """Create the topics of the contracts and the dead-letter topics of their groups. Raises KafkaError."""
    asyncio.run(_create_topics(address))


async def _create_topics(address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        wanted = [
            NewTopic(topic.name, topic.partitions, 1, topic_configs={"retention.ms": str(topic.retention_hours * HOUR_MS)})
            for topic in TOPICS
        ]
        # dead letters wait for a person
        wanted += [NewTopic(name, 1, 1, topic_configs={"retention.ms": "-1"}) for name in dead_letter_topics()]
        missing = [topic for topic in wanted if topic.name not in there]
        if missing:
            answer = await admin.create_topics(missing)
            refused = [f"{name}: {error}" for name, error, *_ in answer.topic_errors if error]
            if refused:
                raise RuntimeError(f"Kafka did not create topics: {'; '.join(refused)}")
    finally:
        await admin.close()


# --- MinIO -------------------------------------------------------------------------------------------------------------


def prepare_objects(address: str, secret: Callable[[str], str]) -> None:
    """Buckets with versions (the archive also with object lock), one user and policy a service.

    A user that is there keeps its password. Raises S3Error, MinioAdminException.
    """
    root = StaticProvider(ROOT, secret("minio-root"))
    store = Minio(address, credentials=root, secure=False)
    for bucket in BUCKETS:
        if not store.bucket_exists(bucket):
            store.make_bucket(bucket, object_lock=bucket == ARCHIVE)
        store.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    admin = MinioAdmin(endpoint=address, credentials=root, secure=False)
    known = json.loads(admin.user_list())
    for service in SERVICES:
        admin.policy_add(service, policy=policy(service, BUCKETS))
        if service not in known:
            admin.user_add(service, secret(f"minio-{service}"))
        if known.get(service, {}).get("policyName") != service:
            admin.attach_policy([service], user=service)


def main() -> None:
    """Compose's one-shot container: addresses and the directory of secrets come from the environment."""
    directory = Path(os.environ["HOCBA_SECRETS_DIR"])

    def secret(name: str) -> str:
        return (directory / name).read_text().strip()

    prepare_mongo(os.environ["HOCBA_MONGO"], os.environ["HOCBA_MONGO"], secret)
    prepare_kafka(os.environ["HOCBA_KAFKA"])
    prepare_objects(os.environ["HOCBA_OBJECTS"], secret)


if __name__ == "__main__":
    main()
