"""What any national gateway and any admissions portal must do, by the published contracts alone; nothing here is of the sandbox.

It judges the sandbox's, or another implementation:

    HOCBA_JUDGED_GATEWAY=https://… HOCBA_JUDGED_ADMISSIONS=https://… HOCBA_JUDGED_CA=ca.pem HOCBA_JUDGED_DIR=DIR \\
        pytest tests/unit/sandbox/test_any_implementation.py

DIR is a directory of the sandbox's PKI, whose `trust/` and `crl/` the implementation goes by; it must be able to call back to this machine.
Each answer is compared with the OpenAPI document as it comes in.
"""

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.outside import GATEWAY, contract
from tests.unit.sandbox import test_admissions, test_gateway
from tests.unit.sandbox.conftest import Elsewhere, Judged, Receiver
from tests.unit.sandbox.documents import Signer, package, signed_transcript


def judged(request: pytest.FixtureRequest, part: str, directory: Path) -> Judged:
    url = os.environ.get(f"HOCBA_JUDGED_{part.upper()}")
    found: Judged = Elsewhere(part, url, directory) if url else request.getfixturevalue(part)
    return found


@pytest.fixture
def gateway_sender(request: pytest.FixtureRequest, directory: Path, receiver: Receiver) -> test_gateway.Sender:
    return test_gateway.Sender(judged(request, "gateway", directory), directory, receiver)


@pytest.fixture
def portal_sender(request: pytest.FixtureRequest, directory: Path) -> test_admissions.Sender:
    return test_admissions.Sender(judged(request, "admissions", directory), directory)


def result_of(sender: test_gateway.Sender, package_id: str) -> dict[str, Any]:
    """By asking, as for a callback that was lost."""
    for _ in range(600):
        (found,) = sender.get(f"/v1/packages/{package_id}").json()["results"]
        if found["status"] != "PENDING":
            told: dict[str, Any] = found
            return told
        time.sleep(0.05)
    raise TimeoutError(package_id)


async def test_a_gateway_takes_a_sound_package_once_tells_the_result_by_both_ways_and_holds_it(
    gateway_sender: test_gateway.Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await signed_transcript([teacher, teacher, school])
    identity, body = package([transcript], gateway_sender.receiver.url)
    answers = [gateway_sender.send(identity, body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert result_of(gateway_sender, identity)["status"] == "ACCEPTED"
    event = json.loads(gateway_sender.receiver.wait_for(1)[0][1])
    assert contract(GATEWAY).breaches(event, "CallbackEvent") == []
    assert [(r["uuid"], r["status"]) for r in event["results"]] == [(transcript.identity, "ACCEPTED")]
    assert gateway_sender.get(f"/v1/transcripts/{transcript.identity}").json()["status"] == "ACCEPTED"


async def test_a_gateway_refuses_an_unsound_transcript_with_a_reason(gateway_sender: test_gateway.Sender, teacher: Signer) -> None:
    identity, body = package([await signed_transcript([teacher, teacher])], gateway_sender.receiver.url)
    gateway_sender.send(identity, body)
    found = result_of(gateway_sender, identity)
    assert (found["status"], bool(found["code"]), bool(found["reason"])) == ("REJECTED", True, True)


async def test_a_gateway_refuses_at_once_what_is_forged_misnamed_or_no_package(
    gateway_sender: test_gateway.Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await signed_transcript([teacher, teacher, school])
    identity, body = package([transcript], gateway_sender.receiver.url)
    _, other = package([transcript], f"{gateway_sender.receiver.url}/else", identity)
    signature = "e30..c2ln"
    assert gateway_sender.send(identity, body, **{"X-JWS-Signature": signature}).status_code == 401
    assert gateway_sender.send(str(uuid.uuid4()), body).status_code == 400
    assert gateway_sender.send(identity, b"no zip").status_code == 400
    assert gateway_sender.send(identity, body, **{"Content-Type": "text/plain"}).status_code == 415
    assert gateway_sender.send(identity, body).status_code == 202
    assert gateway_sender.send(identity, other).status_code == 409


def test_a_gateway_does_not_know_what_never_came(gateway_sender: test_gateway.Sender) -> None:
    unknown = uuid.uuid4()
    for path in (f"/v1/packages/{unknown}", f"/v1/transcripts/{unknown}", f"/v1/withdrawals/{unknown}"):
        assert gateway_sender.get(path).status_code == 404


async def test_a_portal_gives_one_receipt_for_a_sound_push_and_strikes_out_what_is_revoked(
    portal_sender: test_admissions.Sender, teacher: Signer, school: Signer
) -> None:
    transcript = await test_admissions.final(teacher, school)
    push, body = package([transcript], test_admissions.CALLBACK)
    assert portal_sender.push(push, body).status_code == 202
    first = portal_sender.decided(push)
    assert first["state"] == "RECEIPTED"
    assert portal_sender.push(push, body).json()["receipt"] == first["receipt"]
    _, other = package([transcript], f"{test_admissions.CALLBACK}/else", push)
    assert portal_sender.push(push, other).status_code == 409
    assert portal_sender.revoke(push, transcript).json()["state"] == "REVOKED"
    assert portal_sender.push(push, body).json()["state"] == "REVOKED"


async def test_a_portal_refuses_other_grades_forged_pushes_and_unknown_questions(
    portal_sender: test_admissions.Sender, teacher: Signer, school: Signer
) -> None:
    push, body = package([await test_admissions.final(teacher, school, grade=7)], test_admissions.CALLBACK)
    assert portal_sender.push(push, body, **{"X-JWS-Signature": "e30..c2ln"}).status_code == 401
    portal_sender.push(push, body)
    found = portal_sender.decided(push)
    assert (found["state"], bool(found["code"]), bool(found["reason"])) == ("REFUSED", True, True)
    with portal_sender.portal.client as client:
        assert client.get(f"/v1/pushes/{uuid.uuid4()}").status_code == 404
