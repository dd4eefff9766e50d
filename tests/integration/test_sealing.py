"""Between the school's signature and the archive level: the timestamping authority is away, a signer's certificate is revoked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.demo.road import Road
from infra.demo.school import read
from infra.local import Stack
from tests.conftest import Travelled, make_school

REVOKED, WAITING = "HB-SIG-016", "đang đóng dấu thời gian"


@pytest.fixture
def pki(stack: Stack) -> Iterator[str]:
    """The PKI's address; its timestamping authority answers again afterwards."""
    address = stack.info["sandbox"]["pki"]
    yield address
    httpx.delete(f"{address}/control/faults").raise_for_status()


@pytest.fixture
def school(stack: Stack, tmp_path: Path) -> Travelled:
    """A school of five classes with one pupil each that waits for the school's signature."""
    folder = make_school(tmp_path, code="31300094", province="034", pupils=1, defects=0, seed=9)
    road = Road(stack.info, read(folder), lambda _: None)

    async def go() -> None:
        for stage in (road.organisations, road.import_year, road.accounts, road.certificates, road.create):
            await stage()
        for step in ("subjects", "homeroom", "leader"):
            await road.sign(step)

    asyncio.run(go())
    return Travelled(stack.info, road, folder, Path(stack.info["sandbox"]["trust"]))


def test_a_signed_transcript_waits_for_its_timestamp_and_one_that_cannot_be_proven_stops_alone(school: Travelled, pki: str) -> None:
    async def states(road: Road) -> Counter[str]:
        rows = (await road.admin.get("/api/records/transcripts"))["transcripts"]
        return Counter(row["state"] for row in rows)

    async def signed_list(road: Road) -> str:
        page = await road.staff[road.export.issuer.code].http.get("/ui/signing/issue", params={"tab": "signed"})
        return page.raise_for_status().text

    async def day(road: Road) -> None:
        rows = (await road.admin.get("/api/records/transcripts"))["transcripts"]
        homeroom = (await road.admin.get(f"/api/records/transcripts/{rows[0]['id']}"))["signatures"][-2]
        async with httpx.AsyncClient(base_url=pki) as control:
            (await control.post("/control/revoke", json={"serial": homeroom["certificate_serial"]})).raise_for_status()
            (await control.post("/control/faults", json={"endpoint": "tsa", "down": True})).raise_for_status()

        assert await road.sign_waiting(road.staff[road.export.issuer.code], "issue") == 5
        assert await states(road) == Counter({"AWAITING_ISSUE": 5})
        assert (await signed_list(road)).count(WAITING) == 5

        async with httpx.AsyncClient(base_url=pki) as control:
            (await control.delete("/control/faults")).raise_for_status()

        async def sealed() -> int:
            return (await states(road))["SIGNED"]

        await road.until(sealed, 4)
        transcript = await road.admin.get(f"/api/records/transcripts/{rows[-1]['id']}")
        assert (transcript["state"], transcript["level"]) == ("SIGNED", "BASELINE-LTA")
        assert transcript["timestamped_at"]

        async def stopped() -> int:
            return (await signed_list(road)).count(REVOKED)

        await road.until(stopped, 1)
        assert await states(road) == Counter({"SIGNED": 4, "AWAITING_ISSUE": 1})

    school.go_on(day)
