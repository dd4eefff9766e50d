"""One instance of the stack: its directory, its ports, its addresses and the file that tells others about it."""

import json
import os
import socket
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.stack import parts

SERVICES = ("identity", "records", "signing", "publishing", "district")
SANDBOX = ("pki", "provider", "sp769", "mysign", "gateway", "admissions", "idp", "sector")
BUCKETS = ("identity", "records", "signing", "publishing", "archive")
LOOPBACK = "127.0.0.1"
# below the range from which Linux takes the ports of outgoing connections
LOWEST_OTHER_PORT = 20000
HIGHEST_OTHER_PORT = 32000

USUAL_PORTS: dict[str, int] = {
    "mongod": 27017,
    "kafka": 9092,
    "kafka-controller": 9093,
    "minio": 9000,
    "gateway": 8443,
    "sandbox-pki": 8601,
    "sandbox-provider": 8602,
    "sandbox-gateway": 8603,
    "sandbox-idp": 8604,
    "sandbox-sector": 8605,
    "sandbox-sp769": 8606,
    "sandbox-mysign": 8607,
    "sandbox-admissions": 8608,
    "sandbox-gateway-tls": 8613,
    "sandbox-admissions-tls": 8618,
    **{f"{service}-web": 8101 + index for index, service in enumerate(SERVICES)},
    **{f"{service}-worker": 8201 + index for index, service in enumerate(SERVICES)},
}


@dataclass(frozen=True)
class Instance:
    name: str
    ports: Mapping[str, int] = field(hash=False)

    @property
    def home(self) -> Path:
        return home(self.name)

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def tls(self) -> Path:
        return self.home / "tls"

    @property
    def sandbox(self) -> Path:
        return self.home / "sandbox"

    def data(self, process: str) -> Path:
        return self.home / "data" / process

    def config(self, process: str) -> Path:
        return self.home / "config" / process

    def address(self, process: str) -> str:
        return f"{LOOPBACK}:{self.ports[process]}"

    def url(self, process: str) -> str:
        return f"http://{self.address(process)}"

    def outside_url(self, process: str) -> str:
        """Of an outside system that asks for mutual TLS."""
        return f"https://{self.address(f'{process}-tls')}"

    @property
    def mongo_url(self) -> str:
        """Without credentials: a service's user is kept in the service's database (authSource)."""
        return f"mongodb://{self.address('mongod')}/?replicaSet=hocba"

    @property
    def public_url(self) -> str:
        return f"https://localhost:{self.ports['gateway']}"

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().strip()


def home(name: str) -> Path:
    return parts.ROOT / "var" / name


def description_file(name: str) -> Path:
    return home(name) / "instance.json"


def states_file(name: str) -> Path:
    return home(name) / "processes.json"


def load(name: str = "demo") -> dict[str, Any]:
    """What `instance.json` of a running (or last run) instance says. Raises FileNotFoundError when it never ran."""
    described: dict[str, Any] = json.loads(description_file(name).read_text())
    return described


def load_states(name: str = "demo") -> dict[str, dict[str, Any]]:
    """Process name → {pid, started, state, restarts, peak_rss_mb, peak_pss_mb}; empty when the instance never ran.

    Peaks: of the largest single process, and of it with all that it started, shared pages counted once.
    """
    path = states_file(name)
    states: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else {}
    return states


def describe(instance: Instance, pids: Mapping[str, int], *, ready: bool) -> dict[str, Any]:
    """The contents of instance.json."""
    return {
        "instance": instance.name,
        "home": str(instance.home),
        "ready": ready,
        "supervisor": os.getpid(),
        "public_url": instance.public_url,
        "ca_file": str(instance.tls / "ca.pem"),
        "mongo_url": instance.mongo_url,
        "kafka": instance.address("kafka"),
        "objects": instance.address("minio"),
        "services": {service: {"web": instance.url(f"{service}-web"), "admin": instance.url(f"{service}-worker")} for service in SERVICES},
        "sandbox": {
            "dir": str(instance.sandbox),
            "trust": str(instance.sandbox / "trust"),
            **{part: instance.url(f"sandbox-{part}") for part in SANDBOX},
        },
        "secrets": {path.name: str(path) for path in sorted(instance.secrets.iterdir())} if instance.secrets.is_dir() else {},
        "ports": dict(instance.ports),
        "pids": dict(pids),
        "logs": str(instance.logs),
    }


def write_json(path: Path, content: object) -> None:
    """Readers see the old file or the new one, never half of it."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def choose_ports(name: str) -> dict[str, int]:
    """The usual ports for `demo`, a block of their own for others; a port in use gives way to the next free one.

    An instance that ran before keeps its ports where they are still free.
    """
    block = LOWEST_OTHER_PORT + zlib.crc32(name.encode()) % 200 * 50
    path = description_file(name)
    before: dict[str, int] = json.loads(path.read_text())["ports"] if path.is_file() else {}
    chosen: dict[str, int] = {}
    for index, (process, usual) in enumerate(USUAL_PORTS.items()):
        wanted = before.get(process) or (usual if name == "demo" else block + index)
        while wanted in chosen.values() or not port_is_free(wanted):
            wanted = wanted + 1 if wanted < HIGHEST_OTHER_PORT else LOWEST_OTHER_PORT
        chosen[process] = wanted
    return chosen


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
