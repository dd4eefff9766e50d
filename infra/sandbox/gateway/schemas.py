"""The published schemas, loaded from contracts/xml."""

from functools import cache
from pathlib import Path

from lxml import etree

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts" / "xml"
PACKAGE = "urn:hocba:package:1"


def parse(content: bytes) -> etree._Element:
    """A document from outside: no DTD, no entities, no network. Raises ValueError for what is not well formed or has a DTD."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        raise ValueError(str(wrong)) from wrong
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a DTD is not accepted")
    return root


@cache
def package_schemas() -> dict[str, etree.XMLSchema]:
    """By the version that a manifest names: 1.0 lists transcripts, 1.1 class summaries as well."""
    return {version: etree.XMLSchema(etree.parse(CONTRACTS / f"goi-hoc-ba-{version}.xsd")) for version in ("1.0", "1.1")}


def package_error(root: etree._Element) -> str | None:
    """The first violation of the version that the manifest names; of 1.0 where it names none that is known."""
    schemas = package_schemas()
    return violation(schemas.get(root.get("phienBan", ""), schemas["1.0"]), root)


@cache
def transcript_schemas() -> dict[str, list[etree.XMLSchema]]:
    """All versions of the transcript's and the class summary's schemas by namespace."""
    schemas: dict[str, list[etree.XMLSchema]] = {}
    for file in sorted((*CONTRACTS.glob("hoc-ba-*.xsd"), *CONTRACTS.glob("bang-tong-hop-*.xsd"))):
        document = etree.parse(file)
        schemas.setdefault(document.getroot().get("targetNamespace", ""), []).append(etree.XMLSchema(document))
    return schemas


def transcript_error(root: etree._Element) -> str | None:
    """The first violation, with its line, or None when a published version accepts the document."""
    candidates = transcript_schemas().get(etree.QName(root).namespace or "", [])
    violations = [violation(schema, root) for schema in candidates] or [f"không có lược đồ cho {root.tag}"]
    return None if None in violations else violations[-1]


def violation(schema: etree.XMLSchema, root: etree._Element) -> str | None:
    """Where and what the first violation is; None for a valid document."""
    try:
        schema.assertValid(root)
    except etree.DocumentInvalid as wrong:
        return str(wrong)
    return None
