"""Validation data from the sandbox's responders and lists; what it says is read with the cryptography package."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.sandbox.pki.authority import builder, key_usage, load_or_create, service_name
from infra.sandbox.pki.issuing import CertificateOrder, issue
from infra.sandbox.pki.records import Records
from infra.sandbox.pki.stamping import stamp
from infra.sandbox.pki.status import answer_ocsp, make_crl
from services.chassis import clock
from services.means.timestamps import TimestampAuthority, TimestampRefused, TimestampsUnavailable, outgoing
from services.means.validation_data import Unprovable, ValidationData, ValidationDataUnavailable, ValidationSource, _until
from tests.unit.means.sandbox_pki import Pki, running
from tests.unit.signing.pki import Party


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as started:
        yield started


@pytest.fixture(autouse=True)
def well_behaved(pki: Pki) -> Iterator[None]:
    yield
    with pki.server.client as client:
        client.delete("/control/faults").raise_for_status()


@pytest.fixture(scope="module")
def teacher(pki: Pki) -> Party:
    return pki.person("Nguyễn Thị Hồng", "031185000041")


@pytest.fixture(scope="module")
def school(pki: Pki) -> Party:
    return pki.person("Trường Tiểu học An Hồng", "0200123456", kind="organisation", root="government", key="p256")


@dataclass
class Means:
    """A source with its own pool of connections, and what was asked of whom."""

    source: ValidationSource
    authority: TimestampAuthority
    asked: Counter[str] = field(default_factory=Counter)

    async def of(self, *parties: Party) -> ValidationData:
        return await self.source.gather([(party.der, party.chain) for party in parties])

    def fetched(self, part: str) -> int:
        return sum(count for path, count in self.asked.items() if path.startswith(f"/{part}"))


@asynccontextmanager
async def means_of(pki: Pki, roots: list[bytes] | None = None, *, most_kept: int = 100) -> AsyncIterator[Means]:
    asked: Counter[str] = Counter()

    async def count(_: object, __: object, request: aiohttp.TraceRequestStartParams) -> None:
        asked[request.url.path] += 1

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(count)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        authority = TimestampAuthority(f"{pki.url}/tsa", pki.roots, session)
        source = ValidationSource(roots or pki.roots, authority, session, timeout_seconds=6, most_kept=most_kept)
        yield Means(source, authority, asked)


@pytest.fixture
async def means(pki: Pki) -> AsyncIterator[Means]:
    async with means_of(pki) as made:
        yield made


def serials(data: ValidationData) -> set[int]:
    """The certificates that the OCSP responses call good."""
    responses = [ocsp.load_der_ocsp_response(each) for each in data.ocsps]
    assert {each.certificate_status for each in responses} <= {ocsp.OCSPCertStatus.GOOD}
    return {each.serial_number for each in responses}


def serial(certificate: bytes) -> int:
    return x509.load_der_x509_certificate(certificate).serial_number


def list_issuers(data: ValidationData) -> list[str]:
    return sorted(str(x509.load_der_x509_crl(each).issuer.rfc4514_string()).partition(",")[0] for each in data.crls)


def later(monkeypatch: pytest.MonkeyPatch, by: dt.timedelta) -> None:
    moment = clock.now() + by
    monkeypatch.setattr(clock, "now", lambda: moment)


async def test_every_signer_every_issuer_and_the_timestamping_unit_are_proven(means: Means, teacher: Party, school: Party) -> None:
    data = await means.of(teacher, school)
    unit = await means.authority.unit()
    assert serials(data) == {serial(teacher.der), serial(school.der), serial(unit.certificate)}
    assert set(data.certificates) == {teacher.chain[0], school.chain[0]}
    assert list_issuers(data) == ["CN=Sandbox Government Root CA", "CN=Sandbox National Root CA"]


async def test_a_result_holds_only_what_its_document_needs(means: Means, teacher: Party, school: Party) -> None:
    await means.of(teacher, school)
    data = await means.of(teacher)
    assert serials(data) == {serial(teacher.der), serial((await means.authority.unit()).certificate)}
    assert list_issuers(data) == ["CN=Sandbox National Root CA"]
    assert len(data.certificates) == 1


async def test_a_class_of_45_asks_once_for_each_signer(means: Means, teacher: Party, school: Party) -> None:
    results = await asyncio.gather(*(means.of(teacher, school) for _ in range(45)))
    assert len(set(results)) == 1
    assert means.fetched("ocsp") == 3
    assert means.fetched("crl") == 2
    await means.of(teacher, school)
    assert means.fetched("ocsp") == 3


async def test_after_minutes_the_status_is_asked_for_again(means: Means, teacher: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    await means.of(teacher)
    before = means.fetched("ocsp")
    later(monkeypatch, dt.timedelta(minutes=4))
    await means.of(teacher)
    assert means.fetched("ocsp") == before
    later(monkeypatch, dt.timedelta(minutes=2))
    await means.of(teacher)
    assert means.fetched("ocsp") == 2 * before


def test_nothing_is_kept_beyond_half_of_the_way_to_its_next_update(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert _until(moment + dt.timedelta(minutes=4), moment + dt.timedelta(days=1)) == moment + dt.timedelta(minutes=2)
    assert _until(moment + dt.timedelta(days=1), None) == moment + dt.timedelta(minutes=5)


async def test_no_more_is_kept_than_was_allowed(pki: Pki, teacher: Party, school: Party) -> None:
    async with means_of(pki, most_kept=1) as means:
        for _ in range(2):
            await means.of(teacher)
            await means.of(school)
        assert means.asked["/ocsp/government-ca"] == 2


async def test_without_a_responder_the_list_is_taken(pki: Pki, means: Means, teacher: Party) -> None:
    pki.fault("ocsp", down=True)
    data = await means.of(teacher)
    assert data.ocsps == ()
    assert list_issuers(data) == ["CN=Sandbox National Root CA", "CN=Sandbox Public CA"]


async def test_a_responder_that_says_try_later_is_passed_over_for_the_list(pki: Pki, means: Means, teacher: Party) -> None:
    await means.authority.unit()
    pki.fault("ocsp", refuse_next=2)
    data = await means.of(teacher)
    assert "CN=Sandbox Public CA" in list_issuers(data)


async def test_without_a_list_an_issuer_is_asked_for_at_the_responder(pki: Pki, means: Means, teacher: Party) -> None:
    pki.fault("crl", down=True)
    data = await means.of(teacher)
    assert data.crls == ()
    unit = await means.authority.unit()
    assert serials(data) == {serial(teacher.der), serial(teacher.chain[0]), serial(unit.certificate)}


async def test_with_neither_it_may_work_later(pki: Pki, means: Means, teacher: Party) -> None:
    for endpoint in ("ocsp", "crl"):
        pki.fault(endpoint, down=True)
    with pytest.raises(ValidationDataUnavailable):
        await means.of(teacher)
    for endpoint in ("ocsp", "crl"):
        pki.fault(endpoint, down=False)
    assert serial(teacher.der) in serials(await means.of(teacher))


async def test_a_responder_that_is_too_slow_is_not_waited_for(pki: Pki, means: Means, teacher: Party) -> None:
    pki.fault("ocsp", slow_ms=30_000)
    assert "CN=Sandbox Public CA" in list_issuers(await means.of(teacher))


@pytest.mark.parametrize("responder", ["up", "down"])
async def test_a_revoked_signer_is_unprovable_whoever_says_so(pki: Pki, means: Means, teacher: Party, responder: str) -> None:
    gone = pki.person("Trần Đã Thu Hồi", "031185000042")
    pki.revoke(gone.der)
    pki.fault("ocsp", down=responder == "down")
    with pytest.raises(Unprovable) as caught:
        await means.of(teacher, gone)
    assert caught.value.certificate == gone.der
    assert caught.value.code == "revoked"
    assert caught.value.since is not None
    assert abs(caught.value.since - clock.now()) < dt.timedelta(minutes=2)
    assert "Trần Đã Thu Hồi" in caught.value.message_vi


async def test_what_reaches_the_log_names_no_person(pki: Pki, means: Means, teacher: Party, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gone = pki.person("Trần Đã Thu Hồi", "031185000043", defects=["revoked"])
    expired = pki.person("Lê Hết Hạn", "031185000044", defects=["expired"])
    for person in (gone, expired):
        with pytest.raises(Unprovable):
            await means.of(teacher, person)
        try:
            await means.of(person)
        except Unprovable:
            logging.getLogger("test").exception("as the work loop logs it")
    assert "as the work loop logs it" in caplog.text
    assert f"{serial(gone.der):X}" in caplog.text
    for name in ("Trần", "Lê Hết", "Hồng", "0311850000"):
        assert name not in caplog.text


@pytest.mark.parametrize(
    ("defect", "code"), [("expired", "expired"), ("not_yet_valid", "not_yet_valid"), ("unknown_issuer", "incomplete_chain")]
)
async def test_what_no_path_leads_to_is_unprovable(pki: Pki, means: Means, defect: str, code: str) -> None:
    person = pki.person("Người Ký", "031185000045", defects=[defect])
    with pytest.raises(Unprovable) as caught:
        await means.of(person)
    assert caught.value.code == code


async def test_without_the_issuers_certificate_the_chain_is_incomplete(means: Means, teacher: Party) -> None:
    with pytest.raises(Unprovable) as caught:
        await means.source.gather([(teacher.der, ())])
    assert caught.value.code == "incomplete_chain"


async def test_an_address_in_a_certificate_under_an_unknown_root_is_never_asked(pki: Pki, school: Party, teacher: Party) -> None:
    national = [root for root in pki.roots if b"National" in root]
    async with means_of(pki, roots=national) as means:
        with pytest.raises(Unprovable) as caught:
            await means.of(school)
        assert caught.value.code in ("untrusted", "incomplete_chain")
        assert not any("government" in path for path in means.asked)


async def test_what_can_never_be_mended_is_told_before_what_may_pass(pki: Pki, means: Means, teacher: Party) -> None:
    expired = pki.person("Lê Hết Hạn", "031185000046", defects=["expired"])
    for endpoint in ("ocsp", "crl"):
        pki.fault(endpoint, down=True)
    with pytest.raises(Unprovable):
        await means.of(teacher, expired)


async def test_one_who_gives_up_waiting_does_not_stop_the_others(pki: Pki, means: Means, teacher: Party) -> None:
    await means.authority.unit()
    pki.fault("ocsp", slow_ms=300)
    first = asyncio.ensure_future(means.of(teacher))
    second = asyncio.ensure_future(means.of(teacher))
    await asyncio.sleep(0.1)
    first.cancel()
    assert serial(teacher.der) in serials(await second)
    assert first.cancelled()


async def test_without_timestamps_there_is_nothing_to_gather(pki: Pki, means: Means, teacher: Party) -> None:
    pki.fault("tsa", down=True)
    with pytest.raises(TimestampsUnavailable):
        await means.of(teacher)


async def test_a_revoked_timestamping_unit_is_no_signers_fault(tmp_path: Path) -> None:
    with running(tmp_path) as other:
        async with means_of(other) as means:
            teacher = other.person("Giáo Viên", "031185000047")
            unit = await means.authority.unit()
            other.revoke(unit.certificate)
            with pytest.raises(TimestampRefused, match="unit cannot be proven"):
                await means.of(teacher)


async def test_a_responder_without_nocheck_is_proven_by_the_list(tmp_path: Path) -> None:
    """A PKI in this process, whose responder's certificate can itself be revoked."""

    async def answer(request: web.Request) -> web.Response:
        part, _, name = request.path[1:].partition("/")
        if part == "tsa":
            return web.Response(body=stamp(await request.read(), stamper), content_type="application/timestamp-reply")
        authority = authorities[name.removesuffix(".crl")]
        return web.Response(body=answer_ocsp(await request.read(), authority, records) if part == "ocsp" else make_crl(authority, records))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        authorities, stamper = load_or_create(tmp_path, url)
        ca = authorities["national-ca"]
        key = ec.generate_private_key(ec.SECP256R1())
        since = ca.ocsp_certificate.not_valid_before_utc
        plain = (
            builder(
                service_name("Responder"),
                key.public_key(),
                issuer=ca.certificate.subject,
                issuer_key=ca.key.public_key(),
                since=since,
                until=since + dt.timedelta(days=30),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=True)
            .add_extension(
                x509.CRLDistributionPoints(
                    [x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/crl/national-ca.crl")], None, None, None)]
                ),
                critical=False,
            )
            .sign(ca.key, hashes.SHA256())
        )
        authorities["national-ca"] = replace(ca, ocsp_key=key, ocsp_certificate=plain)
        records = Records(tmp_path / "records.sqlite")
        records.add("national-ca", stamper.certificate)
        made = issue(CertificateOrder(kind="personal", name="Giáo Viên", identifier="031185000048"), authorities, url)
        records.add("national-ca", made.certificate)
        roots = [authorities["national-root"].certificate.public_bytes(Encoding.DER)]
        async with outgoing() as session:
            source = ValidationSource(roots, TimestampAuthority(f"{url}/tsa", roots, session), session)
            der, *chain = [each.public_bytes(Encoding.DER) for each in (made.certificate, *made.chain[:1])]
            data = await source.gather([(der, chain)])
        assert serials(data) == {made.certificate.serial_number, stamper.certificate.serial_number}
        assert list_issuers(data) == ["CN=Sandbox National Root CA", "CN=Sandbox Public CA"]
        records.close()
