"""Over the years, on real stores: the learner record, leaving for another school and arriving there, the archive package of a year."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.access import Principal, Role
from contracts.events.signing import EvidenceRecordedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Document, transaction
from services.records.archive import checker
from services.records.archive import store as archives
from services.records.archive.checker import Bad
from services.records.archive.exporting import Exporting
from services.records.archive.sealing import Seal
from services.records.evidence_files import save_evidence
from services.records.locks.store import LOCKS, lock_id
from services.records.schoolyear import PreviousTranscript, School, SchoolClass, TranscriptContent
from services.records.store import Store, document_ref
from tests.integration.pages_world import SCHOOL, YEAR, Answer, Browser, World, event_of, staff, world_of
from tests.integration.test_pages import fields, row_of, sound
from tests.unit.evidence.test_evidence_records import Maker
from tests.unit.records.sealed_transcripts import changed, content_of, sealed
from tests.unit.signing.sealed import Sandbox

OTHER = "31300002"
BEFORE = "2024-2025"
CLASS = "5A"
THERE = Principal(person=f"{OTHER}003", name="Quản Trị Nơi Đến", roles=frozenset({Role.ADMINISTRATOR}), school=OTHER, level="TH")
CLERK = staff(40, "Nhân Viên Học Vụ", Role.CLERK)
TEACHER = staff(41, "Giáo Viên Lớp Khác", Role.HOMEROOM_TEACHER, homeroom_of=("1A",))
FORM = [("to_name", "Trường Tiểu học Nơi Đến"), ("decision", "12/QĐ-CT"), ("reason", "Theo gia đình chuyển chỗ ở")]
ARRIVALS = "/ui/records/transfers/arrivals"


@pytest.fixture(scope="module")
def pki(light_stack: Stack) -> Sandbox:
    """The sandbox's own authorities, so that the services trust what is signed here."""
    return Sandbox.open(light_stack.instance.sandbox)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@dataclass
class Over:
    """A school with the sealed transcripts of two years of one pupil, and another school without any."""

    world: World
    pki: Sandbox
    pupil: Document
    files: dict[str, tuple[bytes, bytes]]

    @property
    def code(self) -> str:
        return str(self.pupil["code"])

    @property
    def here(self) -> Browser:
        return self.world.browser()

    @property
    def there(self) -> Browser:
        return self.world.browser(THERE)

    @property
    def store(self) -> Store:
        return Store(self.world.db("records"))

    async def leave(self, **changes: str) -> Answer:
        return await self.here.send("/ui/records/transfers", [("pupil", self.code), *((k, changes.get(k, v)) for k, v in FORM)])

    async def packed(self) -> bytes:
        assert (await self.leave()).where.startswith("/ui/records/transfers?did=transfer")
        listed = (await self.here.get("/api/records/transfers")).response.json()["transfers"]
        return (await self.here.get(f"/api/records/transfers/{listed[0]['id']}/package.zip")).response.content

    async def arrive(self, package: bytes) -> Answer:
        return await self.there.send(ARRIVALS, [], files=[("file", ("goi.zip", package))])

    async def one(self, collection: str, **wanted: Any) -> Document:
        found: Document | None = await self.world.db("records")[collection].find_one(wanted)
        assert found is not None
        return found


@dataclass(frozen=True)
class Paper:
    content: TranscriptContent
    files: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def papers(pki: Sandbox) -> list[Paper]:
    """Two years of one pupil, the second naming the first by its digests."""
    made: list[Paper] = []
    for year in (BEFORE, YEAR):
        previous = None
        if made:
            pdf, xml = (sha256(each).hexdigest() for each in made[0].files)
            previous = PreviousTranscript(transcript=made[0].content.id, year=BEFORE, pdf_sha256=pdf, xml_sha256=xml)
        school = content_of().school.model_copy(update={"code": SCHOOL, "name": "Trường Tiểu học An Hồng", "year": year})
        content = content_of(id=str(uuid4()), school=school, previous=previous)
        made.append(Paper(content, sealed(pki, content)))
    return made


async def put_school(world: World, school: School, school_class: SchoolClass) -> None:
    """A school year with one class, as an import leaves it."""
    db = world.db("records")
    key = f"{school.code}:{YEAR}"
    held = {"school": school.code, "year": YEAR}
    await db["years"].insert_one({"_id": key, **held, "sequence": 1, "data": school.model_dump(mode="json"), "assignments": []})
    counts = {"pupils": 0, "refused": 0, "code": school_class.code, "sequence": 1}
    await db["classes"].insert_one({"_id": f"{key}:{CLASS}", **held, **counts, "data": school_class.model_dump(mode="json")})


