"""The rules of a proof that a key is held: what opens, waits and ends it, and in which words."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest

from services.chassis.errors import CONFLICT, Refused
from services.identity.certificates import in_words, proofs
from services.identity.certificates.registrations import Candidate, Wanted, year_before
from services.identity.errors import REVOCATION_UNKNOWN, WRONG_PROOF
from services.identity.organisations import people
from services.means import x509
from services.means.remote import Credential, Expired, ProviderRefused, Refusal, Rejected
from services.means.x509 import WrongSignature
from tests.unit.signing import pki

AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)
SCHOOL = {"_id": "31300001", "name": "Trường", "tax_code": "0231300001", "path": ["031"], "year": "2025-2026"}
SERVER = "https://localhost:8443"


def wanted() -> Wanted:
    person = {**people.blank("31300001006", "Nguyễn Văn An", school="31300001"), "listed": True, "personal_id": "001180000001"}
    return Wanted("person", SCHOOL, people.with_roles({**person, "teaches": True}))


def party() -> pki.Party:
    return pki.party("Nguyễn Văn An", "CCCD:001180000001")


def credential(identity: str = "c1") -> Credential:
    return Credential(identity, party().der, party().chain, ("1.2.840.113549.1.1.1",), "2", 100)


def opened(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"means": "remote", "provider": "sandbox", "reason": "", "secret": b"sealed", "job": None, **more}
    return proofs.opened(wanted(), offers=[credential()], at=AT, **given)


def waiting(**more: Any) -> dict[str, Any]:
    chosen = Candidate("c1", party().der, party().chain[:1], x509.describe(party().der), ())
    return proofs.chosen(opened(**more), chosen, credential(), server=SERVER, at=AT)


def test_a_proof_lasts_five_minutes_from_the_last_step_of_the_person() -> None:
    assert not proofs.is_over(waiting(), AT + dt.timedelta(minutes=4, seconds=59))
    assert proofs.is_over(waiting(), AT + dt.timedelta(minutes=5))
    over = proofs.settled(waiting(), proofs.PROVED, registration="r1")
    assert not proofs.is_over(over, AT + dt.timedelta(days=1))


def test_the_challenge_names_the_person_the_server_and_the_certificate() -> None:
    text = waiting()["challenge"]
    for part in ("Đăng ký tài khoản ký của cá nhân", SERVER, "31300001006", proofs.sha256(party().der), "28/05/2026 08:00:00 +07:00"):
        assert part in text


@pytest.mark.parametrize("state", [proofs.PROVED, proofs.REFUSED, proofs.EXPIRED])
def test_a_proof_that_is_over_forgets_the_session_and_frees_the_slot(state: str) -> None:
    over = proofs.settled({**waiting(), "handle": b"h", "lease": {"owner": "x"}}, state)
    assert (over["secret"], over["handle"], over["offers"]) == (None, None, [])
    assert not {"slot", "lease"} & over.keys()


def test_what_refused_a_proof_is_kept_in_words() -> None:
    over = proofs.settled(waiting(), proofs.REFUSED, refusal=Refused(WRONG_PROOF))
    assert (over["refusal"]["code"], over["refusal"]["cause"]) == ("HB-IDN-084", WRONG_PROOF.cause)


def test_the_same_click_twice_is_the_same_attempt_and_another_certificate_or_reason_is_not() -> None:
    assert proofs.same_attempt(waiting(), waiting())
    assert not proofs.same_attempt(opened(), opened())
    assert not proofs.same_attempt(waiting(), waiting(reason="Đổi nhà cung cấp"))
    assert not proofs.same_attempt(waiting(), waiting(provider="khac"))
    other = proofs.chosen(
        opened(), Candidate("c2", party().der, (), x509.describe(party().der), ()), credential("c2"), server=SERVER, at=AT
    )
    assert not proofs.same_attempt(waiting(), other)


def test_a_no_refuses_and_silence_expires() -> None:
    refused, silent = proofs.answered(Rejected()), proofs.answered(Expired())
    assert (refused[0], refused[1].code) == (proofs.REFUSED, "HB-IDN-081")
    assert (silent[0], silent[1].code) == (proofs.EXPIRED, "HB-IDN-082")


@pytest.mark.parametrize("reason", list(Refusal))
def test_every_refusal_of_a_provider_has_words_and_something_to_do(reason: Refusal) -> None:
    state, refused = proofs.in_words(ProviderRefused(reason, "text of the provider"))
    assert state in (proofs.REFUSED, proofs.EXPIRED)
    assert refused.cause
    assert refused.action.endswith(".")
    assert "text of the provider" not in refused.cause + refused.action + refused.detail


def test_only_what_may_pass_by_itself_leaves_the_proof_open() -> None:
    assert proofs.may_try_again(Refused(CONFLICT))
    assert proofs.may_try_again(Refused(REVOCATION_UNKNOWN))
    assert not proofs.may_try_again(Refused(WRONG_PROOF))


def test_the_evidence_that_is_kept_can_be_verified_with_the_certificate_alone() -> None:
    proof = waiting()
    value = party().sign(hashlib.sha256(proof["challenge"].encode()).digest())
    proofs.check(proof, "rsa-pkcs1", value)
    with pytest.raises(WrongSignature):
        proofs.check({**proof, "challenge": waiting()["challenge"]}, "rsa-pkcs1", value)


def test_a_credential_comes_back_from_the_document_as_it_went_in() -> None:
    assert proofs.credential_of(proofs.offer(credential())) == credential()


def test_the_year_before_is_counted_from_the_first_of_both() -> None:
    assert (year_before("2026-2027"), year_before("2000-2001")) == ("2025-2026", "1999-2000")


def test_a_certificate_is_told_in_plain_words_with_the_personal_id_masked() -> None:
    told = dict(in_words.rows(party().der, AT))
    assert (told["Chủ sở hữu"], told["Số định danh cá nhân"]) == ("Nguyễn Văn An", "•••••••••001")
    assert told["Thuật toán"] == "RSA 2048 bit, SHA-256"
    assert told["Mục đích sử dụng"] == "Ký số, Cam kết nội dung (chống chối bỏ)"
    assert "001180000001" not in str(told)


@pytest.mark.parametrize(
    ("after", "words"),
    [(dt.timedelta(days=30), "30 ngày"), (dt.timedelta(hours=1), "Hết hạn trong hôm nay"), (dt.timedelta(seconds=-1), "Đã hết hạn")],
)
def test_the_days_that_are_left_are_counted_by_the_vietnamese_calendar(after: dt.timedelta, words: str) -> None:
    assert in_words.remaining(AT - dt.timedelta(days=1), AT + after, AT) == words
    assert in_words.remaining(AT + dt.timedelta(days=1), AT + dt.timedelta(days=2), AT) == "Chưa có hiệu lực"
