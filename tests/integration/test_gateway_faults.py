"""A gateway that misbehaves for hours, in played time: everything ends once, in the true state, within a minute of the fault's end."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import transaction
from services.publishing.breaker import Breaker
from services.publishing.delivery import Delivery
from services.publishing.gateways.national import GatewayAway, PackageRefused, Result, Withdrawn
from services.publishing.withdrawals import rules
from services.publishing.withdrawals import store as requests
from services.publishing.withdrawals.obeying import Obeying
from tests.integration.delivery_world import DeliveryWorld, delivery_world, event, result
from tests.integration.pages_world import SCHOOL

FAULT = dt.timedelta(hours=3)
WITHIN = dt.timedelta(minutes=1)
STEP = dt.timedelta(minutes=1)
"""Between two looks while the fault lasts; a second afterwards."""
FAULTS = ("down", "down, says when to come again", "hangs after taking", "forgets what it took", "slow to decide")
CASES = [*((fault, "never") for fault in FAULTS), *(("hangs after taking", calls) for calls in ("early", "late", "twice"))]
"""What goes wrong, and when the gateway calls back."""


@dataclass
class Hours:
    """The time that publishing lives in."""

    at: dt.datetime

    def __call__(self) -> dt.datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()


@dataclass
class FaultyGateway:
    """Misbehaves until `ends`; then it answers what it is asked. What it took it decides about: everything is accepted."""

    hours: Hours
    fault: str
    ends: dt.datetime
    taken: dict[str, list[str]] = field(default_factory=dict)
    arrivals: Counter[str] = field(default_factory=Counter)
    obeyed: Counter[str] = field(default_factory=Counter)
    of_package: dict[str, list[str]] = field(default_factory=dict)
    calls_early: Callable[[], Awaitable[None]] | None = None

    @property
    def faulty(self) -> bool:
        return self.hours.at < self.ends

    def away(self) -> None:
        if self.faulty and self.fault.startswith("down"):
            raise GatewayAway("HTTP 503", 7200 if "come again" in self.fault else None)

    async def send(self, package_id: str, body: bytes) -> None:
        self.away()
        self.arrivals[package_id] += 1
        self.taken[package_id] = self.of_package[package_id]
        if self.calls_early is not None:
            await self.calls_early()
        if self.faulty and self.fault == "hangs after taking":
            raise GatewayAway("ReadTimeout")

    async def results(self, package_id: str) -> list[Result] | None:
        self.away()
        if package_id not in self.taken or (self.faulty and self.fault == "forgets what it took"):
            return None
        if self.faulty:
            return [Result(uuid=t, status="PENDING") for t in self.taken[package_id]]
        return [Result(uuid=t, status="ACCEPTED", at=self.hours.at) for t in self.taken[package_id]]

    async def withdraw(self, request_id: str, body: bytes) -> Withdrawn:
        self.away()
        self.obeyed[request_id] += 1
        if self.faulty:
            raise GatewayAway("ReadTimeout")
        return Withdrawn(withdrawal_id=request_id, state="WITHDRAWN", at=self.hours.at)

    async def withdrawal(self, request_id: str) -> Withdrawn | None:
        self.away()
        if self.faulty and self.fault != "hangs after taking":
            return None
        return Withdrawn(withdrawal_id=request_id, state="WITHDRAWN", at=self.hours.at) if self.obeyed[request_id] else None


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    played = Hours(clock.now())
    monkeypatch.setattr(clock, "now", played)
    return played


@pytest.fixture
async def world(light_stack: Stack, hours: Hours) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(light_stack) as made:
        yield made


def gateway_of(world: DeliveryWorld, hours: Hours, fault: str) -> FaultyGateway:
    gateway = FaultyGateway(hours, fault, hours.at + FAULT)
    world.delivery = Delivery(world.parts, world.store, gateway)  # type: ignore[arg-type]  # plays it
    world.delivery.breaker = Breaker(now=hours.seconds)
    return gateway


async def outcomes(world: DeliveryWorld) -> int:
    return await world.db["outbox"].count_documents({"body": {"$regex": '"type":"Transcript(Accepted|Refused|Withdrawn)V1"'}})


async def pass_by(world: DeliveryWorld, hours: Hours, until: dt.datetime, step: dt.timedelta) -> None:
    """The worker's loops look again and again."""
    while hours.at < until:
        hours.at += step
        while await world.delivery.send() or await world.delivery.ask():
            pass


@pytest.mark.parametrize(("fault", "calls"), CASES)
async def test_after_hours_of_a_fault_everything_is_accepted_once_within_a_minute(
    world: DeliveryWorld, hours: Hours, fault: str, calls: str
) -> None:
    gateway = gateway_of(world, hours, fault)
    ids = await world.packed(3)
    package = await world.package_of(ids[0])
    gateway.of_package[package] = ids

    async def call_back() -> None:
        said = event(package, *(result(t) for t in ids))
        assert (await world.call_back(said, at=int(hours.seconds()))).status_code == 204

    gateway.calls_early = call_back if calls == "early" else None
    await pass_by(world, hours, gateway.ends, STEP)
    await pass_by(world, hours, gateway.ends + WITHIN, dt.timedelta(seconds=1))
    assert await world.states(ids) == ["ACCEPTED"] * 3
    for _ in range({"late": 1, "twice": 2}.get(calls, 0)):
        await call_back()
    assert await world.states(ids) == ["ACCEPTED"] * 3
    assert await outcomes(world) == 3
    assert await world.db["packages"].count_documents({"state": {"$ne": "done"}}) == 0
    if calls == "early" or fault != "forgets what it took":
        assert gateway.arrivals == {package: 1}


