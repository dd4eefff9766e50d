"""Pages under /ui/signing: the queue of each step, and the authorisation that covers a batch."""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.menu import entry_of
from contracts.nouns import worded
from services.chassis import errors as chassis_errors
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, reworded, ticked
from services.chassis.web.look import Notice, render, vn_number, with_query
from services.chassis.web.shell import shell
from services.means.x509 import describe
from services.signing import batch_pages, batches, confirming_pages, errors, preflight, return_pages, token_means
from services.signing.errors import WRONG_LOGIN
from services.signing.queues import Queue, document_href, kind_of, queue_for, queue_of, title_of
from services.signing.reports.lists import REPORTS, class_certificates, differing_notices
from services.signing.routes import objects_of, providers_of, store_of
from services.signing.steps import STEPS
from services.signing.tasks import CLOSED, RETURNED, SEALING, signers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/signing", include_in_schema=False)
router.include_router(batch_pages.router)
router.include_router(return_pages.router)
router.include_router(confirming_pages.router)

BATCHES = "/ui/signing/batches"
SHOWN_TITLES = 10
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {
    "sign": ("Đã nhận {{n}} {noun} vào đợt ký.", "Chưa chọn {noun} nào đang chờ ký."),
    "return": ("{{n}} {noun} {given_back}.", "Chưa chọn {noun} nào đang chờ ký."),
}


# --- one authorisation for the batch; these addresses stand before /{step}


@router.post("/batches")
async def start(request: Request, who: Who) -> Response:
    """Sign in to the provider and start; the password is sent on to it and kept nowhere."""
    form = await ticked(request)
    user, password = form.field("username").strip()[:120], form.field("password")[:1000]
    queue = queue_of(who, form.field("step"))
    batches.require_for(who, queue.step)
    wrong = {}
    if not user:
        wrong["username"] = "Nhập tên đăng nhập"
    if not password and await _asks_password(request, who, queue.step):
        wrong["password"] = "Nhập mật khẩu"  # noqa: S105 - a message
    if wrong and not form.field("token"):
        return await authorise(request, who, queue, form.ids, user=user, wrong=wrong)
    order = batches.Order(step=queue.step, transcripts=form.ids, classes=None, user=user, password=password, kind=queue.kind)
    try:
        started = await batches.start(store_of(request), providers_of(request), who, order, request_id=request.state.request_id)
    except Refused as refused:
        said = {"username" if refused.refusal is WRONG_LOGIN else "_form": f"{refused.cause} {refused.action}"}
        return await authorise(request, who, queue, form.ids, user=user, wrong=said, status=refused.refusal.status)
    codes = [r["code"] for r in started["refused"]]
    if started["batch"] is None:
        return done(queue.address, "sign", 0, codes)
    return done(f"{BATCHES}/{started['batch']}", "start", started["accepted"], codes)


@router.post("/batches/{batch_id}/retry")
async def retry(request: Request, who: Who, batch_id: str) -> Response:
    """What did not work in a batch, alone, in a new one."""
    batch, failed = await batch_pages.retryable(request, who, batch_id)
    batches.require_for(who, batch["step"])
    return await authorise(request, who, queue_for(kind_of(batch), batch["step"]), failed)


async def _asks_password(request: Request, who: Principal, step: str) -> bool:
    """Raises Refused as `batches.approved_account`."""
    account = await batches.approved_account(store_of(request), providers_of(request), who, step)
    return not token_means.by_token(account) and providers_of(request).asks_password(account["provider"])


