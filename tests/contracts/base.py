"""The commit that a change is compared with, read with git alone."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from infra.generate import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _git(root: Path, *arguments: str) -> bytes | None:
    """Standard output; None when git says no (no such revision, no repository)."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _commit(root: Path, revision: str) -> str | None:
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return found.decode().strip() if found else None


def base_commit(root: Path = ROOT) -> str | None:
    """HOCBA_BASE, else origin/main where it is another commit than HEAD, else HEAD's parent; None in a history of one commit.

    Raises LookupError when HOCBA_BASE names nothing: a check that was asked for must not pass by comparing nothing.
    """
    asked = os.environ.get("HOCBA_BASE")
    if asked:
        commit = _commit(root, asked)
        if commit is None:
            raise LookupError(f"HOCBA_BASE={asked} is no commit of this repository")
        return commit
    main = _commit(root, "origin/main")
    return main if main and main != _commit(root, "HEAD") else _commit(root, "HEAD^")


def files_at(commit: str, folder: str, root: Path = ROOT) -> dict[str, bytes]:
    """Path → content of every file below `folder` in `commit`."""
    listed = _git(root, "ls-tree", "-r", "-z", "--name-only", commit, "--", folder) or b""
    paths = [path.decode() for path in listed.split(b"\0") if path]
    return {path: _git(root, "show", f"{commit}:{path}") or b"" for path in paths}


def edited(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[str]:
    """Files of the base commit that are gone or hold something else by now; new ones do not matter."""
    return sorted(path for path, content in before.items() if now.get(path) != content)
