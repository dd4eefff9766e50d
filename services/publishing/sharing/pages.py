"""Pages "Chia sẻ học bạ": the school's links, a new one, one of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import segno
from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from pydantic import ValidationError

from contracts.access import Action
from contracts.menu import SHARES, entry_of
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import INVALID_INPUT, NOT_FOUND, Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of
from services.chassis.web.look import confirm_page, render, vn_time, with_query
from services.chassis.web.shell import shell
from services.publishing.sharing import desk, errors, rules, secret, store
from services.publishing.sharing.routes import db_of, link_of, own_school

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import FormData

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.publishing.verification.source import Source

router = APIRouter(prefix="/ui/publishing", include_in_schema=False)
NEW = f"{SHARES}/new"
MOST_FOUND = 50
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {"share-revoke": ("Đã thu hồi đường dẫn; từ lúc này không ai mở được nữa.", "Chưa thu hồi đường dẫn nào.")}
OPENINGS = {"open": "Mở trang", "pdf": "Tải hoặc xem tệp PDF", "xml": "Tải tệp XML"}
FIELD_TEXTS = {
    "asker": "Nhập họ tên người đề nghị hoặc tên cơ quan (không quá 200 ký tự).",
    "relation": "Chọn quan hệ với học sinh.",
    "purpose": "Nhập mục đích sử dụng (không quá 200 ký tự).",
    "reference": "Nhập số đơn, công văn hoặc ghi chú về đề nghị (không quá 200 ký tự).",
    "days": f"Thời hạn là số ngày từ 1 đến {rules.MOST_DAYS}.",
}
CHOOSE = "Chọn ít nhất một học bạ."


# --- the list


@router.get("/shares")
async def show_shares(request: Request, who: Who) -> Response:
    school = own_school(who)
    require(who, Action.SHARE, school=school)
    query = query_of(request, "state", "find", "sort", "order", "page")
    every = [_row(s) for s in await store.of_school(db_of(request), school)]
    counts = Counter(row["state"] for row in every)
    page, paging = paged(_found(every, query), query)
    states = [("", "Tất cả"), *((state, words) for state, (words, _) in rules.WORDS.items())]
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": entry_of(who, SHARES).title,
        "query": query,
        "paging": paging,
        "tabs": [
            {
                "text": text,
                "href": with_query({}, state=state),
                "current": state == query.get("state", ""),
                "count": counts[state] if state else len(every),
            }
            for state, text in states
        ],
        "new_href": NEW,
        "rows": page,
    }
    return render(request.app.state.pages, request, "publishing/shares.html", context)


def _found(rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Newest first unless asked otherwise."""
    wanted, state = fold(query.get("find", "")), query.get("state", "")
    keys = {"made_at": lambda r: -r["made_at"].timestamp(), "name": lambda r: given_name_key(r["name"]), "until": lambda r: r["until"]}
    fits = [r for r in rows if state in ("", r["state"]) and any(wanted in fold(t) for t in (r["name"], r["pupil"], r["asker"]))]
    return ordered(fits, query, keys)


def _row(share: Document) -> dict[str, Any]:
    state = rules.state_of(share, clock.now())
    words, tone = rules.WORDS[state]
    ask = share["ask"]
    return {
        "name": share["pupil_name"],
        "pupil": share["pupil_code"],
        "count": len(share["transcripts"]),
        "asker": f"{ask['asker']} ({ask['relation']})",
        "purpose": ask["purpose"],
        "made_at": share["made_at"],
        "until": share["until"],
        "opened": share["opened"],
        "state": state,
        "state_text": words,
        "tone": tone,
        "href": f"{SHARES}/{share['_id']}",
    }


# --- a new link: first the pupil, then the request


@router.get("/shares/new")
async def show_new(request: Request, who: Who) -> Response:
    require(who, Action.SHARE, school=own_school(who))
    pupil = request.query_params.get("pupil", "")[:40]
    return await (_form(request, who, pupil, {}, {}) if pupil else _choice(request, who))


