"""HTTP face of the admissions portal; the contract is contracts/openapi/admissions-portal-v1.yaml."""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse

from infra.sandbox.admissions.desk import ENDPOINTS, Desk, PortalFaults, portal_signer
from infra.sandbox.admissions.ledger import Ledger, Push
from infra.sandbox.common import Place, announce, write_atomically
from infra.sandbox.door import Door, peer_of
from infra.sandbox.door import install as install_door
from infra.sandbox.faults import install
from infra.sandbox.gateway import jws
from infra.sandbox.gateway.errors import PackageRefused
from infra.sandbox.gateway.ledger import moment
from infra.sandbox.gateway.manifest import open_package
from infra.sandbox.gateway.trust import Trust

LARGEST_PUSH = 64_000_000
LARGEST_ORDER = 10_000
HANG_SECONDS = 120.0
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

router = APIRouter()


class Revocation(BaseModel):
    """The transcript of a push is in force no more."""

    model_config = ConfigDict(extra="forbid")

    pushId: str = Field(pattern=UUID)  # noqa: N815 - as the contract has it
    uuid: str = Field(pattern=UUID)
    version: int = Field(ge=1)
    schoolCode: str = Field(min_length=1, max_length=50)  # noqa: N815 - as the contract has it
    why: Literal["WITHDRAWN", "CANCELLED"]
    at: str = Field(min_length=1, max_length=40)


def create_app(place: Place, door: Door | None = None) -> FastAPI:
    """Open DIR/admissions and go on where the last run stopped. The PKI must have made the portal's key."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    desk = Desk(Ledger(place.directory / "admissions"), Trust(place.directory), portal_signer(place.directory))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        announce(place.directory, "admissions", place.url)
        yield
        await desk.stop()
        desk.ledger.close()

    app = FastAPI(title="Sandbox admissions portal", version="1.0", lifespan=lifespan)
    app.state.desk = desk
    app.add_exception_handler(PackageRefused, _refused)
    install(app, desk.faults, _endpoint_of)
    if door is not None:
        install_door(app, "TS-010")
    app.include_router(router)
    return app


def _endpoint_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "v1" and parts[2] in ENDPOINTS else None


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    """What is shared with the gateway speaks of NG codes; the portal's own are TS."""
    assert isinstance(refusal, PackageRefused)
    return JSONResponse({"code": re.sub("^NG-", "TS-", refusal.code), "reason": refusal.reason}, refusal.status)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ready"}


@router.post("/v1/pushes", status_code=202)
async def take(
    desk: TheDesk,
    request: Request,
    idempotency_key: Annotated[str | None, Header()] = None,
    x_jws_signature: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/zip":
        raise PackageRefused(415, "TS-001", "Nội dung gửi lên phải là application/zip")
    body = await _body(request, LARGEST_PUSH)
    push = await asyncio.to_thread(_read, body, x_jws_signature, desk.trust, peer_of(request))
    if idempotency_key != push.id:
        raise PackageRefused(400, "TS-004", "Tiêu đề Idempotency-Key phải là mã gói trong bảng kê")
    desk.ledger.arrived(push.id)
    known = desk.ledger.digest_of(push.id)
    if known not in (None, push.digest):
        raise PackageRefused(409, "TS-005", "Mã lần gửi này đã được dùng cho một gói có nội dung khác")
    if known is None:
        # the file first: a push in the ledger always has its file
        write_atomically(desk.ledger.file_of(push.id), body)
        desk.ledger.add(push)
        desk.queue.put_nowait(push.id)
    if desk.faults.take("pushes", "timeout_after_accept"):
        await asyncio.sleep(HANG_SECONDS)
    return _standing(desk, push.id)


async def _body(request: Request, largest: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise PackageRefused(413, "TS-008", "Gói quá lớn")
        parts.append(part)
    return b"".join(parts)


def _read(body: bytes, signature: str | None, trust: Trust, peer: bytes | None) -> Push:
    sender = jws.verify(signature, body, trust, peer)
    manifest = open_package(body)
    if len(manifest.entries) != 1 or manifest.entries[0].summary_of is not None:
        raise PackageRefused(400, "TS-009", "Mỗi lần gửi tuyển sinh có đúng một học bạ")
    (entry,) = manifest.entries
    return Push(
        id=manifest.package_id,
        digest=hashlib.sha256(body).hexdigest(),
        sender=sender,
        uuid=entry.uuid,
        version=entry.version,
        school=manifest.school,
        year=manifest.year,
        class_name=manifest.class_name,
        pdf_sha256=entry.pdf.sha256,
        xml_sha256=entry.xml.sha256,
        received_at=moment(),
    )


def _standing(desk: Desk, push_id: str) -> dict[str, Any]:
    found = desk.ledger.standing(push_id)
    if found is None:
        raise PackageRefused(404, "TS-011", "Không có lần gửi này")
    return found


@router.get("/v1/pushes/{push_id}")
async def standing(desk: TheDesk, push_id: str) -> dict[str, Any]:
    return _standing(desk, push_id)


@router.post("/v1/pushes/{push_id}/revocation")
async def revoke(desk: TheDesk, request: Request, push_id: str, x_jws_signature: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    body = await _body(request, LARGEST_ORDER)
    await asyncio.to_thread(jws.verify, x_jws_signature, body, desk.trust, peer_of(request))
    try:
        order = Revocation.model_validate_json(body)
    except ValidationError as wrong:
        raise PackageRefused(400, "TS-013", "Nội dung báo thu hồi không đúng hợp đồng giao tiếp") from wrong
    known = desk.ledger.push(push_id)
    if order.pushId != push_id or (known is not None and (known.uuid, known.school) != (order.uuid, order.schoolCode)):
        raise PackageRefused(400, "TS-014", "Báo thu hồi khác với học bạ của lần gửi này")
    desk.ledger.revoke(push_id, order.uuid, order.schoolCode, order.why)
    return _standing(desk, push_id)


@router.post("/control/faults")
async def misbehave(desk: TheDesk, order: PortalFaults) -> dict[str, Any]:
    if order.refuse_uuids is not None:
        desk.refuse_uuids = set(order.refuse_uuids)
    desk.faults.apply(order)
    desk.follow_faults()
    return {"faults": desk.faults.in_force(), "refuse_uuids": sorted(desk.refuse_uuids)}


@router.get("/control/ledger")
async def ledger(desk: TheDesk, school: str) -> dict[str, list[dict[str, Any]]]:
    return desk.ledger.of_school(school)
