"""PAdES-BASELINE-B signatures in the fields that the renderer placed, with the key elsewhere.

PDF signatures nest: each needs the revision before it, so only one may be pending on a document. `prepare` gives the
digest to be signed and keeps only what is appended to the file; `finish` needs the very same base again.
All functions are pure and safe to run in a process pool.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Final

from asn1crypto import algos, cms
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.general import SigningError, as_signing_certificate_v2
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest, SignatureObject
from pyhanko.sign.signers.pdf_cms import ExternalSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.means.x509 import Scheme, WrongSignature, check_value, complete, default_scheme, ecdsa_encodings, load_asn1, value_size
from services.signing.xml import UnsuitableDocument

FIELDS: Final = ("GVCN", "CBQL", "KY_PHAT_HANH")


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
) -> PreparedPdf:
    """Append the signature dictionary for an existing empty field and give the digest to be signed.

    The first signature of a document certifies it and allows nothing but filling in the other fields. `name` is the
    signer's, `reason` the role. `certificate` and `chain` (intermediates) are DER. Raises UnsuitableDocument, or
    ValueError when the scheme does not fit the key.
    """
    scheme = scheme or default_scheme(certificate)
    if scheme.partition("-")[0] != default_scheme(certificate).partition("-")[0]:
        raise ValueError(f"the certificate's key cannot sign {scheme}")
    # PDF/A wants a line end before the first object of a revision
    base = document if document.endswith(b"\n") else document + b"\n"
    try:
        digest, output = _append_signature(
            base, field, signed_at=signed_at, name=name, reason=reason, reserved=_reserve(certificate, tuple(chain), scheme)
        )
    except (PdfError, SigningError) as error:
        raise UnsuitableDocument("pdf_field", f"Tệp PDF không có ô chữ ký trống {field}.") from error
    attributes = _signed_attributes(certificate, digest.document_digest).dump()
    return PreparedPdf(
        field=field,
        base_sha256=sha256(document).hexdigest(),
        base_length=len(document),
        revision=output[len(document) :],
        document_digest=digest.document_digest,
        reserved_start=digest.reserved_region_start,
        reserved_end=digest.reserved_region_end,
        signed_attributes=attributes,
        digest=sha256(attributes).digest(),
        scheme=scheme,
    )


def finish(document: bytes, prepared: PreparedPdf, value: bytes, certificate: bytes, chain: Sequence[bytes]) -> bytes:
    """The signed file: the base followed by the filled revision.

    Raises StaleDocument when the base is another than the one prepared for, WrongSignature unless the value verifies
    in the scheme prepared for.
    """
    if len(document) != prepared.base_length or sha256(document).hexdigest() != prepared.base_sha256:
        raise StaleDocument("the document changed after the signature was prepared")
    if check_value(certificate, prepared.digest, value) != prepared.scheme:
        raise WrongSignature(f"the value is not in the scheme {prepared.scheme}")
    if prepared.scheme == "ecdsa":
        value, _ = ecdsa_encodings(certificate, prepared.digest, value)
    signed = document + prepared.revision
    covered = sha256(signed[: prepared.reserved_start])
    covered.update(signed[prepared.reserved_end :])
    if covered.digest() != prepared.document_digest or sha256(prepared.signed_attributes).digest() != prepared.digest:
        raise StaleDocument("the kept revision is not the one that was prepared")
    output = BytesIO(signed)
    region = PreparedByteRangeDigest(prepared.document_digest, prepared.reserved_start, prepared.reserved_end)
    region.fill_with_cms(output, _cms(prepared.signed_attributes, value, certificate, tuple(chain), prepared.scheme))
    return output.getvalue()


class SignatureRevision(IncrementalPdfFileWriter):
    """Leaves /Info and XMP as rendered: a signature is no new edition, and rewriting them costs 5 KB a signature."""

    def _update_meta(self) -> None:
        return None


def _append_signature(
    base: bytes, field: str, *, signed_at: datetime, name: str, reason: str, reserved: int
) -> tuple[PreparedByteRangeDigest, bytes]:
    writer = SignatureRevision(BytesIO(base))
    first = next(enumerate_sig_fields(writer.prev, filled_status=True), None) is None
    # the step below PdfSigner, because that one draws a stamp over the appearance which the renderer placed
    embedding = PdfCMSEmbedder().write_cms(field_name=field, writer=writer, existing_fields_only=True)
    next(embedding)
    writer.register_extension(ESIC_EXTENSION_1)
    embedding.send(
        SigObjSetup(
            sig_placeholder=SignatureObject(
                timestamp=signed_at, subfilter=SigSeedSubFilter.PADES, name=name, reason=reason, bytes_reserved=2 * reserved
            ),
            mdp_setup=SigMDPSetup(md_algorithm="sha256", certify=first, docmdp_perms=MDPPerm.FILL_FORMS) if first else None,
        )
    )
    prepared, output = embedding.send(SigIOSetup(md_algorithm="sha256"))
    return prepared, output.getvalue()


def _signed_attributes(certificate: bytes, document_digest: bytes) -> cms.CMSAttributes:
    # EN 319 142-1: no signing-time here, it stands in the signature dictionary
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": (cms.ContentType("data"),)}),
            cms.CMSAttribute({"type": "message_digest", "values": (document_digest,)}),
            # loaded from DER, asn1crypto does not encode it anew, which would be a third of all time spent here
            cms.CMSAttribute.load(_signing_certificate(certificate)),
        ]
    )


@lru_cache(maxsize=1024)
def _signing_certificate(certificate: bytes) -> bytes:
    value = as_signing_certificate_v2(load_asn1(certificate))
    encoded: bytes = cms.CMSAttribute({"type": "signing_certificate_v2", "values": (value,)}).dump()
    return encoded


@lru_cache(maxsize=1024)
def _reserve(certificate: bytes, chain: tuple[bytes, ...], scheme: Scheme) -> int:
    """Bytes of the longest CMS that this certificate can need: all else in it has a fixed length."""
    attributes = _signed_attributes(certificate, bytes(32)).dump()
    return len(_cms(attributes, bytes(value_size(certificate)), certificate, chain, scheme))


@lru_cache(maxsize=1024)
def _certificates(chain: tuple[bytes, ...]) -> SimpleCertificateStore:
    store: SimpleCertificateStore = SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        [load_asn1(certificate) for certificate in chain]
    )
    return store


@lru_cache
def _mechanism(scheme: Scheme) -> bytes:
    if scheme == "rsa-pss":
        digest = {"algorithm": "sha256"}
        mechanism = {
            "algorithm": "rsassa_pss",
            "parameters": {
                "hash_algorithm": digest,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
                "salt_length": 32,
            },
        }
    else:
        mechanism = {"algorithm": "sha256_rsa" if scheme == "rsa-pkcs1" else "sha256_ecdsa"}
    encoded: bytes = algos.SignedDigestAlgorithm(mechanism).dump()
    return encoded


class _ValueAtHand(ExternalSigner):
    """Without timestamps there are no unsigned attributes, and so nothing for which pyHanko needs an event loop."""

    async def unsigned_attrs(self, *_args: object, **_kwargs: object) -> None:
        return None


def _cms(attributes: bytes, value: bytes, certificate: bytes, chain: tuple[bytes, ...], scheme: Scheme) -> bytes:
    signer = _ValueAtHand(
        signing_cert=load_asn1(certificate),
        cert_registry=_certificates(chain),
        signature_value=value,
        signature_mechanism=algos.SignedDigestAlgorithm.load(_mechanism(scheme)),
        embed_roots=False,
    )
    message = complete(signer.async_sign_prescribed_attributes("sha256", cms.CMSAttributes.load(attributes)))
    encoded: bytes = message.dump()
    return encoded
