"""The signing program from pairing to a proof with a token's key: real gateway, real program, real PKCS#11 token, real certificates."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import OKPKey

from infra.local import Stack
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.mongo import Document, transaction
from services.identity.accounts import sessions
from services.identity.agents import jobs, pairing
from services.identity.errors import AGENT_OFFLINE
from services.means import challenge, token
from services.means.x509 import describe
from tests.integration.agent_world import Computer, served, until_true
from tests.integration.identity_world import PROCESSES, STAFF, Browser, World, code, member, personal_id, world_of
from tests.unit.agent.softhsm import LOCKED, PIN, Kind, new_key, public_pem

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

AGENTS = "/api/identity/agents"
PAGE = "/ui/identity/agents"
TEACHERS = itertools.count(20)
EVERYBODY = (*STAFF, *(member(number) for number in range(20, 60)))


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack("identity-agents-test", only=(*PROCESSES, "gateway"), fresh=True) as running:
        yield running


@dataclass
class School:
    world: World
    administrator: Browser
    pki: str

    async def teacher(self) -> tuple[str, Browser]:
        """Somebody else for each test."""
        person = code(next(TEACHERS))
        return person, await self.world.staff_member(self.administrator, person)

    async def issue(self, **order: Any) -> bytes:
        """DER from the sandbox's authority."""
        async with httpx.AsyncClient(base_url=self.pki, timeout=60, trust_env=False) as client:
            answer = await client.post("/control/certificates", json=order)
        assert answer.status_code == 200, answer.text
        return x509.load_pem_x509_certificate(answer.json()["certificate"].encode()).public_bytes(Encoding.DER)

    async def ask(self, person: str, kind: token.Kind, content: dict[str, Any], valid_for: dt.timedelta = dt.timedelta(minutes=5)) -> str:
        return await transaction(
            self.world.db, lambda session: jobs.ask(self.world.db, session, person=person, kind=kind, content=content, valid_for=valid_for)
        )

    async def ended(self, job: str, person: str) -> Document:
        async def over() -> Document | None:
            found = await jobs.job(self.world.db, job, person)
            assert found is not None
            return None if found["state"] in {"QUEUED", "TAKEN"} else found

        ended = await until_true(over)
        assert ended is not None
        return ended

    async def connected(self, person: str) -> None:
        await until_true(lambda: jobs.online(self.world.db, person))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(stack: Stack) -> AsyncIterator[School]:
    async with world_of(stack) as world, served(world.app, stack.instance.ports["identity-web"]):
        administrator = await world.school(EVERYBODY)
        yield School(world, administrator, stack.instance.url("sandbox-pki"))


@pytest.fixture
def computer(stack: Stack, tmp_path: Path) -> Computer:
    return Computer(tmp_path, stack.instance.public_url, stack.instance.tls / "ca.pem")


async def new_code(browser: Browser) -> str:
    return str((await browser.post(f"{AGENTS}/pairing-codes"))["code"])


async def paired(computer: Computer, browser: Browser) -> None:
    status, said = await computer.pair(await new_code(browser))
    assert status == 0, said


async def api_agent(school: School, browser: Browser, host: str = "pc") -> Browser:
    """A paired program without the program: its cookie, to ask what it could ask."""
    made = school.world.browser()
    order = {"code": await new_code(browser), "host": host, "version": "0.1.0"}
    answer = await made.ask("POST", "/api/identity/sessions/agents", json=order)
    assert answer.status_code == 200, answer.text
    return made


async def polled(agent: Browser, working: list[str] | None = None) -> str | None:
    """The signed job, if there is one."""
    answer = await agent.ask("GET", f"{AGENTS}/jobs", params={"wait": 0, "working": working or []})
    assert answer.status_code in {200, 204}, answer.text
    return str(answer.json()["job"]) if answer.status_code == 200 else None


