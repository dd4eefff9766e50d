"""Listing and signing on real SoftHSM2 tokens; values are checked with `cryptography`, which made the keys."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from hocba_agent import drivers
from hocba_agent import tokens as agent_tokens
from hocba_agent.jobs import Scheme
from hocba_agent.troubles import FINAL_TRY, TRIES_LOW, Trouble
from services.means import x509
from tests.unit.agent.softhsm import FINAL_TRY as FINAL_TRY_FLAG
from tests.unit.agent.softhsm import LOCKED, MODULE, PIN, Kind, PrivateKey, Tokens, certificate, der, new_key

MODULES = [MODULE]
TEXT = "CHỨNG MINH\nmột văn bản\n".encode()
DIGEST = hashlib.sha256(TEXT).digest()


def equipped(tokens: Tokens, kind: Kind = "p256", label: str = "VNPT-CA") -> PrivateKey:
    key = new_key(kind)
    tokens.add(label)
    tokens.put_key(label, key)
    tokens.put_certificate(label, der(certificate(key)))
    return key


def code_of(raised: pytest.ExceptionInfo[Trouble]) -> str:
    return raised.value.code


def signed(scheme: Scheme) -> tuple[agent_tokens.TokenCertificate, bytes]:
    found = agent_tokens.certificates(MODULES)[0]
    unlocked = agent_tokens.unlock(found, PIN)
    try:
        return found, unlocked.sign(found, TEXT, scheme)
    finally:
        unlocked.close()


def test_certificates_are_listed_without_a_pin(tokens: Tokens) -> None:
    key = equipped(tokens)
    found = agent_tokens.certificates(MODULES)
    assert [(one.token, one.label, one.x509.public_key()) for one in found] == [("VNPT-CA", "Chứng thư số", key.public_key())]
    assert found[0].fingerprint == hashlib.sha256(found[0].der).hexdigest()


def test_issuers_on_the_token_become_the_chain_and_are_not_offered_for_signing(tokens: Tokens) -> None:
    root_key, middle_key, key = new_key("p256"), new_key("p256"), new_key("p256")
    root = certificate(root_key, subject="Root CA", authority=True)
    middle = certificate(middle_key, subject="CA", issuer=(root, root_key), authority=True)
    own = certificate(key, issuer=(middle, middle_key))
    tokens.add("A")
    tokens.put_key("A", key)
    for one, key_id in ((root, None), (own, 1), (middle, None)):
        tokens.put_certificate("A", der(one), key_id=key_id)
    found = agent_tokens.certificates(MODULES)
    assert [one.der for one in found] == [der(own)]
    assert found[0].chain == (der(middle), der(root))


def test_certificates_of_all_plugged_in_tokens_are_listed(tokens: Tokens) -> None:
    equipped(tokens, label="A")
    equipped(tokens, label="B")
    assert {one.token for one in agent_tokens.certificates(MODULES)} == {"A", "B"}


def test_an_rsa_key_signs_in_pkcs1_over_a_digest_made_here(tokens: Tokens) -> None:
    key = equipped(tokens, "rsa2048").public_key()
    found, value = signed("rsa-pkcs1")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(value, TEXT, padding.PKCS1v15(), hashes.SHA256())
    assert x509.check_value(found.der, DIGEST, value) == "rsa-pkcs1"


def test_an_rsa_key_signs_in_pss_with_a_salt_of_32_bytes(tokens: Tokens) -> None:
    key = equipped(tokens, "rsa2048").public_key()
    found, value = signed("rsa-pss")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(value, TEXT, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert x509.check_value(found.der, DIGEST, value) == "rsa-pss"


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_an_elliptic_key_gives_a_der_value(tokens: Tokens, kind: Kind) -> None:
    key = equipped(tokens, kind).public_key()
    found, value = signed("ecdsa")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(value, TEXT, ec.ECDSA(hashes.SHA256()))
    assert x509.check_value(found.der, DIGEST, value) == "ecdsa"


def test_a_scheme_of_another_kind_of_key_fails_in_words(tokens: Tokens) -> None:
    equipped(tokens, "p256")
    with pytest.raises(Trouble) as raised:
        signed("rsa-pkcs1")
    assert code_of(raised) in {"token_failed", "refused"}


def test_a_certificate_of_another_key_is_noticed_before_anything_is_sent(tokens: Tokens) -> None:
    tokens.add("A")
    tokens.put_key("A", new_key("p256"))
    tokens.put_certificate("A", der(certificate(new_key("p256"))))
    with pytest.raises(Trouble) as raised:
        signed("ecdsa")
    assert code_of(raised) == "token_failed"
    assert "không khớp" in raised.value.cause


def test_a_certificate_without_its_key_cannot_sign(tokens: Tokens) -> None:
    tokens.add("A")
    tokens.put_certificate("A", der(certificate(new_key("p256"))))
    with pytest.raises(Trouble) as raised:
        signed("ecdsa")
    assert code_of(raised) == "no_certificate"


def test_a_wrong_pin_is_told_with_what_the_token_says_of_the_tries_left(tokens: Tokens) -> None:
    equipped(tokens)
    found = agent_tokens.certificates(MODULES)[0]
    assert agent_tokens.warning(found) == ""
    with pytest.raises(Trouble) as raised:
        agent_tokens.unlock(found, "000000")
    assert (code_of(raised), raised.value.advice) == ("pin_wrong", TRIES_LOW)
    assert agent_tokens.warning(found) == TRIES_LOW
    agent_tokens.unlock(found, PIN).close()
    assert agent_tokens.warning(found) == ""


def test_the_last_try_is_announced_before_the_pin_is_asked(tokens: Tokens) -> None:
    equipped(tokens)
    tokens.mark(FINAL_TRY_FLAG)
    assert agent_tokens.warning(agent_tokens.certificates(MODULES)[0]) == FINAL_TRY


def test_a_locked_token_is_not_tried_again(tokens: Tokens) -> None:
    equipped(tokens)
    tokens.mark(LOCKED)
    found = agent_tokens.certificates(MODULES)[0]
    for act in (lambda: agent_tokens.warning(found), lambda: agent_tokens.unlock(found, PIN)):
        with pytest.raises(Trouble) as raised:
            act()
        assert code_of(raised) == "pin_locked"
    tokens.remove_all()


def test_a_token_pulled_out_is_said_to_be_missing(tokens: Tokens) -> None:
    equipped(tokens)
    found = agent_tokens.certificates(MODULES)[0]
    tokens.remove_all()
    for act in (lambda: agent_tokens.unlock(found, PIN), lambda: agent_tokens.certificates(MODULES)):
        with pytest.raises(Trouble) as raised:
            act()
        assert code_of(raised) == "no_token"


def test_a_token_plugged_in_later_is_found(tokens: Tokens) -> None:
    with pytest.raises(Trouble) as raised:
        agent_tokens.certificates(MODULES)
    assert code_of(raised) == "no_token"
    equipped(tokens, label="muộn")
    assert [one.token for one in agent_tokens.certificates(MODULES)] == ["muộn"]


def test_a_token_without_a_certificate_is_said_to_be_empty(tokens: Tokens) -> None:
    tokens.add("rỗng")
    with pytest.raises(Trouble) as raised:
        agent_tokens.certificates(MODULES)
    assert code_of(raised) == "no_certificate"


def test_an_unknown_certificate_is_not_replaced_by_another(tokens: Tokens) -> None:
    equipped(tokens)
    with pytest.raises(Trouble) as raised:
        agent_tokens.find("0" * 64, MODULES)
    assert code_of(raised) == "no_certificate"


def test_a_certificate_outside_its_dates_is_refused_with_the_day(tokens: Tokens) -> None:
    key = new_key("p256")
    since, until = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC), dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
    tokens.add("A")
    tokens.put_key("A", key)
    tokens.put_certificate("A", der(certificate(key, since=since, until=until)))
    found = agent_tokens.certificates(MODULES)[0]
    agent_tokens.usable(found, dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
    with pytest.raises(Trouble, match="02/06/2025"):  # 20:00 UTC is the next day in Vietnam
        agent_tokens.usable(found, until + dt.timedelta(seconds=1))
    with pytest.raises(Trouble, match="01/01/2025"):
        agent_tokens.usable(found, since - dt.timedelta(seconds=1))


def test_without_a_driver_the_person_is_told_to_install_one() -> None:
    with pytest.raises(Trouble) as raised:
        agent_tokens.certificates([])
    assert code_of(raised) == "no_driver"


def test_a_driver_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "driver.so"
    broken.write_bytes(b"no library")
    with pytest.raises(Trouble) as raised:
        agent_tokens.certificates([str(broken)])
    assert code_of(raised) == "no_driver"
    assert str(broken) in raised.value.cause


def test_one_broken_driver_does_not_hide_the_tokens_of_another(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens)
    assert len(agent_tokens.certificates([str(tmp_path / "none.so"), MODULE])) == 1


@pytest.mark.parametrize(("platform", "sign"), [("linux", "libcastle"), ("win32", "viettel-ca_v6.dll"), ("darwin", ".dylib")])
def test_each_kind_of_computer_has_its_known_drivers(platform: str, sign: str) -> None:
    assert any(sign in str(path) for path in drivers.candidates(platform))


def test_only_drivers_that_are_there_are_used_and_a_chosen_one_goes_first(tmp_path: Path) -> None:
    there = tmp_path / "a.so"
    there.touch()
    assert drivers.find(places=[tmp_path / "b.so", there]) == [str(there)]
    assert drivers.find(["chosen.so"], [there]) == ["chosen.so"]