async def put_transcript(world: World, paper: Paper) -> None:
    """A sealed transcript as records holds it."""
    content, objects = paper.content, world.parts["records"].objects
    pdf = await objects.put(f"sealed/{content.id}", ".pdf", paper.files[0], "application/pdf")
    xml = await objects.put(f"sealed/{content.id}", ".xml", paper.files[1], "application/xml")
    document = {
        "_id": content.id,
        "school": SCHOOL,
        "year": content.school.year,
        "level": "TH",
        "class_code": CLASS,
        "grade": 5,
        "pupil_code": content.pupil.code,
        "pupil_name": content.pupil.name,
        "number": 0,
        "version": 1,
        "replaces": None,
        "live": True,
        "state": "ACCEPTED",
        "content": content.model_dump(mode="json"),
        "pdf": document_ref(pdf),
        "xml": document_ref(xml),
        "signatures": [],
        "created_at": content.created_at,
        "sequence": 1,
    }
    await world.db("records")["transcripts"].insert_one(document)


@pytest.fixture
async def over(world: World, pki: Sandbox, papers: list[Paper]) -> Over:
    content, db = papers[-1].content, world.db("records")
    await put_school(world, content.school, content.school_class)
    there = content.school.model_copy(update={"code": OTHER, "name": "Trường Tiểu học Nơi Đến"})
    await put_school(world, there, content.school_class)
    pupil: Document = {
        "_id": f"{SCHOOL}:{YEAR}:{content.pupil.code}",
        "school": SCHOOL,
        "year": YEAR,
        "code": content.pupil.code,
        "class_code": CLASS,
        "number": 0,
        "name": content.pupil.name,
        "data": content.pupil.model_dump(mode="json"),
        "result": content.result.model_dump(mode="json"),
        "missing": [],
    }
    await db["pupils"].insert_one(pupil)
    for paper in papers:
        await put_transcript(world, paper)
    return Over(world, pki, pupil, {paper.content.id: paper.files for paper in papers})


async def lock(over: Over) -> None:
    """As the principal's final lock leaves it."""
    turned = {"locked": True, "at": clock.now(), "by": f"{SCHOOL}001", "reason": ""}
    document = {"_id": lock_id(SCHOOL, YEAR), "school": SCHOOL, "year": YEAR, "sequence": 1, "locked": True, "planned_on": None}
    await over.world.db("records")[LOCKS].insert_one({**document, "inspector": None, "history": [turned]})


# the learner record


async def test_the_record_of_a_pupil_shows_every_year_and_that_the_links_hold(over: Over) -> None:
    listed = sound(await over.here.get(f"/ui/records/learners?name={over.code}"))
    assert over.pupil["name"] in listed.text
    page = sound(await over.here.get(f"/ui/records/learners/{over.code}"))
    assert f"Năm học {YEAR}" in page.text
    assert f"Năm học {BEFORE}" in page.text
    assert f"Khớp với học bạ năm trước ({BEFORE})" in page.text
    told = (await over.here.get(f"/api/records/learners/{over.code}")).response.json()
    assert [(y["year"], y["versions"][0]["link"]) for y in told["years"]] == [(YEAR, "MATCH"), (BEFORE, "NONE")]
    assert over.pupil["data"]["personal_id"] not in str(page.response.url)


async def test_a_record_is_shown_to_whoever_may_see_the_class_and_nobody_else(over: Over) -> None:
    assert (await over.world.browser(TEACHER).get(f"/ui/records/learners/{over.code}")).status == 403
    assert over.pupil["name"] not in sound(await over.world.browser(TEACHER).get("/ui/records/learners")).text
    assert (await over.there.get(f"/api/records/learners/{over.code}")).status == 404
    assert (await over.world.browser(CLERK).get(f"/ui/records/learners/{over.code}")).status == 200


# leaving


async def test_a_form_with_something_missing_says_what_at_the_field(over: Over) -> None:
    assert (await over.here.get("/ui/records/transfers/new?pupil=999")).status == 404
    form = sound(await over.here.get(f"/ui/records/transfers/new?pupil={over.code}"))
    assert f"Năm học {BEFORE}" in form.text
    wrong = sound(await over.leave(reason="", to_name=""), 422)
    assert "Ghi tên trường nhận." in wrong.text
    assert await over.world.db("records")["transfers_out"].count_documents({}) == 0


