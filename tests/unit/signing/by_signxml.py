"""The same signature by signxml: another hand's tree and canonicalisation, to hold the product's template against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.util import SigningSettings
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from services.means.x509 import Scheme, default_scheme, load

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
METHODS: dict[Scheme, SignatureMethod] = {
    "rsa-pkcs1": SignatureMethod.RSA_SHA256,
    "rsa-pss": SignatureMethod.SHA256_RSA_MGF1,
    "ecdsa": SignatureMethod.ECDSA_SHA256,
}
DESCRIPTIONS = {"HocBa": "Học bạ số", "BangTongHop": "Bảng tổng hợp kết quả đánh giá giáo dục"}


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
) -> tuple[bytes, bytes]:
    """The canonical ds:Signature with an empty value, and the digest of its SignedInfo."""
    root = etree.fromstring(document)
    whole = tuple(covers) == ("",)
    key: Any = _AbsentKey(certificate)
    method = METHODS[scheme or default_scheme(certificate)]
    signer = _Signer(signature_id, method, signed_at, role, whole=whole, about=DESCRIPTIONS[etree.QName(root).localname])
    signed = signer.sign(
        root,
        key=key,
        cert=[load(der) for der in (certificate, *chain)],
        reference_uri=None if whole else [f"#{name}" for name in covers],
        always_add_key_value=False,
    )
    signature = signed[-1] if whole else signed
    value = signature.find(f"{{{DS}}}SignatureValue")
    assert value is not None
    value.text = ""
    return etree.tostring(signature, method="c14n", exclusive=True), sha256(key.signed_info).digest()


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
            f"{{{DS}}}SignatureValue": f"{self._signature_id}-sv",
            f"{{{DS}}}KeyInfo": f"{self._signature_id}-ki",
            f"{{{DS}}}SignedInfo/{{{DS}}}Reference": f"{self._signature_id}-ref",
        }
        for path, name in names.items():
            part = sig_root.find(path)
            assert part is not None
            part.set("Id", name)

    def _get_token(self, length: int = 4) -> str:
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

    def add_signing_time(self, signed_signature_properties: etree._Element, sig_root: object, signing_settings: SigningSettings) -> None:
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

    def add_signer_role(self, signed_signature_properties: etree._Element, sig_root: object, signing_settings: SigningSettings) -> None:
        role = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SignerRoleV2")
        claimed = etree.SubElement(role, f"{{{XADES}}}ClaimedRoles")
        for text in self.claimed_roles or ():
            etree.SubElement(claimed, f"{{{XADES}}}ClaimedRole").text = text
