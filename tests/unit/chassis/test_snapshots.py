"""Snapshots: told by the owner with their sequence and their number, read by those alone who asked for them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.event import Event, Fact
from contracts.events.records import ClassesToldV1, ClassImportedV1
from services.chassis.kafka import Consumer, Reading
from services.chassis.snapshots import AT_ONCE, Snapshots, Source, republish


class Cursor:
    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents

    def sort(self, order: Sequence[tuple[str, int]]) -> Cursor:
        return Cursor(sorted(self.documents, key=lambda d: [d[key] for key, _ in order]))

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for document in self.documents:
            yield document


class Collection:
    """In place of the database."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        self.asked: Any = None

    def find(self, _: Any, projection: Any = None) -> Cursor:
        self.asked = projection
        return Cursor(self.documents)


class Sender:
    def __init__(self) -> None:
        self.rounds: list[int] = []
        self.told: list[dict[str, Any]] = []

    async def send_all(self, messages: Sequence[tuple[str, str, bytes, str]]) -> None:
        self.rounds.append(len(messages))
        self.told += [json.loads(body) for _, _, body, _ in messages]


def class_of(document: dict[str, Any]) -> ClassImportedV1:
    return ClassImportedV1(school="1", year="2025-2026", code=document["_id"], name="5A", grade=5, pupils=3, refused=0)


@pytest.mark.parametrize("number", [0, 1, AT_ONCE, AT_ONCE + 1])
async def test_every_subject_is_told_once_with_its_sequence_and_then_how_many_there_were(number: int) -> None:
    classes, sender = Collection([{"_id": f"{n:05d}", "sequence": n + 1} for n in range(number)]), Sender()
    db: Any = {"classes": classes}
    snapshots = Snapshots((Source("classes", class_of, ("school",)),), ClassesToldV1)
    assert await republish(db, sender, snapshots, actor="records") == number  # type: ignore[arg-type] # stands in
    *subjects, end = sender.told
    assert [(s["subject"], s["sequence"]) for s in subjects] == [(f"{n:05d}", n + 1) for n in range(number)]
    assert {s["snapshot"] for s in sender.told} == {end["data"]["run"]}
    assert end["data"]["subjects"] == number
    assert max(sender.rounds) <= AT_ONCE
    assert classes.asked == {"sequence": 1, "school": 1}


def record(snapshot: str | None) -> Any:
    event = Event[Fact](
        type="ClassImportedV1",
        subject="a",
        sequence=1,
        occurred_at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        actor="records",
        data=class_of({"_id": "a"}),
        snapshot=snapshot,
    )
    return SimpleNamespace(value=event.model_dump_json(serialize_as_any=True).encode())


async def nothing(_: Any, __: list[Event[ClassImportedV1]]) -> None: ...


@pytest.mark.parametrize(
    ("wanted", "snapshot", "read"), [(False, "run", False), (True, "run", True), (False, None, True), (True, None, True)]
)
def test_a_snapshot_is_read_only_by_a_handler_that_asked_for_it(wanted: bool, snapshot: str | None, read: bool) -> None:
    consumer = Consumer("district", "records.classes")
    consumer.on(ClassImportedV1, snapshots=wanted)(nothing)
    reading = Reading(consumer, None, None)  # type: ignore[arg-type] # nothing is stored here
    assert isinstance(reading._read(record(snapshot)), Event) is read


async def test_subjects_that_share_a_field_are_told_after_one_another() -> None:
    places = ("b", "a", "b", "a")
    classes, sender = Collection([{"_id": f"{n}", "sequence": 1, "school": s} for n, s in enumerate(places)]), Sender()
    db: Any = {"classes": classes}
    told: Any = sender
    await republish(db, told, Snapshots((Source("classes", class_of, together="school"),), ClassesToldV1), actor="records")
    assert [e["subject"] for e in sender.told[:-1]] == ["1", "3", "0", "2"]
