"""XAdES-BASELINE-B signatures over the XML of a transcript or a class summary, with the key elsewhere.

`prepare` builds a ds:Signature and gives the digest to be signed, `finish` puts the returned value in, `assemble` places
finished signatures in the document. Nothing is ever rebuilt in between: the bytes of `prepare` are the bytes of the file.
All functions are pure and safe to run in a process pool.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from pydantic import BaseModel, ConfigDict
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.util import SigningSettings
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from services.means.x509 import Problem, Scheme, WrongSignature, check_value, default_scheme, ecdsa_encodings, load

ROOTS: Final = {"urn:hocba:transcript:1": "HocBa", "urn:hocba:summary:1": "BangTongHop"}
"""Namespace → root of what is signed here; within it everything is called alike."""
DESCRIPTIONS: Final = {"HocBa": "Học bạ số", "BangTongHop": "Bảng tổng hợp kết quả đánh giá giáo dục"}
CONTENT_ID: Final = "nd"
WHOLE: Final = ("",)
"""Cover the whole document but this signature itself: for the last signer, the school."""

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
METHODS: Final[dict[Scheme, SignatureMethod]] = {
    "rsa-pkcs1": SignatureMethod.RSA_SHA256,
    "rsa-pss": SignatureMethod.SHA256_RSA_MGF1,
    "ecdsa": SignatureMethod.ECDSA_SHA256,
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_TAIL = re.compile(rb"(?:(<ChuKy Id=\"ck\")\s*/>|</ChuKy>)(\s*</(?:HocBa|BangTongHop)>\s*)\Z")
_EMPTY_VALUE: Final = b"></ds:SignatureValue>"


class UnsuitableDocument(ValueError):
    """The document is not of the layout that is signed here; `problem` says what is wrong in the person's words."""

    def __init__(self, code: str, message_vi: str) -> None:
        super().__init__(code)
        self.problem = Problem(code=code, message_vi=message_vi, action_vi="Dùng tệp học bạ gốc do hệ thống tạo ra.")

    def __reduce__(self) -> tuple[type["UnsuitableDocument"], tuple[str, str]]:
        return type(self), (self.problem.code, self.problem.message_vi)


class PreparedXml(BaseModel):
    """`signature` is the ds:Signature with an empty SignatureValue; the signer signs `digest`, SHA-256 of the canonical SignedInfo."""

    model_config = ConfigDict(frozen=True)

    signature_id: str
    signature: bytes
    digest: bytes
    scheme: Scheme


def namespace_of(node: etree._Element) -> str:
    return etree.QName(node).namespace or ""


def is_root(node: etree._Element) -> bool:
    """Whether it is a whole document of a kind that is signed here."""
    return node.tag in {f"{{{namespace}}}{name}" for namespace, name in ROOTS.items()}


def signature_value_id(signature_id: str) -> str:
    """The Id of a signature's value, by which later signatures cover it."""
    return f"{signature_id}-sv"


def parse(document: bytes) -> etree._Element:
    """Parse a document and assert its frame: below a root of `ROOTS`, `NoiDung[@Id="nd"]`, then `ChuKy` with signatures only.

    Ids are unique, and there are neither a DTD nor comments nor processing instructions, which canonicalisation
    leaves out: so what was signed can be nothing but what is read. Raises UnsuitableDocument.
    """
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise UnsuitableDocument("not_xml", "Tệp không phải là tệp XML hợp lệ.") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise UnsuitableDocument("dtd", "Tệp XML có khai báo DTD, không được chấp nhận.")
    strange = next(root.getroottree().getroot().iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None)
    if strange is not None or root.getprevious() is not None or root.getnext() is not None:
        raise UnsuitableDocument("comments", "Tệp XML có chú thích hoặc chỉ thị xử lý nằm ngoài nội dung được ký.")
    children = [(child.tag, child.get("Id")) for child in root]
    namespace = namespace_of(root)
    if not is_root(root) or children != [(f"{{{namespace}}}NoiDung", CONTENT_ID), (f"{{{namespace}}}ChuKy", "ck")]:
        raise UnsuitableDocument("layout", "Tệp XML không có cấu trúc của học bạ số, bảng tổng hợp.")
    if any(child.tag != f"{{{DS}}}Signature" or not child.get("Id") for child in root[1]):
        raise UnsuitableDocument("layout", "Phần chữ ký của tệp XML có thành phần lạ.")
    ids = [value for node in root.iter() for name, value in node.attrib.items() if etree.QName(name).localname.lower() == "id"]
    if len(ids) != len(set(ids)):
        raise UnsuitableDocument("duplicate_id", "Tệp XML có mã thành phần (Id) bị lặp lại.")
    return root


