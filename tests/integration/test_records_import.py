"""Importing on real stores: the difference that is shown is what is written, once, part by part; and pulling from the sector database."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openpyxl
import pytest

from contracts.documents import DocumentRef
from infra.local import Stack
from infra.sandbox.common import Place
from infra.sandbox.sector.app import create_app
from infra.sandbox.sector.exports import rows_of
from infra.sandbox.sector.state import Loaded
from services.chassis.mongo import Document
from services.records.imports import taking
from services.records.imports.difference import PEOPLE, Plan
from services.records.imports.pulling import MOST_FAILURES, Pulling
from services.records.imports.sector import SectorDatabase
from services.records.imports.writing import Writing
from services.records.store import key
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, YEAR, Answer, World, world_of
from tests.unit.records.import_files import PROFILE, Files, made, with_cell, with_result

SAMPLE, _ = made("TH", pupils=3, classes=2)
IMPORTS = "/ui/records/imports"
PUPIL = "312500100001"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def upload(world: World, files: Files) -> str:
    sent = [("files", (name, content)) for name, content in files.items()]
    return (await world.browser().send(IMPORTS, [], files=sent)).where


async def confirm(world: World, where: str) -> Answer:
    return await world.browser().send(f"{where}/confirm", [])


async def imported(world: World) -> None:
    assert (await confirm(world, await upload(world, SAMPLE))).status == 303


def exported(files: Files) -> Loaded:
    """The school as the sandbox sector database holds it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return rows_of(Path(folder))


async def document(world: World, where: str) -> Document:
    found = await world.db("records")["imports"].find_one({"_id": where.rsplit("/", 1)[-1]})
    assert found is not None
    return found


async def pupil(world: World, code: str = PUPIL) -> Document:
    found = await world.db("records")["pupils"].find_one({"_id": key(SCHOOL, YEAR, code)})
    assert found is not None
    return found


async def rows(world: World, where: str, query: str = "") -> list[dict[str, object]]:
    answer = await world.browser().get(f"/api/records/imports/{where.rsplit('/', 1)[-1]}/rows{query}")
    assert answer.status == 200
    found: list[dict[str, object]] = answer.response.json()["rows"]
    return found


async def events(world: World) -> int:
    return await world.db("records")["outbox"].count_documents({})


async def test_the_same_files_twice_change_nothing_and_the_preview_says_so(world: World) -> None:
    first = await upload(world, SAMPLE)
    assert {row["state"] for row in await rows(world, first)} == {"new"}
    assert (await confirm(world, first)).status == 303
    before = await events(world)
    stored = await world.db("records")["pupils"].find().sort("_id", 1).to_list(None)

    again = await upload(world, SAMPLE)
    page = await world.browser().get(again)
    assert "giống hệt dữ liệu đã có" in page.text
    assert (await document(world, again))["changes"] == 0
    assert (await confirm(world, again)).status == 303
    assert await events(world) == before
    assert await world.db("records")["pupils"].find().sort("_id", 1).to_list(None) == stored


async def test_a_changed_field_is_shown_before_and_after_and_alone_is_written(world: World) -> None:
    await imported(world)
    before = await events(world)
    changed = with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "=1+1<b>")
    where = await upload(world, changed)
    [row] = await rows(world, where, "?state=changed")
    assert (row["key"], row["kind"]) == (PUPIL, "pupil")
    home_town = (await pupil(world))["data"]["home_town"]
    assert row["changes"] == [{"field": "Quê quán", "before": home_town, "after": "=1+1<b>"}]
    page = await world.browser().get(f"{where}/rows?kind=pupil&state=changed")
    assert page.page.faults == []
    assert f"Quê quán: {home_town} → =1+1<b>" in page.text

    report = await world.browser().get(f"{where}/report.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(report.response.content))
    told = [cell for line in book["Khác biệt"].iter_rows() for cell in line if cell.value == "=1+1<b>"]
    assert [cell.data_type for cell in told] == ["s"]
    assert {sheet.title for sheet in book.worksheets} == {"Khác biệt", "Điểm cần xem", "Chưa đủ điều kiện", "Cột"}

    assert (await confirm(world, where)).status == 303
    assert (await pupil(world))["data"]["home_town"] == "=1+1<b>"
    assert await events(world) == before + 1, "only the pupil's class is told of"


async def test_a_preview_that_rests_on_an_older_state_is_refused_until_it_is_reviewed(world: World) -> None:
    await imported(world)
    one = await upload(world, with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "Một"))
    two = await upload(world, with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "Hai"))
    assert (await confirm(world, one)).status == 303
    refused = await confirm(world, two)
    assert refused.status == 409
    assert "Xem lại với dữ liệu hiện tại" in refused.text
    assert (await pupil(world))["data"]["home_town"] == "Một"
    assert (await world.browser().send(f"{two}/review", [])).where == two
    [row] = await rows(world, two, "?state=changed")
    assert row["changes"] == [{"field": "Quê quán", "before": "Một", "after": "Hai"}]
    assert (await confirm(world, two)).status == 303
    assert (await pupil(world))["data"]["home_town"] == "Hai"
    assert (await confirm(world, two)).status == 409, "what is written is written once"


