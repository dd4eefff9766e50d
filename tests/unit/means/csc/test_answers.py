"""What refusals, trouble and defects of a CSC v2 provider become, against a real HTTP server on loopback."""

from base64 import b64encode

import httpx
import pytest

from services.means.csc import Csc
from services.means.remote import (
    ProviderBroken,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Refusal,
    Session,
)
from tests.unit.means.csc.helpers import HASHES, credential_of, everything_said
from tests.unit.means.csc.provider import (
    SAD,
    TOKEN,
    Provider,
    Scripted,
)


@pytest.mark.parametrize(
    ("status", "error", "description", "code"),
    [
        (400, "invalid_request", "SAD expired", Refusal.AUTHORISATION_EXPIRED),
        (400, "invalid_request", "Invalid parameter SAD", Refusal.AUTHORISATION_EXPIRED),
        (400, "invalid_request", "Hash is not authorized by the SAD", Refusal.HASH_NOT_AUTHORISED),
        (403, "invalid_hash", "", Refusal.HASH_NOT_AUTHORISED),
        (400, "invalid_request", "Numbers of signatures is too high", Refusal.TOO_MANY),
        (400, "invalid_request", "Signing certificate 'CN=A' is expired.", Refusal.CERTIFICATE_EXPIRED),
        (400, "invalid_request", "Credential locked", Refusal.CREDENTIAL_LOCKED),
        (400, "invalid_request", "Invalid parameter credentialID", Refusal.UNKNOWN_CREDENTIAL),
        (400, "invalid_request", "Invalid parameter handle", Refusal.UNKNOWN_TRANSACTION),
        (400, "invalid_otp", "The OTP is invalid", Refusal.WRONG_SECRET),
        (400, "invalid_authentication_data", "", Refusal.WRONG_SECRET),
        (401, "expired_token", "The access or refresh token is expired or has been revoked", Refusal.SESSION_EXPIRED),
        (401, "invalid_token", "Invalid access_token", Refusal.SESSION_EXPIRED),
        (400, "access_denied", "The user denied the request", Refusal.REJECTED),
        (400, "invalid_request", "Invalid digest value length", Refusal.OTHER),
        (400, "something_new", "", Refusal.OTHER),
    ],
)
async def test_a_refusal_is_told_in_our_words_with_the_providers_text(
    csc: Csc, provider: Provider, session: Session, *, status: int, error: str, description: str, code: Refusal
) -> None:
    provider.script("credentials/authorize", Scripted(status, {"error": error, "error_description": description}))

    with pytest.raises(ProviderRefused) as caught:
        await csc.authorize(session, "rsa", HASHES, "")

    assert (caught.value.code, caught.value.description) == (code, description or error)


async def test_an_unauthorised_answer_without_a_body_means_that_the_session_is_over(csc: Csc, provider: Provider, session: Session) -> None:
    provider.script("credentials/list", Scripted(401, raw=b""))

    with pytest.raises(ProviderRefused) as caught:
        await csc.list_credentials(session)

    assert caught.value.code is Refusal.SESSION_EXPIRED


async def test_a_long_text_with_line_breaks_is_cut_to_one_line(csc: Csc, provider: Provider, session: Session) -> None:
    provider.script("credentials/authorize", Scripted(400, {"error": "x", "error_description": "a\nINFO forged\x1b[0m" + "b" * 999}))

    with pytest.raises(ProviderRefused) as caught:
        await csc.authorize(session, "rsa", HASHES, "")

    assert caught.value.description.isprintable()
    assert len(caught.value.description) == 200


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(200, {"signatures": [b64encode(b"one").decode()]}),
        Scripted(200, {"signatures": []}),
        Scripted(200, {"signatures": ["%%", "%%"]}),
        Scripted(200, {"signatures": "text"}),
        Scripted(200, {}),
        Scripted(200, raw=b'{"signatures": ['),
        Scripted(200, raw=b"<html>"),
        Scripted(200, raw=b"\xff\xfe"),
        Scripted(200, []),
        Scripted(404, raw=b"<html>"),
        Scripted(400, {"error": 7}),
    ],
)
async def test_an_answer_outside_of_the_protocol_is_a_defect_and_no_signature(
    csc: Csc, provider: Provider, session: Session, answer: Scripted
) -> None:
    provider.script("signatures/signHash", answer)

    with pytest.raises(ProviderBroken):
        await csc.sign(session, credential_of(provider.held["ec"]), SAD, HASHES[:2], client_data="tx-1")

    assert len(provider.asked) == 1


@pytest.mark.parametrize("method", ["credentials/authorize", "credentials/authorizeCheck"])
async def test_an_answer_without_sad_or_handle_is_a_defect(csc: Csc, provider: Provider, session: Session, method: str) -> None:
    provider.script(method, Scripted(200, {"expiresIn": 5}))

    with pytest.raises(ProviderBroken):
        await (csc.check(session, "h-1") if "Check" in method else csc.authorize(session, "rsa", HASHES, ""))


@pytest.mark.parametrize(
    ("status", "headers", "sent", "retry_after"),
    [
        (503, {"Retry-After": "7"}, False, 7),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, False, None),
        (500, {}, True, None),
        (504, {}, True, None),
    ],
)
async def test_a_provider_in_trouble_is_worth_another_try_and_says_whether_the_request_may_have_worked(
    csc: Csc, provider: Provider, session: Session, *, status: int, headers: dict[str, str], sent: bool, retry_after: int | None
) -> None:
    provider.script("credentials/authorize", Scripted(status, {"error": "server_error"}, headers=headers))

    with pytest.raises(ProviderUnavailable) as caught:
        await csc.authorize(session, "rsa", HASHES, "")

    assert (caught.value.sent, caught.value.retry_after) == (sent, retry_after)
    assert len(provider.asked) == 1


async def test_a_slow_answer_may_still_have_been_carried_out(provider: Provider, session: Session) -> None:
    provider.script("signatures/signHash", Scripted(200, {"signatures": []}, delay=0.5))

    async with Csc(provider.url, timeout=httpx.Timeout(0.1)) as hasty:
        with pytest.raises(ProviderUnavailable, match="ReadTimeout") as caught:
            await hasty.sign(session, credential_of(provider.held["ec"]), SAD, HASHES[:1], client_data="tx-1")

    assert caught.value.sent
    assert SAD not in everything_said(caught.value)
    assert TOKEN not in everything_said(caught.value)


async def test_a_redirect_is_not_followed(csc: Csc, provider: Provider, session: Session) -> None:
    provider.script("credentials/list", Scripted(307, {}, headers={"Location": f"{provider.url}/info"}))

    with pytest.raises(ProviderBroken):
        await csc.list_credentials(session)

    assert [one.method for one in provider.asked] == ["credentials/list"]


def test_all_provider_errors_are_of_one_family() -> None:
    assert all(issubclass(one, ProviderError) for one in (ProviderUnavailable, ProviderRefused, ProviderBroken))
