"""The chain of the audit trail: each entry's hash covers the one before it, so that a later change cannot be hidden in its place.

Pure: plain entries in, links and faults out. `audit_seal.py` chains what was recorded, `audit_verify.py` walks the chain.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Entry = Mapping[str, Any]
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Head:
    """The last number given and the hash it has; `number:hash` in logs and on the command line."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Raises ValueError."""
        found = _HEAD.fullmatch(text)
        if not found:
            raise ValueError("a head is written number:hash")
        return cls(int(found[1]), found[2])


START = Head(0, "0" * 64)
"""What the first entry follows."""


class What(StrEnum):
    CHANGED = "changed content"
    MISSING = "missing number"
    ORDER = "wrong order"
    CUT = "cut end"
    REWRITTEN = "other than the head that was noted"
    UNSEALED = "never sealed"


@dataclass(frozen=True)
class Fault:
    """The first bad record. `id` is None when the record itself is gone, `number` when it never got one."""

    what: What
    number: int | None
    id: str | None
    detail: str


def digest(entry: Entry) -> str:
    """SHA-256, in hex, over the canonical JSON of all that the entry holds but the hash itself.

    Canonical: keys sorted, no spaces, ASCII; what JSON lacks (a time, in UTC with milliseconds) is written with its type.
    """
    covered = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(_text(covered).encode("ascii")).hexdigest()


def canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same in JSON alone, as it travels; its digest is that of the original."""
    plain: dict[str, Any] = json.loads(_text(value))
    return plain


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_typed)


def _typed(value: object) -> dict[str, str]:
    text = value.astimezone(dt.UTC).isoformat(timespec="milliseconds") if isinstance(value, dt.datetime) else str(value)
    return {f"${type(value).__name__}": text}


def link(entry: Entry, after: Head) -> dict[str, Any]:
    """The fields that make the entry the one after `after`."""
    fields = {"number": after.number + 1, "previous": after.hash}
    return {**fields, "hash": digest({**entry, **fields})}


def first_fault(entries: Iterable[Entry], head: Head | None = None, *, sealed_before: dt.datetime | None = None) -> Fault | None:
    """What is wrong with the first bad record; None for a sound chain.

    `entries` come by number, those without one last. `head` was noted earlier: the chain has to reach it and agree with it.
    An entry recorded before `sealed_before` must have its number.
    """
    walk = Walk(head, sealed_before)
    for entry in entries:
        fault = walk.take(entry)
        if fault:
            return fault
    return walk.end()


@dataclass
class Walk:
    """`first_fault` for entries that come one after the other."""

    noted: Head | None = None
    sealed_before: dt.datetime | None = None
    at: Head = START
    _waiting: Fault | None = field(default=None, init=False)

    def take(self, entry: Entry) -> Fault | None:
        known = str(entry.get("_id"))
        if entry.get("number") is None:
            self._waiting = self._waiting or self._waits_too_long(entry, known)
            return None
        fault = _misplaced(entry, known, self.at)
        if fault:
            return fault
        number, found = self.at.number + 1, digest(entry)
        if entry.get("hash") != found:
            return Fault(What.CHANGED, number, known, "its content has another hash than the one it was sealed with")
        self.at = Head(number, found)
        if self.noted and self.noted.number == number and self.noted.hash != found:
            return Fault(What.REWRITTEN, number, known, "this record, or one before it, was replaced and the chain made anew")
        return None

    def end(self) -> Fault | None:
        """After the last entry."""
        if self.noted and self.at.number < self.noted.number:
            return Fault(What.CUT, self.at.number + 1, None, f"the chain once reached number {self.noted.number}")
        return self._waiting

    def _waits_too_long(self, entry: Entry, known: str) -> Fault | None:
        at = entry.get("at")
        if self.sealed_before is None or (isinstance(at, dt.datetime) and at >= self.sealed_before):
            return None
        return Fault(What.UNSEALED, None, known, f"recorded at {at}, still without a number")


def _misplaced(entry: Entry, known: str, after: Head) -> Fault | None:
    number, expected = entry["number"], after.number + 1
    if not isinstance(number, int) or isinstance(number, bool):
        return Fault(What.ORDER, None, known, f"{number!r} is no number of the chain")
    if number > expected:
        return Fault(What.MISSING, expected, None, f"the next record is number {number}, id {known}")
    if number < expected:
        return Fault(What.ORDER, number, known, f"it stands where number {expected} belongs")
    if entry.get("previous") != after.hash:
        return Fault(What.ORDER, number, known, f"it does not follow number {after.number}: one of the two was replaced or moved")
    return None
