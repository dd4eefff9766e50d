"""The page "Chương trình ký số": a pairing code with the steps for each kind of computer, which programs are paired, signing them out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.mongo import Database
from services.chassis.web.look import Notice, render
from services.chassis.web.shell import AGENTS
from services.identity.accounts.sessions import Here
from services.identity.agents import pairing
from services.identity.agents.routes import states_of
from services.identity.at_hand import Db, RequestId, TheDoor
from services.identity.pages import Settled, check_form, frame

router = APIRouter(prefix="/ui/identity", include_in_schema=False)


@router.get("/agents")
async def show(request: Request, here: Settled, db: Db, ended: str = "") -> Response:
    notices = [Notice("success", "Đã ngắt kết nối chương trình ký số.")] if ended else []
    return await _page(request, here, db, notices=notices)


@router.post("/agents/pairing-codes")
async def begin(request: Request, here: Settled, db: Db, csrf: Annotated[str, Form()] = "") -> Response:
    """The code is in this answer alone (only its digest is kept), so there is no address to lead to."""
    check_form(here, csrf)
    return await _page(request, here, db, code=await pairing.begin(db, here))


@router.post("/agents/end")
async def end(
    here: Settled, door: TheDoor, request_id: RequestId, csrf: Annotated[str, Form()] = "", session: Annotated[str, Form()] = ""
) -> Response:
    check_form(here, csrf)
    await door.end_session(here, session, request_id=request_id)
    return RedirectResponse(f"{AGENTS}?ended=1", status_code=303)


async def _page(request: Request, here: Here, db: Database, *, code: str = "", notices: list[Notice] | None = None) -> Response:
    server: str = request.app.state.public_url
    shown = pairing.shown(code) if code else ""
    context = {
        "shell": await frame(request, here, db, notices or []),
        "title": "Chương trình ký số",
        "href": AGENTS,
        "begin_action": f"{AGENTS}/pairing-codes",
        "end_action": f"{AGENTS}/end",
        "server": server,
        "code": shown,
        "minutes": int(pairing.VALID.total_seconds() // 60),
        "link": f"hocba:pair?{urlencode({'server': server, 'code': code})}" if code else "",
        "rows": [state.model_dump() for state in await states_of(db, here.who.person)],
    }
    headers = {"Cache-Control": "no-store"} if code else None
    return render(request.app.state.pages, request, "identity/agents.html", context, headers=headers)
