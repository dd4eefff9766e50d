"""All benchmarks by name: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Callable

from infra.bench.district import lookup, statistics
from infra.bench.evidence import evidence
from infra.bench.figures import Figure, Options
from infra.bench.following import freshness, rebuild
from infra.bench.importing import importing
from infra.bench.render import render
from infra.bench.road import road
from infra.bench.seal import seal
from infra.bench.sign_pdf import sign_pdf
from infra.bench.sign_xml import sign_xml
from infra.bench.signin import signin
from infra.bench.validate import validate
from infra.bench.verify import verify

BENCHMARKS: dict[str, Callable[[Options], Figure]] = {
    "render": render,
    "import": importing,
    "road": road,
    "sign.pdf": sign_pdf,
    "signin": signin,
    "sign.xml": sign_xml,
    "validate": validate,
    "verify": verify,
    "seal": seal,
    "evidence": evidence,
    "lookup": lookup,
    "statistics": statistics,
    "freshness": freshness,
    "rebuild": rebuild,
}