async def test_a_pupil_who_leaves_takes_all_sealed_documents_along_and_stands_in_the_register(over: Over) -> None:
    package = await over.packed()
    found = checker.check(io.BytesIO(package))
    names = {e.name for e in found.entries}
    assert {f"hoc-ba/{i}.{kind}" for i in over.files for kind in ("pdf", "xml")} <= names
    assert {"DOC-TRUOC.txt", "kiem_tra.py", "ho-so.json"} <= names
    page = sound(await over.here.get("/ui/records/transfers"))
    assert f"1/{YEAR}" in page.text
    assert "Đã lập gói" in page.text
    assert (await over.one("pupils", _id=over.pupil["_id"]))["data"]["status"] == "Chuyển đi"
    again = sound(await over.leave(), 409)
    assert "đã có gói chuyển trường" in again.text
    assert "Chuyển đi, số 1" in sound(await over.here.get(f"/ui/records/learners/{over.code}")).text


async def test_only_an_administrator_transfers_and_only_after_confirming_who_it_is(over: Over) -> None:
    assert (await over.world.browser(CLERK).get("/ui/records/transfers")).status == 403
    stale = over.here
    stale.confirmed_ago = 3600
    assert (await stale.send("/ui/records/transfers", [("pupil", over.code), *FORM])).status == 403
    assert await over.world.db("records")["transfers_out"].count_documents({}) == 0


async def test_a_cancelled_transfer_gives_the_pupil_back_and_its_package_is_worth_nothing(over: Over) -> None:
    package = await over.packed()
    transfer = await over.one("transfers_out")
    address = f"/ui/records/transfers/{transfer['_id']}/undo"
    asked = sound(await over.here.send(address, []))
    assert "Bạn có chắc chắn" in asked.text
    assert (await over.here.send(address, fields(asked))).status == 303
    assert (await over.one("pupils", _id=over.pupil["_id"]))["data"]["status"] == "Đang học"
    assert "đã hủy việc chuyển trường" in sound(await over.arrive(package), 409).text
    assert (await over.here.send(f"/api/records/transfers/{transfer['_id']}/undo", [])).status == 409


async def test_a_pupil_without_any_sealed_document_cannot_leave_yet(over: Over) -> None:
    await over.world.db("records")["transcripts"].update_many({}, {"$set": {"state": "AWAITING_ISSUE"}})
    assert "chưa có học bạ nào đã hoàn thành ký" in sound(await over.leave(), 409).text


# arriving


async def test_a_package_with_one_byte_changed_is_refused_by_the_name_of_the_file(over: Over) -> None:
    package = await over.packed()
    entry = next(e for e in checker.check(io.BytesIO(package)).entries if e.name.endswith(".pdf"))
    answer = sound(await over.arrive(changed(package, entry.content_at + 500)), 422)
    assert entry.name in answer.text
    assert await over.world.db("records")["arrivals"].count_documents({}) == 0
    assert (await over.one("audit", act="transfer package refused"))["details"]["file"] == entry.name


async def test_a_package_is_shown_before_it_is_taken_and_taken_once(over: Over) -> None:
    package = await over.packed()
    where = (await over.arrive(package)).where
    page = sound(await over.there.get(where))
    assert "mọi chữ ký hợp lệ" in page.text
    assert over.pupil["data"]["personal_id"] in page.text
    assert await over.world.db("records")["pupils"].count_documents({"school": OTHER}) == 0
    taken = await over.there.send(f"{where}/take", [("class_code", CLASS)])
    assert taken.where.startswith(f"/ui/records/learners/{over.code}?")
    assert "Thành công" in sound(await over.there.get(taken.where)).text
    assert (await over.there.send(f"{where}/take", [("class_code", CLASS)])).status == 409
    assert (await over.arrive(package)).where == where
    assert await over.world.db("records")["received"].count_documents({"school": OTHER}) == 2
    pupil = await over.one("pupils", school=OTHER, code=over.code)
    assert (pupil["class_code"], pupil["data"]["personal_id"]) == (CLASS, over.pupil["data"]["personal_id"])
    assert (await over.one("transfers_out"))["state"] == "TAKEN"
    assert (await over.here.send(f"/api/records/transfers/{(await over.one('transfers_out'))['_id']}/undo", [])).status == 409


