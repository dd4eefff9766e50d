"""The report as ETSI TS 119 102-2 v1.4.1 lays it out, for other people's programs. One SignatureValidationReport a signature."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lxml import etree

if TYPE_CHECKING:
    from services.signing.reports.report import JudgedFile, Report, ReportedSignature

VR: Final = "http://uri.etsi.org/19102/v1.4.1#"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
URN: Final = "urn:etsi:019102"
MAIN: Final = {"TOTAL_PASSED": "total-passed", "TOTAL_FAILED": "total-failed", "INDETERMINATE": "indeterminate"}
CONSTRAINT: Final = "urn:hocba:constraint"
STATUS: Final = {"passed": "applied", "failed": "applied", "unknown": "disabled"}
ALGORITHMS: Final = {
    "RSA PKCS#1": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "RSA PSS": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "ECDSA": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
}


def etsi_report(report: Report) -> bytes:
    """Raises ValueError for a report without any signature: the standard knows none."""
    if not report.signatures:
        raise ValueError("a validation report is about at least one signature")
    root = etree.Element(f"{{{VR}}}ValidationReport", nsmap={"vr": VR, "ds": DS, "XAdES": XADES})
    files = {each.file: each for each in report.files}
    for number, one in enumerate(report.signatures, start=1):
        _signature(root, report, files[one.file], one, f"S-{number}")
    objects = _Objects()
    for each in report.files:
        objects.file(each)
    for one in report.signatures:
        for certificate in one.path_certificates:
            objects.add(certificate, "certificate")
    _insert(root, objects)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


class _Objects:
    """What the signatures refer to, each once under an id made of its digest."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[bytes | None, str, str]] = {}

    def add(self, octets: bytes, kind: str) -> None:
        self.known.setdefault(_id(octets), (octets, kind, ""))

    def file(self, judged: JudgedFile) -> None:
        self.known.setdefault(f"D-{judged.sha256}", (None, "signedData", judged.sha256))
        for stamp in judged.carried.stamps:
            self.add(stamp.token, "timestamp")
        for proof in judged.carried.proofs:
            self.add(proof.octets, "OCSPResponse" if proof.kind == "OCSP" else "CRL")


def _id(octets: bytes) -> str:
    return f"V-{sha256(octets).hexdigest()}"


