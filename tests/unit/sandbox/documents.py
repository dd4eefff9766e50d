"""Small transcripts signed by other libraries' own signers: what a careful sender would hand to the gateway."""

import base64
import hashlib
import io
import json
import uuid
import zipfile
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.xades.xades import XAdESSigner

NAMESPACE = "urn:hocba:transcript:1"
TAX_CODE = "0200123456"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


@dataclass(frozen=True)
class Signer:
    """What the PKI's control call gave for one signer."""

    certificate: str
    chain: list[str]
    key: str


@dataclass
class Transcript:
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    version: int = 1
    pupil: str = "312500100001"
    personal_id: str = "031315000001"
    tax_code: str = TAX_CODE
    grade: int = 6
    pdf: bytes = b""
    xml: bytes = b""


def content(transcript: Transcript) -> etree._Element:
    text = f"""<HocBa xmlns="{NAMESPACE}" phienBan="1.0"><NoiDung Id="nd">
<ThongTinHocBa><MaHocBa>{transcript.identity}</MaHocBa><PhienBan>{transcript.version}</PhienBan><CapHoc>THCS</CapHoc>
<NamHoc>2025-2026</NamHoc><NgayTao>2026-05-25T08:00:00+07:00</NgayTao><DiaChiXacMinh>https://localhost/x</DiaChiXacMinh></ThongTinHocBa>
<Truong><MaTruong>31300001</MaTruong><TenTruong>Trường THCS thử nghiệm</TenTruong><XaPhuong>An Hồng</XaPhuong>
<TinhThanhPho>Hải Phòng</TinhThanhPho><MaSoThue>{transcript.tax_code}</MaSoThue>
<DonViQuanLy><MaDonVi>313</MaDonVi><TenDonVi>UBND phường</TenDonVi></DonViQuanLy></Truong>
<Lop><MaLop>6A</MaLop><TenLop>6A</TenLop><Khoi>{transcript.grade}</Khoi></Lop>
<HocSinh><MaHocSinh>{transcript.pupil}</MaHocSinh><HoTen>Trần Văn Một</HoTen><NgaySinh>2014-02-03</NgaySinh><GioiTinh>Nam</GioiTinh>
<NoiSinh>Hải Phòng</NoiSinh><SoDinhDanhCaNhan>{transcript.personal_id}</SoDinhDanhCaNhan></HocSinh>
<KetQua><TrungHoc><CacMonHoc><MonHoc><TenMonHoc>Toán</TenMonHoc><CaNam>8.5</CaNam></MonHoc></CacMonHoc>
<KetQuaHocTap><HocKiI>Tốt</HocKiI><HocKiII>Tốt</HocKiII><CaNam>Tốt</CaNam></KetQuaHocTap>
<KetQuaRenLuyen><HocKiI>Tốt</HocKiI><HocKiII>Tốt</HocKiII><CaNam>Tốt</CaNam></KetQuaRenLuyen>
<BuoiNghi><CoPhep>0</CoPhep><KhongPhep>0</KhongPhep></BuoiNghi><LenLop>true</LenLop></TrungHoc></KetQua>
<NguoiKy><GiaoVienChuNhiem>
<MaCanBo>1</MaCanBo><HoTen>Nguyễn Thị Hồng</HoTen><SoDinhDanhCaNhan>031185000001</SoDinhDanhCaNhan></GiaoVienChuNhiem>
<LanhDao>
<MaCanBo>2</MaCanBo><HoTen>Lê Văn Hai</HoTen><ChucVu>Hiệu trưởng</ChucVu><SoDinhDanhCaNhan>031175000002</SoDinhDanhCaNhan></LanhDao>
<NoiKy>Hải Phòng</NoiKy><NgayKy>2026-05-31</NgayKy></NguoiKy></NoiDung><ChuKy Id="ck"/></HocBa>"""
    return etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=False))


class _Signer(XAdESSigner):
    """signxml's signer with the transform named in every reference, without which exclusive canonicalisation cannot be verified."""

    def _add_reference_to_signed_info(self, sig_root: Any, node_to_reference: Any, **attributes: Any) -> None:
        super()._add_reference_to_signed_info(sig_root, node_to_reference, **attributes)  # type: ignore[no-untyped-call]  # not annotated
        reference = sig_root.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")[-1]
        transforms = etree.Element(f"{{{DS}}}Transforms")
        etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=EXCLUSIVE.value)
        reference.insert(0, transforms)


