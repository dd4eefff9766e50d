"""What every file of the repository keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from infra.generate import ROOT
from tests.architecture.sources import below, place, tracked, tree

LONGEST = 700
"""Lines of a source file that a reader still takes in."""
SOURCES = {".py", ".html", ".typ", ".mjs", ".java", ".js", ".sh"}
VENDORED = ("services/identity/static-openapi/", "services/chassis/web/static/", "tests/journeys/vendor/")
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(host))
        for host in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("repo", "maven"),
            ("repo1", "maven"),
            ("maven", "org"),
            ("proxy", "golang"),
            ("sum", "golang"),
            ("registry", "npmjs"),
            ("npmjs", "com"),
            ("deb", "debian"),
            ("security", "debian"),
            ("archive", "ubuntu"),
        )
    )
)
MACHINE = re.compile(r"(?<![\w.{}$-])/(?:work|root|home/\w+)/(?=[\w.])")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{64}|\"d\"\s*:\s*\"[A-Za-z0-9_-]{40,}\"")
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
PACKAGES_NAMED = re.compile(r"apt(?:-get)? install ([\w .+-]+)")


def text_of(path: Path) -> str:
    """The text of a file; "" for one that is not text."""
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


def is_vendored(path: Path) -> bool:
    return place(path).startswith(VENDORED)


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """`file:line` of every match outside vendored files."""
    return [
        place(path, text.count("\n", 0, match.start()) + 1)
        for path in tracked()
        if not is_vendored(path)
        for text in [text_of(path)]
        for match in pattern.finditer(text)
    ]


def test_no_source_file_is_too_long_to_read() -> None:
    lengths = {place(p): text_of(p).count("\n") for p in tracked() if p.suffix in SOURCES and not is_vendored(p)}
    assert len(lengths) > 150
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_nothing_is_left_for_later_in_the_files() -> None:
    assert lines_with(UNFINISHED) == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert lines_with(REGISTRIES) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE) == []


@pytest.mark.parametrize("folder", ["work", "root", "home/somebody"])
def test_a_path_of_one_machine_would_be_seen(folder: str) -> None:
    assert MACHINE.search(f"cd /{folder}/main")
    assert not MACHINE.search(f"${{HOME}}/{folder}/main")


def test_no_private_key_is_in_the_repository() -> None:
    assert lines_with(SECRET) == []
    assert [place(p) for p in tracked() if p.suffix in {".key", ".p12", ".pfx", ".jks", ".jwk"}] == []


def test_a_committed_private_key_would_be_seen() -> None:
    assert SECRET.search("-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64)
    assert SECRET.search('{"kty": "OKP", "d": "' + "a" * 43 + '"}')


def test_the_lock_pins_every_requirement_by_hash_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    requirements = [r for r in re.split(r"\n(?=[a-z0-9])", "\n" + lock) if re.match(r"[a-z0-9]", r)]
    assert len(requirements) > 60
    assert [r.partition("\n")[0] for r in requirements if "--hash=sha256:" not in r] == []
    assert [r.partition("\n")[0] for r in requirements if not re.match(r"[a-z0-9_.-]+(\[[\w,-]+\])?==", r)] == []
    assert "://" not in lock
    assert "index-url" not in lock


def test_every_direct_dependency_is_in_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    named = re.findall(r'^    "([a-z0-9-]+)[\[=><" ;]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) > 30
    assert [name for name in named if not re.search(rf"^{re.escape(name)}(\[[\w,-]+\])?==", lock, re.MULTILINE)] == []


def debian_packages() -> set[str]:
    lines = (ROOT / "infra" / "packages.txt").read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def test_every_debian_package_that_the_docs_tell_to_install_is_in_the_list() -> None:
    pages = [p for p in tracked() if p.suffix in {".md", ".txt", ".toml", ".yaml"} or p.name == "Makefile"]
    told = {
        (place(page), name)
        for page in pages
        for names in PACKAGES_NAMED.findall(text_of(page))
        for name in names.split()
        if not name.startswith("-")
    }
    assert {(page, name) for page, name in told if name not in debian_packages()} == set()


def test_the_list_of_debian_packages_names_a_proof_for_each() -> None:
    lines = (ROOT / "infra" / "packages.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    assert len(entries) >= 8
    assert [entry for entry in entries if len(entry) != 2] == []
    assert len({entry[0] for entry in entries}) == len(entries)


def test_the_name_of_every_test_reads_as_a_sentence() -> None:
    short = [
        place(path, node.lineno)
        for path in below("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_") and node.name.count("_") < 4
    ]
    assert short == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    found = [
        place(path, node.lineno)
        for path in below("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip"}
    ]
    assert found == []


def test_every_silenced_check_says_why() -> None:
    silenced = re.compile(r"#\s*(?:type: ignore\[[\w, -]+\]|noqa: [A-Z0-9, ]+)(.*)$")
    bare = re.compile(r"#\s*(?:type: ignore(?!\[)|noqa(?!:))")
    found = [
        place(path, number)
        for path in below("services", "contracts", "infra", "tests")
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        for match in [silenced.search(line)]
        if path != Path(__file__).resolve() and (bare.search(line) or (match and not re.search(r"\w{3}", match[1])))
    ]
    assert found == []