async def _choice(request: Request, who: Principal) -> Response:
    query = query_of(request, "find")
    wanted = fold(query.get("find", ""))
    held = await store.confirmed(db_of(request), own_school(who)) if query else []
    pupils: dict[str, Document] = {}
    for each in held:
        if any(wanted in fold(text) for text in (each["pupil_name"], each["pupil_code"], each["_id"])):
            # the newest year stands first, and says which class the pupil is in
            pupils.setdefault(each["pupil_code"], each)
    rows = [
        {
            "name": s["pupil_name"],
            "pupil": code,
            "class_name": s["class_code"],
            "year": s["year"],
            "href": f"{NEW}{with_query({}, pupil=code)}",
        }
        for code, s in pupils.items()
    ]
    rows.sort(key=lambda row: given_name_key(row["name"]))
    context = {
        "shell": shell(request, who),
        "title": "Chọn học sinh để chia sẻ học bạ",
        "crumb": entry_of(who, SHARES).title,
        "back_href": SHARES,
        "query": query,
        "rows": rows[:MOST_FOUND],
        "total": len(rows),
    }
    return render(request.app.state.pages, request, "publishing/share_choice.html", context)


async def _form(request: Request, who: Principal, pupil: str, values: Mapping[str, Any], wrong: Mapping[str, str]) -> Response:
    """Raises Refused(NOT_FOUND) for a pupil of whom the school holds nothing confirmed."""
    held = await store.confirmed(db_of(request), own_school(who), pupil=pupil)
    if not held:
        raise Refused(NOT_FOUND)
    known = await store.sources(db_of(request), [s["_id"] for s in held])
    rows = [_transcript(s, source) for s, source in zip(held, known, strict=True)]
    fit = [row["id"] for row in rows if row["fit"]]
    empty = {"asker": "", "relation": "", "purpose": "", "reference": "", "days": "7", "key": str(uuid4())}
    context = {
        "shell": shell(request, who),
        "title": f"Chia sẻ học bạ: {held[0]['pupil_name']}",
        "crumb": entry_of(who, SHARES).title,
        "back_href": NEW,
        "action": SHARES,
        "pupil": pupil,
        "rows": rows,
        "chosen": values.get("transcripts", fit if len(fit) == 1 else []),
        "relations": [("", "Chọn quan hệ"), *((each, each) for each in rules.RELATIONS)],
        "most_days": rules.MOST_DAYS,
        "values": {**empty, **values},
        "errors": dict(wrong),
    }
    status = INVALID_INPUT.status if wrong else 200
    return render(request.app.state.pages, request, "publishing/share_new.html", context, status_code=status)


def _transcript(submission: Mapping[str, Any], source: Source | None) -> dict[str, Any]:
    return {
        "id": submission["_id"],
        "text": f"Năm học {submission['year']}, lớp {submission['class_code']}, phiên bản {submission['version']}",
        "status": source.words[0] if source else "Chưa kiểm tra được",
        "fit": rules.may_be_shared(submission, source),
    }


@router.post("/shares")
async def make(request: Request, who: Who) -> Response:
    """The answer is the page with the link itself: its secret is kept nowhere, so there is nothing to come back to."""
    require_fresh(who, Action.SHARE, school=own_school(who))
    form = await request.form()
    values = {name: _text(form, name) for name in ("asker", "relation", "purpose", "reference", "days")}
    ids = [value for value in form.getlist("transcripts") if isinstance(value, str)][: rules.MOST_TRANSCRIPTS + 1]
    wrong: dict[str, str] = {}
    if not 1 <= len(ids) <= rules.MOST_TRANSCRIPTS:
        wrong["transcripts"] = CHOOSE
    try:
        ask = rules.Ask.model_validate(values)
    except ValidationError as invalid:
        found = {str(each["loc"][0]) for each in invalid.errors()}
        wrong |= {field: text for field, text in FIELD_TEXTS.items() if field in found}
    if wrong:
        return await _form(request, who, _text(form, "pupil"), {**values, "transcripts": ids, "key": _key(form)}, wrong)
    share, told = await desk.make(db_of(request), who, _key(form), ids, ask)
    return _made(request, who, share, told)


def _key(form: FormData) -> str:
    """The id that the form brought along, so that sending it twice makes one link. Raises Refused(INVALID_INPUT)."""
    try:
        return str(UUID(_text(form, "key")))
    except ValueError as problem:
        raise Refused(INVALID_INPUT, fields="key") from problem


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _made(request: Request, who: Principal, share: rules.Share, told: str) -> Response:
    address = link_of(request, told)
    picture = segno.make(address, error="m", micro=False).svg_inline(scale=4, svgclass=None, lineclass=None)
    context = {
        "shell": shell(request, who),
        "title": "Đường dẫn chia sẻ đã tạo",
        "crumb": entry_of(who, SHARES).title,
        "back_href": SHARES,
        "name": share["pupil_name"],
        "asker": f"{share['ask']['asker']} ({share['ask']['relation']})",
        "until": share["until"],
        "address": address,
        "code": secret.grouped(told),
        # drawn from an address of our own making, nothing in it comes from outside
        "qr": Markup(picture),  # noqa: S704 - see above
        "href": f"{SHARES}/{share['_id']}",
    }
    return render(request.app.state.pages, request, "publishing/share_made.html", context, status_code=201)