async def test_a_finalisation_in_between_makes_the_preview_old(world: World) -> None:
    await imported(world)
    db = world.db("records")
    await db["classes"].update_many({}, {"$set": {"data.finalised": False}})
    where = await upload(world, SAMPLE)
    await db["classes"].update_one({"_id": key(SCHOOL, YEAR, "1A")}, {"$set": {"finalised_at": dt.datetime.now(dt.UTC)}})
    assert (await confirm(world, where)).status == 409


async def test_locked_results_are_left_out_with_the_reason_and_everybody_else_goes_on(world: World) -> None:
    await imported(world)
    was = (await pupil(world))["result"]
    changed = with_result(SAMPLE, "ket_qua/1A.xlsx", 4, ("Toán", "Nhận xét"), "Khác trước.")
    changed = with_cell(changed, "Học sinh", 3, "Quê quán", "Nam Định")
    where = await upload(world, changed)
    by_code = {row["key"]: row for row in await rows(world, where) if row["kind"] == "pupil"}
    locked = by_code[PUPIL]
    assert locked["state"] == "left_out"
    assert [change["field"] for change in locked["left"]] == ["Toán: Nhận xét"]  # type: ignore[attr-defined]  # JSON
    assert "khóa dữ liệu" in str(locked["reason"])
    assert by_code["312500100002"]["state"] == "changed"
    assert (await confirm(world, where)).status == 303
    assert (await pupil(world))["result"] == was
    assert (await pupil(world, "312500100002"))["data"]["home_town"] == "Nam Định"


async def test_after_the_final_lock_of_the_year_nothing_is_written(world: World) -> None:
    await imported(world)
    lock = {"_id": f"{SCHOOL}:{YEAR}:lock", "school": SCHOOL, "year": YEAR, "locked": True}
    await world.db("records")["year_locks"].insert_one(lock)
    where = await upload(world, with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "Một"))
    assert {row["state"] for row in await rows(world, where)} == {"unchanged", "left_out"}
    assert (await confirm(world, where)).status == 409


async def test_pupils_and_classes_that_are_gone_go_and_those_with_a_transcript_stay(world: World) -> None:
    await imported(world)
    db = world.db("records")
    await db["classes"].update_many({}, {"$set": {"data.finalised": False}})
    await db["transcripts"].insert_one({"_id": "t", "school": SCHOOL, "year": YEAR, "pupil_code": PUPIL, "class_code": "1A", "live": True})

    def without(book: openpyxl.Workbook) -> None:
        sheet = book["Học sinh"]
        for row in range(sheet.max_row, 1, -1):
            if sheet.cell(row, 2).value == "1B" or sheet.cell(row, 3).value == PUPIL:
                sheet.delete_rows(row)
        for title in ("Lớp", "Phân công"):
            for row in range(book[title].max_row, 1, -1):
                if book[title].cell(row, 1).value == "1B":
                    book[title].delete_rows(row)

    book = openpyxl.load_workbook(io.BytesIO(SAMPLE[PROFILE]))
    without(book)
    out = io.BytesIO()
    book.save(out)
    files = {name: content for name, content in SAMPLE.items() if name != "ket_qua/1B.xlsx"} | {PROFILE: out.getvalue()}
    where = await upload(world, files)
    gone = {(row["kind"], row["class_code"]) for row in await rows(world, where, "?state=gone") if row["kind"] != "assignment"}
    assert gone == {("class", "1B"), ("pupil", "1B")}
    assert (await confirm(world, where)).status == 303
    assert (await pupil(world))["class_code"] == "1A"
    assert await db["pupils"].count_documents({"class_code": "1B"}) == 0
    assert "1B" not in (await world.browser().get("/ui/records/classes")).text
    assert (await confirm(world, await upload(world, SAMPLE))).status == 303
    assert await db["pupils"].count_documents({"class_code": "1B"}) > 0, "a class may come back"


