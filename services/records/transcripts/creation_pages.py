"""The dialogue before creating (menu 2.1), and following, stopping and repeating a creation job on the pages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.access import Action, allowed
from contracts.menu import CLASSES, PRIMARY, PRINTING, entry_of
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.web.lists import done
from services.chassis.web.look import render, vn_number, with_query
from services.records.at_hand import own_school
from services.records.page_parts import NO_JOB, framed, job_context
from services.records.transcripts import jobs, routes
from services.records.transcripts.dialogue import COMMENTS, review
from services.records.transcripts.errors import ALL_LEFT_OUT, JOB_ENDED, JOB_RUNNING, NOTHING_TO_RETRY
from services.records.transcripts.jobs import Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.chassis.web.lists import Ticked
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
QUESTIONS = {
    True: ("Bạn chắc chắn muốn tạo học bạ cho những học sinh đang chọn?", "OK"),
    False: ("Bạn có muốn xác nhận tạo học bạ!", "Thực hiện"),
}
"""Primary or not → the question and the button, as guides 000 and 001 have them."""


async def create(
    request: Request, looked_at: Reading, pupils: Sequence[Document], chosen: Ticked, *, here: str, ids: Sequence[str]
) -> Response:
    """The dialogue first; when it was answered, the job, followed on the page `here`. `ids` are sent along with the answer."""
    if not pupils:
        return done(here, "create", 0)
    looked_at.require_create(pupils)
    if not chosen.field("sure"):
        return await _ask(request, looked_at, pupils, here=here, ids=ids)
    options = Options(
        comments="none" if chosen.field("comments") == "none" else "subject", skip_reassessed=bool(chosen.field("skip_reassessed"))
    )
    try:
        job = await jobs.start(
            looked_at.store, school=looked_at.school, year=looked_at.year, pupils=pupils, actor=looked_at.who.person, options=options
        )
    except Refused as refused:
        if refused.refusal is not ALL_LEFT_OUT:
            raise
        return done(here, "create", 0, [refused.code])
    return RedirectResponse(f"{here}{with_query({}, job=job)}", status_code=303)


async def _ask(request: Request, looked_at: Reading, pupils: Sequence[Document], *, here: str, ids: Sequence[str]) -> Response:
    seen = await review(looked_at, pupils)
    who = looked_at.who
    question, button = QUESTIONS[who.level == PRIMARY]
    forms = f"{seen['form']} ({', '.join(seen['circulars'])})" if seen["circulars"] else seen["form"]
    ready = f"{vn_number(seen['ready'])} trong {vn_number(seen['pupils'])}"
    context = {
        "shell": await framed(request, who, looked_at),
        "title": "Tạo học bạ",
        "crumb": entry_of(who, CLASSES).title,
        "action": here,
        "cancel_href": here,
        "question": question,
        "button": button,
        "fields": [("sure", "1"), *(("ids", i) for i in ids)],
        "facts": [
            ("Mẫu học bạ", forms),
            ("Học sinh đủ điều kiện", ready),
            ("Học sinh có nhận xét môn học", vn_number(seen["commented"])),
            ("Học sinh phải đánh giá lại, rèn luyện trong hè", vn_number(seen["waiting"])),
        ],
        "lacking": seen["pupils"] - seen["ready"],
        "comments": list(COMMENTS.items()),
        "waiting": seen["waiting"],
        "printing_href": PRINTING if allowed(who, Action.CONFIGURE_PRINTING, school=own_school(who)) else "",
        "rows": [{**row, "date": dt.date.fromisoformat(row["date"])} for row in seen["classes"]],
    }
    return render(request.app.state.pages, request, "records/create.html", context)


async def followed(
    request: Request, who: Principal, looked_at: Reading | None, query: Mapping[str, str], *, job: str, class_code: str = ""
) -> Mapping[str, Any]:
    """What the page needs of the job that its address names; without one, where the person's running job can be followed."""
    if looked_at is None:
        return NO_JOB
    if job:
        return await job_context(looked_at, await routes.job(request, who, job), job, query, class_code)
    running = await jobs.running_of(looked_at.store.db, looked_at.school, who.person)
    return {**NO_JOB, "running_href": with_query(query, job=running["_id"])} if running else NO_JOB


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, who: Who, job_id: str) -> Response:
    back = await _back(request)
    try:
        await routes.cancel_job(request, who, job_id)
    except Refused as refused:
        if refused.refusal is not JOB_ENDED:
            raise
    return RedirectResponse(f"{back}{with_query({}, job=job_id)}", status_code=303)


@router.post("/jobs/{job_id}/retry")
async def retry_job(request: Request, who: Who, job_id: str) -> Response:
    """For those whom the job did not create for; leads on to the new job."""
    back = await _back(request)
    try:
        job = (await routes.retry_job(request, who, job_id))["job"]
    except Refused as refused:
        if refused.refusal not in (NOTHING_TO_RETRY, JOB_RUNNING, ALL_LEFT_OUT):
            raise
        return done(back, "create", 0, [refused.code])
    return RedirectResponse(f"{back}{with_query({}, job=job)}", status_code=303)


async def _back(request: Request) -> str:
    """The page that the job was followed on: a class's, or the list of classes."""
    code = (await request.form()).get("class")
    return f"{CLASSES}/{quote(code, safe='')}" if isinstance(code, str) and code else CLASSES
