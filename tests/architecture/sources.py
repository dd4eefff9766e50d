"""The repository as the architecture tests read it."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from infra.generate import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is in the repository or would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return tuple(sorted(path for path in paths if path.is_file() and not path.is_symlink()))


def below(*folders: str, suffix: str = ".py") -> list[Path]:
    """The files with this suffix in the given folders of the repository, generated and ignored ones left out."""
    return [path for path in tracked() if path.suffix == suffix and any(path.is_relative_to(ROOT / folder) for folder in folders)]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def place(path: Path, line: int | None = None) -> str:
    shown = path.relative_to(ROOT).as_posix()
    return f"{shown}:{line}" if line else shown


def calls(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Dotted name of what is called as far as it is written out, and the line."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node.lineno


def dotted(node: ast.expr) -> str:
    """`a.b.c` for the expression; "" stands for what is no plain name, as in `f().c` → ".c"."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def imported(module: ast.Module) -> Iterator[tuple[str, str, int]]:
    """(module, name, line) of every import; the name is "" for `import module`. Imports for type checking count, too."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name, node.lineno) for alias in node.names)
