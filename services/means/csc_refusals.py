"""The meaning of a CSC v2 provider's error answers: {error, error_description} with a 4xx status."""

import httpx

from services.means.provider_http import body_of, one_line
from services.means.remote import ProviderBroken, ProviderRefused, Refusal

_BY_ERROR = {
    "authentication_error": Refusal.WRONG_LOGIN,
    "invalid_otp": Refusal.WRONG_SECRET,
    "invalid_pin": Refusal.WRONG_SECRET,
    "invalid_authentication_data": Refusal.WRONG_SECRET,
    "expired_token": Refusal.SESSION_EXPIRED,
    "invalid_token": Refusal.SESSION_EXPIRED,
    "access_denied": Refusal.REJECTED,
    "invalid_hash": Refusal.HASH_NOT_AUTHORISED,
    "invalid_grant": Refusal.WRONG_LOGIN,
    "invalid_client": Refusal.SERVICE_REFUSED,
    "unauthorized_client": Refusal.SERVICE_REFUSED,
    "unsupported_grant_type": Refusal.SERVICE_REFUSED,
    "unsupported_response_type": Refusal.SERVICE_REFUSED,
    "invalid_scope": Refusal.SERVICE_REFUSED,
}
# the specification gives reasons as texts, more exact than the error's name; all words of a row must be there, the first row wins
_BY_WORDS = (
    (("locked",), Refusal.CREDENTIAL_LOCKED),
    (("certificate", "expired"), Refusal.CERTIFICATE_EXPIRED),
    (("certificate", "revoked"), Refusal.CERTIFICATE_EXPIRED),
    (("certificate", "suspended"), Refusal.CERTIFICATE_EXPIRED),
    (("missing", "authdata"), Refusal.SECRET_NEEDED),
    (("authdata",), Refusal.WRONG_SECRET),
    (("quota",), Refusal.OUT_OF_QUOTA),
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
    return ProviderRefused(_meaning(error, description), one_line(description or error))


def _meaning(error: str, description: str) -> Refusal:
    text = description.lower()
    by_words = next((code for words, code in _BY_WORDS if all(word in text for word in words)), None)
    return by_words or _BY_ERROR.get(error, Refusal.OTHER)