async def test_an_import_that_was_killed_in_the_middle_goes_on_where_it_stood(world: World) -> None:
    where = await upload(world, SAMPLE)
    db = world.db("records")
    parts = world.parts["records"]
    held = await taking._held(parts, where.rsplit("/", 1)[-1], "dead")
    started = await taking._started(parts, ADMINISTRATOR, held, "dead")
    dead = Writing(parts)
    dead.owner = "dead"
    plan = Plan.model_validate_json(await parts.objects.get(DocumentRef.model_validate(started["plan"])))
    assert started["remaining"][0] == PEOPLE
    for name in started["remaining"][:3]:
        await dead._write(started, plan, name, last=False)
    assert "Đang ghi dữ liệu" in (await world.browser().get(where)).text
    assert (await confirm(world, where)).status == 409, "somebody is at it"
    sent = [("files", (name, content)) for name, content in SAMPLE.items()]
    assert (await world.browser().send(IMPORTS, [], files=sent)).status == 409

    await db["imports"].update_one({"_id": started["_id"]}, {"$unset": {"lease": ""}})
    assert await Writing(parts).round() == len(started["remaining"]) - 3
    done = await document(world, where)
    assert (done["state"], done["remaining"], done["skipped"]) == ("confirmed", [], [])
    assert await db["audit"].count_documents({"act": "import"}) == 1
    assert (await document(world, await upload(world, SAMPLE)))["changes"] == 0


async def test_what_changed_after_the_preview_is_left_out_of_the_writing_and_listed(world: World) -> None:
    await imported(world)
    db = world.db("records")
    parts = world.parts["records"]
    changed = with_cell(with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "Một"), "Học sinh", 3, "Quê quán", "Hai")
    where = await upload(world, changed)
    held = await taking._held(parts, where.rsplit("/", 1)[-1], "here")
    started = await taking._started(parts, ADMINISTRATOR, held, "here")
    await db["pupils"].update_one({"_id": key(SCHOOL, YEAR, PUPIL)}, {"$set": {"data.home_town": "Đã sửa"}})
    writing = Writing(parts)
    writing.owner = "here"
    await writing.finish(started)
    assert (await pupil(world))["data"]["home_town"] == "Đã sửa"
    assert (await pupil(world, "312500100002"))["data"]["home_town"] == "Hai"
    assert [each["pupil"] for each in (await document(world, where))["skipped"]] == [PUPIL]
    assert "Phần chưa ghi được" in (await world.browser().get(where)).text


async def begun(world: World, files: Files) -> tuple[Writing, Document]:
    """An import that is confirmed, of which no part is written yet."""
    where = await upload(world, files)
    writing = Writing(world.parts["records"])
    writing.owner = "here"
    held = await taking._held(world.parts["records"], where.rsplit("/", 1)[-1], "here")
    return writing, await taking._started(world.parts["records"], ADMINISTRATOR, held, "here")


async def skipped(world: World, writing: Writing, started: Document) -> list[object]:
    await writing.finish(started)
    found = await world.db("records")["imports"].find_one({"_id": started["_id"]})
    assert found is not None
    assert (found["state"], found["remaining"]) == ("confirmed", [])
    return [each.get("pupil") for each in found["skipped"]]


async def test_a_transcript_that_was_created_while_an_import_was_written_keeps_its_pupil_as_it_was(world: World) -> None:
    await imported(world)
    was = (await pupil(world))["data"]
    writing, started = await begun(world, with_cell(SAMPLE, "Học sinh", 2, "Quê quán", "Một"))
    live = {"_id": "t", "school": SCHOOL, "year": YEAR, "pupil_code": PUPIL, "class_code": "1A", "live": True}
    await world.db("records")["transcripts"].insert_one(live)
    assert await skipped(world, writing, started) == [PUPIL]
    assert (await pupil(world))["data"] == was


