"""Builds the Java programs that something is compared with, once, outside the clone."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parent / "dss"
BUILD = ("-q", "-B", "compile", "dependency:copy-dependencies", "-DincludeScope=runtime")


def classpath() -> str:
    """Class path of the built programs; builds them with Maven when these sources have not been built before.

    Raises SystemExit when they cannot be built.
    """
    cache = Path(os.environ.get("HOCBA_CACHE") or Path.home() / ".cache" / "hocba")
    home = cache / f"bench-dss-{_fingerprint()}"
    if not home.is_dir():
        _build(home)
    return f"{home / 'target' / 'classes'}{os.pathsep}{home / 'target' / 'dependency'}/*"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for file in [PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*.java"))]:
        digest.update(str(file.relative_to(PROJECT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build(home: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise SystemExit("EU DSS needs Maven and a JDK 17: packages maven, default-jdk-headless")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="bench-dss-build-") as scratch:
        place = Path(scratch) / "project"
        shutil.copytree(PROJECT, place, ignore=shutil.ignore_patterns("target"))
        built = subprocess.run([maven, *BUILD], cwd=place, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            raise SystemExit(f"Maven could not build EU DSS: {(built.stdout + built.stderr).strip()[-2000:]}")
        if not home.is_dir():
            place.rename(home)