async def token_with(school: School, computer: Computer, number: int, kind: Kind = "p256", **order: Any) -> bytes:
    """A plugged-in token with a key and its certificate, issued to the person; the module under test has no part in it."""
    key = new_key(kind)
    made = await school.issue(kind="personal", name="Nguyễn Văn An", identifier=personal_id(number), public_key=public_pem(key), **order)
    computer.tokens.add("VNPT-CA")
    computer.tokens.put_key("VNPT-CA", key)
    await put_certificate(computer, made)
    return made


async def put_certificate(computer: Computer, made: bytes) -> None:
    """In a process of its own: a PKCS#11 module reads its configuration once a process."""
    (computer.folder / "certificate.der").write_bytes(made)
    script = (
        "import sys; from pathlib import Path; from tests.unit.agent.softhsm import Tokens; "
        "folder = Path(sys.argv[1]); Tokens(folder / 'softhsm').put_certificate('VNPT-CA', (folder / 'certificate.der').read_bytes())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(computer.folder), env={**os.environ, **computer.tokens.environment}
    )
    assert await process.wait() == 0


def proof_of(made: bytes, person: str, scheme: str = "ecdsa") -> dict[str, Any]:
    text = challenge.write(made, purpose="Đăng ký tài khoản ký", server="https://hocba", registrant=person, at=clock.now())
    return {"text": text, "certificate": hashlib.sha256(made).hexdigest(), "scheme": scheme}


@pytest.mark.parametrize(("kind", "scheme"), [("rsa2048", "rsa-pkcs1"), ("rsa2048", "rsa-pss"), ("p256", "ecdsa"), ("p384", "ecdsa")])
async def test_a_teacher_pairs_the_program_and_proves_to_hold_the_key_on_the_token(
    school: School, computer: Computer, kind: Kind, scheme: str
) -> None:
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]), kind)
    await paired(computer, browser)
    assert await jobs.online(school.world.db, person) is None
    async with computer.running("run") as program:
        await school.connected(person)
        listing = await school.ended(await school.ask(person, "certificates", {}), person)
        listed = token.Certificates.model_validate(listing["result"]).certificates
        assert [(one.token, one.der) for one in listed] == [("VNPT-CA", made)]
        assert describe(listed[0].der).personal_id == personal_id(int(person[-3:]))
        asked = proof_of(made, person, scheme)
        job = await school.ask(person, "prove", asked)
        await program.says("Mã PIN")
        assert asked["text"] in program.said, "the person sees what is signed before the PIN is asked"
        await program.type(PIN)
        done = await school.ended(job, person)
        assert done["state"] == "DONE"
        challenge.verify(made, asked["text"], token.Proof.model_validate(done["result"]).value, asked["scheme"])
    assert PIN not in json.dumps([listing, done], default=str).replace(asked["text"], "").replace(asked["certificate"], "")


async def test_the_doctor_finds_everything_in_order_on_a_paired_computer(school: School, computer: Computer) -> None:
    person, browser = await school.teacher()
    await token_with(school, computer, int(person[-3:]))
    await paired(computer, browser)
    status, said = await computer.run("doctor")
    assert status == 0, said
    assert f"Kết nối được máy chủ {computer.server}" in said
    assert "Đã ghép nối với tài khoản" in said
    assert "được phép dùng để ký số" in said
    assert "[Chưa đạt]" not in said


async def test_a_server_that_the_computer_does_not_trust_is_refused(school: School, computer: Computer) -> None:
    _, browser = await school.teacher()
    status, said = await computer.run("pair", "--server", computer.server, "--module", "x.so", await new_code(browser))
    assert status == 1
    assert "Không kiểm chứng được máy chủ" in said


async def proving(school: School, computer: Computer, pins: list[str], **order: Any) -> tuple[str, str]:
    """What became of a proof whose person types these PINs: the failure and what was said."""
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]), **order)
    await paired(computer, browser)
    async with computer.running("run") as program:
        await school.connected(person)
        job = await school.ask(person, "prove", proof_of(made, person))
        for nth, pin in enumerate(pins, start=1):
            await program.says("Mã PIN của thiết bị", nth)
            await program.type(pin)
        return str((await school.ended(job, person))["failure"]), program.said


