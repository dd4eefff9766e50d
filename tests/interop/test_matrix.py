"""Every kind of document, with every number of signers, judged by other people's validators; every forgery called what it is.

What a validator does not notice is asserted as well: docs/architecture/interop.md says who has to notice it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from services.records.render.xml import validate_transcript
from services.signing.pdf import FIELDS
from services.signing.verify import Verdict, as_issued, verify_pdf, verify_xml
from services.signing.xml import UnsuitableDocument
from tests.interop.matrix import LATER_CHANGES, PDF_CHANGES, TAMPERED_TEACHERS, XML_CHANGES, YEARS, Matrix, make_matrix
from tests.interop.oracles import Signature, pdfsig, xmlsec1
from tests.interop.reading import pyhanko
from tests.interop.transcripts import CASES, KINDS, Case

pytestmark = pytest.mark.slow
PASSED = "TOTAL_PASSED"
CHANGED = "TOTAL_FAILED HASH_FAILURE"
WRONG_VALUE = "TOTAL_FAILED SIG_CRYPTO_FAILURE"
FORBIDDEN = "TOTAL_FAILED FORMAT_FAILURE"
MISSING_PART = "INDETERMINATE SIGNED_DATA_NOT_FOUND"
UNPROVEN = "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE"
OUTLIVED = "INDETERMINATE OUT_OF_BOUNDS_NOT_REVOKED"
STAMPED, OTHERS_STAMP, FORBIDDEN_STAMP = "PASSED", "FAILED HASH_FAILURE", "FAILED FORMAT_FAILURE"

WRONG_IMPRINT = "The computed message-imprint does not match the value extracted from the time-stamp!"
DOCMDP = "Document contains changes restricted by /DocMDP dictionary!"
UNDEFINED = "The document contains undefined object modifications after the signature revision!"

VALID, NOT_VERIFIED, MISMATCH, UNSIGNED = "Signature is Valid.", "Signature has not yet been verified.", "Digest Mismatch.", ""
"""pdfsig's words."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return make_matrix(tmp_path_factory.mktemp("matrix"))


each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_kind = pytest.mark.parametrize("kind", KINDS)


def said(signatures: Sequence[Signature]) -> list[str]:
    return [" ".join(filter(None, (one.indication, one.sub_indication))) for one in signatures]


def stamps(one: Signature) -> list[str]:
    return [" ".join(filter(None, (each.indication, each.sub_indication))) for each in one.timestamps]


def unasked(signatures: Sequence[Signature]) -> list[str]:
    """Everything that EU DSS has to add."""
    return [text for one in signatures for text in (*one.errors, *one.warnings)]


def codes(verdicts: Sequence[Verdict]) -> list[list[str]]:
    return [[problem.code for problem in one.problems] for one in verdicts]


# what is right


@each_case
def test_eu_dss_passes_every_signature_of_the_pdf_at_the_archive_level(matrix: Matrix, case: Case) -> None:
    found = matrix.judged[matrix.files[f"{case}.pdf"]]

    assert said(found) == [PASSED] * 3
    assert {one.format for one in found} == {"PAdES-BASELINE-LTA"}
    assert [stamps(one) for one in found] == [[STAMPED]] * 3
    assert unasked(found) == []


@each_case
def test_eu_dss_passes_every_signature_of_the_xml_and_the_schools_at_the_archive_level(matrix: Matrix, case: Case) -> None:
    found = matrix.judged[matrix.files[f"{case}.xml"]]

    assert said(found) == [PASSED] * (case.teachers + 3)
    assert [one.format for one in found] == ["XAdES-BASELINE-B"] * (case.teachers + 2) + ["XAdES-BASELINE-LTA"]
    assert stamps(found[-1]) == [STAMPED, STAMPED]
    assert unasked(found) == []


@each_case
def test_pdfsig_confirms_the_signatures_and_that_the_timestamp_covers_the_whole_file(matrix: Matrix, case: Case) -> None:
    found = pdfsig(matrix.files[f"{case}.pdf"])

    assert [one.said for one in found] == [VALID, VALID, VALID, NOT_VERIFIED]
    assert [one.covers_whole_file for one in found] == [False, False, False, True]


