"""The minutes of a correction as a document; pdftotext reads them."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.records.corrections import states
from services.records.corrections.minutes import minutes_pdf
from services.records.corrections.minutes_words import words_of
from services.records.schoolyear import Staff
from tests.factories.transcripts import school

AT = dt.datetime(2026, 6, 1, 2, 30, tzinfo=dt.UTC)


def person(code: str, name: str, **more: bool) -> states.Person:
    return states.Person(code, name, **more)


def carried_out(**changes: Any) -> dict[str, Any]:
    asker = person("gv", "Đỗ Thị Ước")
    request: dict[str, Any] = {
        "number": 7,
        "year": "2025-2026",
        "class_name": "5A",
        "pupil_code": "3130000100005",
        "pupil_name": "Nguyễn Hữu Khánh",
        "field": "Toán: Điểm KTĐK",
        "reason": "Cộng nhầm điểm bài kiểm tra định kì",
        "asked_by": "gv",
        "asked_by_name": asker.name,
        "asked_at": AT,
        "state": states.SUBMITTED,
        "witnesses": {},
        "history": [{"at": AT, "by": "gv", "name": asker.name, "act": "ask", "reason": "", "party": ""}],
        "changes": [
            {"field": "Khen thưởng", "before": "Học sinh Xuất sắc", "after": ""},
            {"field": "Toán: Điểm KTĐK", "before": "10", "after": "8"},
        ],
        "evidence": [{"name": "bai_kiem_tra.pdf", "document": {"sha256": "ab" * 32}}],
        **changes,
    }
    steps = [
        (states.FORWARD, person("qt", "Ngô Công Hoàng", board=True)),
        (states.APPROVE, person("ht", "Đỗ Thị Thanh Đượm", manager=True)),
        (states.WITNESS, person("ht", "Đỗ Thị Thanh Đượm", manager=True)),
        (states.WITNESS, person("qt", "Ngô Công Hoàng", board=True)),
        (states.WITNESS, person("tt", "Trần Văn Lâm", inspector=True)),
        (states.WITNESS, asker),
        (states.CORRECT, asker),
    ]
    for step, who in steps:
        request = states.moved(request, step, who, at=AT)
    return request


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "bien-ban.pdf"
    path.write_bytes(pdf)
    read = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True)
    return " ".join(read.stdout.replace("\u200b", "").split())


STAFF = {
    "ht": Staff(code="ht", name="Đỗ Thị Thanh Đượm", personal_id="", position="Hiệu trưởng"),
    "tt": Staff(code="tt", name="Trần Văn Lâm", personal_id="", position="Giáo viên"),
}


def test_the_minutes_name_everybody_everything_that_changed_and_the_evidence(tmp_path: Path) -> None:
    read = text_of(minutes_pdf(words_of(carried_out(), school(), STAFF)), tmp_path)
    for said in (
        "BIÊN BẢN",
        "07/BB-HBS",
        "Nguyễn Hữu Khánh",
        "3130000100005",
        "Cộng nhầm điểm bài kiểm tra định kì",
        "Ban giám hiệu",
        "Ban thanh tra nhân dân",
        "Trần Văn Lâm, Giáo viên",
        "Đỗ Thị Thanh Đượm (Hiệu trưởng)",
        "01/06/2026 09:30 +07:00",
        "Toán: Điểm KTĐK 10 8",
        "Học sinh Xuất sắc (để trống)",
        "bai_kiem_tra.pdf",
    ):
        assert said in read, said
    assert "ab" * 32 in read.replace(" ", "")


def test_the_named_field_stands_before_what_follows_from_it() -> None:
    assert [c["field"] for c in words_of(carried_out(), school(), STAFF)["changes"]] == ["Toán: Điểm KTĐK", "Khen thưởng"]


def test_the_same_request_gives_the_same_bytes_as_pdf_a() -> None:
    words = words_of(carried_out(), school(), STAFF)
    first = minutes_pdf(words)
    assert first == minutes_pdf(words)
    assert b"pdfaid:part" in first


@pytest.mark.parametrize("reason", ['#import "x.typ": y', "$x^2$ *đậm* _nghiêng_", "= Tiêu đề", "\\#panic()", "#" * 400])
def test_text_of_people_is_never_markup_in_the_minutes(reason: str, tmp_path: Path) -> None:
    read = text_of(minutes_pdf(words_of(carried_out(reason=reason), school(), STAFF)), tmp_path)
    assert reason[:12] in read
