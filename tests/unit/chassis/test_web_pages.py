"""Every template with every kind of context: well-formed HTML, sound references, escaped values, the words of the guides."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

import services.chassis.web.look as look_module
from services.chassis.web.look import templates
from tests.unit.chassis.web_samples import PACKAGES, samples
from tests.unit.chassis.web_samples_base import Sample, shell

ENVIRONMENT = templates(*PACKAGES).env
SAMPLES = samples()
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
PHRASING_ONLY = frozenset({"p", "h1", "h2", "h3", "span", "strong", "label", "button", "summary"})
BLOCKS = frozenset({"p", "div", "ul", "ol", "dl", "table", "form", "section", "h1", "h2", "h3", "fieldset", "details"})


class Reader(HTMLParser):
    """Reads a page strictly: every element closed in order, no block inside phrasing content, attributes once."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> never closed" for tag in self.stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag in BLOCKS and (inside := PHRASING_ONLY.intersection(self.stack)) and "svg" not in self.stack and tag != "h2":
            self.faults.append(f"<{tag}> inside {sorted(inside)}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.stack[-1:] or 'nothing'}")
        else:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.elements if attribute in attributes]


def html_of(sample: Sample) -> str:
    return ENVIRONMENT.get_template(sample.template).render(sample.context)


def by_name(name: str) -> Reader:
    return Reader(html_of(next(sample for sample in SAMPLES if sample.name == name)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_page_is_well_formed_and_its_references_lead_somewhere(sample: Sample) -> None:
    page = Reader(html_of(sample))
    assert page.faults == []
    ids = page.values("id")
    assert sorted(ids) == sorted(set(ids))
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        for value in page.values(attribute):
            assert set(value.split()) <= set(ids), f"{attribute}={value}"
    fragments = [href[1:] for href in page.values("href") if href.startswith("#") and len(href) > 1]
    assert set(fragments) <= set(ids)
    assert ("html", {"lang": "vi", "class": "govuk-template"}) in page.elements
    assert len([tag for tag, _ in page.elements if tag == "h1"]) == 1


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_page_runs_under_the_strict_policy_and_asks_nobody_else(sample: Sample) -> None:
    page = Reader(html_of(sample))
    assert page.values("style") == []
    assert not [tag for tag, _ in page.elements if tag == "style"]
    assert all(attributes.get("src") for tag, attributes in page.elements if tag == "script")
    assert not [name for _, attributes in page.elements for name in attributes if re.fullmatch(r"on[a-z]+", name)]
    addresses = page.values("src") + page.values("href") + page.values("action") + page.values("data")
    assert not [address for address in addresses if "//" in address]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_form_that_changes_something_carries_the_session_token(sample: Sample) -> None:
    html = html_of(sample)
    forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert all('name="csrf" value="token-of-the-session"' in form for form in forms)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.context.get("errors")], ids=lambda sample: sample.name)
def test_errors_stand_in_the_title_in_a_summary_and_at_the_field_in_the_same_words(sample: Sample) -> None:
    html = html_of(sample)
    page = Reader(html)
    assert re.search(r"<title>Lỗi: ", html)
    assert any("govuk-error-summary" in (attributes.get("class") or "") and "autofocus" in attributes for _, attributes in page.elements)
    for field, text in sample.context["errors"].items():
        assert page.texts.count(text) + page.texts.count(f" {text}") == (1 if field.startswith("_") else 2)
        if not field.startswith("_"):
            assert f'href="#{field}"' in html


def _spoiled(value: Any) -> Any:
    """The same context with markup in every text that the data of a user could fill."""
    if isinstance(value, str):
        return value if value.isupper() or value.startswith(("/", "?", "#")) else f"{value}<b>&\"'"
    if isinstance(value, dict):
        return {
            key: item if key in {"tone", "state", "kind", "verdict", "severity", "tab", "query", "errors"} else _spoiled(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_spoiled(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_spoiled(item) for item in value)
    return value


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if not sample.name.endswith("-many")], ids=lambda sample: sample.name)
def test_markup_in_the_data_is_shown_as_text(sample: Sample) -> None:
    html = ENVIRONMENT.get_template(sample.template).render(_spoiled(sample.context))
    assert "<b>" not in html
    assert Reader(html).faults == []


def test_a_name_that_a_page_needs_and_does_not_get_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        ENVIRONMENT.get_template("records/classes.html").render(shell=shell(), title="2.1. Tạo học bạ")


