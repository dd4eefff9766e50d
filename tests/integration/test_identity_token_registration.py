"""A teacher and a school register with a USB token: real gateway, real signing program, real PKCS#11 token, real certificates."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from infra.local import Stack
from services.identity.agents import jobs
from services.means import challenge
from tests.integration.agent_world import Computer, served, until_true
from tests.integration.identity_world import PROCESSES, Browser, World, code, personal_id, world_of
from tests.unit.agent.softhsm import PIN, Kind, new_key, public_pem

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCOUNTS = "/api/identity/signing-accounts"
SCHOOL_CERTIFICATE = "/api/identity/school-certificate"
TOKEN = "VNPT-CA"
PUT = (
    "import sys; from pathlib import Path; from tests.unit.agent.softhsm import Tokens; folder = Path(sys.argv[1]); "
    "tokens = Tokens(folder / 'softhsm'); "
    "[tokens.put_certificate(sys.argv[2], f.read_bytes(), f.stem, 1 if f.stem == '0' else None) for f in sorted(folder.glob('*.der'))]"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack("identity-token-test", only=(*PROCESSES, "gateway"), fresh=True) as running:
        yield running


@dataclass
class School:
    world: World
    administrator: Browser
    pki: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(stack: Stack) -> AsyncIterator[School]:
    async with world_of(stack) as world, served(world.app, stack.instance.ports["identity-web"]):
        yield School(world, await world.school(), stack.instance.url("sandbox-pki"))


@pytest.fixture
def computer(stack: Stack, tmp_path: Path) -> Computer:
    return Computer(tmp_path, stack.instance.public_url, stack.instance.tls / "ca.pem")


async def plugged_in(computer: Computer, pki_url: str, key_kind: Kind, **order: Any) -> bytes:
    """A token with a key, its certificate and the issuers above it; the certificate in DER."""
    key = new_key(key_kind)
    async with httpx.AsyncClient(base_url=pki_url, timeout=60, trust_env=False) as pki:
        made = (await pki.post("/control/certificates", json={**order, "public_key": public_pem(key)})).raise_for_status().json()
    computer.tokens.add(TOKEN)
    computer.tokens.put_key(TOKEN, key)
    found = [ssl.PEM_cert_to_DER_cert(pem) for pem in (made["certificate"], *made["chain"])]
    for number, der in enumerate(found):
        (computer.folder / f"{number}.der").write_bytes(der)
    environment = {**os.environ, **computer.tokens.environment}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PUT, str(computer.folder), TOKEN, env=environment)
    assert await process.wait() == 0
    return found[0]


async def register(
    school: School, browser: Browser, person: str, computer: Computer, *, path: str = ACCOUNTS, pin: str = PIN
) -> dict[str, Any]:
    """As the person does it: pair, ask, choose what is offered, type the PIN; the proof as it ended."""
    status, said = await computer.pair(str((await browser.post("/api/identity/agents/pairing-codes"))["code"]))
    assert status == 0, said
    async with computer.running("run") as program:
        await until_true(lambda: jobs.online(school.world.db, person))
        proof = await browser.post(path, {"means": "token"})

        async def offered() -> list[dict[str, Any]]:
            return list((await browser.get(f"/api/identity/proofs/{proof['proof']}"))["offers"])

        [offer] = await until_true(offered)
        assert offer["usable"], offer["problems"]
        await browser.post(f"/api/identity/proofs/{proof['proof']}/certificate", {"credential_id": offer["credential_id"]})
        await program.says("Mã PIN")
        await program.type(pin)
        ended: dict[str, Any] = await browser.proved(proof["proof"])
        return ended


@pytest.mark.parametrize(("number", "kind", "scheme"), [(6, "rsa2048", "rsa-pkcs1"), (7, "p256", "ecdsa")])
async def test_a_teacher_registers_with_the_key_on_the_token(
    school: School, computer: Computer, number: int, kind: Kind, scheme: str
) -> None:
    person = code(number)
    teacher = await school.world.staff_member(school.administrator, person)
    order = {"kind": "personal", "name": f"Nguyễn Văn {number}", "identifier": personal_id(number)}
    certificate = await plugged_in(computer, school.pki, kind, **order)
    assert (await register(school, teacher, person, computer))["state"] == "PROVED"
    mine = await teacher.get(f"{ACCOUNTS}/mine")
    assert (mine["state"], mine["means"], mine["provider"]) == ("PENDING", "token", None)
    document = await school.world.db["registrations"].find_one({"owner": person})
    assert document is not None
    kept = document["proof"]
    assert kept["scheme"] == scheme
    challenge.verify(certificate, kept["text"], base64.b64decode(kept["signature"]), kept["scheme"])
    assert (await school.administrator.post(f"{ACCOUNTS}/approve", {"persons": [person]}))["done"] == 1


async def test_the_school_registers_with_the_key_on_its_token(school: School, computer: Computer) -> None:
    issuer = await school.world.staff_member(school.administrator, code(4))
    order = {"kind": "organisation", "name": "Trường Tiểu học An Hồng", "identifier": "0231300001"}
    await plugged_in(computer, school.pki, "rsa2048", **order)
    assert (await register(school, issuer, code(4), computer, path=SCHOOL_CERTIFICATE))["state"] == "PROVED"
    shown = await issuer.get(SCHOOL_CERTIFICATE)
    assert (shown["state"], shown["history"][0]["means"], shown["history"][0]["person"]) == ("PENDING", "token", code(4))


async def test_a_person_who_leaves_the_pin_registers_nothing(school: School, computer: Computer) -> None:
    manager = await school.world.staff_member(school.administrator, code(2))
    await plugged_in(computer, school.pki, "p256", kind="personal", name="Nguyễn Văn 2", identifier=personal_id(2))
    ended = await register(school, manager, code(2), computer, pin="")
    assert (ended["state"], ended["code"]) == ("REFUSED", "HB-IDN-086")
    assert ended["cause"] == "Đã bỏ qua yêu cầu trên chương trình ký số."
    assert await school.world.db["registrations"].count_documents({"owner": code(2)}) == 0
