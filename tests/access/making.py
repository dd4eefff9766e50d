"""What stands in the world before anybody is asked. Ids that rows name with "@" are those of school A, class 1A or its people."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image, ImageDraw

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.events.publishing import WithdrawalPendingV1
from contracts.events.records import TranscriptConfirmedV1
from services.chassis import clock
from services.chassis.mongo import transaction
from services.chassis.web.look import static_url
from services.district.withdrawals.rules import pending
from services.identity.accounts import recovery
from services.identity.accounts.sessions import digest_of, public_id_of
from services.identity.agents import jobs
from services.identity.openid import links
from services.publishing.admissions import rules as admissions
from services.publishing.admissions.receipts import Receipt
from services.publishing.sharing import rules as sharing
from services.publishing.sharing import secret
from services.publishing.store import Store as PublishingStore
from services.publishing.submissions import confirmed
from services.publishing.verification.source import Source
from services.publishing.windows import Windows
from services.publishing.withdrawals import rules
from services.records.transcripts.states import State
from tests.access import rows_records_digitisation, rows_records_files, rows_records_year
from tests.access.actors import ACTORS, BY_KEY, CLASS, ROOT, UNIT_A, UNIT_B, A, B
from tests.access.needs import open_to_all
from tests.access.rows import Row, order, page
from tests.access.samples import books, read, told_by
from tests.access.world import AGENT, Access
from tests.conftest import make_school
from tests.integration import pages_world
from tests.integration.identity_world import YEAR

SEED = open_to_all("making the world")
PASSWORD = "1234"
DOCUMENT = DocumentRef(bucket="records", key="x", sha256="0" * 64, size=90_412)
PARENT = {UNIT_A: "Phường An Hải", UNIT_B: "Phường Bình Minh"}


async def make(world: Access, folder: Path) -> None:
    sample_b = make_school(folder, code=B, province="031", pupils=2, defects=0, seed=7)
    await _organisations(world)
    for school, sample in ((A, pages_world.SAMPLE), (B, sample_b)):
        await _imported(world, school, sample)
    await _more_people(world)
    await world.sign_in_all()
    _mark(world, pages_world.SAMPLE, sample_b)
    world.ids["stylesheet"] = static_url("look.css").rsplit("/", 1)[1]
    await _transcripts(world)
    await _signing(world)
    await _submission(world)
    await _identity(world)
    world.files |= {"workbook": _workbook(), "picture": _picture()}
    await _records(world)


async def _ask(world: Access, key: str, row: Row) -> Any:
    """Asks and keeps what comes of it."""
    world.keeper.writes.seen.clear()
    put_back, world.keeper.dbs = world.keeper.dbs, {}
    try:
        asked = await world.ask(BY_KEY[key], row)
    finally:
        world.keeper.dbs = put_back
    assert asked.response.is_success, f"{row.name} by {key}: {asked.response.status_code} {asked.response.text[:2000]}"
    return asked.response.json() if asked.response.content and "json" in asked.response.headers["Content-Type"] else asked.response


async def _organisations(world: Access) -> None:
    root = await world.identity.officer()
    for code, name in PARENT.items():
        officer = {"code": f"{code}-cb01", "name": f"Cán bộ {code}"}
        await root.post("/api/identity/units", {"code": code, "name": name, "parent": ROOT, "officer": officer})
    for school, unit, tax in ((A, UNIT_A, "0231300001"), (B, UNIT_B, "0231300002")):
        administrator = {"code": f"{school}003", "name": f"Quản trị {school}"}
        made = {"code": school, "name": f"Trường {school}", "levels": ["TH"], "tax_code": tax, "unit": unit, "administrator": administrator}
        await root.post("/api/identity/schools", made)
    await world.bus.carry()


async def _imported(world: Access, school: str, sample: Path) -> None:
    who = Principal(person=f"{school}003", name="", roles=frozenset({Role.ADMINISTRATOR}), school=school, level="TH")
    browser = world.pages.browser(who)
    files = [("files", (name, content)) for name, content in books(sample)]
    where = (await browser.send("/ui/records/imports", [], files=files)).where
    assert (await browser.send(f"{where}/confirm", [])).status == 303
    if school == A:
        world.ids |= {"import_id": where.rsplit("/", 1)[1], "school": A, "code": A, "class": CLASS, "year": YEAR, "unit": UNIT_A}
    await world.bus.carry()


async def _more_people(world: Access) -> None:
    """Somebody without a role and somebody who has left, both by hand; and a password for everybody of A who is asked about."""
    administrator = world.pages.browser(
        Principal(person=f"{A}003", name="", roles=frozenset({Role.ADMINISTRATOR}), school=A, level="TH", auth_time=0)
    )
    headers = {"Authorization": f"Bearer {world.pages.tokens.make(administrator.who)}"}
    client = world.clients["identity"]
    for number, name in ((90, "Tống Bảo Vệ"), (91, "Tống Đã Nghỉ")):
        person = {"code": f"{A}{number:03d}", "name": name, "personal_id": "", "position": "Nhân viên bảo vệ"}
        made = await client.post("/api/identity/people", json=person, headers=headers)
        assert made.is_success, made.text
    today = clock.in_vietnam(clock.now()).date()
    gone = {"code": f"{A}091", "on": today.isoformat(), "reason": "Nghỉ"}
    left = await client.post("/api/identity/people/leave", json=gone, headers=headers)
    assert left.is_success, left.text
    world.ids |= {"by_hand": f"{A}090", "left": f"{A}091", "today": today.isoformat(), "later": f"{today.year + 1}-10-01"}
    staff = sorted({a.who.person for a in ACTORS if a.principal and a.who.school == A} - {f"{A}003"})
    given = await client.post(f"/api/identity/schools/{A}/credentials", json={"persons": staff}, headers=headers)
    assert given.is_success, given.text
    passwords = {each["person"]: each["one_time_password"] for each in given.json()}
    world.ids |= {"password": passwords[f"{A}006"], "person": f"{A}006", "colleague": f"{A}016", "administrator": f"{A}003"}
    await world.bus.carry()


async def _transcripts(world: Access) -> None:
    job = await _ask(world, "homeroom_1a", order("/api/records/transcripts", SEED, {"classes": [CLASS]}))
    world.ids["job_id"] = job["job"]
    await world.pages.create_all()
    await world.bus.carry()
    listed = await _ask(world, "homeroom_1a", page("/api/records/transcripts", SEED))
    ids = [t["id"] for t in listed["transcripts"]]
    world.ids |= {"transcript_id": ids[0], "other_transcript": ids[1], "pupil": listed["transcripts"][0]["pupil"]}
    # signed, so that confirming has something to confirm; with documents, so that they can be read
    pdf = await world.parts["records"].objects.put("access", ".pdf", b"%PDF-1.7", "application/pdf")
    xml = await world.parts["records"].objects.put("access", ".xml", b'<HocBa xmlns="urn:hocba:transcript:1"/>', "application/xml")
    files = {"pdf": pdf.model_dump(mode="json"), "xml": xml.model_dump(mode="json")}
    await world.pages.db("records")["transcripts"].update_one({"_id": ids[0]}, {"$set": files})
    await world.pages.db("records")["transcripts"].update_one({"_id": ids[2]}, {"$set": {"state": State.SIGNED.value, **files}})
    world.ids["signed_transcript"] = ids[2]
    made = await _ask(world, "administrator_a", order("/api/records/summaries", SEED, {"classes": [CLASS]}))
    world.ids["summary_id"] = made["created"][0]["summary"]
    await world.bus.carry()
    signed = {"$set": {"state": State.SIGNED.value, **files}}
    await world.pages.db("records")["summaries"].update_one({"_id": world.ids["summary_id"]}, signed)
    for key, school in (("pupil_of_2a", A), ("pupil_of_2a_b", B)):
        pupil = await world.pages.db("records")["pupils"].find_one({"school": school, "class_code": "2A"})
        assert pupil is not None
        world.ids[key] = pupil["code"]


async def _records(world: Access) -> None:
    """A pull, a copy asked for, a correction asked for, a transfer with its package, which came back, and an archive export."""
    db = world.pages.db("records")
    world.ids |= {"leader": f"{A}002", "field": "Toán: Nhận xét"}
    pulled = await _ask(world, "administrator_a", order("/api/records/pulls", SEED, {"year": YEAR}))
    world.ids["pull_id"] = pulled["id"]
    world.ids["copy_id"] = (await _ask(world, "clerk_a", order("/api/records/copies", SEED, rows_records_files.ASKED)))["id"]
    await _ask(world, "administrator_a", order("/api/records/locks/plan", SEED, {"day": "@later"}))
    await _ask(world, "manager_a", order("/api/records/locks/inspector", SEED, {"person": "@colleague"}))
    form = [
        ("class", "@class"),
        ("pupil", "@pupil"),
        ("field", "@field"),
        ("value", "Em cố gắng hơn."),
        ("reason", rows_records_year.REASON),
    ]
    asked = await _ask(world, "homeroom_1a", Row("POST", "/api/records/corrections", SEED, form=form, file=("files", "picture")))
    world.ids["correction_id"] = asked["correction"]
    signed = await db["transcripts"].find_one({"_id": world.ids["signed_transcript"]})
    assert signed is not None
    await db["corrections"].update_one({"_id": asked["correction"]}, {"$set": {"minutes": signed["pdf"]}})
    leaving = {"pupil": signed["pupil_code"], "reason": "Theo gia đình", "to_name": "Trường khác", "decision": "12/QĐ"}
    left = await _ask(world, "administrator_a", order("/api/records/transfers", SEED, leaving))
    world.ids["transfer_id"] = left["id"]
    package = await _ask(world, "administrator_a", page("/api/records/transfers/{transfer_id}/package.zip", SEED))
    world.files["package"] = ("goi.zip", package.content, "application/zip")
    came = await _ask(world, "administrator_a", Row("POST", "/api/records/arrivals", SEED, file=("file", "package")))
    world.ids["arrival_id"] = came["id"]
    received = {"_id": "received-1", "school": A, "pupil_code": world.ids["pupil"], "pdf": signed["pdf"], "xml": signed["xml"]}
    await db["received"].insert_one(
        {**received, "document": {"id": "document-1", "year": "2024-2025"}, "personal_id": "", "at": clock.now()}
    )
    world.ids["received_id"] = "received-1"
    packed = {"number": 1, "state": "PACKING", "total": 3, "done": 1, "parts": 1, "bytes": 10, "by": f"{A}003", "at": clock.now()}
    nothing = {"finished_at": None, "manifest": None, "problem": None, "request_id": None}
    await db["archives"].insert_one({"_id": "export-1", "school": A, "year": YEAR, "running": True, **packed, **nothing})
    world.ids |= {"export_id": "export-1", "clerk": f"{A}005"}
    await _ask(world, "manager_a", order(f"{rows_records_digitisation.API}/pupils", SEED, rows_records_digitisation.OPENED))
    scan = f"{rows_records_digitisation.API}/{{year}}/{{pupil}}/scan"
    await _ask(world, "clerk_a", Row("POST", scan, SEED, values=rows_records_digitisation.ONE, file=("files", "picture")))


async def _signing(world: Access) -> None:
    """The subject teacher of 1A signs one transcript of the class: a batch that is being prepared."""
    people = world.identity.db["people"]
    teacher = await people.find_one({"_id": f"{A}016"})
    assert teacher is not None
    who = BY_KEY["subject_1a"].who.model_copy(update={"name": teacher["name"]})
    await world.pages.approve(who, teacher["personal_id"])
    login = {"user": who.person, "password": PASSWORD}
    wanted = {"step": "subjects", "transcripts": ["@transcript_id"], "login": login}
    started = await _ask(world, "subject_1a", order("/api/signing/batches", SEED, wanted))
    world.ids |= {"batch_id": started["batch"], "step": "subjects"}
    await _program_job(world)
    # a signed file, so that there is something to report on; whose file it is does not matter here
    xml = await world.parts["signing"].objects.put("access", ".xml", b'<HocBa xmlns="urn:hocba:transcript:1"/>', "application/xml")
    made = pages_world.signature("homeroom", BY_KEY["homeroom_1a"].who).model_dump(mode="json")
    signed = {"xml": xml.model_dump(mode="json"), "signatures": [{**made, "id": "GVCN", "step": "homeroom"}]}
    await world.pages.db("signing")["tasks"].update_one({"_id": world.ids["transcript_id"]}, {"$set": signed})


async def _program_job(world: Access) -> None:
    """The signing program of 1A's homeroom teacher works on a batch."""
    job: dict[str, Any] = {
        "_id": "00000000-0000-4000-8000-000000000007",
        "person": f"{A}006",
        "school": A,
        "agent": AGENT,
        "confirmed": True,
    }
    at = clock.now()
    times = {"created_at": at, "heard_at": at, "moved_at": at, "ended_at": None}
    told = {"title": "Ký", "noun": "học bạ", "certificate": "0" * 64, "scheme": "ecdsa", "items": b"[]"}
    await world.pages.db("signing")["agent_jobs"].insert_one({**job, **times, **told, "state": "SIGNING", "failure": None})
    world.ids["sign_job"] = job["_id"]


