"""The proof that the key is held: at a real provider with its phone, and with a signing program that answers over the real routes."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.local import Stack
from services.chassis import failpoints, leases
from services.means.csc import Csc
from services.means.remote import Authorisation, ProviderRefused, Refusal, Session
from tests.integration.identity_world import Browser, World, code, login, person_at_provider, personal_id, world_of

ACCOUNTS = "/api/identity/signing-accounts"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made
        async with httpx.AsyncClient(base_url=made.provider, trust_env=False) as provider:
            await provider.delete("/control/faults")


async def control(world: World, path: str, **order: object) -> None:
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        (await provider.post(f"/control/{path}", json=order)).raise_for_status()


async def phone(world: World) -> list[dict[str, Any]]:
    """What waits on the phones."""
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        pending: list[dict[str, Any]] = (await provider.get("/control/phone/pending")).json()["pending"]
        return pending


async def confirm(world: World, handle: str) -> None:
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        assert (await provider.post(f"/phone/{handle}/confirm")).status_code == 303


async def signatures(world: World, user: str) -> int:
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        made: dict[str, dict[str, int]] = (await provider.get("/control/signed")).json()
        return sum(made.get(user, {}).values())


async def teacher_with_account(world: World, user: str, mode: str = "manual") -> Browser:
    """A teacher with an account at the provider whose phone behaves so."""
    administrator = await world.school()
    await world.enrol(person_at_provider(6, user))
    await control(world, "phone", mode=mode, delay_ms=0)
    return await world.staff_member(administrator, code(6))


async def polled(browser: Browser, proof: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = await browser.get(f"/api/identity/proofs/{proof['proof']}")
    return answer


async def registrations(world: World) -> int:
    return await world.db["registrations"].count_documents({})


def verify(certificate: bytes, text: str, signature: bytes) -> None:
    """Raises InvalidSignature."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, text.encode(), ec.ECDSA(SHA256()))


async def test_nothing_is_registered_until_the_person_has_confirmed_on_the_phone(world: World) -> None:
    teacher = await teacher_with_account(world, "confirming")
    answer = await teacher.ask("POST", ACCOUNTS, json=login("confirming"))
    proof = answer.json()
    assert (answer.status_code, proof["state"], proof["state_name"]) == (202, "WAITING_FOR_KEY", "Chờ xác nhận ký số")
    assert (await polled(teacher, proof))["state"] == "WAITING_FOR_KEY"
    assert await registrations(world) == 0
    [asked] = await phone(world)
    assert (asked["user"], asked["description"], asked["signatures"]) == ("confirming", "Đăng ký tài khoản ký của cá nhân", 1)
    await confirm(world, asked["handle"])
    done = await polled(teacher, proof)
    mine = await teacher.get(f"{ACCOUNTS}/mine")
    assert (done["state"], done["registration"], mine["state"], mine["means"]) == ("PROVED", mine["request"], "PENDING", "remote")
    [document] = await world.db["registrations"].find({}).to_list(None)
    kept = document["proof"]
    verify(base64.b64decode(document["certificate"]), kept["text"], base64.b64decode(kept["signature"]))
    lines = kept["text"].splitlines()
    assert (f"Người đăng ký: {code(6)}" in lines, f"SHA-256 của chứng thư số: {document['sha256']}" in lines) == (True, True)
    assert f"Máy chủ: {world.settings.public_url}" in lines


async def test_neither_session_nor_handle_of_the_provider_is_kept_in_clear_and_nothing_of_them_afterwards(world: World) -> None:
    teacher = await teacher_with_account(world, "sealed")
    proof = await teacher.post(ACCOUNTS, login("sealed"))
    [asked] = await phone(world)
    [waiting] = await world.db["proofs"].find({}).to_list(None)
    assert asked["handle"] not in str(waiting)
    opened = world.app.state.registry.box.unseal(waiting["secret"])
    assert json.loads(opened)["token"] not in str(waiting)
    await confirm(world, asked["handle"])
    await polled(teacher, proof)
    [over] = await world.db["proofs"].find({}).to_list(None)
    assert (over["state"], over["secret"], over["handle"], "slot" in over) == ("PROVED", None, None, False)


