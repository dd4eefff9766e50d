"""What the processes of an instance cost: processor time from /proc, seconds by kind of work from the services' own metrics."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from infra.stack.leftovers import PROC

TICKS = os.sysconf("SC_CLK_TCK")
NO_COST = frozenset({"event_age_seconds", "relay_age_seconds"})
"""Histograms of age: time that passed, not time that was worked."""


class Work(BaseModel):
    """One kind of work in one process: how often, and seconds from its begin to its end (waiting for others included)."""

    process: str
    what: str
    times: int
    seconds: float


def cpu_seconds(sessions: Mapping[str, int]) -> dict[str, float]:
    """Processor time so far by name, user and system, of each session: its processes and what they started and has ended."""
    names = {pid: name for name, pid in sessions.items()}
    spent = dict.fromkeys(sessions, 0.0)
    for entry in PROC.iterdir():
        row = _row(entry) if entry.name.isdigit() else None
        if row is not None and row[0] in names:
            spent[names[row[0]]] += row[1]
    return spent


def _row(entry: Path) -> tuple[int, float] | None:
    """Session and processor seconds; None when the process is gone."""
    try:
        text = (entry / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the name stands in brackets and may hold anything; utime stime cutime cstime are fields 14 to 17 (proc(5))
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[3]), sum(int(ticks) for ticks in fields[11:15]) / TICKS


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Spent from one look to the next, without what spent next to nothing; a process that began anew counts from nothing."""
    spent = {name: now - before.get(name, 0.0) if now >= before.get(name, 0.0) else now for name, now in after.items()}
    return {name: round(seconds, 2) for name, seconds in spent.items() if seconds >= 0.01}


def work_of(info: Mapping[str, Any]) -> list[Work]:
    """From `/metrics` of every service process of a running instance, the costliest first."""
    found: list[Work] = []
    for service, addresses in info["services"].items():
        for role, address in (("web", addresses["web"]), ("worker", addresses["admin"])):
            found += work_in(f"{service}-{role}", httpx.get(f"{address}/metrics", timeout=10).raise_for_status().text)
    return sorted(found, key=lambda each: -each.seconds)


def work_in(process: str, metrics: str) -> list[Work]:
    """Every histogram of seconds in a Prometheus text, summed over what it is divided by beside the kind of work."""
    totals: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(metrics):
        if family.type != "histogram" or not family.name.endswith("_seconds") or family.name in NO_COST:
            continue
        for sample in family.samples:
            kind = sample.name.removeprefix(family.name)
            if kind in ("_sum", "_count"):
                total = totals.setdefault(_what(family.name, sample.labels), [0.0, 0.0])
                total[kind == "_count"] += sample.value
    return [
        Work(process=process, what=what, times=int(times), seconds=round(seconds, 3)) for what, (seconds, times) in totals.items() if times
    ]


def _what(name: str, labels: Mapping[str, str]) -> str:
    if "http_route" in labels:
        return f"{labels.get('http_request_method', '')} {labels['http_route']}".strip()
    values = _told(labels[key] for key in sorted(labels) if key not in ("app_name", "broker"))
    return f"{name.removesuffix('_seconds')} {values}".strip()


def _told(values: Iterable[str]) -> str:
    return " ".join(value for value in values if value)
