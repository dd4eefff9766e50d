"""The second way into a module, on the same real tokens: what it lists and signs is what python-pkcs11 lists and signs."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as p11

from hocba_agent import cryptoki
from hocba_agent import tokens as agent_tokens
from hocba_agent.jobs import Scheme
from hocba_agent.tokens import DIRECT
from hocba_agent.troubles import Trouble
from services.means import x509
from tests.unit.agent.softhsm import LOCKED, MODULE, PIN, Kind, Tokens, certificate, der, new_key

DIRECTLY = [DIRECT + MODULE]
TEXT = b"m\xe1\xbb\x99t v\xc4\x83n b\xe1\xba\xa3n"


@pytest.fixture(autouse=True)
def _no_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_tokens, "_direct", {})


def equipped(tokens: Tokens, kind: Kind = "p256", label: str = "VNPT-CA") -> None:
    key = new_key(kind)
    tokens.add(label)
    tokens.put_key(label, key)
    tokens.put_certificate(label, der(certificate(key)))


def test_both_ways_list_the_same_certificates_of_the_same_tokens(tokens: Tokens) -> None:
    equipped(tokens, label="A")
    equipped(tokens, "rsa2048", label="B")
    usual = agent_tokens.certificates([MODULE])
    direct = agent_tokens.certificates(DIRECTLY)
    for one, other in zip(usual, direct, strict=True):
        assert (one.token, one.serial, one.label, one.key_id, one.der, one.chain) == (
            other.token,
            other.serial,
            other.label,
            other.key_id,
            other.der,
            other.chain,
        )


@pytest.mark.parametrize(("kind", "scheme"), [("rsa2048", "rsa-pkcs1"), ("rsa2048", "rsa-pss"), ("p256", "ecdsa"), ("p384", "ecdsa")])
def test_values_made_directly_are_signatures_of_the_certificates_key(tokens: Tokens, kind: Kind, scheme: Scheme) -> None:
    equipped(tokens, kind)
    [found] = agent_tokens.certificates(DIRECTLY)
    unlocked = agent_tokens.unlock(found, PIN)
    values = [unlocked.sign(found, TEXT, scheme) for _ in range(2)]
    unlocked.close()
    assert agent_tokens.called_directly(MODULE)
    assert [x509.check_value(found.der, hashlib.sha256(TEXT).digest(), value) for value in values] == [scheme] * 2


def test_wrong_and_locked_pins_and_a_missing_token_are_told_in_the_same_words(tokens: Tokens) -> None:
    equipped(tokens)
    [found] = agent_tokens.certificates(DIRECTLY)
    said = []
    with pytest.raises(Trouble) as wrong:
        agent_tokens.unlock(found, "000000")
    said.append(wrong.value.code)
    agent_tokens.unlock(found, PIN).close()
    tokens.mark(LOCKED)
    [found] = agent_tokens.certificates(DIRECTLY)
    with pytest.raises(Trouble) as locked:
        agent_tokens.unlock(found, PIN)
    said.append(locked.value.code)
    tokens.remove_all()
    with pytest.raises(Trouble) as gone:
        agent_tokens.certificates(DIRECTLY)
    assert [*said, gone.value.code] == ["pin_wrong", "pin_locked", "no_token"]


def test_a_module_that_the_usual_way_runs_out_of_room_with_is_called_directly(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    equipped(tokens)

    def no_room(_: str) -> Any:
        raise MemoryError

    monkeypatch.setattr("pkcs11.lib", no_room)
    assert [one.token for one in agent_tokens.certificates([MODULE])] == ["VNPT-CA"]
    assert agent_tokens.called_directly(MODULE)


def test_a_certificate_that_the_usual_way_cannot_read_is_read_directly(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    equipped(tokens)
    usual = agent_tokens._certificates_of

    def read(module: str, token: Any) -> Any:
        if isinstance(token, cryptoki.Token):
            return usual(module, token)
        raise MemoryError

    monkeypatch.setattr(agent_tokens, "_certificates_of", read)
    assert [one.token for one in agent_tokens.certificates([MODULE])] == ["VNPT-CA"]


def test_an_attribute_that_an_object_has_not_is_told_as_python_pkcs11_tells_it(tokens: Tokens) -> None:
    equipped(tokens)
    [token] = [slot.get_token() for slot in cryptoki.Library(MODULE).get_slots(token_present=True)][:1]
    with token.open(user_pin=PIN) as session:
        [key] = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        with pytest.raises(p11.AttributeSensitive):
            key[Attribute.VALUE]
        with pytest.raises(p11.AttributeTypeInvalid):
            key[Attribute.URL]


def test_a_library_that_is_no_pkcs11_module_is_refused() -> None:
    with pytest.raises(Trouble) as raised:
        agent_tokens.certificates([f"{DIRECT}libc.so.6"])
    assert raised.value.code == "no_driver"
