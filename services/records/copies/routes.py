"""JSON under /api/records/copies: certified copies and extracts, and their register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis import clock
from services.chassis.access import Who, require, require_fresh
from services.chassis.vietnamese import fold
from services.records.at_hand import own_school, parts_of, store_of
from services.records.copies import making, rules, store
from services.records.copies.rules import COPY_WORDS, Ask, CopyState

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(prefix="/api/records")
State = Literal["ASKED", "ISSUED", "DECLINED", "REVOKED"]


class NewCopy(Ask):
    """A request for a copy of one transcript."""

    transcript: str = Field(max_length=60)


class Issue(BaseModel):
    model_config = ConfigDict(extra="forbid")

    signer: str = Field(max_length=40, description="staff code of the leader who certifies")


class End(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=rules.LONGEST_REASON)


@router.get("/copies")
async def register(
    request: Request,
    who: Who,
    year: Annotated[int | None, Query(ge=2020, le=2100)] = None,
    state: State | None = None,
    find: Annotated[str, Query(max_length=120)] = "",
) -> dict[str, Any]:
    """The register of copies, newest first: by calendar year, state, and number, name, code or digest."""
    school = own_school(who)
    require(who, Action.KEEP_COPIES, school=school)
    query = {"year": str(year or ""), "state": state or "", "find": find}
    return {"copies": [shown(copy) for copy in await store.copies(store_of(request).db, school) if matches(copy, query)]}


def matches(copy: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    wanted = fold(query.get("find", ""))
    texts = (copy["pupil_name"], copy["pupil_code"], copy["ask"]["requester"], copy["transcript"], number_of(copy), *_digests(copy))
    return (
        query.get("year", "") in ("", str(copy["register_year"]))
        and query.get("state", "") in ("", copy["state"])
        and query.get("kind", "") in ("", copy["ask"]["kind"])
        and query.get("medium", "") in ("", copy["ask"]["medium"])
        and any(wanted in fold(text) for text in texts)
    )


def _digests(copy: Mapping[str, Any]) -> list[str]:
    return [file["sha256"] for file in (copy["pdf"], (copy["source"] or {}).get("pdf")) if file]


def number_of(copy: Mapping[str, Any]) -> str:
    """As in the register; "" before it was issued."""
    return rules.number_text(copy["number"], copy["register_year"]) if copy["number"] else ""


def shown(copy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": copy["_id"],
        "number": number_of(copy),
        "state": copy["state"],
        "state_text": COPY_WORDS[CopyState(copy["state"])],
        "transcript": copy["transcript"],
        "pupil": copy["pupil_code"],
        "name": copy["pupil_name"],
        "class": copy["class_code"],
        "year": copy["school_year"],
        **copy["ask"],
        "requested_at": copy["requested_at"],
        "requested_by": copy["requested_by"],
        "issued_at": copy.get("issued_at"),
        "issued_by": copy.get("issued_by"),
        "signer": (copy.get("signer") or {}).get("name", ""),
        "source_sha256": copy["source"]["pdf"]["sha256"] if copy["source"] else "",
        "sha256": copy["pdf"]["sha256"] if copy["pdf"] else "",
        "reason": copy["reason"],
    }


@router.post("/copies", status_code=201)
async def ask_for_copy(request: Request, who: Who, asked: NewCopy) -> dict[str, Any]:
    """Record who asks for a copy or an extract of a signed transcript, and what for."""
    school = own_school(who)
    require(who, Action.KEEP_COPIES, school=school)
    ask = Ask.model_validate(asked.model_dump(exclude={"transcript"}))
    return {"id": await making.ask(parts_of(request), school, asked.transcript, ask, actor=who.person)}


@router.get("/copies/{copy_id}")
async def copy_of(request: Request, who: Who, copy_id: str) -> dict[str, Any]:
    require(who, Action.KEEP_COPIES, school=own_school(who))
    return shown(await store.copy_of(store_of(request).db, own_school(who), copy_id))


@router.post("/copies/{copy_id}/issue")
async def issue(request: Request, who: Who, copy_id: str, issuing: Issue) -> dict[str, Any]:
    """Give the copy its number in the register and make its file."""
    school = own_school(who)
    require_fresh(who, Action.CERTIFY_COPIES, school=school)
    return shown(await making.issue(parts_of(request), store_of(request), school, copy_id, issuing.signer, actor=who.person))


@router.post("/copies/{copy_id}/decline")
async def decline(request: Request, who: Who, copy_id: str, end: End) -> dict[str, Any]:
    school, at = own_school(who), clock.now()
    require_fresh(who, Action.CERTIFY_COPIES, school=school)
    db = store_of(request).db

    def decide(copy: Mapping[str, Any]) -> dict[str, Any]:
        return rules.declined(copy, end.reason, actor=who.person, at=at)

    await store.change(db, school, copy_id, decide, act="copy declined", actor=who.person)
    return shown(await store.copy_of(db, school, copy_id))


@router.post("/copies/{copy_id}/revoke")
async def revoke(request: Request, who: Who, copy_id: str, end: End) -> dict[str, Any]:
    """Take an issued copy back: its number stays in the register with the reason, its file is handed out no more."""
    school, at = own_school(who), clock.now()
    require_fresh(who, Action.CERTIFY_COPIES, school=school)
    db = store_of(request).db

    def decide(copy: Mapping[str, Any]) -> dict[str, Any]:
        return rules.revoked(copy, end.reason, actor=who.person, at=at)

    await store.change(db, school, copy_id, decide, act="copy revoked", actor=who.person)
    return shown(await store.copy_of(db, school, copy_id))


@router.get("/copies/{copy_id}/document.pdf")
async def document(request: Request, who: Who, copy_id: str) -> Response:
    require(who, Action.KEEP_COPIES, school=own_school(who))
    parts = parts_of(request)
    copy = await making.with_file(parts, await store.copy_of(parts.db, own_school(who), copy_id))
    content = await parts.objects.get(DocumentRef.model_validate(copy["pdf"]))
    headers = {
        "Content-Disposition": f'inline; filename="ban-sao-{copy["number"]:04d}-{copy["register_year"]}.pdf"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/pdf", headers=headers)
