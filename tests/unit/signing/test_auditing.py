"""The auditor's examination: a healthy document has no finding, and whatever happened to one is called what it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.means.timestamps import room_for
from services.means.validation_data import ValidationData
from services.signing import pdf_archive
from services.signing.auditing.findings import FILES, WORDS, Finding, words
from tests.interop import tampering
from tests.interop.transcripts import KINDS, Case
from tests.unit.signing.audited import CASE, Kept, keep
from tests.unit.signing.sealed import NOW, YEAR, Sandbox
from tests.unit.signing.test_xml_archive import renew

SUBJECT = "GVBM-31310098010"


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox) -> Kept:
    return keep(sandbox)


@pytest.fixture(scope="module")
def bare(sandbox: Sandbox) -> Kept:
    """Signed by everybody, not at the archive level yet."""
    return keep(sandbox, sealed=False)


@pytest.fixture(scope="module")
def other(sandbox: Sandbox) -> Kept:
    """Another transcript."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "other", replace(KINDS["TH"], changes={"id": "31310098-2025-2026-9999999999-1"}))
        return keep(sandbox, case=Case("other", 1))


def test_a_document_that_is_as_it_was_signed_has_no_finding_before_and_after_sealing(kept: Kept, bare: Kept) -> None:
    assert kept.findings() == []
    assert bare.findings() == []


def test_a_sealed_document_is_whole_years_after_its_signers_certificates_have_ended(kept: Kept) -> None:
    assert kept.findings(NOW + 2 * YEAR) == []


def test_a_document_whose_archive_timestamps_were_renewed_is_whole(sandbox: Sandbox, kept: Kept) -> None:
    data = ValidationData(ocsps=(sandbox.ocsp(sandbox.tsa),), crls=sandbox.crls)
    prepared = pdf_archive.prepare(kept.pdf, data, room=room_for(sandbox.token(bytes(32))))
    renewed = pdf_archive.finish(kept.pdf, prepared, sandbox.token(prepared.digest))
    assert kept.with_stored(known=True, xml=renew(sandbox, kept.xml, data), pdf=renewed).findings() == []


def test_a_document_outlives_its_last_timestamp_only_with_a_new_one(kept: Kept) -> None:
    found = kept.findings(NOW + 30 * YEAR)
    assert {(file, code) for file, _, code in found} >= {("xml", "timestamp_outlived"), ("pdf", "timestamp_outlived")}


