"""A transcript as XML by `contracts/xml/hoc-ba-1.0.xsd`: what every signer signs.

Same content, same bytes: no white space between elements, text in NFC, times in +07:00. `ChuKy` is left empty for the signatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lxml import etree

from services.records.render.elements import child, class_element, finished, new_document, problems, school_element, values
from services.records.render.text import (
    GENERAL_COMPETENCES,
    QUALITIES,
    SEMESTER_NUMERALS,
    SPECIFIC_COMPETENCES,
    chosen_subjects,
    local_time,
    refuse_unknown_groups,
    teachers_of,
    traits_of,
)
from services.records.schoolyear import Digitised, PrimaryResult, Pupil, SecondaryResult, StudyYear, Trait, TranscriptContent

NAMESPACE: Final = "urn:hocba:transcript:1"
SCHEMA: Final = "hoc-ba-1.0.xsd"


def transcript_xml(content: TranscriptContent) -> bytes:
    """UTF-8 with declaration. Raises ValueError for traits of an unknown group and a time without zone."""
    root, body = new_document(NAMESPACE, "HocBa")
    _document(body, content)
    school_element(body, content.school)
    class_element(body, content.school_class)
    _pupil(body, content.pupil, content.history)
    result = child(body, "KetQua")
    if isinstance(content.result, PrimaryResult):
        _primary(child(result, "TieuHoc"), content.result, final_grade=content.school_class.grade == 5)
    else:
        _secondary(child(result, "TrungHoc"), content.result, content)
    _signers(body, content)
    if content.digitised:
        _digitised(body, content.digitised)
    return finished(root)


def validate_transcript(xml: bytes) -> list[str]:
    """Everything the schema holds against the document, one message each with its line; empty when it is valid.

    No network, DTD or entity is ever used; a document type is itself an error.
    """
    return problems(xml, SCHEMA)


def _document(body: etree._Element, content: TranscriptContent) -> None:
    element = child(body, "ThongTinHocBa")
    values(
        element,
        MaHocBa=content.id,
        PhienBan=content.version,
        ThayThe=content.replaces,
        CapHoc=content.school.level,
        NamHoc=content.school.year,
        NgayTao=local_time(content.created_at).isoformat(),
        DiaChiXacMinh=content.verify_url,
    )
    if content.previous:
        values(
            child(element, "HocBaNamTruoc"),
            MaHocBa=content.previous.transcript,
            NamHoc=content.previous.year,
            BamPdf=content.previous.pdf_sha256,
            BamXml=content.previous.xml_sha256,
        )


def _pupil(body: etree._Element, pupil: Pupil, history: Iterable[StudyYear]) -> None:
    element = child(body, "HocSinh")
    values(
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
            values(child(element, name), HoTen=person, NgheNghiep=job)
    values(
        element,
        NguoiGiamHo=pupil.guardian,
        SoDangBo=pupil.register_number,
        NgayNhapHoc=pupil.enrolled_on,
        TrangThai=pupil.status,
    )
    for each in history:
        values(
            child(element, "QuaTrinhHocTap"),
            NamHoc=each.year,
            TenLop=each.class_name,
            TenTruong=each.school_name,
            SoDangBo=each.register_number,
            NgayNhapHoc=each.joined_on,
        )


def _primary(element: etree._Element, result: PrimaryResult, *, final_grade: bool) -> None:
    refuse_unknown_groups(result.traits)
    values(child(element, "TheChat"), ChieuCao=result.height_cm, CanNang=result.weight_kg, SucKhoe=result.health)
    values(child(element, "NgayNghi"), CoPhep=result.absent_excused, KhongPhep=result.absent_unexcused)
    subjects = child(element, "CacMonHoc")
    for subject in result.subjects:
        values(
            child(subjects, "MonHoc"),
            TenMonHoc=subject.name,
            MucDatDuoc=subject.level,
            DiemKTDK=subject.mark,
            NhanXet=subject.comment,
        )
    qualities = child(element, "PhamChat")
    _traits(qualities, "PhamChatChuYeu", traits_of(result.traits, QUALITIES))
    values(qualities, NhanXet=result.quality_comment)
    competences = child(element, "NangLuc")
    _traits(competences, "NangLucChung", traits_of(result.traits, GENERAL_COMPETENCES))
    _traits(competences, "NangLucDacThu", traits_of(result.traits, SPECIFIC_COMPETENCES))
    values(competences, NhanXet=result.competence_comment)
    values(
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
        values(child(parent, name), Ten=trait.name, MucDatDuoc=trait.level)


def _secondary(element: etree._Element, result: SecondaryResult, content: TranscriptContent) -> None:
    grade = content.school_class.grade
    subjects = child(element, "CacMonHoc")
    for subject in result.subjects:
        row = child(subjects, "MonHoc")
        values(
            row,
            TenMonHoc=subject.name,
            HocKiI=subject.semester1,
            HocKiII=subject.semester2,
            CaNam=subject.year,
            SauDanhGiaLai=subject.reassessed,
            NhanXet=subject.comment,
        )
        for teacher, semesters in teachers_of(content.subject_teachers, subject.name):
            person = child(row, "GiaoVien")
            values(person, MaCanBo=teacher.staff)
            for semester in semesters:
                values(person, HocKi=SEMESTER_NUMERALS[semester])
    for name, levels in (
        ("KetQuaHocTap", (*result.study, result.study_reassessed)),
        ("KetQuaRenLuyen", (*result.conduct, result.conduct_reassessed)),
    ):
        first, second, year, summer = levels
        values(child(element, name), HocKiI=first, HocKiII=second, CaNam=year, SauDanhGiaLai=summer)
    values(child(element, "BuoiNghi"), CoPhep=result.absent_excused, KhongPhep=result.absent_unexcused)
    values(
        element,
        LenLop=result.promoted,
        ChungChi=result.certificate,
        CuocThi=result.contests,
        KhenThuong=result.award,
        NhanXetGiaoVienChuNhiem=result.homeroom_comment,
    )
    for chosen in chosen_subjects(result, grade, content.school.year):
        values(element, MonHocLuaChon=chosen)
    for topic in result.topics:
        values(element, ChuyenDeHocTap=topic)
    values(element, HoanThanhChuongTrinhCapHoc=result.promoted if grade in {9, 12} else None)
    corrections = content.corrections
    if corrections.marks or corrections.levels:
        corrected = child(element, "SuaChua")
        values(corrected, SoDiem=corrections.marks, SoMucDanhGia=corrections.levels)
        for subject_name in corrections.subjects:
            values(corrected, MonHoc=subject_name)


def _signers(body: etree._Element, content: TranscriptContent) -> None:
    element = child(body, "NguoiKy")
    for teacher in content.subject_teachers:
        person = child(element, "GiaoVienBoMon")
        values(person, MaCanBo=teacher.staff, HoTen=teacher.name, SoDinhDanhCaNhan=teacher.personal_id)
        for subject in teacher.subjects:
            values(person, MonHoc=subject)
    values(
        child(element, "GiaoVienChuNhiem"),
        MaCanBo=content.school_class.homeroom,
        HoTen=content.homeroom_name,
        SoDinhDanhCaNhan=content.homeroom_personal_id,
    )
    values(
        child(element, "LanhDao"),
        MaCanBo=content.school_class.leader,
        HoTen=content.leader_name,
        ChucVu=content.leader_position,
        SoDinhDanhCaNhan=content.leader_personal_id,
    )
    values(element, NoiKy=content.school.print_place, NgayKy=content.school.print_date)


_PARTS: Final = {"profile": "HoSo", "subjects": "MonHoc", "homeroom": "ChuNhiem"}


def _digitised(body: etree._Element, digitised: Digitised) -> None:
    element = child(body, "SoHoa")
    values(element, TruongTrenHocBaGiay=digitised.paper_school)
    values(child(element, "BanQuet"), Bam=digitised.scan_sha256, KichThuoc=digitised.scan_bytes, SoTrang=digitised.scan_pages)
    values(element, QuyDinhDoiChieu=digitised.circular)
    for part in digitised.parts:
        row = child(element, "Phan")
        values(row, LoaiPhan=_PARTS[part.kind])
        for subject in part.subjects:
            values(row, MonHoc=subject)
        for name in part.written_by:
            values(row, NguoiGhiHocBaGiay=name)
        values(child(row, "NguoiRaSoat"), MaCanBo=part.reviewed_by, HoTen=part.reviewed_name)
        values(row, RaSoatLuc=local_time(part.reviewed_at).isoformat())
        values(child(row, "NguoiKy"), MaCanBo=part.signed_by, HoTen=part.signed_name)
