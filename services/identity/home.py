"""The home page: what waits for the person who is signed in."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.chassis.web.look import Notice, render
from services.identity.accounts import recovery_tasks
from services.identity.at_hand import (
    Db,
)
from services.identity.certificates import tasks as certificate_tasks
from services.identity.notices import tasks as notice_tasks
from services.identity.organisations import tasks as organisation_tasks
from services.identity.pages import Settled, frame
from services.identity.problems import pages as problem_pages
from services.identity.store import one

router = APIRouter(prefix="/ui/identity", include_in_schema=False)


@router.get("/")
async def home(request: Request, here: Settled, db: Db, changed: str = "", denied: str = "") -> Response:
    notices = [Notice("success", "Đã đổi mật khẩu.")] if changed else []
    notices += await recovery_tasks.notices(here, db, denied=bool(denied))
    school = await one(db, "schools", here.who.school) if here.who.school else None
    found = await certificate_tasks.tasks(here, db, school) if school else []
    deadline = await organisation_tasks.deadline(db, school) if school else None
    context = {
        "shell": replace(await frame(request, here, db, notices), deadline=deadline),
        "title": "Trang chính",
        "tasks": [
            *found,
            *await notice_tasks.tasks(here, db),
            *await recovery_tasks.tasks(here, db),
            *await problem_pages.tasks(here, db),
            *await organisation_tasks.tasks(here, db),
        ],
    }
    return render(request.app.state.pages, request, "identity/home.html", context)
