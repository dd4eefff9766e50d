"""All benchmarks by name: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Callable

from infra.bench.evidence import evidence
from infra.bench.figures import Figure, Options
from infra.bench.importing import importing
from infra.bench.render import render
from infra.bench.road import road
from infra.bench.signin import signin

BENCHMARKS: dict[str, Callable[[Options], Figure]] = {
    "render": render,
    "import": importing,
    "road": road,
    "signin": signin,
    "evidence": evidence,
}
