"""Real PKCS#11 tokens for tests: SoftHSM2 in a folder of its own. Keys are made outside the library that is tested."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from pkcs11 import Attribute, CertificateType, ObjectClass

MODULE = next(
    (path for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so") if Path(path).is_file()),
    "libsofthsm2.so",
)
PIN = "123456"
LOCKED, FINAL_TRY = 0x00040000, 0x00020000
"""CKF_USER_PIN_LOCKED and CKF_USER_PIN_FINAL_TRY; SoftHSM2 keeps what it is told, but counts no tries itself."""

Kind = Literal["rsa2048", "p256", "p384"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(kind: Kind) -> PrivateKey:
    if kind == "rsa2048":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())


def public_pem(key: PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class Tokens:
    """The configuration is read when the module starts, so in this process `environment` must be set before its first use."""

    folder: Path

    def __post_init__(self) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        settings = (f"directories.tokendir = {self.store}", "objectstore.backend = file", "log.level = ERROR", "slots.removable = true")
        (self.folder / "softhsm2.conf").write_text("\n".join(settings) + "\n")

    @property
    def store(self) -> Path:
        return self.folder / "tokens"

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def add(self, label: str, pin: str = PIN) -> None:
        self._util("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "12345678")

    def put_key(self, label: str, key: PrivateKey, key_id: int = 1) -> None:
        """Through a PEM file, by SoftHSM's own tool."""
        file = self.folder / "key.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._util("--import", str(file), "--token", label, "--pin", PIN, "--label", "khoá ký", "--id", f"{key_id:02x}")
        file.unlink()

    def put_certificate(self, label: str, der: bytes, name: str = "Chứng thư số", key_id: int | None = 1) -> None:
        library = pkcs11.lib(MODULE)
        library.reinitialize()
        read = x509.load_der_x509_certificate(der)
        with library.get_token(token_label=label).open(rw=True, user_pin=PIN) as session:
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.LABEL: name,
                    Attribute.ID: b"" if key_id is None else bytes([key_id]),
                    Attribute.SUBJECT: read.subject.public_bytes(),
                    Attribute.ISSUER: read.issuer.public_bytes(),
                    Attribute.VALUE: der,
                }
            )

    def remove_all(self) -> None:
        """As if pulled out."""
        shutil.rmtree(self.store)
        self.store.mkdir()

    def mark(self, flag: int) -> None:
        """What the token's own memory says about its PIN, for every token."""
        plain = 0x42D  # random numbers, sign-in needed, PIN set, initialised
        for file in self.store.glob("*/token.object"):
            content = file.read_bytes()
            assert content.count(plain.to_bytes(8, "big")) == 1
            file.write_bytes(content.replace(plain.to_bytes(8, "big"), (plain | flag).to_bytes(8, "big")))

    def _util(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, env={**os.environ, **self.environment})


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    key: PrivateKey,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    signing: bool = True,
    subject: str = "Nguyễn Văn An",
    issuer: tuple[x509.Certificate, PrivateKey] | None = None,
    authority: bool = False,
) -> x509.Certificate:
    """For the key; signed by the issuer, or by itself."""
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer[0].subject if issuer else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since or now - dt.timedelta(days=1))
        .not_valid_after(until or now + dt.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=signing, key_encipherment=not signing, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)
