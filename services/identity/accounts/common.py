"""Passwords that everybody thinks of. `common_passwords.txt` holds words and whole passwords, folded, one a line.

Whoever guesses tries each of them with what people add to fulfil a rule: a year, "123", "@" or "!", capitals, "0" for "o". So what
people add is taken off again before looking it up, in place of a list with every variant. Nothing leaves the service for this.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from services.chassis.vietnamese import fold

_LIST = Path(__file__).with_name("common_passwords.txt")
_LOOKS_LIKE = str.maketrans({"@": "a", "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "!": "i"})
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_PARTS_ASIDE = re.compile(r"^[^a-z]+|[^a-z]+$")


@cache
def _words() -> frozenset[str]:
    return frozenset(_LIST.read_text(encoding="utf-8").split())


def is_common(password: str) -> bool:
    """True for a listed one however it is cased, accented, spaced and written with look-alikes, with figures and signs around it,
    twice in a row, or two listed words joined by such signs; and for one without a letter: dates, telephone and identity numbers."""
    plain = "".join(fold(password).split())
    if not any(char.isalpha() for char in plain):
        return True
    return any(_is_listed(variant) for variant in (plain, _PARTS_ASIDE.sub("", plain).translate(_LOOKS_LIKE)))


def _is_listed(plain: str) -> bool:
    words = _words()
    bare = _PARTS_ASIDE.sub("", plain)
    letters = _NOT_A_LETTER.sub("", plain)
    if {plain, bare, letters, _once(plain), _once(bare)} & words:
        return True
    parts = [part for part in _NOT_A_LETTER.split(plain) if part]
    return bool(parts) and all(_once(part) in words for part in parts)


def _once(text: str) -> str:
    """ "abcabc" is "abc" twice."""
    start = (text + text).find(text, 1)
    return text[:start]
