"""The life of a certified copy, without stores."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.chassis.errors import Refused
from services.records.copies import rules
from services.records.copies.rules import PARTS, SEALED, Ask
from services.records.render.pdf import unusual
from services.records.schoolyear import Staff
from services.records.transcripts.states import State

AT = dt.datetime(2026, 12, 31, 17, 30, tzinfo=dt.UTC)
HEAD = Staff(code="1", name="Nguyễn Thị Đứng Đầu", personal_id="", position="Hiệu trưởng")
DEPUTY = Staff(code="0", name="Phạm Văn Phó", personal_id="", position="Phó Hiệu trưởng")
CLERK = Staff(code="2", name="Lê Thị Học Vụ", personal_id="", position="Nhân viên học vụ")


def transcript(state: State = State.SIGNED, **more: Any) -> dict[str, Any]:
    file = {"bucket": "records", "key": "x", "sha256": "0" * 64, "size": 1}
    plain = {"_id": "t", "school": "s", "year": "2025-2026", "class_code": "5A", "pupil_code": "p", "pupil_name": "An", "version": 2}
    return {**plain, "state": state.value, "live": True, "pdf": file, **more}


def ask(**more: Any) -> Ask:
    return Ask.model_validate({"requester": "Nguyễn Gia Thành", "relation": "Cha", "purpose": "Nộp hồ sơ", **more})


def requested(**more: Any) -> dict[str, Any]:
    return rules.requested("c", transcript(), ask(**more), actor="clerk", at=AT)


def issued(copy: dict[str, Any], number: int = 12) -> dict[str, Any]:
    return rules.issued(copy, transcript(), number=number, signer=HEAD, actor="clerk", at=AT)


@pytest.mark.parametrize("state", [state for state in State if state is not State.NOT_CREATED])
def test_only_what_the_school_has_sealed_and_is_in_force_is_copied(state: State) -> None:
    if state in SEALED:
        assert rules.requested("c", transcript(state), ask(), actor="clerk", at=AT)["state"] == "ASKED"
        return
    with pytest.raises(Refused, match="HB-REC-080"):
        rules.requested("c", transcript(state), ask(), actor="clerk", at=AT)


@pytest.mark.parametrize("more", [{"live": False}, {"pdf": None}])
def test_a_replaced_transcript_and_one_without_file_are_not_copied(more: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="HB-REC-080"):
        rules.requested("c", transcript(**more), ask(), actor="clerk", at=AT)


def test_an_issued_copy_has_its_number_its_source_and_the_year_of_vietnam() -> None:
    copy = issued(requested())
    assert rules.number_text(copy["number"], copy["register_year"]) == "0012/2027/BS-HBS"
    assert copy["source"] == {"version": 2, "pdf": transcript()["pdf"]}
    assert copy["signer"] == {"code": "1", "name": HEAD.name, "position": "Hiệu trưởng"}


def test_each_step_is_taken_once_and_in_order() -> None:
    asked = requested()
    given_out = issued(asked)
    taken_back = rules.revoked(given_out, "Ghi nhầm", actor="clerk", at=AT)
    turned_down = rules.declined(asked, "Không có quyền", actor="clerk", at=AT)
    assert (taken_back["number"], taken_back["reason"]) == (12, "Ghi nhầm")
    for done in (given_out, taken_back, turned_down):
        with pytest.raises(Refused, match="HB-REC-081"):
            issued(done)
        with pytest.raises(Refused, match="HB-REC-081"):
            rules.declined(done, "x", actor="clerk", at=AT)
    for done in (asked, taken_back, turned_down):
        with pytest.raises(Refused, match="HB-REC-081"):
            rules.revoked(done, "x", actor="clerk", at=AT)


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "\n"])
def test_taking_back_and_turning_down_need_a_reason(reason: str) -> None:
    with pytest.raises(Refused, match="HB-REC-084"):
        rules.declined(requested(), reason, actor="clerk", at=AT)
    with pytest.raises(Refused, match="HB-REC-084"):
        rules.revoked(issued(requested()), reason, actor="clerk", at=AT)


def test_an_extract_names_its_parts_in_the_order_of_the_form_and_a_whole_copy_none() -> None:
    assert requested(kind="EXTRACT", parts=["outcome", "profile", "outcome"])["ask"]["parts"] == ["profile", "outcome"]
    assert requested(parts=["profile"])["ask"]["parts"] == []
    with pytest.raises(Refused, match="HB-REC-082"):
        requested(kind="EXTRACT")
    with pytest.raises(ValidationError):
        ask(kind="EXTRACT", parts=["everything"])


def test_a_file_is_one_copy_and_paper_as_many_as_asked() -> None:
    assert requested(medium="FILE", count=5)["ask"]["count"] == 1
    assert requested(medium="PAPER", count=5)["ask"]["count"] == 5
    for count in (0, 21, -1):
        with pytest.raises(ValidationError):
            ask(count=count)


def test_what_the_font_cannot_print_is_refused_before_a_number_is_taken() -> None:
    with pytest.raises(Refused, match="HB-REC-085") as refused:
        requested(purpose="Nộp hồ sơ 漢 😀")
    assert "漢 😀" in refused.value.cause
    assert requested(requester="  Nguye\u0302\u0303n\u200b Gia\tThành ")["ask"]["requester"] == "Nguyễn Gia Thành"


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_asked_for_is_either_clean_or_refused(requester: str, purpose: str) -> None:
    try:
        copy = rules.requested("c", transcript(), ask(requester=requester, purpose=purpose), actor="clerk", at=AT)
    except (Refused, ValidationError):
        return
    for text in (copy["ask"]["requester"], copy["ask"]["purpose"]):
        assert text == " ".join(text.split())
        assert not unusual(text)


def test_leaders_sign_the_head_first_and_nobody_else_does() -> None:
    assert rules.signers([CLERK, DEPUTY, HEAD]) == [HEAD, DEPUTY]
    assert rules.signer_of([CLERK, DEPUTY, HEAD], "0") is DEPUTY
    for code in ("2", "nobody", ""):
        with pytest.raises(Refused, match="HB-REC-083"):
            rules.signer_of([CLERK, DEPUTY, HEAD], code)


def test_parts_have_words_for_everything_that_can_be_chosen() -> None:
    assert all(PARTS.values())
    assert [ask(kind="EXTRACT", parts=[part]).parts for part in PARTS] == [(part,) for part in PARTS]
