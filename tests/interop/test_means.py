"""Means × algorithm × number of signers × kind of document × level: EU DSS, pdfsig, xmlsec1, pyHanko and veraPDF agree with ourselves.

Of each case four files or pairs: one signature alone (B), all signatures (B), closed and sealed (LTA). Three means cannot do all
algorithms (`means.ALGORITHMS`); class summaries have no subject teachers, so no fourteen signers; only what the school has signed is
sealed. xmlsec1 1.2 does not know PSS.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.records.render.summary_xml import validate_summary
from services.records.render.xml import validate_transcript
from services.signing.verify import as_issued, verify_pdf, verify_xml
from tests.interop.archived import archivist
from tests.interop.means import CASES, SUMMARY, MeansCase, signers
from tests.interop.oracles import Signature, Verdict, dss, pdfsig, verapdf, xmlsec1
from tests.interop.reading import pyhanko
from tests.interop.transcripts import Transcript
from tests.unit.sandbox.conftest import Server, free_port

PASSED, STAMPED = "TOTAL_PASSED", "PASSED"
VALID, NOT_VERIFIED, UNSIGNED = "Signature is Valid.", "Signature has not yet been verified.", ""
"""pdfsig's words."""
QUICK = tuple(case for case in CASES if str(case) in {"csc-rsa-pss-BTH-3", "token-ecdsa-BTH-3"})
"""A remote means and the token, in seconds; a class summary, which the other quick checks have not."""
REST = tuple(case for case in CASES if case not in QUICK)


@dataclass(frozen=True)
class Judged:
    place: Path
    trust: Path
    lists: Path
    made: dt.datetime
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def at(self) -> dt.datetime:
        return self.made + dt.timedelta(minutes=10)

    @cached_property
    def roots(self) -> list[bytes]:
        found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in sorted(self.trust.glob("*.pem"))]
        return [one.public_bytes(Encoding.DER) for one in found]

    def keep(self, name: str, document: bytes) -> None:
        self.files[name] = self.place / name
        self.files[name].write_bytes(document)

    def file(self, case: MeansCase, level: str, sort: str) -> Path:
        return self.files[f"{case}.{level}.{sort}"]

    def _of(self, *levels: str) -> list[Path]:
        return [file for name, file in self.files.items() if any(f".{level}." in name for level in levels)]

    @cached_property
    def sealed(self) -> dict[Path, list[Signature]]:
        """EU DSS, strict on later changes, with the roots and what is in each document."""
        nothing = self.place / "nothing"
        nothing.mkdir()
        return dss(self._of("sealed"), self.trust, nothing, strict=True)

    @cached_property
    def signed(self) -> dict[Path, list[Signature]]:
        """EU DSS with the lists at hand: level B carries no proof of its own."""
        return dss(self._of("alone", "signed"), self.trust, self.lists, strict=True)

    @cached_property
    def archival(self) -> dict[Path, Verdict]:
        return verapdf([file for file in self.files.values() if file.suffix == ".pdf"])


def judged(cases: tuple[MeansCase, ...], place: Path) -> Judged:
    """Everything that needs the sandbox, which has ended when this returns."""
    pki = Server("pki", place / "sandbox", free_port(), [])
    pki.start()
    try:
        found = Judged(place, place / "sandbox" / "trust", place / "sandbox" / "crl", dt.datetime.now(dt.UTC).replace(microsecond=0))
        with signers(pki, place, {case.means for case in cases}) as people:
            made = {case: case.make(people[case.means], found.made) for case in cases}
        asyncio.run(_seal(found, made, pki))
    finally:
        pki.stop()
    return found


