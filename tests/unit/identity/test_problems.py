"""A reported problem and its answer, without a database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.access import Principal, Role
from services.chassis.errors import Refused
from services.identity.problems.reports import DONE, LONGEST, NEW, WORKING, answered, reported

AT = dt.datetime(2026, 5, 20, 3, 0, tzinfo=dt.UTC)
TEACHER = Principal(person="31300001006", name="Nguyễn Văn An", roles=frozenset({Role.HOMEROOM_TEACHER}), school="31300001")


def report(**more: Any) -> dict[str, Any]:
    return reported(TEACHER, "  Không mở được lớp 1A  ", **{"page": "/ui/records/classes", "request_id": "a" * 32, "at": AT, **more})


def test_a_report_belongs_to_the_school_of_the_reporter_and_is_new() -> None:
    problem = report()
    assert (problem["place"], problem["by"], problem["state"]) == ("31300001", TEACHER.person, NEW)
    assert problem["what"] == "Không mở được lớp 1A"
    assert (problem["page"], problem["request_id"]) == ("/ui/records/classes", "a" * 32)


@pytest.mark.parametrize(
    "page", ["https://evil.example/ui/x", "/ui/x?name=An", "javascript:alert(1)", "/api/x", "//evil", "/ui/" + "x" * 400, "/ui/<b>"]
)
def test_an_address_that_is_none_of_our_pages_is_not_kept(page: str) -> None:
    assert report(page=page)["page"] == ""


@pytest.mark.parametrize("request_id", ["short", "x" * 65, "a b c d e f", "<script>"])
def test_a_request_id_that_is_none_of_ours_is_not_kept(request_id: str) -> None:
    assert report(request_id=request_id)["request_id"] == ""


def test_a_very_long_report_is_cut() -> None:
    assert len(reported(TEACHER, "x" * 5000, page="", request_id="", at=AT)["what"]) == LONGEST


def test_an_answer_waits_to_be_read_by_the_reporter() -> None:
    after = answered(report(), state=DONE, answer=" Đã sửa. ", by="31300001003", at=AT)
    assert (after["state"], after["answer"], after["answered_by"], after["read"]) == (DONE, "Đã sửa.", "31300001003", False)


def test_whoever_answers_the_own_report_has_read_the_answer() -> None:
    assert answered(report(), state=DONE, answer="Xong.", by=TEACHER.person, at=AT)["read"]


def test_work_may_begin_without_an_answer_but_not_end() -> None:
    begun = answered(report(), state=WORKING, answer="", by="31300001003", at=AT)
    assert begun["state"] == WORKING
    with pytest.raises(Refused, match="HB-IDN-116"):
        answered(begun, state=DONE, answer=" ", by="31300001003", at=AT)


def test_an_earlier_answer_is_enough_to_end() -> None:
    begun = answered(report(), state=WORKING, answer="Đang xem.", by="31300001003", at=AT)
    assert answered(begun, state=DONE, answer="", by="31300001003", at=AT)["answer"] == "Đang xem."
