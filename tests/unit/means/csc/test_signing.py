"""Asking the person and signing through a CSC v2 provider, against a real HTTP server on loopback."""

import asyncio
import hashlib
from base64 import b64decode, b64encode

import pytest
from asn1crypto import algos
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from services.means.csc import Csc, scheme_of
from services.means.remote import (
    Authorized,
    Expired,
    ProviderRefused,
    ProviderUnavailable,
    Refusal,
    Rejected,
    Session,
    Waiting,
)
from tests.unit.means.csc.helpers import HASHES, credential_of, verify
from tests.unit.means.csc.provider import (
    ECDSA,
    PKCS1,
    PSS,
    SAD,
    SALTED,
    Provider,
    Scripted,
)


async def test_the_person_is_asked_once_for_all_hashes_and_the_answer_is_waited_for(csc: Csc, provider: Provider, session: Session) -> None:
    asked = await csc.authorize(session, "rsa", HASHES, "Ký học bạ lớp 6A1")
    waiting = await csc.check(session, "h-1")
    agreed = await csc.check(session, "h-1")

    assert asked == Waiting("h-1")
    assert waiting == Waiting("h-1")
    assert agreed == Authorized(SAD, 300)
    assert provider.requests("credentials/authorize") == [
        {
            "credentialID": "rsa",
            "numSignatures": 7,
            "hashes": [b64encode(one).decode() for one in HASHES],
            "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
            "description": "Ký học bạ lớp 6A1",
        }
    ]


async def test_a_provider_may_agree_at_once(csc: Csc, provider: Provider, session: Session) -> None:
    provider.script("credentials/authorize", Scripted(200, {"SAD": SAD}))

    assert await csc.authorize(session, "rsa", HASHES, "") == Authorized(SAD, 3600)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, {"error": "accepted_request", "error_description": "in progress"}, Waiting("h-1")),
        (202, {"error": "accepted_request"}, Waiting("h-1")),
        (400, {"error": "access_denied", "error_description": "The user denied the request"}, Rejected()),
        (403, {"error": "access_denied"}, Rejected()),
        (400, {"error": "invalid_request", "error_description": "Authorization request expired"}, Expired()),
    ],
)
async def test_every_answer_of_the_phone_has_its_outcome(
    csc: Csc, provider: Provider, session: Session, *, status: int, body: dict[str, str], outcome: object
) -> None:
    provider.script("credentials/authorizeCheck", Scripted(status, body))

    assert await csc.check(session, "h-1") == outcome


@pytest.mark.parametrize("kind", ["rsa", "ec"])
async def test_every_signature_verifies_over_its_own_hash_across_chunks(csc: Csc, provider: Provider, session: Session, kind: str) -> None:
    held = provider.held[kind]

    values = await csc.sign(session, credential_of(held), SAD, HASHES, client_data="tx-1")

    assert len(values) == len(HASHES)
    for value, digest in zip(values, HASHES, strict=True):
        verify(held, value, digest)
    with pytest.raises(InvalidSignature):
        verify(held, values[0], HASHES[1])
    sent = provider.requests("signatures/signHash")
    assert [len(one["hashes"]) for one in sent] == [3, 3, 1]
    assert {(one["operationMode"], one["signAlgo"], one["clientData"]) for one in sent} == {
        ("S", PKCS1 if kind == "rsa" else ECDSA, "tx-1")
    }