@each_case
def test_xmlsec1_confirms_every_signature_in_a_scheme_that_it_knows(matrix: Matrix, case: Case) -> None:
    found = xmlsec1(matrix.files[f"{case}.xml"], matrix.trust)

    assert [one.valid for one in found] == [scheme != "rsa-pss" for scheme in case.schemes]


@each_case
def test_pyhanko_trusts_every_signature_at_the_timestamps_time_by_what_is_in_the_file(matrix: Matrix, case: Case) -> None:
    found = pyhanko(matrix.files[f"{case}.pdf"].read_bytes(), matrix.roots, matrix.at)

    assert [one.changes for one in found] == ["FORM_FILLING", "FORM_FILLING", "LTA_UPDATES", "NONE"]
    assert all(one.sound for one in found), found


@each_case
def test_verapdf_finds_the_archived_pdf_to_be_pdfa_3b(matrix: Matrix, case: Case) -> None:
    assert matrix.archival[matrix.files[f"{case}.pdf"]].failures == ()
    assert matrix.archival[matrix.files[f"{case}.pdf"]].compliant


@each_case
def test_verapdf_finds_the_archived_pdf_to_be_accessible(matrix: Matrix, case: Case) -> None:
    assert matrix.accessible[matrix.files[f"{case}.pdf"]].failures == ()
    assert matrix.accessible[matrix.files[f"{case}.pdf"]].compliant


@each_case
def test_our_own_verification_agrees_without_any_list_from_elsewhere(matrix: Matrix, case: Case) -> None:
    xml, pdf = (matrix.files[f"{case}.{sort}"].read_bytes() for sort in ("xml", "pdf"))

    of_xml = as_issued(verify_xml(xml, matrix.roots, [], matrix.at))
    of_pdf = as_issued(verify_pdf(pdf, matrix.roots, [], matrix.at))

    assert (of_xml.valid, of_xml.level, of_pdf.valid, of_pdf.level) == (True, "LTA", True, "LTA")
    assert [one.scheme for one in of_xml.signatures] == list(case.schemes)
    assert [one.scheme for one in of_pdf.signatures] == list(case.schemes[-3:])
    assert validate_transcript(xml) == []


@each_kind
def test_a_signature_alone_is_baseline_b_and_passes_with_the_lists_at_hand(matrix: Matrix, kind: str) -> None:
    xml, pdf = (matrix.files[f"{kind}-alone.{sort}"] for sort in ("xml", "pdf"))
    lists = [file.read_bytes() for file in matrix.lists.glob("*.crl")]

    for file, level in ((xml, "XAdES-BASELINE-B"), (pdf, "PAdES-BASELINE-B")):
        found = matrix.judged_by_default[file]
        assert [(one.format, one.indication) for one in found] == [(level, PASSED)]
        assert unasked(found) == []
    assert [one.valid for one in xmlsec1(xml, matrix.trust)] == [True]
    assert [one.said for one in pdfsig(pdf)] == [VALID, UNSIGNED, UNSIGNED]
    assert matrix.archival[pdf].compliant
    assert [one.valid for one in verify_xml(xml.read_bytes(), matrix.roots, lists, matrix.at)] == [True]
    assert [one.valid for one in verify_pdf(pdf.read_bytes(), matrix.roots, lists, matrix.at)] == [True]


# what lasts


@each_kind
def test_signatures_outlive_their_certificates(matrix: Matrix, kind: str) -> None:
    """EU DSS sees the other signers of an XML each alone, without the school's archive timestamp over all of them; we do not."""
    xml, pdf = (matrix.files[f"{kind}-{TAMPERED_TEACHERS + 3}.{sort}"] for sort in ("xml", "pdf"))

    assert said(matrix.judged_later[pdf]) == [PASSED] * 3
    assert said(matrix.judged_later[xml]) == [OUTLIVED] * (TAMPERED_TEACHERS + 2) + [PASSED]
    assert as_issued(verify_xml(xml.read_bytes(), matrix.roots, [], matrix.at + YEARS)).valid
    assert as_issued(verify_pdf(pdf.read_bytes(), matrix.roots, [], matrix.at + YEARS)).valid


