"""Which bytes of a package are asked for (RFC 9110, 14.2), and which parts they lie in. Plain data in, decision out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(ValueError):
    """The range begins beyond the end."""


def range_of(asked: str | None, size: int) -> tuple[int, int] | None:
    """(first, beyond the last) of the one range asked for; None for the whole: what is not understood, or several, is left out of account.

    Raises Unsatisfiable.
    """
    found = _ONE_RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, beyond = max(0, size - int(found[2])), size
    else:
        first, beyond = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < first:
            return None
    if first >= size or first >= beyond:
        raise Unsatisfiable(f"{first} of {size}")
    return first, beyond


def slices(sizes: Sequence[int], first: int, beyond: int) -> Iterator[tuple[int, int, int]]:
    """(number of the part, from, to within it) for the bytes from `first` up to `beyond`."""
    start = 0
    for number, size in enumerate(sizes):
        low, high = max(first, start), min(beyond, start + size)
        if low < high:
            yield number, low - start, high - start
        start += size
