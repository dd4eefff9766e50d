"""Systems that may read, as the installation's file names them, and the proof that a request is one of theirs.

A request is one signed statement (RFC 7519, in the manner of RFC 9101): who asks, for whom, what for, with which consent. Nothing of it
stands in an address or a header, and the signature covers all of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from services.chassis import clock
from services.chassis.errors import Refused
from services.publishing.reading.errors import NOT_KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUDIENCE: Final = "urn:hocba:reading"
ALGORITHMS: Final = ["ES256", "Ed25519"]
GOOD_FOR: Final = 300
"""Seconds at most between iat and exp; ids of requests are remembered for longer."""
LEEWAY: Final = 30
"""Seconds by which clocks may differ."""
LONGEST_ID: Final = 128

Purpose = Literal["own_view", "administrative", "admission", "school_transfer"]


class Consumer(BaseModel):
    """`units`: the oversight units below whose roofs it may read; `keys`: public JWKs with a `kid` each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    name: str = Field(min_length=1, max_length=200)
    units: tuple[str, ...] = Field(min_length=1)
    purposes: tuple[Purpose, ...] = Field(min_length=1)
    per_minute: int = Field(ge=1, le=100_000)
    keys: tuple[dict[str, Any], ...] = Field(min_length=1)

    @field_validator("keys")
    @classmethod
    def public_and_named(cls, keys: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for key in keys:
            if not isinstance(key.get("kid"), str) or key.get("kty") not in ("EC", "OKP"):
                raise ValueError("a key needs a kid, and is of EC or OKP")
            if "d" in key:
                raise ValueError("a private key has no place among the consumers")
        return keys


@dataclass(frozen=True)
class Signed:
    """A request that was proved: `claims` beside those that prove it are still to be judged."""

    consumer: Consumer
    jti: str
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class Consumers:
    by_key: Mapping[str, Consumer] = field(default_factory=dict)
    keys: Mapping[str, ECKey | OKPKey] = field(default_factory=dict)

    def proved(self, token: str) -> Signed:
        """Raises Refused(NOT_KNOWN) for whatever is not signed by a registered key, for us and now."""
        try:
            decoded = jwt.decode(token, self._key_of, algorithms=ALGORITHMS)
            _CLAIMS.validate(decoded.claims)
            consumer = self.by_key[decoded.header["kid"]]
            claims = decoded.claims
            lives = claims["exp"] - claims["iat"]
        except (JoseError, LookupError, TypeError, ValueError) as problem:
            raise Refused(NOT_KNOWN) from problem
        jti = claims["jti"]
        if claims["iss"] != consumer.id or not 0 < lives <= GOOD_FOR or not isinstance(jti, str) or not 1 <= len(jti) <= LONGEST_ID:
            raise Refused(NOT_KNOWN)
        return Signed(consumer, jti, claims)

    def _key_of(self, told: Any) -> ECKey | OKPKey:
        """Raises LookupError for a key that nobody registered."""
        return self.keys[told.headers()["kid"]]


_CLAIMS = jwt.JWTClaimsRegistry(
    now=lambda: int(clock.now().timestamp()),
    leeway=LEEWAY,
    iss={"essential": True},
    aud={"essential": True, "value": AUDIENCE},
    iat={"essential": True},
    exp={"essential": True},
    jti={"essential": True},
)


def read(file: Path | None) -> Consumers:
    """Nobody without a file. Raises ValueError for a file that says something else, or one id or key twice."""
    if file is None:
        return Consumers()
    return known(TypeAdapter(list[Consumer]).validate_python(json.loads(file.read_text(encoding="utf-8"))))


def known(consumers: list[Consumer]) -> Consumers:
    """Raises ValueError for an id or key that stands twice, and for a key that is none."""
    pairs = [(key, consumer) for consumer in consumers for key in consumer.keys]
    if len({c.id for c in consumers}) < len(consumers) or len({key["kid"] for key, _ in pairs}) < len(pairs):
        raise ValueError("two consumers have the same id, or two keys the same kid")
    try:
        keys = {str(key["kid"]): KeySet.import_key_set({"keys": [key]}).keys[0] for key, _ in pairs}
    except (JoseError, ValueError) as problem:
        raise ValueError("a key of a consumer cannot be read") from problem
    usable = {kid: key for kid, key in keys.items() if isinstance(key, ECKey | OKPKey)}
    return Consumers({str(key["kid"]): consumer for key, consumer in pairs}, usable)
