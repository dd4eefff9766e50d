"""Certificates that must not be registered or approved, issued by the sandbox PKI and judged with its real OCSP answers and lists.

The provider's answers are given here, as no provider makes weak keys or leaves out an issuer. A certificate that another school
holds, and a second one while the first waits, are refused in test_identity_certificates.py.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.local import Stack
from services.chassis.settings import needed
from services.identity.certificates.providers import Providers
from services.means.csc import Csc
from services.means.remote import Authorisation, Authorized, Credential, Session
from tests.integration.identity_world import Browser, World, code, login, personal_id, world_of

ACCOUNTS = "/api/identity/signing-accounts"
SCHOOL_CERTIFICATE = "/api/identity/school-certificate"
TAX_CODE = "0231300001"


class Signer(Csc):
    """A provider whose people always say yes at once, with the keys of these tests: SHA-256 of the certificate → key."""

    keys: dict[bytes, RSAPrivateKey]

    async def authorize(
        self, session: Session, credential_id: str, hashes: Sequence[bytes], description: str, **_: object
    ) -> Authorisation:
        return Authorized("sad", 60)

    async def sign(self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str) -> list[bytes]:
        key = self.keys[credential.certificate]
        return [key.sign(one, padding.PKCS1v15(), Prehashed(SHA256())) for one in hashes]


class Cards(Providers):
    """Provider accounts of these tests: user name → what the account holds."""

    held: dict[str, list[Credential]]
    signer: Signer

    async def open(self, provider: str, username: str, password: str) -> tuple[Session, list[Credential]]:
        return Session("token", dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)), self.held[username]

    def client(self, provider: str) -> Csc:
        return self.signer


@dataclass
class Pki:
    """The sandbox PKI, issuing straight into provider accounts."""

    client: httpx.Client
    cards: Cards

    def issue(self, user: str, *, chain: bool = True, **order: Any) -> str:
        """The serial of a new certificate, which the account then holds."""
        made = self._post("/control/certificates", order)
        issuers = tuple(ssl.PEM_cert_to_DER_cert(each) for each in made["chain"]) if chain else ()
        certificate = ssl.PEM_cert_to_DER_cert(made["certificate"])
        if made["key"]:
            self.cards.signer.keys[certificate] = key_of(made["key"])
        self.cards.held[user] = [Credential(made["serial"], certificate, issuers, ("1.2.840.113549.1.1.1",), "2", 100)]
        return str(made["serial"])

    def revoke(self, serial: str) -> None:
        self._post("/control/revoke", {"serial": serial})

    def down(self, *endpoints: str) -> None:
        for endpoint in endpoints:
            self._post("/control/faults", {"endpoint": endpoint, "down": True})

    def well(self) -> None:
        self.client.delete("/control/faults").raise_for_status()

    def _post(self, path: str, order: dict[str, Any]) -> Any:
        return self.client.post(path, json=order).raise_for_status().json()


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@pytest.fixture
async def pki(light_stack: Stack, world: World) -> AsyncIterator[Pki]:
    registry = world.app.state.registry
    await registry.providers.close()
    cards = Cards(needed(world.settings.providers_file, "providers_file"), world.settings.ca_file)
    cards.held, cards.signer = {}, Signer("https://localhost/csc/v2")
    cards.signer.keys = {}
    world.app.state.registry = replace(registry, providers=cards)
    with httpx.Client(base_url=light_stack.info["sandbox"]["pki"], timeout=60, trust_env=False) as client:
        made = Pki(client, cards)
        yield made
        made.well()
    await cards.signer.aclose()


def key_of(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def of_person(number: int = 6, *defects: str) -> dict[str, Any]:
    return {"kind": "personal", "name": f"Nguyễn Văn {number}", "identifier": personal_id(number), "defects": defects}


def of_school(identifier: str = TAX_CODE, *defects: str) -> dict[str, Any]:
    return {"kind": "organisation", "name": "Trường Tiểu học An Hồng", "identifier": identifier, "defects": defects}


@dataclass(frozen=True)
class Bad:
    """A certificate offered for a person or the school, the PKI's endpoints that are down, and the answer: code and a part of its text."""

    order: dict[str, Any]
    answer: str
    words: str
    path: str = ACCOUNTS
    down: tuple[str, ...] = ()
    chain: bool = True


