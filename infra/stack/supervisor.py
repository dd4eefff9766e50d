"""Starts processes in the order of their needs, watches them, starts ours again, and stops everything."""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

from infra.stack import leftovers, parts
from infra.stack.instance import Instance, describe, description_file, states_file, write_json
from infra.stack.memory import Peaks
from infra.stack.processes import Process

TICK_SECONDS = 0.1
MEMORY_EVERY_SECONDS = 1.0
SLOW_STOP_SECONDS = 5.0
DEATHS_ALLOWED = 5
DEATHS_WITHIN_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
LOG_KEPT_BYTES = 50 * 2**20
LAST_LINES = 25

Report = Callable[[str], None]


class StackError(RuntimeError):
    """The stack could not start, or had to stop; the message holds the last lines of the log concerned."""


class State(StrEnum):
    WAITING = "waiting"  # for what it needs, or for the end of a pause after a death
    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"


@dataclass
class Running:
    """A process of the list and what is happening to it."""

    process: Process
    state: State = State.WAITING
    child: subprocess.Popen[bytes] | None = None
    log: BinaryIO | None = None
    started_ticks: int = 0
    started_at: float = 0.0
    not_before: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    restarts: int = 0
    memory: Peaks = field(default_factory=Peaks)
    step: Future[None] | None = None
    checking: Future[bool] | None = None
    answered: bool = False
    wanted: bool = True
    failpoint: str | None = None


