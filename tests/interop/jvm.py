"""Builds the Java validators once, outside the clone, and runs them over many files in one warm JVM."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent / "dss"
BUILD = ("mvn", "-q", "-B", "compile", "dependency:copy-dependencies", "-DincludeScope=runtime")

# Naming the JDK's own XML factories spares a search through every (signed) jar for each document: half of DSS's time.
XML_FACTORIES = (
    "-Djavax.xml.parsers.DocumentBuilderFactory=com.sun.org.apache.xerces.internal.jaxp.DocumentBuilderFactoryImpl",
    "-Djavax.xml.transform.TransformerFactory=com.sun.org.apache.xalan.internal.xsltc.trax.TransformerFactoryImpl",
    "-Djavax.xml.xpath.XPathFactory:http://java.sun.com/jaxp/xpath/dom=com.sun.org.apache.xpath.internal.jaxp.XPathFactoryImpl",
    "-Dcom.sun.org.apache.xml.internal.dtm.DTMManager=com.sun.org.apache.xml.internal.dtm.ref.DTMManagerDefault",
)

# the thorough compiler pays only for long runs: below this, it takes a third to half of the time
FEW_FILES = 200


class OracleError(Exception):
    """A validator could not be built, started or understood: no statement about any document."""


def classpath() -> str:
    """Class path of the built validators; builds them with Maven when these sources have not been built before."""
    home = _cache() / f"dss-{_fingerprint()}"
    if not home.is_dir():
        _build(home)
    return f"{home / 'target' / 'classes'}{os.pathsep}{home / 'target' / 'dependency'}/*"


def java(main: str, *arguments: str) -> list[str]:
    """The command that runs `hocba.interop.<main>` with the thorough compiler, for what is run long enough to be timed."""
    quiet = ("-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off")
    return [tool("java"), "-Xmx1536m", *quiet, *XML_FACTORIES, "-cp", classpath(), f"hocba.interop.{main}", *arguments]


def run(main: str, options: Sequence[str], files: Sequence[Path]) -> list[dict[str, Any]]:
    """One JSON object a file, in the order of `files`, from `hocba.interop.<main>`."""
    if not files:
        return []
    command = [
        tool("java"),
        "-Xmx1536m",
        *(["-XX:TieredStopAtLevel=1"] if len(files) < FEW_FILES else []),
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
        *XML_FACTORIES,
        "-cp",
        classpath(),
        f"hocba.interop.{main}",
        *options,
    ]
    names = "".join(f"{file}\n" for file in files)
    done = subprocess.run(command, input=names, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise OracleError(f"{main} ended with status {done.returncode}: {done.stderr.strip()[-2000:]}")
    answers: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    if [answer["file"] for answer in answers] != [str(file) for file in files]:
        raise OracleError(f"{main} answered for {len(answers)} of {len(files)} files")
    return answers


def tool(name: str) -> str:
    """Path of a program this machine must have."""
    path = shutil.which(name)
    if path is None:
        raise OracleError(f"{name} is not on PATH; the validators need java 17, mvn, pdfsig (poppler-utils) and xmlsec1")
    return path


def _cache() -> Path:
    return Path(os.environ.get("HOCBA_CACHE") or Path.home() / ".cache" / "hocba")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for file in [PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*.java"))]:
        digest.update(str(file.relative_to(PROJECT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build(home: Path) -> None:
    """Builds beside `home` and renames, so that a broken or parallel build never leaves half a class path."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="dss-build-") as scratch:
        place = Path(scratch) / "project"
        shutil.copytree(PROJECT, place, ignore=shutil.ignore_patterns("target"))
        built = subprocess.run([tool("mvn"), *BUILD[1:]], cwd=place, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            raise OracleError(f"Maven could not build the validators: {(built.stdout + built.stderr).strip()[-2000:]}")
        try:
            place.rename(home)
        except OSError as taken:
            if not home.is_dir():
                raise OracleError(f"the built validators could not be moved to {home}: {taken}") from taken
