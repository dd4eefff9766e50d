"""Where the stack's programs come from: on PATH when the version fits, else in the virtualenv or the cache.

Only the standard library is imported here: `infra/setup.py` uses this module before the virtualenv exists.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PACKAGES = ROOT / "infra" / "packages.txt"
KAFKA_POM = ROOT / "infra" / "kafka" / "pom.xml"

MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
MINIO_MODULE = f"github.com/minio/minio@{MINIO_VERSION}"
MINIO_OLDEST_RELEASE = "2024-01-01"
MONGOD_OLDEST_MAJOR = 6
NGINX_OLDEST = (1, 18)
GO_OLDEST = (1, 24)
JAVA_OLDEST = 17


class PartMissingError(RuntimeError):
    """A program of the stack is not there, or not in a version that fits; the message says what to do."""


def cache_dir() -> Path:
    """Slow downloads and builds live outside the clone: $HOCBA_CACHE or ~/.cache/hocba."""
    return Path(os.environ.get("HOCBA_CACHE") or Path.home() / ".cache" / "hocba").expanduser()


def venv_python() -> Path:
    return VENV / "bin" / "python"


def lock_digest() -> str:
    """Changes with the locked dependencies and with the interpreter they were installed for."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
    return hashlib.sha256(version + LOCK.read_bytes()).hexdigest()


def lock_stamp() -> Path:
    return VENV / "requirements.sha256"


def kafka_jars() -> Path:
    """The directory of the broker's jars; named by the pom's digest, so that a change of version is a new directory."""
    return cache_dir() / f"kafka-{hashlib.sha256(KAFKA_POM.read_bytes()).hexdigest()[:12]}"


def kafka_jars_present() -> bool:
    return (kafka_jars() / "complete").is_file()


def built_minio() -> Path:
    return cache_dir() / "bin" / "minio"


def minio_stamp() -> Path:
    return cache_dir() / "bin" / "minio.version"


def _output(*command: str | Path) -> str:
    """What a version command prints; empty when it cannot be run."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return done.stdout + done.stderr


def minio() -> Path | None:
    on_path = shutil.which("minio")
    if on_path:
        release = re.search(r"RELEASE\.(\d{4}-\d{2}-\d{2})", _output(on_path, "--version"))
        if release and release[1] >= MINIO_OLDEST_RELEASE:
            return Path(on_path)
    stamp = minio_stamp()
    if built_minio().is_file() and stamp.is_file() and stamp.read_text().strip() == MINIO_VERSION:
        return built_minio()
    return None


def mongod() -> Path | None:
    on_path = shutil.which("mongod")
    packaged = sorted(VENV.glob("lib/python*/site-packages/fiftyone/db/bin/mongod"))
    for candidate in [*([Path(on_path)] if on_path else []), *packaged]:
        version = re.search(r"db version v(\d+)\.", _output(candidate, "--version"))
        if version and int(version[1]) >= MONGOD_OLDEST_MAJOR:
            return candidate
    return None


def nginx() -> Path | None:
    # Debian keeps it in a directory that an ordinary user's PATH leaves out
    on_path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    version = re.search(r"nginx/(\d+)\.(\d+)", _output(on_path, "-v")) if on_path else None
    if on_path and version and (int(version[1]), int(version[2])) >= NGINX_OLDEST:
        return Path(on_path)
    return None


def java() -> Path | None:
    on_path = shutil.which("java")
    version = re.search(r'version "(\d+)', _output(on_path, "-version")) if on_path else None
    return Path(on_path) if on_path and version and int(version[1]) >= JAVA_OLDEST else None


def go() -> Path | None:
    on_path = shutil.which("go")
    version = re.search(r"go(\d+)\.(\d+)", _output(on_path, "version")) if on_path else None
    if on_path and version and (int(version[1]), int(version[2])) >= GO_OLDEST:
        return Path(on_path)
    return None


def required(part: Path | None, name: str) -> Path:
    """The part, or an error that names the command which provides it."""
    if part is None:
        raise PartMissingError(f"{name} is missing or too old: run `python infra/setup.py`")
    return part