async def test_a_wrong_pin_is_told_to_the_person_and_to_the_server(school: School, computer: Computer) -> None:
    failure, said = await proving(school, computer, ["000000", "000001", "000002"])
    assert failure == "pin_wrong"
    assert said.count("Mã PIN không đúng") == 3
    assert "Đã nhập sai ít nhất một lần" in said


async def test_a_proof_that_the_person_leaves_is_cancelled(school: School, computer: Computer) -> None:
    failure, _ = await proving(school, computer, [""])
    assert failure == "cancelled"


async def test_an_expired_certificate_is_not_signed_with(school: School, computer: Computer) -> None:
    failure, said = await proving(school, computer, [], defects=["expired"])
    assert failure == "certificate_out_of_date"
    assert "hết hạn" in said


async def test_a_locked_token_is_told_without_asking_for_its_pin(school: School, computer: Computer) -> None:
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]))
    computer.tokens.mark(LOCKED)
    await paired(computer, browser)
    async with computer.running("run") as program:
        await school.connected(person)
        done = await school.ended(await school.ask(person, "prove", proof_of(made, person)), person)
        assert done["failure"] == "pin_locked"
        assert "Mã PIN của thiết bị" not in program.said


async def test_a_token_pulled_out_while_the_pin_is_asked_is_told_and_one_put_back_works(school: School, computer: Computer) -> None:
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]))
    await paired(computer, browser)
    kept = computer.folder / "pulled-out"
    async with computer.running("run") as program:
        await school.connected(person)
        job = await school.ask(person, "prove", proof_of(made, person))
        await program.says("Mã PIN của thiết bị")
        computer.tokens.store.rename(kept)
        computer.tokens.store.mkdir()
        await program.type(PIN)
        assert (await school.ended(job, person))["failure"] == "no_token"
        computer.tokens.store.rmdir()
        kept.rename(computer.tokens.store)
        job = await school.ask(person, "prove", proof_of(made, person))
        await program.says("Mã PIN của thiết bị", 2)
        await program.type(PIN)
        assert (await school.ended(job, person))["state"] == "DONE"


class Forger:
    """Signs jobs in place of the server's own signer: with another key, for another agent, past their time, or an old one again."""

    def __init__(self, real: token.JobSigner, how: str, folder: Path) -> None:
        self.real, self.how = real, how
        file = folder / "other.jwk"
        file.write_text(json.dumps(OKPKey.generate_key("Ed25519", {"kid": real.public_keys()["keys"][0]["kid"]}).as_dict(private=True)))
        self.other = token.JobSigner(file)

    def public_keys(self) -> dict[str, Any]:
        return self.real.public_keys()

    def sign(self, **asked: Any) -> str:
        if self.how == "another key":
            return self.other.sign(**asked)
        if self.how == "another agent":
            return self.real.sign(**{**asked, "agent": "someone-else"})
        return self.real.sign(**{**asked, "expires_at": clock.now() - dt.timedelta(seconds=1)})


@pytest.mark.parametrize("how", ["another key", "another agent", "expired"])
async def test_a_forged_job_is_not_carried_out(school: School, computer: Computer, how: str) -> None:
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]))
    await paired(computer, browser)
    state = school.world.app.state
    real = state.job_signer
    state.job_signer = Forger(real, how, computer.folder)
    async with computer.running("run") as program:
        try:
            await school.connected(person)
            job = await school.ask(person, "prove", proof_of(made, person))
            await program.says("không đúng là của máy chủ đã ghép nối")
        finally:
            state.job_signer = real
        assert "Mã PIN của thiết bị" not in program.said
        await program.says("Mã PIN của thiết bị")  # the same job, signed by the server after all
        await program.type(PIN)
        assert (await school.ended(job, person))["state"] == "DONE"