# --- one link


@router.get("/shares/{key}")
async def show_share(request: Request, who: Who, key: str) -> Response:
    require(who, Action.SHARE, school=own_school(who))
    db = db_of(request)
    share = await store.one(db, key, own_school(who))
    known = await store.sources(db, [t["id"] for t in share["transcripts"]])
    row, ask = _row(share), share["ask"]
    names = {t["id"]: f"{t['year']}, lớp {t['class_code']}" for t in share["transcripts"]}
    facts = [
        ("Học sinh", f"{share['pupil_name']} ({share['pupil_code']})"),
        ("Người đề nghị", row["asker"]),
        ("Mục đích sử dụng", ask["purpose"]),
        ("Số đơn, công văn hoặc ghi chú", ask["reference"]),
        ("Tạo đường dẫn", f"{vn_time(share['made_at'])}, {share['made_by_name']}"),
        ("Có hiệu lực đến", vn_time(share["until"])),
        ("Số lượt mở", f"{share['opened']}, gần nhất {vn_time(share['opened_at'])}" if share["opened"] else "Chưa mở lần nào"),
    ]
    if share["revoked_at"] is not None:
        facts += [("Thu hồi", f"{vn_time(share['revoked_at'])}, {share['revoked_by_name']}"), ("Lý do thu hồi", share["reason"])]
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": f"Đường dẫn chia sẻ: {share['pupil_name']}",
        "crumb": entry_of(who, SHARES).title,
        "back_href": SHARES,
        "state_text": row["state_text"],
        "tone": row["tone"],
        "facts": facts,
        "transcripts": [
            {
                "name": f"Năm học {names[t['id']]}",
                "id": t["id"],
                "version": t["version"],
                "status": s.words[0] if s else "Chưa kiểm tra được",
            }
            for t, s in zip(share["transcripts"], known, strict=True)
        ],
        "openings": [
            {"at": each["at"], "text": OPENINGS[each["what"]], "document": names[each["document"]]}
            for each in await store.openings(db, key)
        ],
        "revoke_href": f"{SHARES}/{key}/revoke" if row["state"] == "in_force" else "",
    }
    return render(request.app.state.pages, request, "publishing/share.html", context)


@router.get("/shares/{key}/revoke")
async def ask_revoke(request: Request, who: Who, key: str) -> Response:
    require(who, Action.SHARE, school=own_school(who))
    return await _ask_reason(request, who, key)


async def _ask_reason(request: Request, who: Principal, key: str, missing: str = "") -> Response:
    row = _row(await store.one(db_of(request), key, own_school(who)))
    return confirm_page(
        request.app.state.pages,
        request,
        shell=shell(request, who),
        title="Thu hồi đường dẫn chia sẻ",
        crumb=entry_of(who, SHARES).title,
        question="Thu hồi đường dẫn này? Từ lúc đó không ai mở được nữa.",
        action=f"{SHARES}/{key}/revoke",
        confirm="Thu hồi đường dẫn",
        cancel_href=f"{SHARES}/{key}",
        facts=[("Học sinh", row["name"]), ("Người đề nghị", row["asker"]), ("Có hiệu lực đến", vn_time(row["until"]))],
        danger=True,
        reason=("Lý do", f"Từ {rules.SHORTEST} đến {rules.LONGEST} ký tự; ghi vào nhật ký."),
        missing=missing,
    )


@router.post("/shares/{key}/revoke")
async def revoke(request: Request, who: Who, key: str) -> Response:
    require_fresh(who, Action.SHARE, school=own_school(who))
    reason = _text(await request.form(), "reason")[:5000]
    try:
        await desk.revoke(db_of(request), who, key, reason)
    except Refused as refused:
        if refused.refusal is not errors.REASON_NEEDED:
            raise
        return await _ask_reason(request, who, key, f"{refused.cause} {refused.action}")
    return done(f"{SHARES}/{key}", "share-revoke", 1)
