"""EU DSS on evidence records over sealed documents: now, and years after signers and timestamping units have ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.means.evidence_checker import check_timestamps, read
from tests.interop.oracles import Proof, dss, dss_evidence
from tests.unit.evidence.test_evidence_records import Maker
from tests.unit.signing.sealed import NOW, Sandbox

PASSED = "TOTAL_PASSED"
OUTLIVED = "INDETERMINATE OUT_OF_BOUNDS_NOT_REVOKED"
OTHERS = "The first hash value list contains other objects than data provided to the validation!"
FIVE_YEARS = NOW + dt.timedelta(days=5 * 365)


@dataclass(frozen=True)
class Shelf:
    """One transcript whose people and first timestamping units end within two years, under records of every shape."""

    place: Path
    sandbox: Sandbox
    nothing: Path

    def judged(self, at: dt.datetime | None = None) -> dict[str, Proof]:
        found = dss_evidence(sorted(self.place.glob("*.ers")), self.sandbox.house.place.directory / "trust", self.nothing, at=at)
        return {file.stem: proof for file, proof in found.items()}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    place, home = tmp_path_factory.mktemp("shelf"), tmp_path_factory.mktemp("pki")
    sandbox = Sandbox.open(home)
    ends = sandbox.stamper(700)
    files = {"pdf": sandbox.sealed_pdf(stamper=ends), "xml": sandbox.sealed_xml(stamper=ends)}
    nothing = tmp_path_factory.mktemp("nothing")

    def keep(name: str, content: bytes, **changed: bytes) -> None:
        (place / f"{name}.ers").write_bytes(content)
        for kind, document in {**files, **changed}.items():
            if document:
                (place / f"{name}.{kind}").write_bytes(document)

    maker = Maker(sandbox, tuple(files.values()))
    first = maker.first(stamper=ends)
    keep("first", first)
    keep("pdf-alone", first, xml=b"")
    keep("xml-alone", first, pdf=b"")
    keep("changed", first, xml=files["xml"].replace(b"<DanToc>", b"<DanToc>x", 1).replace(b"</NoiDung>", b" </NoiDung>", 1))
    keep("renewed", maker.renewed())
    keep("stronger", maker.first("sha512"))
    keep("stronger-renewed", maker.renewed())
    return Shelf(place, sandbox, nothing)


@pytest.fixture(scope="module")
def now(shelf: Shelf) -> dict[str, Proof]:
    return shelf.judged()


@pytest.fixture(scope="module")
def later(shelf: Shelf) -> dict[str, Proof]:
    return shelf.judged(FIVE_YEARS)


@pytest.mark.parametrize("name", ["first", "renewed", "stronger", "stronger-renewed"])
def test_eu_dss_passes_the_record_over_both_documents_and_all_their_signatures(now: dict[str, Proof], name: str) -> None:
    proof = now[name]
    assert (proof.indication, proof.errors, proof.warnings) == ("PASSED", (), ())
    assert [each.indication for each in proof.timestamps] == ["PASSED"] * len(proof.timestamps)
    assert {kind: set(found) for kind, found in proof.signatures.items()} == {"pdf": {PASSED}, "xml": {PASSED}}


@pytest.mark.parametrize("name", ["pdf-alone", "xml-alone"])
def test_either_document_alone_is_proven_and_eu_dss_says_that_another_belongs_to_it(now: dict[str, Proof], name: str) -> None:
    assert (now[name].indication, now[name].warnings) == ("PASSED", (OTHERS,))


def test_a_changed_document_is_not_proven_by_its_record(now: dict[str, Proof]) -> None:
    assert set(now["changed"].signatures["xml"]) == {"TOTAL_FAILED HASH_FAILURE"}
    assert now["changed"].warnings == (OTHERS,)


@pytest.mark.parametrize("name", ["renewed", "stronger", "stronger-renewed"])
def test_years_later_a_renewed_record_proves_every_signature_also_those_of_baseline_b(
    shelf: Shelf, later: dict[str, Proof], name: str
) -> None:
    proof = later[name]
    assert (proof.indication, proof.errors) == ("PASSED", ())
    assert dt.datetime.fromisoformat(proof.since) == check_timestamps(read((shelf.place / f"{name}.ers").read_bytes()))[0].time
    assert [len(proof.signatures[kind]) for kind in ("pdf", "xml")] == [3, 5]
    assert {kind: set(found) for kind, found in proof.signatures.items()} == {"pdf": {PASSED}, "xml": {PASSED}}


def test_without_renewal_neither_the_record_nor_the_documents_outlive_the_timestamping_unit(shelf: Shelf, later: dict[str, Proof]) -> None:
    proof = later["first"]
    assert f"{proof.indication} {proof.sub_indication}" == OUTLIVED
    assert {kind: set(found) for kind, found in proof.signatures.items()} == {"pdf": {OUTLIVED}, "xml": {OUTLIVED}}
    documents = [shelf.place / f"first.{kind}" for kind in ("pdf", "xml")]
    alone = dss(documents, shelf.sandbox.house.place.directory / "trust", shelf.nothing, at=FIVE_YEARS)
    assert [one.passed for one in alone[documents[1]][:-1]] == [False] * 4
