"""What lies beside the documents in every package: how to read it and how to check it, and the checker itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path

from services.means import evidence_checker
from services.records.archive import checker
from services.records.archive.checker import fingerprint

CHECKER, EVIDENCE_CHECKER = Path(checker.__file__), Path(evidence_checker.__file__)
RUN = "import sys\n\nimport kiem_tra\n\nsys.exit(kiem_tra.main())\n"
_HOW = (
    "Mở tệp bằng phần mềm giải nén thông dụng; tệp không nén, không mật khẩu.",
    "Tệp PDF xem bằng phần mềm đọc PDF bất kỳ; tệp XML kiểm tra theo hoc-ba-1.0.xsd và xem trong trình duyệt bằng hoc-ba-1.0.xslt, "
    "riêng bảng tổng hợp theo bang-tong-hop-1.0.xsd và bang-tong-hop-1.0.xslt.",
    "SHA256SUMS ghi mã SHA-256 của từng tệp; manifest.json ghi mã của SHA256SUMS; manifest.jws là niêm phong trên manifest.json.",
    "Kiểm tra không cần mạng, chỉ cần Python: lấy kiem_tra.py ra khỏi gói rồi chạy: python3 kiem_tra.py <tệp gói>.",
    "Tệp .ers cạnh PDF và XML là chứng cứ tồn tại lâu dài (RFC 4998) của cả hai: "
    "python3 kiem_tra_chung_cu.py <tệp .ers> <tệp .pdf> <tệp .xml> --goc <chứng thư gốc .pem>.",
    "Chỉ tin kết quả khi kiem_tra.py lấy từ nguồn tin cậy và vân tay chứng thư niêm phong đúng với vân tay đã công bố.",
    "Cách khác, sau khi giải nén: sha256sum -c SHA256SUMS.",
    "Giá trị pháp lý của học bạ nằm ở chữ ký số trong từng tệp PDF và XML; niêm phong chỉ chứng tỏ gói không bị thay đổi từ khi lập.",
)


def texts(title: str, facts: list[tuple[str, str]], certificate: bytes) -> list[tuple[str, bytes]]:
    """(name, content) of the readme as text and HTML."""
    told = [*facts, ("Vân tay chứng thư niêm phong (SHA-256)", fingerprint(certificate))]
    plain = [title, "", *(f"{key}: {value}" for key, value in told), "", *(f"- {line}" for line in _HOW), ""]
    rows = "".join(f"<tr><th scope='row'>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in told)
    items = "".join(f"<li>{escape(line)}</li>" for line in _HOW)
    page = (
        f"<!DOCTYPE html>\n<html lang='vi'><head><meta charset='utf-8'><title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<table>{rows}</table>\n<h2>Cách đọc và kiểm tra</h2>\n<ol>{items}</ol></body></html>\n"
    )
    return [("DOC-TRUOC.txt", "\n".join(plain).encode()), ("DOC-TRUOC.html", page.encode())]


def tools() -> list[tuple[str, bytes]]:
    """The checker, what lets `python3 <package>` run it, and the schemas and stylesheets of the documents."""
    xml = files("contracts") / "xml"
    described = [
        (name, (xml / name).read_bytes()) for kind in ("hoc-ba", "bang-tong-hop") for name in (f"{kind}-1.0.xsd", f"{kind}-1.0.xslt")
    ]
    checkers = [("kiem_tra.py", CHECKER.read_bytes()), ("kiem_tra_chung_cu.py", EVIDENCE_CHECKER.read_bytes())]
    return [*checkers, ("__main__.py", RUN.encode()), *described]