@each_kind
def test_a_further_archive_timestamp_in_the_xml_is_no_change(matrix: Matrix, kind: str) -> None:
    file = matrix.files[f"{kind}-renewed.xml"]
    found = matrix.judged[file]

    assert said(found) == [PASSED] * (TAMPERED_TEACHERS + 3)
    assert stamps(found[-1]) == [STAMPED] * 3
    assert unasked(found) == []
    assert as_issued(verify_xml(file.read_bytes(), matrix.roots, [], matrix.at)).valid
    assert validate_transcript(file.read_bytes()) == []


@each_kind
@pytest.mark.parametrize("by", ["renewed", "stamped_again"])
def test_a_further_document_timestamp_is_the_one_permitted_revision(matrix: Matrix, kind: str, by: str) -> None:
    """Ours with fresh validation data, and a plain one of pyHanko's."""
    file = matrix.files[f"{kind}-{by}.pdf"]
    found = matrix.judged[file]
    reading = pyhanko(file.read_bytes(), matrix.roots, matrix.at)

    assert said(found) == [PASSED] * 3
    assert [stamps(one) for one in found] == [[STAMPED, STAMPED]] * 3
    assert unasked(found) == []
    assert [one.said for one in pdfsig(file)] == [VALID] * 3 + [NOT_VERIFIED] * 2
    assert [one.covers_whole_file for one in pdfsig(file)] == [False] * 4 + [True]
    assert all(one.sound for one in reading), reading
    assert matrix.archival[file].failures == ()
    assert as_issued(verify_pdf(file.read_bytes(), matrix.roots, [], matrix.at)).valid


# what was tampered with: XML


@dataclass(frozen=True)
class XmlCall:
    """What EU DSS says of the signatures and of the school's two timestamps, what our own verification says of each and of the whole.

    `own` a single word: the document is refused before any signature is looked at. `gone`: which signature was taken out.
    """

    dss: Sequence[str]
    stamps: Sequence[str]
    own: Sequence[Sequence[str]] | str
    whole: Sequence[str] = ("not_archived",)
    gone: int | None = None


NOBODY: tuple[list[str], ...] = ([],) * (TAMPERED_TEACHERS + 2)
TEACHERS_FINE = NOBODY[:TAMPERED_TEACHERS]
ALL_PASSED = (PASSED,) * (TAMPERED_TEACHERS + 2)
TEACHERS_PASSED = (PASSED,) * TAMPERED_TEACHERS
LATER_STAMP_WRONG = (STAMPED, OTHERS_STAMP)

XML_CALLS = {
    "changed_mark": XmlCall([CHANGED] * 6, LATER_STAMP_WRONG, [["changed"]] * 6),
    "element_inside_content": XmlCall([CHANGED] * 6, LATER_STAMP_WRONG, [["changed"]] * 6),
    "changed_signing_time": XmlCall(
        [*TEACHERS_PASSED, CHANGED, PASSED, CHANGED], LATER_STAMP_WRONG, [*TEACHERS_FINE, ["changed"], [], ["changed"]]
    ),
    "changed_value": XmlCall(
        [*TEACHERS_PASSED, WRONG_VALUE, CHANGED, CHANGED],
        LATER_STAMP_WRONG,
        [*TEACHERS_FINE, ["wrong_value"], ["changed"], ["changed"]],
    ),
    "element_beside_content": XmlCall([*ALL_PASSED, CHANGED], LATER_STAMP_WRONG, [*NOBODY, ["added_afterwards"]]),
    "element_among_signatures": XmlCall([*ALL_PASSED, CHANGED], LATER_STAMP_WRONG, [*NOBODY, ["added_afterwards"]]),
    "comment_inside_mark": XmlCall([*ALL_PASSED, PASSED], (STAMPED, STAMPED), "comments"),
    "without_first_signature": XmlCall(
        [PASSED, PASSED, MISSING_PART, MISSING_PART, CHANGED],
        LATER_STAMP_WRONG,
        [[], [], ["missing_part"], ["missing_part"], ["missing_part"]],
        gone=0,
    ),
    "without_last_signature": XmlCall([UNPROVEN] * 5, (), NOBODY, ["missing_last", "not_archived"], gone=5),
    "foreign_signature_timestamp": XmlCall([*ALL_PASSED, PASSED], (OTHERS_STAMP, OTHERS_STAMP), [*NOBODY, ["timestamp"]]),
    "foreign_archive_timestamp": XmlCall([*ALL_PASSED, PASSED], LATER_STAMP_WRONG, [*NOBODY, ["timestamp"]]),
}


