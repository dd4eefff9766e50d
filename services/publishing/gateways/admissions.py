"""The admissions portal (contracts/openapi/admissions-portal-v1.yaml): the one place that knows its protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.publishing.gateways.service_http import GatewayAway, SignedHttp, read, refusal_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.settings import Settings


class Standing(BaseModel):
    """What the portal says of one push; `receipt` is a JWS."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    push: str = Field(alias="pushId")
    state: Literal["RECEIVED", "RECEIPTED", "REFUSED", "REVOKED"]
    received_at: AwareDatetime | None = Field(default=None, alias="receivedAt")
    receipt: str | None = Field(default=None, max_length=20_000)
    code: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(default=None, max_length=2000)


def revocation_order(admission: Mapping[str, Any]) -> bytes:
    """The same admission gives the same bytes."""
    order = {
        "pushId": admission["push"],
        "uuid": admission["_id"],
        "version": admission["version"],
        "schoolCode": admission["school"],
        "why": admission["fallen"],
        "at": admission["fallen_at"].isoformat(timespec="seconds"),
    }
    return json.dumps(order, separators=(",", ":")).encode()


class AdmissionsPortal:
    """Each call raises GatewayAway, or PackageRefused when the portal refuses what was sent."""

    def __init__(self, settings: Settings) -> None:
        if settings.admissions_url is None:
            raise SystemExit("HOCBA_ADMISSIONS_URL is not set")
        self._http = SignedHttp(settings, settings.admissions_url)

    async def push(self, push: str, body: bytes) -> Standing:
        """Sent again under the same id, it is the same push."""
        headers = {"Idempotency-Key": push, "X-JWS-Signature": self._http.detached_jws(body), "Content-Type": "application/zip"}
        return _own(await self._http.ask("POST", "/v1/pushes", content=body, headers=headers), push, httpx.codes.ACCEPTED)

    async def standing(self, push: str) -> Standing | None:
        """None when the portal does not know the push."""
        answer = await self._http.ask("GET", f"/v1/pushes/{push}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            # a refusal of its own; what a proxy says is no word on it
            refusal_in(answer)
            return None
        return _own(answer, push, httpx.codes.OK)

    async def revoke(self, push: str, body: bytes) -> Standing:
        """Also of what never arrived: the portal then refuses it when it comes."""
        headers = {"X-JWS-Signature": self._http.detached_jws(body), "Content-Type": "application/json"}
        return _own(await self._http.ask("POST", f"/v1/pushes/{push}/revocation", content=body, headers=headers), push, httpx.codes.OK)


def _own(answer: httpx.Response, push: str, expected: int) -> Standing:
    if answer.status_code != expected:
        raise refusal_in(answer)
    said = read(Standing, answer)
    if said.push != push:
        raise GatewayAway("an answer about another push")
    return said
