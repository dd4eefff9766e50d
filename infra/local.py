"""The whole system as plain processes: `python infra/local.py up|down|status|logs|prepare [--instance NAME]`.

Tests and the demo use `Stack`, `up_detached`, `down`, `load` and `load_states` from here.
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from infra.stack import credentials, leftovers
from infra.stack.instance import Instance, choose_ports, description_file, home, load, load_states
from infra.stack.processes import chosen
from infra.stack.supervisor import Report, StackError, State, Supervisor, last_lines

__all__ = ["Stack", "StackError", "down", "load", "load_states", "up_detached"]

READY_WITHIN_SECONDS = 300.0
DOWN_WITHIN_SECONDS = 120.0


def _say(text: str) -> None:
    print(text, flush=True)


class Stack:
    """One instance, supervised by this process; a context manager that starts and stops it.

    `only` names processes (with what they need), all when left out. `fresh` forgets the data of earlier runs.
    `extra_env` adds variables per process name. Raises StackError when it cannot start.
    """

    def __init__(
        self,
        instance: str = "demo",
        *,
        only: Iterable[str] | None = None,
        fresh: bool = False,
        extra_env: Mapping[str, Mapping[str, str]] | None = None,
        report: Report = _say,
    ) -> None:
        self.name = instance
        self._processes = chosen(frozenset(only) if only is not None else None)
        self._fresh = fresh
        self._extra_env = extra_env or {}
        self._report = report
        self._lock: TextIO | None = None
        self._supervisor: Supervisor | None = None

    def start(self) -> Self:
        """Returns when every process is ready."""
        self._lock = _take_lock(self.name)
        if self._lock is None:
            raise StackError(f"instance {self.name!r} is already up (`python infra/local.py down --instance {self.name}`)")
        try:
            _clean_up(self.name, self._report)
            if self._fresh:
                _forget(self.name)
            instance = Instance(self.name, choose_ports(self.name))
            credentials.generate(instance)
            instance.logs.mkdir(parents=True, exist_ok=True)
            self._supervisor = Supervisor(instance, self._processes, self._report, self._extra_env)
            self._supervisor.start()
            self._wait_until_ready(self._supervisor)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_until_ready(self, supervisor: Supervisor) -> None:
        while not supervisor.all_ready.wait(0.1):
            if supervisor.ended.is_set():
                raise StackError(supervisor.failure or "the stack was stopped while it started")

    def stop(self) -> None:
        """Stops everything in reverse order; harmless when nothing runs."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def instance(self) -> Instance:
        return self._running.instance

    @property
    def info(self) -> dict[str, Any]:
        """The contents of instance.json."""
        return load(self.name)

    @property
    def failure(self) -> str | None:
        """Why the stack stopped by itself, if it did."""
        return self._running.failure

    def pid(self, process: str) -> int | None:
        child = self._running.running[process].child
        return child.pid if child else None

    def state(self, process: str) -> State:
        return self._running.running[process].state

    def restarts(self, process: str) -> int:
        """How often it died and was started again."""
        return self._running.running[process].restarts

    def kill(self, process: str, signum: signal.Signals = signal.SIGKILL) -> None:
        """As an accident: one of ours is started again, a store's death ends the stack."""
        pid = self.pid(process)
        if pid is None:
            raise StackError(f"{process} does not run")
        os.kill(pid, signum)

    def end(self, process: str, signum: signal.Signals = signal.SIGTERM) -> None:
        """On purpose: stays down until `begin`, stores too."""
        self._running.request(lambda: self._running.end_one(process, signum, again=False))

    def begin(self, process: str) -> None:
        """Starts what `end` stopped; returns when it is ready."""
        self._running.request(lambda: self._running.begin_one(process))
        self.wait_ready(process)

    def restart(self, process: str, signum: signal.Signals = signal.SIGTERM) -> None:
        """On purpose, stores too (SIGKILL for a crash); returns when it is ready again."""
        self._running.request(lambda: self._running.end_one(process, signum, again=True))
        self.wait_ready(process)

    def arm(self, failpoints: Mapping[str, str]) -> None:
        """Process name → `name` or `name:nth` of services/chassis/failpoints.py: each is started anew and dies there as by `kill -9`.

        The supervisor then starts it again without; any other death counts as usual. Replaces what was armed before. Returns when
        all are ready. Raises KeyError for an unknown process.
        """
        unknown = failpoints.keys() - self._running.running.keys()
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        concerned = failpoints.keys() | self.armed().keys()
        self._running.request(lambda: self._running.arm(failpoints))
        for process in concerned:
            self.wait_ready(process)

    def armed(self) -> dict[str, str]:
        """What `arm` asked for and has not happened yet."""
        return {name: one.failpoint for name, one in self._running.running.items() if one.failpoint is not None}

    def wait_ready(self, process: str, seconds: float = READY_WITHIN_SECONDS) -> None:
        """Raises StackError when the stack stops meanwhile, TimeoutError when it takes too long."""
        deadline = time.monotonic() + seconds
        while self.state(process) is not State.READY:
            if self._running.ended.is_set():
                raise StackError(self._running.failure or "the stack has stopped")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{process} was not ready within {seconds:.0f} s")
            time.sleep(0.05)

    def wait_ended(self, seconds: float | None = None) -> bool:
        """Waits until the stack has stopped by itself; False when it has not within `seconds`."""
        return self._running.ended.wait(seconds)

    def peak_memory_mb(self) -> dict[str, float]:
        """The most seen per process of the list, with what it started itself, shared pages counted once (sampled each second)."""
        return {name: one.memory.together_mb for name, one in self._running.running.items()}

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise StackError("the stack has not been started")
        return self._supervisor