@dataclass
class Supervisor:
    """Everything that forks happens in one thread that lives as long as the stack.

    Children get SIGTERM from the kernel when that thread ends, however it ends, so nothing is left behind.
    """

    instance: Instance
    processes: tuple[Process, ...]
    report: Report
    extra_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.running = {process.name: Running(process) for process in self.processes}
        self.all_ready = threading.Event()
        self.ended = threading.Event()
        self.failure: str | None = None
        self._requests: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        self._stop = threading.Event()
        self._deaths: deque[float] = deque()
        self._steps = ThreadPoolExecutor(8, thread_name_prefix="stack-step")
        self._began = time.monotonic()
        self._memory_at = 0.0
        self._thread = threading.Thread(target=self._run, name="stack", daemon=True)

    # --- asked from other threads ---

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def request(self, work: Callable[[], None]) -> None:
        """Run in the supervising thread; raises what it raises."""
        done: Future[None] = Future()
        self._requests.put((work, done))
        while not done.done() and not self.ended.is_set():
            self.ended.wait(TICK_SECONDS)
        if not done.done():
            raise StackError(self.failure or "the stack has stopped")
        done.result()

    def end_one(self, name: str, signum: signal.Signals, *, again: bool) -> None:
        """Stop a process on purpose, so that its end counts as no death; `again` starts it anew."""
        one = self.running[name]
        self._end([one], signum)
        one.wanted = again
        one.pause = FIRST_PAUSE_SECONDS
        self._reset(one, State.WAITING if again else State.STOPPED)
        self._publish()

    def begin_one(self, name: str) -> None:
        one = self.running[name]
        if one.state is State.STOPPED:
            one.wanted = True
            self._reset(one, State.WAITING)

    def arm(self, failpoints: Mapping[str, str]) -> None:
        """Start these anew, each to die at its failpoint (once, and that death does not count); whatever else was armed, without."""
        some = [one for name, one in self.running.items() if name in failpoints or one.failpoint is not None]
        self._end(some, signal.SIGTERM)
        for one in some:
            one.failpoint = failpoints.get(one.process.name)
            one.pause = FIRST_PAUSE_SECONDS
            self._reset(one, State.WAITING)
        self._publish()

    # --- the supervising thread ---

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and self.failure is None:
                self._answer_requests()
                for one in self.running.values():
                    self._advance(one)
                self._measure()
                if all(one.state is State.READY or not one.wanted for one in self.running.values()) and not self.all_ready.is_set():
                    self.all_ready.set()
                    self._publish()
                self._stop.wait(TICK_SECONDS)
        except Exception as error:
            self.failure = f"the supervisor failed: {error!r}"
            raise
        finally:
            self._stop_all()
            self.ended.set()

    def _answer_requests(self) -> None:
        while True:
            try:
                work, done = self._requests.get_nowait()
            except Empty:
                return
            try:
                work()
            except (StackError, OSError, KeyError) as error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def _advance(self, one: Running) -> None:
        if one.state is State.WAITING:
            self._try_to_start(one)
        elif one.child is not None and one.child.poll() is not None:
            self._died(one)
        elif one.state is State.STARTING:
            self._check(one)

    def _try_to_start(self, one: Running) -> None:
        met = all(self.running[need].state is State.READY for need in one.process.needs)
        if not met or time.monotonic() < one.not_before or not one.wanted:
            return
        if one.step is None:
            one.step = self._steps.submit(one.process.before, self.instance)
        if not one.step.done():
            return
        error = one.step.exception()
        if error is not None:
            self.failure = f"{one.process.name} could not be prepared: {error}"
            return
        one.step = None
        self._spawn(one)

    def _spawn(self, one: Running) -> None:
        name = one.process.name
        try:
            command = one.process.command(self.instance)
        except parts.PartMissingError as error:
            self.failure = f"{name}: {error}"
            return
        one.log = _open_log(self.instance.logs / f"{name}.log")
        environment = {**_plain_environment(), **one.process.env(self.instance), **self.extra_env.get(name, {})}
        if one.failpoint is not None:
            environment["HOCBA_FAILPOINT"] = one.failpoint
        one.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            cwd=parts.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=one.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        row = leftovers.seen(one.child.pid)
        one.started_ticks = row.started if row else 0
        one.started_at = time.monotonic()
        one.state, one.answered, one.checking = State.STARTING, False, None
        self._publish()

    def _check(self, one: Running) -> None:
        """Poll readiness, then run the step after it, both beside the loop so that a slow one holds up nobody."""
        name = one.process.name
        if not one.answered:
            if one.checking is None:
                one.checking = self._steps.submit(one.process.ready, self.instance)
            elif one.checking.done():
                one.answered = one.checking.result()
                one.checking = None
            if not one.answered and time.monotonic() - one.started_at > one.process.ready_within_seconds:
                self.failure = self._with_log(f"{name} did not get ready within {one.process.ready_within_seconds:.0f} s", one)
            return
        if one.step is None:
            one.step = self._steps.submit(one.process.after, self.instance)
        if not one.step.done():
            return
        error, one.step = one.step.exception(), None
        if error is not None:
            self.failure = self._with_log(f"{name} answered, but could not be set up: {error}", one)
            return
        one.state = State.READY
        now = time.monotonic()
        self.report(f"  {now - self._began:5.1f} s  {name} ready ({now - one.started_at:.1f} s)")
        self._publish()

    def _died(self, one: Running) -> None:
        name, status = one.process.name, one.child.returncode if one.child else 0
        what = f"{name} died ({_status_text(status)})"
        self._clear(one)
        if not one.process.ours:
            self.failure = self._with_log(f"{what}; nothing works without it", one)
            return
        now = time.monotonic()
        if one.failpoint is not None and status == -signal.SIGKILL:
            what, one.failpoint = f"{what} at {one.failpoint}", None
        else:
            self._deaths.append(now)
        while self._deaths and now - self._deaths[0] > DEATHS_WITHIN_SECONDS:
            self._deaths.popleft()
        if len(self._deaths) >= DEATHS_ALLOWED:
            self.failure = self._with_log(f"{what}: the {DEATHS_ALLOWED}th death within {DEATHS_WITHIN_SECONDS:.0f} s", one)
            return
        if now - one.started_at > DEATHS_WITHIN_SECONDS:
            one.pause = FIRST_PAUSE_SECONDS
        self.report(f"  {now - self._began:5.1f} s  {what}; starting it again in {one.pause:.1f} s")
        one.not_before, one.restarts = now + one.pause, one.restarts + 1
        one.pause = min(one.pause * 2, LONGEST_PAUSE_SECONDS)
        self._reset(one, State.WAITING)
        self._publish()

    def _clear(self, one: Running) -> None:
        """What a dead process had started itself must not outlive it."""
        if one.child is not None:
            leftovers.signal_session(one.child.pid, signal.SIGKILL)
        if one.log is not None:
            one.log.close()
        one.child = one.log = None

    def _reset(self, one: Running, state: State) -> None:
        one.state, one.step, one.checking, one.answered = state, None, None, False

    def _end(self, some: list[Running], signum: signal.Signals) -> None:
        left = {one.process.name: (one, one.child) for one in some if one.child is not None and one.child.poll() is None}
        for _, child in left.values():
            child.send_signal(signum)
        began = time.monotonic()
        while left:
            for name, (one, child) in list(left.items()):
                waited = time.monotonic() - began
                if child.poll() is not None:
                    del left[name]
                    if waited > SLOW_STOP_SECONDS:
                        self.report(f"  {name} took {waited:.0f} s to stop")
                elif waited > one.process.grace_seconds:
                    self.report(f"  {name} did not stop within {one.process.grace_seconds:.0f} s and was killed")
                    child.kill()
                    child.wait()
            time.sleep(TICK_SECONDS / 4)
        for one in some:
            self._clear(one)

    def _stop_all(self) -> None:
        """In reverse order: first what others do not need."""
        if self.failure:
            self.report(self.failure)
        self._measure()
        self._steps.shutdown(wait=False, cancel_futures=True)
        left = {name: one for name, one in self.running.items() if one.child is not None}
        while left:
            needed = {need for one in left.values() for need in one.process.needs}
            batch = [one for name, one in left.items() if name not in needed]
            self._end(batch, signal.SIGTERM)
            for one in batch:
                self._reset(one, State.STOPPED)
                del left[one.process.name]
        self._publish()

    # --- telling others ---

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._memory_at < MEMORY_EVERY_SECONDS:
            return
        self._memory_at = now
        rows = leftovers.everything()
        for one in self.running.values():
            if one.child is not None:
                one.memory.take([row for row in rows if row.session == one.child.pid], now)
        self._write_states()

    def _publish(self) -> None:
        pids = {name: one.child.pid for name, one in self.running.items() if one.child is not None}
        ready = self.all_ready.is_set() and not self._stop.is_set() and self.failure is None
        write_json(description_file(self.instance.name), describe(self.instance, pids, ready=ready))
        self._write_states()

    def _write_states(self) -> None:
        boot = leftovers.boot_id()
        states: dict[str, dict[str, Any]] = {
            name: {
                "pid": one.child.pid if one.child else None,
                "started": one.started_ticks,
                "boot": boot,
                "state": one.state.value,
                "restarts": one.restarts,
                "peak_rss_mb": round(one.memory.largest_mb, 1),
                "peak_pss_mb": round(one.memory.together_mb, 1),
            }
            for name, one in self.running.items()
        }
        write_json(states_file(self.instance.name), states)

    def _with_log(self, text: str, one: Running) -> str:
        path = self.instance.logs / f"{one.process.name}.log"
        return f"{text} ({path}):\n{last_lines(path)}"


def last_lines(path: Path, count: int = LAST_LINES) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    return "\n".join(f"    {line[:300]}" for line in lines[-count:])


def _status_text(status: int) -> str:
    return f"by {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def _open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _plain_environment() -> dict[str, str]:
    """Children see what they are told and little of the caller's shell."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "JAVA_HOME") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
