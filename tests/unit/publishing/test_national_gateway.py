"""The gateway's protocol: packages by the published schema, signed as a whole; callbacks that only the gateway can make."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
import time
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from services.chassis.errors import Refused
from services.chassis.settings import Settings
from services.publishing.gateways.national import Enclosed, PackageInfo, build_package, verify_callback
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
