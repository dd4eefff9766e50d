"""Menus 6.3, 6.4 and the live board on a real database, and the model rebuilt from what its owners republish."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import openpyxl
import pytest

from contracts.event import Event, Fact
from contracts.events.identity import OrganisationsToldV1, SchoolChangedV1, Span, UnitChangedV1
from contracts.events.records import Awaited, ClassesToldV1, ClassImportedV1, TranscriptMovedV1, TranscriptsToldV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Database, Document, Session, transaction
from services.chassis.snapshots import Snapshots, Source, republish
from services.district import handlers
from services.district.lookup import store as lookup
from services.district.model import rebuilding
from services.district.store import Store
from tests.integration.pages_world import OFFICER, UNIT, YEAR, World, event_of, world_of

LOOKUP, STATISTICS, BOARD = "/ui/district/lookup", "/ui/district/statistics", "/ui/district/board"
PATH, OTHER = ("031", UNIT), ("031", "03102")
A, B, ELSEWHERE = "31300001", "31300002", "31300009"
PERSONAL_ID = "031217000001"
UUID = "736ca2c6-80e9-5197-b9b1-457969174557"
HEAD = OFFICER.model_copy(update={"unit": "031"})


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        db = made.db("district")
        await tell(db, *(unit(code, path) for code, path in (("031", ("031",)), (UNIT, PATH), ("03102", OTHER))))
        await tell(db, school(A, "An Hồng", PATH), school(B, "Đặng Xá", PATH), school(ELSEWHERE, "Bí Mật", OTHER))
        await tell(db, *(school_class(s) for s in (A, B, ELSEWHERE)))
        yield made


def unit(code: str, path: tuple[str, ...]) -> tuple[str, Fact]:
    return code, UnitChangedV1(code=code, name=f"Đơn vị {code}", path=path)


def school(code: str, name: str, path: tuple[str, ...], **more: Any) -> tuple[str, Fact]:
    return code, SchoolChangedV1(code=code, name=f"Trường Tiểu học {name}", levels=("TH",), tax_code="", path=path, **more)


def school_class(code: str, pupils: int = 5) -> tuple[str, Fact]:
    fact = ClassImportedV1(school=code, year=YEAR, code="5A", name="5A", grade=5, pupils=pupils, refused=0)
    return f"{code}:{YEAR}:5A", fact


def transcript(key: str, name: str, state: str, code: str = A, **more: Any) -> tuple[str, Fact]:
    now = clock.now()
    dates = {"created_at": now - dt.timedelta(days=9), "signed_at": now, "confirmed_at": now, "submitted_at": now, "decided_at": now}
    about: dict[str, Any] = {"school": code, "year": YEAR, "class_code": "5A", "class_name": "5A", "grade": 5, "pupil_name": name}
    return key, TranscriptMovedV1(**{**about, "state": state, "personal_id": "", "level": "TH", **dates, **more})


async def tell(db: Database, *facts: tuple[str, Fact], sequence: int = 1) -> None:
    await hand_over(db, [event_of(fact, subject, sequence=sequence) for subject, fact in facts])


async def hand_over(db: Database, events: Sequence[Event[Any]]) -> None:
    """Through the handlers of the consumers, one transaction a type."""
    for kind in dict.fromkeys(type(e.data) for e in events):
        consumer = next(c for c in handlers.consumers(Store(db)) if c.name == kind.topic)
        _, handler = consumer.handlers[kind.__name__]
        own = [e for e in events if type(e.data) is kind]
        await transaction(db, partial(_handled, handler, own))


async def _handled(handler: Any, events: Sequence[Event[Any]], session: Session) -> None:
    await handler(session, events)


async def some_transcripts(db: Database) -> None:
    waiting: dict[str, Any] = {"awaited": (Awaited(person="l1", name="Ngô Trưởng"),), "since": clock.now() - dt.timedelta(days=4)}
    await tell(
        db,
        transcript(UUID, "Nguyễn Thị Lan", "ACCEPTED", personal_id=PERSONAL_ID),
        transcript("t2", "Nguyễn Thị Lân", "REJECTED", refusal="Sai ngày sinh"),
        transcript("t3", "Trần Văn Giáp", "AWAITING_LEADER", **waiting),
        transcript("t4", "Lê Lan", "ACCEPTED", B),
        transcript("t5", "Nguyễn Thị Lan", "ACCEPTED", ELSEWHERE, personal_id=PERSONAL_ID),
    )


async def looked_up(world: World, who: Any = OFFICER, **asked: str) -> list[str]:
    browser = world.browser(who)
    answer = await world.clients["district"].post("/api/district/lookup", json=asked, headers=browser._token())
    assert answer.status_code == 200, answer.text
    return [f"{t['school']} {t['name']}" for t in answer.json()["transcripts"]]


@pytest.mark.parametrize("few", [0, 40], ids=["one walk over all names", "each school by itself"])
async def test_a_transcript_is_found_by_name_personal_id_school_and_uuid_in_the_own_branch_alone(
    world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "FEW", few)
    await some_transcripts(world.db("district"))
    assert await looked_up(world, name="lan") == [f"{B} Lê Lan", f"{A} Nguyễn Thị Lan", f"{A} Nguyễn Thị Lân"]
    assert await looked_up(world, name="Nguyễn Thị Lân") == [f"{A} Nguyễn Thị Lân"]
    assert await looked_up(world, personal_id=PERSONAL_ID) == [f"{A} Nguyễn Thị Lan"]
    assert sorted(await looked_up(world, HEAD, personal_id=PERSONAL_ID)) == [f"{A} Nguyễn Thị Lan", f"{ELSEWHERE} Nguyễn Thị Lan"]
    assert await looked_up(world, uuid=UUID.upper()) == [f"{A} Nguyễn Thị Lan"]
    assert await looked_up(world, school=A, state="AWAITING") == [f"{A} Trần Văn Giáp"]
    stranger = OFFICER.model_copy(update={"unit": "03102"})
    assert await looked_up(world, stranger, uuid=UUID) == []
    answer = await world.clients["district"].post(
        "/api/district/lookup", json={"school": ELSEWHERE}, headers=world.browser(OFFICER)._token()
    )
    assert answer.json()["code"] == "HB-ACC-403"


async def test_the_page_and_the_file_of_the_look_up_keep_personal_data_out_of_addresses(world: World) -> None:
    await some_transcripts(world.db("district"))
    browser = world.browser(OFFICER)
    page = await browser.send(LOOKUP, [("name", "nguyễn thị"), ("year", YEAR)])
    for words in ("Nguyễn Thị Lân", "Sai ngày sinh", "Bị từ chối tiếp nhận", "2 học bạ"):
        assert words in page.text
    assert [href for href in page.page.values("href") if "nguy" in href.lower() or PERSONAL_ID in href] == []
    assert "Nguyễn" not in (await browser.get(f"{LOOKUP}?name=nguyen")).response.text
    file = await browser.send(f"{LOOKUP}.xlsx", [("name", "nguyễn thị")])
    header, *lines = list(openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].values)
    assert [dict(zip(header, line, strict=True))["Họ và tên"] for line in lines] == ["Nguyễn Thị Lan", "Nguyễn Thị Lân"]
    wrong = await browser.send(LOOKUP, [("personal_id", "12")])
    assert (wrong.status, "đúng 12 chữ số" in wrong.text) == (422, True)
    acts = [d["details"] async for d in world.db("district")["audit"].find({"act": "look-up exported"})]
    assert acts == [{"found": 2}]


async def test_the_numbers_lead_from_the_unit_to_the_person_who_holds_it_up(world: World) -> None:
    await some_transcripts(world.db("district"))
    head = world.browser(HEAD)
    top = await head.get(STATISTICS)
    assert "Theo đơn vị" in top.text
    assert any(f"unit={UNIT}" in href for href in top.page.values("href"))
    assert "Bí Mật" not in (await head.get(f"{STATISTICS}?unit={UNIT}")).text
    browser = world.browser(OFFICER)
    below = await browser.get(f"{STATISTICS}/schools/{A}?year={YEAR}")
    for words in ("Ngô Trưởng", "Lãnh đạo", "Quản trị viên của trường", "Sửa và gửi lại"):
        assert words in below.text
    held = await browser.get(f"{STATISTICS}/schools/{A}/classes/5A?year={YEAR}")
    assert "Trần Văn Giáp" in held.text
    assert "Nguyễn Thị Lan Đã" not in held.text
    file = await browser.get(f"{STATISTICS}/schools/{A}/classes.xlsx?year={YEAR}")
    assert "Ngô Trưởng (Lãnh đạo): 1" in str(list(openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].values))
    over_time = await browser.get(f"{STATISTICS}/overtime?year={YEAR}&school={A}")
    assert "Bảng số liệu" in over_time.text
    assert (await browser.get(f"{STATISTICS}/schools/{ELSEWHERE}?year={YEAR}")).status == 403
    assert (await browser.get(f"{STATISTICS}?unit=03102")).status == 403
    assert (await browser.get(f"{STATISTICS}/overtime?unit=03102")).status == 403


async def test_the_live_board_counts_shows_the_speed_and_tells_of_changes(world: World) -> None:
    db = world.db("district")
    await some_transcripts(db)
    browser = world.browser(OFFICER)
    page = await browser.get(BOARD)
    for words in ("Đã tiếp nhận 2 trong 10 (20%)", "0 trong 2 trường", "Trường Tiểu học Đặng Xá", "hạn 20/08/2026"):
        assert words in page.text
    panel = await browser.get(BOARD, **{"HX-Request": "true"})
    assert panel.response.text.lstrip().startswith("<section")
    first = (await browser.get(f"{BOARD}/events?seconds=0")).response.text
    assert '"ACCEPTED": 2' in first
    await tell(db, transcript("t2", "Nguyễn Thị Lân", "ACCEPTED"), sequence=2)
    assert '"ACCEPTED": 3' in (await browser.get(f"{BOARD}/events?seconds=0")).response.text


async def test_a_unit_that_lost_a_school_keeps_its_past_and_a_closed_school_stands_apart(world: World) -> None:
    db = world.db("district")
    await some_transcripts(db)
    today = clock.in_vietnam(clock.now()).date()
    past = (Span(name="Trường cũ", path=PATH, valid_to=today), Span(name="Trường mới", path=OTHER, valid_from=today))
    await tell(db, school(A, "mới", OTHER, spans=past), sequence=2)
    end = max(dt.date(2026, 1, 1), today - dt.timedelta(days=30))
    closed = {"abolished_on": end, "successor": A, "spans": (Span(name="Trường Tiểu học Đặng Xá", path=PATH, valid_to=end),)}
    await tell(db, school(B, "Đặng Xá", PATH, **closed), sequence=2)
    last_year = "2024-2025"
    fact = ClassImportedV1(school=A, year=last_year, code="5A", name="5A", grade=5, pupils=7, refused=0)
    await tell(db, (f"{A}:{last_year}:5A", fact))
    told = (await world.browser(OFFICER).get(f"/api/district/statistics?year={last_year}")).response.json()
    assert {s["name"]: s["pupils"] for s in told["schools"]}["Trường cũ"] == 7
    school_page = await world.browser(OFFICER).get(f"{STATISTICS}/schools/{A}?year={last_year}")
    assert "không thuộc đơn vị này" in school_page.text
    assert (await world.browser(OFFICER).get(f"{STATISTICS}/schools/{A}/classes/5A?year={last_year}")).status == 403
    assert await looked_up(world, personal_id=PERSONAL_ID) == []
    assert await looked_up(world, name="Lê Lan") == [f"{B} Lê Lan"]


class Collected:
    """In place of the broker: what was sent, as the consumer would read it."""

    def __init__(self) -> None:
        self.events: list[Event[Any]] = []

    async def send_all(self, messages: Sequence[tuple[str, str, bytes, str]]) -> None:
        types = {f.__name__: f for f in (UnitChangedV1, SchoolChangedV1, ClassImportedV1, TranscriptMovedV1, *ENDS)}
        for _, _, body, _ in messages:
            raw = Event[Fact].model_validate_json(body)
            kind: Any = Event[types[raw.type]]  # type: ignore[valid-type, name-defined] # chosen at run time
            self.events.append(kind.model_validate_json(body))


ENDS = (OrganisationsToldV1, ClassesToldV1, TranscriptsToldV1)


async def republished(world: World, facts: Mapping[str, Sequence[tuple[str, Fact, int]]]) -> Collected:
    """What owners with these subjects republish; each stands in a collection of its own in records' database."""
    sent = Collected()
    db = world.db("records")
    for end in ENDS:
        name = f"owned-{end.topic.replace('.', '-')}"
        rows = [{"_id": s, "sequence": n, "fact": f.model_dump(mode="json"), "type": type(f).__name__} for s, f, n in facts[end.topic]]
        await db[name].delete_many({})
        if rows:
            await db[name].insert_many(rows)
        types = {type(f).__name__: type(f) for _, f, _ in facts[end.topic]}

        def fact_of(d: Document, types: dict[str, type[Fact]] = types) -> Fact:
            return types[d["type"]].model_validate(d["fact"])

        await republish(db, sent, Snapshots((Source(name, fact_of),), end), actor="records")  # type: ignore[arg-type] # stands in
    return sent


