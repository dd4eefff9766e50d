"""What a line of menu 6.4 shows: its numbers in the order of the columns, and a bar of them. Plain numbers in, plain geometry out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis.web.look import vn_percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = (
    ("Đã tiếp nhận", ("accepted",), "success"),
    ("Đã gửi", ("submitted",), "info"),
    ("Xác nhận", ("confirmed",), "info"),
    ("Hoàn thành ký", ("signed",), "info"),
    ("Chờ ký", ("awaiting", "returned"), "waiting"),
    ("Từ chối", ("rejected",), "danger"),
    ("Thu hồi", ("withdrawn",), "waiting"),
    ("Chưa tạo", ("not_created",), "neutral"),
)
"""Words, the columns of the statistics that are added up, tone of the box on top."""
PARTS = (
    ("Đã tiếp nhận", "success", (0,)),
    ("Đã ký xong, chưa tiếp nhận", "info", (1, 2, 3)),
    ("Đang ký, trả lại hoặc thu hồi", "waiting", (4, 6)),
    ("Bị từ chối", "danger", (5,)),
    ("Chưa tạo", "neutral", (7,)),
)
"""The bar puts together what has one colour: words, tone, places in COLUMNS."""
HEADERS = [words for words, _, _ in COLUMNS]
LEGEND = [(words, tone) for words, tone, _ in PARTS]
WIDTH, GAP, NARROWEST = 1000, 4, 2


@dataclass(frozen=True)
class Line:
    """`label` says the bar in words; `parts` are (tone, x, width) of WIDTH."""

    total: int
    numbers: Sequence[int]
    label: str
    parts: Sequence[tuple[str, str, str]]

    @property
    def boxes(self) -> list[tuple[str, int, str]]:
        tones = [tone for _, _, tone in COLUMNS]
        return [("Tổng số học bạ", self.total, "neutral"), *zip(HEADERS, self.numbers, tones, strict=True)]


def line_of(row: Mapping[str, int]) -> Line:
    """Of a row of `statistics`, or of several added up."""
    numbers = [sum(row[column] for column in columns) for _, columns, _ in COLUMNS]
    total = sum(numbers)
    words, parts, x = [], [], 0.0
    for text, tone, places in PARTS:
        part = sum(numbers[place] for place in places)
        if part > 0:
            words.append(f"{text} {vn_percent(part, total)}")
            width = WIDTH * part / total
            parts.append((tone, f"{x:.1f}", f"{max(width - GAP, NARROWEST):.1f}"))
            x += width
    return Line(total, numbers, ", ".join(words) or "chưa có học bạ", parts)
