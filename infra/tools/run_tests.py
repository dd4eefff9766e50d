"""All tests but the slow ones, in two lines side by side, since most of them wait a lot.

`python -m infra.tools.run_tests [pytest options]`: one line runs what needs no servers and then what shares the light stack (stores and
outside systems), the other what brings up whole stacks of its own. What the first line says is printed after the second has ended. The
exit status is the first that is not 0.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_SERVERS = ("architecture", "contracts", "unit")
QUICK = ("-m", "not faults and not slow", "--hypothesis-profile=repeatable", "--durations=25")


def main(options: list[str]) -> int:
    folders = sorted(p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and any(p.rglob("test_*.py")))
    alone = [f"tests/{name}" for name in folders if name in WITHOUT_SERVERS]
    on_parts = [f"tests/{name}" for name in folders if name not in WITHOUT_SERVERS]
    with tempfile.TemporaryFile() as said:
        without = _begin([*alone, *options], said)
        whole = _begin(["--on=others", *on_parts, *options], None)
        try:
            first = without.wait()
            light = _begin(["--on=light-stack", *on_parts, *options], said)
            try:
                second, third = whole.wait(), light.wait()
            finally:
                light.kill()
        finally:
            without.kill()
            whole.kill()
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return first or second or third


def _begin(arguments: list[str], said: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """The line that is printed later keeps no cache: two must not write it at once."""
    cache = () if said is None else ("-p", "no:cacheprovider")
    return subprocess.Popen([sys.executable, "-m", "pytest", *QUICK, *cache, *arguments], cwd=ROOT, stdout=said, stderr=said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
