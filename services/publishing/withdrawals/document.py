"""The request as XML by `contracts/xml/yeu-cau-thu-hoi-1.0.xsd`: what the school certificate signs. Same request, same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from lxml import etree

from services.chassis import clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

NAMESPACE: Final = "urn:hocba:withdrawal:1"
KINDS: Final = {"transcript": "HB", "class_summary": "BTH"}


def request_xml(request: Mapping[str, Any], at: dt.datetime) -> bytes:
    """`at`: when it is sent to be signed. UTF-8 with declaration; `ChuKy` is left empty for the signature."""
    root = etree.Element(f"{{{NAMESPACE}}}YeuCauThuHoi", {"phienBan": "1.0"}, nsmap=cast("dict[str, str]", {None: NAMESPACE}))
    body = etree.SubElement(root, f"{{{NAMESPACE}}}NoiDung", {"Id": "nd"})
    values = {
        "MaYeuCau": request["_id"],
        "MaTruong": request["school"],
        "NamHoc": request["year"],
        "Khoi": str(request["grade"]),
        "Lop": request["class_code"],
        "Loai": KINDS[request["kind"]],
        "MaTaiLieu": request["transcript"],
        "PhienBan": str(request["version"]),
        "MaHocSinh": request["pupil_code"],
        "Ten": request["pupil_name"],
        "XmlSha256": request["xml_sha256"],
        "PdfSha256": request["pdf_sha256"],
        "LyDo": request["reason"],
        "NguoiLap": request["by_name"],
        "NgayLap": clock.in_vietnam(at).isoformat(timespec="seconds"),
    }
    for name, value in values.items():
        if value:
            etree.SubElement(body, f"{{{NAMESPACE}}}{name}").text = value
    etree.SubElement(root, f"{{{NAMESPACE}}}ChuKy", {"Id": "ck"})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