@pytest.mark.parametrize(("mode", "state", "refusal"), [("reject", "REFUSED", "HB-IDN-081"), ("expire", "EXPIRED", "HB-IDN-082")])
async def test_a_no_or_no_answer_on_the_phone_registers_nothing_and_says_why(world: World, mode: str, state: str, refusal: str) -> None:
    teacher = await teacher_with_account(world, f"phone-{mode}", mode)
    ended = await teacher.register(ACCOUNTS, login(f"phone-{mode}"))
    assert (ended["state"], ended["code"], ended["registration"]) == (state, refusal, None)
    assert ended["cause"]
    assert ended["what_to_do"].startswith(("Nếu đúng là thầy/cô", "Đăng ký lại"))
    assert await registrations(world) == 0
    [told] = await world.audit("key proof ended")
    assert (told["subject"], told["details"]["refusal"]) == (code(6), refusal)
    await control(world, "phone", mode="auto", delay_ms=0)
    assert (await teacher.register(ACCOUNTS, login(f"phone-{mode}")))["state"] == "PROVED"


async def test_a_yes_after_five_minutes_comes_too_late(world: World) -> None:
    teacher = await teacher_with_account(world, "late")
    proof = await teacher.post(ACCOUNTS, login("late"))
    [asked] = await phone(world)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    await world.db["proofs"].update_one({}, {"$set": {"expires_at": past}})
    await confirm(world, asked["handle"])
    ended = await polled(teacher, proof)
    assert (ended["state"], ended["code"], await registrations(world)) == ("EXPIRED", "HB-IDN-082", 0)
    assert await signatures(world, "late") == 0


async def test_a_signature_by_another_key_than_the_certificates_registers_nothing(world: World) -> None:
    teacher = await teacher_with_account(world, "wrong", "auto")
    await control(world, "faults", endpoint="signatures/signHash", wrong_signature_next=1)
    ended = await teacher.register(ACCOUNTS, login("wrong"))
    assert (ended["state"], ended["code"], await registrations(world)) == ("REFUSED", "HB-IDN-084", 0)


@pytest.mark.parametrize(
    ("reason", "refusal", "words"),
    [
        (Refusal.CREDENTIAL_LOCKED, "HB-IDN-083", "bị khoá"),
        (Refusal.UNKNOWN_CREDENTIAL, "HB-IDN-023", "Thông tin thẻ không tồn tại hoặc không đúng"),
        (Refusal.WRONG_SECRET, "HB-IDN-023", "Thông tin thẻ không tồn tại hoặc không đúng"),
        (Refusal.CERTIFICATE_EXPIRED, "HB-IDN-027", "đã hết hạn"),
        (Refusal.OTHER, "HB-IDN-085", "từ chối ký"),
    ],
)
async def test_an_account_that_cannot_sign_is_refused_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch, reason: Refusal, refusal: str, words: str
) -> None:
    teacher = await teacher_with_account(world, "unable", "auto")

    async def refuse(
        csc: Csc, session: Session, credential_id: str, hashes: Sequence[bytes], description: str, **_: object
    ) -> Authorisation:
        raise ProviderRefused(reason, "on request")

    monkeypatch.setattr(Csc, "authorize", refuse)
    ended = await teacher.register(ACCOUNTS, login("unable"))
    assert (ended["state"], ended["code"], words in ended["cause"], await registrations(world)) == ("REFUSED", refusal, True, 0)


@pytest.mark.parametrize("away", ["credentials/authorizeCheck", "signatures/signHash"])
async def test_a_provider_that_goes_down_in_the_middle_is_asked_again_later(world: World, away: str) -> None:
    teacher = await teacher_with_account(world, "outage")
    proof = await teacher.post(ACCOUNTS, login("outage"))
    [asked] = await phone(world)
    await confirm(world, asked["handle"])
    await control(world, "faults", endpoint=away, down=True)
    for _ in range(2):
        assert (await polled(teacher, proof))["state"] == "WAITING_FOR_KEY"
    assert await registrations(world) == 0
    await control(world, "faults", endpoint=away, down=False)
    assert ((await polled(teacher, proof))["state"], await registrations(world)) == ("PROVED", 1)


async def test_a_provider_that_is_down_when_the_person_is_to_be_asked_asks_later(world: World) -> None:
    teacher = await teacher_with_account(world, "asks-later", "auto")
    await control(world, "faults", endpoint="credentials/authorize", down=True)
    proof = await teacher.post(ACCOUNTS, login("asks-later"))
    assert proof["state"] == "WAITING_FOR_KEY"
    await control(world, "faults", endpoint="credentials/authorize", down=False)
    assert (await teacher.proved(proof["proof"]))["state"] == "PROVED"


async def test_many_polls_at_once_sign_once_and_register_once(world: World) -> None:
    teacher = await teacher_with_account(world, "at-once")
    proof = await teacher.post(ACCOUNTS, login("at-once"))
    [asked] = await phone(world)
    await confirm(world, asked["handle"])
    states = await asyncio.gather(*(polled(teacher, proof) for _ in range(8)))
    assert {s["state"] for s in states} <= {"WAITING_FOR_KEY", "PROVED"}
    assert (await polled(teacher, proof))["state"] == "PROVED"
    assert (await signatures(world, "at-once"), await registrations(world)) == (1, 1)


