"""What the agent remembers, and which addresses and links it takes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from hocba_agent import __main__ as command
from hocba_agent import pairing
from hocba_agent.troubles import Trouble

MADE = pairing.Pairing("https://hocba.example", "agent-1", "Nguyễn Văn An", "bí mật", {"keys": [{"kid": "a"}]}, None, ("x.so",))


def test_a_pairing_is_remembered_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pairing.save(MADE, home)
    assert pairing.load(home) == MADE
    assert (home / "pairing.json").stat().st_mode & 0o777 == 0o600
    pairing.save(MADE, home)
    pairing.forget(home)
    pairing.forget(home)
    with pytest.raises(Trouble):
        pairing.load(home)


def test_the_secret_of_a_pairing_is_not_printed() -> None:
    assert "bí mật" not in repr(MADE)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"server": "https://a"}', '{"modules": []}'])
def test_a_damaged_pairing_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "pairing.json").write_text(content)
    with pytest.raises(Trouble) as raised:
        pairing.load(tmp_path)
    assert raised.value.code == "not_paired"


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    assert pairing.folder() == tmp_path
    monkeypatch.delenv(pairing.FOLDER_VARIABLE)
    assert pairing.folder().name == "hocba-agent"


def test_an_address_is_cut_down_to_the_server() -> None:
    assert pairing.checked_server(" https://hocba.example:8443/ ") == "https://hocba.example:8443"


@pytest.mark.parametrize(
    "address",
    [
        "http://hocba.example",
        "hocba.example",
        "https://",
        "https://a:b@c.example",
        "https://a.example/ui",
        "https://a.example?x=1",
        "file:///a",
    ],
)
def test_only_plain_https_addresses_are_taken(address: str) -> None:
    with pytest.raises(Trouble) as raised:
        pairing.checked_server(address)
    assert raised.value.code == "wrong_server"


@pytest.mark.parametrize("start", ["hocba:pair?", "hocba://pair?", "hocba://pair/?"])
def test_a_link_names_server_and_code(start: str) -> None:
    link = f"{start}server={quote('https://hocba.example', safe='')}&code=ABCD2345"
    assert pairing.from_link(link) == ("https://hocba.example", "ABCD2345")


@pytest.mark.parametrize(
    "link",
    [
        "https://pair?server=https%3A%2F%2Fa.example&code=A",
        "hocba://sign?server=https%3A%2F%2Fa.example&code=A",
        "hocba://pair?server=http%3A%2F%2Fa.example&code=A",
        "hocba://pair?server=https%3A%2F%2Fa.example&server=https%3A%2F%2Fb.example&code=A",
        "hocba://pair?code=A",
        "hocba://pair?server=https%3A%2F%2Fa.example",
    ],
)
def test_a_link_that_says_anything_else_is_refused(link: str) -> None:
    with pytest.raises(Trouble) as raised:
        pairing.from_link(link)
    assert raised.value.code == "wrong_server"


def test_a_link_pairs_only_after_the_person_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    asked: list[str] = []

    def say_no(prompt: str = "") -> str:
        asked.append(prompt)
        return "k"

    monkeypatch.setattr("builtins.input", say_no)
    link = "hocba://pair?server=https%3A%2F%2F127.0.0.1%3A9&code=ABCD2345"
    assert command.main(["open", link]) == command.FAILED
    assert "https://127.0.0.1:9" in asked[0]
    assert "Đã bỏ qua" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_running_without_a_pairing_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    assert command.main(["run"]) == command.NOT_PAIRED
    assert "hocba-agent pair" in capsys.readouterr().out


def test_a_server_that_is_away_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    assert command.main(["pair", "--server", "https://127.0.0.1:9", "--module", "x.so", "ABCD2345"]) == command.FAILED
    assert "Không kết nối được máy chủ" in capsys.readouterr().out


def test_a_module_that_is_not_found_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr("hocba_agent.drivers.candidates", list)
    asked: list[str] = []

    def answer(prompt: str = "") -> str:
        asked.append(prompt)
        return "/opt/ca/p11.so"

    monkeypatch.setattr("builtins.input", answer)
    assert command.main(["pair", "--server", "https://127.0.0.1:9", "ABCD2345"]) == command.FAILED
    assert "PKCS#11" in asked[0]


def test_carried_out_jobs_are_remembered_until_their_deadline(tmp_path: Path) -> None:
    now = time.time()
    known = pairing.Answered(tmp_path)
    known.add("old", int(now) - 1, now - 10)
    known.add("new", int(now) + 60, now)
    again = pairing.Answered(tmp_path)
    assert "new" in again
    assert "old" not in again
    assert json.loads((tmp_path / "answered.json").read_text()) == {"new": int(now) + 60}


def test_a_damaged_memory_of_jobs_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "answered.json").write_text("[1")
    assert "x" not in pairing.Answered(tmp_path)