@pytest.mark.parametrize("file", ["content", "xml", "pdf"])
def test_one_flipped_bit_is_found_in_every_file(kept: Kept, file: str) -> None:
    octets = bytearray(getattr(kept, file))
    octets[len(octets) // 2] ^= 1
    assert (file, "", "digest") in kept.with_stored(*(bytes(octets) if name == file else b"" for name in FILES)).findings()


def test_a_file_exchanged_for_another_transcripts_is_called_so_even_if_the_database_was_changed_too(kept: Kept, other: Kept) -> None:
    exchanged = kept.with_stored(xml=other.xml, pdf=other.pdf).findings()
    assert {("xml", "", "digest"), ("pdf", "", "digest"), ("xml", "", "other_document"), ("pdf", "", "other_document")} <= set(exchanged)
    hidden = kept.with_stored(known=True, xml=other.xml, pdf=other.pdf).findings()
    assert {("xml", "", "other_document"), ("pdf", "", "other_document")} <= set(hidden)
    assert ("xml", "", "digest") not in hidden


XML_CHANGES: list[tuple[Callable[[bytes, bytes], bytes], tuple[str, str]]] = [
    (tampering.changed_mark, ("", "content")),
    (tampering.changed_mark, ("GVCN", "changed")),
    (tampering.changed_signing_time, ("GVCN", "changed")),
    (tampering.changed_value, ("GVCN", "wrong_value")),
    (tampering.element_beside_content, ("", "added")),
    (tampering.element_among_signatures, ("", "added")),
    (tampering.element_inside_content, ("", "content")),
    (tampering.comment_inside_mark, ("", "added")),
    (tampering.without_first_signature, (SUBJECT, "signature_missing")),
    (tampering.without_last_signature, ("KY_PHAT_HANH", "signature_missing")),
    (tampering.foreign_signature_timestamp, ("KY_PHAT_HANH", "timestamp_bad")),
    (tampering.foreign_archive_timestamp, ("KY_PHAT_HANH", "timestamp_bad")),
]


@pytest.mark.parametrize(("change", "named"), XML_CHANGES, ids=lambda value: getattr(value, "__name__", None))
def test_whatever_happens_to_an_xml_is_named_even_if_the_database_was_changed_too(
    kept: Kept, other: Kept, change: Callable[[bytes, bytes], bytes], named: tuple[str, str]
) -> None:
    found = kept.with_stored(known=True, xml=change(kept.xml, other.xml)).findings()
    assert ("xml", *named) in found
    assert {file for file, _, _ in found} == {"xml"}


PDF_CHANGES: list[tuple[Callable[[bytes, bytes], bytes], tuple[str, str]]] = [
    (tampering.changed_byte, ("GVCN", "changed")),
    (tampering.added_content, ("KY_PHAT_HANH", "added")),
    (tampering.added_annotation, ("KY_PHAT_HANH", "added")),
    (tampering.emptied_field, ("", "signature_missing")),
    (tampering.appended_bytes, ("", "added")),
    (tampering.without_last_revision, ("", "timestamp_missing")),
    (tampering.without_school, ("KY_PHAT_HANH", "signature_missing")),
    (tampering.foreign_timestamp, ("", "timestamp_bad")),
]


@pytest.mark.parametrize(("change", "named"), PDF_CHANGES, ids=lambda value: getattr(value, "__name__", None))
def test_whatever_happens_to_a_pdf_is_named_even_if_the_database_was_changed_too(
    kept: Kept, other: Kept, change: Callable[[bytes, bytes], bytes], named: tuple[str, str]
) -> None:
    place, code = named
    found = kept.with_stored(known=True, pdf=change(kept.pdf, other.pdf)).findings()
    assert code in {c for _, p, c in found if place in ("", p)}, found
    assert {file for file, _, _ in found} == {"pdf"}


@pytest.mark.parametrize("file", ["xml", "pdf"])
def test_a_file_that_is_nothing_of_the_kind_is_unreadable(kept: Kept, file: str) -> None:
    assert (file, "", "unreadable") in kept.with_stored(*(b"nothing" if name == file else b"" for name in FILES), known=True).findings()


def changed(kept: Kept, place: str, **facts: Any) -> Kept:
    made = [{**s, **facts} if s["id"] == place else s for s in kept.task["signatures"]]
    return replace(kept, task={**kept.task, "signatures": made})


def test_a_signature_of_somebody_elses_certificate_is_noticed_in_both_files(kept: Kept) -> None:
    found = changed(kept, "CBQL", certificate_serial="0A").findings()
    assert found == [("xml", "CBQL", "wrong_signer"), ("pdf", "CBQL", "wrong_signer")]


def without_approval(kept: Kept, owner: str) -> list[dict[str, Any]]:
    return [a for a in kept.approvals if a["owner"] != owner]


def test_a_certificate_has_to_be_approved_at_the_time_of_signing(kept: Kept) -> None:
    leader = next(s for s in kept.task["signatures"] if s["step"] == "leader")["person"]
    owner = f"person:{leader}"
    own = next(a for a in kept.approvals if a["owner"] == owner)
    not_approved = [("xml", "CBQL", "not_approved"), ("pdf", "CBQL", "not_approved")]
    assert replace(kept, approvals=without_approval(kept, owner)).findings() == not_approved
    later = {**own, "since": NOW + dt.timedelta(days=1)}
    assert replace(kept, approvals=[*without_approval(kept, owner), later]).findings() == not_approved
    ended = {**own, "ended": {"known_at": NOW - dt.timedelta(hours=2)}}
    assert replace(kept, approvals=[*without_approval(kept, owner), ended]).findings() == not_approved
    ended_since = {**own, "ended": {"known_at": NOW + dt.timedelta(hours=2)}}
    assert replace(kept, approvals=[*without_approval(kept, owner), ended_since]).findings() == []


def test_a_step_that_was_passed_without_one_of_its_signers_is_noticed(kept: Kept) -> None:
    steps = [
        {**step, "signers": [*step["signers"], {"person": "31300001099", "subjects": ["Toán"], "signed": False}]}
        if step["name"] == "subjects"
        else step
        for step in kept.task["steps"]
    ]
    assert replace(kept, task={**kept.task, "steps": steps}).findings() == [("xml", "", "step_skipped")]


def test_signatures_in_another_order_than_the_steps_are_noticed(kept: Kept) -> None:
    first, *others = kept.task["signatures"]
    found = replace(kept, task={**kept.task, "signatures": [*others, first]}).findings()
    assert ("xml", "", "order") in found


def test_a_sealed_document_without_its_timestamps_is_noticed(bare: Kept) -> None:
    found = replace(bare, task={**bare.task, "step": "done"}).findings()
    assert ("xml", "KY_PHAT_HANH", "timestamp_missing") in found
    assert ("pdf", "", "timestamp_missing") in found


def test_a_signer_of_a_root_that_nobody_trusts_is_noticed(kept: Kept, stranger: Sandbox) -> None:
    found = {code for _, _, code in replace(kept, sandbox=stranger).findings()}
    assert {"untrusted", "timestamp_bad"} <= found


def test_every_kind_of_document_is_examined_alike(sandbox: Sandbox) -> None:
    assert keep(sandbox, case=Case("THCS", 3)).findings() == []
    assert CASE.kind == "TH"


def test_every_finding_has_words_that_name_the_file_and_the_signature() -> None:
    for code in WORDS:
        for file in FILES:
            assert Finding(code=code, file=file).text == f"{FILES[file]}: {WORDS[code]}"
    both = (Finding(code="digest", file="xml"), Finding(code="signature_missing", file="pdf", place="CBQL"))
    assert words(both) == (
        "Bản XML: nội dung không đúng với mã SHA-256 đã ghi nhận khi ký. Bản PDF, chữ ký CBQL: thiếu chữ ký đã ghi nhận."
    )
