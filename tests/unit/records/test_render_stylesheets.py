"""The published stylesheets show every value of a document: each is replaced by something unique, which then has to be seen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from tests.factories.summaries import summary_content
from tests.factories.transcripts import (
    filled_upper_secondary_content,
    primary_content,
    primary_result,
    pupil,
    secondary_content,
    shared_subjects_content,
)

DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "primary": lambda: transcript_xml(primary_content(version=2, replaces="0197f3a2-6c1b-7d44-9e0a-000000000001")),
    "primary grade 2": lambda: transcript_xml(primary_content(school_class=primary_content().school_class.model_copy(update={"grade": 2}))),
    "lower secondary": lambda: transcript_xml(shared_subjects_content()),
    "upper secondary": lambda: transcript_xml(filled_upper_secondary_content()),
    "summary of grade 1": lambda: summary_xml(summary_content(1, 5)),
    "summary of grade 3": lambda: summary_xml(summary_content(3, 5)),
    "summary of grade 5": lambda: summary_xml(summary_content(5, 8)),
    "summary in the middle of the year": lambda: summary_xml(summary_content(4, 5, period="GK1")),
}
SEEN_BY_ITS_EFFECT = {"CapHoc", "ThoiDiem", "HocKi"}
"""A word of a closed list that the page puts in other words; the semesters of who taught all year go without saying."""


@cache
def stylesheet(name: str) -> etree.XSLT:
    return etree.XSLT(etree.fromstring((files("contracts") / "xml" / name).read_bytes()))


def shown(root: etree._Element) -> str:
    sheet = stylesheet("hoc-ba-1.0.xslt" if root.tag.endswith("HocBa") else "bang-tong-hop-1.0.xslt")
    html: Any = sheet(root)
    return " ".join("".join(html.getroot().itertext()).split())


def name_of(leaf: etree._Element) -> str:
    return etree.QName(leaf).localname


def leaves_of(root: etree._Element) -> list[etree._Element]:
    return [element for element in root.iter() if len(element) == 0 and name_of(element) != "ChuKy"]


def by_effect(leaf: etree._Element) -> bool:
    parent = leaf.getparent()
    named_by_code = name_of(leaf) == "MaCanBo" and parent is not None and name_of(parent) == "GiaoVien"
    return name_of(leaf) in SEEN_BY_ITS_EFFECT or leaf.text in {"true", "false"} or named_by_code


def unique(number: int, text: str) -> tuple[str, str]:
    """What the value becomes, and how the page has to write it."""
    day = dt.date(2031, 1, 1) + dt.timedelta(days=number)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return day.isoformat(), day.strftime("%d/%m/%Y")
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return f"{day.isoformat()}T10:11:12+07:00", day.strftime("%d/%m/%Y 10:11:12 +07:00")
    if re.fullmatch(r"\d+\.\d+", text):
        return f"{1000 + number}.5", f"{1000 + number},5"
    return f"Giá·trị·{number}·ấy", f"Giá·trị·{number}·ấy"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_value_of_the_xml_stands_in_the_page(document: str) -> None:
    root = etree.fromstring(DOCUMENTS[document]())
    expected = {}
    for number, leaf in enumerate(leaves_of(root)):
        if not by_effect(leaf):
            leaf.text, expected[f"{number} {name_of(leaf)}"] = unique(number, leaf.text or "")
    page = shown(root)
    missing = [name for name, words in expected.items() if words not in page]
    assert missing == []
    assert len(expected) > 80


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_value_that_the_page_puts_in_other_words_changes_the_page(document: str) -> None:
    root = etree.fromstring(DOCUMENTS[document]())
    before = shown(root)
    others = {"true": "false", "false": "true", "TH": "THCS", "THCS": "THPT", "THPT": "TH", "CN": "GK1", "GK1": "CK1"}
    for number, leaf in enumerate(leaves_of(root)):
        if by_effect(leaf):
            changed = deepcopy(root)
            twin = leaves_of(changed)[number]
            parent = twin.getparent()
            assert parent is not None
            if name_of(twin) == "HocKi":
                parent.remove(twin)
            else:
                twin.text = others.get(twin.text or "", "nobody")
            assert shown(changed) != before, (name_of(leaf), leaf.text)


words = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"]), min_size=1, max_size=60).filter(
    lambda text: bool(text.strip())
)


@settings(max_examples=40, deadline=None)
@given(name=words, comment=words, award=words)
def test_whatever_is_written_is_shown_as_it_was_written(name: str, comment: str, award: str) -> None:
    result = primary_result(homeroom_comment=comment, award=award)
    root = etree.fromstring(transcript_xml(primary_content(pupil=pupil(name=name), result=result)))
    page = shown(root)
    for leaf in leaves_of(root):
        if name_of(leaf) in {"HoTen", "NhanXetGiaoVienChuNhiem", "KhenThuong"}:
            assert " ".join((leaf.text or "").split()) in page


def test_a_page_of_a_class_summary_has_headed_tables_and_a_title() -> None:
    html: Any = stylesheet("bang-tong-hop-1.0.xslt")(etree.fromstring(DOCUMENTS["summary of grade 5"]())).getroot()
    assert html.get("lang") == "vi"
    assert html.findtext("head/title") == "Bảng tổng hợp kết quả đánh giá giáo dục - Lớp 5A - Năm học 2025-2026"
    for table in html.iter("table"):
        assert table.findtext("caption")
        assert table.find("thead/tr/th").get("scope") == "col"


def test_nothing_optional_leaves_no_empty_heading() -> None:
    page = shown(etree.fromstring(transcript_xml(secondary_content())))
    for heading in ("Quá trình học tập trước", "Các môn học lựa chọn", "Học bạ năm học 2024", "Thay thế học bạ"):
        assert heading not in page
