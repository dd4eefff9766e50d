"""The page "Khóa học bạ": dates, the final lock, and who witnesses for the people's inspection board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from contracts.access import Action, allowed
from contracts.menu import LOCKS, entry_of
from services.chassis.access import ConfirmationNeeded, Who, require
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done
from services.chassis.web.look import render, with_query
from services.records.at_hand import Year, own_school, reading, store_of
from services.records.locks import routes
from services.records.locks.dates import dates_of, today
from services.records.locks.rules import LONGEST_REASON
from services.records.locks.store import lock_of
from services.records.page_parts import framed, newest
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from contracts.access import Principal
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
ACT_WORDS = {"plan": "Đặt ngày khóa dự kiến", "appoint": "Cử người của Ban TTND", "lock": "Khóa học bạ", "unlock": "Mở khóa học bạ"}
FINISHED = frozenset({State.CONFIRMED, State.SUBMITTED, State.ACCEPTED})
Text = Annotated[str, Form(max_length=4000)]


@router.get("/locks")
async def show(request: Request, who: Who, year: Year = None) -> Response:
    require(who, Action.VIEW_CORRECTION, school=own_school(who), own=True)
    return await _page(request, who, await _looked_at(request, who, year))


@router.post("/locks/plan")
async def plan(request: Request, who: Who, day: Text = "", year: Year = None) -> Response:
    return await _done(request, who, year, "lock-plan", routes.plan(request, who, routes.DayOrder(day=day[:40]), year), day=day)


@router.post("/locks/inspector")
async def inspector(request: Request, who: Who, person: Text = "", year: Year = None) -> Response:
    act = routes.inspector(request, who, routes.PersonOrder(person=person[:40]), year)
    return await _done(request, who, year, "lock-inspector", act, person=person)


@router.post("/locks/lock")
async def lock_year(request: Request, who: Who, reason: Text = "", year: Year = None) -> Response:
    act = routes.lock_year(request, who, routes.ReasonOrder(reason=reason), year)
    return await _done(request, who, year, "lock-lock", act, reason=reason)


@router.post("/locks/unlock")
async def unlock_year(request: Request, who: Who, reason: Text = "", year: Year = None) -> Response:
    act = routes.unlock_year(request, who, routes.ReasonOrder(reason=reason), year)
    return await _done(request, who, year, "lock-unlock", act, reason=reason)


async def _done(request: Request, who: Principal, year: str | None, said: str, act: Coroutine[Any, Any, None], **typed: str) -> Response:
    """The list again with what was done; the form again when the act is refused."""
    try:
        await act
    except Refused as refused:
        return await _again(request, who, year, refused, **typed)
    return done(_address(year), said, 1)


def _address(year: str | None) -> str:
    return f"{LOCKS}{with_query({}, year=year)}" if year else LOCKS


async def _looked_at(request: Request, who: Principal, year: str | None) -> Reading | None:
    return await reading(request, who, year) if year else await newest(request, who)


async def _again(request: Request, who: Principal, year: str | None, refused: Refused, **typed: str) -> Response:
    """The page with what was wrong at the field that was typed; what is no matter of the form is told as everywhere."""
    if isinstance(refused, ConfirmationNeeded) or refused.refusal.status in {403, 404}:
        raise refused
    wrong = dict.fromkeys(typed, f"{refused.cause} {refused.action}")
    return await _page(request, who, await _looked_at(request, who, year), values=typed, wrong=wrong, status=refused.refusal.status)


async def _page(
    request: Request,
    who: Principal,
    looked_at: Reading | None,
    *,
    values: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    context: dict[str, Any] = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, LOCKS).title,
        "errors": wrong or {},
        "lock": None,
    }
    if looked_at is not None:
        context |= await _content(request, who, looked_at, values or {})
    return render(request.app.state.pages, request, "records/locks.html", context, status_code=status)


async def _content(request: Request, who: Principal, looked_at: Reading, values: dict[str, str]) -> dict[str, Any]:
    store, school, year = store_of(request), looked_at.school, looked_at.year
    lock = await lock_of(store.db, school, year)
    dates = dates_of(lock)
    staff = await store.staff(school, year)
    names = {code: person.name for code, person in staff.items()}
    counts = [c for by_state in (await store.state_counts(school, year)).values() for c in by_state.items()]
    pupils = sum(c["pupils"] for c in await store.classes(school, year))
    transcripts = sum(n for _, n in counts)
    finished = sum(n for state, n in counts if state in FINISHED)
    decides = allowed(who, Action.LOCK_YEAR, school=school)
    return {
        "lock": {"locked": lock["locked"], "inspector": names.get(lock["inspector"] or "", lock["inspector"] or "")},
        "dates": {
            "planned": dates.planned,
            "national": dates.national,
            "last_correction": dates.last_correction,
            "late": dates.late,
            "over": dates.last_correction < today(),
        },
        "query": {"year": year},
        "years": [(y, y) for y in await store.years(school)],
        "counts": [
            ("Học sinh", pupils, "neutral"),
            ("Chưa tạo học bạ", max(0, pupils - transcripts), "waiting"),
            ("Chưa xác nhận hoàn thành", transcripts - finished, "waiting"),
            ("Đã xác nhận hoàn thành", finished, "success"),
        ],
        "unfinished": pupils - finished,
        "actions": {name: f"{LOCKS}/{name}{with_query({}, year=year)}" for name in ("plan", "inspector", "lock", "unlock")},
        "may_plan": allowed(who, Action.PLAN_LOCK, school=school) and not lock["locked"],
        "may_lock": decides,
        "day": values.get("day", f"{dates.planned:%d/%m/%Y}" if dates.planned else ""),
        "person": values.get("person", lock["inspector"] or ""),
        "reason": values.get("reason", ""),
        "longest": LONGEST_REASON,
        "staff": [("", "Chọn cán bộ, giáo viên")]
        + [(s.code, f"{s.name} – {s.position}") for s in sorted(staff.values(), key=lambda s: given_name_key(s.name))],
        "history": [
            {"at": h["at"], "name": names.get(h["by"], h["by"]), "act": ACT_WORDS[h["act"]], "reason": h["reason"]}
            for h in reversed(lock["history"])
        ],
    }
