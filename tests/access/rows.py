"""One row for every route: what is asked, and who may. Values that begin with "@" stand for what the world made of school A."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.access.needs import Need


@dataclass(frozen=True)
class Row:
    """`values` fill the path, `query` the address; of `json`, `form` and `file` one is sent.

    Codes of refusals: `hidden` are those by which a thing is kept from somebody although the status is no 401 or 403 (a 404, say),
    `meant` those with status 401 or 403 by which a rule speaks to somebody who was let in. `leads` is an address of signing in that
    the answer leads to by itself. `step_up`: an old confirmation is refused. `shows`: why an outsider may be shown data of school A.
    """

    method: str
    path: str
    need: Need
    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Sequence[tuple[str, str]] | None = None
    file: tuple[str, str] | None = None
    hidden: tuple[str, ...] = ()
    meant: tuple[str, ...] = ()
    leads: bool = False
    step_up: bool = False
    shows: str = ""
    touches: str = ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def page(path: str, need: Need, **more: Any) -> Row:
    return Row("GET", path, need, **more)


def act(path: str, need: Need, form: Sequence[tuple[str, str]] = (), **more: Any) -> Row:
    """A form that is sent."""
    return Row("POST", path, need, form=form, **more)


def order(path: str, need: Need, json: Any = None, **more: Any) -> Row:
    """JSON that is sent."""
    return Row("POST", path, need, json=json, **more)