async def test_the_next_school_reads_what_was_handed_over_and_nothing_else(over: Over) -> None:
    where = (await over.arrive(await over.packed())).where
    await over.there.send(f"{where}/take", [("class_code", CLASS)])
    told = (await over.there.get(f"/api/records/learners/{over.code}")).response.json()
    assert [(y["year"], y["origin"]) for y in told["years"] if y["versions"]] == [(YEAR, "received"), (BEFORE, "received")]
    assert told["years"][-1]["versions"][0]["id"] in over.files
    received = {d["document"]["id"]: d["_id"] async for d in over.world.db("records")["received"].find({"school": OTHER})}
    for transcript_id, (pdf, xml) in over.files.items():
        address = f"/api/records/received/{received[transcript_id]}/document"
        assert (await over.there.get(f"{address}.pdf")).response.content == pdf
        assert (await over.there.get(f"{address}.xml")).response.content == xml
        assert (await over.there.get(f"/api/records/transcripts/{transcript_id}/document.pdf")).status == 404
        assert (await over.here.get(f"{address}.pdf")).status == 404


async def test_a_record_can_be_kept_without_putting_the_pupil_into_a_class(over: Over) -> None:
    where = (await over.arrive(await over.packed())).where
    taken = await over.there.send(f"{where}/take", [("class_code", "")])
    assert "Lưu hồ sơ" in sound(await over.there.get(taken.where)).text
    assert await over.world.db("records")["pupils"].count_documents({"school": OTHER}) == 0


async def test_a_class_that_is_not_there_takes_nobody(over: Over) -> None:
    where = (await over.arrive(await over.packed())).where
    answer = sound(await over.there.send(f"{where}/take", [("class_code", "9Z")]), 422)
    assert "Lớp không có trong năm học" in answer.text or "Lớp được chọn không có" in answer.text
    assert (await over.one("arrivals"))["state"] == "CHECKED"


async def test_signatures_that_could_not_be_checked_need_an_explicit_word(over: Over) -> None:
    where = (await over.arrive(await over.packed())).where
    await over.world.db("records")["arrivals"].update_one({}, {"$set": {"verdict": "UNCHECKED"}})
    assert "chưa kiểm tra được" in sound(await over.there.send(f"{where}/take", [("class_code", "")]), 422).text
    assert (await over.there.send(f"{where}/take", [("class_code", ""), ("accept_unchecked", "1")])).status == 303


# the archive


def exporting(over: Over) -> Exporting:
    parts = over.world.parts["records"]
    return Exporting(parts, over.store, Seal(parts.settings), part_bytes=200_000)


async def ordered(over: Over) -> str:
    await lock(over)
    answer = await over.world.browser(CLERK).send("/ui/records/archives", [("year", YEAR)])
    assert "did=archive" in answer.where
    return str((await over.one(archives.EXPORTS))["_id"])


async def test_a_year_is_packed_only_after_its_final_lock_and_once_at_a_time(over: Over) -> None:
    clerk = over.world.browser(CLERK)
    assert "Chưa có năm học nào khóa học bạ" in sound(await clerk.get("/ui/records/archives")).text
    told = sound(await clerk.get((await clerk.send("/ui/records/archives", [("year", YEAR)])).where)).text
    assert "Năm học chưa khóa học bạ" in told
    await ordered(over)
    again = (await clerk.send("/ui/records/archives", [("year", YEAR)])).where
    assert "HB-REC-161" in again
    assert (await over.world.browser(TEACHER).get("/ui/records/archives")).status == 403


async def test_an_archive_package_holds_the_year_and_survives_a_worker_that_dies(over: Over) -> None:
    export_id = await ordered(over)
    dying = exporting(over)
    export = await over.one(archives.EXPORTS)
    await over.world.db("records")[archives.EXPORTS].update_one({"_id": export_id}, {"$set": {"lease": {"owner": dying.owner}}})
    assert await dying._plan(export)
    assert await dying.step(export_id)
    running = sound(await over.world.browser(CLERK).get(f"/ui/records/archives?export={export_id}")).text
    assert "Đang thực hiện" in running
    await over.world.db("records")[archives.EXPORTS].update_one({"_id": export_id}, {"$unset": {"lease": ""}})
    assert await exporting(over).round() == 1
    page = sound(await over.world.browser(CLERK).get("/ui/records/archives"))
    assert row_of(page, f"{YEAR}, lần 1")[1] == "Hoàn thành"
    package = (await over.world.browser(CLERK).get(f"/api/records/archives/{export_id}/package.zip")).response.content
    found = checker.check(io.BytesIO(package))
    names = [e.name for e in found.entries]
    (this_year,) = [i for i in over.files if f"hoc-ba/{CLASS}/{i}.pdf" in names]
    xml = next(e for e in found.entries if e.name == f"hoc-ba/{CLASS}/{this_year}.xml")
    assert package[xml.content_at : xml.content_at + xml.size] == over.files[this_year][1]
    assert {"DOC-TRUOC.html", "hoc-ba-1.0.xsd", "danh-muc.jsonl", f"danh-sach/{CLASS}.xlsx"} <= set(names)
    index = next(e for e in found.entries if e.name == "danh-muc.jsonl")
    lines = [json.loads(line) for line in package[index.content_at : index.content_at + index.size].splitlines()]
    assert [line["id"] for line in lines] == [this_year]
    assert found.certificate == Seal(over.world.settings["records"]).certificate
    with pytest.raises(Bad) as bad:
        checker.check(io.BytesIO(changed(package, xml.content_at + 100)))
    assert bad.value.name == xml.name


