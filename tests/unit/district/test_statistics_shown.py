"""What a line of menu 6.4 shows, and the numbers that open boards share."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.district.board.routes import Look
from services.district.statistics import COLUMNS, row
from services.district.statistics_shown import GAP, HEADERS, LEGEND, NARROWEST, WIDTH, line_of

numbers = st.fixed_dictionaries({column: st.integers(0, 3000) for column in COLUMNS if column != "pupils"})


@given(numbers)
def test_a_line_counts_every_pupil_once_and_its_bar_fills_the_width(counted: dict[str, int]) -> None:
    line = line_of({"pupils": sum(counted.values()), **counted})
    assert line.total == sum(counted.values()) == sum(line.numbers)
    assert len(line.numbers) == len(HEADERS)
    if line.total:
        _, x, width = line.parts[-1]
        assert WIDTH - 1 <= float(x) + float(width) + GAP <= WIDTH + GAP + NARROWEST
        starts = [float(x) for _, x, _ in line.parts]
        assert starts == sorted(starts)


def test_returned_transcripts_stand_with_those_that_wait_for_a_signature() -> None:
    line = line_of(row(10, {"RETURNED": 2, "AWAITING_LEADER": 3, "ACCEPTED": 5}))
    assert line.numbers[HEADERS.index("Chờ ký")] == 5
    assert line.label == "Đã tiếp nhận 50%, Đang ký, trả lại hoặc thu hồi 50%"
    assert {tone for tone, _, _ in line.parts} <= {tone for _, tone in LEGEND}


def test_a_school_without_pupils_has_an_empty_bar_that_says_so() -> None:
    line = line_of(row(0, {}))
    assert (line.total, line.label, list(line.parts)) == (0, "chưa có học bạ", [])


def test_more_transcripts_than_pupils_draw_no_bar_backwards() -> None:
    line = line_of(row(3, {"ACCEPTED": 5}))
    assert [tone for tone, _, _ in line.parts] == ["success"]


class Counted:
    """In place of the store: counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def totals(self, _schools: Any, _year: str) -> dict[str, int]:
        self.asked += 1
        await asyncio.sleep(0)
        return {"ACCEPTED": self.asked}


async def test_boards_that_are_open_on_one_branch_ask_the_store_once_between_them() -> None:
    store: Any = Counted()
    look = Look()
    told = await asyncio.gather(*(look.numbers(store, ["1"], "2025-2026", younger_than=60) for _ in range(20)))
    assert store.asked == 1
    assert set(told) == {'{"ACCEPTED": 1}'}


async def test_a_board_that_is_opened_is_told_of_now() -> None:
    store: Any = Counted()
    look = Look()
    await look.numbers(store, ["1"], "2025-2026", younger_than=60)
    assert await look.numbers(store, ["1"], "2025-2026", younger_than=0) == '{"ACCEPTED": 2}'
