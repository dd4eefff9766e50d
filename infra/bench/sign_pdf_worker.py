"""One side of `sign.pdf` in a process of its own: `python -m infra.bench.sign_pdf_worker own|pyhanko FOLDER ROUNDS FIELD...`.

Signs FOLDER/document.pdf in each field, one after the other, prints the seconds of processor time without the key's, and writes
the last document to FOLDER/SIDE.pdf.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.signing import pdf

NAME, REASON = "Nguyễn Thị Hoàng Anh", "Giáo viên chủ nhiệm"
WARM = 5
ROOM = 2 * 3072
"""Hexadecimal digits that pyHanko keeps for the message: tuned to what is needed, instead of trying out how long it gets."""


@dataclass(frozen=True)
class Signer:
    field: str
    key: rsa.RSAPrivateKey
    certificate: bytes
    chain: tuple[bytes, ...]

    def value(self, digest: bytes) -> bytes:
        return self.key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))


class Clock:
    """Processor time without what was spent in the keys."""

    def __init__(self) -> None:
        self.in_keys = 0.0

    def of_key(self, signer: Signer, digest: bytes) -> bytes:
        began = time.process_time()
        value = signer.value(digest)
        self.in_keys += time.process_time() - began
        return value


class KeyInMemory(signers.Signer):
    """pyHanko's signer, with a key that was loaded once."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        certificates = [asn1_x509.Certificate.load(each) for each in signer.chain]
        super().__init__(
            signing_cert=asn1_x509.Certificate.load(signer.certificate),
            cert_registry=SimpleCertificateStore.from_certs(certificates),  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
            prefer_pss=False,
        )
        self._signer = signer
        self._clock = clock

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001,FBT002 - as pyHanko has it
        if dry_run:
            return bytes(self._signer.key.key_size // 8)
        assert digest_algorithm == "sha256"
        began = time.process_time()
        value = self._signer.key.sign(data, padding.PKCS1v15(), SHA256())
        self._clock.in_keys += time.process_time() - began
        return value


def own(people: list[Signer], clock: Clock) -> Callable[[bytes], bytes]:
    def sign(document: bytes) -> bytes:
        for one in people:
            prepared = pdf.prepare(
                document,
                field=one.field,
                certificate=one.certificate,
                chain=one.chain,
                signed_at=dt.datetime.now(dt.UTC),
                name=NAME,
                reason=REASON,
            )
            document = pdf.finish(document, prepared, clock.of_key(one, prepared.digest), one.certificate, one.chain)
        return document

    return sign


def pyhanko(people: list[Signer], clock: Clock) -> Callable[[bytes], bytes]:
    loaded = [(one.field, KeyInMemory(one, clock)) for one in people]

    def sign(document: bytes) -> bytes:
        for number, (field, signer) in enumerate(loaded):
            metadata = signers.PdfSignatureMetadata(
                field_name=field,
                md_algorithm="sha256",
                name=NAME,
                reason=REASON,
                subfilter=fields.SigSeedSubFilter.PADES,
                certify=number == 0,
                docmdp_permissions=fields.MDPPerm.FILL_FORMS,
            )
            writer: Any = IncrementalPdfFileWriter(BytesIO(document))
            signed: BytesIO = signers.PdfSigner(metadata, signer=signer).sign_pdf(writer, existing_fields_only=True, bytes_reserved=ROOM)
            document = signed.getvalue()
        return document

    return sign


SIDES = {"own": own, "pyhanko": pyhanko}


def people_of(folder: Path, names: list[str]) -> list[Signer]:
    chain = ((folder / "issuer.cer").read_bytes(),)
    found = []
    for name in names:
        key = load_der_private_key((folder / f"{name}.key").read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        found.append(Signer(name, key, (folder / f"{name}.cer").read_bytes(), chain))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="infra.bench.sign_pdf_worker", description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rounds", type=int)
    parser.add_argument("fields", nargs="+")
    given = parser.parse_args()
    clock = Clock()
    sign = SIDES[given.side](people_of(given.folder, given.fields), clock)
    document = (given.folder / "document.pdf").read_bytes()
    signed = b""
    for _ in range(WARM):
        signed = sign(document)
    clock.in_keys = 0.0
    began = time.process_time()
    for _ in range(given.rounds):
        signed = sign(document)
    spent = time.process_time() - began - clock.in_keys
    (given.folder / f"{given.side}.pdf").write_bytes(signed)
    print(spent)


if __name__ == "__main__":
    main()
