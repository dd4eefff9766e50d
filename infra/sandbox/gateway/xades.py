"""Verification of the signatures in a transcript's XML."""

import base64
import binascii
import copy

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from infra.sandbox.gateway.errors import TranscriptRefused, Untrusted
from infra.sandbox.gateway.trust import Trust, subject_identifier

DS = "http://www.w3.org/2000/09/xmldsig#"
SIGNING = frozenset({"digital_signature", "non_repudiation"})


def verify_all(root: etree._Element, trust: Trust) -> tuple[str, str]:
    """Check every signature; returns kind and value of the last signer's UID. Raises TranscriptRefused (NG-301 to NG-304).

    Detached signatures must cover the content by its Id; the last, the school's, is enveloped over the whole document.
    """
    namespace = etree.QName(root).namespace
    content_tag, holder = f"{{{namespace}}}NoiDung", root.find(f"{{{namespace}}}ChuKy")
    signatures = [] if holder is None else [child for child in holder if child.tag == f"{{{DS}}}Signature"]
    if holder is None or not signatures:
        raise TranscriptRefused("NG-301", "Tệp XML chưa có chữ ký số")
    identifiers = [str(element.get("Id")) for element in root.iter() if element.get("Id") is not None]
    if len(identifiers) != len(set(identifiers)):
        raise TranscriptRefused("NG-302", "Tệp XML có định danh trùng nhau")
    signer = ("", "")
    for position, signature in enumerate(signatures, start=1):
        chain = _chain(signature, position)
        try:
            trust.check(chain, SIGNING)
        except Untrusted as wrong:
            raise TranscriptRefused("NG-303", f"Chữ ký XML thứ {position}: {wrong}") from wrong
        covered = _verify_one(root, holder, position, chain[0])
        last = position == len(signatures)
        if (root.tag if last else content_tag) not in covered:
            raise TranscriptRefused("NG-302", f"Chữ ký XML thứ {position} không bao phủ nội dung học bạ")
        signer = subject_identifier(chain[0])
    if signer[0] != "MST":
        raise TranscriptRefused("NG-304", "Chữ ký XML cuối cùng không phải của nhà trường")
    return signer


def _chain(signature: etree._Element, position: int) -> list[asn1_x509.Certificate]:
    texts = signature.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    try:
        ders = [base64.b64decode("".join((each.text or "").split()), validate=True) for each in texts]
        chain = [asn1_x509.Certificate.load(der, strict=True) for der in ders]
        for certificate in chain:
            certificate.subject.native, certificate.public_key.dump()
    except (binascii.Error, ValueError, TypeError) as wrong:
        raise TranscriptRefused("NG-302", f"Chữ ký XML thứ {position}: chứng thư số không đọc được") from wrong
    if not chain:
        raise TranscriptRefused("NG-302", f"Chữ ký XML thứ {position} không mang chứng thư số")
    return chain


def _verify_one(root: etree._Element, holder: etree._Element, position: int, certificate: asn1_x509.Certificate) -> set[str]:
    """Tags of the elements that the signature covers; their bytes were verified."""
    # signxml takes the first signature at the location, so the one under test is moved there in a copy
    tree = copy.deepcopy(root)
    copied_holder = tree.find(holder.tag)
    assert copied_holder is not None
    copied_holder.insert(0, [child for child in copied_holder if child.tag == f"{{{DS}}}Signature"][position - 1])
    configuration = XAdESSignatureConfiguration(location=f"./{holder.tag}/", expect_references=True)
    try:
        results = XAdESVerifier().verify(tree, x509_cert=x509.load_der_x509_certificate(certificate.dump()), expect_config=configuration)
    except (SignXMLException, etree.DocumentInvalid, ValueError) as wrong:
        raise TranscriptRefused("NG-302", f"Chữ ký XML thứ {position} không đúng hoặc nội dung đã bị thay đổi") from wrong
    return {str(result.signed_xml.tag) for result in results if result.signed_xml is not None}