UNFIT, REVOKED, UNCHECKED = "HB-IDN-027", "HB-IDN-035", "HB-IDN-036"
MATRIX = {
    "a personal one for the school": Bad(of_person(3), UNFIT, "đây là chứng thư số cá nhân", SCHOOL_CERTIFICATE),
    "an organisation's for a person": Bad(of_school(), UNFIT, "đây là chứng thư số của tổ chức"),
    "another person's": Bad(of_person(7), UNFIT, "số định danh cá nhân trên chứng thư số khác"),
    "another organisation's": Bad(of_school("0999999999"), UNFIT, "mã số thuế trên chứng thư số khác", SCHOOL_CERTIFICATE),
    "expired": Bad(of_person(6, "expired"), UNFIT, "đã hết hạn từ ngày"),
    "not yet valid": Bad(of_person(6, "not_yet_valid"), UNFIT, "chưa có hiệu lực"),
    "under an unknown root": Bad(of_person(6, "unknown_issuer"), UNFIT, "không do tổ chức cung cấp dịch vụ chứng thực được tin cậy cấp"),
    "signed by itself": Bad(of_person(6, "self_signed"), UNFIT, "không do tổ chức cung cấp dịch vụ chứng thực được tin cậy cấp"),
    "without its issuers": Bad(of_person(), UNFIT, "thiếu chứng thư số của đơn vị cấp", chain=False),
    "of a weak key": Bad(of_person(6, "weak_key"), UNFIT, "khoá của chứng thư số quá yếu"),
    "signed with SHA-1": Bad(of_person(6, "sha1"), UNFIT, "thuật toán băm không còn an toàn"),
    "for encryption only": Bad(of_person(6, "wrong_usage"), UNFIT, "không được cấp để ký số"),
    "revoked": Bad(of_person(6, "revoked"), REVOKED, "đã bị thu hồi từ"),
    "revoked, without lists": Bad(of_person(6, "revoked"), REVOKED, "đã bị thu hồi từ", down=("crl",)),
    "revoked, without OCSP": Bad(of_person(6, "revoked"), REVOKED, "đã bị thu hồi từ", down=("ocsp",)),
    "the school's, revoked": Bad(of_school(TAX_CODE, "revoked"), REVOKED, "đã bị thu hồi từ", SCHOOL_CERTIFICATE),
    "neither OCSP nor lists": Bad(of_person(), UNCHECKED, "chưa kiểm tra được", down=("ocsp", "crl")),
    "the school's, neither OCSP nor lists": Bad(of_school(), UNCHECKED, "chưa kiểm tra được", SCHOOL_CERTIFICATE, ("ocsp", "crl")),
}


async def assert_nothing_is_stored(world: World) -> None:
    for collection in ("registrations", "owners", "proofs"):
        assert await world.db[collection].count_documents({}) == 0
    for act in ("signing account registered", "school certificate registered"):
        assert await world.audit(act) == []
    for fact in ("CertificateRequestedV1", "CertificateApprovedV1"):
        assert await world.facts(fact) == []


@pytest.mark.parametrize("bad", MATRIX.values(), ids=MATRIX.keys())
async def test_a_bad_certificate_is_refused_in_words_and_nothing_is_stored(world: World, pki: Pki, bad: Bad) -> None:
    administrator = await world.school()
    offering = administrator if bad.path == SCHOOL_CERTIFICATE else await world.staff_member(administrator, code(6))
    pki.issue("card", chain=bad.chain, **bad.order)
    pki.down(*bad.down)
    answer = await offering.ask("POST", bad.path, json=login("card"))
    assert (answer.json()["code"], answer.status_code) == (bad.answer, 503 if bad.answer == UNCHECKED else 422)
    assert bad.words in answer.json()["cause"].lower()
    await assert_nothing_is_stored(world)


async def test_what_could_not_be_checked_is_registered_at_the_next_attempt(world: World, pki: Pki) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    pki.issue("card", **of_person())
    pki.down("ocsp", "crl")
    refused = await teacher.ask("POST", ACCOUNTS, json=login("card"))
    assert (refused.json()["code"], int(refused.headers["Retry-After"]) > 0) == (UNCHECKED, True)
    assert "thử lại" in refused.json()["action"]
    pki.well()
    assert (await teacher.register(ACCOUNTS, login("card")))["state"] == "PROVED"


@pytest.mark.parametrize("away", ["ocsp", "crl"])
async def test_a_good_certificate_is_registered_when_either_way_answers(world: World, pki: Pki, away: str) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    pki.issue("card", **of_person())
    pki.down(away)
    assert (await teacher.register(ACCOUNTS, login("card")))["state"] == "PROVED"


async def registered(world: World, pki: Pki, administrator: Browser, number: int) -> str:
    """The serial of a certificate whose registration waits."""
    serial = pki.issue(f"u{number}", **of_person(number))
    teacher = await world.staff_member(administrator, code(number))
    assert (await teacher.register(ACCOUNTS, login(f"u{number}")))["state"] == "PROVED"
    return serial


@pytest.mark.parametrize("away", [(), ("crl",), ("ocsp",)], ids=["both answer", "without lists", "without OCSP"])
async def test_a_certificate_revoked_while_it_waited_is_not_approved_and_the_others_are(
    world: World, pki: Pki, away: tuple[str, ...]
) -> None:
    administrator = await world.school()
    gone = await registered(world, pki, administrator, 6)
    await registered(world, pki, administrator, 7)
    pki.revoke(gone)
    pki.down(*away)
    done = await administrator.post(f"{ACCOUNTS}/approve", {"all": True})
    assert [(i["person"], i["code"]) for i in done["items"]] == [(code(6), REVOKED), (code(7), None)]
    assert "Chứng thư số của Nguyễn Văn 6 đã bị thu hồi từ" in done["items"][0]["message"]
    assert [fact["person"] for fact in await world.facts("CertificateApprovedV1")] == [code(7)]
    waiting = await world.db["registrations"].find({"state": "PENDING"}).to_list(None)
    assert [r["owner"] for r in waiting] == [code(6)]


async def test_what_cannot_be_checked_at_approval_goes_on_waiting_until_it_can(world: World, pki: Pki) -> None:
    administrator = await world.school()
    await registered(world, pki, administrator, 6)
    pki.down("ocsp", "crl")
    for order in ({"all": True}, {"persons": [code(6)]}):
        done = await administrator.post(f"{ACCOUNTS}/approve", order)
        assert [(i["person"], i["code"]) for i in done["items"]] == [(code(6), UNCHECKED)]
    assert await world.facts("CertificateApprovedV1") == []
    pki.well()
    assert (await administrator.post(f"{ACCOUNTS}/approve", {"all": True}))["done"] == 1
    assert [fact["person"] for fact in await world.facts("CertificateApprovedV1")] == [code(6)]
