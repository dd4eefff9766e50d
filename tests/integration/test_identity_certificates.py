"""Registering signing accounts and the school certificate at a real provider, and who decides about them.

Certificates that are refused: test_identity_certificate_matrix.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.events.district import CertificateDecidedV1
from infra.local import Stack
from tests.integration.identity_world import (
    SCHOOL,
    STAFF,
    Browser,
    World,
    code,
    login,
    member,
    person_at_provider,
    personal_id,
    world_of,
)

ACCOUNTS = "/api/identity/signing-accounts"
SCHOOL_CERTIFICATE = "/api/identity/school-certificate"
APPROVED = CertificateDecidedV1(kind="manager", approved=True)
TAX_CODE = "0231300001"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


def organisation(user: str, identifier: str = TAX_CODE, **more: object) -> dict[str, Any]:
    return {"user": user, "kind": "organisation", "name": "Trường Tiểu học An Hồng", "identifier": identifier, **more}


async def registered(world: World, administrator: Browser, number: int) -> Browser:
    """A member of the staff who has registered the own signing account."""
    await world.enrol(person_at_provider(number))
    browser = await world.staff_member(administrator, code(number))
    assert (await browser.register(ACCOUNTS, login(f"u{number}")))["state"] == "PROVED"
    return browser


async def test_a_teachers_account_is_registered_approved_and_told_to_signing(world: World) -> None:
    administrator = await world.school()
    teacher = await registered(world, administrator, 6)
    mine = await teacher.get(f"{ACCOUNTS}/mine")
    assert (mine["state_name"], mine["decided_by"]) == ("Đã đăng ký, chờ duyệt", "school")
    assert await world.facts("CertificateRequestedV1") == []
    done = await administrator.post(f"{ACCOUNTS}/approve", {"persons": [code(6)]})
    assert done["items"] == [{"person": code(6), "done": True, "code": None, "message": None}]
    assert (await teacher.get(f"{ACCOUNTS}/mine"))["state_name"] == "Đã duyệt tài khoản"
    [fact] = await world.facts("CertificateApprovedV1")
    assert (fact["kind"], fact["person"], fact["owner_id"], fact["may_issue"]) == ("person", code(6), personal_id(6), False)
    assert len(fact["chain"]) == 1
    [decided] = await world.audit("signing account decided")
    assert (decided["actor"], decided["subject"], decided["details"]["after"]) == (code(3), code(6), "APPROVED")


async def test_the_same_click_twice_registers_once(world: World) -> None:
    administrator = await world.school()
    teacher = await registered(world, administrator, 6)
    first = await teacher.get(f"{ACCOUNTS}/mine")
    again = await teacher.register(ACCOUNTS, login("u6"))
    assert (again["state"], again["registration"]) == ("PROVED", first["request"])
    assert await teacher.get(f"{ACCOUNTS}/mine") == first
    assert await world.db["registrations"].count_documents({}) == 1


async def test_a_wrong_provider_login_is_refused_in_the_words_of_the_guide_and_nothing_is_kept(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6))
    teacher = await world.staff_member(administrator, code(6))
    for path in (ACCOUNTS, f"{ACCOUNTS}/credentials"):
        for attempt in (login("u6", "sai"), login("khong-co")):
            answer = await teacher.ask("POST", path, json=attempt)
            assert (answer.status_code, answer.json()["code"]) == (422, "HB-IDN-023")
            assert answer.json()["cause"] == "Thông tin thẻ không tồn tại hoặc không đúng"
    assert await world.db["registrations"].count_documents({}) == 0


async def test_no_password_of_a_provider_account_is_kept(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, user="u6-secret", password="rất bí mật 99"))
    teacher = await world.staff_member(administrator, code(6))
    await teacher.register(ACCOUNTS, login("u6-secret", "rất bí mật 99"))
    for name in await world.db.list_collection_names():
        assert "rất bí mật 99" not in str(await world.db[name].find({}).to_list(None))


async def test_an_unfit_certificate_is_listed_with_what_is_wrong(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "expired", defects=["expired"]))
    teacher = await world.staff_member(administrator, code(6))
    [offer] = await teacher.post(f"{ACCOUNTS}/credentials", login("expired"))
    assert (offer["usable"], "đã hết hạn" in offer["problems"][0]) == (False, True)


async def test_of_several_usable_credentials_one_must_be_named(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "two"), person_at_provider(6, "two", label="2"))
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.ask("POST", ACCOUNTS, json=login("two"))).json()["code"] == "HB-IDN-026"
    offers = await teacher.post(f"{ACCOUNTS}/credentials", login("two"))
    assert [o["usable"] for o in offers] == [True, True]
    await teacher.register(ACCOUNTS, {**login("two"), "credential_id": offers[1]["credential_id"]})
    assert (await teacher.get(f"{ACCOUNTS}/mine"))["certificate"]["serial"] == offers[1]["certificate"]["serial"]
    other = await teacher.ask("POST", ACCOUNTS, json={**login("two"), "credential_id": offers[0]["credential_id"]})
    assert other.json()["code"] == "HB-IDN-028"


async def test_nobody_approves_their_own(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(3))
    await administrator.register(ACCOUNTS, login("u3"))
    await registered(world, administrator, 6)
    for order in ({"persons": [code(3), code(6)]}, {"all": True}):
        done = await administrator.post(f"{ACCOUNTS}/approve", order)
        assert {i["person"]: i["code"] for i in done["items"]}[code(3)] == "HB-IDN-031"
    own = await administrator.post(f"{ACCOUNTS}/refuse", {"persons": [code(3)], "reason": "thử"})
    assert (own["done"], own["items"][0]["code"]) == (0, "HB-IDN-031")
    granted = await administrator.post("/api/identity/issuers", {"persons": [code(3)]})
    assert granted["items"][0]["code"] == "HB-IDN-031"
    manager = await world.staff_member(administrator, code(1))
    assert (await manager.post(f"{ACCOUNTS}/approve", {"all": True}))["items"] == [
        {"person": code(3), "done": True, "code": None, "message": None}
    ]


async def test_a_managers_account_is_decided_by_the_oversight_unit(world: World) -> None:
    administrator = await world.school()
    manager = await registered(world, administrator, 1)
    [request] = await world.facts("CertificateRequestedV1")
    assert (request["kind"], request["person"], request["path"]) == ("manager", code(1), ["031", "03101"])
    done = await administrator.post(f"{ACCOUNTS}/approve", {"all": True})
    assert (done["done"], done["items"][0]["code"]) == (0, "HB-IDN-033")
    await world.decide(request["subject"], APPROVED)
    assert (await manager.get(f"{ACCOUNTS}/mine"))["state"] == "APPROVED"
    [fact] = await world.facts("CertificateApprovedV1")
    assert (fact["subject"], fact["person"]) == (request["subject"], code(1))
    await world.decide(request["subject"], CertificateDecidedV1(kind="manager", approved=False, reason="muộn"))
    assert (await manager.get(f"{ACCOUNTS}/mine"))["state"] == "APPROVED"


async def test_one_bad_item_does_not_stop_the_others(world: World) -> None:
    administrator = await world.school()
    for number in (6, 7):
        await registered(world, administrator, number)
    done = await administrator.post(f"{ACCOUNTS}/approve", {"persons": [code(6), code(4), "khong-co", code(7)]})
    assert [(i["person"], i["code"]) for i in done["items"]] == [
        (code(6), None),
        (code(4), "HB-IDN-032"),
        ("khong-co", "HB-IDN-032"),
        (code(7), None),
    ]
    assert (done["done"], done["refused"]) == (2, 2)


async def test_a_refused_teacher_sees_why_and_registers_again(world: World) -> None:
    administrator = await world.school()
    teacher = await registered(world, administrator, 6)
    assert (await administrator.ask("POST", f"{ACCOUNTS}/refuse", json={"persons": [code(6)], "reason": " "})).status_code == 422
    await administrator.post(f"{ACCOUNTS}/refuse", {"persons": [code(6)], "reason": "Nhầm chứng thư số cũ"})
    mine = await teacher.get(f"{ACCOUNTS}/mine")
    assert (mine["state_name"], mine["reason"]) == ("Từ chối duyệt", "Nhầm chứng thư số cũ")
    await teacher.register(ACCOUNTS, login("u6"))
    assert (await teacher.get(f"{ACCOUNTS}/mine"))["state"] == "PENDING"
    assert (await teacher.ask("POST", f"{ACCOUNTS}/approve", json={"all": True})).status_code == 403


async def test_a_right_to_issue_that_changes_is_told_again(world: World) -> None:
    administrator = await world.school()
    await registered(world, administrator, 7)
    await administrator.post(f"{ACCOUNTS}/approve", {"all": True})
    await administrator.post("/api/identity/issuers", {"persons": [code(7)]})
    await administrator.post("/api/identity/issuers", {"persons": [code(7)]})
    assert [f["may_issue"] for f in await world.facts("CertificateApprovedV1")] == [False, True]
    await world.import_staff([m for m in STAFF if m.code != code(7)])
    assert [f["may_issue"] for f in await world.facts("CertificateApprovedV1")] == [False, True, False]


async def test_a_changed_personal_id_ends_the_certificate_that_bears_the_old_one(world: World) -> None:
    administrator = await world.school()
    teacher = await registered(world, administrator, 7)
    await administrator.post(f"{ACCOUNTS}/approve", {"all": True})
    await world.import_staff([m if m.code != code(7) else member(7).model_copy(update={"personal_id": personal_id(8)}) for m in STAFF])
    [ended] = await world.facts("CertificateEndedV1")
    assert (ended["person"], ended["reason"]) == (code(7), "personal id changed")
    assert (await teacher.get(f"{ACCOUNTS}/mine"))["state"] == "NOT_REGISTERED"


async def test_registering_needs_an_open_school_year(world: World) -> None:
    administrator = await world.administrator()
    await world.enrol(person_at_provider(3))
    assert (await administrator.ask("POST", ACCOUNTS, json=login("u3"))).json()["code"] == "HB-IDN-020"


async def test_the_school_certificate_goes_to_the_oversight_unit_and_back(world: World) -> None:
    administrator = await world.school()
    await world.enrol(organisation("school"))
    issuer = await world.staff_member(administrator, code(4))
    assert (await issuer.get(SCHOOL_CERTIFICATE))["state_name"] == "Chưa đăng ký"
    await issuer.register(SCHOOL_CERTIFICATE, login("school"))
    assert (await issuer.get(SCHOOL_CERTIFICATE))["state_name"] == "Chờ duyệt đăng ký"
    [request] = await world.facts("CertificateRequestedV1")
    assert (request["kind"], request["school"], request["person"]) == ("school", SCHOOL, code(4))
    await world.decide(request["subject"], CertificateDecidedV1(kind="school", approved=False, reason="Sai tên trường"))
    shown = await issuer.get(SCHOOL_CERTIFICATE)
    assert (shown["state_name"], shown["refusal"]) == ("Từ chối", "Sai tên trường")
    await issuer.register(SCHOOL_CERTIFICATE, login("school"))
    await world.decide((await world.facts("CertificateRequestedV1"))[-1]["subject"], CertificateDecidedV1(kind="school", approved=True))
    assert (await issuer.get(SCHOOL_CERTIFICATE))["active"]["certificate"]["subject"] == "Trường Tiểu học An Hồng"
    [fact] = await world.facts("CertificateApprovedV1")
    assert (fact["kind"], fact["owner_id"], fact["school"], len(fact["chain"])) == ("school", TAX_CODE, SCHOOL, 1)


async def test_a_school_registers_again_with_a_reason_while_the_old_certificate_goes_on(world: World) -> None:
    administrator = await world.school()
    await world.enrol(organisation("old"), organisation("new"))
    await administrator.register(SCHOOL_CERTIFICATE, login("old"))
    await world.decide((await world.facts("CertificateRequestedV1"))[-1]["subject"], CertificateDecidedV1(kind="school", approved=True))
    without = await administrator.ask("POST", SCHOOL_CERTIFICATE, json=login("new"))
    assert without.json()["code"] == "HB-IDN-029"
    await administrator.register(SCHOOL_CERTIFICATE, {**login("new"), "reason": "Đổi nhà cung cấp"})
    shown = await administrator.get(SCHOOL_CERTIFICATE)
    assert (shown["state"], shown["active"]["state"]) == ("PENDING", "APPROVED")
    assert await world.facts("CertificateEndedV1") == []
    await world.decide((await world.facts("CertificateRequestedV1"))[-1]["subject"], CertificateDecidedV1(kind="school", approved=True))
    assert len(await world.facts("CertificateApprovedV1")) == 2
    assert [f["reason"] for f in await world.facts("CertificateEndedV1")] == ["replaced"]
    assert [r["state"] for r in (await administrator.get(SCHOOL_CERTIFICATE))["history"]] == ["APPROVED", "REPLACED"]


async def test_a_certificate_that_another_school_holds_is_refused(world: World) -> None:
    administrator = await world.school()
    other = await world.administrator("31300002", TAX_CODE)
    await world.import_staff([member(3, administrator=True).model_copy(update={"code": code(3, "31300002")})], school="31300002")
    await world.enrol(organisation("shared"))
    await administrator.register(SCHOOL_CERTIFICATE, login("shared"))
    refused = await other.register(SCHOOL_CERTIFICATE, login("shared"))
    assert (refused["state"], refused["code"]) == ("REFUSED", "HB-IDN-030")
    assert await world.db["registrations"].count_documents({}) == 1
    [request] = await world.facts("CertificateRequestedV1")
    await world.decide(request["subject"], CertificateDecidedV1(kind="school", approved=False, reason="Nhầm"))
    assert (await other.register(SCHOOL_CERTIFICATE, login("shared")))["state"] == "PROVED"
    assert (await other.get(SCHOOL_CERTIFICATE))["state"] == "PENDING"


async def test_the_page_approves_and_refuses_in_bulk(world: World) -> None:
    administrator = await world.school()
    for number in (6, 7):
        await registered(world, administrator, number)
    page = await administrator.ask("GET", "/ui/identity/signing-accounts?state=PENDING")
    assert "Nguyễn Văn 6" in page.text
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    form: dict[str, Any] = {"csrf": csrf, "decision": "approve", "ids": [code(6)]}
    assert (await administrator.ask("POST", "/ui/identity/signing-accounts", data={**form, "csrf": "x"})).status_code == 403
    done = await administrator.ask("POST", "/ui/identity/signing-accounts", data=form)
    assert done.status_code == 303
    assert "Đã duyệt 1 tài khoản." in (await administrator.ask("GET", done.headers["Location"])).text
    everything = {"csrf": csrf, "decision": "refuse", "all": "1", "filter": "?state=PENDING"}
    asked = await administrator.ask("POST", "/ui/identity/signing-accounts", data=everything)
    assert "Lý do từ chối" in asked.text
    reason = {"csrf": csrf, "decision": "refuse", "ids": [code(7)], "reason": "Nhầm"}
    assert (await administrator.ask("POST", "/ui/identity/signing-accounts", data=reason)).status_code == 303
    listed = await administrator.get(ACCOUNTS)
    assert {a["person"]: a["state"] for a in listed if a["state"] != "NOT_REGISTERED"} == {code(6): "APPROVED", code(7): "REFUSED"}


@pytest.mark.parametrize("key", ["approved", "refused", "left", "page"])
async def test_a_number_without_end_in_the_address_of_the_page_is_no_error(world: World, key: str) -> None:
    administrator = await world.school()
    assert (await administrator.ask("GET", f"/ui/identity/signing-accounts?{key}={'9' * 5000}")).status_code == 200
