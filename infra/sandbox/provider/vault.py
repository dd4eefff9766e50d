"""Users, their keys and certificates: DIR/provider/provider.sqlite. Keys are loaded once and stay in memory."""

import base64
import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

SCHEMA = """
create table if not exists users (name text primary key, salt blob not null, password blob not null);
create table if not exists credentials (
  id text primary key, user text not null references users(name), label text not null, kind text not null,
  name text not null, identifier text not null, key blob not null, chain text not null, unique (user, label)
);
"""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Credential:
    id: str
    user: str
    label: str
    kind: str
    name: str
    identifier: str
    key: PrivateKey
    chain: list[x509.Certificate]

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def is_rsa(self) -> bool:
        return isinstance(self.key, rsa.RSAPrivateKey)

    def chain_base64(self) -> list[str]:
        """Leaf first, root last, each certificate's DER in base64."""
        return [base64.b64encode(link.public_bytes(Encoding.DER)).decode() for link in self.chain]


class Vault:
    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, isolation_level=None)
        file.chmod(0o600)
        self._db.execute("pragma journal_mode=wal")
        self._db.executescript(SCHEMA)
        self._credentials = {credential.id: credential for credential in map(_credential, self._db.execute("select * from credentials"))}

    def close(self) -> None:
        self._db.close()

    def add_user(self, name: str, password: str) -> None:
        """Create the user; one that exists keeps the password that it has."""
        salt = secrets.token_bytes(16)
        self._db.execute("insert or ignore into users values (?,?,?)", (name, salt, _scrypt(password, salt)))

    def password_is_right(self, name: str, password: str) -> bool:
        row = self._db.execute("select salt, password from users where name=?", (name,)).fetchone()
        return row is not None and hmac.compare_digest(_scrypt(password, row[0]), row[1])

    def add_credential(self, credential: Credential) -> None:
        key = credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        row = (
            credential.id, credential.user, credential.label, credential.kind, credential.name, credential.identifier, key,
            "".join(link.public_bytes(Encoding.PEM).decode() for link in credential.chain),
        )  # fmt: skip
        self._db.execute("insert into credentials values (?,?,?,?,?,?,?,?)", row)
        self._credentials[credential.id] = credential

    def credential(self, identity: str) -> Credential | None:
        return self._credentials.get(identity)

    def of_user(self, user: str) -> list[Credential]:
        return [credential for credential in self._credentials.values() if credential.user == user]

    def labelled(self, user: str, label: str) -> Credential | None:
        return next((credential for credential in self.of_user(user) if credential.label == label), None)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=4096, r=8, p=1)


def _credential(row: tuple[str, str, str, str, str, str, bytes, str]) -> Credential:
    identity, user, label, kind, name, identifier, content, chain = row
    # the file is our own, and checking an RSA key costs more than a hundred signatures
    key = load_pem_private_key(content, password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return Credential(identity, user, label, kind, name, identifier, key, x509.load_pem_x509_certificates(chain.encode()))
