"""Knowing processes again after their supervisor is gone, and ending what it left behind.

A process is identified by its number, its start time and the machine's boot, never by its name alone.
"""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
END_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Seen:
    """One row of /proc: `session` groups a process with everything it started."""

    pid: int
    session: int
    started: int
    resident_mb: float
    zombie: bool


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def seen(pid: int) -> Seen | None:
    """None when there is no such process (any more)."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the name stands in brackets and may hold anything
    fields = text[text.rindex(")") + 2 :].split()
    return Seen(pid, int(fields[3]), int(fields[19]), int(fields[21]) * PAGE_BYTES / 2**20, fields[0] == "Z")


def everything() -> list[Seen]:
    rows = (seen(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return [row for row in rows if row is not None and not row.zombie]


def left_of(states: Mapping[str, Mapping[str, Any]]) -> list[int]:
    """Sessions of recorded processes in which something still runs."""
    running = everything()
    sessions = []
    for state in states.values():
        pid, started = state.get("pid"), state.get("started")
        if pid is None or started is None or state.get("boot") != boot_id():
            continue
        leader = next((row for row in running if row.pid == pid), None)
        # a number is not given out again while its session lives; a later leader with the same number is somebody else
        if leader is not None and leader.started != started:
            continue
        if any(row.session == pid and row.started >= started for row in running):
            sessions.append(pid)
    return sessions


def end(sessions: list[int]) -> None:
    """SIGTERM to every session, SIGKILL to what is still there after ten seconds."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for session in sessions:
            signal_session(session, signum)
        deadline = time.monotonic() + END_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if not any(row.session in sessions for row in everything()):
                return
            time.sleep(0.1)


def signal_session(session: int, signum: signal.Signals) -> None:
    """To every process of the session, also those in groups of their own."""
    for row in everything():
        if row.session == session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(row.pid, signum)
