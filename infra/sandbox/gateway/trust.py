"""Trust in certificates: path to a root of DIR/trust, dates, key usage and the CRLs of DIR/crl; nothing is fetched."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import ExpiredError, NotYetValidError, PathError, RevokedError, ValidationError

from infra.sandbox.gateway.errors import Untrusted

SMALLEST_RSA = 2048


def load_certificates(content: bytes) -> list[asn1_x509.Certificate]:
    return [asn1_x509.Certificate.load(der) for _, _, der in pem.unarmor(content, multiple=True)]


@dataclass
class Trust:
    """The roots and CRLs of DIR as of the last look, and which certificates were found good since then."""

    directory: Path
    _good: dict[tuple[bytes, str], bool] = field(default_factory=dict)
    _roots: list[asn1_x509.Certificate] = field(default_factory=list)
    _crls: list[bytes] = field(default_factory=list)
    _seen: tuple[tuple[str, int], ...] | None = None

    def context(self, extra: list[asn1_x509.Certificate] | None = None) -> ValidationContext:
        """A fresh context for one document. Certificates without a CRL of their issuer are not trusted."""
        self._look()
        return ValidationContext(
            trust_roots=self._roots, other_certs=extra or [], crls=self._crls, allow_fetching=False, revocation_mode="require"
        )

    def _look(self) -> None:
        """Take roots and CRLs anew if any file changed, and forget what was found good by the old ones."""
        roots, crls = sorted((self.directory / "trust").glob("*.pem")), sorted((self.directory / "crl").glob("*.crl"))
        seen = tuple((str(file), file.stat().st_mtime_ns) for file in (*roots, *crls))
        if seen != self._seen:
            self._roots = [certificate for file in roots for certificate in load_certificates(file.read_bytes())]
            self._crls = [file.read_bytes() for file in crls]
            self._good.clear()
            self._seen = seen

    def check(self, chain: list[asn1_x509.Certificate], usage: frozenset[str]) -> None:
        """Raises Untrusted unless the first certificate is good now for the key usage, by way of the others."""
        leaf = chain[0]
        self._look()
        key = (hashlib.sha256(leaf.dump()).digest(), ",".join(sorted(usage)))
        if self._good.get(key):
            return
        context = self.context(chain[1:])
        check_strength(leaf)
        try:
            validator = CertificateValidator(leaf, chain[1:], validation_context=context)
            asyncio.run(validator.async_validate_usage(set(usage)))  # type: ignore[no-untyped-call]  # the library's method has no annotations
        except (PathError, ValidationError, ValueError) as wrong:
            raise Untrusted(in_vietnamese(wrong)) from wrong
        self._good[key] = True


def check_strength(certificate: asn1_x509.Certificate) -> None:
    """RSA keys below 2048 bits are refused (TT 15/2025/TT-BKHCN)."""
    if certificate.public_key.algorithm == "rsa" and certificate.public_key.bit_size < SMALLEST_RSA:
        raise Untrusted("khoá RSA ngắn hơn 2048 bit")


def in_vietnamese(wrong: Exception) -> str:
    match wrong:
        case ExpiredError():
            return "chứng thư số đã hết hạn"
        case NotYetValidError():
            return "chứng thư số chưa có hiệu lực"
        case RevokedError():
            return "chứng thư số đã bị thu hồi"
        case _:
            return "chứng thư số không thuộc hệ thống tin cậy hoặc không được dùng để ký"


def subject_identifier(certificate: asn1_x509.Certificate) -> tuple[str, str]:
    """Kind and value of the UID: ("CCCD", …), ("MST", …), ("SERVICE", …), or two empty strings."""
    value = certificate.subject.native.get("user_id", "")
    kind, separator, identifier = str(value).partition(":")
    return (kind, identifier) if separator else ("", "")
