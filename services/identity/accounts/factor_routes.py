"""JSON: the second factor at sign-in, the own factors, confirming anew."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator

from services.chassis.access import require_confirmed
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.identity.accounts import factors, second_step, store, totp
from services.identity.accounts.factors import Proof
from services.identity.accounts.routes import Me, me_of
from services.identity.accounts.second_step import Asking, Enrolled
from services.identity.accounts.sessions import Missing
from services.identity.at_hand import Self, give_cookies
from services.identity.messages import Body

router = APIRouter(prefix="/api/identity")

Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
FactorName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]


class Given(Body):
    """One of both: a code of an app or a spare one, or what navigator.credentials.get() gave for the last challenge."""

    code: Code | None = None
    passkey: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> Given:
        if (self.code is None) == (self.passkey is None):
            raise ValueError("either code or passkey")
        return self

    @property
    def proof(self) -> Proof:
        return Proof(code=self.code or "", passkey=self.passkey)


class Confirmation(Body):
    """The password, or for an account with a second factor that one."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)] | None = None
    code: Code | None = None
    passkey: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> Confirmation:
        if sum(given is not None for given in (self.password, self.code, self.passkey)) != 1:
            raise ValueError("one of password, code, passkey")
        return self

    @property
    def proof(self) -> Proof | None:
        return None if self.password is not None else Proof(code=self.code or "", passkey=self.passkey)


class Factor(BaseModel):
    id: str
    kind: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Factors(BaseModel):
    """`required`: the person's role needs one; `spare_codes`: how many are left."""

    factors: list[Factor]
    spare_codes: int
    required: bool


class NewApp(BaseModel):
    """For an authenticator app; good once a code of it was sent back."""

    secret: str
    uri: str


class AppProof(Body):
    code: Code
    name: FactorName = ""


class NewPasskey(Body):
    """`credential`: what navigator.credentials.create() gave."""

    credential: dict[str, Any]
    name: FactorName = ""


class SpareCodes(BaseModel):
    """Shown this once; null when the account keeps those that it has."""

    spare_codes: list[str] | None


async def _enrolling(asking: Self) -> Asking:
    """Whoever is signed in, or has nothing left but to enrol. Raises Refused(SIGN_IN_NEEDED)."""
    if asking.here.missing not in (None, Missing.ENROLMENT):
        raise Refused(SIGN_IN_NEEDED)
    return asking


async def _enrolling_anew(asking: Annotated[Asking, Depends(_enrolling)]) -> Asking:
    """Raises ConfirmationNeeded, too: a session left open does not let others in for good."""
    require_confirmed(asking.here.who)
    return asking


Enrolling = Annotated[Asking, Depends(_enrolling)]
Confirmed = Annotated[Asking, Depends(_enrolling_anew)]


@router.post("/sessions/current/second-factor")
async def give(order: Given, asking: Self, response: Response) -> Me:
    """What is still missing after the password of an account with a second factor. The answer carries a new session cookie."""
    signed_in = await second_step.give(asking, order.proof)
    give_cookies(response, signed_in)
    return me_of(signed_in.here)


@router.post("/confirmation")
async def confirm(order: Confirmation, asking: Enrolling, response: Response) -> Me:
    """Good for five minutes of acts that ask for it (HB-ACC-428). The answer carries a new session cookie."""
    signed_in = await second_step.confirm(asking, order.password.get_secret_value() if order.password else "", order.proof)
    give_cookies(response, signed_in)
    return me_of(signed_in.here)


@router.post("/factors/challenge")
async def challenge(asking: Self) -> dict[str, Any]:
    """Options for navigator.credentials.get(), as JSON."""
    return await second_step.challenge(asking)


@router.get("/factors")
async def list_factors(asking: Enrolling) -> Factors:
    return await factors_of(asking)


@router.post("/factors/totp")
async def begin_app(asking: Confirmed) -> NewApp:
    secret = await second_step.begin_app(asking)
    return NewApp(secret=secret, uri=totp.uri_of(secret, store.username_of(asking.person)))


@router.post("/factors/totp/confirm")
async def enrol_app(order: AppProof, asking: Enrolling, response: Response) -> SpareCodes:
    return _enrolled(await second_step.enrol_app(asking, order.code, order.name), response)


@router.post("/factors/passkeys/options")
async def begin_passkey(asking: Confirmed) -> dict[str, Any]:
    """Options for navigator.credentials.create(), as JSON."""
    return await second_step.begin_passkey(asking)


@router.post("/factors/passkeys")
async def enrol_passkey(order: NewPasskey, asking: Enrolling, response: Response) -> SpareCodes:
    return _enrolled(await second_step.enrol_passkey(asking, order.credential, order.name), response)


@router.post("/factors/spare-codes")
async def new_spare_codes(asking: Confirmed) -> SpareCodes:
    """The earlier ones are good no longer."""
    return SpareCodes(spare_codes=await second_step.new_spare_codes(asking))


@router.delete("/factors/{factor}")
async def remove(factor: str, asking: Confirmed, response: Response) -> Factors:
    signed_in = await second_step.remove(asking, factor)
    give_cookies(response, signed_in)
    return await factors_of(asking)


async def factors_of(asking: Asking) -> Factors:
    account = await second_step.account_of(asking.db, asking.person)
    return Factors(
        factors=[Factor.model_validate(each, from_attributes=False) for each in factors.of(account)],
        spare_codes=len(account.get("spare_codes", ())),
        required=asking.door.demanding and factors.demanded(asking.here.who),
    )


def _enrolled(enrolled: Enrolled, response: Response) -> SpareCodes:
    give_cookies(response, enrolled.signed_in)
    return SpareCodes(spare_codes=enrolled.spare_codes)
