"""Our signature report beside EU DSS's simple report, and its ETSI form against ETSI's own schema."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from services.signing.auditing.findings import Finding
from services.signing.reports.etsi import etsi_report
from services.signing.reports.report import Report, judge_file, make_report
from tests.interop import tampering
from tests.interop.jvm import classpath
from tests.interop.oracles import Signature, dss
from tests.unit.signing.audited import SOON, Kept, keep
from tests.unit.signing.sealed import Sandbox

SCHEMA = "TS119102-2-v141.xsd"
ELSEWHERE = {"XAdES.xsd": "XAdES01903v132-202407.xsd", "ts_119612v020201_201601xsd.xsd": "ts_119612v020101_xsd.xsd"}
"""Under which name EU DSS keeps what ETSI's schema imports."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox.open(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox) -> Kept:
    return keep(sandbox)


def reported(kept: Kept, findings: tuple[Finding, ...] = ()) -> Report:
    files = {"xml": kept.xml, "pdf": kept.pdf}
    judged = [
        judge_file("xml" if name == "xml" else "pdf", kept.task[name]["sha256"], files[name], kept.sandbox.roots, SOON) for name in files
    ]
    return make_report(kept.task, judged, title="Học bạ", findings=findings, roots=kept.sandbox.roots, at=SOON)


CHANGES: dict[str, Callable[[Kept], Kept]] = {
    "healthy": lambda k: k,
    "a changed mark": lambda k: k.with_stored(known=True, xml=tampering.changed_mark(k.xml, k.xml)),
    "a changed byte": lambda k: k.with_stored(known=True, pdf=tampering.changed_byte(k.pdf, k.pdf)),
    "an added annotation": lambda k: k.with_stored(known=True, pdf=tampering.added_annotation(k.pdf, k.pdf)),
}

STRICTER = ("an added annotation", "pdf")
"""EU DSS holds it against the first signature, which certifies the document; we hold it against every signature before it."""


@pytest.fixture(scope="module")
def judged(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[Signature]]]:
    """EU DSS on every document of every change, in one run."""
    place = tmp_path_factory.mktemp("judged")
    roots, crls = place / "roots", place / "crls"
    roots.mkdir()
    crls.mkdir()
    for number, root in enumerate(kept.sandbox.roots):
        (roots / f"{number}.pem").write_bytes(x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM))
    files: dict[Path, tuple[str, str]] = {}
    for number, (name, change) in enumerate(CHANGES.items()):
        changed = change(kept)
        for kind, octets in (("xml", changed.xml), ("pdf", changed.pdf)):
            file = place / f"{number}.{kind}"
            file.write_bytes(octets)
            files[file] = (name, kind)
    found: dict[str, dict[str, list[Signature]]] = {name: {} for name in CHANGES}
    for file, signatures in dss(files, roots, crls, strict=True, at=SOON).items():
        name, kind = files[file]
        found[name][kind] = signatures
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_our_report_and_eu_dss_agree_on_every_signature(kept: Kept, judged: dict[str, dict[str, list[Signature]]], change: str) -> None:
    report = reported(CHANGES[change](kept))
    for kind in ("xml", "pdf"):
        ours = [(one.indication, one.level) for one in report.signatures if one.file == kind]
        theirs = judged[change][kind]
        assert ("TOTAL_FAILED" in dict(ours)) == ("TOTAL_FAILED" in {one.indication for one in theirs}), kind
        pairs = [(indication, one.indication) for (indication, _), one in zip(ours, theirs, strict=True)]
        if (change, kind) == STRICTER:
            assert {mine for mine, _ in pairs} == {"TOTAL_FAILED"}
        else:
            assert [mine for mine, _ in pairs] == [his for _, his in pairs], kind
        if change == "healthy":
            assert {indication for indication, _ in ours} == {"TOTAL_PASSED"}
            assert ours[-1][1] == "BASELINE-LTA"
            assert theirs[-1].format.endswith("BASELINE-LTA")


class _FromDss(etree.Resolver):
    """Schemas by their names, out of the jars of EU DSS; nothing is fetched."""

    def __init__(self, schemas: dict[str, bytes]) -> None:
        super().__init__()
        self.schemas = schemas

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # the stubs forget the context
        name = system_url.rpartition("/")[2]
        return self.resolve_string(self.schemas[ELSEWHERE.get(name, name)], context, base_url=system_url)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """ETSI's, as EU DSS brings it."""
    jars = Path(classpath().split(os.pathsep)[1]).parent.glob("specs-*.jar")
    schemas: dict[str, bytes] = {}
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            schemas |= {Path(name).name: archive.read(name) for name in archive.namelist() if name.endswith(".xsd")}
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_FromDss(schemas))
    return etree.XMLSchema(etree.fromstring(schemas[SCHEMA], parser))


@pytest.mark.parametrize("change", CHANGES)
def test_the_etsi_report_is_valid_against_etsis_schema(kept: Kept, schema: etree.XMLSchema, change: str) -> None:
    made = etree.fromstring(etsi_report(reported(CHANGES[change](kept))))
    assert schema.validate(made), schema.error_log


def test_the_etsi_report_of_a_document_below_the_archive_level_is_valid_too(sandbox: Sandbox, schema: etree.XMLSchema) -> None:
    made = etree.fromstring(etsi_report(reported(keep(sandbox, sealed=False))))
    assert schema.validate(made), schema.error_log
    indications = {node.text for node in made.iterfind("{*}SignatureValidationReport/{*}SignatureValidationStatus/{*}MainIndication")}
    assert indications == {"urn:etsi:019102:mainindication:indeterminate"}