async def test_a_credential_that_knows_pss_alone_is_asked_for_pss_with_its_parameters(
    csc: Csc, provider: Provider, session: Session
) -> None:
    held = provider.held["rsa"]
    credential = credential_of(held, key_algorithms=(PSS,))

    (value,) = await csc.sign(session, credential, SAD, HASHES[:1], client_data="tx-1")

    key = held.certificates[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(value, HASHES[0], SALTED, Prehashed(SHA256()))
    (sent,) = provider.requests("signatures/signHash")
    parameters = algos.RSASSAPSSParams.load(b64decode(sent["signAlgoParams"]), strict=True)
    assert (scheme_of(credential), sent["signAlgo"]) == ("rsa-pss", PSS)
    assert parameters["hash_algorithm"]["algorithm"].native == "sha256"
    assert parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native == "sha256"
    assert parameters["salt_length"].native == 32


async def test_more_hashes_than_one_authorisation_covers_are_refused_unsent(csc: Csc, provider: Provider, session: Session) -> None:
    credential = credential_of(provider.held["rsa"], multisign=6)

    with pytest.raises(ProviderRefused) as caught:
        await csc.sign(session, credential, SAD, HASHES, client_data="tx-1")

    assert caught.value.code is Refusal.TOO_MANY
    assert provider.asked == []


@pytest.mark.parametrize("hashes", [[], [b"short"]])
async def test_what_is_no_sha256_is_never_sent(csc: Csc, provider: Provider, session: Session, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        await csc.authorize(session, "rsa", hashes, "")

    assert provider.asked == []


async def test_what_was_signed_before_a_failure_is_not_lost(csc: Csc, provider: Provider, session: Session) -> None:
    held = provider.held["ec"]
    kept: list[bytes] = []

    async def take() -> None:
        async for part in csc.sign_chunks(session, credential_of(held), SAD, HASHES, client_data="tx-1"):
            kept.extend(part)
            provider.script("signatures/signHash", Scripted(500, {}))

    with pytest.raises(ProviderUnavailable) as caught:
        await take()

    assert caught.value.sent
    assert len(kept) == 3
    for value, digest in zip(kept, HASHES[:3], strict=True):
        verify(held, value, digest)


async def test_what_an_authorisation_signed_before_it_was_spent_is_not_signed_again_under_the_next(
    csc: Csc, provider: Provider, session: Session
) -> None:
    held = provider.held["ec"]
    value = b64encode(held.sign(HASHES[0], ECDSA)).decode()
    provider.script(
        "signatures/signHash",
        Scripted(403, {"error": "invalid_hash", "error_description": "A hash will not be signed"}),
        Scripted(200, {"signatures": [value]}),
        Scripted(400, {"error": "invalid_request", "error_description": "Numbers of signatures is too high"}),
    )
    with pytest.raises(ProviderRefused) as caught:
        await csc.sign(session, credential_of(held), "sad-before", HASHES[:3], client_data="tx-1")
    assert caught.value.code is Refusal.TOO_MANY

    values = await csc.sign(session, credential_of(held), SAD, HASHES[:3], client_data="tx-1")

    for each, digest in zip(values, HASHES, strict=False):
        verify(held, each, digest)
    assert provider.requests("signatures/signHash")[-1]["hashes"] == [b64encode(one).decode() for one in HASHES[1:3]]


async def test_a_provider_without_synchronous_signing_is_asked_asynchronously_and_polled(
    csc: Csc, provider: Provider, session: Session
) -> None:
    provider.synchronous = False
    provider.script("signatures/signPolling", Scripted(400, {"error": "accepted_request", "error_description": "later"}))
    held = provider.held["ec"]

    values = await csc.sign(session, credential_of(held), SAD, HASHES, client_data="tx-1")

    for value, digest in zip(values, HASHES, strict=True):
        verify(held, value, digest)
    sent = provider.requests("signatures/signHash")
    assert [one["operationMode"] for one in sent] == ["S", "A", "A", "A"]
    assert sent[1]["validity_period"] == 605_000
    assert len(provider.requests("signatures/signPolling")) == 5


async def test_a_response_id_to_a_synchronous_request_is_polled_too(csc: Csc, provider: Provider, session: Session) -> None:
    provider.script("signatures/signHash", Scripted(200, {"responseID": "r-9"}))
    provider.results["r-9"] = [b64encode(b"value").decode()]

    assert await csc.sign(session, credential_of(provider.held["ec"]), SAD, HASHES[:1], client_data="tx-1") == [b"value"]


async def test_asynchronous_signing_that_never_ends_is_given_up_without_claiming_that_nothing_was_signed(
    provider: Provider, session: Session
) -> None:
    provider.synchronous = False
    provider.polls_until_signed = 10**6

    async with Csc(provider.url, poll_seconds=0.01, patience_seconds=0.05) as impatient:
        with pytest.raises(ProviderUnavailable, match="did not finish") as caught:
            await impatient.sign(session, credential_of(provider.held["ec"]), SAD, HASHES[:1], client_data="tx-1")

    assert caught.value.sent
    assert len(provider.requests("signatures/signHash")) == 2


async def test_further_hashes_join_an_authorisation_under_a_new_sad(csc: Csc, provider: Provider, session: Session) -> None:
    assert await csc.extend(session, "rsa", SAD, HASHES[:1]) == Authorized(f"{SAD}-2", 200)
    assert provider.requests("credentials/extendTransaction") == [
        {
            "credentialID": "rsa",
            "hashes": [b64encode(HASHES[0]).decode()],
            "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
            "SAD": SAD,
        }
    ]


async def test_requests_one_after_the_other_share_one_connection(csc: Csc, provider: Provider, session: Session) -> None:
    for _ in range(5):
        await csc.list_credentials(session)

    assert len({one.client_port for one in provider.asked}) == 1


async def test_many_requests_at_once_are_kept_apart(csc: Csc, provider: Provider, session: Session) -> None:
    held = provider.held["ec"]
    digests = [hashlib.sha256(f"{number}".encode()).digest() for number in range(40)]

    answers = await asyncio.gather(*(csc.sign(session, credential_of(held), SAD, [one], client_data="tx") for one in digests))

    for (value,), digest in zip(answers, digests, strict=True):
        verify(held, value, digest)
