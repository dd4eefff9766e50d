"""The page of menu 2.6 (primary "Quản lý hủy duyệt học bạ", secondary "Quản lý hủy học bạ"; guides 000 and 001)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CANCELLATION, entry_of
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render, vn_number, with_query
from services.records.at_hand import of_year, own_school, reading, year_asked
from services.records.cancellation import routes
from services.records.cancellation import store as queries
from services.records.cancellation.cancelling import CANCELLABLE, LONGEST, SENT, SHORTEST, STEPS, reason_of, stands_still, why
from services.records.page_parts import asked_or_newest, framed, grades_of
from services.records.transcripts.outcome_page import told
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)

TABS = {"returned": "Trả lại", "signed": "Đã ký xong", "stopped": "Không ký tiếp được", "cancelled": "Đã hủy"}
CANCEL = {"text": "Hủy học bạ", "name": "act", "value": "cancel", "kind": "warning"}
REFUSE = {"text": "Từ chối hủy", "name": "act", "value": "refuse", "kind": "secondary"}
RETURN = {"text": "Trả lại học bạ", "name": "act", "value": "return"}
BUTTONS = {"returned": [CANCEL, REFUSE], "signed": [CANCEL], "stopped": [RETURN], "cancelled": []}
COLUMNS = {
    "returned": ("Lý do trả lại", "Người trả lại", "Ngày trả lại"),
    "signed": ("Ghi chú", "", ""),
    "stopped": ("Nguyên nhân", "", ""),
    "cancelled": ("Lý do hủy", "Người hủy", "Ngày hủy"),
}
"""What the columns of reason, person and moment are called; "" leaves one out."""
WITHDRAW = "Đã gửi lên cấp trên: cần thu hồi trước khi hủy."
FINAL = "Học bạ số sau khi hủy sẽ không được khôi phục lại. Kiểm tra kỹ thông tin yêu cầu hủy trước khi xác nhận."
SHOWN_TITLES = 10
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@router.get("/cancellation")
async def show(request: Request, who: Who) -> Response:
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    looked_at = await asked_or_newest(request, who)
    query = query_of(request, "tab", "grade", "class", "name", "state", "sort", "order", "page", "year")
    tab = _tab(query)
    every = await queries.for_cancelling(looked_at.store.db, looked_at.school, looked_at.year) if looked_at else []
    there = [t for t in every if _tab_of(t) == tab]
    rows = _rows(there, query)
    page, paging = paged(rows, query)
    of = query_of(request, "year")
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, CANCELLATION).title,
        "query": query,
        "paging": paging,
        "tab": tab,
        "tabs": [
            {
                "text": text,
                "href": with_query(of, tab=key),
                "current": key == tab,
                "count": sum(_tab_of(t) == key for t in every),
            }
            for key, text in TABS.items()
        ],
        "grades": grades_of(there),
        "classes": [(c, c) for c in sorted({t["class_code"] for t in there})],
        "states": [s.value for s in (*CANCELLABLE, *SENT)] if tab == "signed" else [],
        "columns": COLUMNS[tab],
        "action": of_year(request, CANCELLATION),
        "buttons": BUTTONS[tab],
        "selectable": sum(r["selectable"] for r in rows),
        "rows": page,
    }
    return render(request.app.state.pages, request, "records/cancellation.html", context)


def _tab(query: Mapping[str, str]) -> str:
    return query["tab"] if query.get("tab") in TABS else "returned"


def _tab_of(transcript: Mapping[str, Any]) -> str:
    state = State(transcript["state"])
    if state in (State.RETURNED, State.CANCELLED):
        return state.value.lower()
    return "stopped" if stands_still(transcript) else "signed"


def _rows(transcripts: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    grade, code, state = (query.get(key, "") for key in ("grade", "class", "state"))
    name = fold(query.get("name", ""))
    found = [
        t
        for t in transcripts
        if grade in ("", str(t["grade"])) and code in ("", t["class_code"]) and state in ("", t["state"]) and name in fold(t["pupil_name"])
    ]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "at": lambda r: r["at"] or LONG_AGO,
    }
    return ordered([_row(t) for t in found], query, keys)


def _row(transcript: Document) -> dict[str, Any]:
    state = State(transcript["state"])
    said = transcript.get(state.value.lower()) if state in (State.RETURNED, State.CANCELLED) else None
    person = said["name"] if said else ""
    if state is State.RETURNED:
        person = f"{person} ({STEPS.get(said['step'], 'Quản trị viên')})" if said else ""
    return {
        "id": transcript["_id"],
        "name": transcript["pupil_name"],
        "class_name": transcript["class_code"],
        "grade": transcript["grade"],
        "version": transcript["version"],
        "state": state.value,
        "reason": WITHDRAW if state in SENT else why(transcript),
        "person": person,
        "at": said["at"] if said else None,
        "selectable": state not in SENT and state is not State.CANCELLED,
        "href": f"/ui/records/transcripts/{transcript['_id']}",
    }


@router.post("/cancellation")
async def decide(request: Request, who: Who) -> Response:
    """Every act is asked for once more: cancelling because it is for ever, the others for their reason."""
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    form = await ticked(request)
    asked, tab = form.field("act"), _tab({"tab": form.field("tab")})
    if asked not in ("refuse", "return"):
        require_fresh(who, Action.CANCEL, school=own_school(who))
        asked = "cancel"
    looked_at = await reading(request, who, year_asked(request))
    ids = list(form.ids)
    if form.filter is not None:
        tab = _tab(form.filter)
        every = await queries.for_cancelling(looked_at.store.db, looked_at.school, looked_at.year)
        ids = [r["id"] for r in _rows([t for t in every if _tab_of(t) == tab], form.filter) if r["selectable"]]
    back = of_year(request, f"{CANCELLATION}?tab={tab}")
    if not ids:
        return done(back, NOTICES[asked], 0)
    needs_reason = asked != "cancel" or tab != "returned"
    if not form.field("sure"):
        return await _ask(request, looked_at, asked, tab, ids, needs_reason=needs_reason)
    reason = ""
    if needs_reason:
        try:
            reason = reason_of(form.field("reason"))
        except Refused as refused:
            return await _ask(request, looked_at, asked, tab, ids, needs_reason=True, missing=refused.cause)
    if asked == "return":
        outcome = await routes.return_all(request, who, routes.Named(transcripts=ids, reason=reason), looked_at.year)
    else:
        chosen = routes.Chosen(transcripts=ids, reason=reason)
        outcome = await (routes.refuse_all if asked == "refuse" else routes.cancel_all)(request, who, chosen, looked_at.year)
    title, done_text = DONE[asked]
    return await told(request, looked_at, outcome, did=NOTICES[asked], title=title, done_text=done_text, back=back)


NOTICES = {"cancel": "cancel", "refuse": "refuse-cancel", "return": "return"}
DONE = {"cancel": ("Hủy học bạ", "Đã hủy"), "refuse": ("Từ chối hủy", "Đã từ chối hủy"), "return": ("Trả lại học bạ", "Đã trả lại")}


async def _ask(
    request: Request, looked_at: Reading, asked: str, tab: str, ids: Sequence[str], *, needs_reason: bool, missing: str = ""
) -> Response:
    found = await queries.named(looked_at.store.db, looked_at.school, ids)
    known = [i for i in ids if i in found]
    count = vn_number(len(known))
    questions = {
        "cancel": "Đồng ý xác nhận hủy học bạ?",
        "refuse": f"Từ chối hủy {count} học bạ để người ký tiếp tục ký duyệt?",
        "return": f"Trả lại {count} học bạ không ký tiếp được?",
    }
    labels = {"cancel": "Lý do hủy", "refuse": "Lý do từ chối hủy", "return": "Lý do trả lại"}
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at),
        title=DONE[asked][0],
        crumb=entry_of(looked_at.who, CANCELLATION).title,
        question=questions[asked],
        action=of_year(request, CANCELLATION),
        confirm="OK" if asked == "cancel" else DONE[asked][0],
        cancel_href=of_year(request, f"{CANCELLATION}?tab={tab}"),
        fields=[("act", asked), ("tab", tab), ("sure", "1"), *(("ids", i) for i in known)],
        items=[_title(found[i]) for i in known[:SHOWN_TITLES]],
        count=len(known),
        warning=FINAL if asked == "cancel" else "",
        danger=asked == "cancel",
        reason=(labels[asked], f"Từ {SHORTEST} đến {LONGEST} ký tự.") if needs_reason else None,
        missing=missing,
    )


def _title(transcript: Document) -> str:
    reason = why(transcript)
    return f"{transcript['pupil_name']} – lớp {transcript['class_code']}{f': {reason}' if reason else ''}"
