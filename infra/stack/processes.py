"""The one list of what runs: name, command, ports, dependencies, readiness, environment, ours or store."""

import http.client
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from infra.stack import gateway, parts, stores
from infra.stack.instance import LOOPBACK, SERVICES, Instance

Kind = Literal["store", "sandbox", "gateway", "service"]
KAFKA_HEAP_MB = 384
KAFKA_CLUSTER_ID = "aG9jYmEtbG9jYWwtc3RhY2"
STORES = ("mongod", "kafka", "minio")
SAMPLE_SCHOOLS = ("an-hong", "thcs-minh-hoa")


def nothing(instance: Instance) -> None:
    """Most processes need no step of their own before or after they start."""
    del instance


@dataclass(frozen=True)
class Process:
    """`before` runs ahead of every start, `after` once it answers; only then it counts as ready and `needs` of others are met."""

    name: str
    kind: Kind
    command: Callable[[Instance], list[str]]
    ready: Callable[[Instance], bool]
    needs: tuple[str, ...] = ()
    env: Callable[[Instance], Mapping[str, str]] = lambda _: {}
    before: Callable[[Instance], None] = nothing
    after: Callable[[Instance], None] = nothing
    ready_within_seconds: float = 90.0
    grace_seconds: float = 25.0

    @property
    def ours(self) -> bool:
        """Ours are started again when they die; a store's death ends the stack."""
        return self.kind != "store"


def all_processes() -> tuple[Process, ...]:
    return (
        Process("mongod", "store", _mongod, _mongod_ready, before=_mongod_before, after=_mongod_after),
        Process("kafka", "store", _kafka, _kafka_ready, env=_kafka_env, before=_kafka_before, after=_kafka_after),
        Process("minio", "store", _minio, _minio_ready, env=_minio_env, before=_minio_before, after=_minio_after),
        Process("sandbox-pki", "sandbox", _sandbox("pki"), _http_ready("sandbox-pki", "/health")),
        *(
            Process(f"sandbox-{part}", "sandbox", command, _http_ready(f"sandbox-{part}", "/health"), ("sandbox-pki",))
            for part, command in (
                ("provider", _sandbox_provider("provider", "csc", "")),
                ("sp769", _sandbox_provider("sp769", "sp769", "smartca")),
                ("mysign", _sandbox_provider("mysign", "mysign", "mysign")),
            )
        ),
        Process("sandbox-gateway", "sandbox", _sandbox_gateway, _http_ready("sandbox-gateway", "/health"), ("sandbox-pki",)),
        Process("sandbox-admissions", "sandbox", _sandbox_admissions, _http_ready("sandbox-admissions", "/health"), ("sandbox-pki",)),
        Process("sandbox-idp", "sandbox", _sandbox_idp, _http_ready("sandbox-idp", "/health")),
        Process("sandbox-sector", "sandbox", _sandbox_sector, _http_ready("sandbox-sector", "/health")),
        *(process for service in SERVICES for process in _service(service)),
        Process("gateway", "gateway", gateway.command, gateway.ready, before=gateway.render, grace_seconds=10.0),
    )


def chosen(only: frozenset[str] | None) -> tuple[Process, ...]:
    """All, or the named ones and what they need. Raises ValueError for an unknown name."""
    everything = {process.name: process for process in all_processes()}
    if only is None:
        return tuple(everything.values())
    unknown = only - everything.keys()
    if unknown:
        raise ValueError(f"no such process: {', '.join(sorted(unknown))} (there are: {', '.join(everything)})")
    wanted: set[str] = set()
    todo = list(only)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo.extend(everything[name].needs)
    return tuple(process for name, process in everything.items() if name in wanted)


def _http_ready(process: str, path: str) -> Callable[[Instance], bool]:
    def ready(instance: Instance) -> bool:
        try:
            with urllib.request.urlopen(f"{instance.url(process)}{path}", timeout=2) as answer:  # noqa: S310 - http, own process
                return bool(answer.status == http.client.OK)
        except (OSError, http.client.HTTPException):
            return False

    return ready


# --- stores ------------------------------------------------------------------------------------------------------------


def _mongod(instance: Instance) -> list[str]:
    return [
        str(parts.required(parts.mongod(), "mongod")),
        *("--bind_ip", LOOPBACK, "--port", str(instance.ports["mongod"]), "--nounixsocket"),
        *("--dbpath", str(instance.data("mongod")), "--replSet", stores.REPLICA_SET, "--oplogSize", "512"),
        *("--keyFile", str(instance.secrets / "mongo-key"), "--networkMessageCompressors", "disabled"),
        *("--wiredTigerCacheSizeGB", "0.5", "--setParameter", "diagnosticDataCollectionEnabled=false"),
        # what a killed process left open holds its documents no longer than this
        *("--setParameter", "transactionLifetimeLimitSeconds=30"),
    ]


def _mongod_before(instance: Instance) -> None:
    instance.data("mongod").mkdir(parents=True, exist_ok=True)


def _mongod_ready(instance: Instance) -> bool:
    return stores.mongo_answers(instance.address("mongod"))


