"""`python -m infra.generate` writes the generated files; with `--check` it names those that are stale and exits with 1."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import TYPE_CHECKING

from infra.generate import ROOT, asyncapi, openapi, schemas, tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHOWN_LINES = 30
"""Lines of a difference that `--check` shows; the rest is counted."""


def outputs() -> dict[str, str]:
    """Path in the repository → the text that belongs there."""
    return {**schemas.files(), **asyncapi.files(), **openapi.files(), **tables.files()}


def left_over(wanted: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Schemas of types that no longer exist."""
    there = {f"contracts/schemas/{p.name}" for p in (root / "contracts" / "schemas").glob("*.json")}
    return sorted(there - set(wanted))


def stale(wanted: Mapping[str, str], root: Path = ROOT) -> dict[str, list[str]]:
    """Path → the unified difference from what is there to what belongs there, for every file that differs or is missing."""
    found = {}
    for path, text in wanted.items():
        place = root / path
        old = place.read_text(encoding="utf-8") if place.is_file() else ""
        if old != text:
            names = (f"{path} (committed)" if old else "/dev/null", f"{path} (from the code)")
            found[path] = list(difflib.unified_diff(old.splitlines(), text.splitlines(), *names, lineterm="", n=1))
    return found


def check() -> int:
    wanted = outputs()
    differences = stale(wanted)
    for path, lines in differences.items():
        print(f"stale: {path}")
        print("\n".join(f"    {line}" for line in lines[:SHOWN_LINES]))
        if len(lines) > SHOWN_LINES:
            print(f"    … and {len(lines) - SHOWN_LINES} more lines")
    extra = left_over(wanted)
    for path in extra:
        print(f"left over: {path}")
    if differences or extra:
        print(f"\n{len(differences) + len(extra)} of {len(wanted)} generated files are not as the code says: run `make contracts`")
        return 1
    print(f"{len(wanted)} generated files are as the code says")
    return 0


def write() -> int:
    wanted = outputs()
    for path in left_over(wanted):
        (ROOT / path).unlink()
        print(f"removed {path}")
    for path in stale(wanted):
        place = ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="infra.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is stale")
    return check() if parser.parse_args().check else write()


if __name__ == "__main__":
    sys.exit(main())
