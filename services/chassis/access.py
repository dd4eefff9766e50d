"""The internal token: made by the gateway's session check, at most a minute old, verified again by every service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from contracts.access import Action, Principal, allowed, confirmed, recently_confirmed
from services.chassis import clock
from services.chassis.errors import CONFIRMATION_NEEDED, FORBIDDEN, SIGN_IN_NEEDED, Refused

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "hocba-identity"
AUDIENCE = "hocba-services"
TOKEN_SECONDS = 60
ALGORITHMS = ["Ed25519"]


class TokenVerifier:
    def __init__(self, keys_file: Path) -> None:
        self._keys = KeySet.import_key_set(json.loads(keys_file.read_text()))
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock.now().timestamp()),
            leeway=5,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    def verify(self, token: str) -> Principal:
        """Raises Refused(SIGN_IN_NEEDED) for anything but a fresh token of ours."""
        try:
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
            return Principal.model_validate({"person": decoded.claims["sub"], **decoded.claims["who"]})
        except (JoseError, KeyError, TypeError, ValueError) as problem:
            raise Refused(SIGN_IN_NEEDED) from problem


class TokenMaker:
    def __init__(self, key_file: Path) -> None:
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))

    def make(self, who: Principal) -> str:
        now = int(clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": who.person,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "who": who.model_dump(mode="json", exclude={"person"}),
        }
        return jwt.encode({"alg": "Ed25519", "typ": "JWT", "kid": self._key.kid}, claims, self._key, algorithms=ALGORITHMS)


def principal_of(request: Request) -> Principal | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    verifier: TokenVerifier = request.app.state.tokens
    return verifier.verify(token)


def signed_in(request: Request) -> Principal:
    """Raises Refused(SIGN_IN_NEEDED), and Refused(FORBIDDEN) for a person's program."""
    who = principal_of(request)
    if who is None:
        raise Refused(SIGN_IN_NEEDED)
    if who.agent is not None:
        raise Refused(FORBIDDEN, action="for a person")
    return who


def the_agent(request: Request) -> Principal:
    """The program of a person, for its own few routes; nobody else may call these, and it may call no others."""
    who = principal_of(request)
    if who is None:
        raise Refused(SIGN_IN_NEEDED)
    if who.agent is None:
        raise Refused(FORBIDDEN, action="for an agent")
    return who


TheAgent = Annotated[Principal, Depends(the_agent)]
Who = Annotated[Principal, Depends(signed_in)]


def require(who: Principal, action: Action, *, school: str | None = None, own: bool = False, path: tuple[str, ...] = ()) -> None:
    """Raises Refused(FORBIDDEN) unless the rights table allows it."""
    if not allowed(who, action, school=school, own=own, path=path):
        raise Refused(FORBIDDEN, action=action.value)


class ConfirmationNeeded(Refused):
    """`who` must first confirm that it is them; a page keeps what was sent and asks for it (`web.confirming`)."""

    def __init__(self, who: Principal) -> None:
        self.who = who
        super().__init__(CONFIRMATION_NEEDED)


def require_fresh(who: Principal, action: Action, *, school: str | None = None, own: bool = False, path: tuple[str, ...] = ()) -> None:
    """For entries that act: `require`, and Raises ConfirmationNeeded when `action` needs a confirmation that is not old."""
    require(who, action, school=school, own=own, path=path)
    if not confirmed(who, action, at=_seconds()):
        raise ConfirmationNeeded(who)


def require_confirmed(who: Principal) -> None:
    """For acts on the own account, which need no right. Raises ConfirmationNeeded."""
    if not recently_confirmed(who, at=_seconds()):
        raise ConfirmationNeeded(who)


def _seconds() -> int:
    return int(clock.now().timestamp())
