"""The supervisor with small processes of its own: order, deaths, purpose, and that nothing outlives it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.stack import leftovers, parts
from infra.stack.instance import Instance, load, load_states
from infra.stack.processes import Process
from infra.stack.supervisor import State, Supervisor
from tests.patience import PATIENCE, eventually

FOREVER = "import time\nwhile True: time.sleep(0.05)"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    monkeypatch.setattr("infra.stack.supervisor.LONGEST_PAUSE_SECONDS", 0.1)
    made = Instance("unit", {})
    monkeypatch.setattr("infra.stack.supervisor.describe", lambda instance, pids, ready: {"pids": dict(pids), "ready": ready})
    made.logs.mkdir(parents=True)
    return made


@pytest.fixture
def supervise(instance: Instance) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def make(*processes: Process, report: Callable[[str], None] = lambda _: None) -> Supervisor:
        supervisor = Supervisor(instance, processes, report)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield make
    for supervisor in started:
        supervisor.stop()


def python(name: str, code: str = FOREVER, *, needs: tuple[str, ...] = (), kind: str = "service", **more: object) -> Process:
    return Process(name, kind, lambda _: [sys.executable, "-c", code], lambda _: True, needs, **more)  # type: ignore[arg-type]  # test shorthand


def pid_of(supervisor: Supervisor, name: str) -> int:
    child = supervisor.running[name].child
    assert child is not None
    return child.pid


def alive(pid: int) -> bool:
    row = leftovers.seen(pid)
    return row is not None and not row.zombie


def test_a_process_starts_only_after_what_it_needs_was_set_up(supervise: Callable[..., Supervisor]) -> None:
    order: list[str] = []
    store = python("store", kind="store", after=lambda _: order.append("store set up"))
    service = python("service", needs=("store",), before=lambda _: order.append("service prepared"))
    supervisor = supervise(service, store)
    assert supervisor.all_ready.wait(PATIENCE)
    assert order == ["store set up", "service prepared"]


def test_a_service_that_dies_is_started_again(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("service"))
    assert supervisor.all_ready.wait(PATIENCE)
    first = pid_of(supervisor, "service")
    supervisor.running["service"].child.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # just seen running
    eventually(lambda: supervisor.running["service"].restarts == 1 and supervisor.running["service"].state is State.READY)
    assert pid_of(supervisor, "service") != first
    assert not supervisor.ended.is_set()


def test_the_fifth_death_within_a_minute_stops_everything(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("steady"), python("broken", "import sys; print('no such table'); sys.exit(3)"))
    assert supervisor.ended.wait(PATIENCE)
    assert supervisor.failure is not None
    assert "the 5th death" in supervisor.failure
    assert "status 3" in supervisor.failure
    assert "no such table" in supervisor.failure
    assert supervisor.running["broken"].restarts == 4
    assert supervisor.running["steady"].state is State.STOPPED


def test_the_death_of_a_store_stops_everything(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("store", kind="store"), python("service", needs=("store",)))
    assert supervisor.all_ready.wait(PATIENCE)
    service = pid_of(supervisor, "service")
    supervisor.running["store"].child.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # just seen running
    assert supervisor.ended.wait(PATIENCE)
    assert supervisor.failure is not None
    assert supervisor.failure.startswith("store died (by SIGKILL)")
    assert not alive(service)


def test_a_store_restarted_on_purpose_stops_nothing(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("store", kind="store"), python("service", needs=("store",)))
    assert supervisor.all_ready.wait(PATIENCE)
    store, service = pid_of(supervisor, "store"), pid_of(supervisor, "service")
    supervisor.request(lambda: supervisor.end_one("store", signal.SIGKILL, again=True))
    eventually(lambda: supervisor.running["store"].state is State.READY)
    assert pid_of(supervisor, "store") != store
    assert pid_of(supervisor, "service") == service


def test_a_failed_step_names_the_process_and_its_reason(supervise: Callable[..., Supervisor]) -> None:
    def fail(_: Instance) -> None:
        raise RuntimeError("no room on the disk")

    supervisor = supervise(python("store", kind="store", before=fail))
    assert supervisor.ended.wait(PATIENCE)
    assert supervisor.failure == "store could not be prepared: no room on the disk"


def test_processes_stop_before_what_they_need(supervise: Callable[..., Supervisor], instance: Instance) -> None:
    record = instance.home / "order"
    code = f"""
