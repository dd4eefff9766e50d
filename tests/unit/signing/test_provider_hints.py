"""What is read of a webhook, how many are taken, and what the phone is told of each hash."""

from __future__ import annotations

import json

import pytest

from services.signing.callbacks import Allowance, transaction_in


@pytest.mark.parametrize(
    ("body", "transaction"),
    [
        ({"transaction_id": "a-1", "signed_files": []}, "a-1"),
        ({"meta_data": {"transaction_id": "b-2", "status": "1"}, "data": {}}, "b-2"),
        ({"transaction_id": 7}, ""),
        ({"transaction_id": None, "meta_data": []}, ""),
        ([{"transaction_id": "c"}], ""),
        ("d", ""),
        ({}, ""),
    ],
)
def test_a_webhook_of_any_protocol_tells_its_transaction_and_nothing_else(body: object, transaction: str) -> None:
    assert transaction_in(json.dumps(body).encode()) == transaction


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"null"])
def test_what_is_no_message_names_no_transaction(body: bytes) -> None:
    assert transaction_in(body) == ""


def test_a_burst_is_taken_up_to_the_allowance_and_no_further() -> None:
    allowance = Allowance(per_second=0.0, at_once=3.0)
    assert [allowance.take() for _ in range(5)] == [True, True, True, False, False]
