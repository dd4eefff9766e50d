"""Pages of menu 2.10: 2.10.1 Tạo yêu cầu thu hồi, 2.10.2 Gửi yêu cầu thu hồi (primary "Tra cứu, Thu hồi")."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, allowed
from contracts.menu import WITHDRAWAL_SENDING, WITHDRAWALS
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render, with_query
from services.chassis.web.shell import in_menu, shell
from services.publishing.withdrawals import desk, errors, rules, store
from services.publishing.withdrawals.routes import db_of, own_school, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.chassis.objects import Objects
    from services.chassis.web.lists import Ticked

router = APIRouter(prefix="/ui/publishing", include_in_schema=False)

NEW = f"{WITHDRAWALS}/new"
CATALOGUE = catalogue_of(chassis_errors, errors)
SHOWN_TITLES = 10
WORDS = {
    "draft": ("Đã tạo {n} yêu cầu thu hồi.", "Chưa chọn học bạ nào thu hồi được."),
    "edit": ("Đã ghi lý do thu hồi.", "Chưa ghi lý do thu hồi."),
    "delete": ("Đã xóa {n} bản nháp.", "Chưa chọn bản nháp nào."),
    "send": ("Đã gửi {n} yêu cầu thu hồi, đang chờ ký bằng chứng thư số nhà trường.", "Chưa chọn yêu cầu nào gửi được."),
    "recall": ("Đã rút {n} yêu cầu thu hồi.", "Chưa chọn yêu cầu nào rút được."),
}
TABS = {
    "draft": ("Nháp", (rules.DRAFT,)),
    "sealing": ("Chờ ký", (rules.SEALING,)),
    "pending": ("Chờ xử lý", (rules.SEALED, rules.CLAIMING, rules.PENDING)),
    "approved": ("Đã duyệt", (rules.APPROVED,)),
    "withdrawn": ("Đã thu hồi", (rules.WITHDRAWN,)),
    "refused": ("Từ chối", (rules.REFUSED, rules.RECALLED)),
}
ACTS = {
    "send": ("Gửi yêu cầu thu hồi", "Bạn có chắc chắn muốn gửi dữ liệu thu hồi học bạ số?", "Xác nhận"),
    "delete": ("Xóa bản nháp", "Xóa các bản nháp đã chọn?", "Xóa"),
    "recall": ("Rút yêu cầu thu hồi", "Rút các yêu cầu đã chọn?", "Rút yêu cầu"),
}
"""Act → title of the page that asks, its question, its button. The first question is guide 001's."""
HISTORY = {
    "draft": "Tạo yêu cầu",
    "edit": "Sửa lý do",
    "delete": "Xóa bản nháp",
    "send": "Gửi lên hệ thống",
    "sign": "Ký bằng chứng thư số nhà trường",
    "decline": "Không ký",
    "stop": "Trở về bản nháp",
    "claim": "Chuyển đến Phòng/Sở GD&ĐT",
    "approve": "Duyệt",
    "refuse": "Từ chối",
    "recall": "Rút yêu cầu",
    "withdraw": "Cổng tiếp nhận đã thu hồi",
}
SYSTEMS = {"records": "Hệ thống", "publishing": "Hệ thống", "national-gateway": "Cổng tiếp nhận"}


@dataclass(frozen=True)
class Desk:
    """One of the two lists; `buttons` by tab."""

    address: str
    buttons: Mapping[str, tuple[dict[str, str], ...]]


DELETE = {"text": "Xóa", "name": "act", "value": "delete", "kind": "secondary"}
RECALL = {"text": "Rút yêu cầu", "name": "act", "value": "recall", "kind": "secondary"}
SEND = {"text": "Gửi lên hệ thống", "name": "act", "value": "send"}
MAKING = Desk(WITHDRAWALS, {"draft": (DELETE,)})
SENDING = Desk(WITHDRAWAL_SENDING, {"draft": (SEND, DELETE), "sealing": (RECALL,), "pending": (RECALL,)})


