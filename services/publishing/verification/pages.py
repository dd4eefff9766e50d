"""Pages under /ui/publishing/verify, where the QR codes of transcripts, class summaries and their copies lead; open to everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.nouns import NOUNS
from services.chassis.errors import Refused
from services.chassis.web.look import render
from services.chassis.web.shell import shell
from services.publishing.verification.errors import FILE_TOO_LARGE, NO_CODE, NO_FILE, NOT_A_DOCUMENT, TOOK_TOO_LONG
from services.publishing.verification.routes import CACHED, verifier_of
from services.publishing.verification.source import roles_in_words
from services.publishing.verification.upload import of_form

if TYPE_CHECKING:
    from services.chassis.web.look import Shell
    from services.publishing.verification.verifying import Outcome

router = APIRouter(prefix="/ui/publishing/verify", include_in_schema=False)
ADDRESS = router.prefix
TITLE = "Kiểm tra học bạ số"
ABOUT_FILE = (NO_FILE, FILE_TOO_LARGE, NOT_A_DOCUMENT, TOOK_TOO_LONG)
"""Said beside the field, so that another file can be chosen at once."""
OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "valid": ("Hợp lệ và đang có hiệu lực", "success"),
    "invalid": ("Không hợp lệ", "danger"),
    "not_in_force": ("Không còn hoặc chưa có hiệu lực", "danger"),
    "unchecked": ("Chưa kiểm tra được đầy đủ", "waiting"),
}
TONES = {"in_force": "success", "replaced": "warning", "withdrawn": "danger", "cancelled": "danger", "not_issued": "waiting"}


def _outside(request: Request) -> Shell:
    """The same for everybody, so that it can be kept by whoever stands between; the code is its own home."""
    return replace(shell(request, None), home=ADDRESS, request_id="")


@router.get("")
async def ask(request: Request) -> Response:
    code = request.query_params.get("code")
    if code is None:
        return _form(request, headers={"Cache-Control": CACHED})
    try:
        await verifier_of(request).by_code(code[:100])
    except Refused as refused:
        if refused.refusal is not NO_CODE:
            raise
        return _form(request, errors={"code": f"{refused.cause} {refused.action}"}, code=code[:100], status=422)
    return RedirectResponse(f"{ADDRESS}/{quote(code[:100].strip(), safe='')}", status_code=303)


@router.get("/{code}")
async def by_code(request: Request, code: str) -> Response:
    """Where a QR code leads."""
    source = await verifier_of(request).by_code(code)
    context: dict[str, Any] = {"shell": _outside(request), "title": TITLE, "action": ADDRESS, "errors": {}, "source": None}
    if source is None:
        return render(request.app.state.pages, request, "publishing/verify_code.html", context, status_code=404)
    title, sentence = source.words
    context["source"] = {
        "document": source.document,
        "noun": NOUNS[source.kind].capitalize(),
        "school": source.school,
        "year": source.year,
        "version": source.version,
        "roles": roles_in_words(source.roles),
        "status": title,
        "tone": TONES[source.standing],
        "sentence": sentence,
    }
    return render(request.app.state.pages, request, "publishing/verify_code.html", context, headers={"Cache-Control": CACHED})


@router.post("")
async def file(request: Request) -> Response:
    """The answer is the page itself: nothing of the file is kept, so there is nothing to come back to."""
    try:
        found = await verifier_of(request).file(await of_form(request))
    except Refused as refused:
        if refused.refusal not in ABOUT_FILE:
            raise
        said = f"{refused.cause} {refused.action} (Mã lỗi: {refused.code})"
        return _form(request, errors={"file": said}, status=refused.refusal.status)
    examined, source = found.examined, found.source
    outcome, tone = OUTCOMES[found.outcome]
    context = {
        "shell": _outside(request),
        "title": TITLE,
        "action": ADDRESS,
        "errors": {},
        "outcome": outcome,
        "tone": tone,
        "foreign": examined.kind == "foreign",
        "copy_of_original": examined.copy_of_original,
        "checks": [
            ("Tính toàn vẹn", examined.integrity),
            ("Độ tin cậy của chứng thư số", examined.trust),
            ("Thời điểm ký", examined.time),
            ("Tình trạng tại nguồn", found.at_source),
        ],
        "signers": examined.signers,
        "sha256": examined.sha256,
        "href": f"{ADDRESS}/{source.document}" if source else "",
    }
    return render(request.app.state.pages, request, "publishing/verify_file.html", context)


def _form(
    request: Request, *, errors: dict[str, str] | None = None, code: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    context = {"shell": _outside(request), "title": TITLE, "action": ADDRESS, "code": code, "errors": errors or {}}
    return render(request.app.state.pages, request, "publishing/verify.html", context, status_code=status, headers=headers)
