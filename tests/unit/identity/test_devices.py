"""Devices in plain words, from what browsers of the present and of the past say about themselves."""

from __future__ import annotations

import pytest

from services.chassis import origin
from services.identity.accounts import sessions

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{WINDOWS} {BLINK} Safari/537.36", "Chrome trên Windows"),
        (f"{WINDOWS} {BLINK} Safari/537.36 Edg/131.0.0.0", "Edge trên Windows"),
        (f"{WINDOWS} {BLINK} Safari/537.36 OPR/116.0.0.0", "Opera trên Windows"),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/110.0 Chrome/104.0 Safari/537.36", "Cốc Cốc trên Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox trên Windows"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox trên Linux"),
        (f"{MAC} {APPLE} Version/18.1 Safari/605.1.15", "Safari trên máy Mac"),
        (f"{PHONE} {APPLE} Version/18.1 Mobile/15E148 Safari/604.1", "Safari trên iPhone"),
        (f"{PHONE} {APPLE} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", "Chrome trên iPhone"),
        (f"{PHONE} {APPLE} FxiOS/133.0 Mobile/15E148 Safari/605.1.15", "Firefox trên iPhone"),
        (f"{PHONE} {APPLE} Version/18.0 EdgiOS/131.0 Mobile/15E148 Safari/604.1", "Edge trên iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Version/12.1 Mobile/15E148 Safari/604.1", "Safari trên iPad"),
        (f"{ANDROID} {BLINK} Mobile Safari/537.36", "Chrome trên Android"),
        (f"{ANDROID} {BLINK} Mobile Safari/537.36 EdgA/131.0.0.0", "Edge trên Android"),
        (
            f"{ANDROID} AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
            "Samsung Internet trên Android",
        ),
        (f"{ANDROID} {BLINK} Mobile Safari/537.36 Zalo android/24110", "Zalo trên Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Safari/537.36", "Chrome trên ChromeOS"),
    ],
)
def test_a_device_is_named_by_browser_and_system(user_agent: str, words: str) -> None:
    assert origin.in_words(user_agent) == words


@pytest.mark.parametrize(
    "user_agent",
    ["", "python-httpx/0.28.1", "curl/8.5.0", "Mozilla/5.0", "Chrome/131", "Windows NT 10.0", "<script>alert(1)</script>", "x" * 10_240],
)
def test_what_is_in_no_table_is_another_device(user_agent: str) -> None:
    assert origin.in_words(user_agent) == "Thiết bị khác"


def test_nothing_of_the_header_gets_into_the_words() -> None:
    said = "<b>Chrome/1</b> Windows NT " + "y" * 10_240
    assert origin.in_words(said) == "Chrome trên Windows"


def test_the_name_of_a_session_in_the_list_gives_away_neither_secret_nor_digest() -> None:
    token = sessions.new_token()
    digest = sessions.digest_of(token)
    name = sessions.public_id_of(digest)
    assert len(name) == 32
    assert name not in (digest, sessions.csrf_of(token))
    assert digest[:32] != name
    assert sessions.public_id_of(sessions.digest_of(sessions.new_token())) != name
