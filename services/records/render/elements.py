"""What both kinds of XML document are built and judged with: elements in the parent's namespace, values, schemas."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lxml import etree

from services.records.render.text import clean
from services.records.schoolyear import School, SchoolClass

MAX_BYTES: Final = 5_000_000
DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
SCHEMA_VERSION: Final = "1.0"
_validating = threading.Lock()

Value = str | int | bool | Decimal | dt.date | None


def new_document(namespace: str, name: str) -> tuple[etree._Element, etree._Element]:
    """The root and its signed content, `NoiDung`."""
    default: Any = {None: namespace}
    root = etree.Element(f"{{{namespace}}}{name}", {"phienBan": SCHEMA_VERSION}, nsmap=default)
    return root, etree.SubElement(root, f"{{{namespace}}}NoiDung", {"Id": "nd"})


def finished(root: etree._Element) -> bytes:
    """UTF-8 with declaration, no white space between elements, and `ChuKy` left empty for the signatures."""
    etree.SubElement(root, f"{{{etree.QName(root).namespace}}}ChuKy", {"Id": "ck"})
    return DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def child(parent: etree._Element, name: str) -> etree._Element:
    # the parent's tag begins with its namespace in braces
    return etree.SubElement(parent, parent.tag[: parent.tag.index("}") + 1] + name)


def values(parent: etree._Element, **named: Value) -> None:
    """One child each, in order; what is None or empty text is left out."""
    for name, value in named.items():
        text = _lexical(value)
        if text:
            child(parent, name).text = text


def _lexical(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return clean(str(value))


def school_element(body: etree._Element, school: School) -> None:
    element = child(body, "Truong")
    values(
        element,
        MaTruong=school.code,
        TenTruong=school.name,
        LoaiHinh=school.kind,
        XaPhuong=school.commune,
        TinhThanhPho=school.province,
        MaSoThue=school.tax_code,
    )
    values(child(element, "DonViQuanLy"), MaDonVi=school.unit_code, TenDonVi=school.unit_name)


def class_element(body: etree._Element, school_class: SchoolClass) -> None:
    values(child(body, "Lop"), MaLop=school_class.code, TenLop=school_class.name, Khoi=school_class.grade)


def problems(xml: bytes, schema: str) -> list[str]:
    """Everything the schema `contracts/xml/<schema>` holds against the document, one message each with its line.

    No network, DTD or entity is ever used; a document type is itself an error.
    """
    if len(xml) > MAX_BYTES:
        return [f"Tệp XML lớn hơn {MAX_BYTES} byte."]
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        document = etree.ElementTree(etree.fromstring(xml, parser))
    except etree.XMLSyntaxError as error:
        return [f"Dòng {error.lineno}: {error.msg}"]
    declared: Any = document.docinfo
    if declared.doctype:
        return ["Tệp XML không được có khai báo DOCTYPE."]
    # an XMLSchema keeps the messages of its last run, so threads take turns
    with _validating:
        judge = _schema(schema)
        if judge.validate(document):
            return []
        log: Any = judge.error_log
        return [f"Dòng {entry.line}: {entry.message}" for entry in log]


@cache
def _schema(name: str) -> etree.XMLSchema:
    with (files("contracts") / "xml" / name).open("rb") as source:
        return etree.XMLSchema(etree.parse(source, etree.XMLParser(no_network=True, load_dtd=False)))
