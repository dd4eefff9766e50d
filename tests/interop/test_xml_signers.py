"""Algorithm × number of signers × kind of document, in XML at level B: EU DSS, xmlsec1 and signxml agree with our own verification.

xmlsec1 is not asked about PSS: release 1.2, which the judges run on, does not know the algorithm (sha256-rsa-MGF1).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from services.signing.verify import verify_xml
from services.signing.xml import UnsuitableDocument
from tests.interop import oracles
from tests.interop.signed_xml import CASES, CHANGES, SCHOOL, Case, Signed, make, signxml_accepts
from tests.unit.signing.sealed import NOW

QUICK = tuple(case for case in CASES if (case.kind, case.signers) in {("transcript", 3), ("class-summary", 1)})
"""All algorithms and both kinds, in seconds."""
REST = tuple(case for case in CASES if case not in QUICK)


@dataclass(frozen=True)
class Judged:
    signed: Signed
    files: dict[Case, Path]
    by_dss: dict[Path, list[oracles.Signature]]


def judged(cases: tuple[Case, ...], folder: Path) -> Judged:
    signed = make(cases, folder)
    files = {case: folder / f"{case}.xml" for case in cases}
    every = []
    for case, file in files.items():
        file.write_bytes(signed.documents[case])
        every.append(file)
        for name, change in CHANGES.items():
            every.append(folder / f"{case}.{name}.xml")
            every[-1].write_bytes(change(signed.documents[case]))
    return Judged(signed, files, oracles.dss(every, signed.trust, signed.lists))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(QUICK, tmp_path_factory.mktemp("xml"))


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(REST, tmp_path_factory.mktemp("xml"))


def agree(found: Judged, case: Case) -> None:
    document, file = found.signed.documents[case], found.files[case]
    assert [(one.indication, one.format) for one in found.by_dss[file]] == [("TOTAL_PASSED", "XAdES-BASELINE-B")] * case.signers
    ours = verify_xml(document, found.signed.sandbox.roots, found.signed.sandbox.crls, NOW)
    assert [(one.place, one.valid, one.scheme) for one in ours] == [(place, True, case.scheme) for place in case.places]
    assert signxml_accepts(document, ours[0].certificate) == [True] * case.signers
    if case.scheme != "rsa-pss":
        assert [one.valid for one in oracles.xmlsec1(file, found.signed.trust)] == [True] * case.signers


def refuse(found: Judged, case: Case) -> None:
    """The school's signature, which covers the whole, holds in no changed document, whoever is asked."""
    document, roots, crls = found.signed.documents[case], found.signed.sandbox.roots, found.signed.sandbox.crls
    certificate = verify_xml(document, roots, crls, NOW)[-1].certificate
    for name, change in CHANGES.items():
        changed, file = change(document), found.files[case].with_name(f"{case}.{name}.xml")
        assert changed != document
        if name == "without_first" and case.signers == 1:
            # nothing is signed any more
            assert verify_xml(changed, roots, crls, NOW) == []
            continue
        assert not found.by_dss[file][-1].passed, name
        assert not signxml_accepts(changed, certificate)[-1], name
        try:
            ours = verify_xml(changed, roots, crls, NOW)
        except UnsuitableDocument:
            continue
        assert [one.valid for one in ours if one.place == SCHOOL] == [False], name


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_every_validator_accepts_each_algorithm_of_both_kinds(quick: Judged, case: Case) -> None:
    agree(quick, case)


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_changed_wrapped_and_cut_documents_are_refused_by_every_validator(quick: Judged, case: Case) -> None:
    refuse(quick, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=str)
def test_every_validator_accepts_the_rest_of_algorithms_numbers_and_kinds(rest: Judged, case: Case) -> None:
    agree(rest, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=str)
def test_the_rest_of_changed_documents_is_refused_by_every_validator(rest: Judged, case: Case) -> None:
    refuse(rest, case)
