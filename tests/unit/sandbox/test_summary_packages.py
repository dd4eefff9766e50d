"""Packages of class summaries: what the sender writes is what the gateway reads, and each kind is judged as what the manifest calls it."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import replace

import pytest
from lxml import etree

from infra.sandbox.gateway.errors import PackageRefused, TranscriptRefused
from infra.sandbox.gateway.manifest import Entry, FileEntry, open_package, read_manifest
from infra.sandbox.gateway.schemas import CONTRACTS, parse
from infra.sandbox.gateway.validation import _check_content
from services.publishing.gateways.national import Enclosed, PackageInfo, build_package
from services.records.render.summary_xml import summary_xml
from tests.factories.summaries import summary_content

CONTENT = summary_content(5, 12)
XML = summary_xml(CONTENT)
INFO = PackageInfo(
    id="0b1c2d3e-0000-4000-8000-000000000001",
    school=CONTENT.school.code,
    year=CONTENT.school.year,
    class_code=CONTENT.school_class.code,
    made_at=dt.datetime(2026, 6, 1, 1, 2, 3, tzinfo=dt.UTC),
    callback="https://localhost:8443/api/publishing/gateway-callbacks",
    kind="class_summary",
)
ENCLOSED = [Enclosed(CONTENT.id, 1, "", b"%PDF-1.7", XML)]


def manifest_of(package: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read("manifest.xml")


def entry(**changes: object) -> Entry:
    file = FileEntry("x", "0" * 64, 1)
    return replace(Entry(CONTENT.id, 1, "", file, file, summary_of=CONTENT.school_class.code), **changes)  # type: ignore[arg-type]  # fields of Entry


def check(xml: bytes, said: Entry) -> str:
    return _check_content(parse(xml), CONTENT.school.code, CONTENT.school.year, said)


def test_a_package_of_summaries_follows_version_1_1_and_the_gateway_reads_it() -> None:
    package = build_package(INFO, ENCLOSED)
    root = etree.fromstring(manifest_of(package))
    assert root.get("phienBan") == "1.1"
    etree.XMLSchema(etree.parse(str(CONTRACTS / "goi-hoc-ba-1.1.xsd"))).assertValid(root)
    (read,) = open_package(package).entries
    assert (read.uuid, read.version, read.pupil, read.summary_of) == (CONTENT.id, 1, "", CONTENT.school_class.code)


def test_packages_of_transcripts_stay_at_version_1_0_which_1_1_accepts_otherwise() -> None:
    transcripts = replace(INFO, kind="transcript")
    manifest = manifest_of(build_package(transcripts, [Enclosed(CONTENT.id, 1, "312500100001", b"%PDF-1.7", b"<HocBa/>")]))
    assert b'phienBan="1.0"' in manifest
    (read,) = read_manifest(manifest.replace(b'phienBan="1.0"', b'phienBan="1.1"')).entries
    assert (read.pupil, read.summary_of) == ("312500100001", None)


def test_version_1_0_knows_no_summaries() -> None:
    with pytest.raises(PackageRefused, match="NG-002"):
        read_manifest(manifest_of(build_package(INFO, ENCLOSED)).replace(b'phienBan="1.1"', b'phienBan="1.0"'))


def test_a_summary_that_agrees_with_the_manifest_gives_the_schools_tax_code() -> None:
    assert check(XML, entry()) == CONTENT.school.tax_code


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (entry(uuid="0b1c2d3e-0000-4000-8000-00000000000b"), "mã định danh bảng tổng hợp"),
        (entry(version=2), "phiên bản"),
        (entry(summary_of="5B"), "lớp"),
        (entry(summary_of=None), "mã định danh học bạ"),
    ],
)
def test_a_summary_that_differs_from_the_manifest_is_refused(said: Entry, what: str) -> None:
    with pytest.raises(TranscriptRefused, match=f"NG-202.*{what}"):
        check(XML, said)


def test_the_personal_id_of_every_pupil_is_looked_at() -> None:
    last = CONTENT.rows[-1].personal_id.encode()
    with pytest.raises(TranscriptRefused, match="NG-203"):
        check(XML.replace(last, b"000" + last[3:]), entry())
