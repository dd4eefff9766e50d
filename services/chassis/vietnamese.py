"""Vietnamese names and text: order by given name, folding for search. Plain functions over strings."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = {letter: rank for rank, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}

# Order of tones in Vietnamese dictionaries, the one that CLDR's "vi" collation has too: level, grave, hook, tilde, acute, dot.
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}

# The marks that make another letter of the alphabet: breve, circumflex, horn.
_LETTER_MARKS = frozenset("\u0306\u0302\u031b")

_MARKS = re.compile("[\u0300-\u036f]")
"""Every combining mark that Latin letters take."""

Syllables = tuple[tuple[int, ...], ...]
SortKey = tuple[Syllables, Syllables, Syllables, Syllables, Syllables, Syllables, str]


def clean(text: str) -> str:
    """NFC with single spaces and no space at the ends: one written form for one name."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def readable(text: str) -> str:
    """What a person wrote as one clean line: breaks and control characters become spaces, what nobody sees goes.

    Invisible are the format characters (zero-width, direction) and whatever else Unicode lists among "other" (C*).
    """
    line = "".join(" " if c.isspace() or unicodedata.category(c) == "Cc" else c for c in text)
    return clean("".join(c for c in line if not unicodedata.category(c).startswith("C")))


def fold(text: str) -> str:
    """The text without tones, marks and case, for search: "Nguyễn Thị Đào" → "nguyen thi dao"."""
    return without_marks(text).casefold()


def without_marks(text: str) -> str:
    """The text without tones and marks, its case kept, for what takes no Vietnamese letters: "Trần Thị Đào" → "Tran Thi Dao"."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", clean(text))).replace("đ", "d").replace("Đ", "D")
    return plain if plain.isascii() else "".join(char for char in plain if not unicodedata.combining(char))


def given_name_key(full_name: str) -> SortKey:
    """Sort key of a person's full name: given name (the last word), then middle names, then family name (the first word).

    Each part is compared by the Vietnamese alphabet (a ă â b … ơ … ư … y z) and, letters being equal, by tone
    (level, grave, hook, tilde, acute, dot). Case and the way that the text was composed do not count.
    Characters outside the alphabet come after it, digits and signs before it.
    """
    name = clean(full_name)
    words = name.casefold().split(" ") if name else []
    family, middle, given = words[:1] if len(words) > 1 else [], words[1:-1], words[-1:]
    return (*_weights(given), *_weights(middle), *_weights(family), name)


def _weights(words: list[str]) -> tuple[Syllables, Syllables]:
    spelled = [_word(word) for word in words]
    return tuple(letters for letters, _ in spelled), tuple(tones for _, tones in spelled)


def _word(word: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Weights of the letters, and of the tones letter by letter, of one lower-case word."""
    letters: list[int] = []
    tones: list[int] = []
    for cluster in _clusters(word):
        letter = unicodedata.normalize("NFC", cluster[0] + "".join(mark for mark in cluster[1:] if mark in _LETTER_MARKS))
        letters.append(_letter_weight(letter))
        tones.append(next((_TONES[mark] for mark in cluster[1:] if mark in _TONES), 0))
    return tuple(letters), tuple(tones)


def _letter_weight(letter: str) -> int:
    if letter in _LETTERS:
        return 0x200 + _LETTERS[letter]
    point = ord(letter[0])
    return point if point < 0x80 else 0x400 + point


def _clusters(word: str) -> list[str]:
    """Base characters, each with its combining marks."""
    clusters: list[str] = []
    for char in unicodedata.normalize("NFD", word):
        if clusters and unicodedata.combining(char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters
