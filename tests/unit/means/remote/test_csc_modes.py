"""What CSC API v2 alone has: ways to sign in, explicit authorisation, asynchronous signing, authorisations that are extended."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.sandbox.provider.modes import OTP, PIN
from services.means.csc import Csc
from services.means.csc_messages import Auth
from services.means.remote import Authorized, Begun, Credential, ProviderRefused, ProviderUnavailable, Refusal, Session, Waiting
from tests.unit.means.remote.sandboxes import HASHES, LABELS, PASSWORD, TRUST, USER, Sandbox, verify

BACK = "https://localhost:8443/ui/signing/provider-sign-in"


@pytest.fixture
def sandbox(servers: dict[str, Sandbox]) -> Sandbox:
    servers["csc"].usual()
    return servers["csc"]


@pytest.fixture
async def session(csc: Csc) -> Session:
    return await csc.login(USER, PASSWORD)


async def credential_of(csc: Csc, session: Session) -> Credential:
    [found] = await csc.list_credentials(session)
    return found


async def confirmed(csc: Csc, session: Session, credential: Credential) -> Authorized:
    asked = await csc.authorize(session, credential.id, HASHES, "Ký học bạ")
    assert isinstance(asked, Waiting)
    agreed = await csc.check(session, asked.handle)
    assert isinstance(agreed, Authorized)
    return agreed


async def assert_all_signed(csc: Csc, session: Session, credential: Credential, sad: str) -> None:
    for value, digest in zip(await csc.sign(session, credential, sad, HASHES, client_data="t"), HASHES, strict=True):
        verify(value, digest)


@pytest.mark.parametrize(("mode", "identity", "secret"), [("pin", "PIN", PIN), ("otp", "OTP", OTP)])
async def test_an_explicit_authorisation_takes_what_the_person_typed(
    csc: Csc, session: Session, sandbox: Sandbox, *, mode: str, identity: str, secret: str
) -> None:
    sandbox.order("modes", confirmation=mode)
    credential = await credential_of(csc, session)
    assert [(each.id, each.kind, each.sent, each.digits) for each in credential.secrets] == [(identity, mode, False, True)]
    for given, reason in (({}, Refusal.SECRET_NEEDED), ({identity: "000000"}, Refusal.WRONG_SECRET)):
        with pytest.raises(ProviderRefused) as refused:
            await csc.authorize(session, credential.id, HASHES, "Ký", secrets=given)
        assert refused.value.code is reason
        assert "000000" not in str(refused.value)
    agreed = await csc.authorize(session, credential.id, HASHES, "Ký", secrets={identity: secret})
    assert isinstance(agreed, Authorized)
    await assert_all_signed(csc, session, credential, agreed.sad)


async def test_a_one_time_password_is_sent_when_asked_for_and_good_once(csc: Csc, session: Session, sandbox: Sandbox) -> None:
    sandbox.order("modes", confirmation="pin_otp")
    credential = await credential_of(csc, session)
    assert [(each.id, each.kind, each.sent) for each in credential.secrets] == [("PIN", "pin", False), ("SMS", "otp", True)]
    sent = []
    for _ in range(2):
        assert await csc.send_code(session, credential.id, "SMS") == ""
        sent.append(sandbox.control.get("/control/codes").json()[USER])
    for typed in (sent[0], ""):
        with pytest.raises(ProviderRefused) as refused:
            await csc.authorize(session, credential.id, HASHES, "Ký", secrets={"PIN": PIN, "SMS": typed})
        assert refused.value.code is Refusal.WRONG_SECRET
    agreed = await csc.authorize(session, credential.id, HASHES, "Ký", secrets={"PIN": PIN, "SMS": sent[1]})
    assert isinstance(agreed, Authorized)
    await assert_all_signed(csc, session, credential, agreed.sad)
    with pytest.raises(ProviderRefused):
        await csc.authorize(session, credential.id, HASHES, "Ký", secrets={"PIN": PIN, "SMS": sent[1]})
    with pytest.raises(ProviderRefused):
        await csc.send_code(session, credential.id, "PIN")


async def test_wrong_pins_lock_the_credential_and_that_is_said(csc: Csc, session: Session, sandbox: Sandbox) -> None:
    sandbox.order("modes", confirmation="pin")
    credential = await credential_of(csc, session)
    reasons = []
    for _ in range(6):
        with pytest.raises(ProviderRefused) as refused:
            await csc.authorize(session, credential.id, HASHES, "Ký", secrets={"PIN": "0"})
        reasons.append(refused.value.code)
    assert reasons == [Refusal.WRONG_SECRET] * 5 + [Refusal.CREDENTIAL_LOCKED]


@pytest.mark.parametrize(
    ("expression", "typed"),
    [
        ("", ["PIN", "OTP"]),
        ("PIN AND OTP", ["PIN", "OTP"]),
        ("PIN OR OTP", ["PIN"]),
        ("PIN XOR PUSH", []),
        ("PIN AND (OTP OR PUSH)", ["PIN", "OTP"]),
    ],
)
def test_of_alternatives_the_one_with_the_least_typing_is_taken(expression: str, typed: list[str]) -> None:
    objects = [{"type": "PIN", "id": "PIN"}, {"type": "OTP", "id": "OTP"}, {"type": "Push", "id": "PUSH"}]
    assert [each.id for each in Auth.model_validate({"expression": expression, "objects": objects}).secrets] == typed


async def test_a_provider_that_asks_nobody_agrees_at_once(csc: Csc, session: Session, sandbox: Sandbox) -> None:
    sandbox.order("modes", confirmation="none")
    credential = await credential_of(csc, session)
    agreed = await csc.authorize(session, credential.id, HASHES, "Ký")
    assert isinstance(agreed, Authorized)
    await assert_all_signed(csc, session, credential, agreed.sad)


@pytest.mark.parametrize("signing", ["synchronous", "asynchronous", "both"])
async def test_every_way_to_sign_gives_the_same_values(csc: Csc, session: Session, sandbox: Sandbox, signing: str) -> None:
    sandbox.order("modes", signing=signing, asynchronous_ms=30)
    credential = await credential_of(csc, session)
    await assert_all_signed(csc, session, credential, (await confirmed(csc, session, credential)).sad)


async def test_asynchronous_signing_that_was_not_waited_for_is_fetched_later_and_not_done_twice(sandbox: Sandbox) -> None:
    sandbox.order("modes", signing="asynchronous", asynchronous_ms=300)
    before = sandbox.signatures()
    async with Csc(f"{sandbox.url}/csc/v2", verify=TRUST, poll_seconds=0.02, patience_seconds=0.05) as csc:
        session = await csc.login(USER, PASSWORD)
        credential = await credential_of(csc, session)
        sad = (await confirmed(csc, session, credential)).sad
        with pytest.raises(ProviderUnavailable) as slow:
            await csc.sign(session, credential, sad, HASHES, client_data="t")
        assert slow.value.sent
        csc._patience = 10.0
        await assert_all_signed(csc, session, credential, sad)
    assert sandbox.signatures() == before + len(HASHES)


async def test_what_was_signed_before_a_failure_is_not_signed_again(sandbox: Sandbox) -> None:
    before = sandbox.signatures()
    async with Csc(f"{sandbox.url}/csc/v2", verify=TRUST, chunk=2) as csc:
        session = await csc.login(USER, PASSWORD)
        credential = await credential_of(csc, session)
        sad = (await confirmed(csc, session, credential)).sad
        chunks = csc.sign_chunks(session, credential, sad, HASHES, client_data="t")
        assert len(await anext(chunks)) == 2
        sandbox.order("faults", endpoint="signatures/signHash", fail_next=1)
        with pytest.raises(ProviderUnavailable):
            await anext(chunks)
        rest = await csc.sign(session, credential, sad, HASHES[2:], client_data="t")
        for value, digest in zip(rest, HASHES[2:], strict=True):
            verify(value, digest)
    assert sandbox.signatures() == before + len(HASHES)


async def test_the_authorisation_of_a_long_batch_is_extended_before_it_ends(sandbox: Sandbox) -> None:
    sandbox.order("faults", sad_seconds=3)
    asked = sandbox.asked()
    async with Csc(f"{sandbox.url}/csc/v2", verify=TRUST, chunk=2) as csc:
        session = await csc.login(USER, PASSWORD)
        credential = await credential_of(csc, session)
        sad = (await confirmed(csc, session, credential)).sad
        sandbox.order("faults", sad_seconds=3600)
        csc._sads[sad].until -= 2.0
        await assert_all_signed(csc, session, credential, sad)
        assert csc._sads[sad].newest != sad
    assert sandbox.asked() == asked + 1


async def test_an_authorisation_that_is_over_is_refused_in_our_words(csc: Csc, session: Session, sandbox: Sandbox) -> None:
    sandbox.order("faults", sad_seconds=0)
    credential = await credential_of(csc, session)
    agreed = await confirmed(csc, session, credential)
    with pytest.raises(ProviderRefused) as refused:
        await csc.sign(session, credential, agreed.sad, HASHES, client_data="t")
    assert refused.value.code is Refusal.AUTHORISATION_EXPIRED


# signing in on the provider's page


@pytest.fixture
async def known(sandbox: Sandbox, secret_file: Path) -> AsyncIterator[Csc]:
    made = sandbox.adapter(secret_file, login="oauth2code")
    assert isinstance(made, Csc)
    yield made
    await made.aclose()


async def signed_in_on_the_page(sandbox: Sandbox, begun: Begun, password: str = PASSWORD) -> httpx.Response:
    """As the person's browser does."""
    asked = {key: values[0] for key, values in parse_qs(urlsplit(begun.url).query).items()}
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as browser:
        page = await browser.get(begun.url)
        assert "Đăng nhập" in page.text
        return await browser.post("/csc/v2/oauth2/authorize", data={**asked, "user": USER, "password": password})


def brought_back(answer: httpx.Response, begun: Begun) -> str:
    where = urlsplit(answer.headers["location"])
    assert where._replace(query="").geturl() == BACK
    given = parse_qs(where.query)
    assert given["state"] == [begun.state]
    return given["code"][0]


@pytest.mark.parametrize("pkce", [True, False])
async def test_the_person_signs_in_on_the_providers_page_and_the_code_gives_a_session(known: Csc, sandbox: Sandbox, *, pkce: bool) -> None:
    sandbox.order("modes", announces_pkce=pkce)
    begun = await known.oauth.begin(BACK)
    assert (begun.verifier != "", "code_challenge=" in begun.url) == (pkce, pkce)
    code = brought_back(await signed_in_on_the_page(sandbox, begun), begun)
    session = await known.oauth.finish(code, begun.verifier, BACK)
    credential = await credential_of(known, session)
    await assert_all_signed(known, session, credential, (await confirmed(known, session, credential)).sad)


async def test_a_code_is_good_once_and_with_its_own_verifier_alone(known: Csc, sandbox: Sandbox) -> None:
    begun = await known.oauth.begin(BACK)
    code = brought_back(await signed_in_on_the_page(sandbox, begun), begun)
    for _ in range(2):
        with pytest.raises(ProviderRefused) as refused:
            await known.oauth.finish(code, "of somebody else", BACK)
        assert refused.value.code is Refusal.WRONG_LOGIN


