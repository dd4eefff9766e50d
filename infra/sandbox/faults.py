"""Misbehaviour on request: what POST /control/faults sets and what the servers ask before they answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

ANY = "*"


class FaultOrder(BaseModel):
    """Faults common to all servers. A field left out keeps its value; 0 or false switches it off.

    `endpoint` limits the order to one endpoint by its name; "*" stands for all. Fields ending in `_next` count down.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint: str = ANY
    slow_ms: int | None = Field(default=None, ge=0, description="wait before working, in milliseconds")
    down: bool | None = Field(default=None, description="answer 503 to everything")
    fail_next: int | None = Field(default=None, ge=0, description="answer 500 this many times, without working")
    fail_percent: int | None = Field(default=None, ge=0, le=100, description="answer 500 to this share of calls, evenly, without working")
    lose_answer_next: int | None = Field(default=None, ge=0, description="work, then answer 504 this many times")
    lose_answer_percent: int | None = Field(default=None, ge=0, le=100, description="work, then answer 504 to this share of calls, evenly")


class Faults:
    """The faults in force, by endpoint and name."""

    def __init__(self, endpoints: frozenset[str]) -> None:
        self.endpoints = endpoints
        self._values: dict[tuple[str, str], int] = {}
        self._shares: dict[tuple[str, str], int] = {}

    def apply(self, order: FaultOrder) -> None:
        if order.endpoint != ANY and order.endpoint not in self.endpoints:
            raise HTTPException(422, f"unknown endpoint {order.endpoint!r}; known: {', '.join(sorted(self.endpoints))}")
        for name, value in order.model_dump(exclude={"endpoint"}, exclude_none=True).items():
            if isinstance(value, int):
                self._values[order.endpoint, name] = int(value)

    def clear(self) -> None:
        self._values.clear()

    def value(self, endpoint: str, name: str) -> int:
        return self._values.get((endpoint, name), 0) or self._values.get((ANY, name), 0)

    def take(self, endpoint: str, name: str) -> bool:
        """Use up one of the counted faults; false when none is left."""
        for key in ((endpoint, name), (ANY, name)):
            if self._values.get(key, 0) > 0:
                self._values[key] -= 1
                return True
        return False

    def share(self, endpoint: str, name: str) -> bool:
        """Is this call among the percentage that the fault is for? Every call is counted, and the faults lie evenly between them."""
        percent = self.value(endpoint, name)
        before = self._shares.get((endpoint, name), 0)
        self._shares[endpoint, name] = before + percent
        return (before + percent) // 100 > before // 100

    def in_force(self) -> list[dict[str, Any]]:
        return [{"endpoint": endpoint, name: value} for (endpoint, name), value in sorted(self._values.items()) if value]


def install(app: FastAPI, faults: Faults, endpoint_of: Callable[[str], str | None]) -> None:
    """Put the common faults in front of every endpoint; `endpoint_of` maps a path to a name, or None for what never misbehaves."""

    @app.middleware("http")
    async def misbehave(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        endpoint = endpoint_of(request.url.path)
        if endpoint is None:
            return await answer(request)
        if slow := faults.value(endpoint, "slow_ms"):
            await asyncio.sleep(slow / 1000)
        if faults.value(endpoint, "down"):
            return JSONResponse({"error": "service_unavailable", "error_description": "down on request"}, 503, {"Retry-After": "1"})
        if faults.take(endpoint, "fail_next") or faults.share(endpoint, "fail_percent"):
            return JSONResponse({"error": "server_error", "error_description": "failed on request"}, 500)
        response = await answer(request)
        if faults.take(endpoint, "lose_answer_next") or faults.share(endpoint, "lose_answer_percent"):
            return JSONResponse({"error": "server_error", "error_description": "the answer was lost on request"}, 504)
        return response

    @app.get("/control/faults")
    async def faults_in_force() -> dict[str, Any]:
        return {"faults": faults.in_force(), "endpoints": sorted(faults.endpoints)}

    @app.delete("/control/faults")
    async def no_more_faults() -> dict[str, Any]:
        faults.clear()
        return {"faults": faults.in_force()}
