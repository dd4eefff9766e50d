"""What keeps documents provable dies at every point of it: evidence records made, written, renewed; documents examined again."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from infra.local import Stack
from services.chassis import clock
from tests.faults.plan import ELSEWHERE
from tests.integration.agent_world import until_true
from tests.integration.means_world import dies, ended, started
from tests.integration.test_evidence_records import Archive, archive
from tests.integration.test_signing_auditor import Desk, desk, kept

__all__ = ["archive", "desk", "kept"]
pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("short_transactions")]

WORKER = "tests.integration.archive_worker"
AT_ONCE = {"HOCBA_EVIDENCE_WAIT_SECONDS": "0", "HOCBA_AUDITS_PER_MINUTE": "100000"}
DOCUMENTS = 5


async def worked_through(stack: Stack, archive: Archive, stamps: int) -> None:
    """A worker goes on until every file has so many timestamps."""
    await archive.free()
    worker = await started(stack, WORKER, "evidence", **AT_ONCE)

    async def done() -> bool:
        return [(t["behind"], len(t["stamps"])) for t in await archive.trees()] == [(False, stamps)]

    try:
        await until_true(done)
    finally:
        await ended(worker)
    for each in await archive.documents():
        assert len(await archive.judged(each)) == stamps
    assert sorted((await archive.told()).values()) == [stamps] * DOCUMENTS


@pytest.mark.parametrize("point", [p for p in ELSEWHERE if p.startswith("signing.evidence.") and "renew" not in p])
async def test_evidence_whose_maker_dies_is_made_and_told_once(light_stack: Stack, archive: Archive, point: str) -> None:
    await archive.sealed(DOCUMENTS)
    await dies(light_stack, WORKER, "evidence", failpoint=point, **AT_ONCE)
    await worked_through(light_stack, archive, 1)


@pytest.mark.parametrize("point", [p for p in ELSEWHERE if "renew" in p])
async def test_evidence_whose_renewer_dies_is_renewed_and_told_once(light_stack: Stack, archive: Archive, point: str) -> None:
    await archive.unit("ends-soon", 30)
    await archive.sealed(DOCUMENTS)
    await archive.make("ends-soon")
    await archive.write()
    await dies(light_stack, WORKER, "evidence", failpoint=point, **AT_ONCE)
    await worked_through(light_stack, archive, 2)


@pytest.mark.parametrize("point", [p for p in ELSEWHERE if p.startswith("signing.audit.")])
async def test_a_difference_that_a_dying_auditor_found_is_found_and_written_down_once(
    light_stack: Stack, desk: Desk, point: str, tmp_path: Path
) -> None:
    for number, root in enumerate(desk.auditor.roots):
        (tmp_path / f"{number}.pem").write_text(x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM).decode())
    settings = {**AT_ONCE, "HOCBA_TRUST_DIR": str(tmp_path)}
    desk.overwrite("pdf", desk.kept.pdf + b"\n")
    await dies(light_stack, WORKER, "audit", failpoint=point, **settings)
    audits = desk.world.db("signing")["audits"]
    await audits.update_one({"_id": desk.document}, {"$set": {"due": clock.now()}})
    worker = await started(light_stack, WORKER, "audit", **settings)

    async def examined() -> bool:
        return await audits.count_documents({"_id": desk.document, "result": "different", "due": {"$gt": clock.now()}}) == 1

    try:
        await until_true(examined)
    finally:
        await ended(worker)
    assert await desk.acts() == ["stored file differs"]
