"""The pages of "Phiếu đề nghị sửa dữ liệu": the list, a new request, and one request with its whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from starlette.datastructures import UploadFile

from contracts.access import Action, allowed
from contracts.menu import CORRECTIONS, entry_of
from services.chassis.access import ConfirmationNeeded, Who, require, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import render, with_query
from services.records.at_hand import Year, own_school, parts_of, reading, store_of
from services.records.corrections import desk, routes, states, store
from services.records.corrections.errors import (
    EVIDENCE_NEEDED,
    INCONSISTENT,
    NOT_AS_APPROVED,
    WRONG_EVIDENCE,
    WRONG_VALUE,
)
from services.records.corrections.evidence import MOST_FILES
from services.records.corrections.fields import value_of
from services.records.locks.dates import dates_of
from services.records.locks.errors import REASON_NEEDED
from services.records.locks.rules import LONGEST_REASON
from services.records.locks.store import lock_of
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
NEW = f"{CORRECTIONS}/new"
TONES = {
    states.SUBMITTED: "waiting",
    states.FORWARDED: "waiting",
    states.APPROVED: "waiting",
    states.UNLOCKED: "warning",
    states.DONE: "success",
    states.REFUSED: "danger",
    states.WITHDRAWN: "neutral",
    states.RELOCKED: "neutral",
}
BULK = {"forward": states.FORWARD, "approve": states.APPROVE}
BULK_WORDS = {"forward": "Báo cáo Hiệu trưởng", "approve": "Phê duyệt"}
FIELD_OF = {
    WRONG_VALUE: "value",
    INCONSISTENT: "value",
    NOT_AS_APPROVED: "value",
    REASON_NEEDED: "reason",
    EVIDENCE_NEEDED: "files",
    WRONG_EVIDENCE: "files",
}
"""Where on the page of a refusal's words stand; others stand on top."""


@router.get("/corrections")
async def show_list(request: Request, who: Who, year: Year = None) -> Response:
    require(who, Action.VIEW_CORRECTION, school=own_school(who), own=True)
    looked_at = await reading(request, who, year) if year else await newest(request, who)
    query = query_of(request, "state", "class", "mine", "year", "sort", "order", "page")
    rows = await _rows(who, looked_at) if looked_at else []
    classes = sorted({(r["class_code"], r["class_name"]) for r in rows}, key=lambda c: c[1])
    chosen = _filtered(rows, query)
    keys = {
        "number": lambda r: -r["number"],
        "name": lambda r: given_name_key(r["name"]),
        "class": lambda r: r["class_name"],
        "state": lambda r: list(states.WORDS).index(r["state"]),
        "asked_at": lambda r: r["asked_at"],
    }
    page, paging = paged(ordered(chosen, query, keys), query)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, CORRECTIONS).title,
        "query": query,
        "paging": paging,
        "rows": page,
        "mine": sum(r["mine"] for r in rows),
        "classes": classes,
        "states": list(states.WORDS.items()),
        "years": [(y, y) for y in await store_of(request).years(own_school(who))],
        "action": f"{CORRECTIONS}{with_query({}, year=query.get('year'))}",
        "buttons": _buttons(who),
        "selectable": sum(r["tickable"] for r in chosen),
        "new_href": NEW if looked_at and await desk.classes_to_ask_for(looked_at) else "",
    }
    return render(request.app.state.pages, request, "records/corrections.html", context)