async def test_a_wrong_password_on_the_page_gives_no_code(known: Csc, sandbox: Sandbox) -> None:
    answer = await signed_in_on_the_page(sandbox, await known.oauth.begin(BACK), "sai")
    assert (answer.status_code, "location" in answer.headers) == (401, False)


async def agreed_on_the_page(sandbox: Sandbox, begun: Begun, **more: str) -> httpx.Response:
    """As the person's browser does: nothing but what the page shows is sent back."""
    asked = {key: values[0] for key, values in parse_qs(urlsplit(begun.url).query).items()}
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as browser:
        page = await browser.get(begun.url)
        assert "Ký học bạ" in page.text
        assert f"Số chữ ký: {len(HASHES)}" in page.text
        return await browser.post("/csc/v2/oauth2/authorize", data={**asked, "user": USER, "password": PASSWORD, **more})


@pytest.mark.parametrize("pushed", [True, False])
async def test_what_is_agreed_to_on_the_providers_page_is_signed(known: Csc, csc: Csc, sandbox: Sandbox, *, pushed: bool) -> None:
    sandbox.order("modes", confirmation="page", takes_pushed=pushed)
    session = await csc.login(USER, PASSWORD)
    credential = await credential_of(csc, session)
    assert (credential.on_page, credential.secrets) == (True, ())
    with pytest.raises(ProviderRefused):
        await csc.authorize(session, credential.id, HASHES, "Ký học bạ")
    begun = await known.begin_on_page(credential.id, HASHES, "Ký học bạ", redirect_uri=BACK, transaction="t", labels=LABELS)
    assert ("hashes=" in begun.url, "request_uri=" in begun.url) == (not pushed, pushed)
    code = brought_back(await agreed_on_the_page(sandbox, begun), begun)
    agreed = await known.finish_on_page(code, begun.verifier, BACK)
    await assert_all_signed(csc, session, credential, agreed.sad)
    with pytest.raises(ProviderRefused) as refused:
        await known.finish_on_page(code, begun.verifier, BACK)
    assert refused.value.code is Refusal.WRONG_LOGIN


