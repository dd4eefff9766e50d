"""Pages under /ui/publishing: 2.8 Gửi học bạ lên Cổng tiếp nhận (primary 2.5.2)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, allowed
from contracts.menu import SUBMISSIONS, entry_of
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require, require_fresh
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, ticked
from services.chassis.web.look import render
from services.chassis.web.shell import shell
from services.publishing import errors, sending
from services.publishing.routes import own_school, store_of
from services.publishing.submissions import SENDABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/publishing", include_in_schema=False)
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {"submit": ("Đã nhận {n} học bạ để gửi lên Cổng tiếp nhận.", "Chưa chọn học bạ nào gửi được.")}
SHOWN_AS = {"REQUESTED": "SENDING", "CLEARED": "SENDING", "PACKED": "SENDING"}
"""What goes on between the order and the gateway is one thing to the reader."""
ORDER = ("REJECTED", "NOT_SENT", "SENDING", "SENT", "ACCEPTED")
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@router.get("/submissions")
async def show_submissions(request: Request, who: Who) -> Response:
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    query = query_of(request, "class", "state", "name", "sort", "order", "page")
    every = await store_of(request).submissions(school)
    rows = _rows(every, query)
    page, paging = paged(rows, query)
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": entry_of(who, SUBMISSIONS).title,
        "query": query,
        "paging": paging,
        "action": SUBMISSIONS,
        "classes": [(c, c) for c in sorted({s["class_code"] for s in every})],
        "counts": dict(Counter(_shown(s) for s in every)),
        "selectable": sum(r["sendable"] for r in rows) if allowed(who, Action.SUBMIT, school=school) else 0,
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/submissions.html", context)


def _shown(submission: Mapping[str, Any]) -> str:
    state = str(submission["state"])
    return SHOWN_AS.get(state, state)


def _rows(every: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
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
    return ordered([_row(s) for s in found], query, keys)


def _row(submission: Document) -> dict[str, Any]:
    refusal = submission["refusal"]
    return {
        "id": submission["_id"],
        "name": submission["pupil_name"],
        "class_name": submission["class_code"],
        "grade": submission["grade"],
        "pupil_code": submission["pupil_code"],
        "confirmed_at": submission["confirmed_at"],
        "state": _shown(submission),
        "sent_at": submission["sent_at"],
        "reason": f"{refusal['code']}: {refusal['reason']}" if refusal else "",
        "sendable": submission["state"] in SENDABLE,
        "href": f"/ui/records/transcripts/{submission['_id']}",
    }


@router.post("/submissions")
async def send(request: Request, who: Who) -> Response:
    """ "Gửi lên hệ thống"; what the gateway refused may be sent again."""
    school = own_school(who)
    require_fresh(who, Action.SUBMIT, school=school)
    form = await ticked(request)
    chosen = list(form.ids)
    if form.filter is not None:
        chosen = [r["id"] for r in _rows(await store_of(request).submissions(school), form.filter) if r["sendable"]]
    if not chosen:
        return done(SUBMISSIONS, "submit", 0)
    outcome = await sending.submit(
        store_of(request), who, transcripts=chosen, classes=None, everything=False, request_id=request.state.request_id
    )
    return done(SUBMISSIONS, "submit", outcome["requested"], [r["code"] for r in outcome["refused"]])