async def test_a_job_played_back_is_not_carried_out_twice(school: School, computer: Computer) -> None:
    person, browser = await school.teacher()
    made = await token_with(school, computer, int(person[-3:]))
    await paired(computer, browser)
    async with computer.running("run") as program:
        await school.connected(person)
        job = await school.ask(person, "prove", proof_of(made, person))
        await program.says("Mã PIN của thiết bị")
        await program.type(PIN)
        first = await school.ended(job, person)
        await school.world.db["agent_jobs"].update_one({"_id": job}, {"$set": {"state": "QUEUED", "result": None}})
        second = await school.ended(job, person)
        assert (second["state"], second["failure"]) == ("FAILED", "refused")
        assert first["state"] == "DONE"
        assert program.said.count("Mã PIN của thiết bị") == 1


async def test_a_program_signed_out_from_the_devices_ends_and_forgets_its_pairing(school: School, computer: Computer) -> None:
    person, browser = await school.teacher()
    await paired(computer, browser)
    async with computer.running("run") as program:
        await school.connected(person)
        devices = await browser.get("/api/identity/sessions")
        found = [device for device in devices if device["device"].startswith("Chương trình ký trên máy tính ")]
        assert len(found) == 1
        assert (await browser.ask("DELETE", f"/api/identity/sessions/{found[0]['id']}")).status_code == 204
        assert await program.ended() == 3
        assert "ghép nối đã kết thúc" in program.said
    assert not (computer.home / "pairing.json").exists()
    assert await browser.get(AGENTS) == []


async def test_a_program_may_ask_for_nothing_but_its_jobs(school: School) -> None:
    _, browser = await school.teacher()
    agent = await api_agent(school, browser)
    described = (await agent.ask("GET", "/api/identity/openapi.json")).json()["paths"]
    own = {f"{AGENTS}/me", f"{AGENTS}/jobs"}
    open_to_all = {f"{AGENTS}/keys"}
    asked = {path: await agent.ask("GET", path) for path, acts in described.items() if "get" in acts and "{" not in path}
    assert {path for path, answer in asked.items() if answer.status_code < 400} == own | open_to_all
    assert {a.status_code for path, a in asked.items() if path not in own | open_to_all} <= {403, 422}
    for page in ("/ui/identity/", PAGE, "/ui/identity/devices", "/ui/identity/password", "/ui/identity/signing-accounts"):
        assert (await agent.ask("GET", page)).status_code == 403, page
    acts: list[tuple[str, str, object]] = [
        ("POST", f"{AGENTS}/pairing-codes", {}),
        ("POST", "/api/identity/password", {"old": "a", "new": "b"}),
        ("POST", "/api/identity/sessions/end-others", {}),
        ("DELETE", "/api/identity/sessions/current", None),
    ]
    for method, path, body in acts:
        assert (await agent.ask(method, path, json=body)).status_code == 403, path


async def test_a_person_may_not_ask_for_jobs(school: School) -> None:
    _, browser = await school.teacher()
    for path in (f"{AGENTS}/jobs", f"{AGENTS}/me"):
        assert (await browser.ask("GET", path)).status_code == 403
        assert (await school.world.browser().ask("GET", path)).status_code == 401


async def test_a_signed_out_program_gets_nothing_while_its_last_token_lives(school: School) -> None:
    _, browser = await school.teacher()
    agent = await api_agent(school, browser)
    fresh = (await agent.client.get("/internal/session")).headers["X-Internal-Token"]
    headers = {"Authorization": f"Bearer {fresh}"}
    assert (await agent.client.get(f"{AGENTS}/me", headers=headers)).status_code == 200
    state = await browser.get(AGENTS)
    assert (await browser.ask("DELETE", f"/api/identity/sessions/{state[0]['id']}")).status_code == 204
    for path in (f"{AGENTS}/me", f"{AGENTS}/jobs"):
        assert (await agent.client.get(path, headers=headers)).status_code == 401


async def test_a_program_that_waits_for_jobs_is_let_go_when_it_is_signed_out(school: School) -> None:
    _, browser = await school.teacher()
    agent = await api_agent(school, browser)
    waiting = asyncio.create_task(agent.ask("GET", f"{AGENTS}/jobs", params={"wait": 25}))

    async def connected() -> list[str]:
        return [one["id"] for one in await browser.get(AGENTS) if one["online"]]

    ids = await until_true(connected)
    assert (await browser.ask("DELETE", f"/api/identity/sessions/{ids[0]}")).status_code == 204
    assert (await waiting).status_code == 401


