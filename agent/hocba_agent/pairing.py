"""What the agent remembers between runs: the server it is paired with, that server's keys, its own secret. Readable by its owner alone."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hocba_agent import troubles

FOLDER_VARIABLE = "HOCBA_AGENT_HOME"
RUN_LINK = "hocba:run"
"""Starts the program that is paired already."""


@dataclass(frozen=True)
class Pairing:
    """`session` is the secret that the server knows this agent by; `keys` is the JWKS that its jobs must be signed with."""

    server: str
    agent: str
    name: str
    session: str = field(repr=False)
    keys: dict[str, Any]
    ca: str | None = None
    modules: tuple[str, ...] = ()


def folder() -> Path:
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", str(Path.home()))) / "hocba-agent"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "hocba-agent"
    return Path(os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))) / "hocba-agent"


def checked_server(address: str) -> str:
    """The address without what follows the host. Raises Trouble `wrong_server` for anything but plain https."""
    parts = urlsplit(address.strip())
    if parts.scheme != "https" or not parts.hostname:
        raise troubles.wrong_server("địa chỉ phải bắt đầu bằng https://")
    if parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise troubles.wrong_server("chỉ nhập địa chỉ máy chủ, không có phần phía sau")
    return f"https://{parts.netloc}"


def from_link(link: str) -> tuple[str, str]:
    """(server, code) of `hocba:pair?server=…&code=…`, which some systems write as `hocba://pair/?…`. Raises Trouble `wrong_server`."""
    parts = urlsplit(link)
    asked = parse_qs(parts.query)
    if (
        parts.scheme != "hocba"
        or (parts.netloc + parts.path).strip("/") != "pair"
        or len(asked.get("server", [])) != 1
        or len(asked.get("code", [])) != 1
    ):
        raise troubles.wrong_server("liên kết không đúng mẫu")
    return checked_server(asked["server"][0]), asked["code"][0]


def save(pairing: Pairing, at: Path) -> None:
    _write(at / "pairing.json", asdict(pairing))


def load(at: Path) -> Pairing:
    """Raises Trouble `not_paired` when there is none, or none that can be read."""
    try:
        stored = json.loads((at / "pairing.json").read_text(encoding="utf-8"))
        return Pairing(**{**stored, "modules": tuple(stored["modules"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError) as missing:
        raise troubles.not_paired() from missing


def forget(at: Path) -> None:
    (at / "pairing.json").unlink(missing_ok=True)


class Answered:
    """Jobs that were carried out, until their deadline: none is carried out twice, not even after a restart."""

    def __init__(self, at: Path) -> None:
        self._file = at / "answered.json"
        self._until: dict[str, int] = self._read()

    def _read(self) -> dict[str, int]:
        try:
            return {str(job): int(until) for job, until in json.loads(self._file.read_text(encoding="utf-8")).items()}
        except (FileNotFoundError, ValueError, AttributeError):
            return {}

    def __contains__(self, job: str) -> bool:
        return job in self._until

    def add(self, job: str, until: int, now: float) -> None:
        self._until = {known: end for known, end in self._until.items() if end > now} | {job: until}
        _write(self._file, self._until)


def _write(path: Path, content: Any) -> None:
    """Whole or not at all, and never readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    draft.replace(path)
