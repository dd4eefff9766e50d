"""Documents signed as a school signs them: subject teachers in parallel, then homeroom teacher, leader, school."""

from collections.abc import Sequence
from functools import cache

from services.signing import pdf, xml
from tests.unit.signing import pki
from tests.unit.signing.pki import AT, Party

MATHS, LITERATURE = "GVBM-GV01", "GVBM-GV02"


@cache
def people() -> dict[str, Party]:
    return {
        MATHS: pki.party("Trần Thị Toán", "CCCD:031180000001"),
        LITERATURE: pki.party("Lê Văn", "CCCD:031180000002", "p256"),
        "GVCN": pki.party("Phạm Chủ Nhiệm", "CCCD:031180000003"),
        "CBQL": pki.party("Vũ Hiệu Trưởng", "CCCD:031180000004", "p384"),
        "KY_PHAT_HANH": pki.party("Trường Tiểu học An Hồng", "MST:0200000001"),
    }


ROLES = {
    MATHS: "Giáo viên bộ môn: Toán, Tiếng Anh",
    LITERATURE: "Giáo viên bộ môn: Ngữ văn",
    "GVCN": "Giáo viên chủ nhiệm",
    "CBQL": "Hiệu trưởng",
    "KY_PHAT_HANH": "Nhà trường ký phát hành",
}


def prepare_xml(document: bytes, place: str, covers: Sequence[str]) -> xml.PreparedXml:
    who = people()[place]
    return xml.prepare(document, signature_id=place, covers=covers, certificate=who.der, chain=who.chain, signed_at=AT, role=ROLES[place])


def finish_xml(prepared: xml.PreparedXml) -> bytes:
    who = people()[prepared.signature_id]
    return xml.finish(prepared, who.sign(prepared.digest), who.der)


def sign_xml(document: bytes, place: str, covers: Sequence[str]) -> bytes:
    return xml.assemble(document, [finish_xml(prepare_xml(document, place, covers))])


@cache
def subject_signatures() -> dict[str, bytes]:
    """Both prepared from the unsigned document, finished in the opposite order."""
    base = pki.transcript_xml()
    prepared = [prepare_xml(base, place, ["nd"]) for place in (MATHS, LITERATURE)]
    return {each.signature_id: finish_xml(each) for each in reversed(prepared)}


@cache
def signed_xml(order: tuple[str, ...] = (MATHS, LITERATURE)) -> bytes:
    document = xml.assemble(pki.transcript_xml(), [subject_signatures()[place] for place in order])
    covers = ["nd", *(xml.signature_value_id(place) for place in order)]
    document = sign_xml(document, "GVCN", covers)
    document = sign_xml(document, "CBQL", [*covers, xml.signature_value_id("GVCN")])
    return sign_xml(document, "KY_PHAT_HANH", xml.WHOLE)


def prepare_pdf(document: bytes, place: str) -> pdf.PreparedPdf:
    who = people()[place]
    return pdf.prepare(
        document,
        field=place,
        certificate=who.der,
        chain=who.chain,
        signed_at=AT,
        name="Tên người ký",
        reason=ROLES[place],
        scheme="rsa-pss" if place == "KY_PHAT_HANH" else None,
    )


def finish_pdf(document: bytes, prepared: pdf.PreparedPdf) -> bytes:
    who = people()[prepared.field]
    return pdf.finish(document, prepared, who.sign(prepared.digest, prepared.scheme), who.der, who.chain)


def sign_pdf(document: bytes, place: str) -> bytes:
    return finish_pdf(document, prepare_pdf(document, place))


@cache
def signed_pdf(*, visible: bool = False) -> bytes:
    document = pki.transcript_pdf(visible=visible)
    for place in pdf.FIELDS:
        document = sign_pdf(document, place)
    return document
