"""A verdict in words: which of the four answers fails, what ETSI calls it, and what the report says of a whole document."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from cryptography import x509
from lxml import etree

from services.means.x509 import Problem, describe
from services.signing.auditing.findings import Finding
from services.signing.reports.carried import of_pdf, of_xml, path_of
from services.signing.reports.certificates import COLUMNS, Signed, SignedBy, packed
from services.signing.reports.etsi import etsi_report
from services.signing.reports.report import Report, judge_file, make_report
from services.signing.reports.words import NAMES, checks_of, indication_of
from services.signing.verify import Verdict
from tests.unit.signing import pki
from tests.unit.signing.sealed import NOW, Sandbox

SIGNER = pki.party("Phạm Chủ Nhiệm", "CCCD:031180000003")
MADE = {"certificate_serial": describe(SIGNER.der).serial}


def verdict(**changes: Any) -> Verdict:
    sound: dict[str, Any] = {
        "place": "GVCN",
        "signer": "Phạm Chủ Nhiệm",
        "certificate": SIGNER.der,
        "scheme": "rsa-pkcs1",
        "intact": True,
        "trust": "trusted",
        "revocation": "good",
        "coverage": "whole",
        "level": "LTA",
        "proved_at": NOW,
    }
    return Verdict(**{**sound, **changes})


def problem(code: str) -> tuple[Problem, ...]:
    return (Problem(code=code, message_vi=f"Lỗi {code}.", action_vi=""),)


def judged(one: Verdict, made: dict[str, str] | None = MADE, *, file_intact: bool = True) -> tuple[dict[str, str], str, str | None]:
    """(state of each answer that is not "passed", indication, sub-indication)"""
    checks = checks_of(one, made, file_intact=file_intact, at=NOW)
    assert [check.name for check in checks] == list(NAMES)
    assert all(check.text.endswith(".") for check in checks)
    return {c.name: c.state for c in checks if c.state != "passed"}, *indication_of(one, checks)


def test_a_sound_signature_passes_all_four() -> None:
    assert judged(verdict()) == ({}, "TOTAL_PASSED", None)


CASES: list[tuple[dict[str, Any], dict[str, str], str, str]] = [
    ({"intact": False, "coverage": "unclear", "problems": problem("changed")}, {"integrity": "failed"}, "TOTAL_FAILED", "HASH_FAILURE"),
    (
        {"intact": False, "coverage": "unclear", "problems": problem("wrong_value")},
        {"integrity": "failed"},
        "TOTAL_FAILED",
        "SIG_CRYPTO_FAILURE",
    ),
    ({"coverage": "unclear", "problems": problem("added_afterwards")}, {"integrity": "failed"}, "TOTAL_FAILED", "FORMAT_FAILURE"),
    (
        {"intact": False, "coverage": "unclear", "problems": problem("missing_part")},
        {"integrity": "failed"},
        "INDETERMINATE",
        "SIGNED_DATA_NOT_FOUND",
    ),
    ({"trust": "untrusted", "revocation": "unknown"}, {"trust": "failed"}, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND"),
    ({"trust": "revoked", "revocation": "revoked"}, {"trust": "failed"}, "INDETERMINATE", "REVOKED_NO_POE"),
    (
        {"trust": "expired", "revocation": "unknown", "proved_at": None},
        {"trust": "unknown", "time": "unknown"},
        "INDETERMINATE",
        "OUT_OF_BOUNDS_NO_POE",
    ),
    ({"revocation": "unknown"}, {"trust": "unknown"}, "INDETERMINATE", "TRY_LATER"),
    ({"problems": problem("weak_key")}, {"trust": "failed"}, "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE"),
    ({"problems": problem("timestamp")}, {"time": "failed"}, "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE"),
]


@pytest.mark.parametrize(("changes", "states", "indication", "sub"), CASES)
def test_each_fault_is_named_by_its_own_answer(changes: dict[str, Any], states: dict[str, str], indication: str, sub: str) -> None:
    assert judged(verdict(**changes)) == (states, indication, sub)


def test_time_alone_decides_nothing_while_the_certificate_is_good() -> None:
    assert judged(verdict(proved_at=None, level="B")) == ({"time": "unknown"}, "TOTAL_PASSED", None)


def test_a_sound_signature_that_nobody_recorded_does_not_pass() -> None:
    assert judged(verdict(), None) == ({"signer": "failed"}, "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")
    assert judged(verdict(), {"certificate_serial": "0A"})[0] == {"signer": "failed"}


def test_a_sound_signature_in_a_file_that_is_not_the_recorded_one_fails() -> None:
    assert judged(verdict(), file_intact=False) == ({"integrity": "failed"}, "TOTAL_FAILED", "HASH_FAILURE")


def task(*places: str) -> dict[str, Any]:
    steps = {"GVCN": "homeroom", "CBQL": "leader", "KY_PHAT_HANH": "issue"}
    made = {"person": "1", "name": "Người ký", "subjects": [], "signed_at": NOW.isoformat()}
    signatures = [{**made, "id": place, "step": steps.get(place, "subjects"), "certificate_serial": "1"} for place in places]
    return {"_id": "t-1", "year": "2025-2026", "version": 1, "step": "done", "signatures": signatures}


def test_what_a_sealed_file_carries_is_read_from_both_kinds(sandbox: Sandbox, sealed_xml: bytes, sealed_pdf: bytes) -> None:
    xml, pdf = of_xml(sealed_xml), of_pdf(sealed_pdf)
    assert [stamp.kind for stamp in xml.stamps] == ["signature", "archive"]
    assert [stamp.kind for stamp in pdf.stamps] == ["document"]
    for carried in (xml, pdf):
        assert {proof.kind for proof in carried.proofs} == {"OCSP", "CRL"}
        asked = {serial for proof in carried.proofs for serial in proof.about}
        assert {describe(certificates[0]).serial for certificates in carried.signers.values()} <= asked
        leaf = carried.signers["GVCN"][0]
        way = path_of(leaf, (*carried.certificates, *sandbox.roots))
        assert [describe(each).subject for each in way[1:]] == ["Sandbox Public CA", "Sandbox National Root CA"]


@pytest.mark.parametrize("octets", [b"", b"nothing", b"<HocBa/>", b"%PDF-1.7"])
def test_what_cannot_be_read_carries_nothing(octets: bytes) -> None:
    assert of_xml(octets).signers == {}
    assert of_pdf(octets).signers == {}


def report_of(octets: bytes | None, *places: str) -> Report:
    judged_file = judge_file("xml", "0" * 64, octets, (), NOW)
    return make_report(task(*places), [judged_file], title="t", findings=(), roots=(), at=NOW)


def test_a_lost_or_unreadable_file_makes_the_whole_report_fail_and_names_every_recorded_signature() -> None:
    for octets in (None, b"nothing"):
        report = report_of(octets, "GVCN", "CBQL")
        assert (report.indication, report.intact) == ("TOTAL_FAILED", False)
        assert [(one.place, one.checks[0].text) for one in report.signatures] == [
            (place, "Chữ ký đã ghi nhận không còn trong tệp.") for place in ("GVCN", "CBQL")
        ]
        assert etree.fromstring(etsi_report(report)) is not None


def test_a_finding_of_the_auditor_makes_the_whole_report_fail() -> None:
    finding = Finding(code="step_skipped", file="xml")
    report = make_report(task(), [], title="t", findings=(finding,), roots=(), at=NOW)
    assert (report.indication, report.intact) == ("TOTAL_FAILED", False)


def test_a_report_without_signatures_has_no_etsi_form() -> None:
    with pytest.raises(ValueError, match="at least one signature"):
        etsi_report(make_report(task(), [], title="t", findings=(), roots=(), at=NOW))


def test_a_certificate_that_signed_twice_is_packed_once_and_listed_twice() -> None:
    at = dt.datetime(2026, 5, 30, 2, tzinfo=dt.UTC)
    by = SignedBy(step="Giáo viên chủ nhiệm ký duyệt", name="=Phạm Chủ Nhiệm", signed_at=at, certificate=SIGNER.der)
    documents = [Signed(document=f"t-{n}", title=f"Học bạ {n}", signers=(by,)) for n in (1, 2)]
    with zipfile.ZipFile(io.BytesIO(packed(documents, "pem", at))) as archive:
        certificates = [name for name in archive.namelist() if name.endswith(".pem")]
        assert len(certificates) == 1
        assert x509.load_pem_x509_certificate(archive.read(certificates[0])) == x509.load_der_x509_certificate(SIGNER.der)
        header, *rows = csv.reader(io.StringIO(archive.read("danh-sach.csv").decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert [row[2] for row in rows] == ["t-1", "t-2"]
    assert {row[4] for row in rows} == {"'=Phạm Chủ Nhiệm"}
    assert {row[5] for row in rows} == {"30/05/2026 09:00:00"}
