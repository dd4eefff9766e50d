"""What was issued and revoked: DIR/pki/pki.sqlite. Certificates are public, keys are never kept here."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

SCHEMA = """
create table if not exists certificates (
  serial text primary key, issuer text not null, subject text not null, der blob not null,
  issued_at text not null, revoked_at text, reason text
)
"""


@dataclass(frozen=True)
class Revocation:
    serial: int
    at: datetime
    reason: x509.ReasonFlags


def serial_text(serial: int) -> str:
    """Serials are written in lower-case hexadecimal everywhere."""
    return f"{serial:x}"


class Records:
    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, issuer: str, certificate: x509.Certificate) -> None:
        """Remember a certificate under its issuer's name; the same one twice is one."""
        der, moment = certificate.public_bytes(Encoding.DER), datetime.now(UTC).isoformat()
        row = (serial_text(certificate.serial_number), issuer, certificate.subject.rfc4514_string(), der, moment)
        self._db.execute("insert or ignore into certificates (serial, issuer, subject, der, issued_at) values (?,?,?,?,?)", row)

    def knows(self, issuer: str, serial: int) -> bool:
        query = "select 1 from certificates where serial=? and issuer=?"
        return self._db.execute(query, (serial_text(serial), issuer)).fetchone() is not None

    def revoke(self, serial: str, at: datetime, reason: x509.ReasonFlags) -> str | None:
        """Mark as revoked; returns the issuer's name, or None when no such certificate was issued here.

        The first revocation stands, except that removeFromCRL lifts a certificateHold.
        """
        row = self._db.execute("select issuer from certificates where serial=?", (serial,)).fetchone()
        if row is None:
            return None
        if reason is x509.ReasonFlags.remove_from_crl:
            query = "update certificates set revoked_at=null, reason=null where serial=? and reason=?"
            self._db.execute(query, (serial, x509.ReasonFlags.certificate_hold.value))
            return str(row[0])
        query = "update certificates set revoked_at=?, reason=? where serial=? and revoked_at is null"
        self._db.execute(query, (at.isoformat(), reason.value, serial))
        return str(row[0])

    def revocation(self, issuer: str, serial: int) -> Revocation | None:
        query = "select serial, revoked_at, reason from certificates where serial=? and issuer=? and revoked_at is not null"
        row = self._db.execute(query, (serial_text(serial), issuer)).fetchone()
        return None if row is None else _revocation(row)

    def revocations(self, issuer: str) -> list[Revocation]:
        query = "select serial, revoked_at, reason from certificates where issuer=? and revoked_at is not null order by revoked_at"
        return [_revocation(row) for row in self._db.execute(query, (issuer,))]


def _revocation(row: tuple[str, str, str]) -> Revocation:
    serial, at, reason = row
    return Revocation(int(serial, 16), datetime.fromisoformat(at), x509.ReasonFlags(reason))
