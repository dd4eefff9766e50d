"""Requests to take accepted documents back: which may be made, and what each answer means."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.events.district import WithdrawalDecidedV1
from contracts.events.publishing import SealRecalledV1, SealRequestedV1, WithdrawalPendingV1, WithdrawalRefusedV1
from contracts.events.signing import RequestSealedV1, SealRefusedV1, SignatureFact
from contracts.lock_dates import LockDate
from services.chassis.errors import Refused
from services.publishing.windows import Windows
from services.publishing.withdrawals import rules
from services.publishing.withdrawals.document import request_xml
from services.publishing.withdrawals.sealed import problem_of
from services.signing import xml
from tests.unit.signing import pki

NOW = dt.datetime(2026, 6, 12, 3, 0, tzinfo=dt.UTC)
ADMIN = Principal(person="31300001003", name="Trần Quản Trị", roles=frozenset({Role.ADMINISTRATOR}), school="31300001")
OPEN = Windows("31300001", (), (), {})
REASON = "Sai điểm môn Toán học kỳ II"
REF = DocumentRef(bucket="publishing", key="k.xml", sha256="a" * 64, size=1)
SCHEMA = Path(__file__).parents[3] / "contracts" / "xml" / "yeu-cau-thu-hoi-1.0.xsd"


def submission(**changes: Any) -> dict[str, Any]:
    made = {
        "_id": "5d0c1a2b-3e4f-4a5b-8c6d-7e8f9a0b1c2d",
        "school": "31300001",
        "year": "2025-2026",
        "class_code": "1A",
        "grade": 1,
        "version": 1,
        "pupil_code": "312500100001",
        "pupil_name": "Nguyễn Văn An",
        "state": "ACCEPTED",
        "xml": {"sha256": "b" * 64},
        "pdf": {"sha256": "c" * 64},
    }
    return {**made, **changes}


def draft(**changes: Any) -> dict[str, Any]:
    return rules.drafted(submission(**changes), reason=REASON, by=ADMIN, at=NOW, asked=False).document


def at_signing() -> dict[str, Any]:
    return rules.sent_to_be_sealed(draft(), REF, by=ADMIN, at=NOW).document


def sealed_fact(attempt: str) -> RequestSealedV1:
    signature = SignatureFact(
        role="issue", person="31300001004", name="Lê Thị Ký", signed_at=NOW, certificate_serial="1", certificate_subject="N", scheme="ecdsa"
    )
    return RequestSealedV1(attempt=attempt, signature=signature, xml=REF)


def document(change: Any) -> dict[str, Any]:
    assert change is not None
    made: dict[str, Any] = change.document
    return made


def pending() -> dict[str, Any]:
    waiting = at_signing()
    claiming = document(rules.examined(document(rules.sealed(waiting, sealed_fact(waiting["attempt"]))), None, NOW))
    return document(rules.cleared(claiming, claiming["attempt"], NOW))


def decision(*, approved: bool) -> WithdrawalDecidedV1:
    reason = "" if approved else "Thông tin trên học bạ đã đúng"
    return WithdrawalDecidedV1(transcript="t", approved=approved, unit="031", by_name="Cán bộ", decided_at=NOW, reason=reason)


@pytest.mark.parametrize("state", ["NOT_SENT", "SENT", "REJECTED", "CANCELLED", "NOT_CONFIRMED", "WITHDRAWN"])
def test_only_what_the_gateway_has_accepted_can_be_taken_back(state: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-020"):
        rules.withdrawable(submission(state=state), OPEN, NOW)


def test_another_schools_document_is_not_found() -> None:
    for found in (None, submission(school="31300002")):
        with pytest.raises(Refused, match="404"):
            rules.withdrawable(found, OPEN, NOW)


def test_after_the_lock_date_of_withdrawals_nothing_is_taken_back_and_before_it_anything_accepted() -> None:
    last_day = NOW.date()
    dates = (LockDate("031", "2025-2026", "withdrawal", None, 1, last_day),)
    windows = Windows("31300001", ("01", "031"), dates, {"031": "Phòng GD&ĐT"})
    assert rules.withdrawable(submission(), windows, NOW)["_id"] == submission()["_id"]
    assert rules.withdrawable(submission(grade=2), windows, NOW + dt.timedelta(days=1))["grade"] == 2
    with pytest.raises(Refused, match="HB-PUB-061") as closed:
        rules.withdrawable(submission(), windows, NOW + dt.timedelta(days=1))
    assert closed.value.cause == "Phòng GD&ĐT đã khóa thu hồi học bạ sau ngày 12/06/2026."


def test_a_second_request_for_the_same_document_is_refused() -> None:
    with pytest.raises(Refused, match="HB-PUB-021"):
        rules.drafted(submission(), reason=REASON, by=ADMIN, at=NOW, asked=True)


@pytest.mark.parametrize("reason", ["", "ngắn", " \u200b" * 20, "x" * 501])
def test_a_reason_that_says_nothing_or_too_much_is_refused(reason: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-022"):
        rules.reason_of(reason)


def test_a_draft_can_be_edited_and_deleted_and_nothing_else_can() -> None:
    edited = rules.edited(draft(), reason="Sai họ tên của học sinh", by=ADMIN, at=NOW).document
    assert (edited["state"], edited["reason"]) == (rules.DRAFT, "Sai họ tên của học sinh")
    gone = rules.deleted(edited, by=ADMIN, at=NOW).document
    assert (gone["state"], gone["open"]) == (rules.DELETED, False)
    with pytest.raises(Refused, match="HB-PUB-023"):
        rules.edited(at_signing(), reason=REASON, by=ADMIN, at=NOW)
    with pytest.raises(Refused, match="HB-PUB-023"):
        rules.deleted(pending(), by=ADMIN, at=NOW)
    with pytest.raises(Refused, match="HB-PUB-023"):
        rules.sent_to_be_sealed(at_signing(), REF, by=ADMIN, at=NOW)


def test_sending_asks_for_the_schools_signature_and_a_double_click_does_not_ask_twice() -> None:
    change = rules.sent_to_be_sealed(draft(), REF, by=ADMIN, at=NOW)
    [fact] = change.facts
    assert isinstance(fact, SealRequestedV1)
    assert fact.attempt == change.document["attempt"]
    with pytest.raises(Refused, match="HB-PUB-023"):
        rules.sent_to_be_sealed(change.document, REF, by=ADMIN, at=NOW)


def test_what_was_signed_in_an_attempt_that_is_over_is_not_taken() -> None:
    waiting = at_signing()
    again = rules.sent_to_be_sealed(rules.recalled(waiting, by=ADMIN, at=NOW).document, REF, by=ADMIN, at=NOW).document
    assert rules.sealed(again, sealed_fact(waiting["attempt"])) is None
    assert document(rules.sealed(again, sealed_fact(again["attempt"])))["state"] == rules.SEALED


def test_an_issuer_who_does_not_sign_gives_the_draft_back_with_the_reason() -> None:
    waiting = at_signing()
    fact = SealRefusedV1(attempt=waiting["attempt"], by="p", name="Lê Thị Ký", reason="Lý do thu hồi chưa rõ", refused_at=NOW)
    back = document(rules.declined(waiting, fact))
    assert back["state"] == rules.DRAFT
    assert "Lý do thu hồi chưa rõ" in back["note"]["reason"]


def test_a_tampered_request_never_leaves_and_says_why() -> None:
    waiting = at_signing()
    change = rules.examined(document(rules.sealed(waiting, sealed_fact(waiting["attempt"]))), "chữ ký không đúng", NOW)
    assert change is not None
    assert (change.document["state"], change.document["note"]["code"], change.facts) == (rules.DRAFT, "HB-PUB-026", ())


def test_what_records_denies_is_a_draft_again() -> None:
    waiting = at_signing()
    claiming = document(rules.examined(document(rules.sealed(waiting, sealed_fact(waiting["attempt"]))), None, NOW))
    back = document(rules.denied(claiming, claiming["attempt"], "SUBMITTED", NOW))
    assert (back["state"], back["note"]["code"]) == (rules.DRAFT, "HB-PUB-027")
    assert rules.denied(back, claiming["attempt"], "SUBMITTED", NOW) is None


def test_the_oversight_unit_is_told_once_records_has_claimed_the_document() -> None:
    waiting = at_signing()
    claiming = document(rules.examined(document(rules.sealed(waiting, sealed_fact(waiting["attempt"]))), None, NOW))
    change = rules.cleared(claiming, claiming["attempt"], NOW)
    assert change is not None
    [fact] = change.facts
    assert isinstance(fact, WithdrawalPendingV1)
    assert (fact.reason, fact.by, fact.sealed_by) == (REASON, ADMIN.person, "31300001004")
    assert rules.cleared(change.document, claiming["attempt"], NOW) is None


def test_a_request_can_be_taken_back_until_it_is_decided() -> None:
    signing = rules.recalled(at_signing(), by=ADMIN, at=NOW)
    assert (signing.document["state"], type(signing.facts[0])) == (rules.DRAFT, SealRecalledV1)
    waiting = rules.recalled(pending(), by=ADMIN, at=NOW).document
    assert (waiting["state"], waiting["open"]) == (rules.RECALLED, False)
    approved = document(rules.decided(pending(), decision(approved=True), "031-cb01"))
    with pytest.raises(Refused, match="HB-PUB-024"):
        rules.recalled(approved, by=ADMIN, at=NOW)


def test_of_a_decision_and_a_recall_the_first_one_counts() -> None:
    taken_back = rules.recalled(pending(), by=ADMIN, at=NOW).document
    assert rules.decided(taken_back, decision(approved=True), "031-cb01") is None


def test_an_approved_request_ends_when_the_gateway_obeys_and_only_once() -> None:
    approved = document(rules.decided(pending(), decision(approved=True), "031-cb01"))
    assert rules.decided(approved, decision(approved=False), "031-cb01") is None
    gone = document(rules.obeyed(approved, NOW))
    assert (gone["state"], gone["open"]) == (rules.WITHDRAWN, False)
    assert rules.obeyed(gone, NOW) is None
    assert rules.disobeyed(gone, "NG-601", "x", NOW) is None


def test_a_refusal_by_the_unit_or_the_gateway_frees_the_document_with_the_reason() -> None:
    by_unit = rules.decided(pending(), decision(approved=False), "031-cb01")
    approved = document(rules.decided(pending(), decision(approved=True), "031-cb01"))
    by_gateway = rules.disobeyed(approved, "NG-601", "Cổng không giữ học bạ này", NOW)
    for change, code in ((by_unit, None), (by_gateway, "NG-601")):
        assert change is not None
        [fact] = change.facts
        assert isinstance(fact, WithdrawalRefusedV1)
        assert (change.document["state"], change.document["open"], fact.code) == (rules.REFUSED, False, code)


def test_the_history_tells_every_step_with_who_and_when() -> None:
    approved = document(rules.decided(pending(), decision(approved=True), "031-cb01"))
    steps = document(rules.obeyed(approved, NOW))["history"]
    assert [s["act"] for s in steps] == ["draft", "send", "sign", "claim", "approve", "withdraw"]
    assert [s["by"] for s in steps] == [ADMIN.person, ADMIN.person, "31300001004", "records", "031-cb01", "national-gateway"]


def test_the_request_is_valid_by_its_schema_for_a_pupil_and_for_a_class_summary() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    summary = draft(kind="class_summary", pupil_code="", pupil_name="")
    for request in (draft(), summary):
        schema.assertValid(etree.fromstring(request_xml(request, NOW)))
    assert summary["pupil_name"] == "Bảng tổng hợp lớp 1A"


# what came back signed

SCHOOL = ("Trường Tiểu học Mẫu", "MST:0231300001")


def signed_by(party: pki.Party, content: bytes, covers: tuple[str, ...] = xml.WHOLE) -> bytes:
    prepared = xml.prepare(
        content, signature_id="KY_PHAT_HANH", covers=covers, certificate=party.der, chain=party.chain, signed_at=pki.AT, role="Nhà trường"
    )
    signature = xml.finish(prepared, party.sign(prepared.digest, prepared.scheme), party.der)
    return xml.assemble(content, [signature])


def test_a_request_that_the_school_has_signed_stands() -> None:
    content = request_xml(draft(), NOW)
    assert problem_of(signed_by(pki.party(*SCHOOL), content), content, [pki.root()], pki.AT) is None


def test_a_tampered_or_foreign_signed_request_does_not_stand() -> None:
    content = request_xml(draft(), NOW)
    school, person = pki.party(*SCHOOL), pki.party("Một người")
    good = signed_by(school, content)
    other = request_xml({**draft(), "reason": "Lý do hoàn toàn khác"}, NOW)
    two = xml.assemble(good, [good[good.index(b"<ds:Signature") : good.index(b"</ChuKy>")].replace(b"KY_PHAT_HANH", b"KY_2")])
    cases = {
        "khác với yêu cầu": signed_by(school, other),
        "chữ ký không đúng": good.replace(b"</ds:SignatureValue>", b"AAAA</ds:SignatureValue>"),
        "không đúng mẫu": pki.transcript_xml(),
        "đúng một chữ ký": two,
        "không bảo vệ toàn bộ": signed_by(school, content, ("nd",)),
        "tổ chức": signed_by(person, content),
    }
    for said, file in cases.items():
        found = problem_of(file, content, [pki.root()], pki.AT)
        assert found is not None, said
        assert said in found
    assert problem_of(good, content, [pki.stranger_root()], pki.AT) == "chứng thư số không được tin cậy"
    assert problem_of(content, content, [pki.root()], pki.AT) == "không có đúng một chữ ký"
