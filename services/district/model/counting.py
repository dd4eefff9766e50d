"""Numbers that are kept as events come, so that no page counts a million rows. Plain rows in, shares of counters out.

`counts`: by school, year and grade, pupils, transcripts and class summaries in each state. `days`: by school, year and day of Vietnam, how
many reached what (and at which hour), judged by where they stand now: what was confirmed and taken back is not confirmed.

Each row says in `run` which building of the model counted it, and the counters of every building are their own: the sum over all of
them is right at any moment, also while a model is rebuilt below the pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from services.chassis import clock
from services.chassis.mongo import UpdateOne

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from services.chassis.mongo import Document

CANCELLED = "CANCELLED"
_TAKEN = frozenset({"ACCEPTED", "WITHDRAWAL_PENDING"})
_SENT = _TAKEN | {"SUBMITTED", "REJECTED", "WITHDRAWN"}
_CONFIRMED = _SENT | {"CONFIRMED"}
_SIGNED = _CONFIRMED | {"SIGNED"}
MILESTONES: dict[str, tuple[str, frozenset[str] | None]] = {
    "created": ("created_at", None),
    "signed": ("signed_at", _SIGNED),
    "confirmed": ("confirmed_at", _CONFIRMED),
    "submitted": ("submitted_at", _SENT),
    "accepted": ("decided_at", _TAKEN),
}
"""What is reached → (when, the states in which it counts; any but cancelled)."""


class Share(NamedTuple):
    """What one row adds to one counter: the document of `collection` that `of` names, and how much of which field."""

    collection: str
    of: tuple[tuple[str, Any], ...]
    field: str
    number: int = 1


def shares_of_transcript(row: Mapping[str, Any]) -> Iterator[Share]:
    school, year, state = ("school", row["school"]), ("year", row["year"]), row["state"]
    yield Share("counts", (school, year, ("grade", row["grade"])), f"states.{state}")
    if state == CANCELLED:
        return
    for milestone, (moment, states) in MILESTONES.items():
        at = row.get(moment)
        if at is None or (states is not None and state not in states):
            continue
        there = clock.in_vietnam(at).isoformat()
        day = (school, year, ("day", there[:10]))
        yield Share("days", day, f"{milestone}.all")
        yield Share("days", day, f"{milestone}.h{there[11:13]}")


def shares_of_summary(row: Mapping[str, Any]) -> Iterator[Share]:
    yield Share("counts", (("school", row["school"]), ("year", row["year"]), ("grade", row["grade"])), f"summaries.{row['state']}")


def shares_of_class(row: Mapping[str, Any]) -> Iterator[Share]:
    grade = (("school", row["school"]), ("year", row["year"]), ("grade", row["grade"]))
    yield Share("counts", grade, "pupils", row["pupils"])
    yield Share("counts", grade, "refused", row["refused"])


def no_shares(_: Mapping[str, Any]) -> Iterator[Share]:
    return iter(())


@dataclass
class Tally:
    """What the rows of one transaction change in the counters."""

    shares_of: Callable[[Mapping[str, Any]], Iterator[Share]]
    changes: dict[tuple[str, str, tuple[tuple[str, Any], ...]], dict[str, int]] = field(default_factory=dict)

    def replace(self, before: Document | None, after: Document) -> None:
        """A row from before counters were kept says no run, and stands in none of them."""
        if before is not None and "run" in before:
            self._count(before, -1)
        self._count(after, 1)

    def _count(self, row: Document, sign: int) -> None:
        for collection, of, name, number in self.shares_of(row):
            key = (collection, row["run"], of)
            counted = self.changes.get(key)
            if counted is None:
                counted = self.changes[key] = {}
            counted[name] = counted.get(name, 0) + sign * number

    def writes(self) -> Iterator[tuple[str, list[UpdateOne]]]:
        """By collection, in one order whoever writes, so that of two transactions one waits rather than both fail."""
        found: dict[str, list[UpdateOne]] = {}
        for (collection, run, of), numbers in sorted(self.changes.items(), key=lambda c: str(c[0])):
            changed = {name: number for name, number in numbers.items() if number}
            if changed:
                key = {"_id": "|".join([run, *(str(value) for _, value in of)])}
                found.setdefault(collection, []).append(UpdateOne(key, {"$inc": changed, "$set": {"run": run, **dict(of)}}, upsert=True))
        yield from found.items()


def settled(before: Document | None, told: Document, sequence: int, run: str) -> Document | None:
    """The row after an event or a snapshot; None when it says nothing new.

    `run` is the building at work. A row of an earlier one is loaded anew from what has the same sequence; what is older than the row
    changes nothing in it, but the row is then known to be there still.
    """
    after = {**told, "seq": sequence, "run": run}
    if before is None or sequence > before["seq"]:
        return after
    if before.get("run") == run:
        return None
    return after if sequence == before["seq"] else {**before, "run": run}