def prepare(
    document: bytes,
    *,
    signature_id: str,
    covers: Sequence[str],
    certificate: bytes,
    chain: Sequence[bytes],
    signed_at: datetime,
    role: str,
    scheme: Scheme | None = None,
) -> PreparedXml:
    """Build the signature that covers the elements with the Ids `covers` ("nd", `signature_value_id` of others), or `WHOLE`.

    `certificate` and `chain` (intermediates, no root) are DER. Raises UnsuitableDocument, or ValueError when an Id of
    `covers` is not in the document, when `signature_id` is no XML name or taken, or when the scheme does not fit the key.
    """
    if not _NAME.match(signature_id):
        raise ValueError("a signature id is an XML name without colon")
    scheme = scheme or default_scheme(certificate)
    if scheme.partition("-")[0] != default_scheme(certificate).partition("-")[0]:
        raise ValueError(f"the certificate's key cannot sign {scheme}")
    root = parse(document)
    if any(child.get("Id") == signature_id for child in root[1]):
        raise ValueError(f"{signature_id} has signed already")
    whole = tuple(covers) == WHOLE
    # signxml would quietly sign something else for an Id that it cannot find
    if not covers or not (whole or set(covers) <= {node.get("Id") for node in root.iter()}):
        raise ValueError("a signature covers the whole document, or elements by Ids that are in it")
    key: Any = _AbsentKey(certificate)
    signer = _Signer(signature_id, METHODS[scheme], signed_at, role, whole=whole, about=DESCRIPTIONS[etree.QName(root).localname])
    try:
        signed = signer.sign(
            root,
            key=key,
            cert=[load(der) for der in (certificate, *chain)],
            reference_uri=None if whole else [f"#{name}" for name in covers],
            always_add_key_value=False,
        )
    except SignXMLException as error:
        raise ValueError(str(error)) from error
    signature = signed[-1] if whole else signed
    value = signature.find(f"{{{DS}}}SignatureValue")
    assert value is not None
    value.text = ""
    return PreparedXml(
        signature_id=signature_id,
        # exclusive canonical form carries every namespace that it uses and none of the document's
        signature=etree.tostring(signature, method="c14n", exclusive=True),
        digest=sha256(key.signed_info).digest(),
        scheme=scheme,
    )


def finish(prepared: PreparedXml, value: bytes, certificate: bytes) -> bytes:
    """The finished ds:Signature; raises WrongSignature unless the value verifies in the scheme prepared for."""
    if check_value(certificate, prepared.digest, value) != prepared.scheme:
        raise WrongSignature(f"the value is not in the scheme {prepared.scheme}")
    if prepared.scheme == "ecdsa":
        _, value = ecdsa_encodings(certificate, prepared.digest, value)
    before, marker, after = prepared.signature.partition(_EMPTY_VALUE)
    if not marker:
        raise ValueError("the prepared signature has no empty SignatureValue")
    return before + b">" + b64encode(value) + marker[1:] + after


def assemble(document: bytes, signatures: Sequence[bytes]) -> bytes:
    """The document with the signatures appended inside ChuKy in the given order; every other byte stays as it is.

    Raises UnsuitableDocument when the document does not end with ChuKy.
    """
    tail = _TAIL.search(document, max(document.rfind(b"<ChuKy"), document.rfind(b"</ChuKy"), 0))
    if tail is None:
        raise UnsuitableDocument("layout", "Tệp XML không có cấu trúc của học bạ số, bảng tổng hợp.")
    if not signatures:
        return document
    opening = tail[1] + b">" if tail[1] else b""
    return document[: tail.start()] + opening + b"".join(signatures) + b"</ChuKy>" + tail[2]