def _filtered(rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    state, class_code, mine = (query.get(k, "") for k in ("state", "class", "mine"))
    return [r for r in rows if state in {"", r["state"]} and class_code in {"", r["class_code"]} and (r["mine"] or not mine)]


def _buttons(who: Principal) -> list[dict[str, str]]:
    rights = {"forward": Action.GATHER_CORRECTION, "approve": Action.DECIDE_CORRECTION}
    return [
        {"text": BULK_WORDS[name], "name": "act", "value": name} for name, right in rights.items() if allowed(who, right, school=who.school)
    ]


@router.post("/corrections")
async def take_steps(request: Request, who: Who, year: Year = None) -> Response:
    """ "Báo cáo Hiệu trưởng" or "Phê duyệt" for many: each is decided on its own."""
    looked_at = await reading(request, who, year)
    chosen = await ticked(request)
    name = "approve" if chosen.field("act") == "approve" else "forward"
    if name == "approve":
        require_fresh(who, Action.DECIDE_CORRECTION, school=looked_at.school)
    else:
        require(who, Action.GATHER_CORRECTION, school=looked_at.school)
    ids = chosen.ids
    if chosen.filter is not None:
        ids = tuple(r["id"] for r in _filtered(await _rows(who, looked_at), chosen.filter) if r["tickable"])
    refused: list[str] = []
    for correction_id in ids:
        try:
            await desk.step(looked_at.store.db, who, looked_at.school, correction_id, BULK[name])
        except Refused as no:
            refused.append(no.code)
    return done(
        f"{CORRECTIONS}{with_query({}, year=year)}" if year else CORRECTIONS, f"corrections-{name}", len(ids) - len(refused), refused
    )


async def _rows(who: Principal, looked_at: Reading) -> list[dict[str, Any]]:
    db = looked_at.store.db
    lock = await lock_of(db, looked_at.school, looked_at.year)
    person = desk.person_of(who, lock)
    same = ("number", "class_code", "class_name", "field", "before", "after", "state", "asked_at")
    return [
        {
            **{k: r[k] for k in same},
            "name": r["pupil_name"],
            "asked_by": r["asked_by_name"],
            "state_text": states.WORDS[r["state"]],
            "tone": TONES[r["state"]],
            "mine": states.awaits(r, person),
            "id": r["_id"],
            "tickable": any(step in states.acts_open(r, person) for step in BULK.values()),
            "href": f"{CORRECTIONS}/{r['_id']}",
        }
        for r in await store.requests(db, looked_at.school, looked_at.year)
        if desk.may_see(looked_at.who, r, lock)
    ]


@router.get("/corrections/new")
async def show_new(request: Request, who: Who, year: Year = None) -> Response:
    query = query_of(request, "class", "pupil", "field", "year")
    return await _new(request, who, await reading(request, who, year), query)


@router.post("/corrections/new")
async def take_new(request: Request, who: Who, year: Year = None) -> Response:
    looked_at = await reading(request, who, year)
    require(who, Action.ASK_CORRECTION, school=looked_at.school, own=True)
    form = await request.form(max_files=4 * MOST_FILES, max_fields=20)
    typed = {k: v if isinstance(v := form.get(k), str) else "" for k in ("class", "pupil", "field", "value", "reason")}
    files = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
    order = desk.Order(class_code=typed["class"], pupil=typed["pupil"], field=typed["field"], value=typed["value"], reason=typed["reason"])
    try:
        contents = await routes.contents_of(files)  # type: ignore[arg-type]  # FastAPI's UploadFile only adds documentation
        made = await desk.ask(parts_of(request), looked_at, order, contents)
    except Refused as refused:
        if refused.refusal not in FIELD_OF:
            raise
        return await _new(request, who, looked_at, typed, refused)
    return done(f"{CORRECTIONS}/{made}", "correction-ask", 1)


async def _new(request: Request, who: Principal, looked_at: Reading, typed: dict[str, str], refused: Refused | None = None) -> Response:
    """Class, pupil and field are chosen one after the other; what is chosen stands in the address."""
    require(who, Action.ASK_CORRECTION, school=looked_at.school, own=True)
    classes = await desk.classes_to_ask_for(looked_at)
    chosen = typed.get("class", "") or (classes[0]["code"] if len(classes) == 1 else "")
    pupils = await looked_at.store.pupils(looked_at.school, looked_at.year, classes=[chosen]) if chosen else []
    wrong = {FIELD_OF[refused.refusal]: f"{refused.cause} {refused.action}"} if refused else {}
    fields: list[str] = []
    present, stopped = None, ""
    if typed.get("pupil") and chosen:
        try:
            about = await desk.asked_about(looked_at, chosen, typed["pupil"])
            fields = list(about.fields)
            if typed.get("field") in about.fields:
                present = value_of(about.result, about.fields[typed["field"]])
        except Refused as no:
            if no.refusal.status in {403, 404}:
                raise
            stopped = f"{no.cause} {no.action}"
    context = {
        "shell": await framed(request, who, looked_at),
        "title": "Lập phiếu đề nghị sửa dữ liệu",
        "crumb": entry_of(who, CORRECTIONS).title,
        "back_href": CORRECTIONS,
        "choose_action": NEW,
        "action": f"{NEW}{with_query({}, year=looked_at.year)}",
        "typed": {k: typed.get(k, "") for k in ("pupil", "field", "value", "reason")} | {"class": chosen},
        "year": looked_at.year,
        "classes": [(c["code"], c["data"]["name"]) for c in classes],
        "pupils": [(p["code"], p["name"]) for p in sorted(pupils, key=lambda p: given_name_key(p["name"]))],
        "fields": fields,
        "present": present,
        "stopped": stopped,
        "most_files": MOST_FILES,
        "longest": LONGEST_REASON,
        "last_correction": dates_of(await lock_of(looked_at.store.db, looked_at.school, looked_at.year)).last_correction,
        "errors": wrong,
    }
    return render(
        request.app.state.pages, request, "records/correction_new.html", context, status_code=refused.refusal.status if refused else 200
    )


@router.get("/corrections/{correction_id}")
async def show_one(request: Request, who: Who, correction_id: str) -> Response:
    return await _one(request, who, correction_id)


@router.post("/corrections/{correction_id}/correct")
async def correct(request: Request, who: Who, correction_id: str, value: Annotated[str, Form(max_length=4000)] = "") -> Response:
    try:
        await routes.correct(request, who, correction_id, routes.ValueOrder(value=value))
    except Refused as refused:
        return await _again(request, who, correction_id, refused, typed=("value", value))
    return done(f"{CORRECTIONS}/{correction_id}", "correction-correct", 1)


@router.post("/corrections/{correction_id}/{step}")
async def take_step(
    request: Request,
    who: Who,
    correction_id: str,
    step: routes.StepName,
    *,
    reason: Annotated[str, Form(max_length=4000)] = "",
    party: Annotated[routes.Party, Form()] = "",
) -> Response:
    try:
        await routes.take_step(request, who, correction_id, step, routes.StepOrder(reason=reason, party=party))
    except Refused as refused:
        return await _again(request, who, correction_id, refused, typed=(f"reason-{step}", reason))
    return done(f"{CORRECTIONS}/{correction_id}", "correction-step", 1)


async def _again(request: Request, who: Principal, correction_id: str, refused: Refused, *, typed: tuple[str, str]) -> Response:
    """The page of the request with what was wrong, at its field where it is about one."""
    if isinstance(refused, ConfirmationNeeded) or refused.refusal.status == 404:
        raise refused
    field, value = typed
    place = field if refused.refusal in FIELD_OF else "_step"
    wrong = {place: f"{refused.cause} {refused.action}"}
    return await _one(request, who, correction_id, values={field: value}, wrong=wrong, status=refused.refusal.status)


async def _one(
    request: Request,
    who: Principal,
    correction_id: str,
    *,
    values: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    db = store_of(request).db
    found, lock = await desk.seen(db, who, own_school(who), correction_id)
    looked_at = await reading(request, who, found["year"])
    person = desk.person_of(who, lock)
    address = f"{CORRECTIONS}/{correction_id}"
    transcript = await db["transcripts"].find_one(
        {"school": found["school"], "year": found["year"], "pupil_code": found["pupil_code"], "live": True}, projection={"_id": 1}
    )
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Phiếu đề nghị sửa số {found['number']}",
        "crumb": entry_of(who, CORRECTIONS).title,
        "back_href": CORRECTIONS,
        "asked": _asked(found),
        "api": f"/api/records/corrections/{correction_id}",
        "may": [name for name, step in routes.STEPS.items() if step in states.acts_open(found, person)],
        "may_correct": states.CORRECT in states.acts_open(found, person),
        "parties": [(p, states.PARTIES[p]) for p in states.parties_open(found, person)],
        "actions": {name: f"{address}/{name}" for name in (*routes.STEPS, "correct")},
        "transcript_stands": transcript is not None and found["state"] in {states.FORWARDED, states.APPROVED, states.UNLOCKED},
        "dates": dates_of(lock),
        "values": {"value": "", **(values or {})},
        "longest": LONGEST_REASON,
        "errors": wrong or {},
    }
    return render(request.app.state.pages, request, "records/correction.html", context, status_code=status)


def _asked(found: Document) -> dict[str, Any]:
    same = ("class_name", "field", "before", "after", "state", "reason", "asked_at", "effects", "changes")
    return {
        **{k: found[k] for k in same},
        "name": found["pupil_name"],
        "asked_by": found["asked_by_name"],
        "state_text": states.WORDS[found["state"]],
        "tone": TONES[found["state"]],
        "has_minutes": found["minutes"] is not None,
        "evidence": [(e["name"], e["document"]["size"]) for e in found["evidence"]],
        "witnesses": [
            {"party": words, "name": w["name"] if w else "", "at": w["at"] if w else None}
            for party, words in states.PARTIES.items()
            for w in [found["witnesses"].get(party)]
        ],
        "history": [
            {
                "at": h["at"],
                "name": h["name"],
                "act": states.ACT_WORDS[h["act"]] + (f" ({states.PARTIES[h['party']]})" if h["party"] else ""),
                "reason": h["reason"],
            }
            for h in reversed(found["history"])
        ],
    }
