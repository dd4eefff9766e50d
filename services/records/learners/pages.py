"""The pages "Hồ sơ học tập": finding a pupil, and their years over schools."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, allowed
from contracts.menu import LEARNERS, TRANSFERS, entry_of
from services.chassis.access import Who
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import ordered, paged, query_of
from services.chassis.web.look import render, vn_time
from services.records.at_hand import own_school, store_of
from services.records.learners import reading
from services.records.learners.chain import LINK_WORDS, Version, Year
from services.records.learners.routes import Code
from services.records.page_parts import framed, newest
from services.records.transfers.store import SEALED, TAKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/records", include_in_schema=False)
TONES = {"MATCH": "success", "MISMATCH": "danger", "REPLACED": "warning", "ABSENT": "waiting", "NONE": "neutral"}
LEFT_WORDS = {SEALED: "Đã lập gói, chờ trường nhận tiếp nhận", TAKEN: "Trường nhận đã tiếp nhận", "CANCELLED": "Đã hủy"}


@router.get("/learners")
async def show_learners(request: Request, who: Who) -> Response:
    query = query_of(request, "name", "class", "year", "sort", "order", "page")
    every = await reading.learners(store_of(request), who)
    rows = [_found(p) for p in every if _matches(p, query)]
    keys = {
        "name": lambda r: (not r["named"], given_name_key(r["name"])),
        "class": lambda r: (r["year"], r["class_name"]),
        "born": lambda r: r["born"] or dt.date.min,
    }
    page, paging = paged(ordered(rows, query, keys), query)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": entry_of(who, LEARNERS).title,
        "query": query,
        "paging": paging,
        "classes": [("", "Tất cả"), *((c, c) for c in sorted({p["class_code"] for p in every}))],
        "years": [("", "Tất cả"), *((y, y) for y in sorted({p["year"] for p in every}, reverse=True))],
        "rows": page,
    }
    return render(request.app.state.pages, request, "records/learners.html", context)


def _matches(pupil: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    wanted = fold(query.get("name", ""))
    return (
        (wanted in fold(pupil["name"]) or wanted == pupil["_id"])
        and query.get("class", "") in ("", pupil["class_code"])
        and query.get("year", "") in ("", pupil["year"])
    )


def _found(pupil: Document) -> dict[str, Any]:
    return {
        "name": pupil["name"] or f"Học sinh mã {pupil['_id']}",
        "named": bool(pupil["name"]),
        "code": pupil["_id"],
        "born": dt.date.fromisoformat(pupil["born"]) if pupil.get("born") else None,
        "class_name": pupil["class_code"],
        "year": pupil["year"],
        "years": pupil["years"],
        "status": pupil.get("status") or "",
        "href": f"{LEARNERS}/{pupil['_id']}",
    }


@router.get("/learners/{code}")
async def show_learner(request: Request, who: Who, code: Code) -> Response:
    found = await reading.learner(store_of(request), who, code)
    may_transfer = allowed(who, Action.TRANSFER, school=own_school(who))
    standing = any(t["standing"] for t in found.left)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": f"Hồ sơ học tập: {found.name}",
        "back_href": LEARNERS,
        "facts": [
            ("Họ và tên", found.name),
            ("Mã học sinh", found.code),
            ("Ngày sinh", f"{dt.date.fromisoformat(found.born):%d/%m/%Y}" if found.born else ""),
            ("Số định danh cá nhân", found.personal_id),
        ],
        "years": [_year(y) for y in found.years],
        "moves": _moves(found.left, found.came),
        "transfer_href": f"{TRANSFERS}/new?pupil={found.code}" if may_transfer and not standing and found.years else "",
    }
    return render(request.app.state.pages, request, "records/learner.html", context)


def _year(year: Year) -> dict[str, Any]:
    place = {"own": "", "received": "Nhận qua gói chuyển trường", "elsewhere": "Trường khác trong hệ thống; tệp chưa được chuyển đến"}
    return {
        "year": year.year,
        "school": year.school_name,
        "class_name": year.class_name,
        "note": " · ".join(filter(None, (place[year.origin], "Số hóa từ học bạ giấy" if _digitised(year) else ""))),
        "status": year.status,
        "versions": [_version(v) for v in reversed(year.versions)],
    }


def _digitised(year: Year) -> bool:
    return year.standing is not None and year.standing.digitised


def _version(version: Version) -> dict[str, Any]:
    page, files = "", {"pdf": "", "xml": ""}
    if version.document is not None:
        kind, at = version.document
        page = f"/ui/records/transcripts/{at}" if kind == "own" else ""
        if version.sealed:
            folder = "transcripts" if kind == "own" else "received"
            files = {each: f"/api/records/{folder}/{at}/document.{each}" for each in files}
    link = LINK_WORDS[version.link]
    return {
        "version": version.version,
        "id": version.id,
        "state": version.state,
        "replaces": version.replaces or "",
        "link": f"{link} ({version.linked_to})" if version.linked_to else link,
        "tone": TONES[version.link],
        "href": page,
        **{f"{kind}_href": href for kind, href in files.items()},
    }


def _moves(left: Sequence[Document], came: Sequence[Document]) -> list[dict[str, Any]]:
    rows = [
        {
            "at": t["at"],
            "what": f"Chuyển đi, số {t['number']}/{t['year']}",
            "place": f"{t['to']['name']} ({t['to']['code']})" if t["to"]["code"] else t["to"]["name"],
            "note": LEFT_WORDS[t["state"]],
        }
        for t in left
    ]
    for a in came:
        into = f"Xếp vào lớp {a['class_code']}, năm học {a['year']}" if a["class_code"] else "Lưu hồ sơ"
        rows.append({"at": a["taken_at"], "what": "Chuyển đến", "place": a["from"]["name"], "note": into})
    return [{**row, "at": vn_time(row["at"])} for row in sorted(rows, key=lambda r: r["at"])]