async def _submission(world: Access) -> None:
    transcript = await world.pages.db("records")["transcripts"].find_one({"_id": world.ids["transcript_id"]})
    assert transcript is not None
    fact = TranscriptConfirmedV1(
        school=A,
        year=YEAR,
        class_code=CLASS,
        grade=1,
        version=1,
        pupil_code=transcript["pupil_code"],
        pupil_name=transcript["pupil_name"],
        pdf=DOCUMENT,
        xml=DOCUMENT,
        confirmed_at=clock.now(),
    )
    store = PublishingStore(world.pages.db("publishing"))
    change = confirmed(pages_world.event_of(fact, transcript["_id"]), None)
    await transaction(store.db, lambda session: store.save(session, [change], actor="records"))
    await _withdrawal(world, change.document)
    await _share(world, change.document)
    await _admission(world, change.document)


async def _admission(world: Access, submission: dict[str, Any]) -> None:
    """A pupil of grade 5 of A, whose transcript the admissions portal has receipted."""
    final = {
        **submission,
        "_id": "00000000-0000-4000-8000-000000000005",
        "grade": 5,
        "class_code": "5A",
        "state": "ACCEPTED",
        "sequence": 1,
    }
    at = clock.now()
    asked = admissions.requested(final, None, Windows(A, (), (), {}), withdrawing=False, sending="s", by=f"{A}003", at=at).document
    said = {"number": "TS-2025-000001", "push": asked["push"], "transcript": final["_id"], "version": 1, "school": A}
    digests = {"sha256": "a" * 64, "pdf_sha256": "a" * 64, "xml_sha256": "a" * 64}
    receipt = Receipt.model_validate({**said, **digests, "received_at": at, "issued_at": at})
    done = admissions.receipted(asked, asked["push"], receipt, "a.b.c", at)
    assert done is not None
    await world.pages.db("publishing")["submissions"].insert_one(final)
    await world.pages.db("publishing")["admissions"].insert_one({**done.document, "sequence": 1})
    world.ids["final_transcript"] = final["_id"]