def _take_lock(name: str) -> TextIO | None:
    """Held while an instance is up; the kernel gives it back however its holder ends. None when somebody has it."""
    home(name).mkdir(parents=True, exist_ok=True)
    lock = (home(name) / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _clean_up(name: str, report: Report) -> None:
    left = leftovers.left_of(load_states(name))
    if left:
        report(f"ending {len(left)} processes that an earlier run left behind")
        leftovers.end(left)


def _forget(name: str) -> None:
    for entry in home(name).iterdir():
        if entry.name in {"lock", "up.log"}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def up_detached(name: str = "demo", *, only: Iterable[str] = (), fresh: bool = False) -> dict[str, Any]:
    """Bring the instance up in a process of its own and return instance.json once it is ready; nothing new if it is up.

    Raises StackError with what it said when it ends before that.
    """
    lock = _take_lock(name)
    if lock is None:
        _say(f"instance {name!r} is already up")
        return load(name)
    lock.close()
    log = home(name) / "up.log"
    command = [sys.executable, str(Path(__file__).resolve()), "up", "--instance", name, *(["--fresh"] if fresh else [])]
    for process in only:
        command += ["--only", process]
    with log.open("w") as output:
        supervisor = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    with log.open() as said:
        while time.monotonic() < deadline:
            ended = supervisor.poll() is not None
            for line in said:
                _say(line.rstrip("\n"))
            if ended:
                raise StackError(f"the stack did not come up ({log}):\n{last_lines(log)}")
            if _is_ready(name, supervisor.pid):
                return load(name)
            time.sleep(0.1)
    down(name)
    raise StackError(f"the stack was not ready within {READY_WITHIN_SECONDS:.0f} s ({log})")


def _is_ready(name: str, supervisor: int) -> bool:
    if not description_file(name).is_file():
        return False
    described = load(name)
    return bool(described["ready"]) and described["supervisor"] == supervisor


def down(name: str = "demo") -> bool:
    """Stop the instance and whatever an earlier run left behind; False when nothing ran."""
    lock = _take_lock(name)
    was_up = lock is None
    if lock is None:
        os.kill(int(load(name)["supervisor"]), signal.SIGTERM)
        deadline = time.monotonic() + DOWN_WITHIN_SECONDS
        while lock is None:
            if time.monotonic() > deadline:
                raise StackError(f"instance {name!r} did not stop within {DOWN_WITHIN_SECONDS:.0f} s")
            time.sleep(0.1)
            lock = _take_lock(name)
    try:
        left = leftovers.left_of(load_states(name))
        leftovers.end(left)
    finally:
        lock.close()
    return was_up or bool(left)


# --- command line ------------------------------------------------------------------------------------------------------


def _up(options: argparse.Namespace) -> int:
    stop: list[int] = []
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, lambda number, _: _interrupted(stop, number))
    stack = Stack(options.instance, only=options.only, fresh=options.fresh)
    started = time.monotonic()
    _say(f"instance {options.instance!r} is starting")
    try:
        stack.start()
        _say(f"ready in {time.monotonic() - started:.1f} s: {stack.info['public_url']}")
        while not stack.wait_ended(1.0):
            continue
    except KeyboardInterrupt:
        _say("stopping")
        stack.stop()
        return 0
    except StackError as error:
        _say(f"instance {options.instance!r} did not start: {str(error).splitlines()[0]}")
        return 1
    stack.stop()
    return 1