@dataclass
class Killed(BaseException):
    """As `kill -9` at a named point: nothing after it happens, not even what is there to tidy up."""

    point: str


@pytest.mark.parametrize(
    ("point", "ends"),
    [
        ("identity.proof.authorised", "PROVED"),
        pytest.param("identity.proof.signed", "REFUSED", marks=pytest.mark.slow),
        pytest.param("identity.proof.kept", "PROVED", marks=pytest.mark.slow),
    ],
)
async def test_a_process_killed_on_the_way_leaves_a_proof_that_goes_on_or_is_tried_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str, ends: str
) -> None:
    user = point.rpartition(".")[2]
    teacher = await teacher_with_account(world, user, "auto")

    def die(name: str) -> None:
        if name == point:
            raise Killed(point)

    async def nothing(*_: object) -> None:
        """A killed process gives nothing back."""

    with monkeypatch.context() as dying:
        dying.setattr(failpoints, "reach", die)
        dying.setattr(leases, "release", nothing)
        with pytest.raises(BaseException, match=r".*") as killed:
            await teacher.register(ACCOUNTS, login(user))
    assert killed.group_contains(Killed) if isinstance(killed.value, BaseExceptionGroup) else isinstance(killed.value, Killed)
    [left] = await world.db["proofs"].find({}).to_list(None)
    assert (left["state"], await registrations(world)) == ("WAITING_FOR_KEY", 0)
    proof = {"proof": left["_id"]}
    assert (await polled(teacher, proof))["state"] == "WAITING_FOR_KEY", "its lease still stands"
    await world.db["proofs"].update_one({}, {"$set": {"lease.until": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}})
    ended = await teacher.proved(left["_id"])
    assert (ended["state"], await registrations(world)) == (ends, int(ends == "PROVED"))
    assert (await teacher.register(ACCOUNTS, login(user)))["state"] == "PROVED"
    assert await registrations(world) == 1


async def test_the_same_click_twice_asks_the_phone_once(world: World) -> None:
    teacher = await teacher_with_account(world, "twice")
    first = await teacher.post(ACCOUNTS, login("twice"))
    second = await teacher.post(ACCOUNTS, login("twice"))
    assert first["proof"] == second["proof"]
    assert len(await phone(world)) == 1


async def test_a_new_attempt_takes_the_place_of_the_one_before(world: World) -> None:
    teacher = await teacher_with_account(world, "anew")
    await world.enrol(person_at_provider(6, "anew-2"))
    await control(world, "phone", mode="manual", delay_ms=0)
    first = await teacher.post(ACCOUNTS, login("anew"))
    second = await teacher.post(ACCOUNTS, login("anew-2"))
    for asked in await phone(world):
        await confirm(world, asked["handle"])
    assert ((await polled(teacher, first))["code"], (await polled(teacher, second))["state"]) == ("HB-IDN-082", "PROVED")
    assert await registrations(world) == 1


async def test_a_proof_given_up_registers_nothing_even_when_the_phone_says_yes(world: World) -> None:
    teacher = await teacher_with_account(world, "given-up")
    proof = await teacher.post(ACCOUNTS, login("given-up"))
    [asked] = await phone(world)
    assert (await teacher.post(f"/api/identity/proofs/{proof['proof']}/give-up"))["state"] == "EXPIRED"
    await confirm(world, asked["handle"])
    assert ((await polled(teacher, proof))["state"], await registrations(world)) == ("EXPIRED", 0)


