"""Whatever is done to a chained entry afterwards, the walk along the chain names the first bad record."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.audit_chain import START, Fault, Head, What, digest, first_fault, link

AT = dt.datetime(2026, 6, 1, 8, 0, 0, 250_000, tzinfo=dt.UTC)
Entries = list[dict[str, Any]]


def recorded(nth: int, **fields: Any) -> dict[str, Any]:
    entry = {"_id": f"id-{nth}", "at": AT + dt.timedelta(seconds=nth), "actor": "a", "act": "sign", "subject": f"s{nth}"}
    return {**entry, "request_id": None, "details": {"before": nth, "after": [nth + 1, {"state": "đã ký"}]}, **fields}


def chained(entries: Entries) -> tuple[Entries, Head]:
    head, sealed = START, []
    for entry in entries:
        fields = link(entry, head)
        sealed.append({**entry, **fields})
        head = Head(fields["number"], fields["hash"])
    return sealed, head


@pytest.fixture
def chain() -> Entries:
    return chained([recorded(n) for n in range(1, 7)])[0]


def place(fault: Fault | None) -> tuple[What, int | None, str | None]:
    assert fault is not None
    return fault.what, fault.number, fault.id


def test_the_hash_is_sha_256_of_the_documented_canonical_form() -> None:
    text = (
        '{"_id":"x","at":{"$datetime":"2026-06-01T08:00:00.250+00:00"},"details":{"a":[1,null,true],"b":"\\u0111"},'
        f'"number":1,"previous":"{"0" * 64}"}}'
    )
    entry = {"details": {"b": "đ", "a": [1, None, True]}, "at": AT.astimezone(dt.timezone(dt.timedelta(hours=7))), "_id": "x"}
    assert link(entry, START) == {"number": 1, "previous": "0" * 64, "hash": hashlib.sha256(text.encode()).hexdigest()}


def test_a_sound_chain_has_no_fault_and_agrees_with_every_head_it_ever_had(chain: Entries) -> None:
    assert first_fault(chain) is None
    assert first_fault([]) is None
    assert [first_fault(chain, Head(e["number"], e["hash"])) for e in chain] == [None] * 6


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "b"},
        {"at": AT},
        {"act": "Sign"},
        {"request_id": ""},
        {"details": {}},
        {"_id": "id-0"},
        {"added": None},
        {"hash": "0" * 64},
        {"hash": None},
    ],
)
def test_a_changed_field_is_named_at_its_record(chain: Entries, change: dict[str, Any]) -> None:
    chain[2] |= change
    assert place(first_fault(chain)) == (What.CHANGED, 3, chain[2]["_id"])


def test_a_field_taken_away_is_named_at_its_record(chain: Entries) -> None:
    del chain[2]["details"]
    assert place(first_fault(chain)) == (What.CHANGED, 3, "id-3")


@pytest.mark.parametrize("gone", [0, 3])
def test_a_record_deleted_before_the_end_leaves_its_number_missing(chain: Entries, gone: int) -> None:
    fault = first_fault([*chain[:gone], *chain[gone + 1 :]])
    assert place(fault) == (What.MISSING, gone + 1, None)
    assert fault
    assert f"id-{gone + 2}" in fault.detail


def test_a_deleted_record_whose_number_was_taken_over_is_named_where_the_chain_breaks(chain: Entries) -> None:
    del chain[3]
    for entry in chain[3:]:
        entry["number"] -= 1
    assert place(first_fault(chain)) == (What.ORDER, 4, "id-5")


@pytest.mark.parametrize("left", [0, 5])
def test_a_cut_end_is_noticed_by_an_earlier_head_and_only_by_it(chain: Entries, left: int) -> None:
    head = Head(6, chain[5]["hash"])
    assert place(first_fault(chain[:left], head)) == (What.CUT, left + 1, None)
    assert first_fault(chain[:left]) is None


def test_two_records_that_changed_places_are_named_at_the_first_place(chain: Entries) -> None:
    chain[1]["number"], chain[3]["number"] = 4, 2
    assert place(first_fault(sorted(chain, key=lambda e: int(e["number"])))) == (What.ORDER, 2, "id-4")


def test_two_records_that_changed_contents_are_named_at_the_first_place(chain: Entries) -> None:
    seal = ("number", "previous", "hash")
    second, fourth = ({k: v for k, v in chain[n].items() if k not in seal} for n in (1, 3))
    chain[1], chain[3] = {**chain[1], **fourth}, {**chain[3], **second}
    assert place(first_fault(chain)) == (What.CHANGED, 2, "id-4")


def test_an_inserted_record_is_named_whether_it_repeats_a_number_or_moves_the_others(chain: Entries) -> None:
    forged = {**recorded(9), **link(recorded(9), Head(2, chain[1]["hash"]))}
    assert place(first_fault([*chain[:3], forged, *chain[3:]])) == (What.ORDER, 3, "id-9")
    moved = [{**entry, "number": entry["number"] + 1} for entry in chain[2:]]
    assert place(first_fault([*chain[:2], forged, *moved])) == (What.ORDER, 4, "id-3")


def test_a_changed_record_with_a_hash_made_anew_breaks_the_chain_behind_it(chain: Entries) -> None:
    chain[2]["actor"] = "b"
    chain[2]["hash"] = digest(chain[2])
    fault = first_fault(chain)
    assert place(fault) == (What.ORDER, 4, "id-4")
    assert fault
    assert "number 3" in fault.detail


def test_a_chain_made_anew_to_its_end_is_noticed_by_an_earlier_head_and_only_by_it(chain: Entries) -> None:
    anew, _ = chained([recorded(n, actor="b" if n == 3 else "a") for n in range(1, 9)])
    assert place(first_fault(anew, Head(5, chain[4]["hash"]))) == (What.REWRITTEN, 5, "id-5")
    assert first_fault(anew, Head(2, chain[1]["hash"])) is None
    assert first_fault(anew) is None


@pytest.mark.parametrize("number", ["3", 3.0, True, [3]])
def test_what_is_no_number_of_the_chain_is_named(chain: Entries, number: object) -> None:
    chain[2]["number"] = number
    assert place(first_fault(chain)) == (What.ORDER, None, "id-3")


def test_an_entry_that_waits_too_long_for_its_number_is_named_after_the_faults_of_the_chain(chain: Entries) -> None:
    fresh, late = recorded(20), recorded(10)
    before = AT + dt.timedelta(seconds=15)
    assert first_fault([*chain, fresh], sealed_before=before) is None
    assert place(first_fault([*chain, fresh, late], sealed_before=before)) == (What.UNSEALED, None, "id-10")
    assert place(first_fault([*chain, {"_id": "timeless"}], sealed_before=before)) == (What.UNSEALED, None, "timeless")
    head = Head(6, chain[5]["hash"])
    assert place(first_fault([*chain[:5], late], head, sealed_before=before)) == (What.CUT, 6, None)


def test_a_head_reads_back_from_what_was_written_and_nothing_else_does(chain: Entries) -> None:
    head = Head(6, chain[5]["hash"])
    assert Head.parse(str(head)) == head
    for wrong in ("", "6", f"0:{head.hash}", f"-6:{head.hash}", f"6:{head.hash[1:]}", f"6:{head.hash.upper()}g", f" {head}"):
        with pytest.raises(ValueError, match="number:hash"):
            Head.parse(wrong)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def in_order(value: object) -> str:
    return json.dumps(value, sort_keys=True)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1, max_size=8), st.data())
def test_whatever_happens_to_one_record_the_first_fault_stands_there_or_right_behind(details: Entries, data: st.DataObject) -> None:
    sealed, head = chained([recorded(n, details=d) for n, d in enumerate(details, start=1)])
    untouched = copy.deepcopy(sealed)
    at = data.draw(st.integers(0, len(sealed) - 1))
    deed = data.draw(st.sampled_from(["change", "delete", "re-hash", "repeat"]))
    if deed == "delete":
        del sealed[at]
    elif deed == "repeat":
        sealed.insert(at, sealed[at])
    else:
        name = data.draw(st.sampled_from(["actor", "act", "subject", "details", "request_id"]))
        sealed[at][name] = data.draw(
            VALUES.filter(lambda v: json.dumps(v, sort_keys=True) != json.dumps(untouched[at][name], sort_keys=True))
        )
        if deed == "re-hash":
            sealed[at]["hash"] = digest(sealed[at])
    fault = first_fault(sealed, head)
    assert fault is not None
    last = at + 1 == len(untouched)
    first_bad = at + 2 if deed == "re-hash" and not last else at + 1
    assert fault.number == first_bad
    assert first_fault(untouched, head) is None