async def test_a_pupil_who_got_a_transcript_while_an_import_was_written_does_not_go(world: World) -> None:
    await imported(world)
    db = world.db("records")
    await db["classes"].update_many({}, {"$set": {"data.finalised": False}})
    writing, started = await begun(world, without_pupil(SAMPLE))
    live = {"_id": "t", "school": SCHOOL, "year": YEAR, "pupil_code": PUPIL, "class_code": "1A", "live": True}
    await db["transcripts"].insert_one(live)
    assert await skipped(world, writing, started) == [PUPIL]
    assert (await pupil(world))["data"] is not None


async def test_results_of_a_correction_that_was_locked_again_while_an_import_was_written_stay(world: World) -> None:
    await imported(world)
    was = (await pupil(world))["result"]
    corrections = world.db("records")["corrections"]
    await corrections.insert_one({"_id": "c", "school": SCHOOL, "year": YEAR, "pupil_code": PUPIL, "state": "UNLOCKED"})
    writing, started = await begun(world, with_result(SAMPLE, "ket_qua/1A.xlsx", 4, ("Toán", "Nhận xét"), "Khác trước."))
    await corrections.update_one({"_id": "c"}, {"$set": {"state": "RELOCKED"}})
    assert await skipped(world, writing, started) == [PUPIL]
    assert (await pupil(world))["result"] == was


def without_pupil(files: Files) -> Files:
    """The same without the first pupil, in both workbooks."""
    changed = dict(files)
    for name in (PROFILE, "ket_qua/1A.xlsx"):
        book = openpyxl.load_workbook(io.BytesIO(files[name]))
        for sheet in book.worksheets:
            for row in range(sheet.max_row, 1, -1):
                if any(str(cell.value or "") == PUPIL for cell in sheet[row]):
                    sheet.delete_rows(row)
        out = io.BytesIO()
        book.save(out)
        changed[name] = out.getvalue()
    return changed


async def test_data_of_another_level_under_the_same_school_code_are_blocked_with_what_to_do(world: World) -> None:
    await imported(world)
    year = key(SCHOOL, YEAR)
    await world.db("records")["years"].update_one({"_id": year}, {"$set": {"data.level": "THCS"}})
    where = await upload(world, SAMPLE)
    page = await world.browser().get(where)
    assert "đã có dữ liệu cấp THCS của năm học" in page.text
    assert "cần một mã trường riêng" in page.text
    assert (await document(world, where))["counts"]["errors"] == 1
    assert (await confirm(world, where)).status == 422
    assert await world.db("records")["pupils"].count_documents({}) > 0


# pulling


