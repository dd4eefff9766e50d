"""Pages "Cấp bản sao học bạ": the register, a new request, one copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from contracts.access import Action
from contracts.menu import COPIES, entry_of
from services.chassis import clock
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import INVALID_INPUT, Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import downloads
from services.chassis.web.lists import done, ordered, paged, query_of
from services.chassis.web.look import confirm_page, render, vn_date, vn_time
from services.records.at_hand import own_school, store_of
from services.records.copies import making, routes, store
from services.records.copies.errors import PARTS_NEEDED, REASON_NEEDED
from services.records.copies.routes import End, Issue, NewCopy
from services.records.copies.rules import COPY_WORDS, KINDS, MEDIA, PARTS, RELATIONS, CopyState, require_sealed
from services.records.page_parts import framed, newest
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import FormData

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)
FILTERS = ("find", "year", "state", "kind", "medium", "sort", "order", "page")
COLUMNS = (
    "Số",
    "Ngày yêu cầu",
    "Ngày cấp",
    "Họ và tên học sinh",
    "Mã học sinh",
    "Lớp",
    "Năm học",
    "Mã định danh học bạ gốc",
    "Loại",
    "Hình thức",
    "Số bản",
    "Người yêu cầu",
    "Quan hệ",
    "Mục đích",
    "Người ký",
    "Người cấp",
    "Trạng thái",
    "Lý do",
    "SHA-256 của tệp gốc",
    "SHA-256 của bản sao",
)
FIELD_TEXTS = {
    "requester": "Nhập họ tên người yêu cầu hoặc tên cơ quan (không quá 200 ký tự).",
    "relation": "Chọn quan hệ với học sinh.",
    "purpose": "Nhập mục đích sử dụng bản sao (không quá 200 ký tự).",
    "count": "Số bản là số nguyên từ 1 đến 20.",
    "kind": "Chọn loại bản sao.",
    "medium": "Chọn hình thức bản sao.",
    "parts": "Chọn phần trích sao trong danh sách.",
}


async def _rows(request: Request, who: Principal, query: Mapping[str, str]) -> list[dict[str, Any]]:
    every = await store.copies(store_of(request).db, own_school(who))
    rows = [{**routes.shown(c), "register_year": c["register_year"]} for c in every if routes.matches(c, query)]
    keys = {
        "asked": lambda r: -r["requested_at"].timestamp(),
        "number": lambda r: (r["register_year"], r["number"]),
        "name": lambda r: given_name_key(r["name"]),
        "state": lambda r: list(CopyState).index(CopyState(r["state"])),
    }
    return ordered(rows, query, keys)


@router.get("/copies")
async def show_register(request: Request, who: Who) -> Response:
    require(who, Action.KEEP_COPIES, school=own_school(who))
    query = query_of(request, *FILTERS)
    rows = await _rows(request, who, query)
    page, paging = paged(rows, query)
    years = sorted({str(row["register_year"]) for row in await _rows(request, who, {})}, reverse=True)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": entry_of(who, COPIES).title,
        "query": query,
        "paging": paging,
        "years": [("", "Tất cả"), *((year, year) for year in years)],
        "states": [("", "Tất cả"), *((state.value, words) for state, words in COPY_WORDS.items())],
        "kinds": [("", "Tất cả"), *KINDS.items()],
        "media": [("", "Tất cả"), *MEDIA.items()],
        "new_href": f"{COPIES}/new",
        "xlsx_href": f"{COPIES}/register.xlsx",
        "rows": [
            {**row, "href": f"{COPIES}/{row['id']}", "kind_text": KINDS[row["kind"]], "medium_text": MEDIA[row["medium"]]} for row in page
        ],
    }
    return render(request.app.state.pages, request, "records/copies.html", context)


@router.get("/copies/register.xlsx")
async def register_workbook(request: Request, who: Who) -> Response:
    """ "Sổ cấp bản sao": everything that the filter finds."""
    school = own_school(who)
    require(who, Action.KEEP_COPIES, school=school)
    rows = await _rows(request, who, query_of(request, *FILTERS))
    people = await _names(request, school)
    lines = [
        [
            row["number"],
            vn_date(clock.in_vietnam(row["requested_at"]).date()),
            vn_date(clock.in_vietnam(row["issued_at"]).date()) if row["issued_at"] else "",
            row["name"],
            row["pupil"],
            row["class"],
            row["year"],
            row["transcript"],
            KINDS[row["kind"]],
            MEDIA[row["medium"]],
            row["count"],
            row["requester"],
            row["relation"],
            row["purpose"],
            row["signer"],
            people.get(row["issued_by"] or "", row["issued_by"] or ""),
            row["state_text"],
            row["reason"],
            row["source_sha256"],
            row["sha256"],
        ]
        for row in rows
    ]
    await store.record_export(store_of(request).db, school, len(rows), actor=who.person)
    return downloads.workbook(downloads.dated("so-cap-ban-sao"), "Sổ cấp bản sao", COLUMNS, lines)


async def _names(request: Request, school: str) -> dict[str, str]:
    years = await store_of(request).years(school)
    return {code: person.name for code, person in (await store_of(request).staff(school, years[0])).items()} if years else {}


# --- a new request: first the transcript, then what is asked


@router.get("/copies/new")
async def show_new(request: Request, who: Who) -> Response:
    require(who, Action.KEEP_COPIES, school=own_school(who))
    chosen = request.query_params.get("transcript", "")
    return await (_form(request, who, chosen, {}, {}) if chosen else _choice(request, who))


async def _choice(request: Request, who: Principal) -> Response:
    query = query_of(request, "find")
    found = await store.sealed_transcripts(store_of(request).db, own_school(who)) if query else []
    wanted = fold(query.get("find", ""))
    rows = [
        {
            "name": t["pupil_name"],
            "pupil": t["pupil_code"],
            "class": t["class_code"],
            "year": t["year"],
            "state_text": WORDS[State(t["state"])],
            "href": f"{COPIES}/new?transcript={t['_id']}",
        }
        for t in found
        if any(wanted in fold(text) for text in (t["pupil_name"], t["pupil_code"], t["_id"], t["content"]["pupil"]["personal_id"]))
    ]
    rows.sort(key=lambda row: given_name_key(row["name"]))
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": "Chọn học bạ để cấp bản sao",
        "crumb": entry_of(who, COPIES).title,
        "back_href": COPIES,
        "query": query,
        "rows": rows[: store.MOST_FOUND],
        "total": len(rows),
    }
    return render(request.app.state.pages, request, "records/copy_choice.html", context)


async def _form(  # noqa: PLR0917 - the form with what was filled in and what was wrong
    request: Request, who: Principal, transcript_id: str, values: Mapping[str, Any], errors: Mapping[str, str], status: int = 200
) -> Response:
    found = await store.transcript_of(store_of(request).db, own_school(who), transcript_id)
    require_sealed(found)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": f"Yêu cầu cấp bản sao: {found['pupil_name']}",
        "crumb": entry_of(who, COPIES).title,
        "back_href": COPIES,
        "action": f"{COPIES}/new",
        "transcript": transcript_id,
        "facts": [
            ("Học sinh", f"{found['pupil_name']} ({found['pupil_code']})"),
            ("Lớp, năm học", f"{found['class_code']}, {found['year']}"),
            ("Mã định danh học bạ", f"{transcript_id}, phiên bản {found['version']}"),
            ("Trạng thái học bạ", WORDS[State(found["state"])]),
        ],
        "relations": [("", "Chọn quan hệ"), *((each, each) for each in RELATIONS)],
        "kinds": [(value, text, "") for value, text in KINDS.items()],
        "media": [("PAPER", "Bản giấy", "In, ký và đóng dấu"), ("FILE", "Tệp", "PDF kèm tệp học bạ gốc đã ký số")],
        "parts": list(PARTS.items()),
        "values": {"kind": "WHOLE", "medium": "PAPER", "count": "1", "parts": [], "requester": "", "relation": "", "purpose": "", **values},
        "errors": errors,
    }
    return render(request.app.state.pages, request, "records/copy_new.html", context, status_code=status)


@router.post("/copies/new")
async def take_request(request: Request, who: Who) -> Response:
    require(who, Action.KEEP_COPIES, school=own_school(who))
    form = await request.form()
    values = {
        **{name: _text(form, name) for name in ("requester", "relation", "purpose", "kind", "medium", "count")},
        "parts": _all(form, "parts"),
    }
    transcript_id = _text(form, "transcript")
    try:
        made = await routes.ask_for_copy(request, who, NewCopy.model_validate({**values, "transcript": transcript_id}))
    except ValidationError as invalid:
        wrong = {str(each["loc"][0]) for each in invalid.errors()}
        errors = {field: text for field, text in FIELD_TEXTS.items() if field in wrong}
        return await _form(request, who, transcript_id, values, errors, INVALID_INPUT.status)
    except Refused as refused:
        if refused.refusal.status != 422:
            raise
        field = "parts" if refused.refusal is PARTS_NEEDED else "purpose"
        errors = {field: f"{refused.cause} {refused.action}"}
        return await _form(request, who, transcript_id, values, errors, refused.refusal.status)
    return RedirectResponse(f"{COPIES}/{made['id']}", status_code=303)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _all(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


# --- one copy


@router.get("/copies/{copy_id}")
async def show_copy(request: Request, who: Who, copy_id: str) -> Response:
    school = own_school(who)
    copy = await routes.copy_of(request, who, copy_id)
    source = await store.transcript_of(store_of(request).db, school, copy["transcript"])
    people = await _names(request, school)
    leaders = await making.leaders(store_of(request), school)
    stored = await store.copy_of(store_of(request).db, school, copy_id)
    here = f"{COPIES}/{copy_id}"
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": f"{KINDS[copy['kind']]} số {copy['number']}" if copy["number"] else f"Yêu cầu cấp bản sao: {copy['name']}",
        "crumb": entry_of(who, COPIES).title,
        "back_href": COPIES,
        "state": copy["state"],
        "state_text": copy["state_text"],
        "reason": copy["reason"],
        "facts": _facts(copy, stored, people),
        "source_facts": _source_facts(copy, stored, source),
        "source_gone": not source.get("live"),
        "pdf_href": f"/api/records/copies/{copy_id}/document.pdf" if copy["state"] == CopyState.ISSUED else "",
        "issue_action": f"{here}/issue",
        "signers": [(person.code, f"{person.name} ({person.position})") for person in leaders],
        "decline_href": f"{here}/decline",
        "revoke_href": f"{here}/revoke",
    }
    return render(request.app.state.pages, request, "records/copy.html", context)


def _facts(copy: Mapping[str, Any], stored: Mapping[str, Any], people: Mapping[str, str]) -> list[tuple[str, str]]:
    def named(code: str | None) -> str:
        return people.get(code or "", code or "")

    parts = "; ".join(PARTS[part] for part in PARTS if part in copy["parts"])
    facts = [
        ("Học sinh", f"{copy['name']} ({copy['pupil']})"),
        ("Người yêu cầu", f"{copy['requester']} ({copy['relation']})"),
        ("Mục đích", copy["purpose"]),
        ("Loại", f"{KINDS[copy['kind']]}: {parts}" if parts else f"{KINDS[copy['kind']]} toàn bộ học bạ"),
        ("Hình thức, số bản", f"{MEDIA[copy['medium']]}, {copy['count']} bản"),
        ("Ghi nhận yêu cầu", f"{vn_time(copy['requested_at'])}, {named(copy['requested_by'])}"),
    ]
    if copy["number"]:
        facts += [
            ("Số trong sổ cấp bản sao", copy["number"]),
            ("Cấp", f"{vn_time(copy['issued_at'])}, {named(copy['issued_by'])}"),
            ("Người ký bản sao", f"{copy['signer']} ({stored['signer']['position']})"),
            ("SHA-256 của bản sao", copy["sha256"]),
        ]
    if stored.get("ended_at"):
        facts.append((COPY_WORDS[CopyState(copy["state"])], f"{vn_time(stored['ended_at'])}, {named(stored['ended_by'])}"))
    return facts


def _source_facts(copy: Mapping[str, Any], stored: Mapping[str, Any], source: Mapping[str, Any]) -> list[tuple[str, str]]:
    version = (stored["source"] or source)["version"]
    return [
        ("Mã định danh học bạ", f"{copy['transcript']}, phiên bản {version}"),
        ("Lớp, năm học", f"{copy['class']}, {copy['year']}"),
        ("Trạng thái hiện tại", WORDS[State(source["state"])]),
        ("SHA-256 của tệp gốc", copy["source_sha256"]),
    ]


@router.post("/copies/{copy_id}/issue")
async def issue_copy(request: Request, who: Who, copy_id: str) -> Response:
    form = await request.form()
    await routes.issue(request, who, copy_id, Issue(signer=_text(form, "signer")[:40]))
    return done(f"{COPIES}/{copy_id}", "copy-issue", 1)


@router.get("/copies/{copy_id}/decline")
async def ask_decline(request: Request, who: Who, copy_id: str) -> Response:
    return await _ask_reason(request, who, copy_id, "decline")


@router.get("/copies/{copy_id}/revoke")
async def ask_revoke(request: Request, who: Who, copy_id: str) -> Response:
    return await _ask_reason(request, who, copy_id, "revoke")


@router.post("/copies/{copy_id}/decline")
async def decline_copy(request: Request, who: Who, copy_id: str) -> Response:
    return await _end(request, who, copy_id, "decline")


@router.post("/copies/{copy_id}/revoke")
async def revoke_copy(request: Request, who: Who, copy_id: str) -> Response:
    return await _end(request, who, copy_id, "revoke")


ENDS = {
    "decline": ("Không cấp bản sao", "Không cấp bản sao theo yêu cầu này?", "Lý do được ghi vào sổ."),
    "revoke": (
        "Thu hồi bản sao",
        "Thu hồi bản sao đã cấp này?",
        "Số đã cấp được giữ trong sổ và không dùng lại; tệp không tải được nữa. Lý do được ghi vào sổ.",
    ),
}


async def _ask_reason(request: Request, who: Principal, copy_id: str, act: str, missing: str = "") -> Response:
    copy = await routes.copy_of(request, who, copy_id)
    title, question, hint = ENDS[act]
    rows: Sequence[tuple[str, str]] = [
        ("Học sinh", copy["name"]),
        ("Số", copy["number"] or "Chưa cấp số"),
        ("Người yêu cầu", copy["requester"]),
    ]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, who, await newest(request, who)),
        title=title,
        crumb=entry_of(who, COPIES).title,
        question=question,
        action=f"{COPIES}/{copy_id}/{act}",
        confirm=title,
        cancel_href=f"{COPIES}/{copy_id}",
        facts=rows,
        danger=act == "revoke",
        reason=("Lý do", hint),
        missing=missing,
    )


async def _end(request: Request, who: Principal, copy_id: str, act: str) -> Response:
    require_fresh(who, Action.CERTIFY_COPIES, school=own_school(who))
    reason = _text(await request.form(), "reason")[:500]
    try:
        await (routes.revoke if act == "revoke" else routes.decline)(request, who, copy_id, End(reason=reason))
    except Refused as refused:
        if refused.refusal is not REASON_NEEDED:
            raise
        return await _ask_reason(request, who, copy_id, act, f"{refused.cause} {refused.action}")
    return done(f"{COPIES}/{copy_id}", f"copy-{act}", 1)
