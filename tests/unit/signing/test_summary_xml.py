"""A class summary is signed and judged as a transcript is, and neither can pass for the other."""

from datetime import timedelta

import pytest

from services.records.render.summary_xml import summary_xml
from services.signing import xml
from services.signing.steps.kind import values_before
from services.signing.verify import verify_xml
from tests.factories.summaries import summary_content
from tests.unit.signing import pki
from tests.unit.signing.chain import ROLES

AT = pki.AT
PLACES = ("GVCN", "CBQL", "KY_PHAT_HANH")
PEOPLE = {
    "GVCN": pki.party("Phạm Chủ Nhiệm"),
    "CBQL": pki.party("Vũ Hiệu Trưởng", "CCCD:001180000002", kind="p256"),
    "KY_PHAT_HANH": pki.party("Trường Tiểu học An Hồng", "MST:0200000001"),
}


def signed(document: bytes) -> bytes:
    for number, place in enumerate(PLACES):
        covers = xml.WHOLE if place == "KY_PHAT_HANH" else values_before(PLACES[:number])
        who = PEOPLE[place]
        prepared = xml.prepare(
            document, signature_id=place, covers=covers, certificate=who.der, chain=who.chain, signed_at=AT, role=ROLES[place]
        )
        document = xml.assemble(document, [xml.finish(prepared, who.sign(prepared.digest), who.der)])
    return document


@pytest.fixture(scope="module")
def summary() -> bytes:
    return signed(summary_xml(summary_content(5, 12)))


def test_three_signatures_stand_in_a_summary_and_the_schools_covers_the_whole(summary: bytes) -> None:
    verdicts = verify_xml(summary, [pki.root()], [], AT + timedelta(hours=1))
    assert [(v.place, v.intact, v.coverage) for v in verdicts] == [
        ("GVCN", True, "content"),
        ("CBQL", True, "content"),
        ("KY_PHAT_HANH", True, "whole"),
    ]
    assert "Bảng tổng hợp kết quả đánh giá giáo dục".encode() in summary


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<MucDatDuoc>H</MucDatDuoc>", b"<MucDatDuoc>T</MucDatDuoc>"),
        (b"<SoThuTu>1</SoThuTu>", b"<SoThuTu>2</SoThuTu>"),
    ],
)
def test_a_change_of_the_content_breaks_every_signature(summary: bytes, before: bytes, after: bytes) -> None:
    changed = summary.replace(before, after, 1)
    assert changed != summary
    assert not any(v.intact for v in verify_xml(changed, [pki.root()], [], AT + timedelta(hours=1)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"urn:hocba:summary:1", b"urn:hocba:transcript:1"),
        (b"urn:hocba:summary:1", b"urn:hocba:summary:2"),
        (b"BangTongHop", b"HocBa"),
    ],
)
def test_a_root_of_one_kind_in_the_namespace_of_the_other_is_refused(summary: bytes, before: bytes, after: bytes) -> None:
    with pytest.raises(xml.UnsuitableDocument):
        xml.parse(summary.replace(before, after))
