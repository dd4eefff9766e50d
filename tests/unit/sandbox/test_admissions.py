"""The admissions portal, from a push to its receipt; every answer is judged by the published contract (conftest)."""

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from tests.contracts.outside import ADMISSIONS, contract
from tests.unit.sandbox.conftest import Judged, Server
from tests.unit.sandbox.documents import Signer, Transcript, detached_jws, package, signed_transcript

CALLBACK = "https://localhost/nowhere"
SCHOOL = "31300001"


@dataclass
class Sender:
    """The publishing service as the portal sees it."""

    portal: Judged
    directory: Path

    def signed(self, body: bytes) -> dict[str, str]:
        key, certificates = (self.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
        return {"X-JWS-Signature": detached_jws(body, key.read_bytes(), certificates.read_bytes())}

    def push(self, push: str, body: bytes, **headers: str) -> httpx.Response:
        standard = {"Content-Type": "application/zip", "Idempotency-Key": push, **self.signed(body)}
        with self.portal.client as client:
            return client.post("/v1/pushes", content=body, headers={**standard, **headers})

    def standing(self, push: str) -> dict[str, Any]:
        with self.portal.client as client:
            answer: dict[str, Any] = client.get(f"/v1/pushes/{push}").raise_for_status().json()
            return answer

    def decided(self, push: str) -> dict[str, Any]:
        for _ in range(600):
            if (found := self.standing(push))["state"] != "RECEIVED":
                return found
            time.sleep(0.05)
        raise TimeoutError(push)

    def revoke(self, push: str, transcript: Transcript, **changes: Any) -> httpx.Response:
        order = {"pushId": push, "uuid": transcript.identity, "version": 1, "schoolCode": SCHOOL, "why": "WITHDRAWN"}
        body = json.dumps({**order, "at": "2026-06-01T08:00:00+07:00", **changes}).encode()
        with self.portal.client as client:
            headers = {"Content-Type": "application/json", **self.signed(body)}
            return client.post(f"/v1/pushes/{push}/revocation", content=body, headers=headers)

    def control(self, **order: Any) -> None:
        with self.portal.client as client:
            client.post("/control/faults", json=order).raise_for_status()

    def arrivals(self, push: str) -> int:
        with self.portal.client as client:
            pushes = client.get("/control/ledger", params={"school": SCHOOL}).json()["pushes"]
        return sum(p["arrivals"] for p in pushes if p["id"] == push)


@pytest.fixture
def sender(admissions: Server, directory: Path) -> Sender:
    return Sender(admissions, directory)


async def final(teacher: Signer, school: Signer, **fields: Any) -> Transcript:
    return await signed_transcript([teacher, teacher, school], **{"grade": 9, **fields})


async def test_a_sound_transcript_gets_a_receipt_that_anybody_can_verify(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    assert sender.push(push, body).json()["state"] in {"RECEIVED", "RECEIPTED"}
    receipt = sender.decided(push)["receipt"]
    header = json.loads(base64.urlsafe_b64decode(receipt.split(".")[0] + "=="))
    leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    assert "SERVICE:admissions" in leaf.subject.rfc4514_string()
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(base64.b64decode(header["x5c"][1])))
    pem = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    by_another_library = JWSRegistry(algorithms=["ES256"])
    by_another_library.max_header_length = len(receipt)
    said = json.loads(jws.deserialize_compact(receipt, ECKey.import_key(pem), registry=by_another_library).payload)
    assert contract(ADMISSIONS).breaches(said, "Receipt") == []
    assert (said["pushId"], said["uuid"], said["grade"]) == (push, transcript.identity, 9)
    assert said["packageSha256"] == hashlib.sha256(body).hexdigest()
    assert said["pdfSha256"] == hashlib.sha256(transcript.pdf).hexdigest()


async def test_the_same_push_again_gets_the_same_answer_and_another_body_under_its_id_none(
    sender: Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    sender.push(push, body)
    first = sender.decided(push)
    assert sender.push(push, body).json() == first
    assert sender.arrivals(push) == 2
    _, other = package([transcript], f"{CALLBACK}/else", push)
    answer = sender.push(push, other)
    assert (answer.status_code, answer.json()["code"]) == (409, "TS-005")


async def test_a_second_push_of_a_transcript_that_has_its_receipt_is_refused(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await final(teacher, school)
    one, body = package([transcript], CALLBACK)
    sender.push(one, body)
    assert sender.decided(one)["state"] == "RECEIPTED"
    two, again = package([transcript], CALLBACK)
    sender.push(two, again)
    assert sender.decided(two)["code"] == "TS-203"


async def test_other_grades_and_unsound_transcripts_are_refused_with_the_reason(sender: Sender, teacher: Signer, school: Signer) -> None:
    for code, transcript in (("TS-201", await final(teacher, school, grade=6)), ("TS-202", await final(teacher, teacher))):
        push, body = package([transcript], CALLBACK)
        sender.push(push, body)
        found = sender.decided(push)
        assert (found["state"], found["code"]) == ("REFUSED", code)
        assert found["reason"]


async def test_pushes_of_the_wrong_shape_or_without_signature_are_refused_at_once(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    two, pair = package([transcript, await final(teacher, school)], CALLBACK)
    for code, answer in (
        ("TS-003", sender.push(push, body, **{"X-JWS-Signature": sender.signed(b"else")["X-JWS-Signature"]})),
        ("TS-004", sender.push(str(uuid.uuid4()), body)),
        ("TS-001", sender.push(push, body, **{"Content-Type": "text/plain"})),
        ("TS-001", sender.push(push, b"no zip")),
        ("TS-009", sender.push(two, pair)),
    ):
        assert answer.json()["code"] == code


async def test_what_is_revoked_is_struck_out_before_and_after_it_came(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    sender.push(push, body)
    assert sender.decided(push)["state"] == "RECEIPTED"
    assert [sender.revoke(push, transcript).json()["state"] for _ in range(2)] == ["REVOKED", "REVOKED"]
    late, late_body = package([transcript], CALLBACK)
    assert sender.revoke(late, transcript).json()["state"] == "REVOKED"
    assert sender.push(late, late_body).json()["state"] == "REVOKED"


async def test_a_revocation_of_another_transcript_or_beyond_the_contract_is_refused(
    sender: Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    sender.push(push, body)
    assert sender.revoke(push, transcript, uuid=str(uuid.uuid4())).json()["code"] == "TS-014"
    assert sender.revoke(push, transcript, why="BECAUSE").json()["code"] == "TS-013"
    assert sender.decided(push)["state"] == "RECEIPTED"


async def test_nothing_is_lost_when_the_portal_dies(sender: Sender, admissions: Server, teacher: Signer, school: Signer) -> None:
    transcript = await final(teacher, school)
    push, body = package([transcript], CALLBACK)
    sender.control(no_receipt=True)
    sender.push(push, body)
    admissions.kill()
    admissions.start()
    assert sender.decided(push)["state"] == "RECEIPTED"


async def test_unknown_pushes_are_not_found(sender: Sender) -> None:
    with sender.portal.client as client:
        answer = client.get(f"/v1/pushes/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "TS-011")