async def test_a_pairing_code_serves_once(school: School, computer: Computer) -> None:
    _, browser = await school.teacher()
    used = await new_code(browser)
    assert (await computer.pair(used.lower()))[0] == 0
    status, said = await computer.pair(used)
    assert status == 1
    assert "Mã ghép nối không đúng" in said
    kept = await school.world.db["agent_pairings"].find({}).to_list(None)
    assert used.replace("-", "") not in json.dumps(kept, default=str)


async def pair_status(school: School, given: str) -> tuple[int, str]:
    order = {"code": given, "host": "pc", "version": "0.1.0"}
    answer = await school.world.browser().ask("POST", "/api/identity/sessions/agents", json=order)
    return answer.status_code, answer.json().get("code", "")


async def test_a_pairing_code_is_void_after_five_minutes(school: School) -> None:
    person, browser = await school.teacher()
    made = await new_code(browser)
    stored = await school.world.db["agent_pairings"].find_one({"person": person})
    assert stored is not None
    assert dt.timedelta(minutes=4) < stored["expires_at"] - clock.now() <= pairing.VALID
    await school.world.db["agent_pairings"].update_one({"person": person}, {"$set": {"expires_at": clock.now()}})
    assert await pair_status(school, made) == (422, "HB-IDN-070")


async def test_a_new_pairing_code_makes_the_one_before_void(school: School) -> None:
    _, browser = await school.teacher()
    first, second = await new_code(browser), await new_code(browser)
    assert await pair_status(school, first) == (422, "HB-IDN-070")
    assert (await pair_status(school, second))[0] == 200


async def test_a_pairing_code_ends_with_the_session_that_asked_for_it(school: School) -> None:
    _, browser = await school.teacher()
    made = await new_code(browser)
    assert (await browser.ask("DELETE", "/api/identity/sessions/current")).status_code == 204
    assert await pair_status(school, made) == (422, "HB-IDN-070")


