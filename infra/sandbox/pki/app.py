"""HTTP face of the PKI."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.common import Place, announce
from infra.sandbox.faults import FaultOrder, install
from infra.sandbox.pki.authority import Authority, now
from infra.sandbox.pki.house import ENDPOINTS, House, open_house
from infra.sandbox.pki.issuing import CertificateOrder, Issued
from infra.sandbox.pki.records import serial_text
from infra.sandbox.pki.stamping import refusal, stamp
from infra.sandbox.pki.status import answer_ocsp, make_crl, refuse_ocsp

CRL_EVERY_SECONDS = 60

router = APIRouter()


class PkiFaults(FaultOrder):
    refuse_next: int | None = Field(default=None, ge=0, description="TSA: rejection; OCSP: tryLater; this many times")
    wrong_signature_next: int | None = Field(default=None, ge=0, description="TSA: this many tokens with a wrong signature")


class RevocationOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    serial: str = Field(description="hexadecimal, as given when issued")
    reason: str = Field(default="keyCompromise", description="CRLReason name, such as keyCompromise; removeFromCRL lifts certificateHold")
    at: datetime | None = None


class UnitOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="it answers at /tsa/{name} until the process ends")
    valid_to: datetime


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(_house)]


def create_app(place: Place) -> FastAPI:
    """Make or load everything under DIR, then answer. Certificates issued now carry `place.url`."""
    house = open_house(place)

    async def keep_fresh() -> None:
        while True:
            await asyncio.sleep(CRL_EVERY_SECONDS)
            house.publish()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        announce(place.directory, "pki", place.url)
        refresher = asyncio.create_task(keep_fresh())
        yield
        refresher.cancel()
        house.records.close()

    app = FastAPI(title="Sandbox PKI", version="1.0", lifespan=lifespan)
    app.state.house = house
    install(app, house.faults, _endpoint_of)
    app.include_router(router)
    return app


def _endpoint_of(path: str) -> str | None:
    first = path.split("/")[1]
    return first if first in ENDPOINTS else None


def _authority(house: House, name: str) -> Authority:
    if name not in house.authorities:
        raise HTTPException(404, f"no authority {name!r}; there are {', '.join(house.authorities)}")
    return house.authorities[name]


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ready"}


@router.get("/ca/{name}.cer")
async def authority_certificate(house: TheHouse, name: str) -> Response:
    return Response(_authority(house, name).certificate.public_bytes(Encoding.DER), media_type="application/pkix-cert")


@router.get("/crl/{name}.crl")
async def crl(house: TheHouse, name: str) -> Response:
    return Response(make_crl(_authority(house, name), house.records), media_type="application/pkix-crl")


@router.post("/ocsp/{name}")
async def ocsp_post(house: TheHouse, name: str, request: Request) -> Response:
    return _ocsp(house, name, await request.body())


@router.get("/ocsp/{name}/{encoded:path}")
async def ocsp_get(house: TheHouse, name: str, encoded: str) -> Response:
    try:
        return _ocsp(house, name, base64.b64decode(encoded, validate=True))
    except binascii.Error:
        return _ocsp(house, name, b"")


def _ocsp(house: House, name: str, content: bytes) -> Response:
    authority = _authority(house, name)
    if house.faults.take("ocsp", "refuse_next"):
        answer = refuse_ocsp(ocsp.OCSPResponseStatus.TRY_LATER)
    else:
        answer = answer_ocsp(content, authority, house.records)
    return Response(answer, media_type="application/ocsp-response")


@router.post("/tsa")
async def timestamp(house: TheHouse, request: Request) -> Response:
    if house.faults.take("tsa", "refuse_next"):
        answer = refusal("system_failure", "refused on request")
    else:
        answer = stamp(await request.body(), house.stamper, damaged=house.faults.take("tsa", "wrong_signature_next"))
    return Response(answer, media_type="application/timestamp-reply")


@router.post("/tsa/{name}")
async def timestamp_by_unit(house: TheHouse, name: str, request: Request) -> Response:
    if name not in house.units:
        raise HTTPException(404, f"no timestamping unit {name!r}")
    return Response(stamp(await request.body(), house.units[name]), media_type="application/timestamp-reply")


@router.post("/control/units")
async def make_unit(house: TheHouse, order: UnitOrder) -> dict[str, str]:
    unit = house.add_unit(order.name, order.valid_to)
    return {"name": order.name, "serial": serial_text(unit.certificate.serial_number)}


@router.post("/control/faults")
async def misbehave(house: TheHouse, order: PkiFaults) -> dict[str, Any]:
    house.faults.apply(order)
    return {"faults": house.faults.in_force()}


@router.post("/control/certificates")
async def issue_certificate(house: TheHouse, order: CertificateOrder) -> Issued:
    try:
        made = await asyncio.to_thread(house.make, order)
    except ValueError as wrong:
        raise HTTPException(422, str(wrong)) from wrong
    return house.record(order, made)


@router.post("/control/revoke")
async def revoke(house: TheHouse, order: RevocationOrder) -> dict[str, str]:
    try:
        reason = x509.ReasonFlags(order.reason)
    except ValueError as wrong:
        raise HTTPException(422, f"unknown reason {order.reason!r}") from wrong
    moment = order.at or now()
    serial = order.serial.lower()
    issuer = house.revoke(serial, moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment, reason)
    if issuer is None:
        raise HTTPException(404, "no such certificate was issued here")
    return {"serial": serial, "issuer": issuer, "reason": reason.value}
