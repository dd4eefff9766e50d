"""Installs what the project needs, each step once: `python infra/setup.py [--only STEP]`.

Runs on the system's Python before the virtualenv exists, so it imports the standard library alone.
"""

import argparse
import ctypes
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from infra.stack import parts

LOGS = parts.ROOT / "var" / "setup"
PYTHON_OLDEST = (3, 11)
SHOW_EVERY_SECONDS = 10.0


class SetupError(RuntimeError):
    """A step did not succeed; the message says which and what helps."""


def say(text: str) -> None:
    print(text, flush=True)


def run_visibly(label: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command with its output in a log, showing elapsed seconds and its last line while it works."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{label.replace(' ', '-')}.log"
    started = shown = time.monotonic()
    say(f"  {label} ...")
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=parts.ROOT)
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if time.monotonic() - shown >= SHOW_EVERY_SECONDS:
                    shown = time.monotonic()
                    lines = _lines(log)
                    say(f"  {label}: {shown - started:.0f} s, {len(lines)} lines, {lines[-1][:100] if lines else ''}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        last = "\n".join(f"    {line}" for line in _lines(log)[-25:])
        raise SetupError(f"{label} failed with status {process.returncode} ({log}):\n{last}")
    say(f"  {label}: done in {time.monotonic() - started:.1f} s")


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").split("\n")[:-1]


# --- steps -------------------------------------------------------------------------------------------------------------


def install_packages() -> str:
    missing = missing_packages(parts.PACKAGES.read_text())
    if not missing:
        return "all there"
    names = " ".join(missing)
    prefix = _as_root()
    if prefix is None or shutil.which("apt-get") is None:
        raise SetupError(f"these Debian packages (or their like) are missing and cannot be installed from here: {names}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_visibly("package index", [*prefix, "apt-get", "update", "-q"], env)
    run_visibly("packages", [*prefix, "apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], env)
    still = missing_packages(parts.PACKAGES.read_text())
    if still:
        raise SetupError(f"installed, but not usable: {' '.join(still)}")
    return f"installed {names}"


def missing_packages(listing: str) -> list[str]:
    """Packages of the list whose command or library is not there."""
    rows = [line.split() for line in listing.splitlines() if line.strip() and not line.startswith("#")]
    return [package for package, provides in rows if not _there(provides)]


def _there(provides: str) -> bool:
    if ".so" in provides:
        try:
            ctypes.CDLL(provides)
        except OSError:
            return False
        return True
    found = {"nginx": parts.nginx, "java": parts.java}.get(provides, lambda: shutil.which(provides))()
    return found is not None


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    return None


def install_venv() -> str:
    running = tuple(int(part) for part in platform.python_version_tuple()[:2])
    if running < PYTHON_OLDEST:
        raise SetupError(f"Python {'.'.join(map(str, PYTHON_OLDEST))} or later is needed, this is {platform.python_version()}")
    digest = parts.lock_digest()
    stamp = parts.lock_stamp()
    if parts.venv_python().exists() and stamp.is_file() and stamp.read_text() == digest:
        return "unchanged"
    if not parts.venv_python().exists():
        try:
            run_visibly("virtualenv", [sys.executable, "-m", "venv", str(parts.VENV)])
        except SetupError as error:
            raise SetupError(f"{error}\n  (Debian keeps venv in a package of its own: python3-venv)") from error
    pip = [str(parts.venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    run_visibly("locked dependencies", [*pip, "--require-hashes", "-r", str(parts.LOCK)])
    stamp.write_text(digest)
    return "installed"


def fetch_kafka() -> str:
    if parts.kafka_jars_present():
        return "cached"
    maven = shutil.which("mvn")
    if maven is None or parts.java() is None:
        raise SetupError(f"Kafka needs a Java {parts.JAVA_OLDEST} runtime and Maven: packages default-jre-headless, maven")
    target = parts.kafka_jars()
    target.mkdir(parents=True, exist_ok=True)
    goal = [maven, "-B", "-f", str(parts.KAFKA_POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    run_visibly("kafka jars", [*goal, f"-DoutputDirectory={target}"])
    (target / "complete").touch()
    return "fetched"


def build_minio() -> str:
    present = parts.minio()
    if present:
        return f"there ({present})"
    go = parts.go()
    if go is None:
        oldest = ".".join(str(number) for number in parts.GO_OLDEST)
        raise SetupError(f"MinIO is built from source and needs Go {oldest} or later on PATH (or a recent minio on PATH)")
    outcome = "found in the cache"
    if not _built_version_fits(go):
        say("  MinIO is compiled once, which takes some minutes; later runs reuse it")
        bin_dir = parts.built_minio().parent
        bin_dir.mkdir(parents=True, exist_ok=True)
        run_visibly("minio build", [str(go), "install", "-v", parts.MINIO_MODULE], {**os.environ, "GOBIN": str(bin_dir)})
        outcome = "built"
    parts.minio_stamp().write_text(parts.MINIO_VERSION + "\n")
    return outcome


def _built_version_fits(go: Path) -> bool:
    """Whether the cached binary says it was built from the wanted version (Go records it inside)."""
    if not parts.built_minio().is_file():
        return False
    recorded = subprocess.run([str(go), "version", "-m", str(parts.built_minio())], capture_output=True, text=True, check=False)
    return parts.MINIO_VERSION in recorded.stdout


def check_mongod() -> str:
    for packaged in parts.VENV.glob("lib/python*/site-packages/fiftyone/db/bin/mongod"):
        if not os.access(packaged, os.X_OK):
            packaged.chmod(0o755)
    found = parts.mongod()
    if found is None:
        raise SetupError(f"no mongod {parts.MONGOD_OLDEST_MAJOR} or later: the virtualenv brings one on x86_64 (it needs libcurl4)")
    return f"there ({found.relative_to(parts.ROOT) if found.is_relative_to(parts.ROOT) else found})"


STEPS: dict[str, Callable[[], str]] = {
    "packages": install_packages,
    "venv": install_venv,
    "kafka": fetch_kafka,
    "minio": build_minio,
    "mongod": check_mongod,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=list(STEPS), help="do this step alone (may be repeated)")
    chosen = parser.parse_args().only or list(STEPS)
    for name in chosen:
        started = time.monotonic()
        try:
            outcome = STEPS[name]()
        except SetupError as error:
            say(f"{name}: {error}")
            return 1
        say(f"{name}: {outcome} ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