@router.get("/withdrawals")
async def show_requests(request: Request, who: Who) -> Response:
    return await _show(request, who, MAKING)


@router.get("/withdrawal-sending")
async def show_sending(request: Request, who: Who) -> Response:
    return await _show(request, who, SENDING)


async def _show(request: Request, who: Principal, of: Desk) -> Response:
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    query = query_of(request, "tab", "grade", "class", "name", "sort", "order", "page")
    tab = _tab(query)
    every = await store.of_school(db_of(request), school)
    there = [r for r in every if r["state"] in TABS[tab][1]]
    rows = _rows(there, query)
    page, paging = paged(rows, query)
    may = allowed(who, Action.DRAFT_WITHDRAWAL, school=school)
    buttons = list(of.buttons.get(tab, ())) if may else []
    counts = Counter(r["state"] for r in every)
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": in_menu(who, of.address).title,
        "query": query,
        "paging": paging,
        "tabs": [
            {"text": text, "href": with_query({}, tab=key), "current": key == tab, "count": sum(counts[s] for s in found)}
            for key, (text, found) in TABS.items()
        ],
        "grades": [(str(g), f"Khối {g}") for g in sorted({r["grade"] for r in there})],
        "classes": [(c, c) for c in sorted({r["class_code"] for r in there})],
        "new_href": NEW if may else "",
        "other": _other(who, of),
        "action": of.address,
        "buttons": buttons,
        "selectable": sum(_fit(r["state"], tab) for r in rows) if buttons else 0,
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/withdrawals.html", context)


def _other(who: Principal, of: Desk) -> tuple[str, str]:
    """The way to the other list: (address, title)."""
    other = SENDING if of is MAKING else MAKING
    return other.address, in_menu(who, other.address).title


def _tab(query: Mapping[str, str]) -> str:
    return query["tab"] if query.get("tab") in TABS else "draft"


def _fit(state: str, tab: str) -> bool:
    return state == rules.DRAFT if tab == "draft" else state in rules.RECALLABLE


def _rows(requests: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    grade, code, name = query.get("grade", ""), query.get("class", ""), fold(query.get("name", ""))
    in_class = [r for r in requests if grade in ("", str(r["grade"])) and code in ("", r["class_code"])]
    found = [r for r in in_class if name in fold(r["pupil_name"])]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "at": lambda r: r["at"],
    }
    return ordered([_row(r) for r in found], query, keys)


def _row(request: Document) -> dict[str, Any]:
    told = shown(request)
    return {
        "id": request["_id"],
        "name": request["pupil_name"],
        "class_name": request["class_code"],
        "grade": request["grade"],
        "pupil_code": request["pupil_code"],
        "reason": request["reason"],
        "state": request["state"],
        "state_text": told.state_name,
        "note": told.note,
        "at": request["changed_at"],
        "fit": request["state"] in (rules.DRAFT, *rules.RECALLABLE),
        "href": f"{WITHDRAWALS}/{request['_id']}",
    }


# --- a new request