async def _withdrawal(world: Access, submission: dict[str, Any]) -> None:
    """A draft of the administrator of A, and another request that waits for A's oversight unit; both have a signed file to be read."""
    who = BY_KEY["administrator_a"].who
    xml = await world.parts["signing"].objects.put("access", ".xml", b'<YeuCauThuHoi xmlns="urn:hocba:withdrawal:1"/>', "application/xml")
    draft = rules.drafted(submission, reason="Sai điểm môn Toán học kỳ II", by=who, at=clock.now(), asked=False).document
    draft |= {"sequence": 1, "open": False, "signed": xml.model_dump(mode="json")}
    await world.pages.db("publishing")["withdrawals"].insert_one(draft)
    sealed = {"sealed_by": f"{A}004", "sealed_by_name": "Nhân sự ký", "sent_at": clock.now()}
    fact = WithdrawalPendingV1.model_validate({**draft, **sealed})
    school = {"name": f"Trường {A}", "path": [ROOT, UNIT_A]}
    waiting = pending(pages_world.event_of(fact, str(uuid4())), school)
    await world.pages.db("district")["withdrawals"].insert_one(waiting)
    world.ids |= {"withdrawal": draft["_id"], "withdrawal_request": waiting["_id"]}


async def _share(world: Access, submission: dict[str, Any]) -> None:
    """A link of A's clerk to a transcript, and the secret that opens it."""
    ask = sharing.Ask(asker="Người đề nghị", relation="Cha", purpose="Xét tuyển", reference="Đơn số 1", days=30)
    source = Source(submission["_id"], "transcript", A, YEAR, 1, "in_force", {}, frozenset())
    told = secret.new()
    chosen = [(submission, source)]
    made = sharing.made(str(uuid4()), secret.digest_of(told), chosen, ask, who=BY_KEY["clerk_a"].who, at=clock.now())
    await world.pages.db("publishing")["shares"].insert_one(made)
    world.ids |= {"share": made["_id"], "share_code": told}


