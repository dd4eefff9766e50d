"""Whatever a provider refuses, and in whatever language: the person who signs reads Vietnamese."""

from __future__ import annotations

import httpx
import pytest

from services.chassis.errors import Refused
from services.means.csc_refusals import refusal
from services.means.refusal_words import WORDS
from services.means.remote import Refusal
from services.signing.errors import PROVIDER_REFUSED

VIETNAMESE = set("ạảãàáâậầấẩẫăắằặẳẵóòọõỏôộổỗồốơờớợởỡéèẻẹẽêếềệểễúùụủũưựữửừứíìịỉĩýỳỷỵỹđ")
OF_THE_PROTOCOL = [
    ("invalid_request", "Credential locked", Refusal.CREDENTIAL_LOCKED),
    ("invalid_request", "Signing certificate is expired", Refusal.CERTIFICATE_EXPIRED),
    ("invalid_request", "Hash is not authorized by the SAD", Refusal.HASH_NOT_AUTHORISED),
    ("invalid_request", "Numbers of signatures is too high", Refusal.TOO_MANY),
    ("invalid_request", "SAD expired", Refusal.AUTHORISATION_EXPIRED),
    ("invalid_request", "Invalid parameter handle", Refusal.UNKNOWN_TRANSACTION),
    ("invalid_request", "Invalid parameter credentialID", Refusal.UNKNOWN_CREDENTIAL),
    ("invalid_request", "Invalid digest value length", Refusal.OTHER),
    ("invalid_otp", "The OTP is invalid", Refusal.WRONG_SECRET),
    ("invalid_authentication_data", "The PIN is wrong", Refusal.WRONG_SECRET),
    ("access_denied", "The user denied the request", Refusal.REJECTED),
    ("expired_token", "The access token is expired", Refusal.SESSION_EXPIRED),
    ("invalid_token", "Invalid access_token", Refusal.SESSION_EXPIRED),
    ("authentication_error", "An error occurred during authentication process", Refusal.WRONG_LOGIN),
    ("invalid_hash", "A hash will not be signed", Refusal.HASH_NOT_AUTHORISED),
    ("invalid_client", "The client is not known", Refusal.SERVICE_REFUSED),
]


def test_every_refusal_has_its_cause_and_what_to_do_in_vietnamese() -> None:
    assert WORDS.keys() == set(Refusal)
    for meaning, advice in WORDS.values():
        assert set(meaning) & VIETNAMESE
        assert set(advice) & VIETNAMESE
        assert not meaning.endswith(".")
        assert advice.endswith(".")


@pytest.mark.parametrize(("error", "description", "expected"), OF_THE_PROTOCOL)
def test_each_error_of_the_protocol_is_told_in_words_of_ours_and_never_in_the_providers(
    error: str, description: str, expected: Refusal
) -> None:
    problem = refusal(httpx.Response(400, json={"error": error, "error_description": description}))
    assert problem.code is expected
    meaning, advice = WORDS[problem.code]
    told = Refused(PROVIDER_REFUSED, meaning=meaning, advice=advice, problem=problem.code)
    assert description not in f"{told.cause} {told.action}"
    assert meaning in told.cause
