"""What may be sent, and what an answer of the gateway means."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.records import TranscriptConfirmedV1
from services.chassis.errors import Refused
from services.publishing.submissions import answered, cancelled, cleared, confirmed, denied, requested, unconfirmed, unpacked

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def fresh(before: dict[str, Any] | None = None) -> dict[str, Any]:
    reference = DocumentRef(bucket="signing", key="k", sha256="0" * 64, size=1)
    fact = TranscriptConfirmedV1(
        school="31300001",
        year="2025-2026",
        class_code="1A",
        grade=1,
        version=1,
        pupil_code="312500100001",
        pupil_name="Nguyễn Văn An",
        pdf=reference,
        xml=reference,
        confirmed_at=NOW,
    )
    event = Event[TranscriptConfirmedV1](type="TranscriptConfirmedV1", subject="t-1", sequence=9, occurred_at=NOW, actor="a", data=fact)
    return confirmed(event, before).document


def on_the_way() -> dict[str, Any]:
    asked = requested(fresh()).document
    change = cleared(asked, asked["submission"])
    assert change is not None
    return {**change.document, "state": "SENT", "package": "p-1"}


def test_only_what_is_confirmed_can_be_sent() -> None:
    with pytest.raises(Refused, match="HB-PUB-001"):
        requested(None)
    with pytest.raises(Refused, match="HB-PUB-001"):
        requested(unconfirmed(fresh()).document)


@pytest.mark.parametrize("state", ["REQUESTED", "CLEARED", "PACKED", "SENT", "ACCEPTED"])
def test_what_is_on_its_way_or_accepted_is_not_sent_again(state: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-002"):
        requested({**fresh(), "state": state})


def test_a_refused_transcript_can_be_sent_again_as_a_new_submission() -> None:
    first = on_the_way()
    change = answered(first, "p-1", accepted=False, code="NG-404", reason="Sai mã số thuế", at=NOW)
    assert change is not None
    refused = change.document
    assert (refused["state"], refused["refusal"]["code"]) == ("REJECTED", "NG-404")
    again = requested(refused).document
    assert again["submission"] != first["submission"]
    assert again["refusal"] is None
    assert len(again["history"]) == 1


def test_an_answer_counts_once_and_only_for_the_package_it_is_about() -> None:
    sent = on_the_way()
    assert answered(sent, "p-0", accepted=True, code="", reason="", at=NOW) is None
    change = answered(sent, "p-1", accepted=True, code="", reason="", at=NOW)
    assert change is not None
    assert change.document["state"] == "ACCEPTED"
    assert answered(change.document, "p-1", accepted=True, code="", reason="", at=NOW) is None
    assert answered(change.document, "p-1", accepted=False, code="NG-1", reason="", at=NOW) is None


def test_a_callback_that_comes_before_the_gateways_answer_counts() -> None:
    change = answered({**on_the_way(), "state": "PACKED"}, "p-1", accepted=True, code="", reason="", at=NOW)
    assert change is not None


def test_a_transcript_of_a_lost_package_waits_for_another_unless_it_has_gone_on() -> None:
    packed = {**on_the_way(), "state": "PACKED"}
    change = unpacked(packed, "p-1")
    assert change is not None
    assert (change.document["state"], change.document["package"], change.facts) == ("CLEARED", None, ())
    assert unpacked(packed, "p-0") is None
    assert unpacked(on_the_way(), "p-1") is None


def test_records_answer_to_an_earlier_submission_changes_nothing() -> None:
    asked = requested(fresh()).document
    assert cleared(asked, "another") is None
    assert denied(asked, "another", "SIGNED") is None
    change = denied(asked, asked["submission"], "SIGNED")
    assert change is not None
    assert change.document["state"] == "NOT_SENT"
    assert change.document["refusal"]["code"] == "HB-PUB-005"


def test_a_cancelled_transcript_is_sent_no_more_and_nothing_said_of_it_later_counts() -> None:
    gone = cancelled(fresh()).document
    with pytest.raises(Refused, match="HB-PUB-001"):
        requested(gone)
    asked = cancelled(requested(fresh()).document).document
    assert denied(asked, asked["submission"], "CANCELLED") is None
    assert cleared(asked, asked["submission"]) is None
    late = cancelled({**on_the_way(), "state": "REJECTED"}).document
    assert answered(late, "p-1", accepted=True, code="", reason="", at=NOW) is None
    assert late["history"] == on_the_way()["history"]
