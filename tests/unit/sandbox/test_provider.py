"""The remote signing provider, as a client of CSC API v2 meets it."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from asn1crypto import algos
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from tests.unit.sandbox.conftest import Server

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA, PSS, ECDSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.4.3.2"
USERS = [
    {"user": "gv", "password": "mật khẩu", "kind": "personal", "name": "Nguyễn Thị Hồng", "identifier": "031185000001"},
    {"user": "truong", "password": "khác", "kind": "organisation", "name": "Trường A", "identifier": "0200123456", "key": "p256"},
]


class Client:
    """A session of one user."""

    def __init__(self, server: Server, user: str, password: str) -> None:
        self.http = server.client
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        login = self.http.post("/csc/v2/auth/login", headers={"Authorization": f"Basic {basic}"}, json={})
        login.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        self.credential = self.call("credentials/list", {}).json()["credentialIDs"][0]

    def call(self, method: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.post(f"/csc/v2/{method}", json=body)

    def certificate(self) -> x509.Certificate:
        info = self.call("credentials/info", {"credentialID": self.credential, "certificates": "chain"}).json()
        return x509.load_der_x509_certificate(base64.b64decode(info["cert"]["certificates"][0]))

    def authorize(self, digests: list[bytes], **more: Any) -> httpx.Response:
        body = {"credentialID": self.credential, "numSignatures": len(digests), "hashes": encoded(digests), "hashAlgorithmOID": SHA256}
        return self.call("credentials/authorize", {**body, **more})

    def outcome(self, handle: str) -> httpx.Response:
        for _ in range(200):
            answer = self.call("credentials/authorizeCheck", {"handle": handle})
            if answer.status_code != 202:
                return answer
            time.sleep(0.02)
        raise TimeoutError("the phone did not answer")

    def sad(self, digests: list[bytes], **more: Any) -> str:
        answer = self.authorize(digests, **more)
        assert answer.status_code == 202
        return str(self.outcome(answer.json()["handle"]).json()["SAD"])

    def sign(self, sad: str, digests: list[bytes], **more: Any) -> httpx.Response:
        body = {"credentialID": self.credential, "SAD": sad, "hashes": encoded(digests), "hashAlgorithmOID": SHA256, "signAlgo": RSA}
        return self.call("signatures/signHash", {**body, **more})


def encoded(digests: list[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in digests]


def digests_of(*texts: str) -> list[bytes]:
    return [hashlib.sha256(text.encode()).digest() for text in texts]


def is_right(certificate: x509.Certificate, signature: str, digest: bytes) -> bool:
    key, value, prehashed = certificate.public_key(), base64.b64decode(signature), utils.Prehashed(hashes.SHA256())
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, digest, padding.PKCS1v15(), prehashed)
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(value, digest, ec.ECDSA(prehashed))
    except InvalidSignature:
        return False
    return True


@pytest.fixture(scope="session")
def enrolled(provider: Server) -> Server:
    with provider.client as client:
        client.post("/control/users", json={"users": USERS}).raise_for_status()
        client.post("/control/phone", json={"mode": "auto", "delay_ms": 0}).raise_for_status()
    return provider


@pytest.fixture
def teacher(enrolled: Server, provider: Server) -> Iterator[Client]:
    client = Client(enrolled, "gv", "mật khẩu")
    yield client
    client.http.close()


def refused(answer: httpx.Response, error: str, description: str, status: int = 400) -> bool:
    return answer.status_code == status and answer.json() == {"error": error, "error_description": description}


def test_a_wrong_password_is_refused(enrolled: Server) -> None:
    wrong = base64.b64encode(b"gv:x").decode()
    with enrolled.client as client:
        answer = client.post("/csc/v2/auth/login", headers={"Authorization": f"Basic {wrong}"}, json={})
    assert refused(answer, "authentication_error", "An error occurred during authentication process", 401)


def test_calls_without_a_token_or_after_revoking_it_are_refused(teacher: Client) -> None:
    token = teacher.http.headers["Authorization"].removeprefix("Bearer ")
    assert teacher.call("auth/revoke", {"token": token}).status_code == 204
    assert refused(teacher.call("credentials/list", {}), "invalid_token", "Invalid access_token", 401)


def test_a_credential_shows_its_chain_and_that_hashes_are_bound(teacher: Client) -> None:
    body = {"credentialID": teacher.credential, "certificates": "chain", "certInfo": True, "authInfo": True}
    info = teacher.call("credentials/info", body).json()
    chain = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in info["cert"]["certificates"]]
    chain[0].verify_directly_issued_by(chain[1])
    chain[1].verify_directly_issued_by(chain[2])
    assert (info["SCAL"], info["key"]["len"], info["cert"]["status"], info["auth"]["mode"]) == ("2", 2048, "valid", "explicit")
    assert "UID=CCCD:031185000001" in info["cert"]["subjectDN"]


def test_signatures_come_in_the_order_of_the_hashes_and_are_right(teacher: Client) -> None:
    digests = digests_of(*(f"bản {number}" for number in range(100)))
    signatures = teacher.sign(teacher.sad(digests), digests[::-1]).json()["signatures"]
    certificate = teacher.certificate()
    assert [is_right(certificate, *pair) for pair in zip(signatures, digests[::-1], strict=True)] == [True] * 100


def test_asynchronous_signing_is_polled_until_the_signatures_are_there(teacher: Client) -> None:
    digests = digests_of(*(f"nhiều {number}" for number in range(300)))
    request = teacher.sign(teacher.sad(digests), digests, operationMode="A").json()["responseID"]
    while (answer := teacher.call("signatures/signPolling", {"requestID": request})).status_code == 202:
        assert answer.json()["error"] == "accepted_request"
    assert len(answer.json()["signatures"]) == 300


def test_pss_is_used_when_asked_for(teacher: Client) -> None:
    digests = digests_of("pss")
    sha256 = {"algorithm": "sha256"}
    parameters = algos.RSASSAPSSParams(
        {"hash_algorithm": sha256, "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": sha256}, "salt_length": 32}
    )
    encoded_parameters = base64.b64encode(parameters.dump()).decode()
    answer = teacher.sign(teacher.sad(digests), digests, signAlgo=PSS, signAlgoParams=encoded_parameters)
    key = teacher.certificate().public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.verify(base64.b64decode(answer.json()["signatures"][0]), digests[0], scheme, utils.Prehashed(hashes.SHA256()))


def test_a_school_signs_with_p256(enrolled: Server) -> None:
    school = Client(enrolled, "truong", "khác")
    digests = digests_of("niêm phong")
    answer = school.sign(school.sad(digests), digests, signAlgo=ECDSA)
    assert is_right(school.certificate(), answer.json()["signatures"][0], digests[0])
    school.http.close()


def test_a_hash_outside_the_authorisation_is_refused(teacher: Client) -> None:
    sad = teacher.sad(digests_of("một"), numSignatures=2)
    assert refused(teacher.sign(sad, digests_of("hai")), "invalid_request", "Hash is not authorized by the SAD")


def test_no_more_signatures_than_authorised(teacher: Client) -> None:
    digests = digests_of("một lần")
    sad = teacher.sad(digests)
    assert teacher.sign(sad, digests).status_code == 200
    assert refused(teacher.sign(sad, digests), "invalid_request", "Numbers of signatures is too high")


def test_hashes_are_mandatory_and_of_the_right_length(teacher: Client) -> None:
    missing = teacher.call("credentials/authorize", {"credentialID": teacher.credential, "numSignatures": 1})
    assert refused(missing, "invalid_request", "Missing (or invalid type) parameter hashes")
    assert refused(teacher.authorize([b"short"]), "invalid_request", "Invalid digest value length")


def test_a_sad_of_somebody_else_is_refused(enrolled: Server, teacher: Client) -> None:
    school = Client(enrolled, "truong", "khác")
    digests = digests_of("của người khác")
    assert teacher.sign(school.sad(digests), digests).status_code == 400
    school.http.close()


def test_an_old_sad_is_refused(teacher: Client, provider: Server) -> None:
    teacher.http.post("/control/faults", json={"sad_seconds": 0}).raise_for_status()
    digests = digests_of("quá hạn")
    sad = teacher.sad(digests)
    teacher.http.post("/control/faults", json={"sad_seconds": 3600}).raise_for_status()
    assert refused(teacher.sign(sad, digests), "invalid_request", "SAD expired")


def test_a_transaction_is_extended_to_further_hashes_within_the_confirmed_number(teacher: Client) -> None:
    first, second = digests_of("đầu", "sau")
    sad = teacher.sad([first], numSignatures=2)
    assert teacher.sign(sad, [first]).status_code == 200
    body = {"credentialID": teacher.credential, "hashes": encoded([second]), "hashAlgorithmOID": SHA256, "SAD": sad}
    extended = teacher.call("credentials/extendTransaction", body).json()["SAD"]
    assert extended != sad
    assert is_right(teacher.certificate(), teacher.sign(extended, [second]).json()["signatures"][0], second)
    third = {**body, "SAD": extended, "hashes": encoded(digests_of("thừa"))}
    assert refused(teacher.call("credentials/extendTransaction", third), "invalid_request", "Numbers of signatures is too high")


def test_the_phone_waits_for_its_page_in_manual_mode(teacher: Client) -> None:
    teacher.http.post("/control/phone", json={"mode": "manual", "user": "gv"}).raise_for_status()
    handle = teacher.authorize(digests_of("bằng tay"), description="Ký 1 học bạ lớp 6A").json()["handle"]
    assert teacher.call("credentials/authorizeCheck", {"handle": handle}).status_code == 202
    page = teacher.http.get("/phone").text
    assert "Ký 1 học bạ lớp 6A" in page
    assert "Số chữ ký: 1" in page
    assert teacher.http.post(f"/phone/{handle}/confirm").status_code == 303
    assert "SAD" in teacher.outcome(handle).json()


def test_the_phone_page_can_refuse(teacher: Client) -> None:
    teacher.http.post("/control/phone", json={"mode": "manual"}).raise_for_status()
    handle = teacher.authorize(digests_of("không")).json()["handle"]
    teacher.http.post(f"/phone/{handle}/reject")
    assert refused(teacher.outcome(handle), "access_denied", "The user denied the request")


@pytest.mark.parametrize(
    ("mode", "error", "description"),
    [
        ("reject", "access_denied", "The user denied the request"),
        ("expire", "invalid_request", "Authorization request expired"),
    ],
)
def test_the_phone_refuses_or_lets_requests_run_out_on_command(teacher: Client, mode: str, error: str, description: str) -> None:
    teacher.http.post("/control/phone", json={"mode": mode, "delay_ms": 0}).raise_for_status()
    handle = teacher.authorize(digests_of(mode)).json()["handle"]
    assert refused(teacher.outcome(handle), error, description)


def test_wrong_signatures_on_request_are_well_formed_but_wrong(teacher: Client) -> None:
    digests = digests_of("sai", "đúng")
    teacher.http.post("/control/faults", json={"wrong_signature_next": 1}).raise_for_status()
    signatures = teacher.sign(teacher.sad(digests), digests).json()["signatures"]
    certificate = teacher.certificate()
    assert [is_right(certificate, *pair) for pair in zip(signatures, digests, strict=True)] == [False, True]
    assert len(base64.b64decode(signatures[0])) == 256


def test_a_failure_on_request_signs_nothing_and_hits_one_endpoint_only(teacher: Client) -> None:
    digests = digests_of("thất bại")
    order = {"endpoint": "signatures/signHash", "fail_next": 1}
    teacher.http.post("/control/faults", json=order).raise_for_status()
    sad = teacher.sad(digests)
    assert teacher.sign(sad, digests).status_code == 500
    assert teacher.sign(sad, digests).status_code == 200


def test_a_signature_missing_on_request(teacher: Client) -> None:
    digests = digests_of("đủ", "thiếu")
    teacher.http.post("/control/faults", json={"partial_next": 1}).raise_for_status()
    assert len(teacher.sign(teacher.sad(digests), digests).json()["signatures"]) == 1


def test_signatures_and_repeated_hashes_are_counted(teacher: Client) -> None:
    def mine() -> dict[str, int]:
        users = teacher.http.get("/control/stats").json()["users"]
        return dict(users.get("gv", {"signatures": 0, "duplicates": 0}))

    before, digests = mine(), digests_of("đếm")
    teacher.sign(teacher.sad(digests), digests)
    teacher.sign(teacher.sad(digests), digests)
    assert mine() == {"signatures": before["signatures"] + 2, "duplicates": before["duplicates"] + 1}


def test_enrolling_again_changes_nothing_and_keys_survive_a_restart(enrolled: Server, teacher: Client) -> None:
    certificate = teacher.certificate()
    enrolled.kill()
    enrolled.start()
    with enrolled.client as client:
        answer = client.post("/control/users", json={"users": USERS}).json()
    assert [each["created"] for each in answer["users"]] == [False, False]
    again = Client(enrolled, "gv", "mật khẩu")
    assert again.certificate() == certificate
    digests = digests_of("sau khi khởi động lại")
    assert is_right(certificate, again.sign(again.sad(digests), digests).json()["signatures"][0], digests[0])
    again.http.close()
