"""Finding pupils by name among a million: what is kept of a name, and where a name that was typed is looked for.

A name is found by its beginning ("Nguyễn Thị L"), and by its end, which is what people are called by ("Lan", "Thị Lan"). Typed without
marks it finds every spelling; typed with marks only its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis.vietnamese import clean, fold

if TYPE_CHECKING:
    from services.chassis.mongo import Document


@dataclass(frozen=True)
class Place:
    """Where to look: an indexed field (also the order of what is found) and the filter on it."""

    field: str
    filter: dict[str, Any]


def searchable(name: str) -> Document:
    """`folded`: without marks and case; `backward`: its words from the last to the first; `spelled`: with marks, without case."""
    folded = fold(name)
    return {"folded": folded, "backward": _backward(folded), "spelled": clean(name).casefold()}


def _backward(text: str) -> str:
    return " ".join(reversed(text.split()))


def places_of(typed: str) -> list[Place]:
    """In order: the next is asked only where the one before finds nothing. One word is a given name first, more begin a full name."""
    folded, spelled = fold(typed), clean(typed).casefold()
    if not folded:
        return []
    exactly = spelled != folded
    end = Place("backward", {"backward": {"$regex": f"^{re.escape(_backward(folded))}\\b"}})
    begin = Place("folded", {"folded": {"$regex": f"^{re.escape(folded)}"}})
    if exactly:
        end.filter["spelled"] = {"$regex": f"(?:^| ){re.escape(spelled)}$"}
        begin.filter["spelled"] = {"$regex": f"^{re.escape(spelled)}"}
    return [begin, end] if " " in folded else [end, begin]
