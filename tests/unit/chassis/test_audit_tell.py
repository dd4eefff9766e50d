"""What is told of the audit trail: each entry as it was chained, in portions that travel."""

from __future__ import annotations

import datetime as dt
from typing import Any

from contracts.audit import SealedAct
from contracts.event import Event
from contracts.events.records import RecordsActsSealedV1
from contracts.topics import TOPICS, topic
from services.chassis.audit_chain import START, link
from services.chassis.audit_tell import is_sound, portions, sealed_act
from services.chassis.outbox import MAX_BODY, event

AT = dt.datetime(2026, 5, 20, 3, 4, 5, 678_000, tzinfo=dt.UTC)


def entry(**more: Any) -> dict[str, Any]:
    bare = {
        "_id": "entry-1",
        "at": AT,
        "actor": "31300001003",
        "act": "import",
        "subject": "31300001:2025-2026",
        "place": "31300001",
        "origin": {"address": "203.0.113.7", "device": "Chrome trên Windows"},
        "request_id": "request-1",
        "details": {"before": None, "after": {"pupils": 3, "until": AT}},
        **more,
    }
    return {**bare, **link(bare, START)}


def travelled(act: SealedAct) -> SealedAct:
    """Through JSON and back, as an event."""
    sent = event(RecordsActsSealedV1(acts=(act,)), subject="records", sequence=act.number, actor="records")
    body = sent.model_dump_json(serialize_as_any=True)
    return Event[RecordsActsSealedV1].model_validate_json(body).data.acts[0]


def test_an_entry_keeps_its_hash_on_the_way_times_in_its_details_included() -> None:
    act = travelled(sealed_act(entry()))
    assert act.details["after"]["until"] == {"$datetime": "2026-05-20T03:04:05.678+00:00"}
    assert is_sound(act)


def test_an_entry_without_place_and_origin_keeps_its_hash_as_well() -> None:
    assert is_sound(travelled(sealed_act(entry(place=None, origin=None, request_id=None, details={}))))


def test_a_change_of_any_field_on_the_way_is_noticed() -> None:
    act = travelled(sealed_act(entry()))
    changes: list[dict[str, Any]] = [
        {"actor": "nobody"},
        {"act": "confirm"},
        {"subject": "other"},
        {"place": "31300002"},
        {"origin": None},
        {"request_id": None},
        {"details": {}},
        {"at": AT + dt.timedelta(milliseconds=1)},
        {"number": 2},
        {"previous": "1" * 64},
    ]
    assert [change for change in changes if is_sound(act.model_copy(update=change))] == []


def acts(number: int, size: int) -> list[SealedAct]:
    return [sealed_act(entry(_id=f"entry-{n}", details={"ids": "x" * size})) for n in range(number)]


def test_many_entries_are_told_in_order_in_as_few_portions_as_fit() -> None:
    told = list(portions(acts(5, 400), limit=2000))
    assert [act.id for portion in told for act in portion] == [f"entry-{n}" for n in range(5)]
    assert [len(portion) for portion in told] == [2, 2, 1]


def test_an_entry_that_is_too_large_alone_goes_without_its_details_and_says_so() -> None:
    small, large = acts(1, 10)[0], acts(1, 5000)[0]
    told = list(portions([small, large, small], limit=2000))
    assert [act.details_left_out for portion in told for act in portion] == [False, True, False]
    assert told[0][1].details == {}
    assert told[0][1].hash == large.hash


def test_the_largest_portion_fits_into_an_event_with_room_to_spare() -> None:
    for portion in portions(acts(400, 4000)):
        body = event(RecordsActsSealedV1(acts=portion), subject="records", sequence=1, actor="records").model_dump_json(
            serialize_as_any=True
        )
        assert len(body.encode()) < MAX_BODY * 2 / 3


def test_nothing_to_tell_is_no_event() -> None:
    assert list(portions([])) == []


def test_each_trail_has_a_topic_of_one_partition_so_that_it_stays_in_order() -> None:
    names = [t.name for t in TOPICS if t.name.endswith(".audit")]
    assert names == [f"{service}.audit" for service in ("records", "signing", "publishing", "district")]
    assert {topic(name).partitions for name in names} == {1}
    assert {topic(name).consumers for name in names} == {("identity",)}