@router.get("/withdrawals/new")
async def show_accepted(request: Request, who: Who) -> Response:
    """Accepted documents of a grade or class, to be ticked."""
    school = own_school(who)
    require(who, Action.DRAFT_WITHDRAWAL, school=school)
    query = query_of(request, "grade", "class", "name", "sort", "order", "page")
    every = await _accepted(request, school)
    rows = _documents(every, query)
    page, paging = paged(rows, query)
    context = {
        "shell": shell(request, who),
        "title": "Tạo yêu cầu thu hồi",
        "crumb": in_menu(who, WITHDRAWALS).title,
        "back_href": WITHDRAWALS,
        "query": query,
        "paging": paging,
        "grades": [(str(g), f"Khối {g}") for g in sorted({s["grade"] for s in every})],
        "classes": [(c, c) for c in sorted({s["class_code"] for s in every})],
        "action": NEW,
        "selectable": len(rows),
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/withdrawal_new.html", context)


async def _accepted(request: Request, school: str) -> list[Document]:
    """What may be taken back and is not asked for yet, of both kinds."""
    db = db_of(request)
    found = await db["submissions"].find({"school": school, "state": "ACCEPTED"}).to_list(None)
    asked = await store.asked(db, None, [s["_id"] for s in found])
    return [s for s in found if s["_id"] not in asked]


def _documents(submissions: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
    grade, code, name = query.get("grade", ""), query.get("class", ""), fold(query.get("name", ""))
    rows = [
        {
            "id": s["_id"],
            "name": rules.name_of(s),
            "class_name": s["class_code"],
            "grade": s["grade"],
            "pupil_code": s["pupil_code"],
            "decided_at": s["decided_at"],
        }
        for s in submissions
        if grade in ("", str(s["grade"])) and code in ("", s["class_code"])
    ]
    keys = {"class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])), "name": lambda r: given_name_key(r["name"])}
    return ordered([r for r in rows if name in fold(r["name"])], query, keys)


@router.post("/withdrawals/new")
async def draft(request: Request, who: Who) -> Response:
    """Asks for the reason, then "Ghi"."""
    school = own_school(who)
    require(who, Action.DRAFT_WITHDRAWAL, school=school)
    form = await ticked(request)
    known = {r["id"]: r for r in _documents(await _accepted(request, school), form.filter or {})}
    chosen = list(known) if form.filter is not None else [i for i in form.ids if i in known]
    if not chosen:
        return done(WITHDRAWALS, "draft", 0)
    missing = ""
    if "reason" in form.form:
        try:
            outcome = await desk.draft(db_of(request), who, chosen, form.field("reason"), request_id=request.state.request_id)
        except Refused as refused:
            if refused.refusal is not errors.REASON_NEEDED:
                raise
            missing = refused.cause
        else:
            return done(WITHDRAWALS, "draft", outcome["done"], [r["code"] for r in outcome["refused"]])
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title="Tạo yêu cầu thu hồi",
        crumb=in_menu(who, WITHDRAWALS).title,
        question=f"Thu hồi {len(chosen)} học bạ đã chọn?",
        action=NEW,
        confirm="Ghi",
        cancel_href=NEW,
        fields=[("ids", i) for i in chosen],
        items=[f"{known[i]['name']} – lớp {known[i]['class_name']}" for i in chosen[:SHOWN_TITLES]],
        count=len(chosen),
        reason=("Lý do thu hồi", f"Ghi rõ nội dung sai, từ {rules.SHORTEST} đến {rules.LONGEST} ký tự; dùng chung cho các học bạ đã chọn."),
        missing=missing,
    )


# --- one request


@router.get("/withdrawals/{key}")
async def show_request(request: Request, who: Who, key: str) -> Response:
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    return await _details(request, who, key, {})


async def _details(request: Request, who: Principal, key: str, wrong: Mapping[str, str], value: str | None = None) -> Response:
    found = await store.one(db_of(request), key, own_school(who))
    told = shown(found)
    may = allowed(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    folder = "summaries" if found["kind"] == "class_summary" else "transcripts"
    earlier = [r for r in await store.of_document(db_of(request), found["transcript"]) if r["_id"] != key]
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": f"Yêu cầu thu hồi: {found['pupil_name']}",
        "crumb": in_menu(who, WITHDRAWALS).title,
        "back_href": WITHDRAWALS,
        "row": _row(found),
        "version": found["version"],
        "year": found["year"],
        "document_href": f"/ui/records/{folder}/{found['transcript']}",
        "signed_href": f"/api/publishing/withdrawals/{key}/request.xml" if told.signed else "",
        "sealed_by": found["sealed_by_name"] or "",
        "edit_action": f"{WITHDRAWALS}/{key}" if may and found["state"] == rules.DRAFT else "",
        "reason_value": found["reason"] if value is None else value,
        "errors": dict(wrong),
        "sending_action": WITHDRAWAL_SENDING,
        "buttons": [b for b in _buttons(found["state"]) if may],
        "history": [_step(s) for s in reversed(found["history"])],
        "earlier": [_row(r) for r in earlier],
    }
    return render(request.app.state.pages, request, "publishing/withdrawal.html", context, status_code=422 if wrong else 200)


def _buttons(state: str) -> tuple[dict[str, str], ...]:
    if state == rules.DRAFT:
        return (SEND, DELETE)
    return (RECALL,) if state in rules.RECALLABLE else ()


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    by = step["name"] or SYSTEMS.get(step["by"], step["by"])
    return {"at": step["at"], "text": HISTORY[step["act"]], "by": by, "reason": step["reason"]}


@router.post("/withdrawals/{key}")
async def edit(request: Request, who: Who, key: str) -> Response:
    require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    form = await ticked(request)
    try:
        await desk.edit(db_of(request), who, key, form.field("reason"), request_id=request.state.request_id)
    except Refused as refused:
        if refused.refusal is not errors.REASON_NEEDED:
            raise
        return await _details(request, who, key, {"reason": refused.cause}, form.field("reason"))
    return done(f"{WITHDRAWALS}/{key}", "edit", 1)


# --- acts on what is ticked


@router.post("/withdrawals")
async def act_on_requests(request: Request, who: Who) -> Response:
    """ "Xóa" of drafts."""
    require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    form = await ticked(request)
    return await _act(request, who, MAKING, "delete", form)


@router.post("/withdrawal-sending")
async def send(request: Request, who: Who) -> Response:
    """ "Gửi lên hệ thống", "Rút yêu cầu", "Xóa"; each is asked for once more."""
    form = await ticked(request)
    act = form.field("act") if form.field("act") in ACTS else "send"
    if act == "delete":
        require(who, Action.DRAFT_WITHDRAWAL, school=own_school(who))
    else:
        require_fresh(who, Action.REQUEST_WITHDRAWAL, school=own_school(who))
    return await _act(request, who, SENDING, act, form)


async def _act(request: Request, who: Principal, of: Desk, act: str, form: Ticked) -> Response:
    db, school = db_of(request), own_school(who)
    wanted = rules.RECALLABLE if act == "recall" else (rules.DRAFT,)
    fit = {r["_id"]: r for r in await store.of_school(db, school) if r["state"] in wanted}
    chosen = list(form.ids)
    if form.filter is not None:
        there = [r for r in fit.values() if r["state"] in TABS[_tab(form.filter)][1]]
        chosen = [r["id"] for r in _rows(there, form.filter)]
    if not chosen:
        return done(of.address, act, 0)
    if not form.field("sure"):
        return _ask(request, who, of, act, {i: fit.get(i) for i in chosen})
    if act == "send":
        objects: Objects = request.app.state.objects
        outcome = await desk.send(db, objects, who, chosen, request_id=request.state.request_id)
    else:
        outcome = await (desk.delete if act == "delete" else desk.recall)(db, who, chosen, request_id=request.state.request_id)
    tab = {"send": "sealing", "recall": "draft", "delete": "draft"}[act]
    return done(f"{of.address}?tab={tab}", act, outcome["done"], [r["code"] for r in outcome["refused"]])


def _ask(request: Request, who: Principal, of: Desk, act: str, chosen: Mapping[str, Document | None]) -> Response:
    """`chosen`: by id, None for what is not fit any more, which is said once it is tried."""
    title, question, confirm = ACTS[act]
    known = [r for r in chosen.values() if r is not None]
    said = "Nhân sự ký phát hành ký yêu cầu bằng chứng thư số nhà trường; ký xong, yêu cầu tự chuyển đến Phòng/Sở GD&ĐT."
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title=title,
        crumb=in_menu(who, of.address).title,
        question=question,
        action=of.address,
        confirm=confirm,
        cancel_href=of.address,
        fields=[("act", act), ("sure", "1"), *(("ids", i) for i in chosen)],
        items=[f"{r['pupil_name']} – lớp {r['class_code']}: {r['reason']}" for r in known[:SHOWN_TITLES]],
        count=len(chosen),
        warning=said if act == "send" else "",
        danger=act == "delete",
    )
