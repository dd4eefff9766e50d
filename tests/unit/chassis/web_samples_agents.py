"""The page of the signing program: nothing paired, a code just made, two computers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, shell


def agents() -> Iterator[Sample]:
    page: dict[str, Any] = {
        "shell": shell(),
        "title": "Chương trình ký số",
        "href": "/identity/agents",
        "begin_action": "/identity/agents/pairing-codes",
        "end_action": "/identity/agents/end",
        "server": "https://hocba.haiphong.edu.vn",
        "code": "",
        "minutes": 5,
        "link": "",
        "rows": [],
    }
    rows = [
        {"id": f"{n:032x}", "host": host, "version": "0.1.0", "since": MOMENT, "last_seen": seen, "online": online}
        for n, (host, seen, online) in enumerate([("may-van-phong-01", MOMENT, True), ("LAPTOP-CUA-TOI", None, False)])
    ]
    link = "hocba:pair?server=https%3A%2F%2Fhocba.haiphong.edu.vn&code=ABCD2345"
    yield Sample("identity/agents-empty", "identity/agents.html", page)
    yield Sample("identity/agents-code", "identity/agents.html", {**page, "code": "ABCD-2345", "link": link})
    yield Sample("identity/agents", "identity/agents.html", {**page, "rows": rows})
