"""A circuit breaker over one gateway, shared by all packages: who is away is asked by one, not by everybody.

closed → open after FAILURES in a row → half-open when the pause is over: one request goes out as a probe; its success closes the
breaker, its failure opens it again for longer. Pauses have jitter, so that several workers do not knock together.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds. With a pause and the following question both below it, an answer is known within a minute of the fault's end."""


def pause_of(failures: int, *, at_least: float | None = None, chance: Callable[[], float] = random.random) -> float:
    """Seconds before the next try after so many failures in a row: doubled each time, a random half of it left out.

    `at_least`: what the gateway asked for (Retry-After), up to the longest pause.
    """
    doubled = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
    return min(LONGEST_PAUSE, max(doubled * (0.5 + chance() / 2), at_least or 0.0))


class Breaker:
    """Whoever `enter`s successfully says afterwards how it went: `worked`, `failed` or `left` without having asked."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random) -> None:
        self._now = now
        self._chance = chance
        self._failures = 0
        self._until: float | None = None
        self._probing = False

    @property
    def holds(self) -> bool:
        """Nothing may go out at present."""
        return self._until is not None and (self._probing or self._now() < self._until)

    @property
    def is_open(self) -> bool:
        return self._until is not None

    def enter(self) -> bool:
        if self.holds:
            return False
        self._probing = self._until is not None
        return True

    def left(self) -> None:
        self._probing = False

    def worked(self) -> bool:
        """True when it was open until now: what waits may go at once."""
        recovered = self._until is not None
        self._failures, self._until, self._probing = 0, None, False
        return recovered

    def failed(self, retry_after: float | None = None) -> None:
        self._failures += 1
        self._probing = False
        if self._failures >= FAILURES or self._until is not None or retry_after is not None:
            self._until = self._now() + pause_of(max(1, self._failures - FAILURES + 1), at_least=retry_after, chance=self._chance)
