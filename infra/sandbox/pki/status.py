"""Certificate status: CRLs and OCSP answers."""

import time
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from infra.sandbox.common import write_atomically
from infra.sandbox.pki.authority import Authority, now
from infra.sandbox.pki.records import Records

CRL_LIFE = timedelta(days=1)
OCSP_LIFE = timedelta(hours=1)


def make_crl(authority: Authority, records: Records) -> bytes:
    """The authority's complete CRL in DER, as of now."""
    moment = now()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(moment)
        .next_update(moment + CRL_LIFE)
        .add_extension(x509.CRLNumber(time.time_ns() // 1_000_000), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    for revocation in records.revocations(authority.name):
        entry = x509.RevokedCertificateBuilder().serial_number(revocation.serial).revocation_date(revocation.at)
        if revocation.reason is not x509.ReasonFlags.unspecified:
            entry = entry.add_extension(x509.CRLReason(revocation.reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)


def publish_crls(authorities: dict[str, Authority], records: Records, directory: Path) -> None:
    for authority in authorities.values():
        write_atomically(directory / f"{authority.name}.crl", make_crl(authority, records))


def answer_ocsp(content: bytes, authority: Authority, records: Records) -> bytes:
    """The DER answer to a DER request about one certificate; what cannot be read or is another issuer's gets an error status."""
    try:
        request = ocsp.load_der_ocsp_request(content)
        serial, algorithm = request.serial_number, request.hash_algorithm
        name_hash, key_hash = request.issuer_name_hash, request.issuer_key_hash
    except (ValueError, NotImplementedError):
        return refuse_ocsp(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if (name_hash, key_hash) != _issuer_hashes(authority, algorithm):
        return refuse_ocsp(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    revocation = records.revocation(authority.name, serial)
    status = ocsp.OCSPCertStatus.GOOD if records.knows(authority.name, serial) else ocsp.OCSPCertStatus.UNKNOWN
    if revocation is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=name_hash,
        issuer_key_hash=key_hash,
        serial_number=serial,
        algorithm=algorithm,
        cert_status=status,
        this_update=now(),
        next_update=now() + OCSP_LIFE,
        revocation_time=revocation.at if revocation else None,
        revocation_reason=revocation.reason if revocation else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.ocsp_certificate).certificates([authority.ocsp_certificate])
    for extension in request.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    return builder.sign(authority.ocsp_key, hashes.SHA256()).public_bytes(Encoding.DER)


def refuse_ocsp(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _issuer_hashes(authority: Authority, algorithm: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
    name = hashes.Hash(algorithm)
    name.update(authority.certificate.subject.public_bytes())
    key = hashes.Hash(algorithm)
    # the hash covers the bit string's content alone, which is what the subject key identifier method 1 uses too
    key.update(_key_bits(authority))
    return name.finalize(), key.finalize()


def _key_bits(authority: Authority) -> bytes:
    key = authority.certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
