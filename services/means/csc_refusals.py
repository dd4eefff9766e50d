"""The meaning of a CSC v2 provider's error answers: {error, error_description} with a 4xx status."""

import json
from typing import Any

import httpx

from services.means.remote import ProviderBroken, ProviderRefused, Refusal

LONGEST = 200

_BY_ERROR = {
    "authentication_error": Refusal.WRONG_LOGIN,
    "invalid_otp": Refusal.WRONG_SECRET,
    "invalid_pin": Refusal.WRONG_SECRET,
    "invalid_authentication_data": Refusal.WRONG_SECRET,
    "expired_token": Refusal.SESSION_EXPIRED,
    "invalid_token": Refusal.SESSION_EXPIRED,
    "access_denied": Refusal.REJECTED,
    "invalid_hash": Refusal.HASH_NOT_AUTHORISED,
}
# the specification gives reasons as texts, more exact than the error's name; all words of a row must be there, the first row wins
_BY_WORDS = (
    (("locked",), Refusal.CREDENTIAL_LOCKED),
    (("certificate", "expired"), Refusal.CERTIFICATE_EXPIRED),
    (("hash", "not authorized"), Refusal.HASH_NOT_AUTHORISED),
    (("signatures", "too high"), Refusal.TOO_MANY),
    (("sad", "expired"), Refusal.AUTHORISATION_EXPIRED),
    (("authorization", "expired"), Refusal.AUTHORISATION_EXPIRED),
    (("parameter sad",), Refusal.AUTHORISATION_EXPIRED),
    (("parameter handle",), Refusal.UNKNOWN_TRANSACTION),
    (("parameter requestid",), Refusal.UNKNOWN_TRANSACTION),
    (("signature request", "expired"), Refusal.UNKNOWN_TRANSACTION),
    (("parameter credentialid",), Refusal.UNKNOWN_CREDENTIAL),
)


def refusal(response: httpx.Response) -> ProviderRefused:
    """Raises ProviderBroken when the answer is no CSC error at all."""
    body = body_of(response)
    error, description = body.get("error"), body.get("error_description", "")
    if not isinstance(error, str) or not isinstance(description, str):
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return ProviderRefused(Refusal.SESSION_EXPIRED, "status 401")
        raise ProviderBroken(f"status {response.status_code} without an error that the protocol knows")
    return ProviderRefused(_meaning(error, description), _plain(description or error))


def body_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty when it holds none."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _meaning(error: str, description: str) -> Refusal:
    text = description.lower()
    by_words = next((code for words, code in _BY_WORDS if all(word in text for word in words)), None)
    return by_words or _BY_ERROR.get(error, Refusal.OTHER)


def _plain(text: str) -> str:
    """One short line: it goes into logs and pages."""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST]
