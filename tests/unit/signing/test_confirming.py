"""Batches that are confirmed on their page: when they wait for their person, and what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.access import Principal, Role
from services.means.remote import Credential, Secret
from services.signing import confirming
from services.signing.confirming_pages import asked_of

TEACHER = Principal(person="31300001006", name="Nguyễn Văn An", roles=frozenset({Role.SUBJECT_TEACHER}), school="31300001", level="TH")
PIN = Secret("PIN", "pin", "Mã PIN", digits=True)
SENT = Secret("SMS", "otp", "Mã OTP gửi qua tin nhắn", sent=True)
BY_APP = Secret("OTP", "otp", "Mã OTP")


def batch(*secrets: Secret, on_page: bool = False, **more: Any) -> dict[str, Any]:
    credential = Credential("c1", b"", (), (), "2", 100, secrets, on_page)
    return {"_id": "b1", "person": TEACHER.person, "state": "waiting", "credential": confirming.kept(credential), **more}


def test_what_the_batch_keeps_of_a_credential_says_again_what_is_typed() -> None:
    assert confirming.secrets_of(batch(PIN, SENT)) == (PIN, SENT)
    assert (confirming.by_hand(batch(PIN)), confirming.by_hand(batch(on_page=True)), confirming.by_hand(batch())) == (True, True, False)


def test_batches_from_before_and_those_with_a_token_ask_nothing_on_their_page() -> None:
    old = {**batch(), "credential": {"id": "c1", "key_algorithms": [], "scal": "2", "multisign": 100}}
    assert (confirming.by_hand(old), confirming.waits(old), asked_of(TEACHER, old, "A")) == (False, False, None)


@pytest.mark.parametrize(
    "more",
    [{"state": "preparing"}, {"state": "signing"}, {"state": "finished"}, {"answer": {"sad": b""}}, {"handle": "h"}, {"cancel": True}],
)
def test_a_batch_waits_for_its_person_only_until_it_is_answered_stopped_or_over(more: dict[str, Any]) -> None:
    assert confirming.waits(batch(PIN))
    assert not confirming.waits(batch(PIN, **more))
    assert asked_of(TEACHER, batch(PIN, **more), "A") is None


@pytest.mark.parametrize(
    ("asked", "text", "href", "sends"),
    [
        (batch(PIN), "Nhập mã PIN để ký cả đợt", "/ui/signing/batches/b1/confirmation", False),
        (batch(PIN, BY_APP), "Nhập mã PIN và mã OTP để ký cả đợt", "/ui/signing/batches/b1/confirmation", False),
        (batch(PIN, SENT), "Nhập mã PIN và mã OTP để ký cả đợt", "/ui/signing/batches/b1/confirmation/code", True),
        (batch(PIN, SENT, codes_sent_at="14:03"), "Nhập mã PIN và mã OTP để ký cả đợt", "/ui/signing/batches/b1/confirmation", False),
        (batch(on_page=True), "Đến trang của A, đăng nhập và đồng ý để ký cả đợt", "/ui/signing/batches/b1/provider", False),
    ],
)
def test_the_page_says_what_to_type_and_a_password_that_is_sent_goes_out_with_the_first_click(
    asked: dict[str, Any], text: str, href: str, *, sends: bool
) -> None:
    told = asked_of(TEACHER, asked, "A")
    assert told is not None
    assert (told["text"], told["href"], told["sends"]) == (text, href, sends)


def test_nobody_but_who_started_the_batch_is_asked() -> None:
    assert asked_of(TEACHER.model_copy(update={"person": "31300001001"}), batch(PIN), "A") is None
