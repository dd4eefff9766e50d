"""Command line of `make bench`."""

from __future__ import annotations

import argparse
from pathlib import Path

from infra.bench import figures
from infra.bench.figures import Options
from infra.bench.registry import BENCHMARKS

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="infra.bench", description="Measures and writes OUT/bench.json.")
    parser.add_argument("names", nargs="*", help=f"which ones: {', '.join(BENCHMARKS)} (all when left out)")
    parser.add_argument("--pupils", type=int, default=320, help="size of the school")
    parser.add_argument("--peer-pupils", type=int, default=12, help="size of the sample that the peer script works on")
    parser.add_argument(
        "--documents", type=int, default=0, help="how many documents or transcripts a benchmark works on (its own choice when left out)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    parser.add_argument("--instance", default="bench")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (there are: {', '.join(BENCHMARKS)})")
    options = Options(pupils=given.pupils, peer_pupils=given.peer_pupils, out=given.out, instance=given.instance, documents=given.documents)
    for name in given.names or BENCHMARKS:
        figure = BENCHMARKS[name](options)
        figures.write(given.out / "bench.json", [figure])
        print(f"{name}: {figure.value:g} {figure.unit}; {figure.peer}: {figure.peer_value:g}; ratio {figure.ratio:g}")
    print(f"written: {given.out / 'bench.json'}")


if __name__ == "__main__":
    main()
