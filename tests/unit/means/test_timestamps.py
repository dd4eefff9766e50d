"""The timestamp client against the sandbox's authority, and against one that answers as a test wants."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from infra.sandbox.pki.authority import Stamper, load_or_create
from infra.sandbox.pki.stamping import stamp
from services.chassis import clock
from services.means.timestamps import TimestampAuthority, TimestampRefused, TimestampsUnavailable, imprint_of, outgoing, time_of
from tests.unit.means.sandbox_pki import Pki, der, running

DIGEST = sha256(b"a transcript").digest()
Answer = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as started:
        yield started


@pytest.fixture(autouse=True)
def well_behaved(pki: Pki) -> Iterator[None]:
    yield
    with pki.server.client as client:
        client.delete("/control/faults").raise_for_status()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with outgoing() as opened:
        yield opened


@pytest.fixture
def authority(pki: Pki, session: aiohttp.ClientSession) -> TimestampAuthority:
    return pki.authority(session)


@pytest.fixture
def stamper(pki: Pki) -> Stamper:
    """The sandbox's own timestamping unit, for answers that the sandbox would not give."""
    _, unit = load_or_create(pki.server.directory / "pki", pki.url)
    return unit


@pytest.fixture
async def answering(pki: Pki, session: aiohttp.ClientSession) -> AsyncIterator[Callable[[Answer], Awaitable[TimestampAuthority]]]:
    """An authority that answers a request's body as told."""
    servers: list[TestServer] = []

    async def start(answer: Answer) -> TimestampAuthority:
        async def handle(request: web.Request) -> web.Response:
            return web.Response(body=answer(await request.read()), content_type="application/timestamp-reply")

        app = web.Application()
        app.router.add_post("/tsa", handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return TimestampAuthority(str(server.make_url("/tsa")), pki.roots, session)

    yield start
    for server in servers:
        await server.close()


def of(unit: Stamper, certificate: bytes, key: ec.EllipticCurvePrivateKey) -> Stamper:
    return Stamper(key, x509.load_der_x509_certificate(certificate), unit.issuer)


async def test_openssl_verifies_a_token_and_finds_the_certificate_inside(pki: Pki, authority: TimestampAuthority, tmp_path: Path) -> None:
    token = await authority.token(DIGEST)
    file = tmp_path / "token"
    file.write_bytes(token)
    root = str(pki.trust / "national-root.pem")
    command = ["openssl", "ts", "-verify", "-digest", DIGEST.hex(), "-in", str(file), "-token_in", "-CAfile", root]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr
    assert imprint_of(token) == DIGEST
    assert abs(time_of(token) - clock.now()) < dt.timedelta(minutes=1)


async def test_the_unit_is_known_with_its_issuer_and_the_room_that_a_token_takes(pki: Pki, authority: TimestampAuthority) -> None:
    unit = await authority.unit()
    assert unit.certificate == der((pki.server.directory / "pki" / "tsa.pem").read_text())
    assert unit.chain == (der((pki.server.directory / "pki" / "national-ca.pem").read_text()),)
    lengths = {len(await authority.token(sha256(bytes([n])).digest())) for n in range(10)}
    assert max(lengths) <= unit.room <= min(lengths) + 128


async def test_many_tokens_asked_for_at_once_are_all_over_their_own_digest(authority: TimestampAuthority) -> None:
    digests = [sha256(bytes([n])).digest() for n in range(30)]
    tokens = await asyncio.gather(*(authority.token(digest) for digest in digests))
    assert [imprint_of(token) for token in tokens] == digests


@pytest.mark.parametrize(
    ("failure", "error"),
    [("system_failure", TimestampRefused), ("bad_alg", TimestampRefused), ("time_not_available", TimestampsUnavailable)],
)
async def test_a_refusal_gives_the_authoritys_reason(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], failure: str, error: type[Exception]
) -> None:
    status = tsp.PKIStatusInfo({"status": "rejection", "status_string": ["not today"], "fail_info": {failure}}).dump()
    authority = await answering(lambda _: bytes([0x30, len(status)]) + status)
    with pytest.raises(error, match=f"{failure}.* not today"):
        await authority.token(DIGEST)


async def test_a_token_with_a_wrong_signature_is_refused(pki: Pki, authority: TimestampAuthority) -> None:
    await authority.unit()
    pki.fault("tsa", wrong_signature_next=1)
    with pytest.raises(TimestampRefused, match="signature is wrong"):
        await authority.token(DIGEST)


async def test_a_wrong_signature_is_refused_on_the_first_token_already(pki: Pki, authority: TimestampAuthority) -> None:
    pki.fault("tsa", wrong_signature_next=1)
    with pytest.raises(TimestampRefused, match="signature is wrong"):
        await authority.unit()


