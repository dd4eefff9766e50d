"""The PKI as a whole: what is loaded at the start, and issuing and revoking with everything that follows from them."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from infra.sandbox.common import Place, write_atomically
from infra.sandbox.faults import Faults
from infra.sandbox.pki.authority import ROOTS, Authority, Stamper, load_or_create, now, pem, private_pem, timestamping_unit
from infra.sandbox.pki.issuing import CertificateOrder, Issued, Made, issue
from infra.sandbox.pki.records import Records, serial_text
from infra.sandbox.pki.status import publish_crls

ENDPOINTS = frozenset({"crl", "ocsp", "tsa", "ca"})


@dataclass(frozen=True)
class House:
    place: Place
    authorities: dict[str, Authority]
    stamper: Stamper
    records: Records
    faults: Faults
    units: dict[str, Stamper] = field(default_factory=dict)

    def add_unit(self, name: str, until: datetime) -> Stamper:
        """A timestamping unit of its own name and validity; its certificate can be revoked as any other."""
        if name not in self.units:
            self.units[name] = timestamping_unit(self.place.directory / "pki", self.place.url, name, self.authorities["national-ca"], until)
            self.records.add("national-ca", self.units[name].certificate)
        return self.units[name]

    def publish(self) -> None:
        """Write the CRLs of both roots and both intermediates to DIR/crl."""
        publish_crls(self.authorities, self.records, self.place.directory / "crl")

    def make(self, order: CertificateOrder) -> Made:
        """Only computes, so that it may run in a thread. Raises ValueError as `issue` does."""
        return issue(order, self.authorities, self.place.url)

    def record(self, order: CertificateOrder, made: Made) -> Issued:
        serial = serial_text(made.certificate.serial_number)
        if made.issuer in self.authorities:
            self.records.add(made.issuer, made.certificate)
        if "revoked" in order.defects:
            self.revoke(serial, now(), x509.ReasonFlags.key_compromise)
        return Issued(
            serial=serial,
            issuer=made.issuer,
            subject=made.certificate.subject.rfc4514_string(),
            certificate=pem(made.certificate).decode(),
            chain=[pem(link).decode() for link in made.chain],
            key=private_pem(made.key).decode() if made.key is not None and order.with_key else None,
        )

    def revoke(self, serial: str, at: datetime, reason: x509.ReasonFlags) -> str | None:
        """Revoke and publish the CRLs; returns the issuer's name, None for a serial that was not issued here."""
        issuer = self.records.revoke(serial, at, reason)
        if issuer is not None:
            self.publish()
        return issuer


def open_house(place: Place) -> House:
    """Load what DIR holds and make what is missing: authorities, trust/*.pem, crl/*.crl, publishing-service.*, admissions-portal.*."""
    home = place.directory / "pki"
    authorities, stamper = load_or_create(home, place.url)
    records = Records(home / "pki.sqlite")
    for authority in authorities.values():
        records.add(authority.name, authority.ocsp_certificate)
        records.add(authority.issuer, authority.certificate)
    records.add("national-ca", stamper.certificate)
    for folder in ("trust", "crl"):
        (place.directory / folder).mkdir(exist_ok=True)
    for root in ROOTS:
        write_atomically(place.directory / "trust" / f"{root}.pem", pem(authorities[root].certificate))
    house = House(place, authorities, stamper, records, Faults(ENDPOINTS))
    _service(house, "publishing-service", "Publishing service", "publishing")
    _service(house, "admissions-portal", "Admissions portal", "admissions")
    house.publish()
    return house


def _service(house: House, file: str, name: str, identifier: str) -> None:
    key_file, certificate_file = (house.place.directory / f"{file}.{kind}" for kind in ("key", "pem"))
    if certificate_file.exists():
        return
    order = CertificateOrder(kind="service", name=name, identifier=identifier, key="p256")
    made = house.record(order, house.make(order))
    assert made.key is not None
    write_atomically(key_file, made.key.encode(), 0o600)
    # leaf and intermediate, in the order in which x5c wants them
    write_atomically(certificate_file, (made.certificate + made.chain[0]).encode())
