"""The product's own documents, judged by other people's validators."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Travelled
from tests.interop import oracles


def _crls(travelled: Travelled) -> Path:
    return Path(travelled.info["sandbox"]["dir"]) / "crl"


def test_eu_dss_passes_every_signature_of_every_document(travelled: Travelled) -> None:
    files = sorted(travelled.documents.iterdir())
    judged = oracles.dss(files, travelled.trust, _crls(travelled), strict=True)
    assert len(judged) == 2 * travelled.outcome.created
    for file, signatures in judged.items():
        assert {s.indication for s in signatures} == {"TOTAL_PASSED"}, file.name
        formats = [s.format for s in signatures]
        if file.suffix == ".pdf":
            assert formats == ["PAdES-BASELINE-LTA"] * 3
        else:
            assert formats == [*["XAdES-BASELINE-B"] * (len(formats) - 1), "XAdES-BASELINE-LTA"]
    assert sum(len(s) for s in judged.values()) == travelled.outcome.signatures


def test_verapdf_finds_every_signed_pdf_to_be_archivable(travelled: Travelled) -> None:
    verdicts = oracles.verapdf(sorted(travelled.documents.glob("*.pdf")))
    assert len(verdicts) == travelled.outcome.created
    assert all(v.compliant for v in verdicts.values()), verdicts


def test_pdfsig_and_xmlsec1_find_the_signatures_of_a_transcript_valid(travelled: Travelled) -> None:
    pdf = sorted(travelled.documents.glob("*.pdf"))[0]
    *signatures, timestamp = oracles.pdfsig(pdf)
    assert [s.valid for s in signatures] == [True] * 3
    assert timestamp.covers_whole_file
    xml = pdf.with_suffix(".xml")
    verdicts = oracles.xmlsec1(xml, travelled.trust)
    assert len(verdicts) > 3
    assert all(v.valid for v in verdicts)


def test_a_changed_mark_is_noticed_by_eu_dss(travelled: Travelled, tmp_path: Path) -> None:
    original = sorted(travelled.documents.glob("*.xml"))[0]
    content = original.read_bytes()
    changed = content.replace(b"<DanToc>", b"<DanToc>x", 1)
    assert changed != content
    forged = tmp_path / "forged.xml"
    forged.write_bytes(changed)
    judged = oracles.dss([forged], travelled.trust, _crls(travelled))[forged]
    assert {s.indication for s in judged} == {"TOTAL_FAILED"}
