"""Formats, addresses of static files, error pages, order of names."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from services.chassis.errors import UNAVAILABLE, Refused
from services.chassis.vietnamese import clean, fold, given_name_key
from services.chassis.web import look
from tests.unit.chassis.web_samples import PACKAGES
from tests.unit.chassis.web_samples_base import shell

STATIC = Path(look.__file__).parent / "static"


@pytest.fixture(name="client")
def client_fixture() -> TestClient:
    app = FastAPI()
    look.mount_static(app)
    pages = look.templates(*PACKAGES)

    @app.get("/fail")
    async def fail(request: Request) -> Response:
        return look.error_page(pages, request, Refused(UNAVAILABLE), shell=shell(), retry_after=60)

    return TestClient(app)


def test_days_are_written_day_first_in_vietnamese_time() -> None:
    assert look.vn_date(dt.date(2026, 5, 8)) == "08/05/2026"
    assert look.vn_date(dt.datetime(2026, 5, 8, 20, 0, tzinfo=dt.UTC)) == "09/05/2026"
    assert look.vn_date(None) == "–"


def test_moments_carry_their_zone() -> None:
    assert look.vn_time(dt.datetime(2026, 5, 28, 18, 30, tzinfo=dt.UTC)) == "29/05/2026 01:30 +07:00"
    with pytest.raises(ValueError, match="time zone"):
        look.vn_time(dt.datetime(2026, 5, 28, 18, 30))  # noqa: DTZ001 - the refusal of exactly this is tested


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1240, "1.240"), (1_000_000, "1.000.000"), (8.5, "8,5"), (Decimal("1234.50"), "1.234,50"), (-1240, "-1.240")],
)
def test_numbers_have_points_between_thousands_and_a_decimal_comma(value: int | float | Decimal, text: str) -> None:
    assert look.vn_number(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(0, 0, "–"), (0, 9, "0%"), (9, 9, "100%"), (999, 1000, "99%"), (1, 1000, "1%"), (1, 3, "33%")]
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, text: str) -> None:
    assert look.vn_percent(part, whole) == text


@pytest.mark.parametrize(("size", "text"), [(812, "812 B"), (90_412, "90 KB"), (1_400_000, "1,4 MB")])
def test_sizes_are_written_in_words(size: int, text: str) -> None:
    assert look.file_size(size) == text


def test_a_query_keeps_the_filters_and_changes_what_it_is_told() -> None:
    assert look.with_query({"class": "5A", "page": "3", "name": ""}, page=None, sort="name") == "?class=5A&sort=name"
    assert look.with_query({}, page=2) == "?page=2"


@pytest.mark.parametrize(
    ("page", "total", "numbers"),
    [(1, 10, [1]), (1, 500, [1, 2, None, 10]), (5, 500, [1, None, 4, 5, 6, None, 10]), (10, 500, [1, None, 9, 10])],
)
def test_pages_near_the_present_one_and_both_ends_are_offered(page: int, total: int, numbers: list[int | None]) -> None:
    assert look.Paging(page, 50, total).numbers == numbers


def test_paging_says_which_rows_are_shown() -> None:
    assert (look.Paging(2, 50, 70).first, look.Paging(2, 50, 70).last, look.Paging(2, 50, 70).pages) == (51, 70, 2)
    assert (look.Paging(1, 50, 0).first, look.Paging(1, 50, 0).last, look.Paging(1, 50, 0).pages) == (0, 0, 1)


def test_a_static_file_has_a_lasting_name_made_of_its_content(client: TestClient) -> None:
    url = look.static_url("look.css")
    body = (STATIC / "look.css").read_bytes()
    assert url == f"/static/look.{hashlib.sha256(body).hexdigest()[:12]}.css"
    answer = client.get(url)
    assert answer.content == body
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get(url, headers={"Accept-Encoding": "identity"}).headers


def test_an_unknown_or_reaching_static_name_is_not_found(client: TestClient) -> None:
    for name in ("look.css", "look.000000000000.css", "..%2flook.py", "manifest.json"):
        assert client.get(f"/static/{name}").status_code == 404


def test_an_error_page_says_what_happened_what_to_do_and_which_request(client: TestClient) -> None:
    answer = client.get("/fail")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["cache-control"] == "no-store"
    for text in ("HB-WEB-503", UNAVAILABLE.title, UNAVAILABLE.cause, UNAVAILABLE.action, "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f", "60 giây"):
        assert text in answer.text


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = look.PAGE_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|\*|https?:|data:", policy)


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text("utf-8"))
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in STATIC.iterdir() if path.suffix in {".css", ".js", ".svg"}
    }
    assert found == manifest["files"]
    assert (STATIC / "licences" / "govuk-frontend.txt").read_text("utf-8").startswith("The MIT License")


def test_the_accessibility_checker_is_the_one_of_its_manifest() -> None:
    vendor = Path(__file__).parents[2] / "journeys" / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text("utf-8"))
    assert {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in manifest["files"]} == manifest["files"]
    assert "Mozilla Public License" in (vendor / "axe.LICENSE.txt").read_text("utf-8")


def test_style_and_scripts_keep_to_their_weight() -> None:
    assert len((STATIC / "look.js").read_bytes()) <= 3 * 1024
    packed = {name: len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in ("look.css", "look.js", "htmx.js")}
    assert packed["look.js"] + packed["htmx.js"] <= 35_000
    assert packed["look.css"] <= 20_000
    assert not re.search(r"url\(|@import|@font-face|GDS", (STATIC / "look.css").read_text("utf-8"))


# The order that Perl's Unicode::Collate::Locale("vi") gives (CLDR tailoring).
COLLATED = [
    "an",
    "àn",
    "ản",
    "ãn",
    "án",
    "ạn",
    "anh",
    "ánh",
    "ăn",
    "âm",
    "ân",
    "ấn",
    "bình",
    "cát",
    "châu",
    "dung",
    "dũng",
    "đào",
    "đạo",
    "điệp",
    "em",
    "giang",
    "hà",
    "hải",
    "hạnh",
    "hân",
    "huế",
    "khánh",
    "kiên",
    "lâm",
    "linh",
    "ngà",
    "nghĩa",
    "ngọc",
    "oanh",
    "ông",
    "ơn",
    "phúc",
    "quân",
    "quỳnh",
    "sơn",
    "tâm",
    "thảo",
    "thúy",
    "thuyên",
    "trang",
    "trâm",
    "uyên",
    "ước",
    "vân",
    "xuân",
    "yên",
    "yến",
]


def test_given_names_follow_the_vietnamese_alphabet_then_the_tones() -> None:
    backwards = COLLATED[::-1]
    assert sorted(backwards, key=given_name_key) == COLLATED


def test_people_are_ordered_by_given_then_middle_then_family_name() -> None:
    people = ["Trần Văn Bình", "Bùi Thị An", "Nguyễn Văn An", "An", "Lê Văn An", "Đỗ Ánh", "Lê Ngọc Bảo An"]
    assert sorted(people, key=given_name_key) == [
        "An",
        "Lê Ngọc Bảo An",
        "Bùi Thị An",
        "Lê Văn An",
        "Nguyễn Văn An",
        "Đỗ Ánh",
        "Trần Văn Bình",
    ]


def test_order_does_not_depend_on_how_a_name_was_typed() -> None:
    composed, decomposed = "Nguyễn Thị Đào", "Nguye\u0302\u0303n  thi\u0323 Đa\u0300o "
    assert given_name_key(composed)[:6] == given_name_key(decomposed)[:6]
    assert clean(decomposed) == "Nguyễn thị Đào"


def test_names_outside_the_alphabet_and_empty_names_have_a_place() -> None:
    assert sorted(["Y Ксения", "K'Brếu", "", "H'Hen Niê"], key=given_name_key) == ["", "K'Brếu", "H'Hen Niê", "Y Ксения"]


@pytest.mark.parametrize(
    ("text", "folded"), [("Nguyễn Thị ĐÀO", "nguyen thi dao"), ("  Ước  mơ ", "uoc mo"), ("K'Brếu", "k'breu"), ("שָׁלוֹם", "שלום")]
)
def test_folding_for_search_drops_marks_and_case(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_rows_are_ordered_by_the_given_name_of_their_person() -> None:
    rows = [{"name": "Trần Văn Bình"}, {"name": "Đặng Thị An"}]
    assert [row["name"] for row in look.by_given_name(rows)] == ["Đặng Thị An", "Trần Văn Bình"]