def _mongod_after(instance: Instance) -> None:
    address = instance.address("mongod")
    stores.prepare_mongo(address, address, instance.secret)


def _kafka_java(*arguments: str) -> list[str]:
    log = parts.ROOT / "infra" / "kafka" / "log4j2.properties"
    return [
        str(parts.required(parts.java(), f"java {parts.JAVA_OLDEST}")),
        *(f"-Xms{KAFKA_HEAP_MB // 2}m", f"-Xmx{KAFKA_HEAP_MB}m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
        *("-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={log}", "-cp", f"{parts.kafka_jars()}/*"),
        *arguments,
    ]


def _kafka(instance: Instance) -> list[str]:
    return _kafka_java("kafka.Kafka", str(instance.config("kafka") / "server.properties"))


def _kafka_before(instance: Instance) -> None:
    """Write the settings; give an empty log directory its cluster id, which the broker insists on."""
    if not parts.kafka_jars_present():
        raise parts.PartMissingError("Kafka's jars are missing: run `python infra/setup.py`")
    data, config = instance.data("kafka"), instance.config("kafka")
    data.mkdir(parents=True, exist_ok=True)
    config.mkdir(parents=True, exist_ok=True)
    values = {
        "HOCBA_HOST": LOOPBACK,
        "HOCBA_BIND": LOOPBACK,
        "HOCBA_KAFKA_PORT": str(instance.ports["kafka"]),
        "HOCBA_CONTROLLER_PORT": str(instance.ports["kafka-controller"]),
        "HOCBA_DATA": str(data),
    }
    settings = config / "server.properties"
    settings.write_text(gateway.fill(parts.ROOT / "infra" / "kafka" / "server.properties.template", values))
    if not (data / "meta.properties").is_file():
        # compiling at once, not well, is what a program of two seconds needs
        command = _kafka_java("-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "-t", KAFKA_CLUSTER_ID, "-c", str(settings))
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=instance.home)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage was not formatted:\n{done.stdout}{done.stderr}")


def _kafka_env(instance: Instance) -> Mapping[str, str]:
    return {"LOG_DIR": str(instance.logs)}


def _kafka_ready(instance: Instance) -> bool:
    try:
        with socket.create_connection((LOOPBACK, instance.ports["kafka"]), timeout=1):
            return True
    except OSError:
        return False


def _kafka_after(instance: Instance) -> None:
    stores.prepare_kafka(instance.address("kafka"))


def _minio(instance: Instance) -> list[str]:
    binary = parts.required(parts.minio(), "minio")
    return [str(binary), "server", "--address", instance.address("minio"), "--quiet", str(instance.data("minio"))]


def _minio_before(instance: Instance) -> None:
    instance.data("minio").mkdir(parents=True, exist_ok=True)


def _minio_env(instance: Instance) -> Mapping[str, str]:
    return {
        "MINIO_ROOT_USER": stores.ROOT,
        "MINIO_ROOT_PASSWORD_FILE": str(instance.secrets / "minio-root"),
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_SCANNER_SPEED": "slowest",
        "GOMEMLIMIT": "512MiB",
    }


_minio_ready = _http_ready("minio", "/minio/health/ready")


def _minio_after(instance: Instance) -> None:
    stores.prepare_objects(instance.address("minio"), instance.secret)


# --- sandbox and services ----------------------------------------------------------------------------------------------


def _sandbox(part: str, program: str = "") -> Callable[[Instance], list[str]]:
    def command(instance: Instance) -> list[str]:
        port = str(instance.ports[f"sandbox-{part}"])
        return [sys.executable, "-m", f"infra.sandbox.{program or part}", "--dir", str(instance.sandbox), "--port", port]

    return command


def _sandbox_provider(part: str, protocol: str, provider: str) -> Callable[[Instance], list[str]]:
    """`provider` is its id in the services' configuration, for its webhooks; "" for a protocol without them."""

    def command(instance: Instance) -> list[str]:
        client = str(instance.secrets / f"{protocol}-client")
        hook = f"{instance.public_url}/api/signing/provider-callbacks/{provider}"
        told = ["--webhook", hook, "--webhook-ca-file", str(instance.tls / "ca.pem")] if provider else []
        return [*_sandbox(part, "provider")(instance), "--protocol", protocol, "--client-secret-file", client, *told]

    return command


def _sandbox_gateway(instance: Instance) -> list[str]:
    secret, trust = instance.secrets / "gateway-callback", instance.tls / "ca.pem"
    calls = ["--callback-secret-file", str(secret), "--callback-ca-file", str(trust), "--workers", "2"]
    return [*_sandbox("gateway")(instance), *calls, *_door(instance, "sandbox-gateway")]


def _sandbox_admissions(instance: Instance) -> list[str]:
    return [*_sandbox("admissions")(instance), *_door(instance, "sandbox-admissions")]


def _door(instance: Instance, process: str) -> list[str]:
    """Mutual TLS: what the outside system presents, and the port where it asks for the service's certificate."""
    own = ["--tls-certificate", str(instance.tls / "outside.pem"), "--tls-key", str(instance.tls / "outside.key")]
    return ["--tls-port", str(instance.ports[f"{process}-tls"]), *own]


def _sandbox_idp(instance: Instance) -> list[str]:
    return [*_sandbox("idp")(instance), "--client-secret-file", str(instance.secrets / "openid-client")]


def _sandbox_sector(instance: Instance) -> list[str]:
    samples = [word for name in SAMPLE_SCHOOLS for word in ("--school", str(parts.ROOT / "samples" / name))]
    return [*_sandbox("sector")(instance), "--secret-file", str(instance.secrets / "sector"), *samples]


def _service(service: str) -> tuple[Process, Process]:
    needs = (*STORES, "sandbox-pki")

    def command(*roles: str) -> Callable[[Instance], list[str]]:
        return lambda _: [sys.executable, "-m", f"services.{service}", *roles]

    def env(instance: Instance) -> Mapping[str, str]:
        return service_environment(instance, service)

    return (
        Process(f"{service}-web", "service", command("web"), _http_ready(f"{service}-web", "/readyz"), needs, env),
        Process(f"{service}-worker", "service", command("worker", "relay"), _http_ready(f"{service}-worker", "/readyz"), needs, env),
    )


def service_environment(instance: Instance, service: str) -> dict[str, str]:
    """What a service is told; secrets by file, and only those that are its own."""
    secrets, sandbox = instance.secrets, instance.sandbox
    common = {
        "HOCBA_INSTANCE": instance.name,
        "HOCBA_LOG_LEVEL": os.environ.get("HOCBA_LOG_LEVEL", "INFO"),
        "HOCBA_HOST": LOOPBACK,
        "HOCBA_PORT": str(instance.ports[f"{service}-web"]),
        "HOCBA_ADMIN_PORT": str(instance.ports[f"{service}-worker"]),
        "HOCBA_MONGO_URL": instance.mongo_url,
        "HOCBA_MONGO_USER": service,
        "HOCBA_MONGO_PASSWORD_FILE": str(secrets / f"mongo-{service}"),
        "HOCBA_KAFKA": instance.address("kafka"),
        "HOCBA_OBJECTS": instance.address("minio"),
        "HOCBA_OBJECTS_USER": service,
        "HOCBA_OBJECTS_PASSWORD_FILE": str(secrets / f"minio-{service}"),
        "HOCBA_PUBLIC_URL": instance.public_url,
        "HOCBA_TOKEN_KEYS_FILE": str(secrets / "token-keys.jwks"),
        "HOCBA_TRUST_DIR": str(sandbox / "trust"),
        "HOCBA_CA_FILE": str(instance.tls / "ca.pem"),
        # DEMO ONLY: nobody is made to have a second factor; an installation for real schools leaves this line out
        "HOCBA_SECOND_FACTOR": "off-for-demo",
    }
    providers = {"HOCBA_PROVIDERS_FILE": str(instance.home / "providers.json")}
    own: dict[str, dict[str, str]] = {
        "identity": {
            **providers,
            "HOCBA_TOKEN_SIGNING_KEY_FILE": str(secrets / "token-signing.jwk"),
            "HOCBA_SEALING_KEY_FILE": str(secrets / "identity-sealing-key"),
            "HOCBA_FACTOR_KEY_FILE": str(secrets / "factor-key"),
            "HOCBA_AGENT_KEY_FILE": str(secrets / "agent-jobs.jwk"),
            "HOCBA_SIGN_IN_PROVIDERS_FILE": str(instance.home / "sign-in-providers.json"),
        },
        "signing": {
            **providers,
            "HOCBA_SEALING_KEY_FILE": str(secrets / "sealing-key"),
            "HOCBA_TSA_URL": f"{instance.url('sandbox-pki')}/tsa",
            "HOCBA_AGENT_KEY_FILE": str(secrets / "agent-jobs.jwk"),
        },
        "records": {
            "HOCBA_SERVICE_KEY_FILE": str(secrets / "records-service.key"),
            "HOCBA_SERVICE_CERT_FILE": str(secrets / "records-service.pem"),
            "HOCBA_PACKAGE_TRUST_FILE": str(secrets / "package-trust.pem"),
            "HOCBA_SECTOR_URL": instance.url("sandbox-sector"),
            "HOCBA_SECTOR_SECRET_FILE": str(secrets / "sector"),
        },
        "publishing": {
            "HOCBA_GATEWAY_URL": instance.outside_url("sandbox-gateway"),
            "HOCBA_ADMISSIONS_URL": instance.outside_url("sandbox-admissions"),
            "HOCBA_GATEWAY_CALLBACK_SECRET_FILE": str(secrets / "gateway-callback"),
            "HOCBA_CONSUMERS_FILE": str(instance.home / "consumers.json"),
            "HOCBA_SERVICE_KEY_FILE": str(sandbox / "publishing-service.key"),
            "HOCBA_SERVICE_CERT_FILE": str(sandbox / "publishing-service.pem"),
        },
    }
    return {**common, **own.get(service, {})}
