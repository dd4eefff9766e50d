"""The internal token: what services take, and the forgeries that they refuse."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from contracts.access import Principal, Role
from services.chassis import clock
from services.chassis.access import AUDIENCE, ISSUER, TokenMaker, TokenVerifier
from services.chassis.errors import Refused

WHO = Principal(person="31300001006", name="Nguyễn Văn An", roles=frozenset({Role.SUBJECT_TEACHER}), school="31300001")
KEY = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
OTHER = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519", "kid": str(KEY.kid)})


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    return TokenVerifier(file)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    who = WHO.model_dump(mode="json", exclude={"person"})
    full = {"iss": ISSUER, "aud": AUDIENCE, "sub": WHO.person, "iat": now, "exp": now + 60, "who": who, **changed}
    return {name: value for name, value in full.items() if value is not None}


def signed(key: OKPKey = KEY, **changed: Any) -> str:
    return jwt.encode({"alg": "Ed25519", "kid": str(KEY.kid)}, claims(**changed), key, algorithms=["Ed25519"])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_of_identity_is_taken(tmp_path: Path, verifier: TokenVerifier) -> None:
    private = tmp_path / "private.jwk"
    private.write_text(json.dumps(KEY.as_dict(private=True)))
    assert verifier.verify(TokenMaker(private).make(WHO)) == WHO
    assert verifier.verify(signed()) == WHO


def test_a_token_without_signature_is_refused(verifier: TokenVerifier) -> None:
    for algorithm in ("none", "None", "NONE"):
        with pytest.raises(Refused, match="HB-ACC-401"):
            verifier.verify(f"{part({'alg': algorithm, 'kid': str(KEY.kid)})}.{part(claims())}.")


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(verifier: TokenVerifier) -> None:
    secret = OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode())
    forged = jwt.encode({"alg": "HS256", "kid": str(KEY.kid)}, claims(), secret, algorithms=["HS256"])
    with pytest.raises(Refused, match="HB-ACC-401"):
        verifier.verify(forged)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "somebody-else"},
        {"exp": int(clock.now().timestamp()) - 10},
        {"exp": None},
        {"sub": None},
        {"who": None},
        {"who": {"name": "An", "roles": ["king"]}},
    ],
    ids=["other audience", "no audience", "other issuer", "expired", "no end", "nobody", "no claims", "unknown role"],
)
def test_a_token_with_other_claims_is_refused(verifier: TokenVerifier, changed: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="HB-ACC-401"):
        verifier.verify(signed(**changed))


def test_a_token_of_another_key_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(Refused, match="HB-ACC-401"):
        verifier.verify(signed(OTHER))


def test_what_is_no_token_is_refused(verifier: TokenVerifier) -> None:
    for text in ("", "a.b.c", "...", signed()[:-4], signed().replace(".", "")):
        with pytest.raises(Refused, match="HB-ACC-401"):
            verifier.verify(text)
