"""The operator's list of providers: what it may say, and which adapter an entry becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.means.csc import Csc
from services.means.mysign import MySign
from services.means.providers import adapters, listed
from services.means.sp769 import Sp769

CSC = {"id": "a", "name": "A", "url": "https://provider.example/csc/v2"}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "providers.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file


async def test_an_entry_becomes_the_adapter_of_its_protocol_with_its_own_secret(tmp_path: Path, secret_file: Path) -> None:
    known = {"client_id": "hocba", "secret_file": str(secret_file)}
    smart = {"id": "b", "name": "B", "url": "https://b.example/sca/sp769", "protocol": "sp769", "check_seconds": 7, **known}
    mine = {"id": "c", "name": "C", "url": "https://c.example/vtss/service", "protocol": "mysign", **known}
    made = adapters(listed(written(tmp_path, CSC, smart, mine)), None)
    assert {each: type(remote) for each, remote in made.items()} == {"a": Csc, "b": Sp769, "c": MySign}
    assert {each: (remote.asks_password, remote.check_seconds) for each, remote in made.items()} == {
        "a": (True, 0.5),
        "b": (False, 7.0),
        "c": (False, 2.0),
    }
    for remote in made.values():
        await remote.aclose()


@pytest.mark.parametrize(
    "entries",
    [
        [{**CSC, "protocol": "sp769"}],
        [{**CSC, "protocol": "mysign", "client_id": "hocba"}],
        [{**CSC, "login": "oauth2code"}],
        [{**CSC, "protocol": "unknown"}],
        [{**CSC, "password": "in the list itself"}],
        [{**CSC, "id": "../x"}],
        [CSC, CSC],
    ],
)
def test_a_list_that_is_wrong_is_refused_at_the_start(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"Provider|provider|same id"):
        listed(written(tmp_path, *entries))


@pytest.mark.parametrize(
    "address", ["http://provider.example/csc/v2", "ftp://a", "https://user:secret@a.example", "http://10.0.0.1/csc/v2"]
)
def test_an_address_that_is_not_safe_is_refused_for_every_protocol(tmp_path: Path, secret_file: Path, address: str) -> None:
    for protocol in ("csc", "sp769", "mysign"):
        entry = {**CSC, "url": address, "protocol": protocol, "client_id": "hocba", "secret_file": str(secret_file)}
        with pytest.raises(ValueError, match="a provider's address"):
            adapters(listed(written(tmp_path, entry)), None)


def test_a_name_without_a_dot_leads_no_further_than_the_own_network(tmp_path: Path) -> None:
    assert set(adapters(listed(written(tmp_path, {**CSC, "url": "http://sandbox-provider:8602/csc/v2"})), None)) == {"a"}
