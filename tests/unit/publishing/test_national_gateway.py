"""The gateway's protocol: packages by the published schema, signed as a whole; callbacks that only the gateway can make."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from services.chassis.errors import Refused
from services.chassis.settings import Settings
from services.publishing.gateways.national import (
    Enclosed,
    GatewayAway,
    NationalGateway,
    PackageInfo,
    PackageRefused,
    build_package,
    verify_callback,
)
from services.publishing.gateways.service_http import retry_after
from services.publishing.lookup import Criteria
from tests.factories.settings import settings_without_servers

ROOT = Path(__file__).resolve().parents[3]
INFO = PackageInfo(
    id="0b1c2d3e-0000-4000-8000-000000000001",
    school="31300001",
    year="2025-2026",
    class_code="1A",
    made_at=dt.datetime(2026, 6, 1, 1, 2, 3, tzinfo=dt.UTC),
    callback="https://localhost:8443/api/publishing/gateway-callbacks",
)
ENCLOSED = [Enclosed("0b1c2d3e-0000-4000-8000-00000000000a", 1, "312500100001", b"%PDF-1.7", b"<HocBa/>")]


def test_a_package_follows_the_published_schema_and_names_the_digest_of_every_file() -> None:
    with zipfile.ZipFile(io.BytesIO(build_package(INFO, ENCLOSED))) as archive:
        manifest = etree.fromstring(archive.read("manifest.xml"))
        schema = etree.XMLSchema(etree.parse(str(ROOT / "contracts" / "xml" / "goi-hoc-ba-1.0.xsd")))
        schema.assertValid(manifest)
        files = {e.get("ten"): e.get("sha256") for e in manifest.iter() if e.get("ten")}
        assert files == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if name != "manifest.xml"}


def test_the_same_package_is_the_same_bytes_so_that_it_can_be_sent_again() -> None:
    assert build_package(INFO, ENCLOSED) == build_package(INFO, ENCLOSED)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text("bí mật chung")
    return settings_without_servers(secret, gateway_callback_secret_file=secret)


def signature(body: bytes, at: int, key: str = "bí mật chung") -> str:
    return f"t={at},v1={hmac.new(key.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


BODY = json.dumps(
    {"eventId": "e", "packageId": "p", "results": [{"uuid": "t", "status": "REJECTED", "code": "NG-404", "reason": "Sai"}]}
).encode()


def test_a_callback_signed_with_the_shared_secret_is_taken(settings: Settings) -> None:
    said = verify_callback(settings, signature(BODY, int(time.time())), BODY)
    assert (said.package_id, said.results[0].code) == ("p", "NG-404")


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "t=x,v1=y", "t=1,v1=" + "0" * 64])
def test_a_callback_without_a_right_signature_is_refused(settings: Settings, header: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-004"):
        verify_callback(settings, header, BODY)


def test_a_callback_with_another_body_another_secret_or_an_old_time_is_refused(settings: Settings) -> None:
    now = int(time.time())
    for header, body in (
        (signature(BODY, now), BODY + b" "),
        (signature(BODY, now, "khác"), BODY),
        (signature(BODY, now - 600), BODY),
        (signature(b"[]", now), b"[]"),
    ):
        with pytest.raises(Refused, match="HB-PUB-004"):
            verify_callback(settings, header, body)


def answering(settings: Settings, folder: Path, answer: Callable[[httpx.Request], httpx.Response]) -> NationalGateway:
    """The adapter with a gateway that answers as told."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "publishing")])
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = made.not_valid_before(at).not_valid_after(at + dt.timedelta(days=3650)).sign(key, hashes.SHA256())
    key_file, certificate_file = folder / "service.key", folder / "service.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    told = {"gateway_url": "https://gateway.test", "service_key_file": key_file, "service_cert_file": certificate_file}
    gateway = NationalGateway(settings.model_copy(update=told))
    gateway._http._http = httpx.AsyncClient(base_url="https://gateway.test", transport=httpx.MockTransport(answer))
    return gateway


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(408),
        httpx.Response(200, text="<html>Đăng nhập mạng</html>"),
        httpx.Response(404, text="<html>proxy</html>"),
        httpx.Response(403, json={"error": "proxy"}),
        httpx.Response(202, json={"packageId": "another", "receivedAt": "2026-06-01T00:00:00Z", "state": "RECEIVED"}),
        httpx.Response(202, text=""),
    ],
    ids=lambda r: f"{r.status_code}-{len(r.content)}",
)
async def test_whatever_is_not_the_gateways_own_word_means_try_again_later(
    settings: Settings, tmp_path: Path, answer: httpx.Response
) -> None:
    with pytest.raises(GatewayAway) as away:
        await answering(settings, tmp_path, lambda _: answer).send(INFO.id, b"body")
    assert away.value.retry_after == (7.0 if "Retry-After" in answer.headers else None)