import signal, sys, time
def end(*_):
    open({str(record)!r}, "a").write(sys.argv[1])
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True: time.sleep(0.05)
"""

    def process(name: str, *needs: str) -> Process:
        def up(made: Instance) -> bool:
            return "up" in (made.logs / f"{name}.log").read_text()

        return Process(name, "service", lambda _: [sys.executable, "-c", code, name], up, needs)

    supervisor = supervise(process("a"), process("b", "a"), process("c", "b"))
    assert supervisor.all_ready.wait(PATIENCE)
    supervisor.stop()
    assert record.read_text() == "cba"


def test_what_a_dead_process_had_started_does_not_outlive_it(supervise: Callable[..., Supervisor], instance: Instance) -> None:
    code = (
        f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\nprint(child.pid, flush=True)\nchild.wait()"
    )
    supervisor = supervise(python("service", code))
    log = instance.logs / "service.log"
    eventually(lambda: log.is_file() and log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    supervisor.running["service"].child.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # just seen running
    eventually(lambda: not alive(grandchild))


def test_states_and_peak_memory_are_written_for_others(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("service", "block = bytearray(64 * 2**20)\n" + FOREVER))
    eventually(lambda: load_states("unit").get("service", {}).get("peak_rss_mb", 0) > 64)
    assert load("unit")["pids"] == {"service": pid_of(supervisor, "service")}
    assert load_states("unit")["service"]["state"] == "ready"


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, threading
sys.path.insert(0, {str(parts.ROOT)!r})
from pathlib import Path
from infra.stack import parts
parts.ROOT = Path({str(tmp_path)!r})
from infra.stack import supervisor
from infra.stack.instance import Instance
from infra.stack.processes import Process
supervisor.describe = lambda instance, pids, ready: {{"pids": dict(pids), "ready": ready}}
one = Process("service", "service", lambda _: [sys.executable, "-c", {FOREVER!r}], lambda _: True)
instance = Instance("unit", {{}})
instance.logs.mkdir(parents=True)
made = supervisor.Supervisor(instance, (one,), print)
made.start()
made.all_ready.wait()
print(made.running["service"].child.pid, flush=True)
threading.Event().wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = next(int(line) for line in supervisor.stdout if line.strip().isdigit())
        assert alive(pid)
        supervisor.kill()
    eventually(lambda: not alive(pid))


def test_recorded_processes_are_found_again_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    # a parent that ignores SIGTERM, with a child in the same session
    code = f"""
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", {FOREVER!r}])
print("up", flush=True)
{FOREVER}
"""
    monkeypatch.setattr(leftovers, "END_WITHIN_SECONDS", 1.0)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as left:
        assert left.stdout is not None
        left.stdout.readline()
        row = leftovers.seen(left.pid)
        assert row is not None
        states = {"service": {"pid": left.pid, "started": row.started, "boot": leftovers.boot_id()}}
        assert leftovers.left_of(states) == [left.pid]
        waiting = threading.Thread(target=left.wait)
        waiting.start()
        leftovers.end(leftovers.left_of(states))
        waiting.join()
        assert leftovers.left_of(states) == []


def test_another_process_with_a_recorded_number_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", FOREVER], start_new_session=True) as stranger:
        row = leftovers.seen(stranger.pid)
        assert row is not None
        known = {"pid": stranger.pid, "started": row.started, "boot": leftovers.boot_id()}
        assert leftovers.left_of({"service": {**known, "started": row.started - 100}}) == []
        assert leftovers.left_of({"service": {**known, "boot": "another boot"}}) == []
        stranger.kill()