@pytest.mark.parametrize("fault", [{"down": True}, {"fail_next": 1}, {"lose_answer_next": 1}])
async def test_trouble_at_the_authority_may_pass(pki: Pki, authority: TimestampAuthority, fault: dict[str, int]) -> None:
    await authority.unit()
    pki.fault("tsa", **fault)
    with pytest.raises(TimestampsUnavailable):
        await authority.token(DIGEST)
    pki.fault("tsa", down=False)
    assert imprint_of(await authority.token(DIGEST)) == DIGEST


async def test_an_authority_that_is_away_or_too_slow_may_come_back(pki: Pki, session: aiohttp.ClientSession) -> None:
    with pytest.raises(TimestampsUnavailable):
        await TimestampAuthority("http://127.0.0.1:1/tsa", pki.roots, session).token(DIGEST)
    pki.fault("tsa", slow_ms=5000)
    with pytest.raises(TimestampsUnavailable, match="TimeoutError"):
        await pki.authority(session, timeout_seconds=0.2).token(DIGEST)


async def test_an_address_without_an_authority_is_a_refusal(pki: Pki, session: aiohttp.ClientSession) -> None:
    with pytest.raises(TimestampRefused, match="404"):
        await TimestampAuthority(f"{pki.url}/nowhere", pki.roots, session).token(DIGEST)


async def test_a_redirect_is_not_followed(pki: Pki, session: aiohttp.ClientSession) -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{pki.url}/tsa")

    app = web.Application()
    app.router.add_post("/tsa", elsewhere)
    async with TestServer(app) as server:
        with pytest.raises(TimestampsUnavailable):
            await TimestampAuthority(str(server.make_url("/tsa")), pki.roots, session).token(DIGEST)


@pytest.mark.parametrize("content", [b"", b"no DER at all", bytes.fromhex("3003020100"), bytes.fromhex("30053003020100")])
async def test_an_answer_that_is_no_timestamp_is_refused(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], content: bytes
) -> None:
    authority = await answering(lambda _: content)
    with pytest.raises(TimestampRefused):
        await authority.token(DIGEST)


async def test_an_answer_to_another_request_is_refused(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], stamper: Stamper
) -> None:
    asked: list[bytes] = []

    def the_first_once_more(request: bytes) -> bytes:
        asked.append(request)
        return stamp(asked[0], stamper)

    authority = await answering(the_first_once_more)
    await authority.unit()
    with pytest.raises(TimestampRefused, match="another request"):
        await authority.token(DIGEST)


async def test_a_token_over_another_digest_is_refused(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], stamper: Stamper
) -> None:
    authority = await answering(lambda request: stamp(request.replace(DIGEST, sha256(b"another").digest()), stamper))
    await authority.unit()
    with pytest.raises(TimestampRefused, match="another digest"):
        await authority.token(DIGEST)


async def test_a_token_without_the_units_certificate_is_refused(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], stamper: Stamper
) -> None:
    wants_certificates = bytes.fromhex("0101ff")
    authority = await answering(lambda request: stamp(request.replace(wants_certificates, bytes.fromhex("010100")), stamper))
    with pytest.raises(TimestampRefused):
        await authority.token(DIGEST)


async def test_a_clock_that_is_wrong_on_either_side_is_noticed(authority: TimestampAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    await authority.unit()
    later = clock.now() + dt.timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(TimestampRefused, match="is not the time"):
        await authority.token(DIGEST)


async def test_a_unit_under_an_unknown_root_is_refused(pki: Pki, session: aiohttp.ClientSession) -> None:
    government = der((pki.trust / "government-root.pem").read_text())
    with pytest.raises(TimestampRefused, match="certificate is"):
        await TimestampAuthority(f"{pki.url}/tsa", [government], session).unit()


async def test_a_certificate_that_is_not_for_timestamps_is_refused(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], stamper: Stamper, pki: Pki
) -> None:
    person = pki.person("Không Phải TSA", "031185000031", key="p256")
    assert isinstance(person.key, ec.EllipticCurvePrivateKey)
    impostor = of(stamper, person.der, person.key)
    authority = await answering(lambda request: stamp(request, impostor))
    with pytest.raises(TimestampRefused, match="not for timestamps"):
        await authority.unit()


async def test_when_another_unit_takes_over_no_token_is_given_before_it_is_known(
    answering: Callable[[Answer], Awaitable[TimestampAuthority]], stamper: Stamper, tmp_path: Path, pki: Pki, session: aiohttp.ClientSession
) -> None:
    authorities, successor = load_or_create(tmp_path / "other", pki.url)
    working = [stamper]
    answers = await answering(lambda request: stamp(request, working[0]))
    root = authorities["national-root"].certificate.public_bytes(Encoding.DER)
    authority = TimestampAuthority(answers._client.url, [*pki.roots, root], session)
    assert imprint_of(await authority.token(DIGEST)) == DIGEST
    working[0] = successor
    with pytest.raises(TimestampsUnavailable, match="another timestamping unit"):
        await authority.token(DIGEST)
    assert imprint_of(await authority.token(DIGEST)) == DIGEST
    assert (await authority.unit()).certificate == successor.certificate.public_bytes(Encoding.DER)
