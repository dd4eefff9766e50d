"""Pages under /ui/publishing/shared, where share links lead; open to whoever holds one.

The secret comes in the body alone: the page takes it from the address's fragment, or the holder types it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from services.chassis.errors import Refused
from services.chassis.web.look import DOCUMENT_HEADERS, render
from services.chassis.web.shell import shell
from services.publishing.sharing import desk, rules, store
from services.publishing.sharing.errors import LINK_GONE, NOT_IN_FORCE
from services.publishing.sharing.routes import OPEN_ADDRESS, db_of
from services.publishing.verification.errors import BUSY, TOOK_TOO_LONG
from services.publishing.verification.pages import OUTCOMES, TONES
from services.publishing.verification.routes import verifier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData

    from services.chassis.objects import Objects
    from services.chassis.web.look import Shell

router = APIRouter(prefix=OPEN_ADDRESS, include_in_schema=False)
TITLE = "Học bạ được chia sẻ"
CHECKS = ("Tính toàn vẹn", "Độ tin cậy của chứng thư số", "Thời điểm ký", "Tình trạng tại nguồn")


def _outside(request: Request) -> Shell:
    return replace(shell(request, None), home=OPEN_ADDRESS)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value[:500] if isinstance(value, str) else ""


@router.get("")
async def ask(request: Request) -> Response:
    """The same for everybody: what stands behind "#" does not come here."""
    context = {"shell": _outside(request), "title": TITLE, "action": OPEN_ADDRESS, "errors": {}}
    return render(request.app.state.pages, request, "publishing/shared.html", context)


@router.post("")
async def show(request: Request) -> Response:
    form = await request.form(max_fields=10)
    code = _text(form, "code")
    share, chosen = await desk.opened(db_of(request), code, _text(form, "document"))
    db = db_of(request)
    known = await store.sources(db, [t["id"] for t in share["transcripts"]])
    rows = [
        {
            "id": t["id"],
            "text": f"Năm học {t['year']}, lớp {t['class_code']}, phiên bản {t['version']}",
            "current": t["id"] == chosen["id"],
            "status": source.words[0] if source else "Chưa kiểm tra được",
            "tone": TONES[source.standing] if source else "waiting",
            "sentence": source.words[1] if source else "Lúc này chưa biết tình trạng của học bạ tại nguồn.",
        }
        for t, source in zip(share["transcripts"], known, strict=True)
    ]
    files = await asyncio.gather(*(_judged(request, chosen, form_name) for form_name in rules.FORMS))
    context = {
        "shell": _outside(request),
        "title": TITLE,
        "errors": {},
        "action": OPEN_ADDRESS,
        "file_action": f"{OPEN_ADDRESS}/file",
        "code": code,
        "school": await store.school_name(db, share["school"]),
        "name": share["pupil_name"],
        "purpose": share["ask"]["purpose"],
        "until": share["until"],
        "rows": rows,
        "document": chosen["id"],
        "files": [f for f in files if f is not None],
    }
    return render(request.app.state.pages, request, "publishing/shared_open.html", context)


async def _judged(request: Request, transcript: Mapping[str, Any], form: str) -> dict[str, Any] | None:
    """What the file is worth; None where it is not handed out. What cannot be told now is unchecked."""
    objects: Objects = request.app.state.objects
    about = {"form": form, "name": form.upper(), "size": transcript[form]["size"], "sha256": transcript[form]["sha256"]}
    try:
        found = await verifier_of(request).file(await desk.file_of(db_of(request), objects, transcript, form))
    except Refused as refused:
        if refused.refusal is NOT_IN_FORCE:
            return None
        if refused.refusal not in (BUSY, TOOK_TOO_LONG):
            raise
        outcome, tone = OUTCOMES["unchecked"]
        return {**about, "outcome": outcome, "tone": tone, "checks": [], "signers": [], "note": refused.cause}
    examined = found.examined
    outcome, tone = OUTCOMES[found.outcome]
    checks = list(zip(CHECKS, (examined.integrity, examined.trust, examined.time, found.at_source), strict=True))
    return {**about, "outcome": outcome, "tone": tone, "checks": checks, "signers": examined.signers, "note": ""}


@router.post("/file")
async def file(request: Request) -> Response:
    """The sealed file as it was issued, to be kept or, a PDF, to be seen."""
    form = await request.form(max_fields=10)
    wanted = _text(form, "form")
    if wanted not in rules.FORMS or not _text(form, "document"):
        raise Refused(LINK_GONE)
    _, transcript = await desk.opened(db_of(request), _text(form, "code"), _text(form, "document"), what=wanted)
    objects: Objects = request.app.state.objects
    content = await desk.file_of(db_of(request), objects, transcript, wanted)
    kind = "inline" if _text(form, "see") and wanted == "pdf" else "attachment"
    headers = {
        **DOCUMENT_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'{kind}; filename="hoc-ba-{transcript["year"]}.{wanted}"',
    }
    return Response(content, media_type=rules.FORMS[wanted], headers=headers)
