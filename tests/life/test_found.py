"""What lives have found, each as short as it can be told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.chassis.mongo import Document
from services.records.imports.writing import Writing
from services.records.transcripts.creation import Creation
from tests.life.acts import Acts
from tests.life.conftest import CREATED, IMPORTED, SIGNED, machine
from tests.life.machine import Life
from tests.life.place import Place
from tests.life.school import ADMINISTRATORS


@pytest.fixture
def signed(place: Place, runner: asyncio.Runner) -> Life:
    return begun(place, runner, SIGNED)


@pytest.fixture
def imported(place: Place, runner: asyncio.Runner) -> Life:
    return begun(place, runner, IMPORTED)


@pytest.fixture
def created(place: Place, runner: asyncio.Runner) -> Life:
    return begun(place, runner, CREATED)


def begun(place: Place, runner: asyncio.Runner, stage: int) -> Life:
    life = machine(place, runner, (stage,))()
    life.begin(0)
    return life


def test_a_request_to_send_does_not_outlive_the_confirmation_that_it_rests_on(signed: Life) -> None:
    """Asked for, taken back and confirmed anew before records heard of it: nobody would ever send it, and nobody could ask again."""
    one = signed.transcripts()[0]
    signed.does(signed.acts.decide("confirm", [one], 0))
    signed.everything_arrives()
    signed.does(signed.acts.submit(one, 0))
    signed.does(signed.acts.decide("undo", [one], 0))
    signed.does(signed.acts.decide("confirm", [one], 0))
    signed.everything_arrives()
    assert signed.m.transcripts[one]["state"] == "CONFIRMED"
    signed.does(signed.acts.submit(one, 0))
    signed.everything_arrives()
    assert signed.m.transcripts[one]["state"] == "SUBMITTED"
    assert signed.m.submissions[one]["state"] == "CLEARED"


def test_nothing_is_sent_back_in_a_locked_year(created: Life) -> None:
    """The administrator could neither cancel it nor refuse to, and it would stand in the archive as returned."""
    created.does(created.acts.year("lock"))
    created.everything_arrives()
    one = created.transcripts()[0]
    person = created.m.tasks[one]["need"]["subjects"][0]
    created.does(created.acts.give_back(person, "subjects", one))
    assert created.place.met["return", "HB-SIG-030"]
    assert created.m.transcripts[one]["state"] == "AWAITING_SUBJECT_TEACHERS"


def test_a_version_that_came_and_went_while_another_worker_was_at_it_is_counted(signed: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker looks what came before, makes the documents, and writes; between the two a colleague's version was made and cancelled."""
    pupil = next(iter(signed.m.pupils))
    first = signed.m.live_of(pupil)
    assert first is not None
    signed.does(signed.acts.decide("cancel", [first], 0))
    signed.everything_arrives()
    creation = signed.place.creation
    make = creation._make
    order = {"pupils": [pupil]}
    signed.does(signed.acts.order(order, [pupil], ADMINISTRATORS[0]))

    async def slowly(ready: Any) -> Any:
        made = await make(ready)
        monkeypatch.setattr(creation, "_make", make)
        await between(signed, pupil)
        return made

    monkeypatch.setattr(creation, "_make", slowly)
    signed.run(creation.round())
    versions = signed.run(_versions(signed, pupil))
    assert versions == [1, 2, 3]


def test_two_who_confirm_one_preview_at_once_are_told_the_truth(created: Life) -> None:
    """Of a preview that nobody has confirmed it was said that it waits for no confirmation any more, in a word of the database."""
    preview, row = created.run(created.acts.preview(created.m, 0))
    created.m.previews[preview] = row
    created.does(created.acts.import_(preview, 0), created.acts.import_(preview, 1))
    assert created.m.previews[preview]["done"]


def test_of_two_who_let_a_pupil_leave_at_once_one_is_told_the_number_of_the_other(signed: Life) -> None:
    """The refusal named a package without its number."""
    pupil = next(iter(signed.m.pupils))
    signed.does(signed.acts.leave(pupil), signed.acts.leave(pupil))
    assert signed.place.met["transfer out", "HB-REC-141"] or signed.place.met["transfer out", "HB-WEB-409"]


def test_a_pupil_who_arrives_while_an_import_is_being_written_is_counted(imported: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class was written with the number of pupils that it had when the import was prepared."""
    one = next(p for p, row in imported.m.pupils.items() if row["class"] == "1A")
    imported.m.filed[one] = imported.m.filed[one].changed("remark", 1)
    imported.does(imported.acts.receive(0))
    (arrival,) = imported.m.arrivals
    preview, row = imported.run(imported.acts.preview(imported.m, 0))
    imported.m.previews[preview] = row
    finish = Writing.finish
    take = imported.acts.take(arrival, "1A", 0)

    async def later(self: Writing, document: Document) -> int:
        assert await take.ask() == {arrival: ""}
        return await finish(self, document)

    monkeypatch.setattr(Writing, "finish", later)
    imported.run(imported.acts.import_(preview, 0).ask())
    found = imported.run(_class(imported, "1A"))
    assert (found["pupils"], found["refused"]) == (4, 4), "three whose class is not finalised, and one without results"


async def _class(life: Life, code: str) -> Document:
    found = await life.place.world.db("records")["classes"].find_one({"code": code})
    assert found is not None
    return found


async def between(life: Life, pupil: str) -> None:
    """Version 2 by another worker, sent back by its signer and cancelled."""
    acts = Acts(life.place)
    worker = Creation(life.place.creation.parts, life.place.creation.store)
    order = acts.order({"pupils": [pupil]}, [pupil], ADMINISTRATORS[1])
    await order.ask()
    assert await worker.round() == 1
    await _hear(life)
    db = life.place.world.db("records")
    second = await db["transcripts"].find_one({"pupil_code": pupil, "live": True})
    assert second is not None
    task = await life.place.world.db("signing")["tasks"].find_one({"_id": second["_id"]})
    assert task is not None
    await acts.give_back(task["waiting"][0], "subjects", second["_id"]).ask()
    await _hear(life)
    assert await acts.decide("cancel", [second["_id"]], 0).ask() == {second["_id"]: ""}


async def _hear(life: Life) -> None:
    await life.place.mail.collect()
    while boxes := life.place.mail.waiting():
        for box in boxes:
            await life.place.mail.deliver(box, most=200)
        await life.place.mail.collect()


async def _versions(life: Life, pupil: str) -> list[int]:
    found = life.place.world.db("records")["transcripts"].find({"pupil_code": pupil})
    return sorted([t["version"] async for t in found])
