"""A transcript as XML by `contracts/xml/hoc-ba-1.0.xsd`: what every signer signs.

Same content, same bytes: no white space between elements, text in NFC, times in +07:00. `ChuKy` is left empty for the signatures.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lxml import etree

from services.records.render.text import (
    GENERAL_COMPETENCES,
    QUALITIES,
    SEMESTER_NUMERALS,
    SPECIFIC_COMPETENCES,
    clean,
    local_time,
    refuse_unknown_groups,
    teachers_of,
    traits_of,
)
from services.records.schoolyear import PrimaryResult, Pupil, School, SecondaryResult, SubjectTeacher, Trait, TranscriptContent

NAMESPACE: Final = "urn:hocba:transcript:1"
SCHEMA_VERSION: Final = "1.0"
MAX_BYTES: Final = 5_000_000

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_validating = threading.Lock()

Value = str | int | bool | Decimal | dt.date | None


def transcript_xml(content: TranscriptContent) -> bytes:
    """UTF-8 with declaration. Raises ValueError for traits of an unknown group and a time without zone."""
    default: Any = {None: NAMESPACE}
    root = etree.Element(_tag("HocBa"), {"phienBan": SCHEMA_VERSION}, nsmap=default)
    body = etree.SubElement(root, _tag("NoiDung"), {"Id": "nd"})
    _document(body, content)
    _school(body, content.school)
    _values(_child(body, "Lop"), MaLop=content.school_class.code, TenLop=content.school_class.name, Khoi=content.school_class.grade)
    _pupil(body, content.pupil)
    result = _child(body, "KetQua")
    if isinstance(content.result, PrimaryResult):
        _primary(_child(result, "TieuHoc"), content.result, final_grade=content.school_class.grade == 5)
    else:
        _secondary(_child(result, "TrungHoc"), content.result, content.subject_teachers)
    _signers(body, content)
    etree.SubElement(root, _tag("ChuKy"), {"Id": "ck"})
    return _DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def validate_transcript(xml: bytes) -> list[str]:
    """Everything the schema holds against the document, one message each with its line; empty when it is valid.

    No network, DTD or entity is ever used; a document type is itself an error.
    """
    if len(xml) > MAX_BYTES:
        return [f"Tệp XML lớn hơn {MAX_BYTES} byte."]
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        document = etree.ElementTree(etree.fromstring(xml, parser))
    except etree.XMLSyntaxError as error:
        return [f"Dòng {error.lineno}: {error.msg}"]
    declared: Any = document.docinfo
    if declared.doctype:
        return ["Tệp XML không được có khai báo DOCTYPE."]
    # an XMLSchema keeps the messages of its last run, so threads take turns
    with _validating:
        schema = _schema()
        if schema.validate(document):
            return []
        log: Any = schema.error_log
        return [f"Dòng {entry.line}: {entry.message}" for entry in log]


@cache
def _schema() -> etree.XMLSchema:
    with (files("contracts") / "xml" / "hoc-ba-1.0.xsd").open("rb") as source:
        return etree.XMLSchema(etree.parse(source, etree.XMLParser(no_network=True, load_dtd=False)))


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, _tag(name))


def _values(parent: etree._Element, **values: Value) -> None:
    """One child each, in order; what is None or empty text is left out."""
    for name, value in values.items():
        text = _lexical(value)
        if text:
            _child(parent, name).text = text


def _lexical(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return clean(str(value))


def _document(body: etree._Element, content: TranscriptContent) -> None:
    _values(
        _child(body, "ThongTinHocBa"),
        MaHocBa=content.id,
        PhienBan=content.version,
        ThayThe=content.replaces,
        CapHoc=content.school.level,
        NamHoc=content.school.year,
        NgayTao=local_time(content.created_at).isoformat(),
        DiaChiXacMinh=content.verify_url,
    )


def _school(body: etree._Element, school: School) -> None:
    element = _child(body, "Truong")
    _values(
        element,
        MaTruong=school.code,
        TenTruong=school.name,
        LoaiHinh=school.kind,
        XaPhuong=school.commune,
        TinhThanhPho=school.province,
        MaSoThue=school.tax_code,
    )
    _values(_child(element, "DonViQuanLy"), MaDonVi=school.unit_code, TenDonVi=school.unit_name)


def _pupil(body: etree._Element, pupil: Pupil) -> None:
    element = _child(body, "HocSinh")
    _values(
        element,
        MaHocSinh=pupil.code,
        HoTen=pupil.name,
        NgaySinh=pupil.born,
        GioiTinh=pupil.sex,
        DanToc=pupil.ethnicity,
        QuocTich=pupil.nationality,
        NoiSinh=pupil.birth_place,
        QueQuan=pupil.home_town,
        NoiOHienNay=pupil.address,
        SoDinhDanhCaNhan=pupil.personal_id,
    )
    for name, person, job in (("Cha", pupil.father, pupil.father_job), ("Me", pupil.mother, pupil.mother_job)):
        if person.strip():
            _values(_child(element, name), HoTen=person, NgheNghiep=job)
    _values(
        element,
        NguoiGiamHo=pupil.guardian,
        SoDangBo=pupil.register_number,
        NgayNhapHoc=pupil.enrolled_on,
        TrangThai=pupil.status,
    )


def _primary(element: etree._Element, result: PrimaryResult, *, final_grade: bool) -> None:
    refuse_unknown_groups(result.traits)
    _values(_child(element, "TheChat"), ChieuCao=result.height_cm, CanNang=result.weight_kg, SucKhoe=result.health)
    _values(_child(element, "NgayNghi"), CoPhep=result.absent_excused, KhongPhep=result.absent_unexcused)
    subjects = _child(element, "CacMonHoc")
    for subject in result.subjects:
        _values(
            _child(subjects, "MonHoc"),
            TenMonHoc=subject.name,
            MucDatDuoc=subject.level,
            DiemKTDK=subject.mark,
            NhanXet=subject.comment,
        )
    qualities = _child(element, "PhamChat")
    _traits(qualities, "PhamChatChuYeu", traits_of(result.traits, QUALITIES))
    _values(qualities, NhanXet=result.quality_comment)
    competences = _child(element, "NangLuc")
    _traits(competences, "NangLucChung", traits_of(result.traits, GENERAL_COMPETENCES))
    _traits(competences, "NangLucDacThu", traits_of(result.traits, SPECIFIC_COMPETENCES))
    _values(competences, NhanXet=result.competence_comment)
    _values(
        element,
        NhanXetGiaoVienChuNhiem=result.homeroom_comment,
        XepLoai=result.rating,
        KhenThuong=result.award,
        HoanThanhChuongTrinhLopHoc=result.completed,
        HoanThanhChuongTrinhTieuHoc=result.completed if final_grade else None,
        LenLop=result.promoted,
    )


def _traits(parent: etree._Element, name: str, traits: Iterable[Trait]) -> None:
    for trait in traits:
        _values(_child(parent, name), Ten=trait.name, MucDatDuoc=trait.level)


def _secondary(element: etree._Element, result: SecondaryResult, teachers: Iterable[SubjectTeacher]) -> None:
    subjects = _child(element, "CacMonHoc")
    for subject in result.subjects:
        row = _child(subjects, "MonHoc")
        _values(
            row,
            TenMonHoc=subject.name,
            HocKiI=subject.semester1,
            HocKiII=subject.semester2,
            CaNam=subject.year,
            SauDanhGiaLai=subject.reassessed,
            NhanXet=subject.comment,
        )
        for teacher, semesters in teachers_of(teachers, subject.name):
            person = _child(row, "GiaoVien")
            _values(person, MaCanBo=teacher.staff)
            for semester in semesters:
                _values(person, HocKi=SEMESTER_NUMERALS[semester])
    for name, levels in (("KetQuaHocTap", result.study), ("KetQuaRenLuyen", result.conduct)):
        first, second, year = levels
        _values(_child(element, name), HocKiI=first, HocKiII=second, CaNam=year)
    _values(_child(element, "BuoiNghi"), CoPhep=result.absent_excused, KhongPhep=result.absent_unexcused)
    _values(
        element,
        LenLop=result.promoted,
        ChungChi=result.certificate,
        CuocThi=result.contests,
        KhenThuong=result.award,
        NhanXetGiaoVienChuNhiem=result.homeroom_comment,
    )


def _signers(body: etree._Element, content: TranscriptContent) -> None:
    element = _child(body, "NguoiKy")
    for teacher in content.subject_teachers:
        person = _child(element, "GiaoVienBoMon")
        _values(person, MaCanBo=teacher.staff, HoTen=teacher.name, SoDinhDanhCaNhan=teacher.personal_id)
        for subject in teacher.subjects:
            _values(person, MonHoc=subject)
    _values(
        _child(element, "GiaoVienChuNhiem"),
        MaCanBo=content.school_class.homeroom,
        HoTen=content.homeroom_name,
        SoDinhDanhCaNhan=content.homeroom_personal_id,
    )
    _values(
        _child(element, "LanhDao"),
        MaCanBo=content.school_class.leader,
        HoTen=content.leader_name,
        ChucVu=content.leader_position,
        SoDinhDanhCaNhan=content.leader_personal_id,
    )
    _values(element, NoiKy=content.school.print_place, NgayKy=content.school.print_date)