def _interrupted(stop: list[int], number: int) -> None:
    """The first signal ends waiting; later ones must not cut short the stopping."""
    stop.append(number)
    if len(stop) == 1:
        raise KeyboardInterrupt


def _up_command(options: argparse.Namespace) -> int:
    if not options.detach:
        return _up(options)
    try:
        described = up_detached(options.instance, only=options.only or (), fresh=options.fresh)
    except StackError as error:
        _say(str(error).splitlines()[0])
        return 1
    _say(f"up: {described['public_url']} (stop: python infra/local.py down --instance {options.instance})")
    return 0


def _down_command(options: argparse.Namespace) -> int:
    try:
        _say("stopped" if down(options.instance) else "nothing was running")
    except StackError as error:
        _say(str(error))
        return 1
    return 0


def _status_command(options: argparse.Namespace) -> int:
    """Exit status 0 when everything that should run is ready."""
    lock = _take_lock(options.instance)
    states = load_states(options.instance)
    if lock is not None:
        lock.close()
        _say(f"instance {options.instance!r} is not up")
        return 1
    ports = load(options.instance)["ports"]
    for name, state in states.items():
        row = (f"{name:20}", f"{state['state']:9}", f"port {ports[name]:5}", f"pid {state['pid']!s:>7}")
        _say("  ".join([*row, f"restarts {state['restarts']}", f"{state['peak_pss_mb']:7.1f} MB"]))
    return 0 if all(state["state"] == State.READY.value for state in states.values()) else 1


def _logs_command(options: argparse.Namespace) -> int:
    path = home(options.instance) / "log" / f"{options.name}.log"
    if not path.is_file():
        there = sorted(entry.stem for entry in path.parent.glob("*.log"))
        _say(f"no log of {options.name!r}; there are: {', '.join(there)}")
        return 1
    _say(last_lines(path, options.lines))
    return 0


def _prepare_command(options: argparse.Namespace) -> int:
    """Secrets and certificates without processes, for compose: readable in containers, the directories closed outside them."""
    instance = Instance(options.instance, choose_ports("demo"))
    credentials.generate(instance)
    for path in [*instance.secrets.iterdir(), *instance.tls.iterdir()]:
        path.chmod(0o444)
    _say(f"secrets and certificates are in {instance.home}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--instance", default="demo")
        sub.set_defaults(run=run)
        return sub

    up = command("up", _up_command, "start everything and watch it")
    up.add_argument("--detach", action="store_true", help="return once ready")
    up.add_argument("--fresh", action="store_true", help="forget the data of earlier runs")
    up.add_argument("--only", action="append", help="this process and what it needs (may be repeated)")
    command("down", _down_command, "stop everything")
    command("status", _status_command, "what runs")
    logs = command("logs", _logs_command, "the last lines of a process's log")
    logs.add_argument("name")
    logs.add_argument("--lines", type=int, default=100)
    command("prepare", _prepare_command, "write secrets and certificates only (for compose)")
    options = parser.parse_args()
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
