"""What a certificate's own revocation list says, and a hold that is lifted again; the list is read with the cryptography package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography import x509

from services.means.timestamps import outgoing
from services.means.validation_data import Prover, Unprovable
from tests.unit.means.sandbox_pki import Pki, running


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as started:
        yield started


@pytest.fixture
async def prover(pki: Pki) -> AsyncIterator[Prover]:
    """One that has asked for nothing yet."""
    async with outgoing() as session:
        yield Prover(pki.roots, session)
    with pki.server.client as client:
        client.delete("/control/faults").raise_for_status()


def serial_of(der: bytes) -> str:
    return f"{x509.load_der_x509_certificate(der).serial_number:x}"


async def test_the_list_that_speaks_for_a_good_certificate_names_the_others_that_are_revoked(pki: Pki, prover: Prover) -> None:
    good, gone = pki.person("Người Còn Hạn", "031185000051"), pki.person("Người Bị Thu Hồi", "031185000052")
    pki.revoke(gone.der)
    [found] = await prover.lists(good.der, good.chain)
    serials = {entry.serial_number for entry in x509.load_der_x509_crl(found)}
    assert x509.load_der_x509_certificate(gone.der).serial_number in serials
    assert x509.load_der_x509_certificate(good.der).serial_number not in serials


async def test_a_list_that_names_the_certificate_says_so(pki: Pki, prover: Prover) -> None:
    gone = pki.person("Người Bị Thu Hồi", "031185000053")
    pki.revoke(gone.der)
    with pytest.raises(Unprovable) as problem:
        await prover.lists(gone.der, gone.chain)
    assert (problem.value.code, problem.value.certificate, problem.value.suspended) == ("revoked", gone.der, False)


async def test_a_list_that_cannot_be_had_gives_nothing_though_the_responder_answers(pki: Pki, prover: Prover) -> None:
    good = pki.person("Người Còn Hạn", "031185000054")
    await prover.prove(good.der, good.chain)
    pki.fault("crl", down=True)
    assert await prover.lists(good.der, good.chain) == ()


@pytest.mark.parametrize("away", ["crl", "ocsp"])
async def test_a_hold_is_told_apart_and_lifted_again(pki: Pki, prover: Prover, away: str) -> None:
    held = pki.person("Người Bị Tạm Dừng", "031185000055")
    pki.post("/control/revoke", serial=serial_of(held.der), reason="certificateHold")
    if away == "ocsp":
        pki.fault(away, down=True)
    with pytest.raises(Unprovable) as problem:
        await prover.prove(held.der, held.chain)
    assert (problem.value.code, problem.value.suspended) == ("revoked", True)
    pki.post("/control/revoke", serial=serial_of(held.der), reason="removeFromCRL")
    async with outgoing() as session:
        assert await Prover(pki.roots, session).prove(held.der, held.chain)


async def test_a_revocation_for_another_reason_is_not_lifted(pki: Pki, prover: Prover) -> None:
    gone = pki.person("Người Bị Thu Hồi", "031185000056")
    pki.revoke(gone.der)
    pki.post("/control/revoke", serial=serial_of(gone.der), reason="removeFromCRL")
    with pytest.raises(Unprovable):
        await prover.prove(gone.der, gone.chain)
