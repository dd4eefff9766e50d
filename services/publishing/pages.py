"""Pages under /ui/publishing: 2.8 Gửi học bạ lên Cổng tiếp nhận (primary 2.5.2), 3.5.2 Gửi bảng tổng hợp (primary)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, allowed
from contracts.deadlines import national_deadline
from contracts.menu import SUBMISSIONS, SUMMARY_SUBMISSIONS
from contracts.nouns import NOUNS, worded
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, reworded, ticked
from services.chassis.web.look import Deadline, confirm_page, render, vn_date, vn_number
from services.chassis.web.shell import in_menu, shell
from services.publishing import errors, progress, sending, window_store
from services.publishing.routes import own_school, store_of
from services.publishing.submissions import SENDABLE
from services.publishing.windows import Windows, bound_by, closed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from contracts.documents import DocumentKind
    from contracts.lock_dates import LockDate
    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/publishing", include_in_schema=False)
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {"submit": ("Đã nhận {{n}} {noun} để gửi lên Cổng tiếp nhận.", "Chưa chọn {noun} nào gửi được.")}
SHOWN_AS = {"REQUESTED": "SENDING", "CLEARED": "SENDING", "PACKED": "SENDING"}
"""What goes on between the order and the gateway is one thing to the reader."""
ORDER = ("REJECTED", "NOT_SENT", "SENDING", "SENT", "ACCEPTED", "WITHDRAWN")
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Desk:
    """One of the pages; `button` as its guide has it."""

    kind: DocumentKind
    address: str
    button: str


TRANSCRIPTS = Desk("transcript", SUBMISSIONS, "Gửi lên hệ thống")
SUMMARIES = Desk("class_summary", SUMMARY_SUBMISSIONS, "Gửi bảng tổng hợp kết quả ĐGGD")


@router.get("/submissions")
async def show_submissions(request: Request, who: Who) -> Response:
    return await _show(request, who, TRANSCRIPTS)


@router.get("/summaries")
async def show_summaries(request: Request, who: Who) -> Response:
    return await _show(request, who, SUMMARIES)


async def _show(request: Request, who: Principal, desk: Desk) -> Response:
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    query = query_of(request, "class", "state", "name", "sort", "order", "page")
    entry, noun = in_menu(who, desk.address), NOUNS[desk.kind]
    every = await store_of(request).submissions(school, kind=desk.kind)
    panel = progress.of_latest(every, desk.address, noun, clock.now())
    if panel and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "chassis/progress.html", {"progress": panel})
    windows = await window_store.windows_of(store_of(request).db, school)
    words = {act: (some.format(noun=noun), none.format(noun=noun)) for act, (some, none) in WORDS.items()}
    rows = _rows(every, query, windows)
    page, paging = paged(rows, query)
    told = shell(request, who, notices=notices(request, words, reworded(CATALOGUE, partial(worded, desk.kind))))
    context = {
        "shell": replace(told, deadline=_deadline(every, windows)),
        "progress": panel,
        "title": entry.title,
        "noun": noun,
        "of_pupils": desk.kind == "transcript",
        "button": desk.button,
        "query": query,
        "paging": paging,
        "action": desk.address,
        "classes": [(c, c) for c in sorted({s["class_code"] for s in every})],
        "counts": dict(Counter(_shown(s) for s in every)),
        "selectable": sum(r["sendable"] for r in rows) if allowed(who, Action.SUBMIT, school=school) else 0,
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/submissions.html", context)


def _shown(submission: Mapping[str, Any]) -> str:
    state = str(submission["state"])
    return SHOWN_AS.get(state, state)


def _deadline(every: Sequence[Document], windows: Windows) -> Deadline | None:
    """The day that binds the school first: a lock date of an oversight unit, or the national day. Of the newest school year."""
    year = max((s["year"] for s in every), default=None)
    if year is None:
        return None
    today = clock.in_vietnam(clock.now()).date()
    bound = [bound_by(windows, "intake", year=year, grade=g) for g in sorted({s["grade"] for s in every if s["year"] == year})]
    locks = [date.on for date in bound if date is not None]
    text, on = ("Ngày khóa tiếp nhận", min(locks)) if locks else ("Hạn đưa học bạ lên CSDL quốc gia", national_deadline(year))
    return Deadline(text, on, (on - today).days)


def _rows(every: Sequence[Document], query: Mapping[str, str], windows: Windows) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    name, class_code, state = fold(query.get("name", "")), query.get("class", ""), query.get("state", "")
    found = [s for s in every if class_code in ("", s["class_code"]) and state in ("", _shown(s)) and name in fold(s["pupil_name"])]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "confirmed_at": lambda r: r["confirmed_at"],
        "state": lambda r: ORDER.index(r["state"]),
        "sent_at": lambda r: r["sent_at"] or LONG_AGO,
    }
    at = clock.now()
    shut = {(y, g): closed(windows, "intake", year=y, grade=g, at=at) for y, g in {(s["year"], s["grade"]) for s in found}}
    return ordered([_row(s, shut[s["year"], s["grade"]]) for s in found], query, keys)


def _row(submission: Document, shut: LockDate | None) -> dict[str, Any]:
    refusal = submission["refusal"]
    reasons = [f"{refusal['code']}: {refusal['reason']}"] if refusal else []
    if shut and submission["state"] in SENDABLE:
        reasons.append(f"Đã khóa tiếp nhận sau ngày {vn_date(shut.on)}.")
    summary = submission.get("kind") == "class_summary"
    return {
        "id": submission["_id"],
        "name": f"Bảng tổng hợp lớp {submission['class_code']}" if summary else submission["pupil_name"],
        "class_name": submission["class_code"],
        "grade": submission["grade"],
        "pupil_code": submission["pupil_code"],
        "confirmed_at": submission["confirmed_at"],
        "state": _shown(submission),
        "sent_at": submission["sent_at"],
        "reason": " ".join(reasons),
        "sendable": submission["state"] in SENDABLE and shut is None,
        "history_href": f"/ui/publishing/submissions/{submission['_id']}" if submission["history"] or submission["submission"] else "",
        "href": f"/ui/records/{'summaries' if summary else 'transcripts'}/{submission['_id']}",
    }


@router.get("/submissions/{transcript}")
async def show_submission(request: Request, who: Who, transcript: str) -> Response:
    """Every attempt to send one document, newest first."""
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    found = await store_of(request).submission(transcript)
    if found is None or found["school"] != school:
        raise Refused(NOT_FOUND)
    desk = SUMMARIES if found.get("kind") == "class_summary" else TRANSCRIPTS
    entry = in_menu(who, desk.address)
    row = _row(found, None)
    context = {
        "shell": shell(request, who),
        "title": row["name"],
        "crumb": entry.title,
        "row": row,
        "attempts": [
            {
                "requested_at": a.get("requested_at"),
                "sent_at": a.get("sent_at"),
                "at": a["at"],
                "accepted": a["accepted"],
                "reason": "" if a["accepted"] else f"{a['code']}: {a['reason']}",
                "package": a["package"] or "",
            }
            for a in reversed(found["history"])
        ],
        "back": desk.address,
    }
    return render(request.app.state.pages, request, "publishing/submission.html", context)


@router.post("/submissions")
async def send(request: Request, who: Who) -> Response:
    return await _send(request, who, TRANSCRIPTS)


@router.post("/summaries")
async def send_summaries(request: Request, who: Who) -> Response:
    return await _send(request, who, SUMMARIES)


async def _send(request: Request, who: Principal, desk: Desk) -> Response:
    """ "Gửi lên hệ thống", once the person is sure; what the gateway refused may be sent again."""
    school = own_school(who)
    require_fresh(who, Action.SUBMIT, school=school)
    in_menu(who, desk.address)
    form = await ticked(request)
    chosen = list(form.ids)
    if form.filter is not None or not form.field("sure"):
        every = await store_of(request).submissions(school, kind=desk.kind)
        windows = await window_store.windows_of(store_of(request).db, school)
        if form.filter is not None:
            chosen = [r["id"] for r in _rows(every, form.filter, windows) if r["sendable"]]
        if chosen and not form.field("sure"):
            known = [s for s in every if s["_id"] in set(chosen)]
            return _ask(request, who, desk, chosen, known=known, windows=windows)
    if not chosen:
        return done(desk.address, "submit", 0)
    outcome = await sending.submit(
        store_of(request), who, transcripts=chosen, classes=None, everything=False, request_id=request.state.request_id, kind=desk.kind
    )
    return done(desk.address, "submit", outcome["requested"], [r["code"] for r in outcome["refused"]])


def _ask(request: Request, who: Principal, desk: Desk, chosen: Sequence[str], *, known: Sequence[Document], windows: Windows) -> Response:
    """Guide 001's question (2.8, step 3), with what is at stake: how many, of which classes, and until when it can be done."""
    by_class = Counter(s["class_code"] for s in sorted(known, key=lambda s: (s["grade"], s["class_code"])))
    listed = ", ".join(f"{code} ({vn_number(n)})" for code, n in by_class.items()) if desk.kind == "transcript" else ", ".join(by_class)
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title=desk.button,
        crumb=in_menu(who, desk.address).title,
        question=f"Bạn có chắc chắn muốn gửi dữ liệu {NOUNS[desk.kind]} lên Bộ GD&ĐT?",
        action=desk.address,
        confirm="OK",
        cancel_href=desk.address,
        fields=[("sure", "1"), *(("ids", i) for i in chosen)],
        facts=[(f"Số {NOUNS[desk.kind]}", vn_number(len(chosen))), ("Lớp", listed), ("Ngày khóa tiếp nhận", _lock_dates(known, windows))],
    )


def _lock_dates(known: Sequence[Document], windows: Windows) -> str:
    """ "10/06/2026 (Phường An Hải): khối 1, 5; …": the day that binds each grade, and who set it."""
    grades: dict[str, list[str]] = {}
    for year, grade in sorted({(s["year"], s["grade"]) for s in known}):
        date = bound_by(windows, "intake", year=year, grade=grade)
        unit = windows.units.get(date.unit, date.unit) if date else ""
        day = f"{vn_date(date.on)} ({unit})" if date else f"chưa đặt, hạn quốc gia {vn_date(national_deadline(year))}"
        grades.setdefault(day, []).append(str(grade))
    if len(grades) == 1:
        return next(iter(grades))
    return "; ".join(f"khối {', '.join(of)}: {day}" for day, of in grades.items())
