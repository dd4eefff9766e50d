"""The pages of menu 2.6 (primary "Quản lý hủy duyệt học bạ", secondary "Quản lý hủy học bạ"; guides 000 and 001) and of menu 3.7, its
like for class summaries (guide 000)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CANCELLATION, SUMMARY_CANCELLATION
from contracts.nouns import NOUNS, worded
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render, vn_number, with_query
from services.chassis.web.shell import in_menu
from services.records.at_hand import of_year, own_school, reading, year_asked
from services.records.cancellation import routes
from services.records.cancellation import store as queries
from services.records.cancellation.cancelling import CANCELLABLE, LONGEST, SENT, SHORTEST, STEPS, reason_of, stands_still, why
from services.records.documents import address_of, name_of, title_of
from services.records.page_parts import asked_or_newest, framed, grades_of
from services.records.transcripts.outcome_page import told
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from contracts.documents import DocumentKind
    from services.chassis.mongo import Document
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)

TABS = {"returned": "Trả lại", "signed": "Đã ký xong", "stopped": "Không ký tiếp được", "cancelled": "Đã hủy"}
REFUSE = {"text": "Từ chối hủy", "name": "act", "value": "refuse", "kind": "secondary"}
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


@dataclass(frozen=True)
class Desk:
    """One of the pages. `cancel` and `give_back`: what the guide calls the acts; `prefix`: of the notices' keys."""

    kind: DocumentKind
    address: str
    cancel: str
    give_back: str
    prefix: str

    def buttons(self, tab: str) -> list[dict[str, str]]:
        cancel = {"text": self.cancel, "name": "act", "value": "cancel", "kind": "warning"}
        give_back = {"text": self.give_back, "name": "act", "value": "return"}
        return {"returned": [cancel, REFUSE], "signed": [cancel], "stopped": [give_back]}.get(tab, [])

    def done(self, act: str) -> tuple[str, str]:
        """Heading and words of the page that tells what was done."""
        words = {"cancel": (self.cancel, "Đã hủy"), "refuse": ("Từ chối hủy", "Đã từ chối hủy"), "return": (self.give_back, "Đã trả lại")}
        return words[act]


TRANSCRIPTS = Desk("transcript", CANCELLATION, "Hủy học bạ", "Trả lại học bạ", "")
SUMMARIES = Desk("class_summary", SUMMARY_CANCELLATION, "Hủy bảng tổng hợp kết quả ĐGGD", "Trả lại bảng tổng hợp ĐGGD", "summary-")
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@router.get("/cancellation")
async def show(request: Request, who: Who) -> Response:
    return await _show(request, who, TRANSCRIPTS)


@router.get("/summary-cancellation")
async def show_summaries(request: Request, who: Who) -> Response:
    return await _show(request, who, SUMMARIES)


async def _show(request: Request, who: Principal, desk: Desk) -> Response:
    require(who, Action.DECIDE_RETURNS, school=own_school(who))
    entry = in_menu(who, desk.address)
    looked_at = await asked_or_newest(request, who)
    query = query_of(request, "tab", "grade", "class", "name", "state", "sort", "order", "page", "year")
    tab = _tab(query)
    every = await queries.for_cancelling(looked_at.store.db, looked_at.school, looked_at.year, desk.kind) if looked_at else []
    there = [t for t in every if _tab_of(t) == tab]
    rows = _rows(there, query)
    page, paging = paged(rows, query)
    of = query_of(request, "year")
    context = {
        "shell": await framed(request, who, looked_at, desk.kind),
        "title": entry.title,
        "noun": NOUNS[desk.kind],
        "of_pupils": desk.kind == "transcript",
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
        "action": of_year(request, desk.address),
        "buttons": desk.buttons(tab),
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
        "name": name_of(transcript),
        "class_name": transcript["class_code"],
        "grade": transcript["grade"],
        "version": transcript["version"],
        "state": state.value,
        "reason": WITHDRAW if state in SENT else why(transcript),
        "person": person,
        "at": said["at"] if said else None,
        "selectable": state not in SENT and state is not State.CANCELLED,
        "href": address_of(transcript),
    }


