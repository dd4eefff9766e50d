"""The signed challenge. The signatures are made by the OpenSSL command line, so that signer and verifier share no code."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from services.means import challenge
from services.means.x509 import Scheme, WrongSignature

AT = dt.datetime(2026, 5, 28, 1, 0, 30, tzinfo=dt.UTC)
KEYS = {"rsa": ["-newkey", "rsa:2048"], "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]}
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sigopt", "rsa_mgf1_md:sha256"]


class Card(NamedTuple):
    key: Path
    certificate: bytes

    def sign(self, text: str, *options: str) -> bytes:
        """`openssl dgst -sha256 -sign` over the text itself: the hash is OpenSSL's, too."""
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key), *options]
        return subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout


def card(folder: Path, kind: str) -> Card:
    key, der = folder / f"{kind}.pem", folder / f"{kind}.der"
    command = [
        "openssl",
        "req",
        "-x509",
        *KEYS[kind],
        "-nodes",
        "-keyout",
        str(key),
        "-subj",
        "/CN=An",
        "-outform",
        "DER",
        "-out",
        str(der),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return Card(key, der.read_bytes())


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return card(tmp_path_factory.mktemp("rsa"), "rsa")


@pytest.fixture(scope="module")
def ec(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return card(tmp_path_factory.mktemp("ec"), "ec")


def text_of(made: Card, **more: str) -> str:
    given = {"purpose": "Đăng ký", "server": "https://localhost:8443", "registrant": "31300001006", **more}
    return challenge.write(made.certificate, at=AT, **given)


def test_the_text_says_who_asks_whom_for_which_certificate_and_when(rsa: Card) -> None:
    assert text_of(rsa, nonce="ab12").splitlines() == [
        "CHỨNG MINH ĐANG GIỮ KHOÁ KÝ SỐ - KHÔNG PHẢI KÝ TÀI LIỆU",
        "Mục đích: Đăng ký",
        "Máy chủ: https://localhost:8443",
        "Người đăng ký: 31300001006",
        f"SHA-256 của chứng thư số: {hashlib.sha256(rsa.certificate).hexdigest()}",
        "Số ngẫu nhiên: ab12",
        "Thời điểm: 28/05/2026 08:00:30 +07:00",
    ]


def test_no_two_texts_are_the_same(rsa: Card) -> None:
    assert len({text_of(rsa) for _ in range(20)}) == 20


@pytest.mark.parametrize("field", ["purpose", "server", "registrant", "nonce"])
def test_a_value_cannot_smuggle_in_a_line(rsa: Card, field: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        text_of(rsa, **{field: "x\nMáy chủ: https://xau.example"})


@pytest.mark.parametrize(("options", "scheme"), [([], "rsa-pkcs1"), (PSS, "rsa-pss")])
def test_a_signature_by_the_rsa_key_proves_that_it_is_held(rsa: Card, options: list[str], scheme: Scheme) -> None:
    text = text_of(rsa)
    challenge.verify(rsa.certificate, text, rsa.sign(text, *options), scheme)


def test_a_signature_by_the_elliptic_key_proves_that_it_is_held(ec: Card) -> None:
    text = text_of(ec)
    challenge.verify(ec.certificate, text, ec.sign(text), "ecdsa")


def test_a_signature_in_another_scheme_than_asked_for_is_refused(rsa: Card) -> None:
    text = text_of(rsa)
    with pytest.raises(WrongSignature):
        challenge.verify(rsa.certificate, text, rsa.sign(text, *PSS), "rsa-pkcs1")


def test_a_signature_by_another_key_is_refused(rsa: Card, ec: Card, tmp_path: Path) -> None:
    text = text_of(rsa)
    for other in (ec, card(tmp_path, "rsa")):
        with pytest.raises(WrongSignature):
            challenge.verify(rsa.certificate, text, other.sign(text), "rsa-pkcs1")


@pytest.mark.parametrize(("before", "after"), [("31300001006", "31300001007"), ("08:00:30", "08:00:31"), ("+07:00\n", "+07:00")])
def test_a_text_changed_after_signing_is_refused(rsa: Card, before: str, after: str) -> None:
    text = text_of(rsa)
    changed = text.replace(before, after)
    assert changed != text
    with pytest.raises(WrongSignature):
        challenge.verify(rsa.certificate, changed, rsa.sign(text), "rsa-pkcs1")


def test_a_text_for_another_certificate_proves_nothing_though_the_key_signed_it(rsa: Card, ec: Card) -> None:
    text = text_of(ec)
    with pytest.raises(WrongSignature, match="no challenge for this certificate"):
        challenge.verify(rsa.certificate, text, rsa.sign(text), "rsa-pkcs1")


@pytest.mark.parametrize("cut", [0, 1])
def test_another_text_is_no_challenge_even_when_it_holds_the_lines_of_one(rsa: Card, cut: int) -> None:
    lines = text_of(rsa).splitlines()
    other = "\n".join(["%PDF-1.7", *lines[cut:]])
    assert not challenge.is_challenge(other)
    with pytest.raises(ValueError, match="no challenge"):
        challenge.digest(other)
    with pytest.raises(WrongSignature):
        challenge.verify(rsa.certificate, other, rsa.sign(other), "rsa-pkcs1")


def test_a_text_that_nobody_could_read_is_no_challenge(rsa: Card) -> None:
    assert challenge.is_challenge(text_of(rsa))
    assert not challenge.is_challenge(text_of(rsa) + "x" * challenge.LONGEST)
