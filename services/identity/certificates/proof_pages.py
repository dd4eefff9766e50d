"""Pages of a proof: the choice of the certificate, the wait for the key, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Action
from contracts.menu import SCHOOL_CERTIFICATE, SIGNING_ACCOUNT
from services.chassis import clock
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.web import lists
from services.chassis.web.look import render
from services.identity.at_hand import RequestId, TheRegistry
from services.identity.certificates import account_pages, in_words, leaving, proofs, proving, school_pages
from services.identity.certificates.proof_routes import own_proof, what_to_do
from services.identity.certificates.register_pages import CsrfField, said
from services.identity.certificates.registrations import MEANS_NAMES
from services.identity.errors import CATALOGUE
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from services.chassis.mongo import Document
    from services.identity.accounts.sessions import Here
    from services.identity.certificates.registering import Registry
    from services.identity.certificates.registrations import Candidate

router = APIRouter(prefix="/ui/identity/proofs", include_in_schema=False)

ProofId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
BEGUN_AT = {"person": SIGNING_ACCOUNT, "school": SCHOOL_CERTIFICATE}
TONES = {proofs.CHOOSING: "info", proofs.WAITING: "waiting", proofs.PROVED: "success", proofs.REFUSED: "danger", proofs.EXPIRED: "danger"}
READING = "Đang đọc chứng thư số"
LONGEST_SECRET = 100
WORDS = {"code": ("Đã gửi mã OTP. Mã gửi trước đó không còn dùng được.", "Mã OTP vừa được gửi: chờ 30 giây rồi gửi lại nếu chưa nhận.")}


@router.get("/callback")
async def come_back(
    here: Settled,
    registry: TheRegistry,
    request_id: RequestId,
    *,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """From the provider's page, with what the person decided there."""
    require(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=here.who.school or "")
    back = _back(registry)
    proof_id = await leaving.come_back(registry, here.who, back, state=state, code=code, error=error, request_id=request_id)
    return RedirectResponse(f"/ui/identity/proofs/{proof_id}", status_code=303)


@router.get("/{proof_id}/provider")
async def leave(proof_id: ProofId, *, here: Settled, registry: TheRegistry) -> Response:
    """Off to the provider's page. A link, since a form of ours may lead nowhere else."""
    proof = await own_proof(registry, proof_id, here.who)
    away = await leaving.leave(registry, proof, _back(registry))
    return RedirectResponse(away or f"/ui/identity/proofs/{proof_id}", status_code=303)


def _back(registry: Registry) -> str:
    return f"{registry.server}/ui/identity/proofs/callback"


@router.get("/{proof_id}")
async def show(request: Request, proof_id: ProofId, here: Settled, registry: TheRegistry, request_id: RequestId) -> Response:
    """Carries the proof on; once it is proved, leads back to the page where it began."""
    await own_proof(registry, proof_id, here.who)
    proof = await proving.poll(registry, proof_id, here.who, request_id=request_id)
    return await _page(request, here, registry, proof)


@router.post("/{proof_id}")
async def choose(
    request: Request,
    proof_id: ProofId,
    *,
    here: Settled,
    registry: TheRegistry,
    request_id: RequestId,
    credential: Annotated[str, Form()] = "",
    csrf: CsrfField = "",
) -> Response:
    check_form(here, csrf)
    proof = await own_proof(registry, proof_id, here.who)
    if not credential:
        return await _page(request, here, registry, proof, errors={"credential": "Chọn một chứng thư số."})
    typed, missing = await _typed(request, proof, credential)
    if missing:
        return await _page(request, here, registry, proof, errors=missing)
    try:
        await proving.choose(registry, proof_id, here.who, credential[:200], request_id=request_id, typed=typed)
    except Refused as refused:
        return await _page(request, here, registry, proof, errors=said(refused))
    return RedirectResponse(f"/ui/identity/proofs/{proof_id}", status_code=303)


@router.post("/{proof_id}/code")
async def send_code(
    proof_id: ProofId, *, here: Settled, registry: TheRegistry, credential: Annotated[str, Form()] = "", csrf: CsrfField = ""
) -> Response:
    """The one-time password of the chosen certificate's account, for the first time or again."""
    check_form(here, csrf)
    proof = await own_proof(registry, proof_id, here.who)
    chosen = credential[:200] or next((each["credential_id"] for each in proof["offers"] if each.get("secrets")), "")
    try:
        sent = await proving.send_codes(registry, proof_id, here.who, chosen)
    except Refused as refused:
        return lists.done(f"/ui/identity/proofs/{proof_id}", "code", 0, [refused.code])
    return lists.done(f"/ui/identity/proofs/{proof_id}", "code", int(sent))