async def _identity(world: Access) -> None:
    db = world.identity.db
    await _registrations(world)
    told = await _ask(world, "homeroom_1a", order("/api/identity/problems", SEED, {"what": "Trang 2.2 của lớp 1A không mở được"}))
    world.ids["problem"] = told["id"]
    day = f"{clock.now().year + 1}-09-01"
    change = {"kind": "rename_school", "code": A, "day": day, "name": "Trường Tiểu học An Hồng 2"}
    world.ids["change"] = (await _ask(world, "officer_a", order("/api/identity/organisations/changes", SEED, change)))["id"]
    world.ids["session"] = public_id_of(digest_of(world.cookie(BY_KEY["homeroom_1a"], stale=True)))
    at = clock.now()
    await db["recoveries"].insert_one(recovery.request("0" * 64, f"{A}006", A, at=at))
    account = await db["accounts"].find_one({"_id": f"{A}006"})
    kept = recovery.link("secret-of-a-link", account, f"{A}006", made_by=f"{A}003", drop_factors=False, at=at)
    await db["recovery_links"].insert_one(kept)
    waiting = {"provider": "so", "person": f"{A}006", "place": A, "state": links.WAITING, "asked_at": at}
    key = links.key("so", "subject-1")
    await db["openid_links"].insert_one({"_id": key, **waiting, "decided_at": None, "decided_by": None, "reason": ""})
    world.ids |= {"link": key, "reset_secret": "secret-of-a-link", "factor": "none", "provider_id": "so"}
    for kind, key in (("signature", "homeroom_1a"), ("seal", "issuer_a")):
        world.files["picture"] = _picture()
        row = Row("POST", "/api/identity/images/{kind}", SEED, values={"kind": kind}, file=("image", "picture"))
        history = await _ask(world, key, row)
        world.ids |= {f"{kind}_sha256": history["current"]["sha256"], f"{kind}_owner": history["owner"]}
    found = await transaction(db, lambda s: jobs.ask(db, s, person=f"{A}006", kind="certificates", content={}, valid_for=links.BEGUN_VALID))
    world.ids["job"] = found
    await _outcomes(world)
    await world.bus.carry()


