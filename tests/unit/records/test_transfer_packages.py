"""A package of another school is examined before anything of it is taken."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pytest

from services.records.archive import checker
from services.records.archive.packing import whole
from services.records.schoolyear import TranscriptContent
from services.records.transfers.dossier import Dossier
from services.records.transfers.examine import Examined, Judge, contents, examine
from tests.unit.records.sealed_transcripts import (
    Installation,
    changed,
    content_of,
    dossier_of,
    sealed,
    transfer_package,
)
from tests.unit.signing.sealed import NOW, Sandbox

MINE = "31300001"
LATER = NOW + dt.timedelta(days=500)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox.open(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("sender"))


@pytest.fixture(scope="module")
def content() -> TranscriptContent:
    return content_of()


@pytest.fixture(scope="module")
def files(sandbox: Sandbox, content: TranscriptContent) -> tuple[bytes, bytes]:
    return sealed(sandbox, content)


@pytest.fixture(scope="module")
def dossier(content: TranscriptContent) -> Dossier:
    return dossier_of([content])


@pytest.fixture(scope="module")
def package(sender: Installation, dossier: Dossier, files: tuple[bytes, bytes]) -> bytes:
    return transfer_package(sender.seal, dossier, [files])


@pytest.fixture
def judge(sandbox: Sandbox, sender: Installation) -> Judge:
    return Judge([sender.der], sandbox.roots, NOW, MINE)


def states(seen: Examined) -> list[str]:
    return [file.state for report in seen.reports for file in report.files]


def reasons(seen: Examined) -> str:
    return "; ".join(reason for report in seen.reports for file in report.files for reason in file.reasons)


def test_a_whole_package_with_sound_signatures_is_valid(package: bytes, judge: Judge, content: TranscriptContent) -> None:
    seen = examine(package, judge)
    assert seen.refusal == ""
    assert seen.state == "VALID"
    assert states(seen) == ["VALID", "VALID"]
    assert [s.place for s in seen.reports[0].files[0].signatures] == ["GVCN", "CBQL", "KY_PHAT_HANH"]
    assert seen.dossier is not None
    assert seen.dossier.pupil == content.pupil


def test_signatures_are_still_valid_when_their_certificates_have_ended(package: bytes, judge: Judge) -> None:
    later = Judge(judge.believed, judge.roots, LATER, MINE)
    assert examine(package, later).state == "VALID"


def test_one_changed_byte_in_a_document_is_refused_by_its_name(package: bytes, judge: Judge, content: TranscriptContent) -> None:
    entries = {e.name: e for e in checker.check(io.BytesIO(package)).entries}
    for name in (f"hoc-ba/{content.id}.pdf", f"hoc-ba/{content.id}.xml", "ho-so.json", "manifest.json"):
        entry = entries[name]
        seen = examine(changed(package, entry.content_at + entry.size // 2), judge)
        assert (seen.refusal, seen.values["file"]) == ("HB-REC-152", name)


def test_the_offline_checker_recomputes_every_signatures_digest_where_pyhanko_is_at_hand(
    sender: Installation, dossier: Dossier, files: tuple[bytes, bytes]
) -> None:
    """Also inside a package that somebody sealed around a document that had been changed."""
    document, xml = files
    sound = transfer_package(sender.seal, dossier, [files])
    around = transfer_package(sender.seal, dossier, [(changed(document, len(document) // 3), xml)])
    for package, wrong in ((sound, 0), (around, 4)):
        entries = checker.check(io.BytesIO(package)).entries
        broken = list(checker.broken_signatures(io.BytesIO(package), entries))
        assert len(broken) == wrong, broken


def test_a_seal_of_an_unknown_installation_is_not_believed(package: bytes, judge: Judge) -> None:
    seen = examine(package, Judge([], judge.roots, NOW, MINE))
    assert seen.refusal == "HB-REC-153"


def test_a_seal_made_after_its_certificate_ended_is_not_believed(
    sender: Installation, dossier: Dossier, files: tuple[bytes, bytes], judge: Judge
) -> None:
    late = transfer_package(sender.seal, dossier, [files], made_at=LATER.isoformat())
    assert examine(late, judge).refusal == "HB-REC-153"


def test_a_package_for_another_school_is_refused(package: bytes, judge: Judge) -> None:
    seen = examine(package, Judge(judge.believed, judge.roots, NOW, "31300002"))
    assert (seen.refusal, seen.values["school"]) == ("HB-REC-155", MINE)


def test_an_archive_package_is_not_taken_for_a_transfer(sender: Installation, judge: Judge) -> None:
    archive = whole([("a.txt", b"a")], {"kind": "archive", "made_at": NOW.isoformat()}, sender.seal.over)
    assert examine(archive, judge).refusal == "HB-REC-154"


def test_a_package_without_its_dossier_is_refused(sender: Installation, judge: Judge) -> None:
    told = {"kind": "transfer", "made_at": NOW.isoformat(), "id": "x", "school": {"code": "1", "name": "1"}, "to": {"code": ""}}
    assert examine(whole([("a.txt", b"a")], told, sender.seal.over), judge).refusal == "HB-REC-154"


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"%PDF-1.7", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_package_at_all_is_refused(body: bytes, judge: Judge) -> None:
    assert examine(body, judge).refusal == "HB-REC-152"


def test_a_document_of_another_pupil_is_invalid(
    sandbox: Sandbox, sender: Installation, content: TranscriptContent, files: tuple[bytes, bytes], judge: Judge
) -> None:
    other = content.pupil.model_copy(update={"personal_id": "031315009999"})
    seen = examine(transfer_package(sender.seal, dossier_of([content], pupil=other), [files]), judge)
    assert seen.state == "INVALID"
    assert "số định danh cá nhân khác" in reasons(seen)


def test_a_pdf_that_says_something_else_than_the_xml_is_invalid(
    sandbox: Sandbox, sender: Installation, content: TranscriptContent, files: tuple[bytes, bytes], judge: Judge
) -> None:
    other, _ = sealed(sandbox, content_of(homeroom_name="Người Khác"))
    seen = examine(transfer_package(sender.seal, dossier_of([content]), [(other, files[1])]), judge)
    assert states(seen) == ["INVALID", "VALID"]
    assert "khác với bản XML" in reasons(seen)


def test_a_document_sealed_by_another_organisation_is_invalid(sandbox: Sandbox, sender: Installation, judge: Judge) -> None:
    content = content_of(school=content_of().school.model_copy(update={"tax_code": "0299999999"}))
    seen = examine(transfer_package(sender.seal, dossier_of([content]), [sealed(sandbox, content)]), judge)
    assert seen.state == "INVALID"
    assert "chứng thư số của trường" in reasons(seen)


def test_a_document_changed_after_signing_is_invalid_however_it_is_packed(
    sender: Installation, content: TranscriptContent, files: tuple[bytes, bytes], judge: Judge
) -> None:
    forged = files[1].replace(b"<MucDatDuoc>T<", b"<MucDatDuoc>H<", 1)
    assert forged != files[1]
    seen = examine(transfer_package(sender.seal, dossier_of([content]), [(files[0], forged)]), judge)
    assert seen.reports[0].files[1].state == "INVALID"
    assert "thay đổi sau khi ký" in reasons(seen)


def test_signatures_of_a_pki_that_is_not_known_here_are_unchecked(package: bytes, judge: Judge) -> None:
    seen = examine(package, Judge(judge.believed, [], NOW, MINE))
    assert seen.state == "UNCHECKED"
    assert "thiếu chứng thư số của đơn vị cấp" in reasons(seen)


def test_signatures_below_a_strangers_root_of_the_same_name_are_not_valid(package: bytes, judge: Judge, tmp_path: Path) -> None:
    stranger = Sandbox.open(tmp_path)
    assert examine(package, Judge(judge.believed, stranger.roots, NOW, MINE)).state != "VALID"


def test_a_document_without_an_xml_that_can_be_read_is_invalid(
    sender: Installation, content: TranscriptContent, files: tuple[bytes, bytes], judge: Judge
) -> None:
    bomb = b'<!DOCTYPE HocBa [<!ENTITY a "aaaa">]><HocBa xmlns="urn:hocba:transcript:1">&a;</HocBa>'
    seen = examine(transfer_package(sender.seal, dossier_of([content]), [(files[0], bomb)]), judge)
    assert states(seen) == ["VALID", "INVALID"]


def test_the_dossier_and_the_documents_come_out_as_they_went_in(
    package: bytes, files: tuple[bytes, bytes], content: TranscriptContent
) -> None:
    names = [f"hoc-ba/{content.id}.pdf", f"hoc-ba/{content.id}.xml", "ho-so.json"]
    pdf, xml, told = contents(package, names)
    assert (pdf, xml) == files
    assert json.loads(told)["leaving"]["decision"] == "12/QĐ-CT"