async def test_nobody_sees_or_carries_on_the_proof_of_another(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "own"))
    teacher, other = await world.staff_member(administrator, code(6)), await world.staff_member(administrator, code(7))
    await control(world, "phone", mode="manual", delay_ms=0)
    proof = await teacher.post(ACCOUNTS, login("own"))
    for stranger in (other, administrator):
        for method, path in (("GET", ""), ("POST", "/give-up")):
            answer = await stranger.ask(method, f"/api/identity/proofs/{proof['proof']}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "HB-IDN-080")
    assert (await polled(teacher, proof))["state"] == "WAITING_FOR_KEY"


async def test_two_first_attempts_at_once_leave_one_open(world: World) -> None:
    teacher = await teacher_with_account(world, "race")
    answers = await asyncio.gather(*(teacher.ask("POST", ACCOUNTS, json=login("race")) for _ in range(3)))
    assert {a.status_code for a in answers} == {202}
    assert await world.db["proofs"].count_documents({"state": "WAITING_FOR_KEY"}) == 1


# with a token


@dataclass
class Program:
    """A signing program on the teacher's computer with one key, paired over the real routes."""

    world: World
    browser: Browser
    certificate: bytes
    chain: tuple[bytes, ...]
    key: rsa.RSAPrivateKey

    async def next(self) -> dict[str, Any]:
        answer = await self.browser.ask("GET", "/api/identity/agents/jobs", params={"wait": 0})
        assert answer.status_code == 200, answer.text
        payload = answer.json()["job"].split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    async def answer(self, job: dict[str, Any], **given: object) -> None:
        assert (await self.browser.ask("POST", f"/api/identity/agents/jobs/{job['jti']}", json=given)).status_code == 204

    async def listed(self) -> None:
        chain = [base64.b64encode(c).decode() for c in self.chain]
        found = {"token": "Thiết bị thử", "label": "An", "certificate": base64.b64encode(self.certificate).decode(), "chain": chain}
        await self.answer(await self.next(), result={"certificates": [found]})

    def sign(self, text: str) -> str:
        return base64.b64encode(self.key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


async def teacher_with_token(world: World, light_stack: Stack) -> tuple[Browser, Program]:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    shown = await teacher.post("/api/identity/agents/pairing-codes")
    browser = world.browser()
    order = {"code": shown["code"], "host": "may-tinh", "version": "1.0"}
    assert (await browser.ask("POST", "/api/identity/sessions/agents", json=order)).status_code == 200
    await browser.ask("GET", "/api/identity/agents/jobs", params={"wait": 0})
    async with httpx.AsyncClient(base_url=light_stack.info["sandbox"]["pki"], timeout=60, trust_env=False) as pki:
        wanted = {"kind": "personal", "name": "Nguyễn Văn 6", "identifier": personal_id(6)}
        made = (await pki.post("/control/certificates", json=wanted)).json()
    key = load_pem_private_key(made["key"].encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    chain = tuple(ssl.PEM_cert_to_DER_cert(c) for c in made["chain"])
    return teacher, Program(world, browser, ssl.PEM_cert_to_DER_cert(made["certificate"]), chain, key)


async def chosen_on_token(teacher: Browser, program: Program) -> dict[str, Any]:
    """A proof that waits for the signature of the token."""
    proof = await teacher.post(ACCOUNTS, {"means": "token"})
    assert (proof["state"], proof["offers"]) == ("CHOOSING", [])
    await program.listed()
    [offer] = (await polled(teacher, proof))["offers"]
    assert offer["usable"]
    asked: dict[str, Any] = await teacher.post(
        f"/api/identity/proofs/{proof['proof']}/certificate", {"credential_id": offer["credential_id"]}
    )
    assert asked["state"] == "WAITING_FOR_KEY"
    return asked


async def test_a_token_is_registered_with_the_signature_of_its_own_key(world: World, light_stack: Stack) -> None:
    teacher, program = await teacher_with_token(world, light_stack)
    proof = await chosen_on_token(teacher, program)
    job = await program.next()
    assert (job["kind"], job["content"]["scheme"]) == ("prove", "rsa-pkcs1")
    assert await registrations(world) == 0
    await program.answer(job, result={"signature": program.sign(job["content"]["text"])})
    assert (await polled(teacher, proof))["state"] == "PROVED"
    mine = await teacher.get(f"{ACCOUNTS}/mine")
    assert (mine["state"], mine["means"], mine["provider"]) == ("PENDING", "token", None)


async def test_a_token_whose_signature_is_of_another_text_is_not_registered(world: World, light_stack: Stack) -> None:
    teacher, program = await teacher_with_token(world, light_stack)
    proof = await chosen_on_token(teacher, program)
    job = await program.next()
    await program.answer(job, result={"signature": program.sign(job["content"]["text"] + " ")})
    ended = await polled(teacher, proof)
    assert (ended["state"], ended["code"], await registrations(world)) == ("REFUSED", "HB-IDN-084", 0)


async def test_what_the_signing_program_could_not_do_is_said_in_words(world: World, light_stack: Stack) -> None:
    teacher, program = await teacher_with_token(world, light_stack)
    proof = await chosen_on_token(teacher, program)
    await program.answer(await program.next(), failure={"code": "pin_locked"})
    ended = await polled(teacher, proof)
    assert (ended["state"], ended["code"], ended["cause"]) == ("REFUSED", "HB-IDN-086", "Thiết bị ký đã bị khoá mã PIN.")


async def test_without_a_connected_signing_program_nothing_is_begun(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    answer = await teacher.ask("POST", ACCOUNTS, json={"means": "token"})
    assert (answer.status_code, answer.json()["code"]) == (409, "HB-IDN-072")
    assert await world.db["proofs"].count_documents({}) == 0
