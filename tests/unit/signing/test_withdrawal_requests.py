"""A school's request to take a document back, in the hands of signing: the issue step and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.publishing import SealRequestedV1
from contracts.events.signing import RequestSealedV1, SealRefusedV1, SignatureFact
from services.chassis.errors import Refused
from services.signing.auditing.expected import expected_of
from services.signing.batches import signs_pdf
from services.signing.queues import document_href, queue_for, title_of
from services.signing.steps import STEPS
from services.signing.tasks import CANCELLED, DONE, Task, dropped, given_back, request_task, signed, told_of, why_not

NOW = dt.datetime(2026, 6, 12, 3, 0, tzinfo=dt.UTC)
SCHOOL, ISSUER = "31300001", "31300001004"
REF = DocumentRef(bucket="publishing", key="k.xml", sha256="0" * 64, size=1)


def task(before: Task | None = None, attempt: str = "a-1") -> Task:
    fact = SealRequestedV1(
        attempt=attempt,
        school=SCHOOL,
        year="2025-2026",
        class_code="1A",
        grade=1,
        pupil_code="312500100001",
        pupil_name="Nguyễn Văn An",
        document_kind="transcript",
        content=REF,
    )
    event = Event[SealRequestedV1](type="SealRequestedV1", subject="r-1", sequence=1, occurred_at=NOW, actor="a", data=fact)
    return request_task(event, before)


def signature() -> SignatureFact:
    return SignatureFact(
        role="issue", person=ISSUER, name="Lê Thị Ký", signed_at=NOW, certificate_serial="01", certificate_subject="N", scheme="rsa-pkcs1"
    )


def test_a_request_waits_for_the_school_certificate_alone() -> None:
    waiting = task()
    assert why_not(waiting, school=SCHOOL, step="issue", person=ISSUER) is None
    for school, step in (("31300002", "issue"), (SCHOOL, "leader"), (SCHOOL, "homeroom")):
        assert why_not(waiting, school=school, step=step, person=ISSUER) is not None
    assert not signs_pdf("issue", "withdrawal_request")
    assert signs_pdf("issue", "transcript")


def test_once_it_is_signed_it_is_done_and_told_with_the_signed_xml() -> None:
    after = signed(task(), ISSUER, "issue", signature(), "KY_PHAT_HANH", xml=REF.model_dump(mode="json"))
    fact = told_of("issue", signature(), {"xml": REF}, after)
    assert after["step"] == DONE
    assert isinstance(fact, RequestSealedV1)
    assert (fact.attempt, fact.xml) == ("a-1", REF)


def test_the_auditor_does_not_miss_an_archive_level_that_a_request_never_gets() -> None:
    after = signed(task(), ISSUER, "issue", signature(), "KY_PHAT_HANH", xml=REF.model_dump(mode="json"))
    expected = expected_of(after, [])
    assert (expected.sealed, expected.skipped) == (False, False)


def test_an_issuer_who_declines_tells_publishing_and_no_one_else_can_sign_it_then() -> None:
    change = given_back(task(), school=SCHOOL, step="issue", person=ISSUER, name="Lê Thị Ký", reason="Lý do thu hồi chưa rõ", at=NOW)
    [fact] = change.facts
    assert isinstance(fact, SealRefusedV1)
    assert change.document["step"] == CANCELLED
    with pytest.raises(Refused, match="HB-SIG"):
        given_back(change.document, school=SCHOOL, step="issue", person=ISSUER, name="N", reason="Lý do thu hồi chưa rõ", at=NOW)


def test_a_request_that_is_sent_again_waits_anew_in_the_same_place() -> None:
    again = task({**dropped(task()), "sequence": 7}, attempt="a-2")
    assert (again["sequence"], again["attempt"], again["step"]) == (7, "a-2", "issue")


def test_a_request_has_its_own_queue_title_and_page() -> None:
    assert queue_for("withdrawal_request", "issue").address == "/ui/signing/withdrawal-issue"
    assert title_of(task()) == "Thu hồi: Nguyễn Văn An – lớp 1A"
    assert document_href(task(), "r-1") == "/ui/publishing/withdrawals/r-1"
    assert STEPS["issue"].signature_id(ISSUER) == "KY_PHAT_HANH"
