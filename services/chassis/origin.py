"""Where an act comes from: the request at hand, the network address and the device of who asks.

Of what a browser says about itself only the words of the tables here are kept.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request

OTHER = "Thiết bị khác"
BROWSERS = (
    ("Zalo", "Zalo"),
    ("coc_coc_browser/", "Cốc Cốc"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Sign in the header and name; the first that fits counts, because browsers also name those they descend from."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows NT", "Windows"),
    ("Macintosh", "máy Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""Likewise: Android also calls itself Linux."""
ADDRESS_LENGTH = 45
"""Of the longest address in text: IPv6 with an IPv4 tail (RFC 4291, 2.2)."""


@dataclass(frozen=True)
class Origin:
    """The device in plain words, and the network address."""

    device: str
    address: str

    @property
    def document(self) -> dict[str, str]:
        return {"address": self.address, "device": self.device}


@dataclass(frozen=True)
class Asking:
    """The request that is being answered."""

    request_id: str
    origin: Origin


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)


def asking() -> Asking | None:
    """None outside a request: in workers, relays and commands."""
    return _asking.get()


@contextmanager
def answering(request_id: str, origin: Origin) -> Iterator[None]:
    token = _asking.set(Asking(request_id, origin))
    try:
        yield
    finally:
        _asking.reset(token)


def origin_of(request: Request) -> Origin:
    """The address as the gateway says, which puts its own word in place of a client's; the device as the browser says."""
    address = request.headers.get("X-Forwarded-For") or (request.client.host if request.client else "")
    return Origin(device=in_words(request.headers.get("User-Agent", "")), address=address[:ADDRESS_LENGTH])


def in_words(user_agent: str) -> str:
    """ "Chrome trên Windows"; OTHER when browser or system is not in the tables, as for programs."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in SYSTEMS if sign in user_agent), None)
    return f"{browser} trên {system}" if browser and system else OTHER
