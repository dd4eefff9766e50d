"""Other people's validators: EU DSS, veraPDF, pdfsig and xmlsec1. None of the product's own code takes part in a judgement.

All raise `OracleError` when a tool is missing or cannot be understood; a document that a tool cannot read is no exception but
a signature (or a verdict) that does not pass.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.interop.jvm import OracleError, run, tool

UNREADABLE = "UNREADABLE"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
IDENTIFIED = ("NoiDung", "SignedProperties", "KeyInfo", "SignatureValue")

__all__ = [
    "OracleError",
    "PdfSignature",
    "Proof",
    "Signature",
    "Timestamp",
    "Verdict",
    "XmlSignature",
    "dss",
    "dss_evidence",
    "pdfsig",
    "verapdf",
    "xmlsec1",
]


@dataclass(frozen=True)
class Timestamp:
    """EU DSS's judgement of a timestamp by itself: `PASSED` only if it is of what it should be, by a trusted unit."""

    produced_by: str
    indication: str
    sub_indication: str | None


@dataclass(frozen=True)
class Signature:
    """EU DSS's simple report of one signature (ETSI EN 319 102-1). A file it cannot read is one signature `UNREADABLE`.

    `timestamps` are those that prove this signature; a document timestamp proves each signature before it. A broken timestamp is no
    fault of the signature while its certificate lasts, and `format` only says which parts are there.
    """

    id: str
    signed_by: str
    format: str
    indication: str
    sub_indication: str | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    timestamps: tuple[Timestamp, ...] = ()

    @property
    def passed(self) -> bool:
        return self.indication == "TOTAL_PASSED"


@dataclass(frozen=True)
class Verdict:
    """veraPDF's verdict against PDF/A-3b; `failures` are "clause-test rule text"."""

    flavour: str
    compliant: bool
    failures: tuple[str, ...]


@dataclass(frozen=True)
class PdfSignature:
    """pdfsig's view of one signature: integrity and coverage only, no trust and no judgement of later changes.

    `said` is its word on the value. It does not know document timestamps: "Signature has not yet been verified."
    """

    number: int
    signed_by: str
    valid: bool
    covers_whole_file: bool
    said: str = ""


@dataclass(frozen=True)
class XmlSignature:
    """xmlsec1's view of one signature, by its place in the document (from 1): digests, value and chain; no XAdES meaning."""

    number: int
    valid: bool
    detail: str


def dss(files: Iterable[Path], roots: Path, crls: Path, *, strict: bool = False, at: datetime | None = None) -> dict[Path, list[Signature]]:
    """EU DSS on PDF and XML files, offline. Below `roots`, self-issued *.pem are trusted and others help to build chains;
    revocation comes from *.crl (DER or PEM) below `crls` and from the documents. Nothing is fetched.

    `strict`: DSS's default policy merely warns of forbidden later changes to a PDF; this fails them.
    `at` (aware): the moment for which to judge, otherwise now.
    """
    files = list(files)
    options = ["--strict"] if strict else []
    if at is not None:
        options += ["--at", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]
    answers = run("Validate", [*options, "--roots", str(roots), "--crls", str(crls)], files)
    return {
        file: [Signature(UNREADABLE, "", "", UNREADABLE, None, (answer["error"],), ())]
        if "error" in answer
        else [
            Signature(
                id=one["id"],
                signed_by=one["signedBy"] or "",
                format=one["format"],
                indication=one["indication"],
                sub_indication=one["subIndication"],
                errors=tuple(one["errors"]),
                warnings=tuple(one["warnings"]),
                timestamps=tuple(Timestamp(each["producedBy"], each["indication"], each["subIndication"]) for each in one["timestamps"]),
            )
            for one in answer["signatures"]
        ]
        for file, answer in zip(files, answers, strict=True)
    }


@dataclass(frozen=True)
class Proof:
    """EU DSS's judgement of an RFC 4998 evidence record over the documents beside it, and of their signatures with it at hand.

    `since` is the moment that the record proves (ISO 8601); `signatures` by the documents' endings, "pdf" and "xml".
    """

    indication: str
    sub_indication: str | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    since: str
    timestamps: tuple[Timestamp, ...]
    signatures: dict[str, list[str]]


