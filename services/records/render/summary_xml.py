"""A class summary as XML by `contracts/xml/bang-tong-hop-1.0.xsd`: what homeroom teacher, leader and school sign.

Same content, same bytes: no white space between elements, text in NFC, times in +07:00. `ChuKy` is left empty for the signatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lxml import etree

from services.records.render.elements import child, class_element, finished, new_document, problems, school_element, values
from services.records.render.summary import awarded, columns, completed, rating_counts, subject_counts, trait_counts
from services.records.render.text import GENERAL_COMPETENCES, QUALITIES, SPECIFIC_COMPETENCES, local_time, traits_of
from services.records.schoolyear import SummaryContent, SummaryRow, Trait

NAMESPACE: Final = "urn:hocba:summary:1"
SCHEMA: Final = "bang-tong-hop-1.0.xsd"


def summary_xml(content: SummaryContent) -> bytes:
    """UTF-8 with declaration. Raises ValueError for traits of an unknown group and a time without zone."""
    root, body = new_document(NAMESPACE, "BangTongHop")
    values(
        child(body, "ThongTinBangTongHop"),
        MaBangTongHop=content.id,
        PhienBan=content.version,
        ThayThe=content.replaces,
        NamHoc=content.school.year,
        ThoiDiem=content.period,
        NgayTao=local_time(content.created_at).isoformat(),
        DiaChiXacMinh=content.verify_url,
    )
    school_element(body, content.school)
    class_element(body, content.school_class)
    for number, row in enumerate(content.rows, start=1):
        _row(child(body, "HocSinh"), number, row, at_the_end=content.period == "CN")
    _totals(child(body, "TongHop"), content)
    _signers(child(body, "NguoiKy"), content)
    return finished(root)


def validate_summary(xml: bytes) -> list[str]:
    """Everything the schema holds against the document, one message each with its line; empty when it is valid.

    No network, DTD or entity is ever used; a document type is itself an error.
    """
    return problems(xml, SCHEMA)


def _row(element: etree._Element, number: int, row: SummaryRow, *, at_the_end: bool) -> None:
    values(element, SoThuTu=number, MaHocSinh=row.code, HoTen=row.name, NgaySinh=row.born, SoDinhDanhCaNhan=row.personal_id)
    for subject in row.subjects:
        values(child(element, "MonHoc"), TenMonHoc=subject.name, MucDatDuoc=subject.level, DiemKTDK=subject.mark)
    _traits(element, "NangLucChung", traits_of(row.traits, GENERAL_COMPETENCES))
    _traits(element, "NangLucDacThu", traits_of(row.traits, SPECIFIC_COMPETENCES))
    _traits(element, "PhamChatChuYeu", traits_of(row.traits, QUALITIES))
    if at_the_end:
        values(element, XepLoai=row.rating, KhenThuong=row.award, HoanThanhChuongTrinhLopHoc=row.completed)


def _traits(element: etree._Element, name: str, traits: Iterable[Trait]) -> None:
    for trait in traits:
        values(child(element, name), Ten=trait.name, MucDatDuoc=trait.level)


def _totals(element: etree._Element, content: SummaryContent) -> None:
    rows, shown = content.rows, columns(content)
    values(element, SoHocSinh=len(rows))
    for subject in shown.subjects:
        found = subject_counts(rows, subject.name)
        values(child(element, "MonHoc"), Ten=subject.name, HoanThanhTot=found["T"], HoanThanh=found["H"], ChuaHoanThanh=found["C"])
    for name, group, traits in (
        ("NangLuc", GENERAL_COMPETENCES, shown.general),
        ("NangLuc", SPECIFIC_COMPETENCES, shown.specific),
        ("PhamChat", QUALITIES, shown.qualities),
    ):
        for trait in traits:
            found = trait_counts(rows, group, trait)
            values(child(element, name), Ten=trait, Tot=found["T"], Dat=found["Đ"], CanCoGang=found["C"])
    if content.period == "CN":
        for rating, pupils in rating_counts(rows):
            values(child(element, "XepLoai"), Ten=rating, SoHocSinh=pupils)
        values(element, KhenThuong=awarded(rows), HoanThanhChuongTrinhLopHoc=completed(rows))


def _signers(element: etree._Element, content: SummaryContent) -> None:
    values(
        child(element, "GiaoVienChuNhiem"),
        MaCanBo=content.school_class.homeroom,
        HoTen=content.homeroom_name,
        SoDinhDanhCaNhan=content.homeroom_personal_id,
    )
    values(
        child(element, "LanhDao"),
        MaCanBo=content.leader,
        HoTen=content.leader_name,
        ChucVu=content.leader_position,
        SoDinhDanhCaNhan=content.leader_personal_id,
    )
    values(element, NoiKy=content.school.print_place, NgayKy=content.school.print_date)
