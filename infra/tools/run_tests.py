"""All tests but the slow ones, in two runs side by side: those that need no servers, and those on real parts, which wait a lot.

`python -m infra.tools.run_tests [pytest options]`: what the first run says is printed after the second has ended. The exit status is
the first that is not 0.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_SERVERS = ("architecture", "contracts", "unit")


def main(options: list[str]) -> int:
    folders = sorted(p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and any(p.rglob("test_*.py")))
    alone = [f"tests/{name}" for name in folders if name in WITHOUT_SERVERS]
    on_parts = [f"tests/{name}" for name in folders if name not in WITHOUT_SERVERS]
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "not faults and not slow",
        "--hypothesis-profile=repeatable",
        "--durations=25",
        *options,
    ]
    with tempfile.TemporaryFile() as said:
        aside = subprocess.Popen([*pytest, "-p", "no:cacheprovider", *alone], cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*pytest, *on_parts], cwd=ROOT, check=False).returncode
            second = aside.wait()
        finally:
            aside.kill()
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return first or second


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
