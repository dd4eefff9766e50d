"""The validators themselves: they pass what is right and are able to refuse what is not."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.interop import jvm
from tests.interop.judge import main as judge_main
from tests.interop.oracles import OracleError, Signature, dss, pdfsig, verapdf, xmlsec1
from tests.interop.pki import Pki, make_pki, write_list
from tests.interop.samples import pdf_page, sign_pdf, sign_xml


@dataclass(frozen=True)
class Signed:
    pdf: Path
    xml: Path
    pki: Pki

    @property
    def both(self) -> list[Path]:
        return [self.pdf, self.xml]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    place = tmp_path_factory.mktemp("signed")
    pki = make_pki(place / "pki", "Thử")
    return Signed(sign_pdf(place / "a.pdf", pdf_page(), pki, signatures=3), sign_xml(place / "a.xml", pki, signatures=2), pki)


def changed(file: Path, place: Path, old: bytes, new: bytes) -> Path:
    content = file.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    altered = place / file.name
    altered.write_bytes(content.replace(old, new))
    return altered


def changed_pdf(signed: Signed, place: Path) -> Path:
    return changed(signed.pdf, place, b"%PDF-1.7\n", b"%PDF-1.6\n")


def changed_xml(signed: Signed, place: Path) -> Path:
    return changed(signed.xml, place, b">8.5<", b">9.5<")


def judgements(answers: dict[Path, list[Signature]]) -> dict[str, list[tuple[str, str, str | None]]]:
    return {file.name: [(one.format, one.indication, one.sub_indication) for one in found] for file, found in answers.items()}


def test_dss_passes_baseline_b_signatures_of_a_trusted_person(signed: Signed) -> None:
    answers = dss(signed.both, signed.pki.roots, signed.pki.crls)

    assert judgements(answers) == {
        "a.pdf": [("PAdES-BASELINE-B", "TOTAL_PASSED", None)] * 3,
        "a.xml": [("XAdES-BASELINE-B", "TOTAL_PASSED", None)] * 2,
    }
    assert {one.signed_by for found in answers.values() for one in found} == {"Nguyễn Thị Hạnh"}
    assert all(one.errors == () for found in answers.values() for one in found)


@pytest.mark.parametrize("change", [changed_pdf, changed_xml])
def test_dss_fails_every_signature_over_a_changed_byte(signed: Signed, tmp_path: Path, change: Callable[[Signed, Path], Path]) -> None:
    altered = change(signed, tmp_path)

    found = dss([altered], signed.pki.roots, signed.pki.crls)[altered]

    assert found
    assert {(one.indication, one.sub_indication) for one in found} == {("TOTAL_FAILED", "HASH_FAILURE")}
    assert all(one.errors for one in found)


def test_dss_does_not_pass_a_signature_under_an_unknown_root(signed: Signed, tmp_path: Path) -> None:
    stranger = make_pki(tmp_path, "Người lạ")

    answers = dss(signed.both, stranger.roots, signed.pki.crls)

    assert {judgement for found in judgements(answers).values() for judgement in found} == {
        ("PAdES-BASELINE-B", "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND"),
        ("XAdES-BASELINE-B", "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND"),
    }


def test_dss_does_not_trust_an_intermediate_that_lies_among_the_roots(signed: Signed, tmp_path: Path) -> None:
    stranger = make_pki(tmp_path, "Người lạ")
    (stranger.roots / "intermediate.pem").write_bytes(signed.pki.intermediate.certificate.public_bytes(Encoding.PEM))

    answers = dss(signed.both, stranger.roots, signed.pki.crls)

    assert not any(one.passed for found in answers.values() for one in found)


@pytest.mark.parametrize("kept", [[], ["root.crl"]])
def test_dss_is_undecided_without_the_signers_revocation_list(signed: Signed, tmp_path: Path, kept: list[str]) -> None:
    for name in kept:
        shutil.copy(signed.pki.crls / name, tmp_path)

    answers = dss(signed.both, signed.pki.roots, tmp_path)

    assert {one.indication for found in answers.values() for one in found} == {"INDETERMINATE"}


def test_dss_does_not_pass_a_revoked_signer(signed: Signed, tmp_path: Path) -> None:
    shutil.copy(signed.pki.crls / "root.crl", tmp_path)
    write_list(tmp_path / "intermediate.crl", signed.pki.intermediate, revoked=(signed.pki.person.certificate.serial_number,))

    answers = dss(signed.both, signed.pki.roots, tmp_path)

    assert {one.sub_indication for found in answers.values() for one in found} == {"REVOKED_NO_POE"}


def test_dss_judges_the_others_when_one_document_is_unreadable(signed: Signed, tmp_path: Path) -> None:
    noise = tmp_path / "noise.pdf"
    noise.write_bytes(b"not a document")

    answers = dss([noise, tmp_path / "missing.xml", signed.xml], signed.pki.roots, signed.pki.crls)

    assert [[one.indication for one in found] for found in answers.values()] == [
        ["UNREADABLE"],
        ["UNREADABLE"],
        ["TOTAL_PASSED", "TOTAL_PASSED"],
    ]


def test_dss_refuses_to_work_without_any_root(signed: Signed, tmp_path: Path) -> None:
    with pytest.raises(OracleError, match="no root certificate"):
        dss(signed.both, tmp_path, signed.pki.crls)


def test_verapdf_tells_pdfa_3b_from_other_pdf_even_after_three_signatures(signed: Signed, tmp_path: Path) -> None:
    plain, noise = tmp_path / "plain.pdf", tmp_path / "noise.pdf"
    plain.write_bytes(pdf_page(archival=False))
    noise.write_bytes(b"not a document")

    answers = verapdf([signed.pdf, plain, noise])

    assert {file.name: one.compliant for file, one in answers.items()} == {"a.pdf": True, "plain.pdf": False, "noise.pdf": False}
    assert answers[signed.pdf].failures == ()
    assert any(text.startswith("6.6.4-1 ") for text in answers[plain].failures)


def test_pdfsig_confirms_integrity_and_which_signature_covers_the_whole_file(signed: Signed, tmp_path: Path) -> None:
    assert [(one.number, one.valid, one.covers_whole_file) for one in pdfsig(signed.pdf)] == [
        (1, True, False),
        (2, True, False),
        (3, True, True),
    ]
    assert [one.valid for one in pdfsig(changed_pdf(signed, tmp_path))] == [False, False, False]


def test_pdfsig_passes_nothing_in_an_unsigned_or_unreadable_file(tmp_path: Path) -> None:
    plain, noise = tmp_path / "plain.pdf", tmp_path / "noise.pdf"
    plain.write_bytes(pdf_page())
    noise.write_bytes(b"not a document")

    assert pdfsig(plain) == []
    assert [one.valid for one in pdfsig(noise)] == [False]


def test_xmlsec1_confirms_each_signature_and_refuses_a_changed_mark(signed: Signed, tmp_path: Path) -> None:
    assert [(one.number, one.valid) for one in xmlsec1(signed.xml, signed.pki.roots)] == [(1, True), (2, True)]
    assert [one.valid for one in xmlsec1(changed_xml(signed, tmp_path), signed.pki.roots)] == [False, False]


def test_xmlsec1_tells_a_broken_signature_from_the_sound_one_beside_it(signed: Signed, tmp_path: Path) -> None:
    tree = etree.parse(signed.xml)
    moment = tree.find(".//{http://uri.etsi.org/01903/v1.3.2#}SigningTime")
    assert moment is not None
    moment.text = "2001-01-01T00:00:00+00:00"
    altered = tmp_path / "a.xml"
    tree.write(altered)

    assert [one.valid for one in xmlsec1(altered, signed.pki.roots)] == [False, True]


def test_xmlsec1_refuses_an_unknown_root_and_an_unreadable_file(signed: Signed, tmp_path: Path) -> None:
    stranger = make_pki(tmp_path / "pki", "Người lạ")
    noise = tmp_path / "noise.xml"
    noise.write_bytes(b"<open>")

    assert [one.valid for one in xmlsec1(signed.xml, stranger.roots)] == [False, False]
    assert [one.valid for one in xmlsec1(noise, signed.pki.roots)] == [False]


def lay_out(signed: Signed, place: Path) -> list[str]:
    """The folders a run leaves behind, as the judge's arguments."""
    documents = place / "documents"
    documents.mkdir()
    for file in signed.both:
        shutil.copy(file, documents)
    shutil.copytree(signed.pki.roots.parent, place / "trust")
    return ["--documents", str(documents), "--trust", str(place / "trust")]


