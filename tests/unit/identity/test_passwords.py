"""Passwords: what is refused, how guesses are slowed, how they are kept."""

from __future__ import annotations

import re
import secrets
import unicodedata
from pathlib import Path

import pytest

from services.chassis.errors import Refused
from services.chassis.vietnamese import fold
from services.identity.accounts import common, passwords
from services.identity.accounts.passwords import Hashing


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        ("chín ký t", "too short"),
        ("x" * 201, "too long"),
        ("31300001003", "equals the user name"),
        ("abcd-efgh-jkmn", "equals the old one"),
        ("aaaaaaaaaaab", "too few different characters"),
    ],
)
def test_a_weak_new_password_is_refused(new: str, rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        passwords.check_new(new, old="abcd-efgh-jkmn", username="31300001003")


@pytest.mark.parametrize(
    "new",
    [
        "matkhau123",
        "MatKhau@2026",
        "Mật khẩu 2026!",
        "hocba@2026",
        "giaovien123456",
        "GiaoVien@Haiphong",
        "P@ssw0rd2026",
        "qwertyuiop",
        "1q2w3e4r5t",
        "iloveyou!!",
        "anhyeuem1990",
        "abcdabcdabcd",
        "Admin@123456",
        "0912345678",
        "031190000003",
        "20/11/1982!!",
        "NguyenVanAn2026",
        "adm1n1strator",
        "123456haiphong",
    ],
)
def test_a_password_that_everybody_thinks_of_is_refused(new: str) -> None:
    with pytest.raises(Refused, match="commonly used"):
        passwords.check_new(new, old="abcd-efgh-jkmn", username="31300001003")


@pytest.mark.parametrize(
    "new",
    [
        "một cụm từ dài",
        "con mèo ăn bánh chưng",
        "xe buýt số bảy",
        "Tre xanh 9 lá!",
        "k7w2-xq9d-mt4e",
        "cửa sổ nhìn ra sông",
        "vQ8_xkTz-3hLw1pR",
    ],
)
def test_an_own_phrase_is_taken(new: str) -> None:
    passwords.check_new(new, old="abcd-efgh-jkmn", username="31300001003")


def test_a_password_made_by_a_program_is_hardly_ever_taken_for_a_common_one() -> None:
    made = [secrets.token_urlsafe(12) for _ in range(2000)] + [passwords.make_one_time() for _ in range(2000)]
    assert [one for one in made if common.is_common(one)] == []


def test_the_list_of_common_passwords_is_folded_and_without_repetition() -> None:
    lines = Path(common.__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 800
    assert lines == sorted(set(lines))
    assert [line for line in lines if line != fold(line)] == []


def test_a_password_of_ten_characters_is_taken() -> None:
    passwords.check_new("mười ký tự", old="abcd-efgh-jkmn", username="31300001003")


def test_answers_are_held_back_from_the_fifth_failure_on() -> None:
    assert [passwords.delay(n) for n in range(1, 11)] == [0, 0, 0, 0, 0.5, 1, 2, 4, 4, 4]


def test_one_time_passwords_differ_and_can_be_read_out() -> None:
    made = {passwords.make_one_time() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){2}", one) for one in made)


async def test_a_password_is_kept_as_argon2id_with_nineteen_mebibytes() -> None:
    hashing = Hashing()
    kept = await hashing.hash("một cụm từ dài")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hashing.is_outdated(kept)
    assert await hashing.fits(kept, "một cụm từ dài")
    assert not await hashing.fits(kept, "một cụm từ dai")
    hashing.close()


async def test_the_way_a_keyboard_composes_letters_does_not_matter() -> None:
    hashing = Hashing()
    kept = await hashing.hash(unicodedata.normalize("NFD", "một cụm từ dài"))
    assert await hashing.fits(kept, unicodedata.normalize("NFC", "một cụm từ dài"))
    hashing.close()


async def test_nothing_fits_an_account_that_does_not_exist() -> None:
    hashing = Hashing()
    assert not await hashing.fits(None, "")
    assert not await hashing.fits("not a hash", "not a hash")
    hashing.close()
