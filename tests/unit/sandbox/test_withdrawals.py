"""The national gateway takes back what the oversight unit orders, once, and only with the school's signed request."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from services.publishing.withdrawals.document import request_xml
from services.signing import xml
from tests.unit.sandbox.conftest import Receiver, Server
from tests.unit.sandbox.documents import Signer, Transcript, detached_jws, signed_transcript
from tests.unit.sandbox.test_gateway import Sender, conforms


@pytest.fixture
def sender(gateway: Server, directory: Any, receiver: Receiver) -> Sender:
    return Sender(gateway, directory, receiver)


def _der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


def signed_request(transcript: Transcript, school: Signer, withdrawal: str, version: int = 1) -> bytes:
    about = {"_id": withdrawal, "school": "31300001", "year": "2025-2026", "grade": 6, "class_code": "6A", "kind": "transcript"}
    files = {"transcript": transcript.identity, "version": version, "xml_sha256": "a" * 64, "pdf_sha256": "b" * 64}
    people = {"pupil_code": transcript.pupil, "pupil_name": "Trần Văn Một", "reason": "Sai điểm môn Toán", "by_name": "Quản trị viên"}
    content = request_xml({**about, **files, **people}, datetime.now(UTC))
    certificate, chain = _der(school.certificate), tuple(_der(each) for each in school.chain[:1])
    prepared = xml.prepare(
        content,
        signature_id="KY_PHAT_HANH",
        covers=xml.WHOLE,
        certificate=certificate,
        chain=chain,
        signed_at=datetime.now(UTC),
        role="Nhà trường",
    )
    key = load_pem_private_key(school.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    value = key.sign(prepared.digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    return xml.assemble(content, [xml.finish(prepared, value, certificate)])


def order(transcript: Transcript, request: bytes, withdrawal: str, version: int = 1) -> bytes:
    told = {"withdrawalId": withdrawal, "uuid": transcript.identity, "version": version, "schoolCode": "31300001"}
    more = {"decidedBy": "313", "decidedAt": "2026-06-12T03:00:00+00:00", "request": base64.b64encode(request).decode()}
    return json.dumps({**told, **more}).encode()


def withdraw(sender: Sender, withdrawal: str, body: bytes) -> httpx.Response:
    key, certificates = (sender.directory / f"publishing-service.{kind}" for kind in ("key", "pem"))
    signature = detached_jws(body, key.read_bytes(), certificates.read_bytes())
    headers = {"Content-Type": "application/json", "Idempotency-Key": withdrawal, "X-JWS-Signature": signature}
    with sender.gateway.client as client:
        return client.post("/v1/withdrawals", content=body, headers=headers)


async def test_what_is_held_is_taken_back_once_and_the_same_order_gets_the_same_answer(
    sender: Sender, teacher: Signer, school: Signer
) -> None:
    transcript, withdrawal = await signed_transcript([teacher, teacher, school]), str(uuid.uuid4())
    assert sender.judged(transcript)[0]["status"] == "ACCEPTED"
    body = order(transcript, signed_request(transcript, school, withdrawal), withdrawal)
    first, again = withdraw(sender, withdrawal, body), withdraw(sender, withdrawal, body)
    assert first.json() == again.json() == sender.get(f"/v1/withdrawals/{withdrawal}").json()
    assert conforms(first.json(), "Withdrawal")
    assert first.json()["state"] == "WITHDRAWN"
    held = sender.get(f"/v1/transcripts/{transcript.identity}").json()
    assert conforms(held, "Transcript")
    assert (held["status"], held["withdrawnAt"] is not None) == ("WITHDRAWN", True)
    other = order(transcript, signed_request(transcript, school, withdrawal), withdrawal)
    assert (withdraw(sender, withdrawal, other).status_code, withdraw(sender, withdrawal, other).json()["code"]) == (409, "NG-015")
    [back] = sender.judged(transcript)
    assert (back["status"], back["code"]) == ("REJECTED", "NG-502")


async def test_what_is_not_held_or_is_another_version_is_refused_for_good(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript, unknown, second = await signed_transcript([teacher, teacher, school]), str(uuid.uuid4()), str(uuid.uuid4())
    refused = withdraw(sender, unknown, order(transcript, signed_request(transcript, school, unknown), unknown)).json()
    assert (refused["state"], refused["code"]) == ("REFUSED", "NG-601")
    assert sender.judged(transcript)[0]["status"] == "ACCEPTED"
    wrong = withdraw(sender, second, order(transcript, signed_request(transcript, school, second, 2), second, 2)).json()
    assert (wrong["state"], wrong["code"]) == ("REFUSED", "NG-602")
    assert sender.get(f"/v1/withdrawals/{uuid.uuid4()}").json()["code"] == "NG-016"


async def test_an_order_without_the_schools_sound_request_is_not_obeyed(sender: Sender, teacher: Signer, school: Signer) -> None:
    transcript, withdrawal = await signed_transcript([teacher, teacher, school]), str(uuid.uuid4())
    assert sender.judged(transcript)[0]["status"] == "ACCEPTED"
    sound = signed_request(transcript, school, withdrawal)
    tampered = sound.replace("Sai điểm môn Toán".encode(), "Sai điểm môn Văn".encode())
    for request, code in ((tampered, "NG-014"), (b"<x/>", "NG-013"), (signed_request(transcript, school, str(uuid.uuid4())), "NG-014")):
        answer = withdraw(sender, withdrawal, order(transcript, request, withdrawal))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert sender.get(f"/v1/transcripts/{transcript.identity}").json()["status"] == "ACCEPTED"
