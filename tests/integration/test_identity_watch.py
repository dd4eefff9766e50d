"""Approved certificates are watched with the real OCSP answers and revocation lists of the sandbox PKI."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from infra.local import Stack
from services.chassis import clock
from services.identity.certificates.watch_calendar import UNCHECKED_OLDEST
from tests.integration.identity_watch_world import (
    ADMINISTRATOR,
    ISSUER,
    OTHER,
    PRINCIPAL,
    RARELY,
    SCHOOL,
    TEACHER,
    World,
    world_of,
)

KILLED = -9


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def taken_over(work: Callable[[], Awaitable[int]]) -> None:
    """Done by somebody else once the lease of the one who died has ended."""
    while True:
        if await work():
            return
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("away", [(), ("crl",), ("ocsp",)], ids=["both answer", "without lists", "without OCSP"])
async def test_a_certificate_that_is_revoked_ends_in_the_next_round_and_the_others_stay(world: World, away: tuple[str, ...]) -> None:
    gone, good = await world.approved(TEACHER), await world.approved(OTHER)
    assert await world.watch().round() == 2
    assert await world.facts("CertificateEndedV1") == []
    world.revoke(gone)
    world.down(*away)
    assert await world.watch().round() == 2
    assert (await world.state(gone), await world.state(good)) == ("ENDED", "APPROVED")
    [ended] = await world.facts("CertificateEndedV1")
    assert (ended["subject"], ended["certificate_sha256"], ended["reason"]) == (gone["_id"], gone["sha256"], "revoked")
    assert await world.told("revoked") == [TEACHER["_id"]]
    [written] = await world.db["audit"].find({"act": "signing account watched"}).to_list(None)
    assert (written["subject"], written["details"]["after"], written["details"]["reason"]) == (TEACHER["_id"], "ENDED", "revoked")


async def test_a_certificate_that_nobody_can_ask_about_stays_and_is_counted_until_it_can(world: World) -> None:
    registration = await world.approved(TEACHER)
    world.down("ocsp", "crl")
    await world.watch().round()
    assert await world.state(registration) == "APPROVED"
    since = (await world.now(registration))["unchecked_since"]
    await world.watch().round()
    assert (await world.now(registration))["unchecked_since"] == since
    await world.put(registration, unchecked_since=clock.now() - dt.timedelta(hours=2))
    await world.calendar().round()
    assert UNCHECKED_OLDEST._value.get() >= 2 * 3600
    world.well()
    await world.watch(RARELY).round()
    assert "unchecked_since" not in await world.now(registration)
    await world.calendar().round()
    assert UNCHECKED_OLDEST._value.get() == 0


async def test_those_concerned_are_told_once_when_a_day_has_gone_without_an_answer(world: World) -> None:
    registration = await world.approved(PRINCIPAL)
    world.down("ocsp", "crl")
    await world.watch().round()
    assert await world.told("unchecked") == []
    await world.put(registration, unchecked_since=clock.now() - dt.timedelta(hours=25))
    for _ in range(2):
        await world.watch().round()
    assert await world.told("unchecked") == sorted([PRINCIPAL["_id"], ADMINISTRATOR["_id"]])


async def test_a_certificate_ends_when_its_time_is_over_without_asking_anybody(world: World) -> None:
    over, good = await world.approved(TEACHER), await world.approved(OTHER)
    world.down("ocsp", "crl")
    await world.put(over, **{"facts.valid_to": clock.now() - dt.timedelta(seconds=1)})
    await world.calendar().round()
    assert (await world.state(over), await world.state(good)) == ("ENDED", "APPROVED")
    assert [f["reason"] for f in await world.facts("CertificateEndedV1")] == ["expired"]
    assert await world.told("expired") == [TEACHER["_id"]]
    await world.calendar().round()
    assert len(await world.facts("CertificateEndedV1")) == 1


async def test_people_are_warned_thirty_fifteen_and_seven_days_ahead_once_each(world: World) -> None:
    registration = await world.approved(TEACHER)
    for left in (40, 29, 28, 14, 6, 5):
        await world.put(registration, **{"facts.valid_to": clock.now() + dt.timedelta(days=left)})
        await world.calendar().round()
    told = [n["days"] async for n in world.db["notices"].find({"what": "expiring"}).sort("at", 1)]
    assert sorted(told, reverse=True) == [30, 15, 7]
    assert await world.state(registration) == "APPROVED"


async def test_a_certificate_on_hold_pauses_and_comes_back_by_itself(world: World) -> None:
    registration = await world.approved(TEACHER)
    world.revoke(registration, "certificateHold")
    await world.watch().round()
    assert await world.state(registration) == "SUSPENDED"
    assert [f["reason"] for f in await world.facts("CertificateEndedV1")] == ["suspended"]
    await world.watch().round()
    world.revoke(registration, "removeFromCRL")
    await world.watch().round()
    assert await world.state(registration) == "APPROVED"
    assert [f["person"] for f in await world.facts("CertificateApprovedV1")] == [TEACHER["_id"]] * 2
    assert (await world.told("suspended"), await world.told("resumed")) == ([TEACHER["_id"]], [TEACHER["_id"]])


async def test_the_certificate_of_a_school_ends_for_all_who_look_after_it_and_is_free_again(world: World) -> None:
    registration = await world.approved(ISSUER, "school")
    world.revoke(registration)
    await world.watch().round()
    assert await world.state(registration) == "ENDED"
    assert await world.told("revoked") == sorted([PRINCIPAL["_id"], ADMINISTRATOR["_id"], ISSUER["_id"]])
    assert await world.db["owners"].count_documents({"_id": registration["sha256"]}) == 0
    assert [(f["kind"], f["school"]) for f in await world.facts("CertificateEndedV1")] == [("school", SCHOOL["_id"])]


async def test_one_list_points_out_everybody_whom_it_revokes(world: World) -> None:
    gone, good = await world.approved(TEACHER), await world.approved(OTHER)
    await world.watch(RARELY).round()
    assert await world.watch(RARELY).round() == 0
    world.revoke(gone)
    assert await world.lists(RARELY).round() == 1
    assert await world.watch(RARELY).round() == 1
    assert (await world.state(gone), await world.state(good)) == ("ENDED", "APPROVED")
    [kept] = await world.db["revocation_lists"].find({}).to_list(None)
    assert kept["listed"]


async def test_what_a_list_revokes_ends_where_no_responder_answers(world: World) -> None:
    gone = await world.approved(TEACHER)
    await world.watch(RARELY).round()
    world.revoke(gone)
    world.down("ocsp")
    await world.lists(RARELY).round()
    await world.watch(RARELY).round()
    assert await world.state(gone) == "ENDED"


async def test_without_its_list_every_certificate_has_its_turn_within_the_hour(world: World) -> None:
    registration = await world.approved(TEACHER)
    await world.lists(RARELY).round()
    await world.watch(RARELY).round()
    await world.lists(RARELY).round()
    await world.put(registration, next_check_at=clock.now() + dt.timedelta(hours=20))
    world.down("crl")
    await world.lists(RARELY).round()
    assert (await world.now(registration))["next_check_at"] <= clock.now() + RARELY.alone
    [kept] = await world.db["revocation_lists"].find({}).to_list(None)
    assert not kept["listed"]


async def test_two_workers_ask_about_each_certificate_once(world: World) -> None:
    for who in (TEACHER, OTHER, PRINCIPAL, ISSUER):
        world.revoke(await world.approved(who))
    done = await asyncio.gather(*(world.watch().round() for _ in range(3)))
    assert sum(done) == 4
    assert len(await world.facts("CertificateEndedV1")) == 4
    assert await world.db["audit"].count_documents({"act": "signing account watched"}) == 4


async def test_a_worker_that_dies_between_asking_and_writing_has_told_nobody_and_the_next_does_it(world: World) -> None:
    registration = await world.approved(TEACHER)
    world.revoke(registration)
    assert world.killed_at("transaction.before-commit", "watch") == KILLED
    assert (await world.state(registration), await world.facts("CertificateEndedV1")) == ("APPROVED", [])
    assert await world.told("revoked") == []
    await taken_over(world.watch().round)
    assert (await world.state(registration), await world.told("revoked")) == ("ENDED", [TEACHER["_id"]])
    assert len(await world.facts("CertificateEndedV1")) == 1


async def test_a_worker_that_dies_after_writing_has_done_it_once(world: World) -> None:
    gone, good = await world.approved(TEACHER), await world.approved(OTHER)
    world.revoke(gone)
    assert world.killed_at("transaction.committed", "watch") == KILLED
    await taken_over(world.watch().round)
    assert (await world.state(gone), await world.state(good)) == ("ENDED", "APPROVED")
    assert len(await world.facts("CertificateEndedV1")) == 1


async def test_a_decision_is_checked_before_it_takes_effect(world: World) -> None:
    registration = await world.waiting(PRINCIPAL)
    await world.decide(registration)
    assert (await world.state(registration), await world.facts("CertificateApprovedV1")) == ("PENDING", [])
    assert await world.decisions().round() == 1
    assert await world.state(registration) == "APPROVED"
    assert [f["subject"] for f in await world.facts("CertificateApprovedV1")] == [registration["_id"]]
    assert await world.told("approved") == sorted([PRINCIPAL["_id"], ADMINISTRATOR["_id"]])
    assert await world.decisions().round() == 0


async def test_what_was_revoked_since_it_was_registered_is_refused_with_the_reason(world: World) -> None:
    registration = await world.waiting(PRINCIPAL)
    world.revoke(registration)
    await world.decide(registration)
    await world.decisions().round()
    assert await world.state(registration) == "REFUSED"
    [told] = await world.facts("CertificateRefusedV1")
    assert (told["subject"], told["kind"], told["person"]) == (registration["_id"], "person", PRINCIPAL["_id"])
    assert "đã bị thu hồi từ" in told["reason"]
    assert await world.facts("CertificateApprovedV1") == []
    assert await world.told("refused") == sorted([PRINCIPAL["_id"], ADMINISTRATOR["_id"]])


async def test_what_expired_while_it_waited_is_not_approved(world: World) -> None:
    soon = clock.now() + dt.timedelta(seconds=2)
    registration = await world.waiting(PRINCIPAL, valid_to=soon.isoformat())
    await world.decide(registration)
    await asyncio.sleep((registration["facts"]["valid_to"] - clock.now()).total_seconds() + 0.1)
    await world.decisions().round()
    assert await world.state(registration) == "REFUSED"
    assert "hết hạn" in (await world.facts("CertificateRefusedV1"))[0]["reason"]


async def test_a_decision_waits_for_a_pki_that_is_down_and_is_not_lost(world: World) -> None:
    registration = await world.waiting(ISSUER, "school")
    world.down("ocsp", "crl")
    await world.decide(registration)
    assert await world.decisions().round() == 1
    assert (await world.state(registration), (await world.now(registration))["decision"]["tries"]) == ("PENDING", 1)
    world.well()
    await world.decisions().round()
    assert await world.state(registration) == "APPROVED"


async def test_a_second_decision_while_the_first_is_checked_is_left_aside(world: World) -> None:
    registration = await world.waiting(PRINCIPAL)
    await world.decide(registration)
    await world.decide(registration, approved=False, reason="Nhầm", decider="031-cb02")
    await world.decisions().round()
    assert (await world.now(registration))["decided_by"] == "031-cb01"
    assert await world.state(registration) == "APPROVED"


async def test_a_refusal_of_the_oversight_takes_effect_at_once_without_asking(world: World) -> None:
    registration = await world.waiting(PRINCIPAL)
    world.down("ocsp", "crl")
    await world.decide(registration, approved=False, reason="Sai họ tên.")
    assert ((await world.now(registration))["refusal"], await world.state(registration)) == ("Sai họ tên.", "REFUSED")
    assert await world.facts("CertificateRefusedV1") == []


async def test_a_decision_outlives_the_worker_that_checks_it(world: World) -> None:
    registration = await world.waiting(PRINCIPAL)
    await world.decide(registration)
    assert world.killed_at("transaction.before-commit", "decisions") == KILLED
    await taken_over(world.decisions().round)
    assert await world.state(registration) == "APPROVED"
    assert len(await world.facts("CertificateApprovedV1")) == 1


async def test_an_issuer_that_is_revoked_ends_all_of_its_certificates(world: World) -> None:
    """The last test of the module: this issuer certifies nobody any more."""
    gone = [await world.approved(who, root="government") for who in (TEACHER, OTHER)]
    good = await world.approved(PRINCIPAL)
    await world.watch(RARELY).round()
    world.revoke_issuer(gone[0])
    for _ in range(2):
        await world.lists(RARELY).round()
    await world.watch(RARELY).round()
    assert [await world.state(r) for r in (*gone, good)] == ["ENDED", "ENDED", "APPROVED"]
    assert {f["reason"] for f in await world.facts("CertificateEndedV1")} == {"issuer revoked"}
