"""The home page: what waits for the person who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.chassis.web.look import Notice, render
from services.identity.at_hand import (
    Db,
)
from services.identity.certificates import tasks as certificate_tasks
from services.identity.pages import Settled, frame
from services.identity.store import one

if TYPE_CHECKING:
    pass


router = APIRouter(prefix="/ui/identity", include_in_schema=False)


@router.get("/")
async def home(request: Request, here: Settled, db: Db, changed: str = "") -> Response:
    notices = [Notice("success", "Đã đổi mật khẩu.")] if changed else []
    school = await one(db, "schools", here.who.school) if here.who.school else None
    context = {
        "shell": await frame(request, here, db, notices),
        "title": "Trang chính",
        "tasks": await certificate_tasks.tasks(here, db, school) if school else [],
    }
    return render(request.app.state.pages, request, "identity/home.html", context)
