"""What is compared with what: the base commit as git has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.contracts.base import base_commit, edited, files_at

FOLDER = "contracts/examples"


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit with two messages, and nothing from outside that would choose a base."""
    for name in ("HOCBA_BASE", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    for setting, value in {"NAME": "Nobody", "EMAIL": "nobody@example.test"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{setting}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{setting}", value)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name in ("one", "two"):
        write(tmp_path, name, "{}\n")
    commit(tmp_path)
    return tmp_path


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message=change")
    return git(root, "rev-parse", "HEAD")


def write(root: Path, name: str, text: str) -> None:
    path = root / FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def present(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.glob(f"{FOLDER}/*.json")}


def test_a_history_of_one_commit_has_no_base(history: Path) -> None:
    assert base_commit(history) is None


def test_the_parent_is_the_base_when_there_is_no_other_main(history: Path) -> None:
    first = git(history, "rev-parse", "HEAD")
    second = commit(history)
    assert base_commit(history) == first
    git(history, "update-ref", "refs/remotes/origin/main", second)
    assert base_commit(history) == first


def test_the_main_branch_of_the_origin_is_the_base_of_other_commits(history: Path) -> None:
    main = commit(history)
    git(history, "update-ref", "refs/remotes/origin/main", main)
    commit(history)
    commit(history)
    assert base_commit(history) == main


def test_a_base_that_was_asked_for_wins_or_fails(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git(history, "rev-parse", "HEAD")
    commit(history)
    commit(history)
    monkeypatch.setenv("HOCBA_BASE", first[:10])
    assert base_commit(history) == first
    monkeypatch.setenv("HOCBA_BASE", "no-such-branch")
    with pytest.raises(LookupError, match="no-such-branch"):
        base_commit(history)


def test_an_edited_and_a_removed_message_are_named_and_a_new_one_is_not(history: Path) -> None:
    before = files_at(git(history, "rev-parse", "HEAD"), FOLDER, history)
    assert edited(before, present(history)) == []
    write(history, "new", "{}\n")
    assert edited(before, present(history)) == []
    write(history, "one", '{"more": 1}\n')
    (history / FOLDER / "two.json").unlink()
    assert edited(before, present(history)) == [f"{FOLDER}/one.json", f"{FOLDER}/two.json"]
