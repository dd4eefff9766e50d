"""The page "Gửi học bạ lên Cổng Tuyển sinh": final grades, what was sent, receipts and the deadline."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, allowed
from contracts.menu import ADMISSIONS
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require, require_fresh
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, ticked
from services.chassis.web.look import Deadline, Progress, render, vn_date, vn_number
from services.chassis.web.shell import in_menu, shell
from services.publishing import window_store
from services.publishing.admissions import errors, rules, sending
from services.publishing.admissions import store as admissions
from services.publishing.admissions.routes import of_school, one, shown
from services.publishing.routes import own_school, store_of
from services.publishing.windows import Windows, bound_by, closed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document

    Known = tuple[Document, Document | None, bool]

router = APIRouter(prefix="/ui/publishing", include_in_schema=False)
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {"push": ("Đã nhận {n} học bạ để gửi lên Cổng Tuyển sinh.", "Chưa chọn học bạ nào gửi lên Cổng Tuyển sinh được.")}
STATES = tuple(dict.fromkeys(state for state in rules.WORDS if state != rules.REQUESTED))
"""Those that are told apart on the page: what was asked for waits for its receipt like what the portal has."""
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
PROGRESS_FOR = dt.timedelta(hours=1)


@router.get("/admissions")
async def show_admissions(request: Request, who: Who) -> Response:
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    store = store_of(request)
    every = await of_school(store, school)
    panel = _progress([a for _, a, _ in every if a is not None], clock.now())
    if panel and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "chassis/progress.html", {"progress": panel})
    query = query_of(request, "year", "class", "state", "name", "sort", "order", "page")
    years = sorted({s["year"] for s, _, _ in every}, reverse=True)
    year = query["year"] if query.get("year") in years else next(iter(years), "")
    of_year = [known for known in every if known[0]["year"] == year]
    windows = await window_store.windows_of(store.db, school)
    withdrawing = await admissions.withdrawing(store.db, None, [s["_id"] for s, _, _ in of_year])
    rows = _rows(of_year, query, windows, withdrawing)
    page, paging = paged(rows, query)
    bound = _bound(of_year, windows, year)
    context = {
        "shell": replace(shell(request, who, notices=notices(request, WORDS, CATALOGUE)), deadline=_deadline(bound)),
        "title": in_menu(who, ADMISSIONS).title,
        "progress": panel,
        "query": {**query, "year": year} if year else query,
        "paging": paging,
        "action": ADMISSIONS,
        "years": [(y, y) for y in years],
        "classes": [(c, c) for c in sorted({s["class_code"] for s, _, _ in of_year})],
        "states": [(state, rules.WORDS[state]) for state in STATES],
        "deadlines": [(f"Lớp {grade}", words) for grade, (words, _) in bound.items()],
        "counts": [(rules.WORDS[s], n, TONES[s]) for s, n in _counts(of_year)],
        "selectable": sum(r["sendable"] for r in rows) if allowed(who, Action.SUBMIT, school=school) else 0,
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/admissions.html", context)


TONES = {
    rules.NOT_ACCEPTED_YET: "neutral",
    rules.NOT_SENT: "neutral",
    rules.RESEND: "warning",
    rules.SENT: "waiting",
    rules.RECEIPTED: "success",
    rules.REFUSED: "danger",
    rules.REVOKING: "info",
    rules.REVOKED: "neutral",
}


def _shown(known: Known) -> str:
    state = rules.standing(known[0], known[1], replaces=known[2])
    return rules.SENT if state == rules.REQUESTED else state


def _counts(every: Sequence[Known]) -> list[tuple[str, int]]:
    counted = Counter(_shown(known) for known in every)
    return [(state, counted[state]) for state in STATES if counted[state]]


def _bound(every: Sequence[Known], windows: Windows, year: str) -> dict[int, tuple[str, dt.date | None]]:
    """By final grade: the deadline in words, and the day."""
    found: dict[int, tuple[str, dt.date | None]] = {}
    for grade in sorted({s["grade"] for s, _, _ in every}):
        date = bound_by(windows, "admissions", year=year, grade=grade)
        if date is None:
            found[grade] = ("Cấp trên chưa đặt ngày khóa gửi tuyển sinh", None)
        else:
            found[grade] = (f"Gửi đến hết ngày {vn_date(date.on)} ({windows.units.get(date.unit, date.unit)})", date.on)
    return found


def _deadline(bound: Mapping[int, tuple[str, dt.date | None]]) -> Deadline | None:
    days = [on for _, on in bound.values() if on is not None]
    if not days:
        return None
    on = min(days)
    return Deadline("Ngày khóa gửi tuyển sinh", on, (on - clock.in_vietnam(clock.now()).date()).days)


def _rows(every: Sequence[Known], query: Mapping[str, str], windows: Windows, withdrawing: set[str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    name, class_code, state = fold(query.get("name", "")), query.get("class", ""), query.get("state", "")
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "state": lambda r: STATES.index(r["state"]),
        "sent_at": lambda r: r["sent_at"] or LONG_AGO,
    }
    at = clock.now()
    rows = [
        _row(known, windows, withdrawing=known[0]["_id"] in withdrawing, at=at)
        for known in every
        if class_code in ("", known[0]["class_code"]) and state in ("", _shown(known)) and name in fold(known[0]["pupil_name"])
    ]
    return ordered(rows, query, keys)


def _row(known: Known, windows: Windows, *, withdrawing: bool, at: dt.datetime) -> dict[str, Any]:
    submission, admission, replaces = known
    told, state = shown(submission, admission, replaces=replaces), _shown(known)
    fit = rules.unfit(submission, admission, withdrawing=withdrawing) is None
    shut = closed(windows, "admissions", year=submission["year"], grade=submission["grade"], at=at) if fit else None
    reasons = [told.reason] if told.reason else []
    reasons += [f"Đã khóa gửi tuyển sinh sau ngày {vn_date(shut.on)}."] if shut else []
    reasons += ["Đang có yêu cầu thu hồi."] if withdrawing and not fit else []
    return {
        "id": submission["_id"],
        "name": submission["pupil_name"],
        "class_name": submission["class_code"],
        "grade": submission["grade"],
        "pupil_code": submission["pupil_code"],
        "state": state,
        "state_text": rules.WORDS[state],
        "tone": TONES[state],
        "sent_at": told.sent_at,
        "receipt": told.receipt_number or "",
        "reason": " ".join(reasons),
        "sendable": fit and shut is None,
        "href": f"{ADMISSIONS}/{submission['_id']}",
    }


def _progress(every: Sequence[Document], at: dt.datetime) -> Progress | None:
    """How far the latest sending has come: what one press of the button asked for. None when nothing was sent lately."""
    if not every:
        return None
    latest = max(every, key=lambda a: a["requested_at"])
    states = Counter(a["state"] for a in every if a["sending"] == latest["sending"])
    waiting = sum(states[state] for state in rules.UNDER_WAY)
    if not waiting and at - latest["requested_at"] > PROGRESS_FOR:
        return None
    total, failed = states.total(), states[rules.REFUSED]
    numbers = [vn_number(n) for n in (total - states[rules.REQUESTED], states[rules.RECEIPTED], failed, total)]
    return Progress(
        title=f"Gửi {vn_number(total)} học bạ lên Cổng Tuyển sinh",
        total=total,
        done=total - waiting - failed,
        failed=failed,
        running=waiting > 0,
        href=ADMISSIONS,
        message="Cổng Tuyển sinh đã nhận {}, đã có biên nhận {}, bị từ chối {} trong {} học bạ.".format(*numbers),
        waiting=waiting,
        outcome="success" if not failed else "warning" if failed < total else "danger",
    )


@router.post("/admissions")
async def send(request: Request, who: Who) -> Response:
    """ "Gửi lên Cổng Tuyển sinh"; what the portal refused may be sent again."""
    school = own_school(who)
    require_fresh(who, Action.SUBMIT, school=school)
    in_menu(who, ADMISSIONS)
    form, store = await ticked(request), store_of(request)
    chosen = list(form.ids)
    if form.filter is not None:
        year = form.filter.get("year", "")
        every = [known for known in await of_school(store, school) if year in ("", known[0]["year"])]
        windows = await window_store.windows_of(store.db, school)
        withdrawing = await admissions.withdrawing(store.db, None, [s["_id"] for s, _, _ in every])
        chosen = [r["id"] for r in _rows(every, form.filter, windows, withdrawing) if r["sendable"]]
    if not chosen:
        return done(ADMISSIONS, "push", 0)
    outcome = await sending.push(store, who, transcripts=chosen, classes=None, everything=False, request_id=request.state.request_id)
    return done(ADMISSIONS, "push", outcome["requested"], [r["code"] for r in outcome["refused"]])


@router.get("/admissions/{transcript}")
async def show_admission(request: Request, who: Who, transcript: str) -> Response:
    """One transcript: its receipt, and every attempt, newest first."""
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    store = store_of(request)
    known = await one(store, transcript, school)
    submission, admission, _ = known
    windows = await window_store.windows_of(store.db, school)
    withdrawing = await admissions.withdrawing(store.db, None, [transcript])
    row = _row(known, windows, withdrawing=transcript in withdrawing, at=clock.now())
    kept = admission["receipt"] if admission is not None else None
    context = {
        "shell": shell(request, who),
        "title": submission["pupil_name"],
        "crumb": in_menu(who, ADMISSIONS).title,
        "back": ADMISSIONS,
        "action": ADMISSIONS,
        "sendable": row["sendable"] and allowed(who, Action.SUBMIT, school=school),
        "row": row,
        "year": submission["year"],
        "version": submission["version"],
        "document_href": f"/ui/records/transcripts/{transcript}",
        "receipt": _receipt(kept, transcript) if kept else None,
        "attempts": [
            {
                "requested_at": a["requested_at"],
                "sent_at": a["sent_at"],
                "at": a["at"],
                "outcome": rules.WORDS[a["outcome"]],
                "tone": TONES[a["outcome"]],
                "reason": f"{a['code']}: {a['reason']}" if a["code"] else a["reason"] or a["number"],
                "push": a["push"],
            }
            for a in reversed((admission or {"history": []})["history"])
        ],
    }
    return render(request.app.state.pages, request, "publishing/admission.html", context)


def _receipt(kept: Mapping[str, Any], transcript: str) -> dict[str, Any]:
    return {
        **{key: kept[key] for key in ("number", "sha256", "pdf_sha256", "xml_sha256", "signer")},
        "received_at": dt.datetime.fromisoformat(kept["received_at"]),
        "issued_at": dt.datetime.fromisoformat(kept["issued_at"]),
        "href": f"/api/publishing/admissions/{transcript}/receipt",
    }
