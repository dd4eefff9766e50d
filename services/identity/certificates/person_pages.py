"""Page: one person's signing account in plain words, for whoever approves it (1.3, cột Quản lý chữ ký nhân sự)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from contracts.access import Action, allowed
from services.chassis import clock
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web.lists import done, notices
from services.chassis.web.look import render, vn_time
from services.identity.at_hand import Db, RequestId, TheDoor, TheRegistry
from services.identity.certificates import in_words, listing, revocation, store
from services.identity.certificates import registrations as certificates
from services.identity.certificates.checks import Check, checks_of
from services.identity.certificates.listing import ACCOUNTS
from services.identity.certificates.registrations import ACCOUNT_STATES, WAITING
from services.identity.errors import CATALOGUE, REVOCATION_UNKNOWN
from services.identity.images.routes import picture_href
from services.identity.images.store import current
from services.identity.organisations import places
from services.identity.organisations import store as organisations_store
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here
    from services.identity.certificates.registering import Registry

router = APIRouter()

WORDS = {"saved": ("Đã lưu thông tin ký số nhân sự.", "Thông tin ký số nhân sự không thay đổi.")}


@router.get("/signing-accounts/{person}")
async def show_person(request: Request, person: str, here: Settled, db: Db, registry: TheRegistry) -> Response:
    """With `?revocation=1` the issuer is asked now whether the certificate is revoked."""
    found = await _person(db, here, person)
    school = await one(db, "schools", found["school"])
    history = await store.history(db, "person", person, school["year"] if school else None)
    at = clock.now()
    newest = history[0] if history else None
    row = listing.row_of(found, newest, registry.providers, at=at)
    image = current(await one(db, "images", f"signature:{person}"))
    own = person == here.who.person
    context: dict[str, Any] = {
        "shell": await frame(request, here, db, notices(request, WORDS, CATALOGUE)),
        "title": "Thông tin ký số nhân sự",
        "crumb": "1. Hệ thống / 1.3. Duyệt tài khoản ký",
        "row": row,
        "own": own,
        "decide": row["state"] == WAITING and not own and not row["by_oversight"],
        "certificate": in_words.rows(certificates.ders(newest)[0], at) if newest else [],
        "checks": await _checks(registry, newest, at, ask="revocation" in request.query_params) if newest else [],
        "recheck_href": f"{ACCOUNTS}/{person}?revocation=1" if newest else "",
        "picture_href": picture_href("signature", person, image) if image else "",
        "action": ACCOUNTS,
        "issuer_action": f"{ACCOUNTS}/{person}/issuer",
        "granting": allowed(here.who, Action.GRANT_ACCOUNTS, school=found["school"]) and not own,
        "issue_word": listing.issue_word(here.who.level),
        "imported_issuer": bool(found["issuer"]),
        "back_href": ACCOUNTS,
        "history": [await _past(db, registry, each) for each in history],
    }
    return render(request.app.state.pages, request, "identity/staff_person.html", context)


@router.post("/signing-accounts/{person}/issuer")
async def set_issuer(
    person: str,
    *,
    here: Settled,
    db: Db,
    door: TheDoor,
    request_id: RequestId,
    issuer: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """ "Ký phát hành" given when ticked, taken when not. Raises Refused: OWN_ACCOUNT, UNKNOWN_PERSON."""
    check_form(here, csrf)
    found = await _person(db, here, person)
    require(here.who, Action.GRANT_ACCOUNTS, school=found["school"])
    [outcome] = await places.grant_issue(
        door, found["school"], [person], granted=bool(issuer), actor=here.who.person, request_id=request_id
    )
    if outcome.refused is not None:
        raise outcome.refused
    return done(f"{ACCOUNTS}/{person}", "saved", 1)


async def _person(db: Database, here: Here, person: str) -> Document:
    """Of the own school. Raises Refused: FORBIDDEN, NOT_FOUND."""
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=here.who.school or "")
    found = await one(db, "people", person)
    if found is None or found["school"] != here.who.school or not found["roles"]:
        raise Refused(NOT_FOUND)
    return found


async def _checks(registry: Registry, registration: Document, at: dt.datetime, *, ask: bool) -> list[Check]:
    checks = checks_of(certificates.still_unfit(registration, registry.roots, at=at))
    proof = registration.get("proof")
    if proof:
        checks.append(Check("Đang giữ khóa ký", "Đạt", "success", f"Đã ký xác nhận khi đăng ký lúc {vn_time(proof['at'])}."))
    return [*checks, await _revocation(registry, registration, ask=ask)]


async def _revocation(registry: Registry, registration: Document, *, ask: bool) -> Check:
    text = "Tình trạng thu hồi"
    if not ask:
        words = "Được kiểm tra với tổ chức cấp khi đăng ký và khi duyệt."
        return Check(text, "Chưa hỏi lại", "neutral", words)
    [refused] = await revocation.ask([certificates.ders(registration)], registry.roots)
    if refused is None:
        return Check(text, "Đạt", "success", f"Tổ chức cấp trả lời lúc {vn_time(clock.now())}: không bị thu hồi.")
    if refused.refusal is REVOCATION_UNKNOWN:
        return Check(text, "Chưa hỏi được", "warning", f"{refused.cause} {refused.action}")
    return Check(text, "Không đạt", "danger", f"{refused.cause} {refused.action}")


async def _past(db: Database, registry: Registry, registration: Document) -> dict[str, Any]:
    decider = registration["decided_by"]
    people = await organisations_store.people_by_code(db, [decider] if decider else [])
    return {
        "at": registration["requested_at"],
        "serial": registration["facts"]["serial"],
        "means": certificates.MEANS_NAMES[registration.get("means", "remote")],
        "provider": registry.providers.name(registration["provider"]) if registration["provider"] else "",
        "state": ACCOUNT_STATES[registration["state"]],
        "tone": listing.TONES.get(registration["state"], "neutral"),
        "decided_at": registration["decided_at"],
        "decided_by": people[decider]["name"] if decider in people else "",
        "reason": registration["refusal"],
    }