class _AbsentKey:
    """Stands in for the private key: keeps what is to be signed and answers with a value of no meaning."""

    def __init__(self, certificate: bytes) -> None:
        self._public = load(certificate).public_key()
        self.signed_info = b""

    @property
    def key_size(self) -> int:
        return self._public.key_size if isinstance(self._public, ec.EllipticCurvePublicKey) else 0

    def sign(self, data: bytes, **_parameters: object) -> bytes:
        self.signed_info = data
        return encode_dss_signature(1, 1) if isinstance(self._public, ec.EllipticCurvePublicKey) else b"\0"


class _Signer(XAdESSigner):
    """signxml's signer with fixed Ids and time, the signer's certificate alone in SigningCertificateV2, and SignerRoleV2."""

    def __init__(self, signature_id: str, method: SignatureMethod, signed_at: datetime, role: str, *, whole: bool, about: str) -> None:
        super().__init__(
            claimed_roles=[role],
            data_object_format=XAdESDataObjectFormat(Description=about, MimeType="text/xml"),
            method=SignatureConstructionMethod.enveloped if whole else SignatureConstructionMethod.detached,
            signature_algorithm=method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=EXCLUSIVE,
        )
        self._signature_id = signature_id
        self._signed_at = signed_at
        key_info, properties = self.signature_annotators
        self.signature_annotators = [key_info, self._name_parts, properties]

    def _name_parts(self, sig_root: etree._Element, **_settings: object) -> None:
        sig_root.set("Id", self._signature_id)
        names = {
            f"{{{DS}}}SignatureValue": signature_value_id(self._signature_id),
            f"{{{DS}}}KeyInfo": f"{self._signature_id}-ki",
            f"{{{DS}}}SignedInfo/{{{DS}}}Reference": f"{self._signature_id}-ref",
        }
        for path, name in names.items():
            part = sig_root.find(path)
            assert part is not None
            part.set("Id", name)

    def _get_token(self, length: int = 4) -> str:  # noqa: ARG002 - signature of the base class
        # Ids follow from the signature's own, which is unique in its document
        return ""

    def _add_reference_to_signed_info(self, sig_root: etree._Element, node_to_reference: etree._Element, **attrs: str) -> None:
        # without a transform, verifiers canonicalise inclusively and see the namespaces of the document around
        super()._add_reference_to_signed_info(sig_root, node_to_reference, **attrs)  # type: ignore[no-untyped-call] # signxml leaves it untyped
        reference = sig_root.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")[-1]
        transforms = etree.Element(f"{{{DS}}}Transforms")
        etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=EXCLUSIVE.value)
        reference.insert(0, transforms)

    def _build_transforms_for_reference(self, *, transforms_node: etree._Element, **_reference: Any) -> None:
        names = [EXCLUSIVE.value]
        if self.construction_method == SignatureConstructionMethod.enveloped:
            names.insert(0, SignatureConstructionMethod.enveloped.value)
        for name in names:
            etree.SubElement(transforms_node, f"{{{DS}}}Transform", Algorithm=name)

    def add_signing_time(self, signed_signature_properties: etree._Element, sig_root: object, signing_settings: SigningSettings) -> None:  # noqa: ARG002 - signature of the base class
        moment = self._signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        etree.SubElement(signed_signature_properties, f"{{{XADES}}}SigningTime").text = moment

    def add_signing_certificate(
        self, signed_signature_properties: etree._Element, sig_root: etree._Element, signing_settings: SigningSettings
    ) -> None:
        assert signing_settings.cert_chain is not None
        alone = SigningSettings(
            key=None, key_name=None, key_info=None, always_add_key_value=False, cert_chain=signing_settings.cert_chain[:1]
        )
        super().add_signing_certificate(signed_signature_properties, sig_root, signing_settings=alone)

    def add_signer_role(self, signed_signature_properties: etree._Element, sig_root: object, signing_settings: SigningSettings) -> None:  # noqa: ARG002 - signature of the base class
        role = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SignerRoleV2")
        claimed = etree.SubElement(role, f"{{{XADES}}}ClaimedRoles")
        for text in self.claimed_roles or ():
            etree.SubElement(claimed, f"{{{XADES}}}ClaimedRole").text = text