def test_every_change_has_its_expected_call() -> None:
    assert set(XML_CALLS) == set(XML_CHANGES)
    assert set(PDF_CALLS) == set(PDF_CHANGES)


@each_kind
@pytest.mark.parametrize("change", XML_CALLS)
def test_eu_dss_calls_a_change_of_the_xml_what_it_is(matrix: Matrix, kind: str, change: str) -> None:
    found = matrix.judged[matrix.files[f"{kind}-{change}.xml"]]
    expected = XML_CALLS[change]

    assert said(found) == list(expected.dss)
    assert stamps(found[-1]) == list(expected.stamps)


@each_kind
@pytest.mark.parametrize("change", XML_CALLS)
def test_xmlsec1_refuses_the_signatures_over_changed_xml_and_no_others(matrix: Matrix, kind: str, change: str) -> None:
    """It knows neither RSA-PSS nor timestamps, and no revocation, so it passes what EU DSS finds unproven."""
    expected = XML_CALLS[change]
    schemes = list(Case(kind, TAMPERED_TEACHERS).schemes)
    if expected.gone is not None:
        del schemes[expected.gone]

    found = xmlsec1(matrix.files[f"{kind}-{change}.xml"], matrix.trust)

    assert [one.valid for one in found] == [
        word in {PASSED, UNPROVEN} and scheme != "rsa-pss" for word, scheme in zip(expected.dss, schemes, strict=True)
    ]


@each_kind
@pytest.mark.parametrize("change", XML_CALLS)
def test_our_own_verification_calls_a_change_of_the_xml_what_it_is(matrix: Matrix, kind: str, change: str) -> None:
    document = matrix.files[f"{kind}-{change}.xml"].read_bytes()
    expected = XML_CALLS[change]

    if isinstance(expected.own, str):
        with pytest.raises(UnsuitableDocument, match=expected.own):
            verify_xml(document, matrix.roots, [], matrix.at)
        return
    verdict = as_issued(verify_xml(document, matrix.roots, [], matrix.at))

    assert codes(verdict.signatures) == [list(each) for each in expected.own]
    assert [one.code for one in verdict.problems] == list(expected.whole)
    assert not verdict.valid


# what was tampered with: PDF


@dataclass(frozen=True)
class PdfCall:
    """As for XML; EU DSS strict on later changes, pdfsig's words and whether anything covers the whole file.

    `unsound`: the fields (`DAU_THOI_GIAN_1` is the timestamp) that pyHanko does not find intact, trusted and left alone.
    """

    dss: Sequence[str]
    stamps: Sequence[str]
    pdfsig: Sequence[str]
    covered: bool
    unsound: set[str]
    own: Sequence[Sequence[str]]
    whole: Sequence[str] = ()


THREE_VALID = (VALID, VALID, VALID, NOT_VERIFIED)
STAMP = "DAU_THOI_GIAN_1"

