"""Passwords: how they are kept, which are refused, and how often somebody may guess."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.chassis.errors import Refused
from services.identity.accounts.common import is_common
from services.identity.errors import WEAK_PASSWORD

MINIMUM = 10
MAXIMUM = 200
ONE_TIME_VALID = timedelta(days=14)
SLOWED_FROM = 5
LOCKED_FROM = 10
LOCK = timedelta(minutes=15)
LONGEST_DELAY = 4.0
# without the letters and digits that look alike on paper
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def make_one_time() -> str:
    """59 bits, in groups that can be read out and typed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def check_new(new: str, *, old: str, username: str) -> None:
    """Raises Refused(WEAK_PASSWORD) for a password that is too short, too long, the user name, the one before or everybody's."""
    new, old = _one_form(new), _one_form(old)
    if len(new) < MINIMUM:
        raise Refused(WEAK_PASSWORD, rule="too short", message=f"Mật khẩu mới cần ít nhất {MINIMUM} ký tự.")
    if len(new) > MAXIMUM:
        raise Refused(WEAK_PASSWORD, rule="too long", message=f"Mật khẩu mới dài quá {MAXIMUM} ký tự.")
    if new.casefold() == username.casefold():
        raise Refused(WEAK_PASSWORD, rule="equals the user name", message="Mật khẩu mới không được trùng với tên đăng nhập.")
    if new == old:
        raise Refused(WEAK_PASSWORD, rule="equals the old one", message="Mật khẩu mới không được trùng với mật khẩu đang dùng.")
    if len(set(new)) < 4:
        raise Refused(WEAK_PASSWORD, rule="too few different characters", message="Mật khẩu mới có quá ít ký tự khác nhau.")
    if is_common(new):
        raise Refused(
            WEAK_PASSWORD, rule="commonly used", message="Mật khẩu mới nằm trong số những mật khẩu nhiều người dùng, rất dễ đoán."
        )


def delay(failures: int) -> float:
    """Seconds by which the answer to the given failure in a row is held back: from the fifth on, doubling."""
    return min(0.5 * 2 ** (failures - SLOWED_FROM), LONGEST_DELAY) if failures >= SLOWED_FROM else 0.0


class Hashing:
    """Argon2id with 19 MiB, two passes, one lane; in threads, at most one a processor, so that the event loop stays free."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="argon2")
        # compared with when there is no such account, so that the answer takes the same work
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, _one_form(password))

    async def fits(self, kept: str | None, password: str) -> bool:
        """Always the work of one verification; False when nothing is kept."""
        right = await asyncio.get_running_loop().run_in_executor(self._threads, self._verify, kept or self._nobody, _one_form(password))
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _one_form(password: str) -> str:
    # keyboards differ in how they compose Vietnamese letters
    return unicodedata.normalize("NFC", password)
