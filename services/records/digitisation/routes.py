"""HTTP/JSON of digitising: what is opened, one pupil's paper transcript, its data and scan, reviews, and making transcripts of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action, Principal, allowed
from contracts.documents import DocumentRef
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.records.at_hand import Year, own_school, parts_of, store_of
from services.records.digitisation import desk, store
from services.records.digitisation.cases import Case, Digitised, cases_of
from services.records.digitisation.desk import Data, PupilOrder, YearOrder
from services.records.digitisation.errors import SCAN_NEEDED, WRONG_SCAN
from services.records.digitisation.rules import PROGRESS_WORDS, SEEN_WORDS
from services.records.digitisation.scan import MOST_BYTES, MOST_PAGES
from services.records.errors import NOTHING_SELECTED
from services.records.transcripts import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import UploadFile as Uploaded

router = APIRouter(prefix="/api/records/digitisation")
OneYear = Annotated[str, Path(pattern=r"^20\d\d-20\d\d$")]
Pupil = Annotated[str, Path(min_length=1, max_length=40)]
FILE_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


class Check(BaseModel):
    """`digest`: of the part as it was shown; `ticked`: the scan is this pupil's paper transcript, whole and readable."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(max_length=100)
    digest: str = Field(max_length=64)
    verdict: Literal["reviewed", "sent back"]
    reason: str = Field(default="", max_length=4000)
    ticked: bool = False


class Chosen(BaseModel):
    """`all`: everybody of the year who is reviewed."""

    model_config = ConfigDict(extra="forbid")

    pupils: list[str] = Field(default_factory=list, max_length=5000)
    all: bool = False


def may_see(who: Principal, case: Case) -> bool:
    return allowed(who, Action.VIEW_DIGITISATION, school=case.item["school"], own=case.concerns(who.person))


async def seen_case(request: Request, who: Principal, year: str, pupil: str) -> tuple[Digitised, Case]:
    """Raises Refused."""
    school = own_school(who)
    # nobody learns whether something is digitised who has no part in it
    require(who, Action.VIEW_DIGITISATION, school=school, own=True)
    shared, case = await desk.opened(store_of(request), school, year, pupil)
    require(who, Action.VIEW_DIGITISATION, school=school, own=case.concerns(who.person))
    return shared, case


async def visible_cases(request: Request, who: Principal, year: str | None) -> tuple[list[str], str, list[Case], Digitised | None]:
    """(the years that are digitised, the one that is looked at, its cases, what they share)."""
    school = own_school(who)
    require(who, Action.VIEW_DIGITISATION, school=school, own=True)
    years = await store.years(store_of(request).db, school)
    chosen = year if year in years else years[0] if years else ""
    if not chosen:
        return years, "", [], None
    shared, cases = await cases_of(store_of(request), school, chosen)
    return years, chosen, [c for c in cases if may_see(who, c)], shared


def shown(case: Case, shared: Digitised) -> dict[str, Any]:
    return {
        "year": case.item["year"],
        "pupil": case.item["pupil_code"],
        "name": case.pupil["name"],
        "class": case.school_class.name,
        "grade": case.school_class.grade,
        "brought": case.who.brought,
        "paper_school": case.item["paper_school"],
        "progress": case.progress.value,
        "progress_text": PROGRESS_WORDS[case.progress],
        "reviewer": case.who.reviewer,
        "leader": case.who.leader,
        "circular": case.circular,
        "transcript": case.transcript["_id"] if case.transcript else None,
        "scan": {"sha256": case.scan, "pages": case.item["scan"]["pages"]} if case.item["scan"] else None,
        "parts": [
            {
                "part": p.key,
                "title": p.title,
                "kind": p.kind,
                "subjects": list(p.subjects),
                "written_by": list(p.written_by),
                "reviewer": p.reviewer,
                "reviewer_name": shared.name(p.reviewer),
                "signer": p.signer,
                "signer_name": shared.name(p.signer),
                "seen": case.seen(p).value,
                "seen_text": SEEN_WORDS[case.seen(p)],
                "digest": case.digest(p),
            }
            for p in case.parts
        ],
    }


