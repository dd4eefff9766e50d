"""Documents of people certified by the sandbox PKI, brought to the archive level with its TSA, OCSP responders and lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.sandbox.common import Place
from infra.sandbox.pki.authority import Authority, Stamper, builder, key_usage, service_name, with_addresses
from infra.sandbox.pki.house import House, open_house
from infra.sandbox.pki.issuing import CertificateOrder
from infra.sandbox.pki.stamping import stamp
from infra.sandbox.pki.status import answer_ocsp, make_crl
from services.means.timestamps import room_for
from services.means.validation_data import ValidationData
from services.signing import pdf, pdf_archive, xml, xml_archive
from tests.unit.signing import pki
from tests.unit.signing.chain import LITERATURE, MATHS, ROLES
from tests.unit.signing.pki import Party

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
SUBJECTS = (MATHS, LITERATURE)
PLACES = (*SUBJECTS, "GVCN", "CBQL", "KY_PHAT_HANH")
AUTHORITIES = ("national-root", "national-ca")


@dataclass(frozen=True)
class Sandbox:
    """The sandbox PKI without its HTTP face, and the five people of a transcript by their place."""

    house: House
    people: dict[str, Party]

    @classmethod
    def open(cls, directory: Path) -> "Sandbox":
        empty = cls(open_house(Place(directory, "localhost", 1, "http://localhost:1")), {})
        return empty.with_people(
            {
                MATHS: empty.party("Trần Thị Toán", "031180000001"),
                LITERATURE: empty.party("Lê Văn", "031180000002", key="p256"),
                "GVCN": empty.party("Phạm Chủ Nhiệm", "031180000003"),
                "CBQL": empty.party("Vũ Hiệu Trưởng", "031180000004", key="p384"),
                "KY_PHAT_HANH": empty.party("Trường Tiểu học An Hồng", "0200000001", kind="organisation"),
            }
        )

    def with_people(self, others: Mapping[str, Party]) -> "Sandbox":
        return replace(self, people={**self.people, **others})

    def party(self, name: str, identifier: str, *, kind: str = "personal", key: str = "rsa2048", days: int = 365) -> Party:
        order = CertificateOrder.model_validate(
            {"kind": kind, "name": name, "identifier": identifier, "key": key, "valid_to": NOW + timedelta(days=days)}
        )
        made = self.house.make(order)
        self.house.record(order, made)
        assert made.key is not None
        return Party(made.key, der(made.certificate), (der(made.chain[0]),))

    @property
    def roots(self) -> list[bytes]:
        return [der(self.house.authorities["national-root"].certificate)]

    @property
    def crls(self) -> tuple[bytes, ...]:
        return tuple(make_crl(self.house.authorities[name], self.house.records) for name in AUTHORITIES)

    def ocsp(self, certificate: bytes, authority: Authority | None = None) -> bytes:
        issuer = authority or self.house.authorities["national-ca"]
        request = ocsp.OCSPRequestBuilder().add_certificate(
            x509.load_der_x509_certificate(certificate), issuer.certificate, hashes.SHA256()
        )
        return answer_ocsp(request.build().public_bytes(Encoding.DER), issuer, self.house.records)

    def revoke(self, certificate: bytes, at: datetime) -> None:
        serial = f"{x509.load_der_x509_certificate(certificate).serial_number:x}"
        assert self.house.revoke(serial, at, x509.ReasonFlags.key_compromise)

    @property
    def tsa(self) -> bytes:
        return der(self.house.stamper.certificate)

    def data(self, signers: Sequence[Party] | None = None) -> ValidationData:
        """As it is now: OCSP answers for the signers and the TSA, lists for the authorities above them."""
        signers = list(self.people.values()) if signers is None else signers
        certificates = [self.tsa, *(each for signer in signers for each in (signer.der, *signer.chain))]
        ocsps = tuple(self.ocsp(each) for each in (self.tsa, *(signer.der for signer in signers)))
        return ValidationData(certificates=tuple(dict.fromkeys(certificates)), ocsps=ocsps, crls=self.crls)

    def token(self, digest: bytes, stamper: Stamper | None = None, *, damaged: bool = False) -> bytes:
        request = tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
                "nonce": 7,
                "cert_req": True,
            }
        )
        answer = tsp.TimeStampResp.load(stamp(request.dump(), stamper or self.house.stamper, damaged=damaged))
        token: bytes = answer["time_stamp_token"].dump()
        return token

    def stamper(self, days: int, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING) -> Stamper:
        """Another timestamping unit, which ends sooner."""
        key, made = self._service("Sandbox TSA that ends", days, usage)
        return Stamper(key, made, self.house.authorities["national-ca"].certificate)

    def responder(self, usage: x509.ObjectIdentifier) -> Authority:
        """The authority with another OCSP responder, which has a certificate for this usage."""
        key, made = self._service("Sandbox responder", 30, usage)
        return replace(self.house.authorities["national-ca"], ocsp_key=key, ocsp_certificate=made)

    def _service(self, name: str, days: int, usage: x509.ObjectIdentifier) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key, issuer = ec.generate_private_key(ec.SECP256R1()), self.house.authorities["national-ca"]
        certificate = (
            builder(
                service_name(name),
                key.public_key(),
                issuer=issuer.certificate.subject,
                issuer_key=issuer.key.public_key(),
                since=NOW - timedelta(days=1),
                until=NOW + timedelta(days=days),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signature=True, commitment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        )
        made = with_addresses(certificate, "http://localhost:1", issuer.name).sign(issuer.key, hashes.SHA256())
        self.house.records.add(issuer.name, made)
        return key, made

    # documents

    def signed_xml(self, places: Sequence[str] = PLACES) -> bytes:
        document, before = pki.transcript_xml(), ["nd"]
        for place in places:
            covers = xml.WHOLE if place == "KY_PHAT_HANH" else ["nd"] if place in SUBJECTS else before
            document = self.sign_xml(document, place, covers)
            before.append(xml.signature_value_id(place))
        return document

    def sign_xml(self, document: bytes, place: str, covers: Sequence[str]) -> bytes:
        who = self.people[place]
        prepared = xml.prepare(
            document, signature_id=place, covers=covers, certificate=who.der, chain=who.chain, signed_at=NOW, role=ROLES[place]
        )
        return xml.assemble(document, [xml.finish(prepared, who.sign(prepared.digest), who.der)])

    def sealed_xml(
        self,
        document: bytes | None = None,
        data: ValidationData | None = None,
        *,
        stamper: Stamper | None = None,
        token: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        document, token = document or self.signed_xml(), token or partial(self.token, stamper=stamper)
        prepared = xml_archive.prepare(document, token(xml_archive.value_digest(document)), data or self.data())
        return xml_archive.finish(prepared, token(prepared.digest))

    def signed_pdf(self) -> bytes:
        document = pki.transcript_pdf()
        for place in pdf.FIELDS:
            who = self.people[place]
            prepared = pdf.prepare(
                document, field=place, certificate=who.der, chain=who.chain, signed_at=NOW, name="Tên người ký", reason=ROLES[place]
            )
            document = pdf.finish(document, prepared, who.sign(prepared.digest), who.der, who.chain)
        return document

    def sealed_pdf(
        self,
        document: bytes | None = None,
        data: ValidationData | None = None,
        *,
        stamper: Stamper | None = None,
        token: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        document, token = document or self.signed_pdf(), token or partial(self.token, stamper=stamper)
        data = data or self.data([self.people[place] for place in pdf.FIELDS])
        prepared = pdf_archive.prepare(document, data, room=room_for(token(bytes(32))))
        return pdf_archive.finish(document, prepared, token(prepared.digest))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