async def test_the_model_rebuilt_from_snapshots_equals_what_it_was_whatever_else_happens(world: World) -> None:
    db = world.db("district")
    await some_transcripts(db)
    before = await content(db)
    moved = transcript("t2", "Nguyễn Thị Lân", "ACCEPTED")
    facts: dict[str, list[tuple[str, Fact, int]]] = {end.topic: [] for end in ENDS}
    for subject, fact in [
        *(unit(code, path) for code, path in (("031", ("031",)), (UNIT, PATH), ("03102", OTHER))),
        *(school(*each) for each in ((A, "An Hồng", PATH), (B, "Đặng Xá", PATH), (ELSEWHERE, "Bí Mật", OTHER))),
        *(school_class(s) for s in (A, B, ELSEWHERE)),
    ]:
        facts[fact.topic].append((subject, fact, 1))
    kept = {d["_id"]: d async for d in db["transcripts"].find()}
    fields = TranscriptMovedV1.model_fields.keys()
    facts["records.transcripts"] = [(k, TranscriptMovedV1(**{f: v for f, v in d.items() if f in fields}), 1) for k, d in kept.items()]
    # what is wrong in the model, and what nobody owns any more
    await db["counts"].update_one({"school": A}, {"$inc": {"states.ACCEPTED": 40}})
    await db["transcripts"].update_one({"_id": "t4"}, {"$set": {"pupil_name": "Hỏng"}})
    await tell(db, transcript("ghost", "Ma", "SIGNED", B))
    await rebuilding.begin(db)
    sent = await republished(world, facts)
    half = len(sent.events) // 2
    await hand_over(db, sent.events[:half])
    assert await rebuilding.finish(db) == 0
    # life goes on meanwhile, and a snapshot may come twice and late
    await tell(db, moved, sequence=2)
    await hand_over(db, [e for e in sent.events[half:] if not isinstance(e.data, ENDS)])
    await hand_over(db, [e for e in sent.events if isinstance(e.data, ENDS)])
    assert await rebuilding.finish(db) == 1
    after = await content(db)
    assert after["transcripts"].pop("t2")["state"] == "ACCEPTED"
    before["transcripts"].pop("t2")
    for collection in ("units", "schools", "classes", "transcripts"):
        assert after[collection] == before[collection]
    pupils, states = await Store(db).counts([A, B, ELSEWHERE], YEAR)
    assert {key: {s: n for s, n in own.items() if n} for key, own in states.items()} == {
        (A, 5): {"ACCEPTED": 2, "AWAITING_LEADER": 1},
        (B, 5): {"ACCEPTED": 1},
        (ELSEWHERE, 5): {"ACCEPTED": 1},
    }
    assert {key: numbers["pupils"] for key, numbers in pupils.items()} == dict.fromkeys([(A, 5), (B, 5), (ELSEWHERE, 5)], 5)
    assert (await rebuilding.state(db))["building"] is None


async def content(db: Database) -> dict[str, dict[str, Document]]:
    """The rows as pages see them."""
    return {
        name: {d["_id"]: {k: v for k, v in d.items() if k != "run"} async for d in db[name].find()}
        for name in ("units", "schools", "classes", "transcripts")
    }
