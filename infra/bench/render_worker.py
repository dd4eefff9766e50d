"""One side of `render` in a process of its own: `python -m infra.bench.render_worker own|weasyprint DOCUMENTS` prints JSON.

The documents are those of pupils who differ in every word that is theirs, primary and lower secondary by turns.
Seconds are processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from infra.bench.render_school import bench_content
from services.records.render import pdf as form_files
from services.records.render.form import form
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import SubjectSignature, TranscriptContent

LOOKS = 10
FONTS = Path(form_files.__file__).parent / "fonts"
STYLE = """
@page {
  size: A4; margin: 18mm 20mm 20mm 25mm;
  @bottom-left { content: string(identifier); font-size: 9.5pt }
  @bottom-right { content: "Trang " counter(page) "/" counter(pages); font-size: 9.5pt }
}
body { font: 13pt Tinos; }
.id { string-set: identifier content(); }
h1 { text-align: center; font-size: 18pt; }
h2 { font-size: 13pt; }
section { break-before: page; }
svg { width: 30mm; height: 30mm; }
table { border-collapse: collapse; width: 100%; font-size: 12pt; }
th, td { border: 0.6pt solid; padding: 3pt 5pt; }
small { font-size: 8pt; }
.panel { border: 0.5pt dashed; height: 20mm; width: 70mm; display: inline-block; }
"""


def signatures(content: TranscriptContent) -> list[SubjectSignature]:
    at = dt.datetime(2026, 5, 28, 7, 5, tzinfo=dt.UTC)
    return [
        SubjectSignature(
            staff=t.staff, name=t.name, subjects=t.subjects, signed_at=at, certificate_serial=f"5404A1B2C3D4E5F60718{number:04X}"
        )
        for number, t in enumerate(content.subject_teachers)
    ]


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def own(documents: int) -> dict[str, Any]:
    parts: Counter[str] = Counter()
    _own_document(bench_content(0), parts)
    parts.clear()
    seconds, rss = 0.0, []
    for number in range(1, documents + 1):
        content = bench_content(number)
        began = time.process_time()
        _own_document(content, parts)
        seconds += time.process_time() - began
        if number % max(1, documents // LOOKS) == 0:
            rss.append(round(resident_mb(), 1))
    shares = {name: round(spent / documents * 1000, 2) for name, spent in parts.items()}
    return {"documents": documents, "seconds": seconds, "rss_mb": rss, "parts": {f"{name} ms": share for name, share in shares.items()}}


def _own_document(content: TranscriptContent, parts: Counter[str]) -> None:
    marks = [time.process_time()]
    xml = transcript_xml(content)
    marks.append(time.process_time())
    if validate_transcript(xml):
        raise SystemExit("a document of the bench is not valid")
    marks.append(time.process_time())
    transcript_pdf(content, signatures(content), xml)
    marks.append(time.process_time())
    for name, (before, after) in zip(("xml", "validate", "pdf"), pairwise(marks), strict=True):
        parts[name] += after - before  # type: ignore[assignment] # Counter's own annotation knows whole numbers only


def weasyprint(documents: int) -> dict[str, Any]:
    """WeasyPrint is a tool for development alone, found when it is asked for."""
    library: Any = importlib.import_module("weasyprint")
    write = _writer(library)
    write(bench_content(0))
    seconds = 0.0
    for number in range(1, documents + 1):
        content = bench_content(number)
        began = time.process_time()
        write(content)
        seconds += time.process_time() - began
    return {"documents": documents, "seconds": seconds, "version": library.__version__, "rss_mb": [round(resident_mb(), 1)]}


def _writer(library: Any) -> Callable[[TranscriptContent], bytes]:
    text: Any = importlib.import_module("weasyprint.text.fonts")
    fonts = text.FontConfiguration()
    faces = "".join(
        f'@font-face {{ font-family: Tinos; src: url("{(FONTS / f"Tinos-{name}.ttf").as_uri()}"); {rule} }}'
        for name, rule in (("Regular", ""), ("Bold", "font-weight: bold"), ("Italic", "font-style: italic"))
    )
    style = library.CSS(string=faces + STYLE, font_config=fonts)

    def write(content: TranscriptContent) -> bytes:
        words = form(content, signatures(content), preview=False)
        page = library.HTML(string=html(words))
        written: bytes = page.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b", pdf_tags=True)
        return written

    return write


def html(words: dict[str, Any]) -> str:
    """The blocks of the form in their order, each of its pages, with the code of the verification page as SVG."""
    profile = "".join(f"<p>{escape(label)}: <b>{escape(value)}</b></p>" for label, value in words["profile"])
    history = _table(("Năm học", "Lớp", "Tên trường", "Số đăng bộ", "Ngày nhập học"), words["history"])
    year = _primary(words) if words["result"]["kind"] == "primary" else _secondary(words)
    cover = (
        f"<h1>BỘ GIÁO DỤC VÀ ĐÀO TẠO</h1><h1>HỌC BẠ<br/>{words['level']}</h1><p>{escape(words['pupil'])}</p>"
        f"<p>{escape(words['school']['name'])}</p>{words['qr']}<p class='id'>Mã định danh học bạ: {words['id']}</p>"
    )
    panels = "".join(f'<p>{name}</p><div class="panel"></div>' for name in words["panels"]["fields"])
    signing = f"<section><p>{escape(words['place_date'])}</p>{panels}<p>{escape(words['panels']['leader'])}</p></section>"
    whose = f"<p>{escape(words['pupil'])} {escape(words['class']['name'])}</p>"
    own_year = f"<section><h1>NĂM HỌC {words['school']['year']}</h1>{whose}{year}</section>"
    second = f"<section><h1>HỌC BẠ</h1>{profile}<h2>QUÁ TRÌNH HỌC TẬP</h2>{history}</section>"
    head = f"<head><title>{escape(words['title'])}</title></head>"
    return f'<html lang="vi">{head}<body>{cover}{second}{own_year}{signing}</body></html>'


def _primary(words: dict[str, Any]) -> str:
    result = words["result"]
    made = _table(("Môn học và hoạt động giáo dục", "Mức đạt được", "Điểm KTĐK", "Nhận xét"), result["subjects"])
    for title, rows in (
        ("Phẩm chất", result["qualities"]),
        ("Năng lực chung", result["general"]),
        ("Năng lực đặc thù", result["specific"]),
    ):
        made += f"<h2>{title}</h2>" + _table((title, "Mức đạt được"), rows)
    made += "".join(f"<p>{escape(result[name])}</p>" for name in ("rating", "homeroom_comment", "award", "completion"))
    return made + _table(("Họ và tên", "Môn học", "Thời gian ký", "Số sê-ri"), [row[:4] for row in words["teachers"]])


def _secondary(words: dict[str, Any]) -> str:
    result = words["result"]
    heads = ("Môn học/Hoạt động giáo dục", "Học kì I", "Học kì II", "Cả năm", "Sau đánh giá lại", "Nhận xét và xác nhận")
    made = "".join(f"<th>{each}</th>" for each in heads)
    rows = ""
    for subject in result["subjects"]:
        signed = "".join(
            f"<p><b>{escape(name)}</b> <small>{escape(note)} – {when}</small><br/><small>Chứng thư số: {serial}</small></p>"
            for name, note, when, serial, _ in subject["signers"]
        )
        cells = "".join(f"<td>{escape(value)}</td>" for value in (subject["name"], *subject["marks"]))
        rows += f"<tr>{cells}<td><p>{escape(subject['comment'])}</p>{signed}</td></tr>"
    made = f"<table><thead><tr>{made}</tr></thead><tbody>{rows}</tbody></table><p>{escape(result['corrections'])}</p>"
    made += _table(("Học kì I", "Học kì II", "Cả năm", "Sau đánh giá lại"), [result["study"], result["conduct"]])
    return made + "".join(
        f"<p>{escape(result[name])}</p>" for name in ("promotion", "certificate", "contests", "award", "programme", "homeroom_comment")
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>{body}</tbody></table>"


def main() -> None:
    parser = argparse.ArgumentParser(prog="infra.bench.render_worker", description=__doc__)
    parser.add_argument("side", choices=("own", "weasyprint"))
    parser.add_argument("documents", type=int)
    given = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    json.dump({"own": own, "weasyprint": weasyprint}[given.side](given.documents), sys.stdout)


if __name__ == "__main__":
    main()
