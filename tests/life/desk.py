"""Asking the services as the gateway asks them, and reading their answers: what was done, and the code of whatever was refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from contracts.access import Principal
from infra.generate.tables import catalogues
from services.chassis.errors import Refusal
from tests.integration.pages_world import World
from tests.life.model import Answer

CATALOGUE: dict[str, Refusal] = {r.code: r for every in catalogues().values() for r in every}
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵằắẳẵặầấẩẫậềếểễệồốổỗộờớởỡợừứửữự]", re.IGNORECASE)


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: Counter[str] = Counter()
        """How often each refusal was met."""

    async def send(self, who: Principal, method: str, path: str, body: object = None, **more: Any) -> tuple[Answer, dict[str, Any]]:
        """The refusal of the whole under "", and what was answered."""
        browser = self.world.browser(who)
        client = self.world.clients[path.split("/")[2]]
        arguments = {**more, **({"json": body} if body is not None else {})}
        response = await client.request(method, path, headers=browser._token(), **arguments)
        if response.is_success:
            return {}, response.json() if response.content else {}
        return {"": self._explained(response)}, {}

    def _explained(self, response: httpx.Response) -> str:
        """A refusal of the catalogue, with its Vietnamese words, and something that the person can do."""
        said = response.json()
        refusal = CATALOGUE.get(said["code"])
        assert refusal is not None, said
        assert response.status_code == refusal.status, said
        assert _says(refusal.cause, said["cause"]), said
        assert _says(refusal.action, said["action"]), said
        self.heard[refusal.code] += 1
        return refusal.code

    async def many(self, who: Principal, path: str, body: Mapping[str, Any], ids: Iterable[str], *, of: str = "transcript") -> Answer:
        """One act on several: each has its own answer, and the number that is told agrees."""
        refused, told = await self.send(who, "POST", path, body)
        if refused:
            return refused
        answer = dict.fromkeys(ids, "")
        for row in told["refused"]:
            refusal = CATALOGUE[row["code"]]
            assert _says(refusal.cause, row["reason"]), row
            assert VIETNAMESE.search(refusal.action), refusal
            if "action" in row:
                assert _says(refusal.action, row["action"]), row
            self.heard[refusal.code] += 1
            answer[row[of]] = row["code"]
        done = next(told[key] for key in ("done", "returned", "requested") if key in told)
        assert done == sum(1 for code in answer.values() if not code), told
        return answer


def _says(template: str, said: str) -> bool:
    """Whether these are the catalogue's words, with its blanks filled in, and Vietnamese."""
    pattern = re.sub(r"\\\{\w+\\\}", "(.+)", re.escape(template))
    return re.fullmatch(pattern, said, re.DOTALL) is not None and VIETNAMESE.search(said) is not None and "{" not in said
