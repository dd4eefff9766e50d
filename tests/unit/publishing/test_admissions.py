"""Sending to the admissions portal: what may go, what each answer means, and which receipts stand."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, RSAKey

from contracts.lock_dates import FINAL_GRADES, LockDate
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.publishing.admissions import rules
from services.publishing.admissions.receipts import Expected, Receipt, examined
from services.publishing.windows import Windows
from tests.unit.publishing.test_withdrawals import submission as primary
from tests.unit.signing import pki

NOW = dt.datetime(2026, 5, 20, 3, 0, tzinfo=dt.UTC)
OPEN = Windows("31300001", ("031", "03101"), (), {"03101": "Phường An Hải"})
PUSH = "0b1c2d3e-0000-4000-8000-000000000001"


def submission(**changes: Any) -> dict[str, Any]:
    return primary(**{"class_code": "5A", "grade": 5, **changes})


def asked(admission: dict[str, Any] | None = None, *, windows: Windows = OPEN, withdrawing: bool = False, **changes: Any) -> dict[str, Any]:
    change = rules.requested(submission(**changes), admission, windows, withdrawing=withdrawing, sending="s1", by="31300001003", at=NOW)
    return {**change.document, "push": PUSH, "sequence": 1}


def done(change: Any) -> dict[str, Any]:
    assert change is not None
    document: dict[str, Any] = change.document
    return document


def receipt() -> Receipt:
    return Receipt.model_validate(said())


def said(**changes: Any) -> dict[str, Any]:
    about = {"receiptNumber": "TS-2025-000001", "pushId": PUSH, "uuid": submission()["_id"], "version": 1, "schoolCode": "31300001"}
    digests = {"packageSha256": "a" * 64, "pdfSha256": "c" * 64, "xmlSha256": "b" * 64}
    return {**about, **digests, "receivedAt": "2026-05-20T03:00:00Z", "issuedAt": "2026-05-20T03:00:02Z", **changes}


# --- what may go


@pytest.mark.parametrize("grade", range(1, 13))
def test_only_grades_five_nine_and_twelve_go_to_the_portal(grade: int) -> None:
    if grade in (5, 9, 12):
        assert asked(grade=grade)["state"] == rules.REQUESTED
        return
    with pytest.raises(Refused) as refusal:
        asked(grade=grade)
    assert refusal.value.code == "HB-PUB-110"


def test_class_summaries_do_not_go_to_the_portal() -> None:
    with pytest.raises(Refused) as refusal:
        asked(kind="class_summary")
    assert refusal.value.code == "HB-PUB-110"


@pytest.mark.parametrize("state", ["NOT_SENT", "REQUESTED", "CLEARED", "PACKED", "SENT", "REJECTED", "WITHDRAWN", "CANCELLED"])
def test_what_the_national_gateway_does_not_hold_cannot_go_yet(state: str) -> None:
    with pytest.raises(Refused) as refusal:
        asked(state=state)
    assert refusal.value.code == "HB-PUB-111"


def test_a_transcript_that_somebody_asks_to_take_back_does_not_go() -> None:
    with pytest.raises(Refused) as refusal:
        asked(withdrawing=True)
    assert refusal.value.code == "HB-PUB-113"


@pytest.mark.parametrize("state", [rules.REQUESTED, rules.SENT, rules.RECEIPTED, rules.REVOKING, rules.REVOKED])
def test_what_the_portal_has_is_not_sent_again(state: str) -> None:
    with pytest.raises(Refused) as refusal:
        asked({**asked(), "state": state})
    assert refusal.value.code == "HB-PUB-112"


def test_what_was_refused_goes_again_as_another_push_and_keeps_its_history() -> None:
    refused = done(rules.refused(asked(), PUSH, "TS-202", "Chữ ký không hợp lệ", NOW))
    again = rules.requested(submission(), refused, OPEN, withdrawing=False, sending="s2", by="31300001003", at=NOW).document
    assert (again["state"], again["refusal"]) == (rules.REQUESTED, None)
    assert again["push"] != PUSH
    assert [(h["push"], h["outcome"], h["code"]) for h in again["history"]] == [(PUSH, rules.REFUSED, "TS-202")]


LAST_DAY = (LockDate("031", "2025-2026", "admissions", None, 5, dt.date(2026, 5, 25)),)


def at_the_deadline(moment: str, grade: int) -> dict[str, Any]:
    windows, at = Windows("31300001", ("031", "03101"), LAST_DAY, {"031": "Sở"}), dt.datetime.fromisoformat(moment)
    return rules.requested(submission(grade=grade), None, windows, withdrawing=False, sending="s", by="x", at=at).document


def test_the_day_that_a_unit_above_has_set_binds_its_grade_until_midnight_in_vietnam() -> None:
    assert at_the_deadline("2026-05-25T23:59:59+07:00", 5)["state"] == rules.REQUESTED
    assert at_the_deadline("2026-05-26T00:00:00+07:00", 9)["state"] == rules.REQUESTED
    with pytest.raises(Refused) as refusal:
        at_the_deadline("2026-05-26T00:00:00+07:00", 5)
    assert (refusal.value.code, "25/05/2026" in refusal.value.cause) == ("HB-PUB-114", True)


def test_a_lock_date_of_the_intake_does_not_close_admissions() -> None:
    windows = Windows("31300001", ("031",), (LockDate("031", "2025-2026", "intake", None, None, dt.date(2026, 1, 1)),), {})
    assert asked(windows=windows)["state"] == rules.REQUESTED


# --- what an answer means


def test_a_receipt_may_come_before_the_portals_answer_and_counts_once() -> None:
    with_receipt = done(rules.receipted(asked(), PUSH, receipt(), "a.b.c", NOW))
    assert (with_receipt["state"], with_receipt["receipt"]["number"], with_receipt["receipt"]["jws"]) == (
        rules.RECEIPTED,
        "TS-2025-000001",
        "a.b.c",
    )
    assert [(h["outcome"], h["number"]) for h in with_receipt["history"]] == [(rules.RECEIPTED, "TS-2025-000001")]
    assert rules.passed_on(with_receipt, PUSH, NOW) is None
    assert rules.receipted(with_receipt, PUSH, receipt(), "a.b.c", NOW) is None
    assert rules.refused(with_receipt, PUSH, "TS-202", "x", NOW) is None


def test_an_answer_about_an_earlier_push_changes_nothing() -> None:
    other = "0b1c2d3e-0000-4000-8000-000000000002"
    admission = done(rules.passed_on(asked(), PUSH, NOW))
    assert rules.receipted(admission, other, receipt(), "a.b.c", NOW) is None
    assert rules.refused(admission, other, "TS-202", "x", NOW) is None
    assert rules.revoked({**admission, "state": rules.REVOKING, "fallen": rules.WITHDRAWN}, other, NOW) is None


def test_a_receipt_that_does_not_stand_leaves_the_transcript_waiting_and_says_why() -> None:
    doubted = done(rules.doubted(asked(), PUSH, "chữ ký không đúng"))
    assert (doubted["state"], doubted["refusal"]["code"]) == (rules.SENT, "HB-PUB-117")
    assert "chữ ký không đúng" in doubted["refusal"]["reason"]
    assert rules.doubted(doubted, PUSH, "chữ ký không đúng") is None
    assert done(rules.receipted(doubted, PUSH, receipt(), "a.b.c", NOW))["refusal"] is None


@pytest.mark.parametrize("state", [rules.REQUESTED, rules.SENT, rules.RECEIPTED])
def test_a_transcript_that_is_withdrawn_is_struck_out_wherever_its_push_stood(state: str) -> None:
    revoking = done(rules.fallen({**asked(), "state": state}, rules.WITHDRAWN, NOW))
    assert revoking["state"] == rules.REVOKING
    assert rules.receipted(revoking, PUSH, receipt(), "a.b.c", NOW) is None
    assert rules.fallen(revoking, rules.CANCELLED, NOW) is None
    revoked = done(rules.revoked(revoking, PUSH, NOW))
    assert (revoked["state"], revoked["history"][-1]["reason"]) == (rules.REVOKED, "Học bạ đã được thu hồi.")
    assert rules.fallen(revoked, rules.CANCELLED, NOW) is None


def test_of_what_the_portal_refused_there_is_nothing_to_strike_out() -> None:
    assert rules.fallen(done(rules.refused(asked(), PUSH, "TS-202", "x", NOW)), rules.WITHDRAWN, NOW) is None


def test_the_next_version_of_what_the_portal_had_has_to_be_sent_again() -> None:
    had = {**asked(), "state": rules.REVOKED}
    new = submission(_id="9d0c1a2b-3e4f-4a5b-8c6d-7e8f9a0b1c2d", version=2)
    replaces = rules.pupil_of(new) in rules.pupils_sent([had])
    assert rules.standing(new, None, replaces=replaces) == rules.RESEND
    assert rules.standing({**new, "state": "SENT"}, None, replaces=replaces) == rules.NOT_ACCEPTED_YET
    assert rules.standing(new, None, replaces=rules.pupil_of(new) in rules.pupils_sent([{**had, "state": rules.REFUSED}])) == rules.NOT_SENT


STEPS: dict[str, Callable[[dict[str, Any], str], Change | None]] = {
    "passed": lambda a, p: rules.passed_on(a, p, NOW),
    "receipt": lambda a, p: rules.receipted(a, p, receipt(), "a.b.c", NOW),
    "refuse": lambda a, p: rules.refused(a, p, "TS-202", "x", NOW),
    "doubt": lambda a, p: rules.doubted(a, p, "x"),
    "withdraw": lambda a, _: rules.fallen(a, rules.WITHDRAWN, NOW),
    "cancel": lambda a, _: rules.fallen(a, rules.CANCELLED, NOW),
    "revoked": lambda a, p: rules.revoked(a, p, NOW),
}


@given(st.lists(st.sampled_from([*STEPS, "again"]), max_size=12))
def test_whatever_comes_in_whatever_order_an_attempt_ends_once_and_what_fell_never_counts_as_receipted(steps: list[str]) -> None:
    admission, push, fell = asked(), PUSH, False
    for step in steps:
        if step == "again":
            if rules.unfit(submission(), admission, withdrawing=False) is None and not fell:
                admission = rules.requested(submission(), admission, OPEN, withdrawing=False, sending="s", by="x", at=NOW).document
                push = admission["push"]
            continue
        change = STEPS[step](admission, push)
        fell = fell or step in {"withdraw", "cancel"}
        admission = change.document if change is not None else admission
    ends = [h["push"] for h in admission["history"] if h["outcome"] in (rules.RECEIPTED, rules.REFUSED)]
    assert len(ends) == len(set(ends))
    if fell:
        assert admission["state"] in (rules.REVOKING, rules.REVOKED, rules.REFUSED)


def test_the_final_grades_are_the_last_ones_of_each_level() -> None:
    assert FINAL_GRADES == (5, 9, 12)


# --- receipts


EXPECTED = Expected(
    push=PUSH,
    transcript=submission()["_id"],
    version=1,
    school="31300001",
    sha256="a" * 64,
    pdf_sha256="c" * 64,
    xml_sha256="b" * 64,
)
PORTAL = pki.party("Cổng Tuyển sinh", "SERVICE:admissions", "p256")


def signed(content: dict[str, Any], party: pki.Party = PORTAL, **header: Any) -> str:
    """By another library."""
    x5c = [base64.b64encode(der).decode() for der in (party.der, *party.chain)]
    pem = pki.pem_of(party)
    algorithm, key = ("RS256", RSAKey.import_key(pem)) if "RSA" in type(party.key).__name__ else ("ES256", ECKey.import_key(pem))
    full = {"alg": algorithm, "x5c": x5c, **header}
    return joserfc_jws.serialize_compact(full, json.dumps(content).encode(), key, [algorithm])


def test_a_receipt_that_the_portal_signed_about_what_was_sent_stands() -> None:
    found = examined(signed(said()), EXPECTED, [pki.root()], pki.AT)
    assert isinstance(found, Receipt)
    assert (found.number, found.sha256) == ("TS-2025-000001", "a" * 64)
    assert "Cổng Tuyển sinh" in found.signer


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"pushId": "0b1c2d3e-0000-4000-8000-000000000002"}, "mã lần gửi khác"),
        ({"uuid": "0b1c2d3e-0000-4000-8000-000000000002"}, "mã học bạ khác"),
        ({"version": 2}, "phiên bản học bạ khác"),
        ({"schoolCode": "31300002"}, "mã trường khác"),
        ({"packageSha256": "d" * 64}, "mã băm của gói đã nhận khác với gói đã gửi"),
        ({"pdfSha256": "d" * 64}, "mã băm tệp PDF khác"),
        ({"xmlSha256": "d" * 64}, "mã băm tệp XML khác"),
        ({"packageSha256": "short"}, "không đọc được"),
        ({"receivedAt": "hôm qua"}, "không đọc được"),
    ],
)
def test_a_receipt_about_anything_else_does_not_stand(changes: dict[str, Any], problem: str) -> None:
    assert examined(signed(said(**changes)), EXPECTED, [pki.root()], pki.AT) == problem


def test_a_receipt_that_was_changed_after_signing_does_not_stand() -> None:
    protected, _, signature = signed(said(version=7)).split(".")
    payload = signed(said()).split(".")[1]
    assert examined(f"{protected}.{payload}.{signature}", EXPECTED, [pki.root()], pki.AT) == "chữ ký không đúng"


def test_another_service_of_the_same_authority_cannot_give_receipts() -> None:
    other = pki.party("Dịch vụ khác", "SERVICE:publishing", "p256")
    assert examined(signed(said(), other), EXPECTED, [pki.root()], pki.AT) == "không phải chứng thư số của Cổng Tuyển sinh"


def test_a_certificate_that_leads_to_no_trusted_root_or_has_expired_gives_no_receipt() -> None:
    assert examined(signed(said()), EXPECTED, [pki.stranger_root()], pki.AT) == "chứng thư số không được tin cậy"
    late = pki.AT + dt.timedelta(days=2000)
    assert examined(signed(said()), EXPECTED, [pki.root()], late) == "chứng thư số không được tin cậy"


def test_only_es256_is_taken() -> None:
    rsa = pki.party("Cổng Tuyển sinh RSA", "SERVICE:admissions")
    assert examined(signed(said(), rsa), EXPECTED, [pki.root()], pki.AT) == "không đúng dạng chữ ký ES256"
    header, payload, _ = signed(said()).split(".")
    assert examined(f"{header}.{payload}.", EXPECTED, [pki.root()], pki.AT) == "không đúng dạng chữ ký ES256"


@given(st.text(max_size=300))
def test_whatever_is_no_receipt_is_said_to_be_unreadable(text: str) -> None:
    assert examined(text, EXPECTED, [pki.root()], pki.AT) == "không đọc được"