@pytest.fixture
async def sector(tmp_path: Path) -> AsyncIterator[SectorDatabase]:
    app = create_app(Place(tmp_path, "sector", 80, "http://sector"), "geheim", [exported(SAMPLE)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sector") as client:
        yield SectorDatabase(client, "geheim")


def pulling(world: World, sector: SectorDatabase) -> Pulling:
    return Pulling(world.parts["records"], sector, wait=dt.timedelta(0))


async def start(world: World, mode: str = "full") -> str:
    return (await world.browser().send("/ui/records/pulls", [("year", YEAR), ("mode", mode)])).where


async def finished(world: World, sector: SectorDatabase, where: str) -> Document:
    worker = pulling(world, sector)
    for _ in range(20):
        await worker.round()
        found = await world.db("records")["pulls"].find_one({"_id": where.rsplit("/", 1)[-1]})
        assert found is not None
        if found["state"] != "running":
            return found
    raise AssertionError(f"the pull does not end: {found}")


async def test_a_pull_ends_in_the_very_preview_that_the_files_have(world: World, sector: SectorDatabase) -> None:
    where = await start(world)
    assert "Đang đọc" in (await world.browser().get(where)).text
    pull = await finished(world, sector, where)
    assert pull["state"] == "finished"
    by_pull, by_file = f"{IMPORTS}/{pull['import']}", await upload(world, SAMPLE)
    assert await rows(world, by_pull) == await rows(world, by_file)
    one, two = await document(world, by_pull), await document(world, by_file)
    assert {**one["counts"], "warnings": 0} == {**two["counts"], "warnings": 0}
    assert sorted(one["refused"], key=str) == sorted(two["refused"], key=str)
    assert (await confirm(world, by_pull)).status == 303
    assert (await document(world, await upload(world, SAMPLE)))["changes"] == 0
    page = await world.browser().get(where)
    assert page.page.faults == []
    assert "Xem trước dữ liệu nhập" in page.text


async def test_changes_since_the_last_time_bring_updated_and_deleted_rows_alone(world: World, sector: SectorDatabase) -> None:
    first = await finished(world, sector, await start(world, "changes"))
    assert first["mode"] == "full", "there was no last time"
    await confirm(world, f"{IMPORTS}/{first['import']}")
    await world.db("records")["classes"].update_many({}, {"$set": {"data.finalised": False}})
    data = next(row.data for row in exported(SAMPLE).lists["pupils"] if row.id == PUPIL)
    changes = [
        {"list": "pupils", "id": PUPIL, "data": {**data, "Quê quán": "Nam Định"}},
        {"list": "pupils", "id": "312500100002", "deleted": True},
        {"list": "results", "id": "312500100002", "deleted": True},
    ]
    answer = await sector.http.post("/control/changes", json={"school": SCHOOL, "year": YEAR, "changes": changes})
    assert answer.is_success
    pull = await finished(world, sector, await start(world, "changes"))
    assert (pull["mode"], pull["rows"]) == ("changes", 3)
    told = {(row["key"], row["state"]) for row in await rows(world, f"{IMPORTS}/{pull['import']}") if row["kind"] == "pupil"}
    assert {(code, state) for code, state in told if state in ("changed", "gone")} == {(PUPIL, "changed"), ("312500100002", "gone")}


async def test_a_sector_database_that_misbehaves_loses_and_doubles_nothing(world: World, sector: SectorDatabase) -> None:
    wanted = await rows(world, await upload(world, SAMPLE))
    faults: tuple[dict[str, object], ...] = (
        {"endpoint": "rows", "fail_next": 3},
        {"endpoint": "rows", "lose_answer_next": 2},
        {"repeat_page_next": 2},
        {"token_expired_next": 3},
        {"cursor_expired_next": 1},
    )
    for fault in faults:
        assert (await sector.http.post("/control/faults", json=fault)).is_success
        pull = await finished(world, sector, await start(world))
        assert pull["state"] == "finished", fault
        assert await rows(world, f"{IMPORTS}/{pull['import']}") == wanted, fault


async def test_a_mark_that_has_expired_leads_to_reading_everything(world: World, sector: SectorDatabase) -> None:
    await finished(world, sector, await start(world))
    loaded = exported(SAMPLE)
    assert (await sector.http.post("/control/schools", json=loaded.model_dump())).is_success
    pull = await finished(world, sector, await start(world, "changes"))
    assert (pull["state"], pull["mode"], pull["restarts"]) == ("finished", "full", 1)


async def test_a_pull_stops_after_many_failures_and_goes_on_when_asked_to(world: World, sector: SectorDatabase) -> None:
    where = await start(world)
    assert (await sector.http.post("/control/faults", json={"endpoint": "rows", "fail_next": MOST_FAILURES})).is_success
    assert (await finished(world, sector, where))["state"] == "stopped"
    page = await world.browser().get(where)
    assert "Tiếp tục lấy dữ liệu" in page.text
    assert page.page.faults == []
    assert (await world.browser().send(f"{where}/resume", [])).where == where
    assert (await finished(world, sector, where))["state"] == "finished"
    assert (await world.browser().send(f"{where}/resume", [])).status == 409


async def test_a_wrong_secret_or_an_unknown_year_ends_the_pull_with_the_reason(world: World, sector: SectorDatabase) -> None:
    sector.secret = "falsch"
    where = await start(world)
    assert (await finished(world, sector, where))["state"] == "failed"
    assert "không chấp nhận khoá kết nối" in (await world.browser().get(where)).text
    sector.secret = "geheim"
    other = (await world.browser().send("/ui/records/pulls", [("year", "2030-2031"), ("mode", "full")])).where
    assert "không có dữ liệu" in (await finished(world, sector, other))["problem"]


async def test_two_pulls_of_one_year_at_once_and_a_wrong_year_are_refused(world: World) -> None:
    await start(world)
    again = await world.browser().send("/ui/records/pulls", [("year", YEAR), ("mode", "full")])
    assert (again.status, "đang chạy" in again.text) == (409, True)
    wrong = await world.browser().send("/ui/records/pulls", [("year", "2025-2027"), ("mode", "full")])
    assert (wrong.status, wrong.page.faults) == (422, [])