@router.get("")
async def cases(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    """The paper transcripts of a year that the person has to do with."""
    years, chosen, found, shared = await visible_cases(request, who, year)
    return {"years": years, "year": chosen, "pupils": [shown(c, shared) for c in found] if shared else []}


@router.post("/years", status_code=201)
async def open_year(request: Request, who: Who, order: YearOrder) -> dict[str, str]:
    school = own_school(who)
    require(who, Action.PLAN_DIGITISATION, school=school)
    return {"year": await desk.open_year(store_of(request), school, order, actor=who.person)}


@router.post("/pupils", status_code=201)
async def open_pupil(request: Request, who: Who, order: PupilOrder) -> dict[str, str]:
    school = own_school(who)
    require(who, Action.PLAN_DIGITISATION, school=school)
    return {"year": await desk.open_pupil(store_of(request), school, order, actor=who.person), "pupil": order.pupil.strip()}


@router.get("/{year}/{pupil}")
async def case(request: Request, who: Who, year: OneYear, pupil: Pupil) -> dict[str, Any]:
    shared, found = await seen_case(request, who, year, pupil)
    return shown(found, shared)


@router.post("/{year}/{pupil}/data")
async def type_data(request: Request, who: Who, year: OneYear, pupil: Pupil, data: Data) -> dict[str, Any]:
    """What stands on the paper, by the names of the fields that the page shows."""
    require(who, Action.DIGITISE, school=own_school(who))
    _, found = await seen_case(request, who, year, pupil)
    await desk.type_data(store_of(request), found, data, actor=who.person)
    return await case(request, who, year, pupil)


@router.post("/{year}/{pupil}/scan")
async def keep_scan(request: Request, who: Who, year: OneYear, pupil: Pupil, files: list[UploadFile]) -> dict[str, Any]:
    """One PDF, or pictures in the order of the pages; it replaces the scan that is there."""
    require(who, Action.DIGITISE, school=own_school(who))
    _, found = await seen_case(request, who, year, pupil)
    await desk.keep_scan(parts_of(request), store_of(request), found, await contents_of(files), actor=who.person)
    return await case(request, who, year, pupil)


async def contents_of(files: Iterable[Uploaded]) -> list[bytes]:
    """Raises Refused(WRONG_SCAN) before more than the limit is read."""
    found: list[bytes] = []
    left = MOST_BYTES
    for file in files:
        content = await file.read(left + 1)
        left -= len(content)
        if left < 0 or len(found) >= MOST_PAGES:
            raise Refused(WRONG_SCAN, reason="lớn hơn 20 MB" if left < 0 else f"có hơn {MOST_PAGES} trang")
        found.append(content)
    return found


@router.get("/{year}/{pupil}/scan.pdf")
async def scan(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    _, found = await seen_case(request, who, year, pupil)
    if not found.item["scan"]:
        raise Refused(SCAN_NEEDED)
    content = await parts_of(request).objects.get(DocumentRef.model_validate(found.item["scan"]["document"]))
    headers = {**FILE_HEADERS, "Content-Disposition": f'inline; filename="hoc-ba-giay-{pupil}-{year}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/{year}/{pupil}/checks")
async def review(request: Request, who: Who, year: OneYear, pupil: Pupil, check: Check) -> dict[str, Any]:
    """ "Đã đối chiếu" or "Trả lại" of one part, by whom it is assigned to."""
    shared, found = await seen_case(request, who, year, pupil)
    part = found.part(check.part)
    require(who, Action.REVIEW_DIGITISATION, school=shared.school, own=part is None or part.reviewer == who.person)
    await desk.review(
        store_of(request),
        found,
        check.part,
        check.digest,
        reason=check.reason,
        ok=check.verdict == "reviewed",
        ticked=check.ticked,
        actor=who.person,
    )
    return await case(request, who, year, pupil)


@router.post("/{year}/transcripts", status_code=202)
async def create(request: Request, who: Who, year: OneYear, chosen: Chosen) -> dict[str, str]:
    """Make transcripts of what is reviewed, in the background; the job tells of whom none can be made and why."""
    school, records = own_school(who), store_of(request)
    require(who, Action.CREATE, school=school)
    _, found = await cases_of(records, school, year)
    wanted = [c.pupil for c in found if c.transcript is None and (chosen.all or c.pupil["code"] in chosen.pupils)]
    if not wanted:
        raise Refused(NOTHING_SELECTED)
    return {"job": await jobs.start(records, school=school, year=year, pupils=wanted, actor=who.person)}
