"""docs/architecture/access-matrix.md from the rows: `python -m tests.access.page --write`, or without it to see if it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.access.actors import ACTORS
from tests.access.matrix import MATRIX
from tests.access.rows import Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture" / "access-matrix.md"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
INTRODUCTION = """# Access matrix

Written by `python -m tests.access.page --write` from the rows in `tests/access`; edits are overwritten.

Every route of every service, and who comes through. `tests/access/test_matrix.py` asks each of them as everybody below, on real stores,
about things of school A and its class 1A: nobody else may come in, nobody may be kept out, nobody outside may be shown or change anything
of school A, only those who see class 1A may be shown its pupils, and an old confirmation is refused exactly where "confirmed" stands.
A route without a row fails.

"Comes through" means that a right is held. What a rule then says about the state of the thing, or about each item of a bulk act, is the
rules' business. School B stands beside A in another branch; both have a class 1A.
"""


def text() -> str:
    legend = [f"| {letter} | {actor.title} |" for letter, actor in zip(LETTERS, ACTORS, strict=False)]
    parts = [INTRODUCTION, "| | |\n|---|---|\n" + "\n".join(legend), *(_service(name, rows) for name, rows in MATRIX.items())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _service(name: str, rows: tuple[Row, ...]) -> str:
    lines = [_line(row) for row in sorted(rows, key=lambda row: (row.path, row.method))]
    return f"## {name}\n\n| Route | Comes through | Who |\n|---|---|---|\n" + "\n".join(lines)


def _line(row: Row) -> str:
    letters = "".join(letter for letter, actor in zip(LETTERS, ACTORS, strict=False) if row.need.holds(actor))
    who = "all" if len(letters) == len(ACTORS) else letters
    notes = [row.need.words, *(["confirmed"] if row.step_up else []), *([f"shows data: {row.shows}"] if row.shows else [])]
    return f"| `{row.name}` | {'; '.join(notes)} | {who} |"


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        PAGE.write_text(text(), encoding="utf-8")
        return 0
    return int(PAGE.read_text(encoding="utf-8") != text())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
