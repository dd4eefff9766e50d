""" "Xem hồ sơ": everything that is known of one transcript, whatever state it is in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.events.signing import SignatureFact
from services.records.dossier.certificates import certificates_of
from services.records.dossier.dossier import DONE, LATER, NOW, STOPPED, dossier
from services.records.dossier.dossier_page import parts_of, steps_of
from services.records.transcripts.states import AWAITED, WORDS, State
from tests.factories.transcripts import primary_content
from tests.unit.signing import chain

CREATED = dt.datetime(2026, 5, 27, 3, 0, tzinfo=dt.UTC)
SIGNED = dt.datetime(2026, 5, 28, 3, 0, tzinfo=dt.UTC)
REF = {"bucket": "records", "key": "x", "sha256": "a" * 64, "size": 90_412}
STATE_WORDS = {state.value: text for state, text in WORDS.items()}


def made(role: str, person: str, name: str, serial: str) -> dict[str, Any]:
    fact = SignatureFact(
        role=role, person=person, name=name, signed_at=SIGNED, certificate_serial=serial, certificate_subject=name, scheme="ecdsa"
    )
    return fact.model_dump(mode="json")


def transcript(state: State, *signatures: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = primary_content()
    return {
        "_id": content.id,
        "school": content.school.code,
        "year": content.school.year,
        "class_code": "5A",
        "pupil_code": content.pupil.code,
        "version": 1,
        "replaces": None,
        "live": state is not State.CANCELLED,
        "state": state.value,
        "content": content.model_dump(mode="json"),
        "xml": REF,
        "pdf": None,
        "signatures": list(signatures),
        "created_at": CREATED,
        **more,
    }


def told_of(document: dict[str, Any], *, xml: bytes = b"<a/>", **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"versions": [document], "acts": [], "names": {}, "rendering_problem": "", **more}
    return dossier(document, certificates=certificates_of(xml), **values)


def states_of(told: dict[str, Any]) -> list[str]:
    return [step["state"] for step in told["steps"]]


def test_who_signed_stands_with_the_certificate_of_the_document_and_who_has_not_follows() -> None:
    serial = certificates_of(chain.signed_xml())[2].facts.serial
    told = told_of(transcript(State.AWAITING_LEADER, made("homeroom", "31300099006", "Phạm Chủ Nhiệm", serial)), xml=chain.signed_xml())
    first, *rest = told["signers"]
    assert (first["role"], first["certificate"]["subject"], first["certificate"]["serial"]) == ("homeroom", "Phạm Chủ Nhiệm", serial)
    assert first["certificate"]["valid_from"] < first["certificate"]["valid_to"]
    assert {r["role"] for r in rest} == {"subject_teacher", "leader", "issue"}
    assert all(r["signed_at"] is None for r in rest)


def test_a_signature_that_stands_in_no_document_yet_tells_what_signing_said_of_its_certificate() -> None:
    told = told_of(transcript(State.AWAITING_SUBJECT_TEACHERS, made("subjects", "31300099011", "Phạm Quốc Khánh", "ABC")))
    assert told["signers"][0]["certificate"] == {"subject": "Phạm Quốc Khánh", "serial": "ABC"}
    assert told["signers"][0]["role"] == "subject_teacher"


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (State.AWAITING_SUBJECT_TEACHERS, [DONE, NOW, LATER, LATER, LATER]),
        (State.AWAITING_LEADER, [DONE, DONE, DONE, NOW, LATER]),
        (State.SIGNED, [DONE] * 5),
        (State.ACCEPTED, [DONE] * 5),
    ],
)
def test_the_steps_before_the_awaited_one_are_done_and_those_after_it_are_to_come(state: State, steps: list[str]) -> None:
    assert states_of(told_of(transcript(state))) == steps


def test_what_was_returned_stops_at_the_step_that_it_was_returned_from_and_says_why() -> None:
    returned = {"step": "homeroom", "by": "31300099006", "name": "Lê Dương", "reason": "Sai điểm Toán.", "at": SIGNED}
    document = transcript(State.RETURNED, returned=returned, returned_from=State.AWAITING_HOMEROOM.value)
    told = told_of(document)
    assert states_of(told) == [DONE, DONE, STOPPED, LATER, LATER]
    assert [(o["text"], o["name"], o["reason"]) for o in told["objections"]] == [
        ("Trả lại ở bước Giáo viên chủ nhiệm", "Lê Dương", "Sai điểm Toán.")
    ]
    refused = {**returned, "refused": {"by": "x", "name": "Ngô Hoàng", "reason": "Không có sai sót.", "at": SIGNED}}
    again = told_of(transcript(State.AWAITING_HOMEROOM, returned=refused, returned_from=State.AWAITING_HOMEROOM.value))
    assert [o["text"] for o in again["objections"]] == ["Trả lại ở bước Giáo viên chủ nhiệm", "Từ chối hủy"]
    assert states_of(again)[2] == NOW


def test_what_stands_still_and_what_the_gateway_refused_are_told_with_their_reasons() -> None:
    stopped = told_of(transcript(State.AWAITING_ISSUE, stopped={"code": "HB-SIG-016", "reason": "Thu hồi."}))
    assert states_of(stopped)[4] == STOPPED
    assert stopped["objections"][0]["reason"] == "HB-SIG-016: Thu hồi."
    refusal = {"code": "HB-GW-012", "reason": "Không khớp."}
    rejected = told_of(transcript(State.REJECTED, submission="s1", refusal=refusal, decided_at=SIGNED))
    assert rejected["submission"] == {"id": "s1", "decided_at": SIGNED, "refusal": refusal}
    assert rejected["objections"][-1]["reason"] == "HB-GW-012: Không khớp."


def test_versions_name_each_other_and_the_history_names_people_and_machines() -> None:
    first = transcript(State.CANCELLED, cancelled={"name": "Ngô Hoàng", "reason": "Sai tên.", "at": SIGNED, "from": State.SIGNED.value})
    second = {**transcript(State.AWAITING_HOMEROOM), "_id": "second", "version": 2, "replaces": first["_id"]}
    acts = [
        {"at": SIGNED, "act": "confirm", "actor": "31300099003", "details": {"before": "SIGNED", "after": "CONFIRMED"}},
        {"at": SIGNED, "act": "some newer act", "actor": "publishing", "details": None},
    ]
    told = told_of(first, versions=[first, second], acts=acts, names={"31300099003": "Ngô Hoàng"})
    assert [(v["version"], v["replaces"], v["replaced_by"]) for v in told["versions"]] == [(1, None, "second"), (2, first["_id"], None)]
    assert [(a["text"], a["name"]) for a in told["history"]] == [
        ("Xác nhận hoàn thành học bạ", "Ngô Hoàng"),
        ("some newer act", "Hệ thống gửi học bạ"),
    ]
    assert states_of(told) == [DONE] * 5


@pytest.mark.parametrize("state", [s for s in State if s is not State.NOT_CREATED])
def test_every_state_has_a_page_in_which_every_row_fits_its_columns(state: State) -> None:
    more: dict[str, Any] = {
        "returned": {"step": None, "by": "x", "name": "Ngô Hoàng", "reason": "Sai điểm.", "at": SIGNED},
        "returned_from": State.AWAITING_ISSUE.value,
        "cancelled": {"name": "Ngô Hoàng", "reason": "Sai tên.", "at": SIGNED, "from": State.RETURNED.value},
        "submission": "s1",
    }
    told = told_of(transcript(state, made("homeroom", "31300099006", "Lê Dương", "AB"), **more), xml=chain.signed_xml())
    parts = parts_of(told, state_words=STATE_WORDS)
    assert {"Học sinh", "Người ký", "Chứng thư số của người ký", "Tệp học bạ", "Các phiên bản"} <= {p["title"] for p in parts}
    for part in parts:
        assert all(len(row) == len(part["columns"]) for row in part.get("rows", []))
        assert all(isinstance(value, str) for row in part.get("rows", []) for value in row)
    assert all(row["status"] for row in steps_of(told))
    assert (NOW in states_of(told)) == (state in AWAITED)
