"""Looking at transcripts on real stores: dossier, export, printing, review, progress of signing, look-up; who sees what."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import openpyxl
import pytest
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader

from contracts.access import Principal, Role
from contracts.event import Fact
from infra.local import Stack
from services.chassis.mongo import Document, transaction
from services.records.handlers import consumers
from services.records.review.certificate_store import save_told
from services.records.store import Store
from services.records.transcripts.states import State
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, YEAR, Answer, World, event_of, signature, staff, world_of
from tests.integration.test_pages import row_of, sound, ticks
from tests.unit.records.test_review_certificates import approved, ended
from tests.unit.signing import chain

CLASS, OTHER = "5A", "5B"
PEOPLE = {"subjects": chain.MATHS, "homeroom": "GVCN", "leader": "CBQL", "issue": "KY_PHAT_HANH"}


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


KEPT: dict[str, list[Document]] = {}
"""What the import and the creation wrote: the same for every test, so it is made once."""


async def imported(world: World) -> None:
    """320 pupils of ten classes, and the transcripts of two of them."""
    db = world.db("records")
    if not KEPT:
        await world.imported()
        await world.browser().send("/ui/records/classes", [("ids", CLASS), ("ids", OTHER), ("sure", "1")])
        await world.create_all()
        for name in ("years", "classes", "pupils", "staff", "transcripts"):
            KEPT[name] = await db[name].find({}).to_list(None)
        await db["audit"].delete_many({})
        return
    for name, documents in KEPT.items():
        await db[name].insert_many(documents)


async def created(world: World, code: str = CLASS) -> list[Document]:
    """The transcripts of a class, in the order of its list."""
    await imported(world)
    return await world.db("records")["transcripts"].find({"class_code": code}).sort("number", 1).to_list(None)


async def signed(world: World, transcript: Document) -> None:
    """Sealed, with documents that five people signed."""
    objects = world.parts["records"].objects
    xml = await objects.put(f"transcripts/{transcript['_id']}", ".xml", chain.signed_xml(), "application/xml")
    pdf = await objects.put(f"transcripts/{transcript['_id']}", ".pdf", chain.signed_pdf(), "application/pdf")
    signatures = []
    for role, place in PEOPLE.items():
        party = chain.people()[place]
        serial = f"{certificate_number(party.der):X}"
        made = signature(role, staff(6, "Người ký", Role.SUBJECT_TEACHER)).model_copy(update={"certificate_serial": serial})
        signatures.append(made.model_dump(mode="json"))
    state = {"state": State.SIGNED.value, "signatures": signatures}
    files = {"xml": xml.model_dump(mode="json"), "pdf": pdf.model_dump(mode="json")}
    await world.db("records")["transcripts"].update_one({"_id": transcript["_id"]}, {"$set": {**state, **files}})


def certificate_number(der: bytes) -> int:
    return load_der_x509_certificate(der).serial_number


async def homeroom(world: World, code: str = CLASS) -> Principal:
    db = world.db("records")
    school_class = await db["classes"].find_one({"code": code})
    assert school_class is not None
    person = school_class["data"]["homeroom"]
    return staff(int(person[-3:]), "Giáo viên chủ nhiệm", Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=(code,))


def opened(answer: Answer) -> zipfile.ZipFile:
    assert answer.status == 200, answer.response.text[:2000]
    assert answer.response.headers["content-type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.response.content))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return told


async def api(world: World, method: str, path: str, who: Principal = ADMINISTRATOR, **more: Any) -> Answer:
    token = {"Authorization": f"Bearer {world.tokens.make(who)}"}
    return Answer(await world.clients["records"].request(method, path, headers=token, **more))


# --- export


async def test_a_package_has_the_files_the_stylesheet_and_every_certificate_once_with_their_digests(world: World) -> None:
    transcripts = await created(world)
    for transcript in transcripts[:2]:
        await signed(world, transcript)
    ids = [t["_id"] for t in transcripts[:3]]
    archive = opened(await api(world, "POST", "/api/records/exports", json={"transcripts": ids}))
    assert archive.testzip() is None
    told = manifest_of(archive)
    names = set(archive.namelist())
    assert names == {*told["files"], "manifest.json"}
    assert all(hashlib.sha256(archive.read(name)).hexdigest() == digest for name, digest in told["files"].items())
    assert all(name.isascii() and " " not in name and ".." not in name for name in names)
    by_id = {t["id"]: t for t in told["transcripts"]}
    assert set(by_id) == set(ids)
    assert archive.read(by_id[ids[0]]["pdf"]) == chain.signed_pdf()
    assert archive.read(by_id[ids[0]]["xml"]) == chain.signed_xml()
    certificates = by_id[ids[0]]["certificates"]
    assert [archive.read(name) for name in certificates] == [party.der for party in chain.people().values()]
    assert by_id[ids[1]]["certificates"] == certificates
    assert sum(name.endswith(".cer") for name in names) == 5
    assert by_id[ids[2]]["pdf"] is None
    assert by_id[ids[2]]["certificates"] == []
    assert any(name.endswith(".xslt") for name in names)


async def test_an_export_is_on_record_and_stands_in_the_history_of_each_transcript(world: World) -> None:
    transcripts = await created(world)
    opened(await api(world, "POST", "/api/records/exports", json={"classes": [CLASS]}))
    acts = await world.db("records")["audit"].find({"act": "transcripts exported"}).to_list(None)
    assert [(a["actor"], a["place"], a["details"]) for a in acts] == [
        (ADMINISTRATOR.person, SCHOOL, {"transcripts": len(transcripts), "classes": 1})
    ]
    told = (await api(world, "GET", f"/api/records/transcripts/{transcripts[3]['_id']}/dossier")).response.json()
    assert [(a["act"], a["text"]) for a in told["history"]] == [("transcripts exported", "Xuất dữ liệu học bạ")]


async def test_what_was_returned_or_cancelled_is_left_out_and_alone_it_is_refused(world: World) -> None:
    transcripts = await created(world)
    returned, cancelled = transcripts[0]["_id"], transcripts[1]["_id"]
    db = world.db("records")["transcripts"]
    await db.update_one({"_id": returned}, {"$set": {"state": State.RETURNED.value}})
    await db.update_one({"_id": cancelled}, {"$set": {"state": State.CANCELLED.value, "live": False}})
    ids = [t["_id"] for t in transcripts[:3]]
    told = manifest_of(opened(await api(world, "POST", "/api/records/exports", json={"transcripts": ids})))
    assert {t["id"] for t in told["left_out"]} == {returned, cancelled}
    assert [t["id"] for t in told["transcripts"]] == [ids[2]]
    alone = await api(world, "GET", f"/api/records/transcripts/{returned}/export.zip")
    assert (alone.status, alone.response.json()["code"]) == (409, "HB-REC-060")


async def test_a_file_that_is_gone_is_named_in_the_manifest_and_the_rest_is_there(world: World) -> None:
    transcripts = await created(world)
    broken = {**transcripts[0]["xml"], "key": "transcripts/gone.xml"}
    await world.db("records")["transcripts"].update_one({"_id": transcripts[0]["_id"]}, {"$set": {"xml": broken}})
    told = manifest_of(opened(await api(world, "POST", "/api/records/exports", json={"classes": [CLASS]})))
    assert told["problems"] == [{"id": transcripts[0]["_id"], "file": "xml", "problem": "MissingObject"}]
    assert sum(t["xml"] is not None for t in told["transcripts"]) == len(transcripts) - 1
    dossier = (await api(world, "GET", f"/api/records/transcripts/{transcripts[0]['_id']}/dossier")).response.json()
    assert dossier["objections"][0]["text"] == "Không đọc được tệp XML đã lưu"
    assert dossier["pupil"]["code"] == transcripts[0]["pupil_code"]


async def test_only_who_may_export_a_class_exports_it(world: World) -> None:
    own = (await created(world))[0]["_id"]
    other = next(t["_id"] for t in KEPT["transcripts"] if t["class_code"] == OTHER)
    teacher = await homeroom(world)
    assert (await api(world, "POST", "/api/records/exports", teacher, json={"classes": [CLASS]})).status == 200
    assert (await api(world, "POST", "/api/records/exports", teacher, json={"classes": [OTHER]})).status == 403
    assert (await api(world, "POST", "/api/records/exports", teacher, json={"transcripts": [own, other]})).status == 403
    told = manifest_of(opened(await api(world, "POST", "/api/records/exports", teacher, json={"all": True})))
    assert {t["class_code"] for t in told["transcripts"]} == {CLASS}
    subject_teacher = teacher.model_copy(update={"roles": frozenset({Role.SUBJECT_TEACHER}), "homeroom_of": ()})
    assert (await api(world, "GET", f"/api/records/transcripts/{own}/export.zip", subject_teacher)).status == 403
    assert (await api(world, "GET", f"/api/records/transcripts/{own}/dossier", subject_teacher)).status == 200
    assert (await api(world, "POST", "/api/records/exports", json={"transcripts": ["elsewhere"]})).status == 404
    assert (await api(world, "POST", "/api/records/exports", json={})).status == 422


async def test_the_class_page_exports_the_ticked_pupils_or_all_that_the_filter_finds(world: World) -> None:
    transcripts = await created(world)
    page = sound(await world.browser().get(f"/ui/records/classes/{CLASS}"))
    assert f"/ui/records/classes/{CLASS}/export" in page.page.values("formaction")
    ticked = [("ids", transcripts[0]["pupil_code"]), ("ids", transcripts[1]["pupil_code"])]
    told = manifest_of(opened(await world.browser().send(f"/ui/records/classes/{CLASS}/export", ticked)))
    assert [t["id"] for t in told["transcripts"]] == [t["_id"] for t in transcripts[:2]]
    named = transcripts[4]["pupil_name"]
    filtered = [("all", "1"), ("filter", f"?name={named}")]
    told = manifest_of(opened(await world.browser().send(f"/ui/records/classes/{CLASS}/export", filtered)))
    assert [t["pupil_code"] for t in told["transcripts"]] == [t["pupil_code"] for t in transcripts if t["pupil_name"] == named]
    assert (await world.browser().send(f"/ui/records/classes/{CLASS}/export", [])).status == 422


# --- printing


async def test_a_class_is_printed_in_the_order_of_its_list_and_says_who_is_missing(world: World) -> None:
    transcripts = await created(world)
    assert (await api(world, "GET", f"/api/records/classes/{CLASS}/print.pdf")).response.json()["code"] == "HB-REC-061"
    shown = sound(await world.browser().get(f"/ui/records/classes/{CLASS}/print.pdf"), 409)
    assert "Chưa có học bạ để in" in shown.text
    for transcript in transcripts[:2]:
        await signed(world, transcript)
    answer = await api(world, "GET", f"/api/records/classes/{CLASS}/print.pdf")
    assert answer.status == 200, answer.response.text
    reader: Any = PdfFileReader(io.BytesIO(answer.response.content))
    assert reader.embedded_signatures == []
    assert int(reader.root["/Pages"]["/Count"]) >= 3
    [act] = await world.db("records")["audit"].find({"act": "class printed"}).to_list(None)
    assert act["details"] == {"transcripts": 2, "classes": 1}
    teacher = await homeroom(world, OTHER)
    assert (await api(world, "GET", f"/api/records/classes/{CLASS}/print.pdf", teacher)).status == 403


# --- dossier and "Xem học bạ"


async def test_the_dossier_tells_certificates_steps_and_versions(world: World) -> None:
    transcript = (await created(world))[0]
    await signed(world, transcript)
    later = {**transcript, "_id": "0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e61", "version": 2, "replaces": transcript["_id"]}
    db = world.db("records")["transcripts"]
    said = {
        "by": ADMINISTRATOR.person,
        "name": ADMINISTRATOR.name,
        "reason": "Sai điểm Toán.",
        "at": dt.datetime(2026, 5, 30, tzinfo=dt.UTC),
    }
    cancelled = {"state": State.CANCELLED.value, "live": False, "cancelled": {**said, "from": State.SIGNED.value}}
    await db.update_one({"_id": transcript["_id"]}, {"$set": cancelled})
    await db.insert_one(later)
    told = (await api(world, "GET", f"/api/records/transcripts/{transcript['_id']}/dossier")).response.json()
    issuers = {s["certificate"]["issuer"] for s in told["signers"] if s["signed_at"]}
    assert issuers
    assert all("valid_to" in s["certificate"] for s in told["signers"] if s["signed_at"])
    assert [(v["version"], v["replaced_by"]) for v in told["versions"]] == [(1, later["_id"]), (2, None)]
    assert [o["reason"] for o in told["objections"]] == ["Sai điểm Toán."]
    assert {d["kind"]: d["sha256"] for d in told["documents"]}["xml"] == hashlib.sha256(chain.signed_xml()).hexdigest()
    page = sound(await world.browser().get(f"/ui/records/transcripts/{transcript['_id']}/dossier"))
    for words in ("Chứng thư số của người ký", "Các phiên bản", "Sai điểm Toán.", "Nhật ký của học bạ", "Phẩm chất chủ yếu"):
        assert words in page.text
    assert "Xuất dữ liệu" not in page.text
    foreign = ADMINISTRATOR.model_copy(update={"school": "31300002"})
    assert (await api(world, "GET", f"/api/records/transcripts/{transcript['_id']}/dossier", foreign)).status == 404


async def test_before_there_is_a_pdf_the_page_offers_a_preview_and_after_it_the_document_with_a_way_round(world: World) -> None:
    transcript = (await created(world))[0]
    address = f"/ui/records/transcripts/{transcript['_id']}"
    page = sound(await world.browser().get(address))
    preview = f"/api/records/transcripts/{transcript['_id']}/preview.pdf"
    assert preview in page.page.values("href")
    assert (await api(world, "GET", preview)).response.content.startswith(b"%PDF")
    await signed(world, transcript)
    page = sound(await world.browser().get(f"{address}?pdf=1"))
    document = f"/api/records/transcripts/{transcript['_id']}/document.pdf"
    assert [a["data"] for tag, a in page.page.elements if tag == "object"] == [document]
    assert page.page.values("href").count(document) == 3
    assert f"/api/records/transcripts/{transcript['_id']}/export.zip" in page.page.values("href")
    assert preview not in page.page.values("href")


# --- review


async def test_the_review_counts_and_marks_what_is_missing_as_the_import_found_it(world: World) -> None:
    await imported(world)
    pupils = await world.db("records")["pupils"].find({"missing.0": {"$exists": True}}).to_list(None)
    assert pupils
    browser = world.browser()
    overview = sound(await browser.get("/ui/records/review"))
    assert "Thiếu hồ sơ" in overview.text
    classes = (await api(world, "GET", "/api/records/review")).response.json()["classes"]
    assert sum(c["pupils"] for c in classes) == 320
    found = sum(c["pupils_lacking"] + c["results_lacking"] + c["contradictions"] + c["assignments_lacking"] for c in classes)
    assert found >= len(pupils)
    for part in ("pupils", "assignments", "results", "awards", "signers", "printing"):
        page = sound(await browser.get(f"/ui/records/review/{part}?class={CLASS}"))
        assert "Thông tin cần bổ sung" in page.text
        book = openpyxl.load_workbook(io.BytesIO((await browser.get(f"/ui/records/review/{part}/list.xlsx")).response.content))
        assert book.worksheets[0].max_row > 1
    assert (await browser.get("/ui/records/review/elsewhere")).status == 404


async def test_the_review_shows_how_the_certificate_of_each_signer_stands_as_identity_tells_it(world: World) -> None:
    await imported(world)
    teacher, store = await homeroom(world), Store(world.db("records"))
    certificates = next(c for c in consumers(store) if c.name == "identity.certificates")
    assert {"CertificateApprovedV1", "CertificateEndedV1"} <= set(certificates.handlers)

    async def told(fact: Fact, sequence: int) -> None:
        about = event_of(fact, "registration-1", sequence=sequence)
        await transaction(store.db, lambda session: save_told(store.db, session, [about]))

    async def shown() -> Any:
        rows = (await api(world, "GET", f"/api/records/review/signers?class={CLASS}")).response.json()["rows"]
        return next(r for r in rows if r["cells"][1] == teacher.person)

    before = (await api(world, "GET", "/api/records/review")).response.json()["classes"]
    assert (await shown())["missing"] == ["Chưa có tài khoản ký được duyệt"]
    await told(approved(40000).model_copy(update={"person": teacher.person}), 1)
    assert "Đã duyệt, đến" in (await shown())["cells"][4]
    assert (await shown())["missing"] == []
    after = (await api(world, "GET", "/api/records/review")).response.json()["classes"]
    assert counted(after) == counted(before) - 1
    page = sound(await world.browser().get(f"/ui/records/review/signers?class={CLASS}"))
    assert "Chứng thư số nhà trường" in page.text
    await told(ended("revoked").model_copy(update={"person": teacher.person}), 2)
    await told(approved(40000).model_copy(update={"person": teacher.person}), 1)  # once more, late
    assert (await shown())["missing"] == ["Chứng thư số đã bị thu hồi"]


def counted(classes: list[dict[str, Any]]) -> int:
    return int(next(c["signers_lacking"] for c in classes if c["code"] == CLASS))


async def test_a_teacher_reviews_the_own_classes_alone(world: World) -> None:
    await imported(world)
    teacher = await homeroom(world)
    theirs = {
        a["class_code"] for a in (await world.db("records")["years"].find_one({}) or {})["assignments"] if a["staff"] == teacher.person
    }
    classes = (await api(world, "GET", "/api/records/review", teacher)).response.json()["classes"]
    assert {c["code"] for c in classes} == theirs | {CLASS}
    foreign = next(c for c in ("1A", "2A", "3A") if c not in theirs)
    rows = (await api(world, "GET", f"/api/records/review/pupils?class={foreign}", teacher)).response.json()["rows"]
    assert rows == []


# --- progress


async def test_the_progress_says_for_whom_every_class_waits_and_since_when(world: World) -> None:
    transcripts = await created(world)
    content = transcripts[0]["content"]
    teachers = {t["staff"] for t in content["subject_teachers"]} - {content["school_class"]["homeroom"]}
    assert len(teachers) > 1
    first = min(teachers)
    for transcript in transcripts[:5]:
        made = signature("subjects", staff(int(first[-3:]), "Người ký", Role.SUBJECT_TEACHER))
        await world.put_signature(transcript["_id"], made, State.AWAITING_SUBJECT_TEACHERS.value)
    await world.db("records")["transcripts"].update_one({"_id": transcripts[6]["_id"]}, {"$set": {"state": State.AWAITING_LEADER.value}})
    told = (await api(world, "GET", "/api/records/progress")).response.json()
    [row] = [c for c in told["classes"] if c["code"] == CLASS]
    waiting = {p["person"]: p["count"] for p in row["people"] if p["step"] == State.AWAITING_SUBJECT_TEACHERS}
    assert waiting == {t: len(transcripts) - 1 - (5 if t == first else 0) for t in teachers}
    assert [(p["person"], p["count"]) for p in row["people"] if p["step"] == State.AWAITING_LEADER] == [
        (content["school_class"]["leader"], 1)
    ]
    assert row["steps"][State.AWAITING_SUBJECT_TEACHERS] == len(transcripts) - 1
    page = sound(await world.browser().get("/ui/records/progress"))
    assert "Người còn phải ký" in page.text
    assert row_of(page, CLASS)[1:4] == [str(row["pupils"]), str(row["not_created"]), str(len(transcripts) - 1)]
    book = openpyxl.load_workbook(io.BytesIO((await world.browser().get("/ui/records/progress.xlsx")).response.content))
    assert sum(int(str(line[4])) for line in book.worksheets[0].values if line[0] == CLASS) == sum(waiting.values()) + 1


async def test_a_class_shows_pupil_by_pupil_whom_it_waits_for_and_what_stands_still(world: World) -> None:
    transcripts = await created(world)
    stopped = {"stopped": {"code": "HB-SIG-016", "reason": "Chứng thư số đã thu hồi."}, "state": State.AWAITING_ISSUE.value}
    await world.db("records")["transcripts"].update_one({"_id": transcripts[0]["_id"]}, {"$set": stopped})
    await world.db("records")["renderings"].insert_one({"_id": transcripts[1]["_id"], "problem": "không có chữ «☃»"})
    told = (await api(world, "GET", "/api/records/progress")).response.json()
    assert [c["stuck"] for c in told["classes"] if c["code"] == CLASS] == [2]
    pupils = {p["id"]: p for p in (await api(world, "GET", f"/api/records/progress/{CLASS}")).response.json()["pupils"]}
    assert pupils[transcripts[0]["_id"]]["problem"] == "HB-SIG-016: Chứng thư số đã thu hồi."
    assert pupils[transcripts[0]["_id"]]["waits_for"] == ["Nhân sự ký phát hành"]
    assert "☃" in pupils[transcripts[1]["_id"]]["problem"]
    person = pupils[transcripts[2]["_id"]]["people"][0]
    page = sound(await world.browser().get(f"/ui/records/progress/{CLASS}?person={person}"))
    assert "học sinh" in page.text
    assert (await world.browser().get(f"/ui/records/progress/{CLASS}/list.xlsx")).status == 200
    teacher = await homeroom(world)
    assert [c["code"] for c in (await api(world, "GET", "/api/records/progress", teacher)).response.json()["classes"]] == [CLASS]
    assert (await api(world, "GET", f"/api/records/progress/{OTHER}", teacher)).status == 403
    subject_teacher = teacher.model_copy(update={"roles": frozenset({Role.SUBJECT_TEACHER}), "homeroom_of": ()})
    assert (await world.browser(subject_teacher).get("/ui/records/progress")).status == 403


# --- look-up


async def test_a_transcript_is_found_by_name_without_marks_by_state_by_uuid_and_by_personal_id(world: World) -> None:
    transcripts = await created(world)
    sought = transcripts[0]
    db = world.db("records")["transcripts"]
    old = {**sought, "_id": "0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e62", "state": State.CANCELLED.value, "live": False}
    await db.insert_one(old)
    browser = world.browser()
    cancelled = (await api(world, "GET", "/api/records/lookup?state=CANCELLED")).response.json()["transcripts"]
    assert [t["id"] for t in cancelled] == [old["_id"]]
    by_uuid = (await api(world, "GET", f"/api/records/lookup?id={sought['_id']}")).response.json()["transcripts"]
    assert [t["name"] for t in by_uuid] == [sought["pupil_name"]]
    answer = await browser.send("/ui/records/lookup/personal-id", [("personal_id", sought["content"]["pupil"]["personal_id"])])
    assert answer.where == f"/ui/records/lookup?pupil={sought['pupil_code']}"
    page = sound(await browser.get(answer.where))
    assert page.text.count("Phiên bản") >= 1
    assert ticks(page) == [sought["_id"]], "the cancelled one can be looked at, not exported"
    unknown = sound(await browser.send("/ui/records/lookup/personal-id", [("personal_id", "000000000000")]), 422)
    assert "Trường không có học bạ nào" in unknown.text
    told = manifest_of(opened(await browser.send("/ui/records/lookup/export", [("all", "1"), ("filter", f"?class={CLASS}")])))
    assert len(told["transcripts"]) == len(transcripts)


async def test_the_look_up_shows_a_teacher_the_own_classes_and_lets_them_export_the_homeroom_class(world: World) -> None:
    await created(world)
    teacher = await homeroom(world)
    found = (await api(world, "GET", "/api/records/lookup", teacher)).response.json()["transcripts"]
    assert CLASS in {t["class"] for t in found}
    assert {t["class"] for t in found if t["exportable"]} == {CLASS}
    other = next(t["_id"] for t in KEPT["transcripts"] if t["class_code"] == OTHER)
    assert (await world.browser(teacher).send("/ui/records/lookup/export", [("ids", other)])).status == 403
    assert found[0]["year"] == YEAR
