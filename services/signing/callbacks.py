"""What providers call when a transaction is over: hints that anybody may send, so nothing in them is believed.

A hint makes the batch that waits for that transaction ask its provider at once. Values that come along are not even read; a forged,
repeated, late or unknown hint changes nothing, and the answer tells nothing either.
"""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import APIRouter, Request

from services.chassis.errors import Refused
from services.signing.asking import hint
from services.signing.errors import HINT_TOO_LARGE, HINTS_TOO_OFTEN

router = APIRouter(prefix="/api/signing")
MOST_BYTES = 2 * 1024 * 1024
"""A batch's values come along: about 400 bytes each."""


class Allowance:
    """So many hints a second from all providers together, and a few at once; by this process's own clock."""

    def __init__(self, per_second: float = 20.0, at_once: float = 100.0) -> None:
        self._per_second, self._most, self._left = per_second, at_once, at_once
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@router.post("/provider-callbacks/{provider}")
async def provider_callback(request: Request, provider: str) -> dict[str, str]:
    """A provider's webhook. Always the same answer to a body of an acceptable size."""
    if not request.app.state.hints.take():
        raise Refused(HINTS_TOO_OFTEN)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(HINT_TOO_LARGE)
    transaction = transaction_in(bytes(body))
    if transaction:
        await hint(request.app.state.store.db, provider, transaction)
    return {"status_code": "00", "message": "OK"}


def transaction_in(body: bytes) -> str:
    """The transaction that a webhook of any of the protocols names; empty when it names none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    places: list[Any] = [told, told.get("meta_data")] if isinstance(told, dict) else []
    named = [place.get("transaction_id") for place in places if isinstance(place, dict)]
    return next((each for each in named if isinstance(each, str)), "")
