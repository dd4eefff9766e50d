"""One way through for events and for time, so that nobody goes round the outbox or the clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infra.generate import ROOT
from tests.architecture.sources import below, calls, dotted, imported, place, tree

CHASSIS = ROOT / "services" / "chassis"
SENDERS = {
    CHASSIS / "kafka.py": "makes the producer; a consumer gives up to the dead letters with it",
    CHASSIS / "relay.py": "hands the outbox over",
    CHASSIS / "deadletter.py": "replays dead letters",
    CHASSIS / "snapshots.py": "republishes what stands, past the outbox: nothing of it is new",
    CHASSIS / "process.py": "makes one producer a process and gives it to the relay and the readers",
}
CLOCK = CHASSIS / "clock.py"
WALL_CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")


def sends(module: ast.Module) -> list[int]:
    """Lines on which something is sent to Kafka, or a producer is at hand to do so."""
    sending = [line for name, line in calls(module) if name.rpartition(".")[2] in {"publish", "publish_batch", "send_all", "send_raw"}]
    producers = {"Producer", "producer", "AIOKafkaProducer"}
    at_hand = [line for source, name, line in imported(module) if name in producers and "kafka" in source]
    return sending + at_hand


def asks_the_time(module: ast.Module) -> list[int]:
    names = {
        alias.asname or alias.name: alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    from_time = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if f"time.{alias.name}" in WALL_CLOCKS
    }
    found = []
    for node in ast.walk(module):
        if not isinstance(node, (ast.Attribute, ast.Name)):
            continue
        first, _, rest = dotted(node).partition(".")
        name = f"{names.get(first, first)}.{rest}" if rest else first
        if name in from_time or any(name == clock or name.endswith(f".{clock}") for clock in WALL_CLOCKS):
            found.append(node.lineno)
    return found


def test_only_the_chassis_sends_to_kafka() -> None:
    found = [place(path, line) for path in below("services", "contracts") if path not in SENDERS for line in sends(tree(path))]
    assert found == []


def test_every_file_that_may_send_does_send() -> None:
    assert [place(path) for path in SENDERS if not sends(tree(path))] == []


@pytest.mark.parametrize(
    "text",
    [
        "await broker.publish(x)",
        "self.producer.send_all([])",
        "from aiokafka import AIOKafkaProducer",
        "from services.chassis.kafka import producer",
    ],
)
def test_a_sender_in_a_service_would_be_seen(text: str) -> None:
    assert sends(ast.parse(text)) == [1]


def test_only_the_clock_asks_what_time_it_is() -> None:
    found = [place(path, line) for path in below("services", "contracts") if path != CLOCK for line in asks_the_time(tree(path))]
    assert found == []
    assert asks_the_time(tree(CLOCK))


@pytest.mark.parametrize(
    "text",
    [
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import datetime as D\nD.now()",
        "from datetime import date\nfield(default_factory=date.today)",
        "import time\ntime.time()",
        "from time import time\ntime()",
    ],
)
def test_a_wall_clock_in_a_service_would_be_seen(text: str) -> None:
    assert asks_the_time(ast.parse(text))[-1] == 2


@pytest.mark.parametrize(
    "text", ["import time\ntime.monotonic()", "import time\ntime.perf_counter()", "clock.now()", "datetime.timedelta(1)"]
)
def test_measuring_a_duration_is_not_asking_the_time(text: str) -> None:
    assert asks_the_time(ast.parse(text)) == []


def test_the_rules_look_at_every_service() -> None:
    services: set[Path] = {path.relative_to(ROOT / "services").parents[-2] for path in below("services") if path.parent.name != "services"}
    assert {"identity", "records", "signing", "publishing", "district", "chassis", "means"} <= {str(s) for s in services}
