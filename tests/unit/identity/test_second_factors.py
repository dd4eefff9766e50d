"""Second factors without a database: codes of apps, spare codes, what is asked of passkeys, which devices are known."""

from __future__ import annotations

import datetime as dt
from base64 import b32encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from contracts.access import Principal, Role
from services.identity.accounts import factors, known_devices, passkeys, spare_codes, totp
from services.identity.accounts.factors import Keys, Proof
from services.identity.sealing import Box

SECRET = b32encode(b"12345678901234567890").decode()
AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)
SITE = passkeys.site_of("https://hocba.example.vn:8443")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    file = tmp_path / "factor-key"
    file.write_bytes(Fernet.generate_key())
    return Keys(Box(file), SITE)


def account(keys: Keys, **more: Any) -> dict[str, Any]:
    return {"_id": "x", "factors": [factors.new_app(keys.box.seal(SECRET), 0, name="app", at=AT)], **more}


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1; the last six of its eight digits."""
    assert totp.step_of(SECRET, code, dt.datetime.fromtimestamp(second, dt.UTC)) == second // 30


def test_a_code_is_good_one_step_early_and_one_step_late() -> None:
    found = [totp.step_of(SECRET, "081804", dt.datetime.fromtimestamp(1111111109 + 30 * n, dt.UTC)) for n in range(-2, 3)]
    assert [step is not None for step in found] == [False, True, True, True, False]


def test_a_step_that_was_used_is_not_good_again(keys: Keys) -> None:
    at = dt.datetime.fromtimestamp(1111111109, dt.UTC)
    fresh = account(keys)
    assert factors.match(keys, fresh, Proof(code="081804"), at) is not None
    fresh["factors"][0]["last_step"] = 1111111109 // 30
    assert factors.match(keys, fresh, Proof(code="081804"), at) is None


def test_a_proof_of_no_kind_proves_nothing(keys: Keys) -> None:
    for proof in (
        Proof(),
        Proof(code="081804"),
        Proof(passkey={}),
        Proof(passkey={"id": "x"}, challenge=b"x"),
        Proof(code="abcde-fghjk-mnpqr"),
    ):
        assert factors.match(keys, account(keys), proof, AT) is None
        assert factors.match(keys, {"_id": "x"}, proof, AT) is None


def test_spare_codes_are_found_however_they_are_typed() -> None:
    made = spare_codes.make()
    assert len(set(made)) == len(set(spare_codes.digests_of(made))) == 10
    for typed in (made[0], made[0].upper(), made[0].replace("-", " "), f" {made[0].replace('-', '')} "):
        assert spare_codes.digest_of(typed) == spare_codes.digests_of(made)[0]
    for other in ("", "081804", made[0][:-1], f"{made[0]}a", "é" * 15):
        assert spare_codes.digest_of(other) is None


def test_the_picture_of_a_secret_has_no_styles_and_names_nobody_elses_site() -> None:
    uri = totp.uri_of(SECRET, "31300001003")
    assert uri.startswith("otpauth://totp/")
    assert f"secret={SECRET}" in uri
    picture = totp.picture_of(uri)
    assert picture.startswith("<svg ")
    assert "style" not in picture
    assert "http" not in picture


def test_a_passkey_answers_the_host_of_the_public_address() -> None:
    assert (SITE.name, SITE.origin) == ("hocba.example.vn", "https://hocba.example.vn:8443")
    with pytest.raises(ValueError, match="no host"):
        passkeys.site_of("/ui/identity/")


def test_a_new_passkey_must_verify_its_owner_and_is_not_made_twice() -> None:
    options = passkeys.creation_options(SITE, b"challenge", person="31300001003", name="Ngô Công Hoàng", existing=["AAAA"])
    assert options["rp"]["id"] == "hocba.example.vn"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert [c["id"] for c in options["excludeCredentials"]] == ["AAAA"]


@pytest.mark.parametrize("answer", [{}, {"id": 5}, {"id": "x", "rawId": "x", "type": "public-key", "response": {}}, {"response": None}])
def test_what_is_no_answer_of_a_passkey_is_no_good(answer: dict[str, Any]) -> None:
    assert passkeys.made(SITE, b"challenge", answer) is None
    assert passkeys.used(SITE, b"challenge", answer, public_key=b"", sign_count=0) is None


@pytest.mark.parametrize(
    ("roles", "demanded"),
    [
        ({Role.ADMINISTRATOR}, True),
        ({Role.MANAGER}, True),
        ({Role.ISSUER}, True),
        ({Role.OFFICER}, True),
        ({Role.HOMEROOM_TEACHER, Role.ISSUER}, True),
        ({Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER}, False),
        ({Role.CLERK}, False),
        (set(), False),
    ],
)
def test_a_second_factor_is_demanded_by_role(roles: set[Role], demanded: bool) -> None:
    assert factors.demanded(Principal(person="x", name="x", roles=frozenset(roles))) is demanded


def test_a_device_is_known_for_half_a_year() -> None:
    token = known_devices.new_token()
    kept = {"devices": [{"digest": known_devices.digest_of(token), "seen_at": AT}]}
    assert known_devices.known(kept, token, AT + dt.timedelta(days=179)) == known_devices.digest_of(token)
    for account_, cookie, at in (
        (kept, token, AT + dt.timedelta(days=180)),
        (kept, known_devices.new_token(), AT),
        (kept, None, AT),
        ({}, token, AT),
        (None, token, AT),
    ):
        assert known_devices.known(account_, cookie, at) is None


def test_a_device_cookie_that_was_not_made_here_is_none() -> None:
    made = known_devices.new_token()
    assert known_devices.token_in(made) == made
    for cookie in (None, "", "x", made + "x", made[:-1] + "é", "A" * 5000):
        assert known_devices.token_in(cookie) is None
