"""Documents signed without any of the product's code, to prove that the validators pass what is right and refuse what is not."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import typst
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.xades.xades import XAdESSigner

from tests.interop.pki import Pki

DSIG = "http://www.w3.org/2000/09/xmldsig#"
PAGE = b"""#set document(title: "H\xe1\xbb\x8dc b\xe1\xba\xa1", date: datetime(year: 2025, month: 5, day: 31))
= H\xe1\xbb\x8dc b\xe1\xba\xa1
To\xc3\xa1n: 8,5
"""


def pdf_page(*, archival: bool = True) -> bytes:
    """One page; the final newline is what veraPDF's 6.1.9-1 wants before a further revision."""
    return typst.compile(PAGE, format="pdf", pdf_standards=["a-3b"] if archival else []) + b"\n"


def sign_pdf(place: Path, page: bytes, pki: Pki, signatures: int = 1) -> Path:
    """PAdES-BASELINE-B by the person of the PKI, one revision a signature, invisible fields."""
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    store.register(_asn1(pki.intermediate.certificate))
    private = pki.person.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(_asn1(pki.person.certificate), keys.PrivateKeyInfo.load(private), store)
    for number in range(1, signatures + 1):
        about = PdfSignatureMetadata(field_name=f"Ky{number}", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
        out = io.BytesIO()
        PdfSigner(about, signer=signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(page)), output=out)
        page = out.getvalue()
    place.write_bytes(page)
    return place


def sign_xml(place: Path, pki: Pki, signatures: int = 1) -> Path:
    """XAdES-BASELINE-B signatures side by side over one content element."""
    root = etree.fromstring('<HocBa><NoiDung Id="nd"><Diem mon="Toan">8.5</Diem></NoiDung><ChuKy/></HocBa>')
    shelf = root.find("ChuKy")
    assert shelf is not None
    made = [
        _Signer(method=SignatureConstructionMethod.detached, c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0).sign(
            root,
            key=pki.person.key,
            cert=[pki.person.certificate, pki.intermediate.certificate],
            reference_uri="nd",
            always_add_key_value=False,
        )
        for _ in range(signatures)
    ]
    shelf.extend(made)
    place.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
    return place


class _Signer(XAdESSigner):
    """With exclusive canonicalisation the XAdES references must name it, or no validator finds the same digest."""

    def _add_reference_to_signed_info(self, sig_root: Any, node_to_reference: Any, **attributes: str) -> None:
        parent: Any = super()
        parent._add_reference_to_signed_info(sig_root, node_to_reference, **attributes)
        reference = sig_root.find(f"{{{DSIG}}}SignedInfo")[-1]
        transforms = etree.Element(f"{{{DSIG}}}Transforms")
        etree.SubElement(transforms, f"{{{DSIG}}}Transform", Algorithm=self.c14n_alg.value)
        reference.insert(0, transforms)

    def add_signing_certificate(self, signed_signature_properties: Any, sig_root: Any, signing_settings: Any) -> None:
        """SigningCertificateV2 names the signer alone; KeyInfo carries the chain."""
        alone = dataclasses.replace(signing_settings, cert_chain=signing_settings.cert_chain[:1])
        super().add_signing_certificate(signed_signature_properties, sig_root, alone)


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
