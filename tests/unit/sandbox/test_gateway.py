"""The national gateway, from a package to its callback."""

import hashlib
import hmac
import io
import json
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.sandbox.gateway.ledger import Ledger
from infra.sandbox.gateway.manifest import open_package
from infra.sandbox.gateway.office import Office
from infra.sandbox.gateway.search import Persons
from infra.sandbox.gateway.trust import Trust
from tests.unit.sandbox.conftest import SECRET, Judged, Receiver, Server, issue
from tests.unit.sandbox.documents import Signer, Transcript, detached_jws, package, sign_pdf, signed_transcript

CONTRACT = yaml.safe_load((Path(__file__).parents[3] / "contracts" / "openapi" / "national-gateway-v1.yaml").read_text())


def conforms(answer: Any, schema: str) -> bool:
    """Does a body follow the published contract?"""
    definition = {"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]}
    return not list(Draft202012Validator(definition).iter_errors(answer))


@dataclass
class Sender:
    """The publishing service as the gateway sees it, with the address that it is called back at."""

    gateway: Judged
    directory: Path
    receiver: Receiver

    def send(self, identity: str, body: bytes, **headers: str) -> httpx.Response:
        key, certificates = (self.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
        signature = detached_jws(body, key.read_bytes(), certificates.read_bytes())
        standard = {"Content-Type": "application/zip", "Idempotency-Key": identity, "X-JWS-Signature": signature}
        with self.gateway.client as client:
            return client.post("/v1/packages", content=body, headers={**standard, **headers})

    def judged(self, *transcripts: Transcript) -> list[dict[str, Any]]:
        """Send one package and return the results of its callback."""
        identity, body = package(list(transcripts), self.receiver.url)
        seen = len(self.receiver.received)
        answer = self.send(identity, body)
        assert answer.status_code == 202, answer.text
        assert conforms(answer.json(), "Receipt")
        event = json.loads(self.receiver.wait_for(seen + 1)[-1][1])
        assert event["packageId"] == identity
        assert conforms(event, "CallbackEvent")
        results: list[dict[str, Any]] = event["results"]
        return results

    def get(self, path: str) -> httpx.Response:
        with self.gateway.client as client:
            return client.get(path)

    def search(self, order: dict[str, Any], *, signed: bool = True) -> httpx.Response:
        body = json.dumps(order).encode()
        key, certificates = (self.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
        headers = {"X-JWS-Signature": detached_jws(body, key.read_bytes(), certificates.read_bytes())} if signed else {}
        with self.gateway.client as client:
            return client.post("/v1/transcripts/search", content=body, headers=headers)

    def control(self, **order: Any) -> None:
        with self.gateway.client as client:
            client.post("/control/faults", json=order).raise_for_status()

    def stats(self) -> dict[str, int]:
        counts: dict[str, int] = self.get("/control/stats").json()
        return counts


@pytest.fixture
def sender(gateway: Server, directory: Path, receiver: Receiver) -> Sender:
    return Sender(gateway, directory, receiver)


async def test_a_signed_transcript_is_accepted_and_held(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await signed_transcript([teacher, teacher, school])
    [result] = sender.judged(transcript)
    assert (result["uuid"], result["status"], result["code"]) == (transcript.identity, "ACCEPTED", None)
    held = sender.get(f"/v1/transcripts/{transcript.identity}").json()
    state = sender.get(f"/v1/packages/{held['packageId']}").json()
    assert conforms(held, "Transcript")
    assert conforms(state, "Package")
    assert held["pdfSha256"] == hashlib.sha256(transcript.pdf).hexdigest()
    assert (state["state"], state["results"][0]["status"]) == ("PROCESSED", "ACCEPTED")


async def test_callbacks_carry_an_hmac_of_time_and_body(sender: Sender, teacher: Signer, school: Signer) -> None:
    sender.judged(await signed_transcript([teacher, school]))
    headers, body = sender.receiver.received[-1]
    parts = dict(part.split("=", 1) for part in headers["X-Signature"].split(","))
    expected = hmac.new(SECRET, f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected
    assert abs(time.time() - int(parts["t"])) < 300


async def test_each_transcript_of_a_package_has_its_own_result(sender: Sender, teacher: Signer, school: Signer) -> None:
    good = await signed_transcript([teacher, school])
    tampered = await signed_transcript([teacher, school])
    tampered.xml = tampered.xml.replace(b"<CaNam>8.5</CaNam>", b"<CaNam>9.5</CaNam>")
    changed_pdf = await signed_transcript([teacher, school])
    changed_pdf.pdf = changed_pdf.pdf.replace(b"200", b"300", 1)
    unsigned = await signed_transcript([teacher, school])
    unsigned.xml = unsigned.xml[: unsigned.xml.index(b'<ChuKy Id="ck">')] + b'<ChuKy Id="ck"/></HocBa>'
    results = sender.judged(good, tampered, changed_pdf, unsigned)
    assert [each["code"] for each in results] == [None, "NG-302", "NG-402", "NG-301"]
    assert all(each["reason"] for each in results[1:])


async def test_what_follows_the_last_signature_of_a_pdf_is_refused(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await signed_transcript([teacher, school])
    transcript.pdf += b"\n% more\n"
    assert sender.judged(transcript)[0]["code"] == "NG-402"


async def test_the_last_signature_must_be_the_schools(sender: Sender, pki: Server, teacher: Signer, school: Signer) -> None:
    personal = await signed_transcript([teacher, teacher])
    other = issue(pki, kind="organisation", name="Trường khác", identifier="0200999999")
    of_other = await signed_transcript([teacher, other])
    only_xml = await signed_transcript([teacher, school])
    only_xml.pdf = await sign_pdf(only_xml.pdf, teacher, "Extra")
    results = sender.judged(personal, of_other, only_xml)
    assert [each["code"] for each in results] == ["NG-304", "NG-304", "NG-404"]


@pytest.mark.parametrize("defect", ["unknown_issuer", "expired", "weak_key", "sha1", "wrong_usage"])
async def test_certificates_that_deserve_no_trust_are_refused(sender: Sender, pki: Server, school: Signer, defect: str) -> None:
    signer = issue(pki, kind="personal", name="Không Tin Cậy", identifier="031185000003", defects=[defect])
    transcript = await signed_transcript([signer, school])
    assert sender.judged(transcript)[0]["code"] == "NG-303"


async def test_a_revoked_certificate_is_refused(sender: Sender, pki: Server, teacher: Signer) -> None:
    revoked = issue(pki, kind="organisation", name="Trường THCS thử nghiệm", identifier="0200123456", defects=["revoked"])
    result = sender.judged(await signed_transcript([teacher, revoked]))[0]
    assert (result["code"], "thu hồi" in result["reason"]) == ("NG-303", True)


async def test_content_that_breaks_the_schema_or_the_manifest_is_refused(sender: Sender, teacher: Signer, school: Signer) -> None:
    malformed_id = await signed_transcript([teacher, school], personal_id="12345")
    no_version = await signed_transcript([teacher, school])
    no_version.xml = no_version.xml.replace(b"<PhienBan>1</PhienBan>", b"")
    other_pupil = await signed_transcript([teacher, school])
    other_pupil.pupil = "999"
    results = sender.judged(malformed_id, no_version, other_pupil)
    assert [each["code"] for each in results] == ["NG-203", "NG-201", "NG-202"]


async def test_a_transcript_already_held_is_not_replaced_by_another_version(sender: Sender, teacher: Signer, school: Signer) -> None:
    first = await signed_transcript([teacher, school])
    second = await signed_transcript([teacher, school], identity=first.identity, version=2)
    assert sender.judged(first)[0]["status"] == "ACCEPTED"
    assert sender.judged(second)[0]["code"] == "NG-501"
    assert sender.judged(first)[0]["status"] == "ACCEPTED"
    assert sender.stats()["repeated"] >= 1


async def test_the_same_package_twice_is_processed_once(sender: Sender, teacher: Signer, school: Signer) -> None:
    identity, body = package([await signed_transcript([teacher, school])], sender.receiver.url)
    before = sender.stats()
    answers = [sender.send(identity, body).json() for _ in range(3)]
    sender.receiver.wait_for(1)
    answers.append(sender.send(identity, body).json())
    assert all(answer == answers[0] for answer in answers)
    after = sender.stats()
    assert (after["packages"] - before["packages"], after["accepted"] - before["accepted"], len(sender.receiver.received)) == (1, 1, 1)
    _, other = package([await signed_transcript([teacher, school])], sender.receiver.url, identity)
    conflict = sender.send(identity, other)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "NG-005")


async def test_a_package_that_cannot_be_worked_on_holds_up_no_other(
    sender: Sender, tmp_path: Path, teacher: Signer, school: Signer
) -> None:
    identity, body = package([await signed_transcript([teacher, school])], sender.receiver.url)
    directory = sender.directory
    office = Office(
        directory=directory, ledger=Ledger(tmp_path), secret=SECRET, trust=Trust(directory), persons=Persons(directory / "gateway")
    )
    office.ledger.file_of(identity).write_bytes(body)
    office.ledger.add(open_package(body), hashlib.sha256(body).hexdigest(), "sender")
    office.queue.put_nowait("lost")
    office.start()
    await office.until_called_back(identity)
    await office.stop()
    assert [each["status"] for each in office.ledger.results(identity)] == ["ACCEPTED"]


async def test_packages_are_taken_only_with_the_services_signature(sender: Sender, pki: Server, teacher: Signer, school: Signer) -> None:
    identity, body = package([await signed_transcript([teacher, school])], sender.receiver.url)
    impostor = issue(pki, kind="personal", name="Kẻ Mạo Danh", identifier="031185000004", key="p256")
    forged = detached_jws(body, impostor.key.encode(), (impostor.certificate + impostor.chain[0]).encode())
    key, certificates = (sender.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
    other = detached_jws(b"x", key.read_bytes(), certificates.read_bytes())
    for signature in ("", "a.b.c", "a..b", forged, other):
        refusal = sender.send(identity, body, **{"X-JWS-Signature": signature})
        assert (refusal.status_code, refusal.json()["code"]) == (401, "NG-003")
        assert conforms(refusal.json(), "Refusal")


async def test_a_package_of_which_a_byte_was_altered_on_the_way_is_refused_and_leaves_no_trace(
    sender: Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await signed_transcript([teacher, school])
    identity, body = package([transcript], sender.receiver.url)
    key, certificates = (sender.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
    signature = {"X-JWS-Signature": detached_jws(body, key.read_bytes(), certificates.read_bytes())}
    for altered in (body[:-1] + bytes([body[-1] ^ 1]), body.replace(b"%PDF-1.", b"%PDF-2.", 1), body[:-1]):
        assert altered != body
        refusal = sender.send(identity, altered, **signature)
        assert (refusal.status_code, refusal.json()["code"]) == (401, "NG-003")
    assert sender.get(f"/v1/packages/{identity}").status_code == 404
    assert sender.send(identity, body, **signature).status_code == 202


async def test_packages_of_the_wrong_shape_are_refused_at_once(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await signed_transcript([teacher, school])
    identity, body = package([transcript], sender.receiver.url)
    surplus = io.BytesIO(body)
    with zipfile.ZipFile(surplus, "a") as archive:
        archive.writestr("more.txt", "not in the manifest")
    answers = {
        "NG-001": sender.send(identity, b"no zip"),
        "NG-002": sender.send(*package([], sender.receiver.url)),
        "NG-004": sender.send("another", body),
        "NG-006": sender.send(identity, package([transcript], "http://198.51.100.7/callback", identity)[1]),
        "NG-007": sender.send(identity, surplus.getvalue()),
    }
    assert {code: answer.json()["code"] for code, answer in answers.items()} == {code: code for code in answers}
    assert {answer.status_code for answer in answers.values()} == {400}


async def test_a_callback_is_repeated_until_it_is_taken(sender: Sender, teacher: Signer, school: Signer) -> None:
    sender.receiver.answers.extend([503, 500])
    sender.judged(await signed_transcript([teacher, school]))
    events = {json.loads(body)["eventId"] for _, body in sender.receiver.wait_for(3)}
    assert len(events) == 1


async def test_the_gateway_makes_faults_on_request(sender: Sender, teacher: Signer, school: Signer) -> None:
    identity, body = package([await signed_transcript([teacher, school])], sender.receiver.url)
    sender.control(down=True)
    assert sender.send(identity, body).status_code == 503
    sender.control(down=False, callback_before_answer=True, duplicate_callback=1, reject_next=1)
    assert sender.send(identity, body).status_code == 202
    assert len(sender.receiver.received) == 2
    assert sender.receiver.received[0][1] == sender.receiver.received[1][1]
    assert json.loads(sender.receiver.received[0][1])["results"][0]["code"] == "NG-901"


async def test_a_package_that_got_no_answer_was_taken_all_the_same(sender: Sender, teacher: Signer, school: Signer) -> None:
    sender.control(endpoint="packages", lose_answer_next=1)
    identity, body = package([await signed_transcript([teacher, school])], sender.receiver.url)
    assert sender.send(identity, body).status_code == 504
    assert json.loads(sender.receiver.wait_for(1)[0][1])["results"][0]["status"] == "ACCEPTED"


async def test_nothing_is_lost_when_the_gateway_dies(sender: Sender, gateway: Server, teacher: Signer, school: Signer) -> None:
    transcripts = [await signed_transcript([teacher, school]) for _ in range(5)]
    identity, body = package(transcripts, sender.receiver.url)
    sender.control(no_callback=True)
    assert sender.send(identity, body).status_code == 202
    gateway.kill()
    gateway.start()
    event = json.loads(sender.receiver.wait_for(1)[0][1])
    assert [each["status"] for each in event["results"]] == ["ACCEPTED"] * 5


def test_unknown_packages_and_transcripts_are_not_found(sender: Sender) -> None:
    answers = [sender.get("/v1/packages/x"), sender.get("/v1/transcripts/x")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert all(conforms(answer.json(), "Refusal") for answer in answers)


def put_foreign(sender: Sender, name: str, *, school: str = "SEARCHED", grade: int = 5) -> str:
    each = {"uuid": str(uuid.uuid4()), "school": school, "year": "2025-2026", "class_name": f"{grade}A", "grade": grade, "pupil": "p"}
    with sender.gateway.client as client:
        client.post("/control/holdings", json={**each, "name": name, "personal_id": "031215001234"}).raise_for_status()
    return str(each["uuid"])


def test_a_search_finds_by_every_field_and_only_within_the_school_that_is_asked_for(sender: Sender) -> None:
    dao, an = put_foreign(sender, "Đỗ Thị Đào"), put_foreign(sender, "Nguyễn Văn An", grade=4)
    put_foreign(sender, "Đỗ Thị Đào", school="ANOTHER")

    def found(**order: Any) -> set[str]:
        answer = sender.search({"schoolCode": "SEARCHED", **order})
        assert answer.status_code == 200, answer.text
        assert conforms(answer.json(), "SearchResult")
        return {each["uuid"] for each in answer.json()["results"]}

    assert found() == found(schoolYear="2025-2026", personalId="031215001234", status="ACCEPTED") == {dao, an}
    assert found(pupilName="do thi") == found(pupilName="ĐÀO") == found(grade=5) == found(className="5A") == found(uuid=dao) == {dao}
    assert found(schoolYear="2024-2025") == found(pupilName="%") == set()


def test_a_search_is_refused_without_signature_or_beyond_the_contract(sender: Sender) -> None:
    answers = [
        sender.search({"schoolCode": "SEARCHED"}, signed=False),
        sender.search({}),
        sender.search({"schoolCode": "SEARCHED", "personalId": "1"}),
        sender.search({"schoolCode": "SEARCHED", "anything": 1}),
        sender.search({"schoolCode": "S" * 11_000}),
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 400, 400, 413]
    assert all(conforms(answer.json(), "Refusal") for answer in answers)


def test_a_held_transcript_and_a_package_are_told_as_the_contract_says(sender: Sender) -> None:
    uuid_of_it = put_foreign(sender, "Nguyễn Văn An")
    assert conforms(sender.get(f"/v1/transcripts/{uuid_of_it}").json(), "Transcript")