def sign_xml(root: etree._Element, signer: Signer, *, enveloped: bool) -> etree._Element:
    """Append one XAdES signature: detached over the content and the earlier signatures' values, or enveloped over everything."""
    holder = root.find(f"{{{NAMESPACE}}}ChuKy")
    assert holder is not None
    method = SignatureConstructionMethod.enveloped if enveloped else SignatureConstructionMethod.detached
    algorithm = (
        SignatureMethod.ECDSA_SHA256
        if isinstance(load_pem_private_key(signer.key.encode(), None), ec.EllipticCurvePrivateKey)
        else SignatureMethod.RSA_SHA256
    )
    maker = _Signer(method=method, c14n_algorithm=EXCLUSIVE, signature_algorithm=algorithm)
    certificates = [x509.load_pem_x509_certificate(each.encode()) for each in (signer.certificate, *signer.chain[:1])]
    arguments: dict[str, Any] = {"key": signer.key.encode(), "cert": certificates, "always_add_key_value": False}
    if enveloped:
        # with signxml's own prefix: another one would change when the signature takes the placeholder's place
        etree.SubElement(holder, f"{{{DS}}}Signature", {"Id": "placeholder"}, {"ds": DS})
        root = etree.fromstring(etree.tostring(maker.sign(root, **arguments)))
    else:
        values = [each.get("Id") for each in holder.iter(f"{{{DS}}}SignatureValue") if each.get("Id")]
        signature = maker.sign(root, reference_uri=["nd", *[value for value in values if value]], **arguments)
        made = etree.fromstring(etree.tostring(signature))
        value = made.find(f"{{{DS}}}SignatureValue")
        assert value is not None
        value.set("Id", f"sv-{len(holder)}")
        holder.append(made)
        root = etree.fromstring(etree.tostring(root))
    return root


def blank_pdf() -> bytes:
    """One empty page, written by hand."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>",
    ]
    content, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"xref\n0 4\n0000000000 65535 f \n%strailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return content + trailer % (table, len(content))


async def sign_pdf(pdf: bytes, signer: Signer, field_name: str) -> bytes:
    registry = SimpleCertificateStore.from_certs([_asn1(each) for each in signer.chain[:1]])  # type: ignore[no-untyped-call]  # not annotated
    _, _, key = pem.unarmor(signer.key.encode())
    simple = SimpleSigner(signing_cert=_asn1(signer.certificate), signing_key=asn1_keys.PrivateKeyInfo.load(key), cert_registry=registry)
    metadata = PdfSignatureMetadata(field_name=field_name, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    target = io.BytesIO()
    await PdfSigner(metadata, simple).async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=target)
    return target.getvalue()


async def signed_transcript(signers: list[Signer], **fields: Any) -> Transcript:
    """PDF and XML signed by everybody in turn; the last signs the XML as a whole."""
    transcript = Transcript(**fields)
    root, pdf = content(transcript), blank_pdf()
    for position, signer in enumerate(signers):
        root = sign_xml(root, signer, enveloped=position == len(signers) - 1)
        pdf = await sign_pdf(pdf, signer, f"Signature{position}")
    transcript.xml, transcript.pdf = etree.tostring(root, xml_declaration=True, encoding="UTF-8"), pdf
    return transcript


def package(transcripts: list[Transcript], callback: str, package_id: str | None = None) -> tuple[str, bytes]:
    """Package id and ZIP, as contracts/xml/goi-hoc-ba-1.0.xsd says."""
    identity = package_id or str(uuid.uuid4())
    entries = "".join(
        f"<HocBa><MaHocBa>{each.identity}</MaHocBa><PhienBan>{each.version}</PhienBan><MaHocSinh>{each.pupil}</MaHocSinh>"
        f'<TepPdf ten="{each.identity}.pdf" sha256="{hashlib.sha256(each.pdf).hexdigest()}" kichThuoc="{len(each.pdf)}"/>'
        f'<TepXml ten="{each.identity}.xml" sha256="{hashlib.sha256(each.xml).hexdigest()}" kichThuoc="{len(each.xml)}"/></HocBa>'
        for each in transcripts
    )
    manifest = (
        f'<GoiHocBa xmlns="urn:hocba:package:1" phienBan="1.0"><MaGoi>{identity}</MaGoi><MaTruong>31300001</MaTruong>'
        f"<NamHoc>2025-2026</NamHoc><Lop>6A</Lop><NgayTao>2026-06-01T08:00:00+07:00</NgayTao>"
        f'<DiaChiPhanHoi>{callback}</DiaChiPhanHoi><DanhSach soLuong="{len(transcripts)}">{entries}</DanhSach></GoiHocBa>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("manifest.xml", manifest)
        for each in transcripts:
            archive.writestr(f"{each.identity}.pdf", each.pdf)
            archive.writestr(f"{each.identity}.xml", each.xml)
    return identity, target.getvalue()


def detached_jws(body: bytes, key_pem: bytes, certificates_pem: bytes) -> str:
    """RFC 7797: the header is encoded, the payload is not."""
    chain = x509.load_pem_x509_certificates(certificates_pem)
    header = {
        "alg": "ES256",
        "b64": False,
        "crit": ["b64"],
        "x5c": [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain],
    }
    protected = _base64url(json.dumps(header).encode())
    key = load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = utils.decode_dss_signature(key.sign(protected.encode() + b"." + body, ec.ECDSA(hashes.SHA256())))
    return f"{protected}..{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _asn1(text: str) -> asn1_x509.Certificate:
    _, _, der = pem.unarmor(text.encode())
    return asn1_x509.Certificate.load(der)
