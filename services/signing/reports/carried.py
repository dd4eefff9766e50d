"""What a file carries beside its signatures: certificates, timestamps, proofs of revocation state. Read, judged elsewhere."""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from hashlib import sha256
from io import BytesIO
from typing import Literal

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ocsp
from lxml import etree
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError

from services.means.judging.evidence import MALFORMED, joined, only_readable
from services.means.timestamps import signer_of, time_of
from services.means.validation_data import ValidationData
from services.means.x509 import describe, load

_DS, _XADES, _XADES141 = (
    "{http://www.w3.org/2000/09/xmldsig#}",
    "{http://uri.etsi.org/01903/v1.3.2#}",
    "{http://uri.etsi.org/01903/v1.4.1#}",
)
_STAMPS = {f"{_XADES}SignatureTimeStamp": "signature", f"{_XADES141}ArchiveTimeStamp": "archive"}
StampKind = Literal["signature", "archive", "document"]
_BROKEN = (PdfError, AssertionError, RecursionError, *MALFORMED)


class CarriedStamp(BaseModel):
    """`token` is DER."""

    model_config = ConfigDict(frozen=True)

    kind: StampKind
    token: bytes
    time: dt.datetime
    authority: str
    serial: str


class CarriedProof(BaseModel):
    """An OCSP response or a revocation list: who made it when, and the serial numbers it answers about (of a list none)."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["OCSP", "CRL"]
    octets: bytes
    made_by: str
    made_at: dt.datetime
    next_update: dt.datetime | None
    about: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return sha256(self.octets).hexdigest()


class Carried(BaseModel):
    """`signers`: by the place of the signature, its own certificate first, then those that came with it (DER)."""

    model_config = ConfigDict(frozen=True)

    signers: dict[str, tuple[bytes, ...]] = {}
    stamps: tuple[CarriedStamp, ...] = ()
    proofs: tuple[CarriedProof, ...] = ()
    certificates: tuple[bytes, ...] = ()


def of_xml(document: bytes) -> Carried:
    """Nothing for what cannot be read: that is said by who judges the signatures."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
        signers = {
            str(one.get("Id", "")): tuple(b64decode(node.text or "") for node in one.iterfind(f"{_DS}KeyInfo//{_DS}X509Certificate"))
            for one in root.iterfind(f"*/{_DS}Signature")
        }
        stamps = tuple(
            _stamp("archive" if node.tag == f"{_XADES141}ArchiveTimeStamp" else "signature", _decoded(node, "TimeStamp"))
            for node in root.iter(*_STAMPS)
        )
        data = ValidationData(
            certificates=tuple(b64decode(node.text or "") for node in root.iter(f"{_XADES}EncapsulatedX509Certificate")),
            ocsps=tuple(b64decode(node.text or "") for node in root.iter(f"{_XADES}EncapsulatedOCSPValue")),
            crls=tuple(b64decode(node.text or "") for node in root.iter(f"{_XADES}EncapsulatedCRLValue")),
        )
        return _carried(signers, stamps, data)
    except (etree.XMLSyntaxError, *MALFORMED):
        return Carried()


def of_pdf(document: bytes) -> Carried:
    """Nothing for what cannot be read: that is said by who judges the signatures."""
    try:
        reader = PdfFileReader(BytesIO(document))
        every = reader.embedded_signatures
        signers = {
            str(one.field_name): (one.signer_cert.dump(), *(each.dump() for each in one.other_embedded_certs))
            for one in every
            if one.sig_object_type != "/DocTimeStamp"
        }
        tokens = [_token(one.signed_data) for one in every if one.sig_object_type == "/DocTimeStamp"]
        return _carried(signers, tuple(_stamp("document", token) for token in tokens), _store(reader))
    except _BROKEN:
        return Carried()


def _carried(signers: dict[str, tuple[bytes, ...]], stamps: tuple[CarriedStamp, ...], data: ValidationData) -> Carried:
    units = ValidationData(certificates=tuple(each for one in stamps for each in _all_of(one.token)))
    named = ValidationData(certificates=tuple(each for some in signers.values() for each in some))
    readable = only_readable(joined(named, data, units))
    proofs = [*(_ocsp(each) for each in readable.ocsps), *(_crl(each) for each in readable.crls)]
    return Carried(signers=signers, stamps=stamps, proofs=tuple(proofs), certificates=readable.certificates)


def _all_of(token: bytes) -> tuple[bytes, ...]:
    unit, others = signer_of(token)
    return (unit, *others)


def _decoded(node: etree._Element, kind: str) -> bytes:
    return b64decode(node.findtext(f"{_XADES}Encapsulated{kind}") or "")


def _token(signed: cms.SignedData) -> bytes:
    token: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return token


def _stamp(kind: StampKind, token: bytes) -> CarriedStamp:
    unit, _ = signer_of(token)
    facts = describe(unit)
    return CarriedStamp(kind=kind, token=token, time=time_of(token), authority=facts.subject, serial=facts.serial)


def _ocsp(octets: bytes) -> CarriedProof:
    response = ocsp.load_der_ocsp_response(octets)
    singles = list(response.responses)
    responder = response.responder_name
    return CarriedProof(
        kind="OCSP",
        octets=octets,
        made_by=_name(responder) if responder is not None else _answering(response),
        made_at=response.produced_at_utc,
        next_update=singles[0].next_update_utc if singles else None,
        about=tuple(f"{one.serial_number:X}" for one in singles),
    )


def _answering(response: ocsp.OCSPResponse) -> str:
    """A responder that names its key alone brings its certificate."""
    return _name(response.certificates[0].subject) if response.certificates else ""


def _crl(octets: bytes) -> CarriedProof:
    found = x509.load_der_x509_crl(octets)
    return CarriedProof(
        kind="CRL", octets=octets, made_by=_name(found.issuer), made_at=found.last_update_utc, next_update=found.next_update_utc
    )


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _store(reader: PdfFileReader) -> ValidationData:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return ValidationData()
    every = (store.certs.values(), store.ocsps, store.crls)
    certificates, ocsps, crls = (tuple(reference.get_object().data for reference in some) for some in every)
    return ValidationData(certificates=certificates, ocsps=ocsps, crls=crls)


def path_of(certificate: bytes, pool: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """From the certificate up to a self-issued one, as far as `pool` knows the issuers."""
    way = [certificate]
    while load(way[-1]).issuer != load(way[-1]).subject and len(way) <= 10:
        above = next((each for each in pool if load(each).subject == load(way[-1]).issuer and _issued(way[-1], each)), None)
        if above is None:
            break
        way.append(above)
    return tuple(way)


def _issued(certificate: bytes, issuer: bytes) -> bool:
    try:
        load(certificate).verify_directly_issued_by(load(issuer))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
