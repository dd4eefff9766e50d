"""What the runner of batches decides without stores."""

from __future__ import annotations

import logging
from itertools import islice, pairwise

import pytest

from services.means.refusal_words import WORDS
from services.means.remote import ProviderRefused, Refusal
from services.signing.asking import refused_by
from services.signing.runner import FIRST_PAUSE, LONGEST_PAUSE, pauses

BATCH = {"_id": "b-1", "provider": "smartca"}


def test_a_provider_that_fails_is_left_alone_ever_longer_and_never_for_good() -> None:
    first = list(islice(pauses(), 10))
    assert first[0] == FIRST_PAUSE
    assert all(before <= after for before, after in pairwise(first))
    assert first[-1] == LONGEST_PAUSE


@pytest.mark.parametrize("code", list(Refusal))
def test_a_refusal_is_told_in_vietnamese_and_the_providers_words_go_to_the_log_without_numbers(
    code: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        told = refused_by(BATCH, ProviderRefused(code, "account 031090000920 says no"))
    assert WORDS[code][0] in told.cause
    assert told.action == WORDS[code][1]
    assert "says no" not in told.cause + told.action + told.detail
    [record] = caplog.records
    assert record.__dict__["said"] == "account ############ says no"