async def _typed(request: Request, proof: Document, credential: str) -> tuple[dict[str, str], dict[str, str]]:
    """What was typed for this certificate, by the secret's id, and what is missing of it, by field."""
    form = await request.form()
    offers = [proofs.credential_of(each) for each in proof["offers"]]
    wanted = {secret.id for offered in offers if offered.id == credential for secret in offered.secrets}
    typed, missing = {}, {}
    for number, secret in enumerate(proofs.secrets_of(proof)):
        value = form.get(f"password-{number}")
        if secret.id in wanted and isinstance(value, str) and value.strip():
            typed[secret.id] = value.strip()[:LONGEST_SECRET]
        elif secret.id in wanted:
            missing[f"password-{number}"] = f"Nhập {secret.label}."
    return typed, missing


@router.post("/{proof_id}/give-up")
async def give_up(proof_id: ProofId, *, here: Settled, registry: TheRegistry, request_id: RequestId, csrf: CsrfField = "") -> Response:
    check_form(here, csrf)
    proof = await own_proof(registry, proof_id, here.who)
    await proving.give_up(registry, proof_id, here.who, request_id=request_id)
    return RedirectResponse(BEGUN_AT[proof["kind"]], status_code=303)


async def _page(request: Request, here: Here, registry: Registry, proof: Document, *, errors: dict[str, str] | None = None) -> Response:
    back = BEGUN_AT[proof["kind"]]
    alone = "HX-Request" in request.headers
    if proof["state"] == proofs.PROVED:
        return Response(headers={"HX-Redirect": f"{back}?done=1"}) if alone else RedirectResponse(f"{back}?done=1", status_code=303)
    choosing = proof["state"] == proofs.CHOOSING and bool(proof["offers"])
    if choosing and alone:
        return Response(headers={"HX-Redirect": request.url.path})
    context = await _context(registry, here, proof, choosing=choosing)
    told = lists.notices(request, WORDS, CATALOGUE) if choosing else []
    context |= {"shell": await frame(request, here, registry.db, told), "back_href": back, "errors": errors or {}}
    name = "identity/certificate_choice.html" if choosing else "identity/proof_panel.html" if alone else "identity/proof.html"
    return render(request.app.state.pages, request, name, context, status_code=422 if errors else 200)


async def _context(registry: Registry, here: Here, proof: Document, *, choosing: bool) -> dict[str, Any]:
    crumb = account_pages.CRUMB if proof["kind"] == "person" else school_pages.crumb_of(here.who)
    common = {"crumb": crumb, "action": f"/ui/identity/proofs/{proof['_id']}"}
    if choosing:
        found = await proving.offers(registry, proof, here.who)
        secrets = [
            {"field": f"password-{number}", "label": each.label, "digits": each.digits, "sent": each.sent}
            for number, each in enumerate(proofs.secrets_of(proof))
        ]
        title = proofs.STATES[proofs.CHOOSING]
        return {**common, "title": title, "offers": [_offer(candidate) for candidate in found], "secrets": secrets}
    reading = proof["state"] == proofs.CHOOSING
    chosen = proofs.credential_of(proof["chosen"]).certificate if proof["chosen"] else None
    state = READING if reading else proofs.STATES[proof["state"]]
    return {
        **common,
        "title": state,
        "running": proof["state"] in proofs.OPEN,
        "state_name": state,
        "tone": TONES[proof["state"]],
        "means": MEANS_NAMES[proof["means"]],
        "cause": proof["refusal"]["cause"] if proof["refusal"] else "",
        "what_to_do": what_to_do(proof),
        "challenge": proof["challenge"] or "",
        "provider_href": f"/ui/identity/proofs/{proof['_id']}/provider" if proofs.waits_on_page(proof) else "",
        "until": proof["expires_at"],
        "rows": in_words.rows(chosen, clock.now()) if chosen else [],
    }


def _offer(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.credential_id,
        "subject": candidate.facts.subject,
        "serial": candidate.facts.serial,
        "rows": in_words.rows(candidate.certificate, clock.now()),
        "problems": [{"text": p.message_vi, "action": p.action_vi} for p in candidate.problems],
    }
