"""The rows of 1.3. Duyệt tài khoản ký and what is said about a certificate, without a database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.identity.certificates import listing
from services.identity.certificates.checks import checks_of
from services.means.x509 import Problem

AT = dt.datetime(2026, 5, 28, 3, 0, tzinfo=dt.UTC)


def row(number: int, state: str = "APPROVED", **more: Any) -> listing.Row:
    return {
        "id": f"c{number}",
        "code": f"C{number}",
        "name": f"Nguyễn Thị {['Ánh', 'Bình', 'Châu', 'Đào'][number]}",
        "position": "Giáo viên",
        "means": "Remote Signing",
        "provider": "Nhà cung cấp A",
        "certificate_serial": "5401",
        "state": state,
        "state_name": state,
        "reason": "",
        "issuer": False,
        "valid_until": None,
        "warning": None,
        **more,
    }


@pytest.mark.parametrize(
    ("days", "text", "tone"),
    [
        (31, None, None),
        (30, "Còn 30 ngày", "warning"),
        (15, "Còn 15 ngày", "warning"),
        (8, "Còn 8 ngày", "warning"),
        (7, "Còn 7 ngày", "danger"),
        (1, "Còn 1 ngày", "danger"),
    ],
)
def test_the_end_of_a_certificate_is_announced_from_thirty_days_before(days: int, text: str | None, tone: str | None) -> None:
    badge = listing.expiry_badge(AT + dt.timedelta(days=days), AT)
    assert badge == (None if text is None else {"text": text, "tone": tone})


def test_on_its_last_day_a_certificate_ends_today_and_afterwards_it_has_ended() -> None:
    assert listing.expiry_badge(AT + dt.timedelta(hours=1), AT) == {"text": "Hết hạn hôm nay", "tone": "danger"}
    for passed in (dt.timedelta(0), dt.timedelta(days=400)):
        assert listing.expiry_badge(AT - passed, AT) == {"text": "Đã hết hạn", "tone": "danger"}


def test_a_filter_finds_by_state_by_any_part_of_the_name_and_by_the_whole_code() -> None:
    rows = [row(0, "PENDING"), row(1), row(2, warning={"text": "Còn 3 ngày", "tone": "danger"}), row(3, "PENDING")]
    assert [r["id"] for r in listing.found(rows, {"state": "PENDING"})] == ["c0", "c3"]
    assert [r["id"] for r in listing.found(rows, {"name": "dao"})] == ["c3"]
    assert [r["id"] for r in listing.found(rows, {"name": "C1"})] == ["c1"]
    assert [r["id"] for r in listing.found(rows, {"state": listing.EXPIRING})] == ["c2"]
    assert [r["id"] for r in listing.found(rows, {"sort": "name", "order": "desc"})] == ["c3", "c2", "c1", "c0"]
    counted = {each["state"]: each["count"] for each in listing.filters(rows)}
    assert (counted[""], counted["PENDING"], counted["APPROVED"], counted[listing.EXPIRING], counted["REFUSED"]) == (4, 2, 2, 1, 0)


def test_a_line_of_the_exported_list_has_a_cell_for_every_heading() -> None:
    full = row(0, valid_until=AT, warning={"text": "Đã hết hạn", "tone": "danger"}, issuer=True)
    first, second = listing.sheet([full, row(1)])
    assert len(first) == len(second) == len(listing.HEADERS)
    assert first[6:8] == ["28/05/2026", "Đã hết hạn"]
    assert (first[-1], second[-1]) == ("Có", "")


def test_the_right_to_issue_has_the_word_of_the_guide_for_the_level() -> None:
    assert [listing.issue_word(level) for level in ("TH", "THCS", "THPT", None)] == ["Đóng dấu", *["Ký phát hành"] * 3]


def test_every_point_that_is_checked_is_listed_and_a_problem_of_an_unknown_kind_is_not_lost() -> None:
    good = checks_of([])
    assert {c.result for c in good} == {"Đạt"}
    odd = Problem(code="moon_phase", message_vi="Sai pha trăng.", action_vi="Chờ.")
    expired = Problem(code="expired", message_vi="Đã hết hạn.", action_vi="Gia hạn.")
    checks = checks_of([odd, expired])
    assert [c.text for c in checks if c.tone == "danger"] == ["Thời hạn hiệu lực", "Điều kiện khác"]
    assert [c.words for c in checks if c.tone == "danger"] == ["Đã hết hạn. Gia hạn.", "Sai pha trăng. Chờ."]
    assert len(checks) == len(good) + 1