async def test_a_no_on_the_providers_page_comes_back_as_such(known: Csc, csc: Csc, sandbox: Sandbox) -> None:
    sandbox.order("modes", confirmation="page")
    credential = await credential_of(csc, await csc.login(USER, PASSWORD))
    begun = await known.begin_on_page(credential.id, HASHES, "Ký học bạ", redirect_uri=BACK)
    told = parse_qs(urlsplit((await agreed_on_the_page(sandbox, begun, answer="refuse")).headers["location"]).query)
    assert (told["error"], told["state"], "code" in told) == (["access_denied"], [begun.state], False)


async def test_more_hashes_than_an_address_holds_are_refused_before_anybody_leaves(known: Csc, sandbox: Sandbox) -> None:
    sandbox.order("modes", confirmation="page", takes_pushed=False)
    many = [hashlib.sha256(str(number).encode()).digest() for number in range(400)]
    with pytest.raises(ProviderRefused) as refused:
        await known.begin_on_page("cred-1", many, "Ký", redirect_uri=BACK)
    assert refused.value.code is Refusal.TOO_MANY


async def test_such_a_provider_takes_no_password_from_us(known: Csc) -> None:
    assert known.asks_password is False
    with pytest.raises(ProviderRefused) as refused:
        await known.login(USER, PASSWORD)
    assert refused.value.code is Refusal.WRONG_LOGIN


async def test_with_client_credentials_the_account_is_named_and_the_phone_vouches(sandbox: Sandbox, secret_file: Path) -> None:
    service = sandbox.adapter(secret_file, login="oauth2client")
    assert isinstance(service, Csc)
    session = await service.login(USER, "")
    credential = await credential_of(service, session)
    await assert_all_signed(service, session, credential, (await confirmed(service, session, credential)).sad)
    await service.aclose()


async def test_a_service_that_the_provider_does_not_know_is_a_matter_for_the_operator(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("khác", encoding="utf-8")
    service = sandbox.adapter(wrong, login="oauth2client")
    with pytest.raises(ProviderRefused) as refused:
        await service.login(USER, "")
    assert refused.value.code is Refusal.SERVICE_REFUSED
    await service.aclose()