async def authorise(
    request: Request,
    who: Principal,
    queue: Queue,
    chosen: Sequence[str],
    *,
    user: str = "",
    wrong: Mapping[str, str] | None = None,
    status: int = 422,
) -> Response:
    """Check beforehand everything that can be known, show it, and ask for the account at the provider."""
    here, step = queue.address, queue.step
    batches.require_step(who, step)
    fit, left_out, known = await preflight.of_documents(store_of(request), objects_of(request), who, queue, chosen)
    if not fit:
        return done(here, "sign", 0, [refusal.code for refusal in left_out.values()])
    account = await batches.approved_account(store_of(request), providers_of(request), who, step)
    problem, warnings = await preflight.of_means(providers_of(request), account)
    facts = describe(b64decode(account["certificate"]))
    context = {
        "shell": shell(request, who),
        "title": queue.words.sign,
        "noun": queue.words.noun,
        "crumb": entry_of(who, here).title,
        "action": BATCHES,
        "cancel_href": here,
        "provider": "" if token_means.by_token(account) else providers_of(request).name(account["provider"]),
        "asks_password": not token_means.by_token(account) and providers_of(request).asks_password(account["provider"]),
        "certificate": {"serial": facts.serial, "owner": facts.subject, "valid_until": facts.not_after},
        "count": len(fit),
        "titles": [title_of(known[i]) for i in fit[:SHOWN_TITLES]],
        "fields": [("step", queue.name), *([("token", "1")] if token_means.by_token(account) else []), *(("ids", i) for i in fit)],
        "left_out": [
            {
                "title": title_of(known[i]),
                "reason": worded(queue.kind, f"{refusal.code}: {Refused(refusal).cause}"),
                "todo": worded(queue.kind, Refused(refusal).action),
            }
            for i, refusal in left_out.items()
            if i in known and known[i]["school"] == who.school
        ],
        "chosen": len(chosen),
        "problem": worded(queue.kind, problem),
        "warnings": [worded(queue.kind, w) for w in warnings],
        "values": {"username": user},
        "errors": dict(wrong or {}),
    }
    return render(request.app.state.pages, request, "signing/authorise.html", context, status_code=status if wrong else 200)


# --- the queue of a step


@router.get("/{step}")
async def show_queue(request: Request, who: Who, step: str) -> Response:
    """`step`: the name of a queue."""
    queue = queue_of(who, step)
    here, step, noun = queue.address, queue.step, queue.words.noun
    query = query_of(request, "tab", "grade", "class", "name", "sort", "order", "page")
    waiting = await batches.waiting_for(store_of(request), who, step, None, queue.kind)
    signed = await store_of(request).signed(str(who.school), step, who.person, kind=queue.kind)
    tab = "signed" if query.get("tab") == "signed" else "awaiting"
    tasks = signed if tab == "signed" else waiting
    rows = _rows(tasks, who, step, tab, query)
    page, paging = paged(rows, query)
    problem = await _problem(request, who, step) if tab == "awaiting" and waiting else ""
    said = {"noun": noun, "given_back": queue.words.given_back}
    words = {act: (some.format(**said), none.format(**said)) for act, (some, none) in WORDS.items()}
    told = [
        *notices(request, words, reworded(CATALOGUE, partial(worded, queue.kind))),
        *await _running(request, who, queue),
        *await differing_notices(store_of(request), who, queue),
    ]
    sign = {"text": queue.words.sign, "name": "act", "value": "sign"}
    context = {
        "shell": shell(request, who, notices=told),
        "title": entry_of(who, here).title,
        "query": query,
        "paging": paging,
        "tab": tab,
        "noun": noun,
        "of_pupils": queue.kind != "class_summary",
        "awaiting": len(waiting),
        "signed": len(signed),
        "awaiting_href": with_query({}, tab="awaiting"),
        "signed_href": with_query({}, tab="signed"),
        "grades": [(str(g), f"Khối {g}") for g in sorted({t["grade"] for t in tasks})],
        "classes": [(c, c) for c in sorted({t["class_code"] for t in tasks})],
        "action": here,
        "batches_href": BATCHES,
        "problem": problem,
        # sending back needs no certificate
        "buttons": [return_pages.button(who, queue)] if problem else [sign, return_pages.button(who, queue)],
        "selectable": sum(r["signable"] for r in rows),
        "rows": page,
        "certificates": class_certificates(tasks, query.get("class", "")) if tab == "signed" else [],
    }
    return render(request.app.state.pages, request, "signing/queue.html", context)