async def test_the_gateways_own_refusal_ends_the_package_and_an_unknown_package_is_none(settings: Settings, tmp_path: Path) -> None:
    refusal = {"code": "NG-011", "reason": "Không có gói này"}
    with pytest.raises(PackageRefused, match="NG-011"):
        await answering(settings, tmp_path, lambda _: httpx.Response(400, json=refusal)).send(INFO.id, b"body")
    assert await answering(settings, tmp_path, lambda _: httpx.Response(404, json=refusal)).results(INFO.id) is None
    with pytest.raises(GatewayAway):
        await answering(settings, tmp_path, lambda _: httpx.Response(404, text="no such page")).results(INFO.id)


OBEYED = {
    "withdrawalId": "w-1",
    "uuid": "t",
    "version": 1,
    "state": "WITHDRAWN",
    "code": None,
    "reason": None,
    "at": "2026-06-01T08:00:00+07:00",
}


async def test_the_gateways_word_on_a_withdrawal_is_taken_and_an_unknown_order_is_none(settings: Settings, tmp_path: Path) -> None:
    known = answering(settings, tmp_path, lambda _: httpx.Response(200, json=OBEYED))
    for said in (await known.withdraw("w-1", b"{}"), await known.withdrawal("w-1")):
        assert said is not None
        assert said.state == "WITHDRAWN"
    refusal = {"code": "NG-016", "reason": "Không có lệnh thu hồi này"}
    unknown = answering(settings, tmp_path, lambda _: httpx.Response(404, json=refusal))
    assert await unknown.withdrawal("w-1") is None
    with pytest.raises(PackageRefused, match="NG-016"):
        await unknown.withdraw("w-1", b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(404, text="<html>proxy</html>"),
        httpx.Response(200, text="<html>Đăng nhập mạng</html>"),
        httpx.Response(200, json={**OBEYED, "withdrawalId": "w-2"}),
        httpx.Response(200, json={**OBEYED, "state": "MAYBE"}),
    ],
    ids=["down", "proxy says no", "proxy says yes", "another order", "unknown state"],
)
async def test_whatever_is_not_the_gateways_own_word_on_a_withdrawal_is_asked_again(
    settings: Settings, tmp_path: Path, answer: httpx.Response
) -> None:
    gateway = answering(settings, tmp_path, lambda _: answer)
    with pytest.raises(GatewayAway):
        await gateway.withdraw("w-1", b"{}")
    with pytest.raises(GatewayAway):
        await gateway.withdrawal("w-1")


async def test_personal_data_of_a_search_stand_in_the_signed_body_and_never_in_the_address(settings: Settings, tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"total": 0, "page": 1, "size": 200, "results": []})

    await answering(settings, tmp_path, answer).search("31300001", Criteria(name="Đỗ Thị Đào", personal_id="031215001234"))
    (request,) = asked
    assert str(request.url) == "https://gateway.test/v1/transcripts/search"
    assert json.loads(request.content) == {"schoolCode": "31300001", "pupilName": "Đỗ Thị Đào", "personalId": "031215001234", "page": 1}
    assert ".." in request.headers["X-JWS-Signature"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 01 Jun 2026 00:01:00 GMT", 60.0),
        ("Sun, 31 May 2026 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, dt.datetime(2026, 6, 1, tzinfo=dt.UTC)) == seconds
