"""Every algorithm, number of signers and kind of document from the lean signing path, judged by four programs of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import oracles, pades
from tests.interop.reading import pyhanko
from tests.unit.signing import pki

VALID = "Signature is Valid."
OF_THE_CERTIFICATES = {"The authority info access is not present!", "The revocation info access is not present!"}
"""What EU DSS misses in the certificates that the tests make."""


@dataclass(frozen=True)
class Judged:
    files: dict[pades.Case, Path]
    dss: dict[Path, list[oracles.Signature]]
    archival: dict[Path, oracles.Verdict]
    accessible: dict[Path, oracles.Verdict]


def judged(place: Path, cases: Sequence[pades.Case]) -> Judged:
    files = {case: place / f"{case}.pdf" for case in cases}
    for case, file in files.items():
        file.write_bytes(pades.signed(case))
    trust = place / "trust"
    pades.write_trust(trust)
    every = list(files.values())
    return Judged(
        files,
        oracles.dss(every, trust, trust, strict=True, at=pades.MOMENT + dt.timedelta(minutes=1)),
        oracles.verapdf(every),
        oracles.verapdf(every, "ua1"),
    )


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(tmp_path_factory.mktemp("few"), pades.FEW)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(tmp_path_factory.mktemp("every"), pades.ALL)


def agree(of: Judged, case: pades.Case) -> None:
    file = of.files[case]
    found = of.dss[file]
    assert [(one.format, one.indication, one.errors) for one in found] == [("PAdES-BASELINE-B", "TOTAL_PASSED", ())] * case.signers
    assert {text for one in found for text in one.warnings} <= OF_THE_CERTIFICATES
    said = [one for one in oracles.pdfsig(file) if one.said]
    assert [one.said for one in said] == [VALID] * case.signers
    assert [one.covers_whole_file for one in said] == [False] * (case.signers - 1) + [True]
    read = pyhanko(file.read_bytes(), [pki.root()], pades.MOMENT)
    assert [(one.intact, one.permitted) for one in read] == [(True, True)] * case.signers
    assert [one.changes for one in read] == ["FORM_FILLING"] * (case.signers - 1) + ["NONE"]
    assert of.archival[file].failures == ()
    assert of.archival[file].compliant
    assert of.accessible[file].failures == ()


@pytest.mark.parametrize("case", pades.FEW, ids=str)
def test_four_validators_agree_on_a_few_of_all_combinations(few: Judged, case: pades.Case) -> None:
    agree(few, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", pades.ALL, ids=str)
def test_four_validators_agree_on_every_combination(every: Judged, case: pades.Case) -> None:
    agree(every, case)
