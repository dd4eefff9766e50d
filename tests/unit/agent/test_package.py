"""What pipx installs: the same libraries that the tests run with, and the whole package."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hocba_agent import __version__

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = tomllib.loads((ROOT / "agent" / "pyproject.toml").read_text("utf-8"))


def test_the_program_is_installed_with_the_versions_that_it_is_tested_with() -> None:
    locked = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    for needed in PACKAGE["project"]["dependencies"]:
        assert any(line.startswith(needed) for line in locked), needed


def test_the_version_that_the_program_tells_is_that_of_the_package() -> None:
    assert PACKAGE["project"]["version"] == __version__
    assert PACKAGE["project"]["scripts"] == {"hocba-agent": "hocba_agent.__main__:run"}
    folders = {file.parent.relative_to(ROOT / "agent") for file in (ROOT / "agent" / "hocba_agent").rglob("*.py")}
    assert PACKAGE["tool"]["setuptools"]["packages"] == [".".join(folder.parts) for folder in sorted(folders)]
