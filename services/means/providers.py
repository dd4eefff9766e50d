"""The remote signing providers of an installation, as its operator lists them; which protocol each speaks is one line of `PROTOCOLS`.

The file is a JSON list. `id` (letters, digits, `-`) and `name` (as people know the provider), `url`, `protocol` (csc when left out);
what the provider knows us by: `client_id` and `secret_file`, a file that holds nothing but the secret; `check_seconds`: how long to
leave it alone while the person has not answered. `login` is of csc alone: basic, oauth2code or oauth2client.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from services.chassis.settings import secret
from services.means.csc import Csc, Login
from services.means.mysign import MySign
from services.means.remote import Remote
from services.means.sp769 import Sp769

Protocol = Literal["csc", "sp769", "mysign"]
Trust = ssl.SSLContext


class Provider(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str = Field(min_length=1)
    url: str
    protocol: Protocol = "csc"
    login: Login = "basic"
    client_id: str = ""
    secret_file: Path | None = None
    check_seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_known_to_it(self) -> Provider:
        if (self.protocol != "csc" or self.login != "basic") and not (self.client_id and self.secret_file):
            raise ValueError(f"provider {self.id}: client_id and secret_file are needed")
        return self

    @property
    def secret(self) -> str:
        return secret(self.secret_file) if self.secret_file else ""


PROTOCOLS: Final[dict[Protocol, Callable[[Provider, Trust], Remote]]] = {
    "csc": lambda p, trust: Csc(
        p.url, verify=trust, login=p.login, client_id=p.client_id, client_secret=p.secret, check_seconds=p.check_seconds or 0.5
    ),
    "sp769": lambda p, trust: Sp769(
        p.url, verify=trust, service_id=p.client_id, service_password=p.secret, check_seconds=p.check_seconds or 5.0
    ),
    "mysign": lambda p, trust: MySign(
        p.url, verify=trust, client_id=p.client_id, client_secret=p.secret, check_seconds=p.check_seconds or 2.0
    ),
}


def listed(file: Path) -> list[Provider]:
    """Raises ValidationError (a ValueError) for a file that says something else, or one thing twice."""
    found = TypeAdapter(list[Provider]).validate_python(json.loads(file.read_text(encoding="utf-8")))
    if len({each.id for each in found}) < len(found):
        raise ValueError("two providers have the same id")
    return found


def adapters(providers: list[Provider], ca_file: Path | None) -> dict[str, Remote]:
    """By id. `ca_file` says whom to trust for https besides the system's own roots."""
    trust = ssl.create_default_context()
    if ca_file is not None:
        trust.load_verify_locations(ca_file)
    return {each.id: PROTOCOLS[each.protocol](each, trust) for each in providers}