def dss_evidence(records: Iterable[Path], roots: Path, crls: Path, *, at: datetime | None = None) -> dict[Path, Proof]:
    """EU DSS on *.ers files, each with the *.pdf and *.xml of its name; otherwise as `dss`. Raises OracleError for what it cannot read."""
    files = list(records)
    options = ["--at", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")] if at is not None else []
    found = {}
    for file, answer in zip(files, run("Evidence", [*options, "--roots", str(roots), "--crls", str(crls)], files), strict=True):
        if "error" in answer:
            raise OracleError(f"{file}: {answer['error']}")
        found[file] = Proof(
            indication=answer["indication"],
            sub_indication=answer["subIndication"],
            errors=tuple(answer["errors"]),
            warnings=tuple(answer["warnings"]),
            since=answer["since"],
            timestamps=tuple(Timestamp(each["producedBy"], each["indication"], each["subIndication"]) for each in answer["timestamps"]),
            signatures={
                kind: [" ".join(filter(None, (each["indication"], each["subIndication"]))) for each in signatures]
                for kind, signatures in answer["documents"].items()
            },
        )
    return found


def verapdf(files: Iterable[Path], flavour: Literal["3b", "ua1"] = "3b") -> dict[Path, Verdict]:
    """veraPDF on PDF files, against PDF/A-3b or PDF/UA-1 whatever they claim to be."""
    files = list(files)
    return {
        file: Verdict(answer["flavour"], answer["compliant"], tuple(answer["failures"]))
        for file, answer in zip(files, run("PdfA", [flavour], files), strict=True)
    }


def pdfsig(file: Path) -> list[PdfSignature]:
    """poppler's pdfsig, without its certificate check (which wants a browser's database)."""
    done = subprocess.run([tool("pdfsig"), "-nocert", str(file)], capture_output=True, text=True, check=False)
    if "does not contain any signatures" in done.stdout:
        return []
    if "Signature #" not in done.stdout:
        return [PdfSignature(0, "", valid=False, covers_whole_file=False)]
    parts = re.split(r"^Signature #(\d+):$", done.stdout, flags=re.MULTILINE)
    return [_pdf_signature(int(number), text) for number, text in zip(parts[1::2], parts[2::2], strict=True)]


def _pdf_signature(number: int, text: str) -> PdfSignature:
    name = re.search(r"- Signer Certificate Common Name: (.*)", text)
    said = re.search(r"- Signature Validation: (.*)", text)
    return PdfSignature(
        number=number,
        signed_by=name.group(1).strip() if name else "",
        valid="- Signature Validation: Signature is Valid." in text,
        covers_whole_file="- Total document signed" in text,
        said=said.group(1).strip() if said else "",
    )


def xmlsec1(file: Path, roots: Path) -> list[XmlSignature]:
    """xmlsec1 on every ds:Signature of the file in document order; self-issued *.pem below `roots` are trusted."""
    try:
        total = len(etree.parse(file).findall(f".//{{{DSIG}}}Signature"))
    except (OSError, etree.XMLSyntaxError) as unreadable:
        return [XmlSignature(0, valid=False, detail=str(unreadable))]
    attributes = [word for name in IDENTIFIED for word in ("--id-attr:Id", name)]
    judged = []
    with _chain_options(roots) as chain:
        for number in range(1, total + 1):
            node = f"(//*[local-name()='Signature' and namespace-uri()='{DSIG}'])[{number}]"
            command = [tool("xmlsec1"), "--verify", *chain, *attributes, "--node-xpath", node, str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = (done.stdout + done.stderr).strip()
            judged.append(XmlSignature(number, done.returncode == 0 and re.search(r"^OK$", said, re.MULTILINE) is not None, said))
    return judged


@contextmanager
def _chain_options(roots: Path) -> Iterator[list[str]]:
    """xmlsec1 reads one certificate a file, so each goes into a file of its own."""
    found = [one for file in sorted(roots.rglob("*.pem")) for one in x509.load_pem_x509_certificates(file.read_bytes())]
    with tempfile.TemporaryDirectory() as scratch:
        options = []
        for position, certificate in enumerate(found):
            place = Path(scratch) / f"{position}.pem"
            place.write_bytes(certificate.public_bytes(Encoding.PEM))
            options += ["--trusted-pem" if certificate.subject == certificate.issuer else "--untrusted-pem", str(place)]
        yield options