async def test_an_evidence_record_is_shown_served_and_packed_beside_the_documents_that_it_covers(over: Over) -> None:
    (this_year,) = [i for i in over.files if (await over.one("transcripts", _id=i))["year"] == YEAR]
    pdf, xml = over.files[this_year]
    made = Maker(over.pki, (pdf, xml)).first()
    ref = await over.world.parts["records"].objects.put(f"transcripts/{this_year}", ".ers", made, "application/octet-stream")
    fact = EvidenceRecordedV1(
        transcript=this_year,
        file=ref,
        pdf_sha256=sha256(pdf).hexdigest(),
        xml_sha256=sha256(xml).hexdigest(),
        proven_since=clock.now(),
        timestamps=1,
        renew_before=clock.now() + dt.timedelta(days=3000),
    )
    page, file = f"/ui/records/transcripts/{this_year}", f"/api/records/transcripts/{this_year}/evidence.ers"
    assert "Chứng cứ tồn tại" not in sound(await over.here.get(page)).text
    assert (await over.here.get(file)).status == 404
    db = over.world.db("records")
    await transaction(db, lambda session: save_evidence(db, session, [event_of(fact, f"{this_year}:evidence")]))
    shown = sound(await over.here.get(page))
    assert "Chứng cứ tồn tại (RFC 4998) từ" in shown.text
    assert file in shown.page.values("href")
    served = (await over.here.get(file)).response
    assert (served.content, served.headers["content-disposition"]) == (made, f'attachment; filename="{this_year}.ers"')
    assert (await over.there.get(file)).status in (403, 404)
    export_id = await ordered(over)
    await exporting(over).round()
    package = (await over.world.browser(CLERK).get(f"/api/records/archives/{export_id}/package.zip")).response.content
    entries = {e.name: e for e in checker.check(io.BytesIO(package)).entries}
    packed = entries[f"hoc-ba/{CLASS}/{this_year}.ers"]
    assert package[packed.content_at : packed.content_at + packed.size] == made
    # a new version of the document is another one, which this record says nothing of
    await db["transcripts"].update_one({"_id": this_year}, {"$set": {"pdf.sha256": "0" * 64}})
    assert "Chứng cứ tồn tại" not in sound(await over.here.get(page)).text
    assert (await over.here.get(file)).status == 404


async def test_a_download_that_broke_goes_on_where_it_stopped(over: Over) -> None:
    export_id = await ordered(over)
    clerk, address = over.world.browser(CLERK), f"/api/records/archives/{export_id}/package.zip"
    assert (await clerk.get(address)).status == 409
    await exporting(over).round()
    whole = (await clerk.get(address)).response
    size, half = len(whole.content), len(whole.content) // 2

    async def part(asked: str, **headers: str) -> httpx.Response:
        return (await clerk.get(address, Range=asked, **headers)).response

    first, rest = await part(f"bytes=0-{half - 1}"), await part(f"bytes={half}-", **{"If-Range": whole.headers["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["Content-Range"] == f"bytes {half}-{size - 1}/{size}"
    assert first.content + rest.content == whole.content
    assert (await part("bytes=5-", **{"If-Range": '"other"'})).status_code == 200
    assert (await part(f"bytes={size}-")).status_code == 416
    assert await over.world.db("records")["audit"].count_documents({"act": "archive downloaded"}) == 3


async def test_a_damaged_document_stops_the_export_and_is_named(over: Over) -> None:
    export_id = await ordered(over)
    missing = {"bucket": "records", "key": "sealed/none.pdf", "sha256": "0" * 64, "size": 10}
    await over.world.db("records")["transcripts"].update_many({"year": YEAR}, {"$set": {"pdf": missing}})
    assert await exporting(over).round() == 1
    found = await over.one(archives.EXPORTS)
    assert (found["state"], found["problem"]["code"]) == ("FAILED", "HB-REC-163")
    page = sound(await over.world.browser(CLERK).get("/ui/records/archives"))
    assert "sealed/none.pdf" in page.text
    assert (await over.world.browser(CLERK).get(f"/api/records/archives/{export_id}/package.zip")).status == 409
    assert await exporting(over).round() == 0
