"""The auditor on real stores: what is damaged in the object store is found, named, told of and never served as good."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import openpyxl
import pytest
from lxml import etree

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from infra.local import Stack
from services.chassis import clock
from services.chassis.work import Pool
from services.signing.auditing.auditor import Auditor
from services.signing.store import Store
from tests.integration.pages_world import World, staff, world_of
from tests.interop import tampering
from tests.unit.signing.audited import Kept, keep
from tests.unit.signing.sealed import Sandbox

R = TypeVar("R")
MANAGER = staff(2, "Phó hiệu trưởng", Role.MANAGER)
ISSUER = staff(9, "Người ký phát hành", Role.ISSUER)
STRANGER = staff(77, "Giáo viên lớp khác", Role.SUBJECT_TEACHER)


class Here(Pool):
    """The work of the pool done in this process: starting one for every test takes longer than the tests."""

    async def run(self, work: Callable[..., R], *args: object) -> R:
        return work(*args)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(Sandbox.open(tmp_path_factory.mktemp("sandbox")))


@dataclass
class Desk:
    """One sealed transcript in the stores, and the auditor."""

    world: World
    kept: Kept
    auditor: Auditor
    refs: dict[str, DocumentRef]

    @property
    def document(self) -> str:
        return str(self.kept.task["_id"])

    def overwrite(self, file: str, octets: bytes) -> None:
        objects = self.world.parts["signing"].objects
        objects._put(self.refs[file].model_copy(update={"size": len(octets)}), octets, "application/octet-stream")

    async def audited(self) -> dict[str, Any]:
        await self.auditor.round()
        found = await self.world.db("signing")["audits"].find_one({"_id": self.document})
        assert found is not None
        return found

    async def again(self) -> dict[str, Any]:
        """As if its next turn had come."""
        await self.world.db("signing")["audits"].update_one({"_id": self.document}, {"$set": {"due": clock.now()}})
        return await self.audited()

    async def acts(self) -> list[str]:
        return [a["act"] async for a in self.world.db("signing")["audit"].find({"subject": self.document}).sort("at", 1)]

    async def report(self, who: Principal = MANAGER) -> dict[str, Any]:
        answer = await self.world.browser(who).get(f"/api/signing/reports/{self.document}")
        assert answer.status == 200, answer.response.text
        found: dict[str, Any] = answer.response.json()
        return found


@pytest.fixture
async def desk(light_stack: Stack, kept: Kept) -> AsyncIterator[Desk]:
    async with world_of(light_stack) as world:
        parts = world.parts["signing"]
        roots = kept.sandbox.roots
        parts = replace(parts, pool=Here(1), settings=parts.settings.model_copy(update={"audits_per_minute": 100_000.0}))
        files = {"content": kept.content, "xml": kept.xml, "pdf": kept.pdf}
        refs = {name: await parts.objects.put("audited", f".{name}", octets, "application/octet-stream") for name, octets in files.items()}
        task = {**kept.task, **{name: ref.model_dump(mode="json") for name, ref in refs.items()}, "sequence": 1}
        db = world.db("signing")
        await db["tasks"].insert_one({**task, "waiting": []})
        await db["approvals"].insert_many([{**a, "_id": str(number)} for number, a in enumerate(kept.approvals)])
        state = world.apps["signing"].state
        state.providers.roots, state.parts = roots, parts
        yield Desk(world, kept, Auditor(parts, Store(db), roots), refs)


async def test_a_whole_document_passes_and_is_examined_again_only_when_its_turn_comes(desk: Desk) -> None:
    found = await desk.audited()
    assert (found["result"], found["findings"]) == ("whole", [])
    assert found["due"] > clock.now()
    assert await desk.auditor.round() == 0
    assert await desk.acts() == []


async def test_only_one_auditor_works_at_a_time(desk: Desk) -> None:
    await desk.audited()
    other = Auditor(desk.auditor.parts, Store(desk.world.db("signing")), desk.kept.sandbox.roots)
    await desk.world.db("signing")["audits"].update_one({"_id": desk.document}, {"$set": {"due": clock.now()}})
    assert await other.round() == 0
    assert await desk.auditor.round() == 1


def flipped(octets: bytes) -> bytes:
    changed = bytearray(octets)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


DAMAGES: dict[str, tuple[str, Callable[[Kept], bytes], set[tuple[str, str, str]]]] = {
    "a flipped bit of the PDF": ("pdf", lambda k: flipped(k.pdf), {("pdf", "", "digest")}),
    "a flipped bit of the XML": ("xml", lambda k: flipped(k.xml), {("xml", "", "digest")}),
    "an update appended to the PDF": (
        "pdf",
        lambda k: tampering.added_annotation(k.pdf, k.pdf),
        {("pdf", "", "digest"), ("pdf", "KY_PHAT_HANH", "added")},
    ),
    "a signature taken out of the XML": (
        "xml",
        lambda k: tampering.without_first_signature(k.xml, k.xml),
        {("xml", "", "digest"), ("xml", "GVBM-31310098010", "signature_missing")},
    ),
    "another file in the place of the PDF": ("pdf", lambda k: k.xml, {("pdf", "", "digest"), ("pdf", "", "unreadable")}),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_damaged_in_the_object_store_is_found_and_named_by_auditor_and_report(desk: Desk, damage: str) -> None:
    file, change, named = DAMAGES[damage]
    assert (await desk.audited())["result"] == "whole"
    desk.overwrite(file, change(desk.kept))
    found = await desk.again()
    assert found["result"] == "different"
    assert named <= {(f["file"], f["place"], f["code"]) for f in found["findings"]}
    report = await desk.report()
    assert (report["indication"], report["intact"]) == ("TOTAL_FAILED", False)
    assert named <= {(f["file"], f["place"], f["code"]) for f in report["findings"]}
    page = await desk.world.browser(MANAGER).get(f"/ui/signing/reports/{desk.document}")
    assert page.page.faults == []
    assert "HB-SIG-090: Tệp lưu trữ sai khác." in page.text
    assert "chung-thu" not in page.response.text if file == "xml" else True


async def test_a_transcript_exchanged_for_another_one_is_called_so(desk: Desk, kept: Kept) -> None:
    other = kept.xml.replace(desk.document.encode(), b"x" * len(desk.document))
    desk.overwrite("xml", other)
    codes = {f["code"] for f in (await desk.audited())["findings"]}
    assert {"digest", "other_document"} <= codes


async def test_a_lost_file_is_missing(desk: Desk) -> None:
    task = {"$set": {"pdf.key": "audited/nothing.pdf"}}
    await desk.world.db("signing")["tasks"].update_one({"_id": desk.document}, task)
    assert [f["code"] for f in (await desk.audited())["findings"]] == ["missing"]
    report = await desk.report()
    assert (report["indication"], [f["code"] for f in report["findings"]]) == ("TOTAL_FAILED", ["missing"])


async def test_a_difference_is_recorded_once_until_the_file_is_put_back(desk: Desk) -> None:
    desk.overwrite("pdf", flipped(desk.kept.pdf))
    await desk.audited()
    await desk.again()
    assert await desk.acts() == ["stored file differs"]
    desk.overwrite("pdf", desk.kept.pdf)
    assert (await desk.again())["result"] == "whole"
    assert await desk.acts() == ["stored file differs", "stored file whole again"]


async def test_the_leader_and_the_issuer_are_told_on_their_lists_and_nobody_else(desk: Desk) -> None:
    desk.overwrite("pdf", flipped(desk.kept.pdf))
    await desk.audited()
    issuer = await desk.world.browser(ISSUER).get("/ui/signing/issue")
    leader = await desk.world.browser(MANAGER).get("/ui/signing/leader")
    for answer in (issuer, leader):
        assert "1 tài liệu có tệp lưu trữ sai khác với tệp đã ký (HB-SIG-090)" in answer.text
    listed = await desk.world.browser(ISSUER).get("/ui/signing/reports/differing")
    assert listed.page.faults == []
    assert "nội dung không đúng với mã SHA-256 đã ghi nhận khi ký" in listed.text
    teacher = await desk.world.browser(STRANGER).get("/ui/signing/reports/differing")
    assert teacher.status == 403


async def test_certificates_of_a_damaged_file_are_not_handed_out(desk: Desk) -> None:
    desk.overwrite("xml", flipped(desk.kept.xml))
    answer = await desk.world.browser(MANAGER).get(f"/api/signing/reports/{desk.document}/certificates.zip")
    assert (answer.status, answer.response.json()["code"]) == (409, "HB-SIG-090")


async def test_the_report_of_a_whole_document_says_who_signed_with_what_and_that_all_is_well(desk: Desk) -> None:
    await desk.audited()
    report = await desk.report()
    assert (report["indication"], report["intact"], report["findings"]) == ("TOTAL_PASSED", True, [])
    assert [(s["file"], s["place"]) for s in report["signatures"]] == [
        *(("xml", s["id"]) for s in desk.kept.task["signatures"]),
        *(("pdf", place) for place in ("GVCN", "CBQL", "KY_PHAT_HANH")),
    ]
    assert {check["state"] for s in report["signatures"] for check in s["checks"]} == {"passed"}
    page = await desk.world.browser(MANAGER).get(f"/ui/signing/reports/{desk.document}")
    assert page.page.faults == []
    assert "Mọi chữ ký đều toàn vẹn, đúng người ký, được tin cậy và có dấu thời gian." in page.text
    etsi = await desk.world.browser(MANAGER).get(f"/api/signing/reports/{desk.document}/etsi.xml")
    root = etree.fromstring(etsi.response.content)
    assert {node.text for node in root.iter("{*}MainIndication")} == {"urn:etsi:019102:mainindication:total-passed"}


async def test_who_may_not_see_the_class_sees_neither_report_nor_certificates(desk: Desk) -> None:
    teacher = desk.kept.task["signatures"][0]["person"]
    own = STRANGER.model_copy(update={"person": teacher})
    assert (await desk.world.browser(own).get(f"/ui/signing/reports/{desk.document}")).status == 200
    for address in (f"/ui/signing/reports/{desk.document}", f"/api/signing/reports/{desk.document}/certificates.zip"):
        assert (await desk.world.browser(STRANGER).get(address)).status == 403
        elsewhere = MANAGER.model_copy(update={"school": "31300002"})
        assert (await desk.world.browser(elsewhere).get(address)).status == 404


@pytest.mark.parametrize("form", ["pem", "cer"])
async def test_the_certificates_of_a_class_come_with_a_list(desk: Desk, form: str) -> None:
    task = desk.kept.task
    address = f"/api/signing/certificates.zip?class={task['class_code']}&year={task['year']}&form={form}"
    answer = await desk.world.browser(MANAGER).get(address)
    assert answer.status == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.response.content))
    files = [Path(name) for name in archive.namelist()]
    assert len([f for f in files if f.suffix == f".{form}"]) == len(task["signatures"])
    sheet = openpyxl.load_workbook(io.BytesIO(archive.read("danh-sach.xlsx"))).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True, min_row=2))
    assert [row[8] for row in rows] == [s["certificate_serial"] for s in task["signatures"]]
    assert all(str(row[0]) in archive.namelist() for row in rows)
    assert archive.read("danh-sach.csv").startswith("\ufeffTệp chứng thư số".encode())
    empty = await desk.world.browser(MANAGER).get(f"/api/signing/certificates.zip?class=9Z&year={task['year']}")
    assert (empty.status, empty.response.json()["code"]) == (404, "HB-SIG-092")
