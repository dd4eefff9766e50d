"""The profile of the last `make bench` as Markdown: `python -m infra.bench.report`, with `--write` into docs/architecture/road.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from infra.bench.profile import Profile, markdown

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- profile -->", "<!-- end of profile -->"


def filled(page: str, text: str) -> str:
    """The page with the text between the two marks. Raises ValueError when it has not exactly one pair of them."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise ValueError(f"the page needs one {BEGIN} and one {END} after it")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="infra.bench.report", description=__doc__)
    parser.add_argument("--profile", type=Path, default=ROOT / "out" / "bench" / "road-profile.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "architecture" / "road.md")
    parser.add_argument("--write", action="store_true", help="put it into the page instead of printing it")
    options = parser.parse_args(arguments)
    text = markdown(Profile.model_validate_json(options.profile.read_bytes()))
    if options.write:
        options.page.write_text(filled(options.page.read_text(encoding="utf-8"), text), encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
