"""Charts as plain geometry that a template draws as SVG; the numbers stand beside each in a table. No scripts, no pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 34
LABELS = 8
"""Words below the axis, at most."""


@dataclass(frozen=True)
class Mark:
    """A line of the grid, or a word below the axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True)
class Line:
    name: str
    tone: str
    points: str
    """As SVG's `points` has them."""


@dataclass(frozen=True)
class Chart:
    """`label` says in words what there is to see."""

    label: str
    bars: Sequence[Bar]
    lines: Sequence[Line]
    grid: Sequence[Mark]
    below: Sequence[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def bars(label: str, values: Sequence[tuple[str, int]], tone: str = "info") -> Chart:
    """One bar a value, with its name below."""
    top = _round_top(max((number for _, number in values), default=0))
    step = _inner_width() / max(1, len(values))
    wide, base = round(step * 0.76, 1), HEIGHT - BOTTOM
    drawn = [
        Bar(round(LEFT + step * (n + 0.12), 1), _y(number, top), wide, round(base - _y(number, top), 1), tone)
        for n, (_, number) in enumerate(values)
        if number
    ]
    every = max(1, -(-len(values) // LABELS))
    below = [Mark(round(LEFT + step * (n + 0.5), 1), name) for n, (name, _) in enumerate(values) if n % every == 0]
    return Chart(label, drawn, [], _grid(top), below)


def lines(label: str, names: Sequence[str], series: Mapping[str, tuple[str, Sequence[int]]]) -> Chart:
    """A line for each of `series` (name → tone, one value for each of `names`)."""
    top = _round_top(max((number for _, numbers in series.values() for number in numbers), default=0))
    step = _inner_width() / max(1, len(names) - 1)
    drawn = [
        Line(name, tone, " ".join(f"{LEFT + step * n:.1f},{_y(number, top):.1f}" for n, number in enumerate(numbers)))
        for name, (tone, numbers) in series.items()
    ]
    every = max(1, -(-len(names) // LABELS))
    below = [Mark(round(LEFT + step * n, 1), name) for n, name in enumerate(names) if n % every == 0]
    return Chart(label, [], drawn, _grid(top), below)


def _inner_width() -> int:
    return WIDTH - LEFT - RIGHT


def _y(number: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * number / top, 1)


def _round_top(largest: int) -> int:
    """The next number of one digit and zeros, so that a quarter of it is a plain number as well; at least 4."""
    scale = 4
    while True:
        for factor in (1, 2, 3, 5):
            if scale * factor >= largest:
                return scale * factor
        scale *= 10


def _grid(top: int) -> list[Mark]:
    return [Mark(_y(top * quarter // 4, top), f"{top * quarter // 4:,}".replace(",", ".")) for quarter in range(5)]
