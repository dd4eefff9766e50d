"""The read API's rules: whose request it is, and what it must say."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from services.chassis import clock
from services.chassis.errors import Refused
from services.publishing.reading import consumers, rules
from services.publishing.reading.consumers import AUDIENCE, Consumer

KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
OTHER = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
STRANGER = ECKey.generate_key("P-256", auto_kid=True)


def consumer(name: str = "vneid", key: Any = KEY, **changes: Any) -> Consumer:
    granted = {"units": ["031"], "purposes": ["own_view"], "per_minute": 60, "keys": [key.as_dict(private=False)]}
    return Consumer.model_validate({"id": name, "name": "VNeID", **granted, **changes})


KNOWN = consumers.known([consumer(), consumer("so-gddt", OTHER)])
CLAIMS = {"personal_id": "031215000042", "purpose": "own_view", "consent": "VNEID-2026-000123"}


def proof(**changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    whole = {"iss": "vneid", "aud": AUDIENCE, "iat": now, "exp": now + 60, "jti": "r-1", **changes}
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    algorithm = {"EC": "ES256", "OKP": "Ed25519", "oct": "HS256"}[key.key_type]
    return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, proof(**changes), key, algorithms=[algorithm])


def test_a_request_with_a_registered_key_is_the_consumers() -> None:
    found = KNOWN.proved(signed(extra=1))
    assert (found.consumer.id, found.jti, found.claims["extra"]) == ("vneid", "r-1", 1)
    assert KNOWN.proved(signed(OTHER, iss="so-gddt")).consumer.id == "so-gddt"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "so-gddt"},
        {"iss": None},
        {"aud": "urn:hocba:elsewhere"},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 129},
        {"exp": int(clock.now().timestamp()) + 3600},
        {"exp": int(clock.now().timestamp()) - 60, "iat": int(clock.now().timestamp()) - 120},
        {"iat": int(clock.now().timestamp()) + 3600, "exp": int(clock.now().timestamp()) + 3660},
        {"iat": "now"},
    ],
)
def test_a_request_for_somebody_else_of_another_time_or_without_an_id_is_not_known(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="HB-PUB-100"):
        KNOWN.proved(signed(**changes))


def test_a_signature_of_another_key_or_none_is_not_known() -> None:
    good = signed()
    head, body, _ = good.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + body + "."
    spoiled = f"{head}.{signed(jti='r-2').split('.')[1]}.{good.split('.')[2]}"
    shared = signed(OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode()), {"kid": KEY.kid})
    for token in (signed(STRANGER), signed(STRANGER, {"kid": KEY.kid}), signed(OTHER), unsigned, spoiled, shared, "", "a.b.c", "x" * 5000):
        with pytest.raises(Refused, match="HB-PUB-100"):
            KNOWN.proved(token)


def test_without_a_file_nobody_is_known() -> None:
    with pytest.raises(Refused, match="HB-PUB-100"):
        consumers.read(None).proved(signed())


def test_the_file_of_consumers_holds_public_keys_alone_and_each_once(tmp_path: Path) -> None:
    file = tmp_path / "consumers.json"
    file.write_text(json.dumps([consumer().model_dump(mode="json")]), encoding="utf-8")
    assert consumers.read(file).proved(signed()).consumer.name == "VNeID"
    with pytest.raises(ValueError, match="private key"):
        consumer(keys=[KEY.as_dict(private=True)])
    with pytest.raises(ValueError, match="kid"):
        consumer(keys=[{"kty": "oct", "kid": "1", "k": "c2VjcmV0"}])
    for twice in ([consumer(), consumer()], [consumer(), consumer("other")]):
        with pytest.raises(ValueError, match="same"):
            consumers.known(twice)
    with pytest.raises(ValueError, match="cannot be read"):
        consumers.known([consumer(keys=[{"kty": "EC", "kid": "1", "crv": "P-256", "x": "AA", "y": "!"}])])


def test_a_whole_request_is_taken_as_it_is() -> None:
    found = rules.asked({**proof(), **CLAIMS}, consumer())
    assert (found.personal_id, found.purpose, found.consent) == tuple(CLAIMS.values())


@pytest.mark.parametrize(
    "consent", [None, "", "short", "x" * 81, "có dấu tiếng Việt", "white space", 12345678, ["VNEID-2026"], "-leading-dash"]
)
def test_without_a_consent_reference_nothing_is_read(consent: Any) -> None:
    with pytest.raises(Refused, match="HB-PUB-104"):
        rules.asked({**CLAIMS, "consent": consent}, consumer())


@pytest.mark.parametrize("purpose", ["admission", "", "everything"])
def test_a_purpose_that_was_not_granted_is_refused(purpose: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-103"):
        rules.asked({**CLAIMS, "purpose": purpose}, consumer())


@given(st.one_of(st.none(), st.integers(), st.text(max_size=20)))
def test_what_is_no_personal_id_is_refused_without_being_repeated(value: Any) -> None:
    if isinstance(value, str) and len(value) == 12 and value.isascii() and value.isdigit():
        return
    with pytest.raises(Refused) as refused:
        rules.asked({**CLAIMS, "personal_id": value}, consumer())
    assert refused.value.code == "HB-WEB-422"
    assert refused.value.cause.endswith("personal_id.")


def test_a_file_is_asked_for_by_reading_document_and_form() -> None:
    assert rules.file_asked({"reading": "r", "document": "d", "form": "pdf"}).form == "pdf"
    for wrong in ({}, {"reading": "r", "document": "d", "form": "exe"}, {"reading": "r" * 81, "document": "d", "form": "pdf"}):
        with pytest.raises(Refused, match="HB-WEB-422"):
            rules.file_asked(wrong)


def test_a_consumer_sees_the_schools_below_its_units_alone() -> None:
    assert rules.readable_by(consumer(), ("00", "031", "03101"))
    assert not rules.readable_by(consumer(), ("00", "079"))
    assert not rules.readable_by(consumer(), ())


@given(st.datetimes(min_value=dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001 - the bound is naive, values are not
def test_the_pause_that_is_told_leads_into_the_next_window(at: dt.datetime) -> None:
    window, left = rules.window_of(at)
    assert 1 <= left <= 60
    assert rules.window_of(at + dt.timedelta(seconds=left))[0] == window + 1