async def _registrations(world: Access) -> None:
    """The manager's account waits for the oversight unit, a colleague's for the school, the homeroom teacher's for the phone."""
    for key, mode in (("manager_a", "auto"), ("subject_1a", "auto"), ("homeroom_1a", "manual")):
        code = BY_KEY[key].who.person
        person = await world.identity.db["people"].find_one({"_id": code})
        assert person is not None
        user = {"user": f"access-{code}", "kind": "personal", "name": person["name"], "identifier": person["personal_id"]}
        await world.identity.enrol(user)
        async with httpx.AsyncClient(base_url=world.identity.provider, trust_env=False) as provider:
            (await provider.post("/control/phone", json={"mode": mode, "delay_ms": 0})).raise_for_status()
        login = {"provider": "sandbox", "username": user["user"], "password": PASSWORD}
        proof = await _ask(world, key, order("/api/identity/signing-accounts", SEED, login))
        world.ids["proof_id"] = proof["proof"]
        while mode == "auto" and proof["state"] == "WAITING_FOR_KEY":
            proof = await _ask(world, key, page("/api/identity/proofs/{proof_id}", SEED))
        assert mode == "manual" or proof["state"] == "PROVED", proof
    await world.bus.carry()
    asked = await world.pages.db("district")["certificates"].find_one({"person": f"{A}002"})
    assert asked is not None, "the manager's request did not reach the district"
    world.ids |= {"request_key": asked["_id"], "key": asked["_id"]}


