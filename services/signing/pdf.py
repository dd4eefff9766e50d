"""PAdES-BASELINE-B signatures in the fields that the renderer placed, with the key elsewhere.

PDF signatures nest: each needs the revision before it, so only one may be pending on a document. `prepare` gives the
digest to be signed and keeps only what is appended to the file; `finish` needs the very same base again.
All functions are pure and safe to run in a process pool.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from services.means.judging.verdict import FIELDS
from services.means.pdf import base
from services.means.pdf.syntax import ForeignPdf
from services.means.x509 import Scheme, WrongSignature, check_value, default_scheme, ecdsa_encodings
from services.signing.pades import message, revision
from services.signing.pades.stamp import Stamp
from services.signing.xml import UnsuitableDocument

__all__ = ["FIELDS", "PreparedPdf", "SignatureRevision", "StaleDocument", "finish", "prepare"]


class StaleDocument(ValueError):
    """The document is not, or no longer, the one that the signature was prepared for."""


class PreparedPdf(BaseModel):
    """What has to be kept until the value is back; the signer signs `digest`, SHA-256 of the DER in `signed_attributes`.

    The signed file is the base followed by `revision`, with the CMS written between `reserved_start` and `reserved_end`,
    both counted from the beginning of the file.
    """

    model_config = ConfigDict(frozen=True)

    field: str
    base_sha256: str
    base_length: int
    revision: bytes
    document_digest: bytes
    reserved_start: int
    reserved_end: int
    signed_attributes: bytes
    digest: bytes
    scheme: Scheme


def prepare(
    document: bytes,
    *,
    field: str,
    certificate: bytes,
    chain: Sequence[bytes],
    signed_at: datetime,
    name: str,
    reason: str,
    scheme: Scheme | None = None,
    stamp: Stamp | None = None,
) -> PreparedPdf:
    """Append the signature dictionary for an existing empty field and give the digest to be signed.

    The first signature of a document certifies it and allows nothing but filling in the other fields. `name` is the signer's, `reason`
    the role, `stamp` the picture that the field shows. `certificate` and `chain` (intermediates) are DER. Raises UnsuitableDocument, or
    ValueError when the scheme does not fit the key.
    """
    scheme = scheme or default_scheme(certificate)
    if scheme.partition("-")[0] != default_scheme(certificate).partition("-")[0]:
        raise ValueError(f"the certificate's key cannot sign {scheme}")
    whole = sha256(document)
    base_sha256 = whole.digest()
    # PDF/A wants a line end before the first object of a revision
    line_end = b"" if document.endswith(b"\n") else b"\n"
    room = message.room(certificate, tuple(chain), scheme)
    try:
        made = revision.make(
            base.read(document),
            field,
            at=len(document) + len(line_end),
            room=room,
            signed_at=signed_at,
            name=name,
            reason=reason,
            mark=base_sha256[:16],
            stamp=stamp,
        )
    except revision.NoEmptyField as error:
        raise UnsuitableDocument("pdf_field", f"Tệp PDF không có ô chữ ký trống {field}.") from error
    except ForeignPdf as error:
        raise UnsuitableDocument("pdf_foreign", "Tệp PDF đã hỏng hoặc không phải do hệ thống này tạo ra, nên không ký được.") from error
    before = line_end + made.before
    whole.update(before)
    whole.update(made.after)
    document_digest = whole.digest()
    attributes = message.signed_attributes(certificate, document_digest)
    start = len(document) + len(before)
    return PreparedPdf(
        field=field,
        base_sha256=base_sha256.hex(),
        base_length=len(document),
        revision=b"%s<%s>%s" % (before, b"0" * (2 * room), made.after),
        document_digest=document_digest,
        reserved_start=start,
        reserved_end=start + 2 * room + 2,
        signed_attributes=attributes,
        digest=sha256(attributes).digest(),
        scheme=scheme,
    )


def finish(document: bytes, prepared: PreparedPdf, value: bytes, certificate: bytes, chain: Sequence[bytes]) -> bytes:
    """The signed file: the base followed by the filled revision.

    Raises StaleDocument when the base is another than the one prepared for, WrongSignature unless the value verifies
    in the scheme prepared for.
    """
    whole = sha256(document)
    if len(document) != prepared.base_length or whole.hexdigest() != prepared.base_sha256:
        raise StaleDocument("the document changed after the signature was prepared")
    start, end = prepared.reserved_start - len(document), prepared.reserved_end - len(document)
    before, after = prepared.revision[:start], prepared.revision[end:]
    whole.update(before)
    whole.update(after)
    if whole.digest() != prepared.document_digest or sha256(prepared.signed_attributes).digest() != prepared.digest:
        raise StaleDocument("the kept revision is not the one that was prepared")
    if prepared.signed_attributes != message.signed_attributes(certificate, prepared.document_digest):
        raise StaleDocument("the signature was prepared for another certificate")
    if prepared.scheme == "ecdsa":
        value, _ = ecdsa_encodings(certificate, prepared.digest, value)
    elif check_value(certificate, prepared.digest, value) != prepared.scheme:
        raise WrongSignature(f"the value is not in the scheme {prepared.scheme}")
    signed = message.signed_data(prepared.signed_attributes, value, certificate, tuple(chain), prepared.scheme)
    digits, room = signed.hex().upper().encode("ascii"), end - start - 2
    if not 0 < len(digits) <= room:
        raise StaleDocument("the signature was prepared for other certificates")
    return b"".join((document, before, b"<", digits.ljust(room, b"0"), b">", after))


class SignatureRevision(IncrementalPdfFileWriter):
    """Leaves /Info and XMP as rendered: a signature is no new edition, and rewriting them costs 5 KB a signature."""

    def _update_meta(self) -> None:
        return None
