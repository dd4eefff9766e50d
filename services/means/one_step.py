"""What protocols that ask, confirm and sign in one step share: the values of a finished transaction, kept while a batch takes them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from services.means.provider_http import bare_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEPT_TRANSACTIONS = 8
MARK_BYTES = 8
"""Of a hash, enough to tell those of one transaction apart."""


def mark(digest: bytes) -> str:
    """By which a hash is recognised in what a provider shows and returns."""
    return digest[:MARK_BYTES].hex()


class Finished:
    """Values by mark, of the last few transactions: a batch asks for its values in small parts, the provider gives them all at once.

    What is not here is asked of the provider again, so that a restart loses nothing.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[str, Mapping[str, bytes]] = OrderedDict()

    def keep(self, transaction: str, values: Mapping[str, bytes]) -> None:
        self._values[transaction] = values
        while len(self._values) > KEPT_TRANSACTIONS:
            self._values.popitem(last=False)

    def of(self, transaction: str) -> Mapping[str, bytes] | None:
        return self._values.get(transaction)


def in_order(values: Mapping[str, bytes], hashes: Sequence[bytes]) -> list[bytes]:
    """One value a hash, without the envelope that a provider may put around it; empty where it gave none."""
    return [bare_value(values.get(mark(digest), b"")) for digest in hashes]