PDF_CALLS = {
    "changed_byte": PdfCall(
        [CHANGED] * 3,
        [OTHERS_STAMP],
        [MISMATCH, MISMATCH, MISMATCH, NOT_VERIFIED],
        covered=True,
        unsound={*FIELDS, STAMP},
        own=[["changed"]] * 3,
        whole=["not_archived"],
    ),
    "added_content": PdfCall(
        [FORBIDDEN] * 3,
        [FORBIDDEN_STAMP],
        THREE_VALID,
        covered=False,
        unsound={*FIELDS, STAMP},
        own=[["added_afterwards"]] * 3,
    ),
    "added_annotation": PdfCall(
        [FORBIDDEN, PASSED, PASSED],
        [STAMPED],
        THREE_VALID,
        covered=False,
        unsound={*FIELDS, STAMP},
        own=[["added_afterwards"]] * 3,
    ),
    "emptied_field": PdfCall(
        [PASSED, PASSED],
        [STAMPED],
        [VALID, UNSIGNED, VALID, NOT_VERIFIED],
        covered=False,
        unsound={"KY_PHAT_HANH", STAMP},
        own=[[], ["added_afterwards"]],
        whole=["missing_signature"],
    ),
    "appended_bytes": PdfCall(
        [PASSED] * 3,
        [STAMPED],
        THREE_VALID,
        covered=False,
        unsound=set(),
        own=[["added_afterwards"]] * 3,
    ),
    "without_last_revision": PdfCall(
        [UNPROVEN] * 3,
        [],
        [VALID, VALID, VALID],
        covered=True,
        unsound=set(FIELDS),
        own=[[], [], []],
        whole=["not_archived"],
    ),
    "without_school": PdfCall(
        [UNPROVEN] * 2,
        [],
        [VALID, VALID, UNSIGNED],
        covered=True,
        unsound={"GVCN", "CBQL"},
        own=[[], []],
        whole=["missing_last", "not_archived"],
    ),
    "foreign_timestamp": PdfCall(
        [PASSED] * 3,
        [OTHERS_STAMP],
        THREE_VALID,
        covered=True,
        unsound={STAMP},
        own=[["timestamp"]] * 3,
        whole=["not_archived"],
    ),
}


@each_kind
@pytest.mark.parametrize("change", PDF_CALLS)
def test_eu_dss_calls_a_change_of_the_pdf_what_it_is(matrix: Matrix, kind: str, change: str) -> None:
    found = matrix.judged[matrix.files[f"{kind}-{change}.pdf"]]
    expected = PDF_CALLS[change]

    assert said(found) == list(expected.dss)
    assert [stamps(one) for one in found] == [list(expected.stamps)] * len(found)
    assert {text for one in found for text in one.warnings} == ({WRONG_IMPRINT} if change == "foreign_timestamp" else set())


@each_kind
@pytest.mark.parametrize("change", LATER_CHANGES)
def test_eu_dss_by_its_default_policy_warns_of_a_forbidden_revision_at_most(matrix: Matrix, kind: str, change: str) -> None:
    found = matrix.judged_by_default[matrix.files[f"{kind}-{change}.pdf"]]

    assert set(said(found)) == {PASSED}
    assert {text for one in found for text in one.warnings} == {
        "added_content": {DOCMDP, UNDEFINED},
        "added_annotation": {DOCMDP},
        "emptied_field": set(),
    }[change]


@each_kind
@pytest.mark.parametrize("change", PDF_CALLS)
def test_pdfsig_sees_changed_bytes_and_how_far_signatures_reach_but_no_forbidden_change(matrix: Matrix, kind: str, change: str) -> None:
    found = pdfsig(matrix.files[f"{kind}-{change}.pdf"])
    expected = PDF_CALLS[change]

    assert [one.said for one in found] == list(expected.pdfsig)
    assert any(one.covers_whole_file for one in found) is expected.covered


@each_kind
@pytest.mark.parametrize("change", PDF_CALLS)
def test_pyhanko_finds_what_a_change_of_the_pdf_touches(matrix: Matrix, kind: str, change: str) -> None:
    found = pyhanko(matrix.files[f"{kind}-{change}.pdf"].read_bytes(), matrix.roots, matrix.at)

    assert {one.field for one in found if not one.sound} == PDF_CALLS[change].unsound


@each_kind
@pytest.mark.parametrize("change", PDF_CALLS)
def test_our_own_verification_calls_a_change_of_the_pdf_what_it_is(matrix: Matrix, kind: str, change: str) -> None:
    document = matrix.files[f"{kind}-{change}.pdf"].read_bytes()
    expected = PDF_CALLS[change]
    verdict = as_issued(verify_pdf(document, matrix.roots, [], matrix.at))

    assert codes(verdict.signatures) == [list(each) for each in expected.own]
    assert [one.code for one in verdict.problems] == list(expected.whole)
    assert not verdict.valid


@each_kind
def test_verapdf_notices_bytes_after_the_last_revision(matrix: Matrix, kind: str) -> None:
    verdict = matrix.archival[matrix.files[f"{kind}-appended_bytes.pdf"]]

    assert [text.partition(" ")[0] for text in verdict.failures] == ["6.1.3-3"]