async def _outcomes(world: Access) -> None:
    """What became of a bulk act: of the administrator of A in identity, of A's officer in district."""
    at = clock.now()
    item = {"person": f"{A}006", "code": "HB-IDN-013", "cause": "", "action": ""}
    kept = {"by": f"{A}003", "school": A, "act": "approve", "reason": "", "at": at, "forget_at": at + links.BEGUN_VALID * 10}
    await world.identity.db["outcomes"].insert_one({"_id": "outcome-of-a", **kept, "done": 0, "left": [item]})
    shown = {"school_name": f"Trường {A}", "kind_name": "", "subject": "", "code": "", "title": "", "cause": "", "action": ""}
    district = {"_id": "outcome-of-a", "person": f"{UNIT_A}-cb01", "act": "approve", "at": at, "done": 0, "items": [shown]}
    await world.pages.db("district")["outcomes"].insert_one(district)
    withdrawn = {"name": "", "school_name": f"Trường {A}", "class_name": "", "code": "", "title": "", "cause": "", "action": ""}
    await world.pages.db("district")["withdrawal_outcomes"].insert_one({**district, "items": [withdrawn]})
    world.ids["outcome"] = "outcome-of-a"


def _mark(world: Access, sample_a: Path, sample_b: Path) -> None:
    """What tells that an answer speaks of school A, and of the pupils of its class 1A. Names that somebody else has tell nothing."""
    ours, theirs = read(sample_a), read(sample_b)
    staff, others = told_by(ours.staff), told_by(p for p in ours.pupils if p["Mã lớp"] != CLASS)
    pupils = told_by(p for p in ours.pupils if p["Mã lớp"] == CLASS)
    outside = told_by(theirs.staff) | told_by(theirs.pupils)
    world.markers = (staff | pupils | {A}) - outside
    # parents and neighbours, too: an answer that names a mother must not count as one that names a pupil of the same name
    elsewhere = " ".join(value for p in ours.pupils if p["Mã lớp"] != CLASS for value in p.values())
    world.pupil_markers = {marker for marker in pupils - staff - others - outside if marker not in elsewhere}


def _workbook() -> tuple[str, bytes, str]:
    return "ho_so_truong.xlsx", (pages_world.SAMPLE / "ho_so_truong.xlsx").read_bytes(), "application/octet-stream"


def _picture() -> tuple[str, bytes, str]:
    picture = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(picture).ellipse((60, 60, 340, 340), outline="red", width=30)
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return "anh.png", kept.getvalue(), "image/png"