async def _running(request: Request, who: Principal, queue: Queue) -> list[Notice]:
    """The way back to batches that go on after their page was left."""
    theirs = await store_of(request).batches_of(who.person)
    running = [b for b in theirs if (kind_of(b), b["step"]) == (queue.kind, queue.step) and b["state"] != "finished"]
    return [
        Notice(
            "info",
            f"Đợt ký {vn_number(b['total'])} {queue.words.noun} đang thực hiện.",
            href=f"{BATCHES}/{b['_id']}",
            link_text="Xem tiến độ",
        )
        for b in running
    ]


async def _problem(request: Request, who: Principal, step: str) -> str:
    """Why this person cannot sign at all at this moment."""
    try:
        await batches.approved_account(store_of(request), providers_of(request), who, step)
    except Refused as refused:
        return f"{refused.cause} {refused.action}"
    return ""


def _rows(tasks: Sequence[Document], who: Principal, step: str, tab: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds, by class and given name unless asked otherwise."""
    name, class_code = fold(query.get("name", "")), query.get("class", "")
    grade = query.get("grade", "")
    in_class = [t for t in tasks if class_code in ("", t["class_code"]) and grade in ("", str(t["grade"]))]
    found = [t for t in in_class if name in fold(t["pupil_name"])]
    keys = {
        "class": lambda r: (r["grade"], r["class_name"], given_name_key(r["name"])),
        "name": lambda r: given_name_key(r["name"]),
        "at": lambda r: r["at"] or dt.datetime.min.replace(tzinfo=dt.UTC),
    }
    return ordered([_row(t, who, step, tab) for t in found], query, keys)


def _row(task: Document, who: Principal, step: str, tab: str) -> dict[str, Any]:
    subjects: list[str] = next((s["subjects"] for s in signers_of(task, step) if s["person"] == who.person), [])
    busy = tab == "awaiting" and batches.being_signed(task, step, who.person)
    at = next((s["signed_at"] for s in task["signatures"] if s["step"] == step and s["person"] == who.person), None)
    return {
        "id": task["_id"],
        "name": task["pupil_name"] or title_of(task),
        "class_name": task["class_code"],
        "grade": task["grade"],
        "part": STEPS[step].role(subjects),
        "at": dt.datetime.fromisoformat(at) if at else None,
        "state_text": _signed_text(task) if tab == "signed" else "Đang trong đợt ký" if busy else _waiting_text(task),
        "signable": tab == "awaiting" and not busy,
        "href": document_href(task, task["_id"]),
        "report_href": f"{REPORTS}/{task['_id']}" if task["xml"] else "",
    }


def _waiting_text(task: Document) -> str:
    return f"Chờ ký; quản trị viên từ chối hủy: {task['answer']}" if task.get("answer") else "Chờ ký"


def _signed_text(task: Document) -> str:
    if task["step"] in CLOSED:
        return worded(kind_of(task), "Đã ký; học bạ ở trạng thái Trả lại" if task["step"] == RETURNED else "Đã ký; học bạ đã hủy")
    if task.get("stopped"):
        return f"Đã ký; {task['stopped']['code']}: {task['stopped']['reason']}"
    return "Đã ký, đang đóng dấu thời gian" if task["step"] == SEALING else "Đã ký"


@router.post("/{step}")
async def choose(request: Request, who: Who, step: str) -> Response:
    """ "Ký học bạ": shows what would be signed and asks for the authorisation; "Trả lại" asks why. Nothing is changed yet."""
    queue = queue_of(who, step)
    form = await ticked(request)
    if form.field("act") != "return":
        batches.require_for(who, queue.step)
    chosen = form.ids
    if form.filter is not None:
        waiting = await batches.waiting_for(store_of(request), who, queue.step, None, queue.kind)
        chosen = tuple(r["id"] for r in _rows(waiting, who, queue.step, "awaiting", form.filter) if r["signable"])
    if form.field("act") == "return":
        return await return_pages.ask(request, who, queue, chosen[: batches.MOST])
    return await authorise(request, who, queue, chosen[: batches.MOST])
