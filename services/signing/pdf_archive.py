"""PAdES-BASELINE-LTA: one more revision with the validation data and a document timestamp over everything before it.

The validation data goes into the document security store without a VRI dictionary, the timestamp into a field of its own that stands
on no page; a certified document permits both. Before a timestamp's certificate ends, the same two steps add the next one.
All functions are pure and safe to run in a process pool.
"""

from hashlib import sha256
from io import BytesIO
from typing import Final

from asn1crypto import crl, ocsp
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.generic import DictionaryObject, pdf_name, pdf_string
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PreparedByteRangeDigest
from pyhanko.sign.validation.dss import DocumentSecurityStore

from services.means.timestamps import TimestampRefused, imprint_of
from services.means.validation_data import ValidationData
from services.means.x509 import load_asn1
from services.signing.pdf import SignatureRevision, StaleDocument
from services.signing.xml import UnsuitableDocument

FIELD: Final = "DAU_THOI_GIAN"


class PreparedArchive(BaseModel):
    """What has to be kept until the timestamp over `digest` (SHA-256) is there.

    The archived file is the base followed by `revision`, with the token written between `reserved_start` and `reserved_end`,
    both counted from the beginning of the file.
    """

    model_config = ConfigDict(frozen=True)

    base_sha256: str
    base_length: int
    revision: bytes
    reserved_start: int
    reserved_end: int
    digest: bytes


def prepare(document: bytes, data: ValidationData, *, room: int) -> PreparedArchive:
    """Append validation data and a document timestamp without its token, for which `room` bytes are kept free.

    `data` joins what the document already holds. Raises UnsuitableDocument.
    """
    # PDF/A wants a line end before the first object of a revision
    base = document if document.endswith(b"\n") else document + b"\n"
    try:
        digest, output = _append_archive(base, data, room)
    except (PdfError, SigningError) as error:
        raise UnsuitableDocument("pdf_archive", "Tệp PDF không nhận thêm được dữ liệu lưu trữ.") from error
    return PreparedArchive(
        base_sha256=sha256(document).hexdigest(),
        base_length=len(document),
        revision=output[len(document) :],
        reserved_start=digest.reserved_region_start,
        reserved_end=digest.reserved_region_end,
        digest=digest.document_digest,
    )


def finish(document: bytes, prepared: PreparedArchive, token: bytes) -> bytes:
    """The archived file: the base followed by the revision with the token (DER) in it.

    The token's signature has been checked by who fetched it. Raises StaleDocument when the base is another than the one prepared
    for, TimestampRefused when the token is over another digest or longer than the room kept for it.
    """
    if len(document) != prepared.base_length or sha256(document).hexdigest() != prepared.base_sha256:
        raise StaleDocument("the document changed after the archive revision was prepared")
    if imprint_of(token) != prepared.digest:
        raise TimestampRefused("the token is over another digest")
    archived = document + prepared.revision
    covered = sha256(archived[: prepared.reserved_start])
    covered.update(archived[prepared.reserved_end :])
    if covered.digest() != prepared.digest:
        raise StaleDocument("the kept revision is not the one that was prepared")
    output = BytesIO(archived)
    try:
        PreparedByteRangeDigest(prepared.digest, prepared.reserved_start, prepared.reserved_end).fill_with_cms(output, token)
    except SigningError as error:
        raise TimestampRefused(f"the token has {len(token)} bytes, more than the room kept for it") from error
    return output.getvalue()


def _append_archive(base: bytes, data: ValidationData, room: int) -> tuple[PreparedByteRangeDigest, bytes]:
    writer = SignatureRevision(BytesIO(base))
    earlier = sum(1 for name, _, _ in enumerate_sig_fields(writer.prev, filled_status=True) if name.startswith(FIELD))
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        certs=[load_asn1(each) for each in data.certificates],
        ocsps=[ocsp.OCSPResponse.load(each) for each in data.ocsps],
        crls=[crl.CertificateList.load(each) for each in data.crls],
    )
    writer.register_extension(ESIC_EXTENSION_1)
    field = f"{FIELD}_{earlier + 1}"
    # a field without a widget leaves every page as it was, and so spares whoever judges the changes most of the work
    fields = writer.root["/AcroForm"]["/Fields"]
    entries = {pdf_name("/FT"): pdf_name("/Sig"), pdf_name("/T"): pdf_string(field)}
    fields.append(writer.add_object(DictionaryObject(entries)))  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    writer.update_container(fields)
    embedding = PdfCMSEmbedder().write_cms(field_name=field, writer=writer, existing_fields_only=True)
    next(embedding)
    timestamp = DocumentTimestamp(bytes_reserved=2 * room)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    embedding.send(SigObjSetup(sig_placeholder=timestamp))
    prepared, output = embedding.send(SigIOSetup(md_algorithm="sha256"))
    return prepared, output.getvalue()
