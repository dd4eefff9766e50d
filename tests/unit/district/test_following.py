"""Menu 6.4 below a school, over time, and the live board: who holds up, how far day by day, how fast."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.district import charts
from services.district.board.seen import board_of
from services.district.overtime import by_day, by_hour, hours_left, per_hour
from services.district.progress.rules import by_class, held_up, of_people
from services.district.statistics import added_up, by_school, by_unit, is_done

NOON = dt.datetime(2026, 8, 20, 5, 30, tzinfo=dt.UTC)
"""Half past twelve in Vietnam."""


def held(state: str, person: str, name: str, count: int = 1, *, code: str = "5A", day: int = 1) -> dict[str, Any]:
    since = dt.datetime(2026, 5, day, tzinfo=dt.UTC)
    return {"class": code, "state": state, "person": person, "name": name, "count": count, "since": since}


def test_the_people_who_hold_it_up_are_named_with_their_step() -> None:
    rows = held_up(
        [held("AWAITING_LEADER", "p1", "Trần Thị Bình", 3), held("AWAITING_ISSUE", "", "", 2), held("AWAITING_HOMEROOM", "*", "")]
    )
    assert {(r["name"], r["step"]) for r in rows} == {
        ("Trần Thị Bình", "Lãnh đạo"),
        ("Nhân sự ký phát hành", "Nhà trường ký phát hành"),
        ("Đang xử lý", "Giáo viên chủ nhiệm"),
    }


def test_when_all_have_signed_it_waits_for_the_administrator() -> None:
    (row,) = held_up([held("CONFIRMED", "*", "")])
    assert (row["name"], row["step"]) == ("Quản trị viên của trường", "Gửi học bạ")


def test_one_person_is_listed_once_with_all_classes_and_the_longest_wait() -> None:
    rows = held_up([held("AWAITING_LEADER", "p1", "Bình", 3, day=9), held("AWAITING_LEADER", "p1", "Bình", 4, code="5B", day=2)])
    (person,) = of_people(rows)
    assert (person["count"], person["classes"], person["since"].day) == (7, ["5B", "5A"], 2)


def test_a_class_known_from_its_transcripts_alone_is_not_forgotten() -> None:
    rows = by_class([{"code": "5A", "name": "5A", "grade": 5, "pupils": 30}], {"5A": {"SIGNED": 10}, "4B": {"ACCEPTED": 2}})
    assert [(r["class"], r["pupils"], r["not_created"]) for r in rows] == [("4B", 2, 0), ("5A", 30, 20)]


def school(code: str, path: list[str]) -> dict[str, Any]:
    return {"_id": code, "name": f"Trường {code}", "levels": ["TH"], "path": path}


def test_a_unit_adds_up_every_school_below_it_at_any_depth() -> None:
    schools = by_school(
        [school("1", ["s", "u1"]), school("2", ["s", "u1", "v"]), school("3", ["s"])],
        {(code, 5): {"pupils": 10} for code in "123"},
        {("1", 5): {"ACCEPTED": 4}, ("2", 5): {"ACCEPTED": 5}},
    )
    units = [{"_id": "u1", "name": "U1", "path": ["s", "u1"]}, {"_id": "v", "name": "V", "path": ["s", "u1", "v"]}]
    (row,) = by_unit("s", units, schools)
    assert (row["unit"], row["schools"], row["pupils"], row["accepted"]) == ("u1", 2, 20, 9)


def test_a_school_is_done_when_every_pupil_is_accepted_or_withdrawn() -> None:
    line = {"pupils": 3, "accepted": 2, "withdrawn": 1}
    assert is_done(line)
    assert not is_done({**line, "accepted": 1})
    assert not is_done({"pupils": 0, "accepted": 0, "withdrawn": 0})


def test_days_without_work_stand_in_the_line_too() -> None:
    days = [{"day": "2026-05-28", "signed": {"all": 3}}, {"day": "2026-05-30", "signed": {"all": 2}, "accepted": {"all": 1}}]
    rows = by_day(days)
    assert [(r["day"].day, r["signed"], r["accepted"]) for r in rows] == [(28, 3, 0), (29, 3, 0), (30, 5, 1)]
    assert by_day([]) == []


def test_speed_is_counted_over_the_last_full_hour_and_what_has_passed_of_this_one() -> None:
    hours = by_hour([{"day": "2026-08-20", "accepted": {"all": 9, "h11": 20, "h12": 10}}], "accepted", NOON)
    assert (len(hours), [n for _, n in hours[-2:]]) == (24, [20, 10])
    assert per_hour(hours, NOON) == 20.0
    assert (hours_left(100, 20.0), hours_left(100, 0.0)) == (5.0, None)


def test_the_board_lists_schools_that_are_not_done_the_furthest_behind_first() -> None:
    rows = by_school(
        [school(code, ["s"]) for code in "123"],
        {(code, 5): {"pupils": pupils} for code, pupils in (("1", 10), ("2", 30), ("3", 5))},
        {("1", 5): {"ACCEPTED": 9}, ("2", 5): {"ACCEPTED": 9}, ("3", 5): {"ACCEPTED": 5}},
    )
    board = board_of({"year": "2025-2026", "schools": rows, "total": added_up(rows)}, [], NOON)
    assert [(s["school"], s["remaining"]) for s in board["behind"]] == [("2", 21), ("1", 1)]
    assert (board["done_schools"], board["all_schools"], board["days_left"]) == (1, 3, 0)
    assert board["accepted"] == "23 trong 45 (51%)"
    assert board["speeds"][-1][1] == "chưa tính được"


def test_bars_stand_on_the_base_line_and_the_highest_stays_inside() -> None:
    chart = charts.bars("x", [("a", 0), ("b", 7), ("c", 4)])
    assert [round(b.y + b.height, 1) for b in chart.bars] == [chart.base, chart.base]
    assert min(b.y for b in chart.bars) >= charts.TOP
    assert chart.grid[0].text == "0"


def test_lines_reach_from_edge_to_edge_and_words_below_stay_few() -> None:
    names = [str(n) for n in range(100)]
    chart = charts.lines("x", names, {"Đã gửi": ("info", list(range(100)))})
    points = [tuple(map(float, p.split(","))) for p in chart.lines[0].points.split()]
    assert (points[0][0], points[-1][0]) == (charts.LEFT, charts.WIDTH - charts.RIGHT)
    assert len(chart.below) <= charts.LABELS
    assert charts.lines("x", ["a"], {"n": ("info", [0])}).lines[0].points
