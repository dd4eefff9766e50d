"""The chassis serves any house: it knows no word of a school."""

from __future__ import annotations

import ast
import re
import unicodedata
from pathlib import Path

import pytest

from infra.generate import ROOT
from tests.architecture.sources import below, place, tracked, tree

CHASSIS = "services/chassis"
# fmt: off
ENGLISH = frozenset(
    {
        "classroom", "curriculum", "district", "exam", "grade", "graduation", "guardian", "headmaster", "homeroom",
        "ministry", "pupil", "pupils", "school", "schools", "student", "students", "teacher", "teachers", "timetable",
        "transcript", "transcripts",
    }
)
VIETNAMESE = frozenset(
    {
        "học bạ", "học sinh", "học kỳ", "học tập", "năm học", "lớp học", "môn học", "giáo viên", "giáo dục", "chủ nhiệm",
        "hiệu trưởng", "nhà trường", "phụ huynh", "khối lớp", "thầy", "cô giáo",
    }
)
# fmt: on
ALLOWED = {
    (f"{CHASSIS}/access.py", "school"): "the scope of contracts.access.allowed, handed through under its own name",
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")


def school_words(text: str) -> set[str]:
    """The school words in a text or an identifier, whose parts may be joined by `_` or by capitals."""
    text = unicodedata.normalize("NFC", text)
    words = {word.casefold() for word in _WORD.findall(text)}
    spaced = " ".join(text.casefold().split())
    return (words & ENGLISH) | {v for v in VIETNAMESE if re.search(rf"\b{v}\b", spaced)}


def words_of_module(module: ast.Module) -> set[tuple[str, int]]:
    """Identifiers and strings, docstrings among them. Comments are for whoever writes the chassis."""
    found: set[tuple[str, int]] = set()
    for node in ast.walk(module):
        line = getattr(node, "lineno", 0)
        texts = [value for _, value in ast.iter_fields(node) if isinstance(value, str)]
        found |= {(word, line) for text in texts for word in school_words(text)}
    return found


def words_of_text(path: Path) -> set[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {(word, number) for number, line in enumerate(lines, start=1) for word in school_words(line)}


def test_no_school_word_stands_in_the_chassis() -> None:
    found = {(place(p), word, line) for p in below(CHASSIS) for word, line in words_of_module(tree(p))}
    shown = [p for p in tracked() if p.is_relative_to(ROOT / CHASSIS) and p.suffix in {".html", ".css", ".js", ".json", ".svg", ".txt"}]
    found |= {(place(p), word, line) for p in shown for word, line in words_of_text(p)}
    assert len(shown) > 5
    assert sorted(f for f in found if f[:2] not in ALLOWED) == []
    assert set(ALLOWED) <= {f[:2] for f in found}, "these are gone"


@pytest.mark.parametrize(
    "text",
    [
        "pupil_code = 1",
        "class TranscriptStore: ...",
        "x = 'Học bạ số'",
        "def f(homeroomOf): ...",
        "'''Saves a transcript.'''",
        "a.school",
        "f(school=1)",
    ],
)
def test_a_school_word_in_code_would_be_seen(text: str) -> None:
    assert words_of_module(ast.parse(text))


@pytest.mark.parametrize("text", ["graceful_timeout = 1", "class Bookmark: ...", "x = 'Trang chủ'", "upgrade()", "the subject of an event"])
def test_an_ordinary_word_is_left_alone(text: str) -> None:
    assert school_words(text) == set()