def test_the_judge_passes_a_sound_run(signed: Signed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge_main(lay_out(signed, tmp_path)) == 0

    said = capsys.readouterr().out
    assert "documents: 2; PDF/A-3b: 1 of 1" in said
    assert said.endswith("PASSED\n")


def test_the_judge_fails_a_run_with_one_changed_document(signed: Signed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = lay_out(signed, tmp_path)
    changed_xml(signed, tmp_path / "documents")

    assert judge_main(arguments) == 1
    assert "FAULT a.xml: Nguyễn Thị Hạnh: TOTAL_FAILED HASH_FAILURE" in capsys.readouterr().out


def test_the_judge_fails_a_run_with_an_unsigned_document(signed: Signed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = lay_out(signed, tmp_path)
    (tmp_path / "documents" / "b.pdf").write_bytes(pdf_page(archival=False))

    assert judge_main(arguments) == 1
    said = capsys.readouterr().out
    assert "FAULT b.pdf: no signature" in said
    assert "FAULT b.pdf: not PDF/A-3b: 6.6.4-1" in said


def test_the_judge_fails_a_run_without_documents(signed: Signed, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()

    assert judge_main(["--documents", str(tmp_path / "documents"), "--trust", str(signed.pki.roots.parent)]) == 1


def test_a_missing_tool_is_named_and_no_judgement(monkeypatch: pytest.MonkeyPatch, signed: Signed, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(OracleError, match="java is not on PATH"):
        verapdf([signed.pdf])


def test_a_build_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pom.xml").write_text("<project/>")
    monkeypatch.setattr(jvm, "PROJECT", project)
    monkeypatch.setenv("HOCBA_CACHE", str(tmp_path / "cache"))

    with pytest.raises(OracleError, match="Maven could not build"):
        jvm.classpath()
    assert list((tmp_path / "cache").iterdir()) == []