@router.post("/cancellation")
async def decide(request: Request, who: Who) -> Response:
    return await _decide(request, who, TRANSCRIPTS)


@router.post("/summary-cancellation")
async def decide_summaries(request: Request, who: Who) -> Response:
    return await _decide(request, who, SUMMARIES)


async def _decide(request: Request, who: Principal, desk: Desk) -> Response:
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
        every = await queries.for_cancelling(looked_at.store.db, looked_at.school, looked_at.year, desk.kind)
        ids = [r["id"] for r in _rows([t for t in every if _tab_of(t) == tab], form.filter) if r["selectable"]]
    back, notice = of_year(request, f"{desk.address}?tab={tab}"), f"{desk.prefix}{NOTICES[asked]}"
    if not ids:
        return done(back, notice, 0)
    needs_reason = asked != "cancel" or tab != "returned"
    if not form.field("sure"):
        return await _ask(request, looked_at, desk, asked, ids, tab=tab, needs_reason=needs_reason)
    reason = ""
    if needs_reason:
        try:
            reason = reason_of(form.field("reason"))
        except Refused as refused:
            return await _ask(request, looked_at, desk, asked, ids, tab=tab, needs_reason=True, missing=refused.cause)
    if asked == "return":
        outcome = await routes.return_all(request, who, routes.Named(transcripts=ids, reason=reason, kind=desk.kind), looked_at.year)
    else:
        chosen = routes.Chosen(transcripts=ids, reason=reason, kind=desk.kind)
        outcome = await (routes.refuse_all if asked == "refuse" else routes.cancel_all)(request, who, chosen, looked_at.year)
    title, done_text = desk.done(asked)
    return await told(request, looked_at, outcome, did=notice, title=title, done_text=done_text, back=back, kind=desk.kind)


NOTICES = {"cancel": "cancel", "refuse": "refuse-cancel", "return": "return"}


async def _ask(
    request: Request,
    looked_at: Reading,
    desk: Desk,
    asked: str,
    ids: Sequence[str],
    *,
    tab: str,
    needs_reason: bool,
    missing: str = "",
) -> Response:
    found = await queries.named(looked_at.store.db, looked_at.school, ids, desk.kind)
    known = [i for i in ids if i in found]
    count, noun = vn_number(len(known)), NOUNS[desk.kind]
    title, _ = desk.done(asked)
    questions = {
        "cancel": f"Đồng ý xác nhận hủy {noun}?",
        "refuse": f"Từ chối hủy {count} {noun} để người ký tiếp tục ký duyệt?",
        "return": f"Trả lại {count} {noun} không ký tiếp được?",
    }
    labels = {"cancel": "Lý do hủy", "refuse": "Lý do từ chối hủy", "return": "Lý do trả lại"}
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at),
        title=title,
        crumb=in_menu(looked_at.who, desk.address).title,
        question=questions[asked],
        action=of_year(request, desk.address),
        confirm="OK" if asked == "cancel" else title,
        cancel_href=of_year(request, f"{desk.address}?tab={tab}"),
        fields=[("act", asked), ("tab", tab), ("sure", "1"), *(("ids", i) for i in known)],
        items=[_title(found[i]) for i in known[:SHOWN_TITLES]],
        count=len(known),
        warning=worded(desk.kind, FINAL) if asked == "cancel" else "",
        danger=asked == "cancel",
        reason=(labels[asked], f"Từ {SHORTEST} đến {LONGEST} ký tự.") if needs_reason else None,
        missing=missing,
    )


def _title(transcript: Document) -> str:
    reason = why(transcript)
    return f"{title_of(transcript)}{f': {reason}' if reason else ''}"
