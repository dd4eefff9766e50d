"""Memory of a process of the list with everything it started, sampled while it runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.stack.leftovers import PROC, Seen

LOOK_AGAIN_SECONDS = 5.0
NOTABLE_GROWTH = 1.02


def proportional_mb(row: Seen) -> float:
    """A process's share of memory, pages used by n processes counted as 1/n each (PSS); 0.0 when it is gone."""
    try:
        lines = (PROC / str(row.pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    except PermissionError:
        # another user's process: what it has resident is never less
        return row.resident_mb
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


@dataclass
class Peaks:
    """`largest_mb`: the largest single process (RSS). `together_mb`: all of them, nothing counted twice (sum of PSS)."""

    largest_mb: float = 0.0
    together_mb: float = 0.0
    _highest_sum: float = 0.0
    _looked_at: float = float("-inf")

    def take(self, rows: Sequence[Seen], now: float, share: Callable[[Seen], float] = proportional_mb) -> None:
        """One sample of a tree. The kernel walks all pages to tell PSS, so it is asked only when a new peak may be there."""
        self.largest_mb = max([self.largest_mb, *(row.resident_mb for row in rows)])
        resident = sum(row.resident_mb for row in rows)
        # PSS is never more than RSS
        grown = resident > self._highest_sum * NOTABLE_GROWTH
        if resident <= self.together_mb or not (grown or now - self._looked_at >= LOOK_AGAIN_SECONDS):
            return
        self._highest_sum, self._looked_at = max(self._highest_sum, resident), now
        self.together_mb = max(self.together_mb, sum(share(row) for row in rows))
