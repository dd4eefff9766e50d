"""Control of the provider: users, faults, the phone's habits and its page, counts."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.faults import FaultOrder
from infra.sandbox.provider.desk import TheDesk, Webhook
from infra.sandbox.provider.enrolment import Enrolment, PkiRefusal, enrol
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.modes import Confirmation, Modes, Signing, Wrapped
from infra.sandbox.provider.phone import Habit, Mode

router = APIRouter()
pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


class ProviderFaults(FaultOrder):
    wrong_signature_next: int | None = Field(default=None, ge=0, description="this many signatures are over another digest")
    partial_next: int | None = Field(default=None, ge=0, description="signHash gives one signature too few, this many times")
    swap_next: int | None = Field(default=None, ge=0, description="signHash gives the signatures in reverse order, this many times")
    one_short_next: int | None = Field(default=None, ge=0, description="MySign: the list of values lacks the last one, this many times")
    wrong_percent: int | None = Field(default=None, ge=0, le=100, description="share of hashes that get a wrong signature, drawn by hash")
    refuse_percent: int | None = Field(default=None, ge=0, le=100, description="share of hashes that are not signed, drawn by hash")
    lose_webhook_next: int | None = Field(default=None, ge=0, description="the webhook does not come, this many times")
    repeat_webhook_next: int | None = Field(default=None, ge=0, description="the webhook comes three times, this many times")
    forge_webhook_next: int | None = Field(default=None, ge=0, description="webhooks of somebody else come first, this many times")
    refuse_next: int | None = Field(default=None, ge=0, description="the person refuses, this many times")
    expire_next: int | None = Field(default=None, ge=0, description="the request on the phone runs out at once, this many times")
    sad_seconds: int | None = Field(default=None, ge=0, description="how long a SAD given from now on is good")


class PhoneOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: Mode
    delay_ms: int = Field(default=500, ge=0)
    user: str | None = Field(default=None, description="only this user's phone; without it all phones")


class ModesOrder(BaseModel):
    """What is left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(default=None, description="only this account; without it all that have no mode of their own")
    confirmation: Confirmation | None = None
    signing: Signing | None = None
    asynchronous_ms: int | None = Field(default=None, ge=0)
    wrapped: Wrapped | None = None
    announces_pkce: bool | None = Field(default=None, description="of the whole provider")
    takes_pushed: bool | None = Field(default=None, description="pushed authorisation requests, of the whole provider")


class WebhookOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="empty: nobody is told")
    ca_file: Path | None = Field(default=None, description="PEM to trust for https")


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ready"}


@router.post("/control/users")
async def users(desk: TheDesk, order: Enrolment) -> dict[str, Any]:
    try:
        return {"users": await enrol(desk, order)}
    except PkiRefusal as refusal:
        raise HTTPException(refusal.status, f"the PKI refused: {refusal}") from refusal


@router.post("/control/phone")
async def phone_habit(desk: TheDesk, order: PhoneOrder) -> dict[str, Any]:
    habit = Habit(order.mode, order.delay_ms / 1000)
    if order.user is None:
        desk.phones.default = habit
        desk.phones.habits.clear()
    else:
        desk.phones.habits[order.user] = habit
    return {"mode": habit.mode, "delay_ms": order.delay_ms, "user": order.user}


@router.post("/control/modes")
async def modes(desk: TheDesk, order: ModesOrder) -> dict[str, Any]:
    if order.announces_pkce is not None:
        desk.modes.announces_pkce = order.announces_pkce
    if order.takes_pushed is not None:
        desk.modes.takes_pushed = order.takes_pushed
    changes = order.model_dump(exclude={"user", "announces_pkce", "takes_pushed"}, exclude_none=True)
    mode = replace(desk.modes.default if order.user is None else desk.modes.of(order.user), **changes)
    if order.user is None:
        desk.modes.default = mode
    else:
        desk.modes.own[order.user] = mode
    return asdict(mode)


@router.get("/control/codes")
async def codes_sent(desk: TheDesk) -> dict[str, str]:
    """By user: the one-time password that was sent last and not used."""
    return desk.modes.sent


@router.delete("/control/modes")
async def usual_modes(desk: TheDesk) -> dict[str, Any]:
    desk.modes = Modes()
    return asdict(desk.modes.default)


@router.post("/control/webhook")
async def webhook(desk: TheDesk, order: WebhookOrder) -> dict[str, Any]:
    desk.webhook = Webhook(order.url, order.ca_file)
    return {"url": desk.webhook.url}


@router.get("/control/webhook")
async def webhooks_sent(desk: TheDesk) -> dict[str, Any]:
    """The answers to the webhooks sent since the order, 0 for none."""
    return {"url": desk.webhook.url, "answers": desk.webhook.answers}


@router.post("/control/faults")
async def misbehave(desk: TheDesk, order: ProviderFaults) -> dict[str, Any]:
    if order.sad_seconds is not None:
        desk.sad_seconds = float(order.sad_seconds)
    desk.faults.apply(order.model_copy(update={"sad_seconds": None}))
    return {"faults": desk.faults.in_force(), "sad_seconds": desk.sad_seconds}


@router.get("/control/stats")
async def stats(desk: TheDesk) -> dict[str, Any]:
    return desk.stats()


@router.get("/control/signed")
async def signed(desk: TheDesk) -> dict[str, dict[str, int]]:
    """By user: every hash signed (base64), and how often."""
    return {user: dict(hashes) for user, hashes in desk.signed.items()}


@router.get("/control/phone/pending")
async def pending(desk: TheDesk) -> dict[str, Any]:
    return {
        "pending": [
            {
                "handle": each.handle,
                "user": each.credential.user,
                "description": each.description,
                "signatures": each.signatures_allowed,
                "provider": each.provider,
                "titles": list(each.shown),
            }
            for each in desk.phones.pending()
        ]
    }


@router.get("/phone", response_class=HTMLResponse)
async def phone_page(desk: TheDesk) -> str:
    return pages.get_template("phone.html").render(requests=desk.phones.pending(), sent=desk.modes.sent, provider=desk.name)


@router.post("/phone/{handle}/{answer}")
async def phone_answer(desk: TheDesk, handle: str, answer: Literal["confirm", "reject"]) -> RedirectResponse:
    try:
        authorisation = desk.phones.by_handle(handle)
    except CscError as unknown:
        raise HTTPException(404, "Không có yêu cầu này") from unknown
    if authorisation.settle() == "waiting":
        authorisation.answer("confirmed" if answer == "confirm" else "rejected")
    return RedirectResponse("/phone", 303)
