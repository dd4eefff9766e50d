"""Signing in to a CSC v2 provider and choosing a credential, against a real HTTP server on loopback."""

import logging
from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography import x509

from services.chassis import clock
from services.means.csc import Csc
from services.means.remote import (
    Authorized,
    ProviderBroken,
    ProviderRefused,
    ProviderUnavailable,
    Refusal,
    Session,
)
from tests.unit.means.csc.helpers import credential_of, everything_said
from tests.unit.means.csc.provider import (
    ECDSA,
    PASSWORD,
    SAD,
    TOKEN,
    USER,
    Held,
    Provider,
    Scripted,
)


async def test_info_tells_the_name_and_that_asynchronous_signing_exists(csc: Csc) -> None:
    info = await csc.info()

    assert (info.name, info.specs, info.asynchronous, info.methods) == ("Thử", "2.0.0.2", True, ("info",))


async def test_a_login_gives_a_session_that_ends_when_the_provider_says(csc: Csc, provider: Provider) -> None:
    before = clock.now()

    session = await csc.login(USER, PASSWORD)

    assert session.access_token == TOKEN
    assert before + timedelta(seconds=3600) <= session.expires_at <= clock.now() + timedelta(seconds=3600)
    assert provider.asked[0].headers["user-agent"] == "hocba"
    assert PASSWORD not in str(provider.asked[0].body)


async def test_a_wrong_password_is_a_wrong_login_and_is_said_nowhere(csc: Csc, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = PASSWORD[::-1]

    with pytest.raises(ProviderRefused) as caught:
        await csc.login(USER, wrong)

    assert caught.value.code is Refusal.WRONG_LOGIN
    said = everything_said(caught.value) + caplog.text
    assert wrong not in said
    assert b64encode(f"{USER}:{wrong}".encode()).decode() not in said


async def test_a_provider_that_repeats_the_password_cannot_put_it_into_an_exception(csc: Csc, provider: Provider) -> None:
    provider.script("auth/login", Scripted(400, {"error": "authentication_error", "error_description": f"not {PASSWORD}"}))
    provider.script("auth/login", Scripted(200, {"access_token": {"echo": PASSWORD}}))

    with pytest.raises(ProviderRefused) as refused:
        await csc.login(USER, PASSWORD)
    with pytest.raises(ProviderBroken) as broken:
        await csc.login(USER, PASSWORD)

    assert PASSWORD not in everything_said(refused.value) + everything_said(broken.value)


async def test_a_login_without_a_server_keeps_the_password_out_of_the_exception() -> None:
    async with Csc("http://127.0.0.1:9/csc/v2") as csc:
        with pytest.raises(ProviderUnavailable) as caught:
            await csc.login(USER, PASSWORD)

    assert not caught.value.sent
    said = everything_said(caught.value)
    assert PASSWORD not in said
    assert b64encode(f"{USER}:{PASSWORD}".encode()).decode() not in said


async def test_a_locked_account_is_told_from_a_wrong_password(csc: Csc, provider: Provider) -> None:
    provider.script("auth/login", Scripted(400, {"error": "access_denied", "error_description": "Account locked"}))

    with pytest.raises(ProviderRefused) as caught:
        await csc.login(USER, PASSWORD)

    assert caught.value.code is Refusal.CREDENTIAL_LOCKED


async def test_a_user_name_with_a_colon_is_not_sent(csc: Csc, provider: Provider) -> None:
    with pytest.raises(ProviderRefused, match="wrong-login"):
        await csc.login("a:b", PASSWORD)

    assert provider.asked == []


def test_secrets_are_not_printed_with_the_objects_that_hold_them(session: Session) -> None:
    assert TOKEN not in repr(session)
    assert SAD not in repr(Authorized(SAD, 300))


@pytest.mark.parametrize("with_infos", [True, False])
async def test_credentials_come_with_certificate_and_chain(csc: Csc, provider: Provider, session: Session, *, with_infos: bool) -> None:
    provider.with_infos = with_infos
    provider.held["rsa"].multisign = "2147483647"

    found = await csc.list_credentials(session)

    assert found == [credential_of(provider.held["rsa"], multisign=2147483647), credential_of(provider.held["ec"])]
    assert x509.load_der_x509_certificate(found[0].certificate) == provider.held["rsa"].certificates[0]


async def test_a_credential_with_a_disabled_key_is_not_offered(csc: Csc, provider: Provider, session: Session) -> None:
    provider.held["off"] = Held("off", provider.held["ec"].key, provider.held["ec"].certificates, [ECDSA], status="disabled")

    assert [one.id for one in await csc.list_credentials(session)] == ["rsa", "ec"]


@pytest.mark.parametrize("certificates", [[], ["bm90IGEgY2VydGlmaWNhdGU="], ["%%%"]])
async def test_a_credential_without_a_readable_certificate_is_a_defect(
    csc: Csc, provider: Provider, session: Session, certificates: list[str]
) -> None:
    info = {"credentialID": "x", "key": {"status": "enabled"}, "cert": {"certificates": certificates}}
    provider.script("credentials/list", Scripted(200, {"credentialIDs": ["x"], "credentialInfos": [info]}))

    with pytest.raises(ProviderBroken):
        await csc.list_credentials(session)


async def test_a_session_that_is_over_sends_nothing(csc: Csc, provider: Provider) -> None:
    with pytest.raises(ProviderRefused) as caught:
        await csc.list_credentials(Session(TOKEN, clock.now()))

    assert caught.value.code is Refusal.SESSION_EXPIRED
    assert provider.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://provider.example/csc/v2",
        "ftp://provider.example",
        "file:///etc/passwd",
        "https://user:secret@provider.example/csc/v2",
        "https://provider.example/csc/v2?next=",
        "https:///csc/v2",
        "provider.example",
    ],
)
def test_an_address_that_could_leak_or_mislead_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="a provider's address"):
        Csc(address)