async def approved(world: DeliveryWorld, transcript: str) -> str:
    """A request whose withdrawal the unit has granted, with the file that the school has signed."""
    kept = await world.parts.objects.put(f"withdrawals/{transcript}", ".xml", b"<YeuCauThuHoi/>", "application/xml")
    request = {
        "_id": str(uuid4()),
        "sequence": 5,
        "transcript": transcript,
        "school": SCHOOL,
        "version": 1,
        "state": rules.APPROVED,
        "open": True,
        "signed": kept.model_dump(mode="json"),
        "unit": "03101",
        "decided_at": clock.now(),
        "note": None,
        "history": [],
    }
    await world.db["withdrawals"].insert_one(request)
    await world.db["submissions"].update_one({"_id": transcript}, {"$set": {"state": "ACCEPTED"}})
    await transaction(world.db, lambda session: requests.add_orders(world.db, session, [request]))
    return str(request["_id"])


def obeying_of(world: DeliveryWorld, gateway: FaultyGateway) -> Obeying:
    return Obeying(world.parts, gateway, [])  # type: ignore[arg-type]  # plays it


async def standing(world: DeliveryWorld, request: str, transcript: str) -> tuple[str, str]:
    found = (await requests.load(world.db, None, [request]))[request]
    return str(found["state"]), (await world.states([transcript]))[0]


@pytest.mark.parametrize("fault", ["down", "down, says when to come again", "hangs after taking", "forgets what it took"])
async def test_after_hours_of_a_fault_an_approved_withdrawal_is_obeyed_within_a_minute(
    world: DeliveryWorld, hours: Hours, fault: str
) -> None:
    gateway = gateway_of(world, hours, fault)
    (transcript,) = await world.confirmed(1)
    request = await approved(world, transcript)
    obeying = obeying_of(world, gateway)
    while hours.at < gateway.ends + WITHIN:
        hours.at += STEP if hours.at < gateway.ends else dt.timedelta(seconds=1)
        while await obeying.tell():
            pass
    assert await standing(world, request, transcript) == ("WITHDRAWN", "WITHDRAWN")
    assert await outcomes(world) == 1
    if fault != "forgets what it took":
        assert gateway.obeyed == {request: 1}


async def test_an_order_that_was_told_in_vain_for_days_is_still_told(world: DeliveryWorld, hours: Hours) -> None:
    """However often it failed, the pause stays below half a minute."""
    gateway = gateway_of(world, hours, "down")
    (transcript,) = await world.confirmed(1)
    request = await approved(world, transcript)
    await world.db["withdrawal_orders"].update_one({"_id": request}, {"$set": {"attempts": 100_000}})
    assert await obeying_of(world, gateway).tell() == 1
    order = await world.db["withdrawal_orders"].find_one({"_id": request})
    assert order is not None
    assert order["next_at"] <= hours.at + dt.timedelta(seconds=30)


async def test_a_signed_request_that_is_damaged_ends_alone_and_its_document_stays_accepted(world: DeliveryWorld, hours: Hours) -> None:
    gateway = gateway_of(world, hours, "none")
    gateway.ends = hours.at
    first, second = await world.confirmed(2)
    damaged, sound = await approved(world, first), await approved(world, second)
    await world.db["withdrawals"].update_one({"_id": damaged}, {"$set": {"signed.sha256": "0" * 64}})
    obeying = obeying_of(world, gateway)
    while await obeying.tell():
        pass
    assert await standing(world, damaged, first) == ("REFUSED", "ACCEPTED")
    assert await standing(world, sound, second) == ("WITHDRAWN", "WITHDRAWN")
    assert gateway.obeyed == {sound: 1}
    found = (await requests.load(world.db, None, [damaged]))[damaged]
    assert (found["note"]["code"], found["history"][-1]["by"]) == ("HB-PUB-029", "publishing")


async def test_what_the_gateway_refuses_to_take_back_stays_accepted_with_its_reason(
    world: DeliveryWorld, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_of(world, hours, "none")
    gateway.ends = hours.at
    (transcript,) = await world.confirmed(1)
    request = await approved(world, transcript)

    async def refuse(request_id: str, body: bytes) -> Withdrawn:
        raise PackageRefused("NG-014", "Yêu cầu không có chữ ký hợp lệ của nhà trường")

    monkeypatch.setattr(gateway, "withdraw", refuse)
    while await obeying_of(world, gateway).tell():
        pass
    assert await standing(world, request, transcript) == ("REFUSED", "ACCEPTED")
    found = (await requests.load(world.db, None, [request]))[request]
    assert found["note"]["code"] == "NG-014"