async def test_guessing_pairing_codes_is_stopped_wherever_the_guesses_come_from(school: School) -> None:
    _, browser = await school.teacher()
    made = await new_code(browser)
    guesses = school.world.db["pairing_guesses"]
    at = clock.now()
    minutes = [(at + dt.timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M") for n in (0, 1)]
    for minute in minutes:
        await guesses.update_one({"_id": minute}, {"$set": {"wrong": pairing.WRONG_A_MINUTE - 2, "at": at}}, upsert=True)
    answers = [await pair_status(school, "AAAA-AAA" + last) for last in "BCDEFG"]
    assert answers[0] == (422, "HB-IDN-070")
    assert answers[-1] == (429, "HB-IDN-071")
    assert await pair_status(school, made) == (429, "HB-IDN-071")
    await guesses.delete_many({})
    assert (await pair_status(school, made))[0] == 200
    assert [one["wrong"] async for one in guesses.find({})] == [0], "a right code is not counted"


async def test_without_a_connected_program_nothing_can_be_asked(school: School) -> None:
    person, browser = await school.teacher()
    with pytest.raises(Refused) as refused:
        await school.ask(person, "certificates", {})
    assert refused.value.refusal is AGENT_OFFLINE
    agent = await api_agent(school, browser)
    with pytest.raises(Refused):
        await school.ask(person, "certificates", {})
    await polled(agent)
    assert await school.ask(person, "certificates", {})
    gone = clock.now() - dt.timedelta(minutes=1)
    await school.world.db["sessions"].update_many({"person": person, "kind": "agent"}, {"$set": {"polled_at": gone}})
    with pytest.raises(Refused):
        await school.ask(person, "certificates", {})


async def test_a_job_is_delivered_again_until_it_is_answered_and_answered_once(school: School) -> None:
    person, browser = await school.teacher()
    agent = await api_agent(school, browser)
    await polled(agent)
    job = await school.ask(person, "certificates", {})
    assert await polled(agent) is not None
    assert await polled(agent) is not None, "the connection was lost, and the job with it"
    assert await polled(agent, [job]) is None
    answer: dict[str, Any] = {"result": {"certificates": []}}
    assert (await agent.ask("POST", f"{AGENTS}/jobs/{job}", json={"result": {"signature": "AA=="}})).status_code == 422
    assert (await agent.ask("POST", f"{AGENTS}/jobs/{job}", json={})).status_code == 422
    assert (await agent.ask("POST", f"{AGENTS}/jobs/{job}", json=answer)).status_code == 204
    again = await agent.ask("POST", f"{AGENTS}/jobs/{job}", json={"failure": {"code": "cancelled"}})
    assert (again.status_code, again.json()["code"]) == (409, "HB-IDN-074")
    done = await jobs.job(school.world.db, job, person)
    assert done is not None
    assert (done["state"], done["result"]) == ("DONE", {"certificates": []})
    assert await polled(agent) is None
    assert [entry["details"]["state"] for entry in await school.world.audit("agent answered") if entry["actor"] == person] == ["DONE"]


async def test_a_job_of_another_person_is_invisible(school: School) -> None:
    person, browser = await school.teacher()
    other, other_browser = await school.teacher()
    mine, others = await api_agent(school, browser), await api_agent(school, other_browser)
    await polled(mine)
    await polled(others)
    job = await school.ask(person, "certificates", {})
    assert await polled(others) is None
    answer = await others.ask("POST", f"{AGENTS}/jobs/{job}", json={"failure": {"code": "cancelled"}})
    assert (answer.status_code, answer.json()["code"]) == (404, "HB-IDN-073")
    assert await jobs.job(school.world.db, job, other) is None


async def test_a_job_past_its_deadline_is_neither_delivered_nor_answered(school: School) -> None:
    person, browser = await school.teacher()
    agent = await api_agent(school, browser)
    await polled(agent)
    job = await school.ask(person, "certificates", {}, dt.timedelta(0))
    assert await polled(agent) is None
    assert (await agent.ask("POST", f"{AGENTS}/jobs/{job}", json={"failure": {"code": "cancelled"}})).status_code == 409
    found = await jobs.job(school.world.db, job, person)
    assert found is not None
    assert found["state"] == "EXPIRED"


async def test_of_two_programs_the_one_paired_last_is_asked(school: School) -> None:
    person, browser = await school.teacher()
    first = await api_agent(school, browser, "o-nha")
    second = await api_agent(school, browser, "o-truong")
    await polled(second)
    await polled(first)
    await school.ask(person, "certificates", {})
    assert await polled(first) is None
    assert await polled(second) is not None


async def test_the_page_shows_a_code_with_the_steps_and_the_paired_computers(school: School) -> None:
    _, browser = await school.teacher()
    csrf = sessions.csrf_of(browser.client.cookies[sessions.COOKIE])
    page = await browser.ask("GET", PAGE)
    assert page.status_code == 200
    assert "Chưa có máy tính nào được ghép nối" in page.text
    assert (await browser.ask("POST", f"{PAGE}/pairing-codes", data={"csrf": "another"})).status_code == 403
    shown = await browser.ask("POST", f"{PAGE}/pairing-codes", data={"csrf": csrf})
    assert shown.headers["Cache-Control"] == "no-store"
    for system in ("Windows", "Linux", "macOS"):
        assert f">{system}<" in shown.text
    code_shown = shown.text.split('id="pairing-code">')[1].split("<")[0]
    assert f"--server {school.world.settings.public_url} {code_shown}" in shown.text
    assert (await pair_status(school, code_shown))[0] == 200
    page = await browser.ask("GET", PAGE)
    assert ">pc<" in page.text
    assert "Không kết nối" in page.text
    session = (await browser.get(AGENTS))[0]["id"]
    ended = await browser.ask("POST", f"{PAGE}/end", data={"csrf": csrf, "session": session})
    assert (ended.status_code, ended.headers["Location"]) == (303, f"{PAGE}?ended=1")
    assert await browser.get(AGENTS) == []
