"""The secrets of an instance, generated once, readable by their owner alone."""

import base64
import datetime as dt
import ipaddress
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey, OKPKey

from infra.stack.instance import SERVICES, Instance

PASSWORDS = (
    "mongo-root",
    "minio-root",
    "gateway-callback",
    "openid-client",
    "csc-client",
    "sp769-client",
    "mysign-client",
    "sector",
    *(f"mongo-{service}" for service in SERVICES),
    *(f"minio-{service}" for service in SERVICES),
)
SERVER_NAMES = ("localhost", "gateway")
OUTSIDE_NAMES = ("localhost", "gateway", "sandbox-admissions")
"""Of the sandbox's national gateway and admissions portal, where they ask for mutual TLS."""
CERTIFICATE_DAYS = 825
SEAL_DAYS = 3650


def generate(instance: Instance) -> None:
    """Write what is missing; what is there stays, because the stores' data depends on it."""
    for directory in (instance.home, instance.secrets, instance.tls):
        directory.mkdir(parents=True, exist_ok=True)
    instance.secrets.chmod(0o700)
    instance.tls.chmod(0o700)
    for name in PASSWORDS:
        _once(instance.secrets / name, secrets.token_urlsafe(24))
    _once(instance.secrets / "mongo-key", base64.b64encode(secrets.token_bytes(48)).decode())
    for name in ("sealing-key", "identity-sealing-key", "factor-key"):
        _once(instance.secrets / name, Fernet.generate_key().decode())
    _token_keys(instance.secrets)
    _agent_key(instance.secrets / "agent-jobs.jwk")
    _consumers(instance)
    _package_seal(instance.secrets)
    _gateway_certificate(instance.tls)
    _write(instance.home / "providers.json", json.dumps(_providers(instance), ensure_ascii=False, indent=2) + "\n")
    sign_in = {"id": "sandbox", "name": "Cổng xác thực thử nghiệm", "issuer": instance.url("sandbox-idp"), "client_id": "hocba"}
    sign_in_providers = [{**sign_in, "client_secret_file": str(instance.secrets / "openid-client")}]
    _write(instance.home / "sign-in-providers.json", json.dumps(sign_in_providers, ensure_ascii=False, indent=2) + "\n")


def _providers(instance: Instance) -> list[dict[str, str | float]]:
    """One of each protocol. What they know us by lies beside the other secrets."""
    csc, smart_ca, my_sign = (instance.url(f"sandbox-{part}") for part in ("provider", "sp769", "mysign"))

    def known(protocol: str) -> dict[str, str | float]:
        secret = str(instance.secrets / f"{protocol}-client")
        return {"protocol": protocol, "client_id": "hocba", "secret_file": secret, "check_seconds": 0.5}

    return [
        {"id": "sandbox", "name": "Nhà cung cấp thử nghiệm", "url": f"{csc}/csc/v2", **known("csc")},
        {"id": "smartca", "name": "Nhà cung cấp thử nghiệm kiểu SmartCA", "url": f"{smart_ca}/sca/sp769", **known("sp769")},
        {"id": "mysign", "name": "Nhà cung cấp thử nghiệm kiểu MySign", "url": f"{my_sign}/vtss/service", **known("mysign")},
    ]


def _token_keys(directory: Path) -> None:
    """The Ed25519 pair of internal tokens: identity signs with the private key, everybody verifies with the set."""
    private = directory / "token-signing.jwk"
    if not private.exists():
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
        _write(private, json.dumps(key.as_dict(private=True)))
        _write(directory / "token-keys.jwks", json.dumps({"keys": [key.as_dict(private=False)]}))


def _agent_key(path: Path) -> None:
    """Jobs of the token agents are signed with a key of their own: agents keep its public half for the length of a pairing."""
    if not path.exists():
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
        _write(path, json.dumps(key.as_dict(private=True)))


def _consumers(instance: Instance) -> None:
    """One system that reads transcripts in the manner of VNeID: its client keeps the private key, publishing gets the public one."""
    private = instance.secrets / "consumer-vneid.jwk"
    if not private.exists():
        _write(private, json.dumps(ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True).as_dict(private=True)))
    key = ECKey.import_key(json.loads(private.read_text()))
    granted = {"units": ["031"], "purposes": ["own_view", "administrative"], "per_minute": 600, "keys": [key.as_dict(private=False)]}
    listed = [{"id": "vneid-sandbox", "name": "Ứng dụng định danh thử nghiệm", **granted}]
    _write(instance.home / "consumers.json", json.dumps(listed, ensure_ascii=False, indent=2) + "\n")


def _package_seal(directory: Path) -> None:
    """What records seals its packages with: a key and a certificate that vouches for itself and is compared as a whole.

    `package-trust.pem` names the installations whose packages are taken: this one; others are added to it by hand.
    """
    if (directory / "records-service.pem").exists():
        return
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hocba records")])
    certificate = (
        _builder(name, name, key.public_key(), now, days=SEAL_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(directory / "records-service.key", private.decode())
    _write(directory / "package-trust.pem", certificate.public_bytes(pem).decode())
    _write(directory / "records-service.pem", certificate.public_bytes(pem).decode())


def _gateway_certificate(directory: Path) -> None:
    """A local authority of its own and below it the gateway's certificate, and that of the outside systems' entrances (what the sandbox's
    PKI issues is for people, schools and services; its roots are not those of the web)."""
    if (directory / "outside.pem").exists():
        return
    now = dt.datetime.now(dt.UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hocba local stack")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    _write(directory / "ca.pem", ca.public_bytes(serialization.Encoding.PEM).decode())
    for file, names in (("server", SERVER_NAMES), ("outside", OUTSIDE_NAMES)):
        _server_certificate(directory / file, names, ca_name, ca_key, now)


def _server_certificate(file: Path, names: Sequence[str], ca_name: x509.Name, ca_key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    server = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), ca_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*(x509.DNSName(name) for name in names), *addresses]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(file.with_suffix(".key"), private.decode())
    _write(file.with_suffix(".pem"), server.public_bytes(pem).decode())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int = CERTIFICATE_DAYS
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _once(path: Path, content: str) -> None:
    if not path.exists():
        _write(path, content + "\n")


def _write(path: Path, content: str) -> None:
    """Never readable by others, not even between creation and chmod; whole or not at all."""
    draft = path.with_name(path.name + ".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    draft.replace(path)