async def _seal(found: Judged, made: dict[MeansCase, Transcript], pki: Server) -> None:
    async with archivist(f"http://127.0.0.1:{pki.port}/tsa", found.roots) as archive:
        for case, transcript in made.items():
            closed = await archive.close(transcript)
            states = {
                "signed": (transcript.xml, transcript.pdf),
                "sealed": (closed.xml, closed.pdf),
                "alone": (transcript.alone_xml, transcript.alone_pdf),
            }
            for level, (xml, pdf) in states.items():
                found.keep(f"{case}.{level}.xml", xml)
                found.keep(f"{case}.{level}.pdf", pdf)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(QUICK, tmp_path_factory.mktemp("means"))


@pytest.fixture(scope="module")
def rest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Of the rest what is asked for: `-k token-ecdsa` makes no others."""
    asked = tuple(case for case in REST if any(item.name.endswith(f"[{case}]") for item in request.session.items))
    return judged(asked, tmp_path_factory.mktemp("means"))


def agree(found: Judged, case: MeansCase) -> None:
    eu_dss_passes(found, case)
    others_pass(found, case)
    ours_passes(found, case)


def eu_dss_passes(found: Judged, case: MeansCase) -> None:
    xml, pdf = found.sealed[found.file(case, "sealed", "xml")], found.sealed[found.file(case, "sealed", "pdf")]
    assert [one.indication for one in (*xml, *pdf)] == [PASSED] * (case.signers + 3)
    assert [one.format for one in xml] == ["XAdES-BASELINE-B"] * (case.signers - 1) + ["XAdES-BASELINE-LTA"]
    assert [one.format for one in pdf] == ["PAdES-BASELINE-LTA"] * 3
    assert [stamp.indication for one in (xml[-1], *pdf) for stamp in one.timestamps] == [STAMPED] * 5
    for level, number in (("signed", case.signers), ("alone", 1)):
        xml, pdf = found.signed[found.file(case, level, "xml")], found.signed[found.file(case, level, "pdf")]
        assert [(one.format, one.indication) for one in xml] == [("XAdES-BASELINE-B", PASSED)] * number, level
        assert [(one.format, one.indication) for one in pdf] == [("PAdES-BASELINE-B", PASSED)] * min(number, 3), level


def others_pass(found: Judged, case: MeansCase) -> None:
    sealed, signed, alone = (found.file(case, level, "pdf") for level in ("sealed", "signed", "alone"))
    assert [one.said for one in pdfsig(sealed)] == [VALID] * 3 + [NOT_VERIFIED]
    assert [one.covers_whole_file for one in pdfsig(sealed)] == [False] * 3 + [True]
    assert [one.said for one in pdfsig(signed)] == [VALID] * 3
    assert [one.said for one in pdfsig(alone)] == [VALID, UNSIGNED, UNSIGNED]
    assert all(one.sound for one in pyhanko(sealed.read_bytes(), found.roots, found.at))
    for file in (sealed, signed, alone):
        assert found.archival[file].failures == ()
        assert found.archival[file].compliant
    for level in ("sealed", "signed"):
        valid = [one.valid for one in xmlsec1(found.file(case, level, "xml"), found.trust)]
        assert valid == [case.scheme != "rsa-pss"] * case.signers, level


def ours_passes(found: Judged, case: MeansCase) -> None:
    xml, pdf = (found.file(case, "sealed", sort).read_bytes() for sort in ("xml", "pdf"))
    of_xml, of_pdf = as_issued(verify_xml(xml, found.roots, [], found.at)), as_issued(verify_pdf(pdf, found.roots, [], found.at))
    assert (of_xml.valid, of_xml.level, of_pdf.valid, of_pdf.level) == (True, "LTA", True, "LTA")
    assert {one.scheme for one in (*of_xml.signatures, *of_pdf.signatures)} == {case.scheme}
    assert (validate_summary if case.kind == SUMMARY else validate_transcript)(xml) == []


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_all_validators_agree_on_a_class_summary_signed_remotely_and_by_token(quick: Judged, case: MeansCase) -> None:
    agree(quick, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=str)
def test_all_validators_agree_on_every_other_means_algorithm_number_and_kind(rest: Judged, case: MeansCase) -> None:
    agree(rest, case)
