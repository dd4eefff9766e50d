"""Menu 6.1: what a filter means, what is shown of a request, who may not decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.chassis.errors import Refused
from services.district.approvals import decided
from services.district.certificates import HEADERS, days, line, ordering, present, searchable, shown, wanted

AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)


def request(**more: Any) -> dict[str, Any]:
    return {
        "_id": "r-1",
        "sequence": 1,
        "state": "pending",
        "kind": "school",
        "school": "31300001",
        "school_name": "Trường Tiểu học Đặng Xá",
        "path": ["031", "03101"],
        "person": "31300001004",
        "person_name": "Phạm Thị Hồng",
        "certificate_subject": "Trường Tiểu học Đặng Xá",
        "certificate_issuer": "CA",
        "certificate_serial": "0A",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-06-07T00:00:00Z",
        "requested_at": AT - dt.timedelta(days=4),
        "reason": "",
        **more,
    }


def test_a_filter_never_leaves_the_branch() -> None:
    for query in ({}, {"state": "all"}, {"path": "999"}, {"school": "1", "name": "x", "kind": "manager", "waiting": "7"}):
        assert wanted("03101", query, AT)["path"] == "03101"


def test_values_that_nobody_offers_are_left_aside() -> None:
    assert wanted("u", {"state": "$ne", "kind": "teacher", "waiting": "9999999999"}, AT) == {"path": "u"}


def test_names_are_found_without_marks_and_signs_of_patterns_mean_themselves() -> None:
    found = wanted("u", {"name": "ĐẶNG"}, AT)["search"]["$regex"]
    assert found in searchable(request())
    assert wanted("u", {"name": ".*"}, AT)["search"]["$regex"] == r"\.\*"


def test_waiting_days_find_what_is_still_pending_for_so_long() -> None:
    found = wanted("u", {"waiting": "7", "state": "refused"}, AT)
    assert (found["state"], found["requested_at"]) == ("pending", {"$lte": AT - dt.timedelta(days=7)})


def test_what_has_waited_longest_comes_first_and_of_the_rest_the_newest() -> None:
    assert ordering({})[0] == ordering({"state": "pending"})[0] == ("requested_at", 1)
    assert ordering({"state": "approved"})[0] == ("requested_at", -1)
    assert ordering({"sort": "school", "order": "desc"})[0] == ("search", -1)
    assert ordering({"sort": "$where"})[0] == ("requested_at", 1)


def test_a_request_is_shown_with_the_days_waited_and_left() -> None:
    row = shown(request(), AT)
    assert (row["days_waiting"], row["days_left"], row["state_name"]) == (4, 10, "Chờ duyệt")
    assert shown(request(state="refused", refusal="Sai mã số thuế."), AT)["days_waiting"] is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "refused", "refusal": "Sai mã số thuế."}, ("Từ chối", "Sai mã số thuế.")),
        ({"state": "approved"}, ("Đã duyệt", "Đang kiểm tra thu hồi trước khi có hiệu lực.")),
        ({"state": "approved", "effective_at": AT}, ("Đã duyệt", "")),
        ({"state": "ended", "ended": "revoked"}, ("Hết hiệu lực/đã thu hồi", "Chứng thư số đã bị thu hồi.")),
        ({"state": "ended", "ended": "a reason of a newer identity"}, ("Hết hiệu lực/đã thu hồi", "")),
    ],
)
def test_the_status_tells_what_really_became_of_it(facts: dict[str, Any], words: tuple[str, str]) -> None:
    row = shown(request(**facts), AT)
    assert (row["state_name"], row["reason"]) == words


def test_the_certificate_that_goes_on_is_the_newest_one_in_force() -> None:
    asked = request()
    old = request(_id="r-0", state="approved", effective_at=AT - dt.timedelta(days=300))
    checked = request(_id="r-2", state="approved")
    ended = request(_id="r-3", state="ended", ended="replaced", effective_at=AT)
    assert present([asked, old, checked, ended], asked) == old
    assert present([asked, checked, ended], asked) is None


def test_a_line_of_the_file_stands_under_its_headers() -> None:
    told = dict(zip(HEADERS, line(shown(request(), AT)), strict=True))
    assert (told["Hiệu lực đến"], told["Ngày gửi"], told["Trạng thái duyệt"]) == ("07/06/2026", "24/05/2026", "Chờ duyệt")


def test_nobody_decides_about_the_own_request() -> None:
    for approved in (True, False):
        with pytest.raises(Refused, match="HB-DIS-004"):
            decided(request(), approved=approved, reason="x", actor="31300001004")


def test_the_reason_of_a_refusal_does_not_hide_why_it_was_registered_again() -> None:
    after = decided(request(reason="Đổi nhà cung cấp"), approved=False, reason="Sai mã số thuế.", actor="03101-cb01").document
    assert (after["reason"], after["refusal"]) == ("Đổi nhà cung cấp", "Sai mã số thuế.")


def test_days_are_those_of_the_vietnamese_calendar() -> None:
    late = dt.datetime(2026, 5, 28, 16, 59, tzinfo=dt.UTC)
    assert days(late, late + dt.timedelta(minutes=2)) == 1