def _child(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    made = etree.SubElement(parent, f"{{{VR}}}{name}", attributes)
    made.text = text
    return made


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(parent: etree._Element, hexadecimal: str) -> None:
    holder = _child(parent, "DigestAlgAndValue")
    etree.SubElement(holder, f"{{{DS}}}DigestMethod", Algorithm=SHA256)
    etree.SubElement(holder, f"{{{DS}}}DigestValue").text = b64encode(bytes.fromhex(hexadecimal)).decode()


def _refer(parent: etree._Element, name: str, octets: bytes) -> None:
    _child(parent, name, VOReference=_id(octets))


def _signature(root: etree._Element, report: Report, file: JudgedFile, one: ReportedSignature, name: str) -> None:
    made = _child(root, "SignatureValidationReport")
    identifier = _child(made, "SignatureIdentifier", id=name)
    _child(identifier, "HashOnly", "false")
    _child(identifier, "DocHashOnly", "false")
    _child(identifier, "DAIdentifier", one.place)
    _constraints(made, one)
    times = _child(made, "ValidationTimeInfo")
    _child(times, "ValidationTime", _moment(report.at))
    best = _child(times, "BestSignatureTime")
    _child(best, "POETime", _moment(one.proved_at or report.at))
    _child(best, "TypeOfProof", f"{URN}:poetype:validation")
    document = _child(made, "SignersDocument")
    _digest(document, file.sha256)
    _child(document, "SignersDocumentRepresentation", VOReference=f"D-{file.sha256}")
    _attributes(made, file, one)
    if one.path_certificates:
        signer = _child(made, "SignerInformation")
        _refer(signer, "SignerCertificate", one.path_certificates[0])
        _child(signer, "Signer", one.certificate.subject if one.certificate else one.name)
    process = _child(made, "SignatureValidationProcess")
    kind = "LTA" if one.level.endswith("LTA") else "LTVM" if one.proved_at else "Basic"
    _child(process, "SignatureValidationProcessID", f"{URN}:validationprocess:{kind}")
    _status(made, file, one)


def _constraints(made: etree._Element, one: ReportedSignature) -> None:
    """Our four questions, each as a constraint of its own."""
    holder = _child(made, "ValidationConstraintsEvaluationReport")
    words = {"passed": "total-passed", "failed": "total-failed", "unknown": "indeterminate"}
    for check in one.checks:
        constraint = _child(holder, "ValidationConstraint")
        _child(constraint, "ValidationConstraintIdentifier", f"{CONSTRAINT}:{check.name}")
        _child(_child(constraint, "ConstraintStatus"), "Status", f"{URN}:constraintStatus:{STATUS[check.state]}")
        _child(_child(constraint, "ValidationStatus"), "MainIndication", f"{URN}:mainindication:{words[check.state]}")
        _child(constraint, "Indications", check.text)


def _attributes(made: etree._Element, file: JudgedFile, one: ReportedSignature) -> None:
    holder = etree.Element(f"{{{VR}}}SignatureAttributes")
    if one.signed_at is not None:
        _child(_child(holder, "SigningTime", Signed="true"), "Time", _moment(one.signed_at))
    if one.claimed_role and one.file == "xml":
        details = _child(_child(holder, "SignerRole", Signed="true"), "RoleDetails")
        _child(details, "Role", one.claimed_role)
        _child(details, "EndorsementType", "claimed")
    elif one.claimed_role:
        _child(_child(holder, "Reason", Signed="true"), "ReasonElement", one.claimed_role)
    if one.proved_at is not None:
        names = {"signature": "SignatureTimeStamp", "archive": "ArchiveTimeStamp", "document": "DocTimeStamp"}
        for stamp in file.carried.stamps:
            attribute = _child(holder, names[stamp.kind], Signed="false")
            _refer(attribute, "AttributeObject", stamp.token)
            _child(attribute, "TimeStampValue", _moment(stamp.time))
    if len(holder):
        made.append(holder)


def _status(made: etree._Element, file: JudgedFile, one: ReportedSignature) -> None:
    status = _child(made, "SignatureValidationStatus")
    _child(status, "MainIndication", f"{URN}:mainindication:{MAIN[one.indication]}")
    if one.sub_indication:
        _child(status, "SubIndication", f"{URN}:subindication:{one.sub_indication}")
    if not one.path_certificates:
        return
    associated = _child(status, "AssociatedValidationReportData")
    signer, *above = one.path_certificates
    if one.anchored:
        _refer(associated, "TrustAnchor", one.path_certificates[-1])
    chain = _child(associated, "CertificateChain")
    _refer(chain, "SigningCertificate", signer)
    for each in above[:-1] if one.anchored else above:
        _refer(chain, "IntermediateCertificate", each)
    if one.anchored:
        _refer(chain, "TrustAnchor", one.path_certificates[-1])
    for proof in file.carried.proofs:
        if one.certificate and (one.certificate.serial in proof.about or (proof.kind == "CRL" and proof.made_by in one.path)):
            _refer(associated, "RelatedValidationObject", proof.octets)
    algorithm = next((uri for start, uri in ALGORITHMS.items() if one.algorithm.startswith(start)), None)
    if algorithm is not None:
        crypto = _child(associated, "CryptoInformation")
        _refer(crypto, "ValidationObjectId", signer)
        _child(crypto, "Algorithm", algorithm)
        weak = any(problem.code.startswith("weak") for problem in one.problems)
        _child(crypto, "SecureAlgorithm", "false" if weak else "true")


def _insert(root: etree._Element, objects: _Objects) -> None:
    listed = _child(root, "SignatureValidationObjects")
    for name, (octets, kind, digest) in objects.known.items():
        made = _child(listed, "ValidationObject", id=name)
        _child(made, "ObjectType", f"{URN}:validationObject:{kind}")
        representation = _child(made, "ValidationObjectRepresentation")
        if octets is None:
            _digest(representation, digest)
        else:
            _child(representation, "base64", b64encode(octets).decode())
