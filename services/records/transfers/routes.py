"""JSON and files under /api/records: transfers (out), arrivals (in), documents received from other schools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis import audit
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import transaction
from services.records.at_hand import own_school, parts_of, store_of
from services.records.learners.reading import require_pupil
from services.records.transfers import incoming, outgoing, store
from services.records.transfers.errors import NO_PACKAGE, PACKAGE_TOO_LARGE
from services.records.transfers.examine import MOST_BYTES
from services.records.transfers.outgoing import Order, shown_number

if TYPE_CHECKING:
    from services.chassis.mongo import Document, Session

router = APIRouter(prefix="/api/records")
FILE_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


class Taking(BaseModel):
    """`class_code` "" keeps the record without putting the pupil into a class."""

    model_config = ConfigDict(extra="forbid")

    class_code: str = Field(default="", max_length=40)
    accept_unchecked: bool = False


def shown(transfer: Document) -> dict[str, Any]:
    keys = ("pupil_code", "pupil_name", "class_code", "year", "reason", "decision", "to", "documents", "state", "at", "by")
    return {
        "id": transfer["_id"],
        "number": shown_number(transfer),
        "sha256": transfer["package"]["sha256"],
        **{k: transfer[k] for k in keys},
    }


def shown_arrival(arrival: Document) -> dict[str, Any]:
    keys = ("from", "pupil_code", "pupil_name", "verdict", "state", "at", "by")
    later = {k: arrival.get(k) for k in ("taken_at", "class_code", "year")}
    return {"id": arrival["_id"], "package": arrival["package"], **{k: arrival[k] for k in keys}, **later}


# out


@router.get("/transfers")
async def transfers(request: Request, who: Who) -> dict[str, Any]:
    """The register of those who left, newest first."""
    school = own_school(who)
    require(who, Action.KEEP_TRANSFERS, school=school)
    return {"transfers": [shown(t) for t in await store.transfers_out(store_of(request).db, school)]}


@router.post("/transfers", status_code=201)
async def leave(request: Request, who: Who, order: Order) -> dict[str, Any]:
    """Seal the package of a pupil who leaves."""
    school = own_school(who)
    require_fresh(who, Action.TRANSFER, school=school)
    transfer_id = await outgoing.leave(parts_of(request), store_of(request), school=school, order=order, actor=who.person)
    return shown(await store.transfer_out(store_of(request).db, school, transfer_id))


@router.post("/transfers/{transfer_id}/undo")
async def undo(request: Request, who: Who, transfer_id: str) -> dict[str, Any]:
    school, db = own_school(who), store_of(request).db
    require_fresh(who, Action.TRANSFER, school=school)
    await outgoing.undo(db, school=school, transfer_id=transfer_id, actor=who.person)
    return shown(await store.transfer_out(db, school, transfer_id))


@router.get("/transfers/{transfer_id}/package.zip")
async def package(request: Request, who: Who, transfer_id: str) -> Response:
    school, db = own_school(who), store_of(request).db
    require(who, Action.KEEP_TRANSFERS, school=school)
    found = await store.transfer_out(db, school, transfer_id)
    if found["state"] == store.CANCELLED:
        raise Refused(NOT_FOUND)
    content = await parts_of(request).objects.get(DocumentRef.model_validate(found["package"]))

    async def work(session: Session) -> None:
        details = {"number": found["number"], "year": found["year"], "sha256": found["package"]["sha256"]}
        await audit.record(
            db, session, actor=who.person, act="transfer package downloaded", subject=transfer_id, place=school, details=details
        )

    await transaction(db, work)
    name = f"chuyen-truong-{found['pupil_code']}-{found['number']}.zip"
    headers = {**FILE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/zip", headers=headers)


# in


@router.get("/arrivals")
async def arrivals(request: Request, who: Who) -> dict[str, Any]:
    school = own_school(who)
    require(who, Action.KEEP_TRANSFERS, school=school)
    return {"arrivals": [shown_arrival(a) for a in await store.arrivals(store_of(request).db, school)]}


@router.post("/arrivals", status_code=201)
async def receive(request: Request, who: Who, file: UploadFile) -> dict[str, Any]:
    """Upload a package: it is examined, and nothing of it is taken yet."""
    school = own_school(who)
    require(who, Action.KEEP_TRANSFERS, school=school)
    if not file.filename:
        raise Refused(NO_PACKAGE)
    content = await file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Refused(PACKAGE_TOO_LARGE, most=MOST_BYTES >> 20)
    arrival_id = await incoming.receive(parts_of(request), store_of(request).db, school=school, content=content, actor=who.person)
    return await arrival(request, who, arrival_id)


@router.get("/arrivals/{arrival_id}")
async def arrival(request: Request, who: Who, arrival_id: str) -> dict[str, Any]:
    """What was found in the package, file by file."""
    school = own_school(who)
    require(who, Action.KEEP_TRANSFERS, school=school)
    found = await store.arrival(store_of(request).db, school, arrival_id)
    return {**shown_arrival(found), "examined": found["examined"]}


@router.post("/arrivals/{arrival_id}/take")
async def take(request: Request, who: Who, arrival_id: str, taking: Taking) -> dict[str, Any]:
    school, records = own_school(who), store_of(request)
    require_fresh(who, Action.TRANSFER, school=school)
    years = await records.years(school)
    await incoming.take(
        parts_of(request),
        records,
        school=school,
        arrival_id=arrival_id,
        class_code=taking.class_code,
        year=years[0] if years else None,
        accept_unchecked=taking.accept_unchecked,
        actor=who.person,
    )
    return shown_arrival(await store.arrival(records.db, school, arrival_id))


@router.get("/received/{received_id}/document.{kind}")
async def received(request: Request, who: Who, received_id: str, kind: str) -> Response:
    """A document that came with a transfer package, as the other school sealed it."""
    school, records = own_school(who), store_of(request)
    found = await store.received(records.db, school, received_id)
    await require_pupil(records, who, found["pupil_code"])
    if kind not in ("pdf", "xml"):
        raise Refused(NOT_FOUND)
    content = await parts_of(request).objects.get(DocumentRef.model_validate(found[kind]))
    headers = {**FILE_HEADERS, "Content-Disposition": f'inline; filename="{found["document"]["id"]}.{kind}"'}
    return Response(content, media_type="application/pdf" if kind == "pdf" else "application/xml", headers=headers)