def test_a_list_can_be_chosen_whole_by_its_filter() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "signing/queue-many")
    html = ENVIRONMENT.get_template(sample.template).render(
        {**sample.context, "query": {"class": "5A", "name": "Đào", "page": "2", "sort": "name"}}
    )
    page = Reader(html)
    named = {attributes["name"]: attributes.get("value") for tag, attributes in page.elements if tag == "input" and "name" in attributes}
    assert named["all"] == "1"
    assert named["filter"] == "?class=5A&name=%C4%90%C3%A0o"
    assert "Chọn tất cả 1.240 theo bộ lọc" in html
    assert "Chọn 500 trên trang" in html
    assert page.values("name").count("ids") == 500


def test_a_list_that_shows_everything_offers_no_second_choice() -> None:
    assert "all" not in by_name("signing/queue-one").values("name")


def test_the_sorted_column_says_so_and_turns_round() -> None:
    page = by_name("records/class-one")
    assert page.values("aria-sort") == ["descending"]
    assert "?sort=name&order=asc" in page.values("href")


def test_progress_polls_while_it_runs_and_stops_when_it_is_done() -> None:
    running = html_of(next(sample for sample in SAMPLES if sample.name == "signing/batch-running"))
    done = html_of(next(sample for sample in SAMPLES if sample.name == "signing/batch-done"))
    assert 'hx-trigger="every 2s"' in running
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in running
    assert "hx-" not in done
    assert "refresh" not in done
    assert "Ký lại các hồ sơ lỗi (3)" in done
    assert "Chờ xác nhận ký số" in running


def test_a_panel_that_replaces_itself_is_what_the_page_shows() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "signing/batch-running")
    panel = ENVIRONMENT.get_template("signing/batch_panel.html").render(sample.context)
    assert panel.strip() in html_of(sample)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("identity/staff-one", ["Duyệt tài khoản đăng ký", "Từ chối tài khoản", "Đã đăng ký, chờ duyệt", "Lấy dữ liệu năm trước"]),
        ("records/classes-one", ["Chưa tạo", "Chờ ký", "Trả lại", "Hoàn thành ký", "Xác nhận", "Đã gửi", "Đã tiếp nhận", "Từ chối"]),
        ("records/class-one", ["Tạo học bạ", "Ghi chú", "Thông tin cần bổ sung", "Tải thông tin thiếu", "Chưa tạo học bạ"]),
        ("signing/queue-one", ["Chờ ký", "Đã ký", "Ký học bạ"]),
        ("records/summaries-one", ["Khối", "Lãnh đạo ký duyệt", "Tạo bảng tổng hợp kết quả ĐGGD"]),
        ("records/summary_list-one", ["Cập nhật", "Khối", "Lớp", "Tìm kiếm"]),
        ("publishing/submissions-summaries", ["Gửi bảng tổng hợp kết quả ĐGGD"]),
        ("records/confirmation-many", ["Xác nhận hoàn thành", "Hủy xác nhận hoàn thành", "Hoàn thành ký"]),
        ("district/certificates-one", ["Duyệt", "Từ chối", "Chờ duyệt"]),
        ("signing/authorise", ["Tên đăng nhập", "Mật khẩu", "Đăng nhập và ký"]),
        ("publishing/admissions-many", ["Chưa gửi tuyển sinh", "Chờ biên nhận", "Đã có biên nhận", "Chưa được Cổng tiếp nhận chấp nhận"]),
        ("publishing/submissions-one", ["Trạng thái gửi", "Ngày gửi", "Gửi lên hệ thống", "Chưa gửi"]),
    ],
)
def test_a_page_uses_the_words_that_people_were_trained_on(name: str, words: list[str]) -> None:
    text = " ".join(by_name(name).texts)
    assert [word for word in words if word not in text] == []


def test_every_page_of_every_service_is_among_the_samples() -> None:
    templates_of_pages = {
        name
        for name in ENVIRONMENT.list_templates()
        if "{% extends" in Path(str(ENVIRONMENT.get_template(name).filename)).read_text("utf-8")
    }
    assert templates_of_pages == {sample.template for sample in SAMPLES}


def test_the_chassis_pages_know_no_school_word() -> None:
    folder = Path(look_module.__file__).parent
    for path in [*folder.rglob("*.html"), *folder.glob("*.py")]:
        assert not re.search(r"học bạ|học sinh|giáo viên|nhà trường|transcript|pupil|school", path.read_text("utf-8"), re.IGNORECASE), (
            path.name
        )


def test_every_shared_part_of_a_page_is_plain_data() -> None:
    parts = [part for part in vars(look_module).values() if isinstance(part, type) and part.__module__ == look_module.__name__]
    assert all(is_dataclass(part) and fields(part) for part in parts)
