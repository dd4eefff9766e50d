"""HTTP face of the gateway; the contract is contracts/openapi/national-gateway-v1.yaml."""

import asyncio
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse

from infra.sandbox.common import Place, announce, write_atomically
from infra.sandbox.door import Door, peer_of
from infra.sandbox.door import install as install_door
from infra.sandbox.faults import ANY, install
from infra.sandbox.gateway import jws, withdrawals
from infra.sandbox.gateway.errors import PackageRefused
from infra.sandbox.gateway.ledger import Ledger, moment
from infra.sandbox.gateway.manifest import Manifest, callback_is_allowed, open_package
from infra.sandbox.gateway.office import ENDPOINTS, GatewayFaults, Office
from infra.sandbox.gateway.search import Foreign, Persons, SearchOrder
from infra.sandbox.gateway.trust import Trust

LARGEST_BODY = 256_000_000
LARGEST_SEARCH = 10_000
HANG_SECONDS = 120.0

router = APIRouter()


@dataclass(frozen=True)
class GatewayOptions:
    callback_secret: bytes
    callback_ca_file: Path | None = None
    callback_hosts: frozenset[str] = frozenset()
    workers: int = 1
    door: Door | None = None


def create_app(place: Place, options: GatewayOptions) -> FastAPI:
    """Open DIR/gateway and go on where the last run stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    office = Office(
        directory=place.directory,
        ledger=Ledger(place.directory / "gateway"),
        secret=options.callback_secret,
        trust=Trust(place.directory),
        persons=Persons(place.directory / "gateway"),
        allowed_hosts=options.callback_hosts,
        workers=options.workers,
        tls=ssl.create_default_context(cafile=str(options.callback_ca_file)) if options.callback_ca_file else None,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        office.start()
        announce(place.directory, "gateway", place.url)
        yield
        await office.stop()
        office.ledger.close()
        office.persons.close()

    app = FastAPI(title="Sandbox national gateway", version="1.0", lifespan=lifespan)
    app.state.office = office
    app.add_exception_handler(PackageRefused, _refused)
    install(app, office.faults, _endpoint_of)
    if options.door is not None:
        install_door(app, "NG-009")
    app.include_router(router)
    return app


def _endpoint_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "v1" and parts[2] in ENDPOINTS else None


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, PackageRefused)
    return JSONResponse({"code": refusal.code, "reason": refusal.reason}, refusal.status)


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


TheOffice = Annotated[Office, Depends(_office)]


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ready"}


@router.post("/v1/packages", status_code=202)
async def take_package(
    office: TheOffice,
    request: Request,
    idempotency_key: Annotated[str | None, Header()] = None,
    x_jws_signature: Annotated[str | None, Header()] = None,
) -> dict[str, str]:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/zip":
        raise PackageRefused(415, "NG-001", "Nội dung gửi lên phải là application/zip")
    body = await _body(request)
    digest, sender, manifest = await asyncio.to_thread(_examine, body, x_jws_signature, office.trust, peer_of(request))
    if idempotency_key != manifest.package_id:
        raise PackageRefused(400, "NG-004", "Tiêu đề Idempotency-Key phải là mã gói trong bảng kê")
    if not callback_is_allowed(manifest.callback, office.allowed_hosts):
        raise PackageRefused(400, "NG-006", "Địa chỉ phản hồi không nằm trong danh sách được phép")
    office.ledger.arrived(manifest.package_id)
    known = office.ledger.digest_of(manifest.package_id)
    if known not in (None, digest):
        raise PackageRefused(409, "NG-005", "Mã gói này đã được dùng cho một gói có nội dung khác")
    if known is None:
        # the file first: a package in the ledger always has its file
        write_atomically(office.ledger.file_of(manifest.package_id), body)
        office.ledger.add(manifest, digest, sender)
        office.queue.put_nowait(manifest.package_id)
    if office.faults.take("packages", "timeout_after_accept"):
        await asyncio.sleep(HANG_SECONDS)
    if office.faults.value(ANY, "callback_before_answer"):
        await office.until_called_back(manifest.package_id)
    return office.ledger.receipt(manifest.package_id)


async def _body(request: Request, largest: int = LARGEST_BODY) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise PackageRefused(413, "NG-008", "Gói quá lớn")
        parts.append(part)
    return b"".join(parts)


def _examine(body: bytes, signature: str | None, trust: Trust, peer: bytes | None) -> tuple[str, str, Manifest]:
    sender = jws.verify(signature, body, trust, peer)
    return hashlib.sha256(body).hexdigest(), sender, open_package(body)


@router.get("/v1/packages/{package_id}")
async def package(office: TheOffice, package_id: str) -> dict[str, Any]:
    found = office.ledger.package(package_id)
    if found is None:
        raise PackageRefused(404, "NG-011", "Không có gói này")
    return found


@router.get("/v1/transcripts/{uuid}")
async def transcript(office: TheOffice, uuid: str) -> dict[str, Any]:
    found = office.ledger.transcript(uuid)
    if found is None:
        raise PackageRefused(404, "NG-012", "Cổng chưa tiếp nhận học bạ này")
    return found


@router.post("/v1/withdrawals")
async def withdraw(
    office: TheOffice,
    request: Request,
    idempotency_key: Annotated[str | None, Header()] = None,
    x_jws_signature: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    body = await _body(request, withdrawals.LARGEST_ORDER)
    order = await asyncio.to_thread(_examine_order, body, x_jws_signature, office.trust, peer_of(request))
    if idempotency_key != order.withdrawalId:
        raise PackageRefused(400, "NG-004", "Tiêu đề Idempotency-Key phải là mã yêu cầu thu hồi")
    digest = hashlib.sha256(body).hexdigest()
    known = office.ledger.withdrawal(order.withdrawalId)
    if known is not None and office.ledger.order_digest(order.withdrawalId) != digest:
        raise PackageRefused(409, "NG-015", "Mã yêu cầu này đã được dùng cho một lệnh thu hồi khác")
    answer = known or office.ledger.withdraw(order, digest)
    if office.faults.take("withdrawals", "timeout_after_accept"):
        await asyncio.sleep(HANG_SECONDS)
    return answer


def _examine_order(body: bytes, signature: str | None, trust: Trust, peer: bytes | None) -> withdrawals.Order:
    jws.verify(signature, body, trust, peer)
    return withdrawals.read(body, trust)


@router.get("/v1/withdrawals/{withdrawal_id}")
async def withdrawal(office: TheOffice, withdrawal_id: str) -> dict[str, Any]:
    found = office.ledger.withdrawal(withdrawal_id)
    if found is None:
        raise PackageRefused(404, "NG-016", "Không có lệnh thu hồi này")
    return found


@router.post("/v1/transcripts/search")
async def search(office: TheOffice, request: Request, x_jws_signature: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    """By body, so that no personal data stand in an address; signed as a package is."""
    body = await _body(request, LARGEST_SEARCH)
    await asyncio.to_thread(jws.verify, x_jws_signature, body, office.trust, peer_of(request))
    try:
        order = SearchOrder.model_validate_json(body)
    except ValidationError as wrong:
        raise PackageRefused(400, "NG-013", "Nội dung tra cứu không đúng hợp đồng giao tiếp") from wrong
    return office.persons.search(order)


@router.post("/control/holdings", status_code=204)
async def sent_by_another_system(office: TheOffice, foreign: Foreign) -> None:
    office.persons.put_foreign(foreign, moment())


@router.post("/control/faults")
async def misbehave(office: TheOffice, order: GatewayFaults) -> dict[str, Any]:
    if order.reject_uuids is not None:
        office.reject_uuids = set(order.reject_uuids)
    office.faults.apply(order)
    office.follow_faults()
    return {"faults": office.faults.in_force(), "reject_uuids": sorted(office.reject_uuids)}


@router.get("/control/ledger")
async def ledger(office: TheOffice, school: str) -> dict[str, list[dict[str, Any]]]:
    return office.ledger.of_school(school)


@router.get("/control/stats")
async def stats(office: TheOffice) -> dict[str, int]:
    return office.ledger.counts()
