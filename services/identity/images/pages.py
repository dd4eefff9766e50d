"""Pages: the picture of the school's seal (1.1) and of the own signature (1.2): upload, edit, go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Role
from contracts.menu import SCHOOL_CERTIFICATE, SIGNING_ACCOUNT, entry_of
from services.chassis.errors import Refused
from services.chassis.web.lists import count_in
from services.chassis.web.look import Notice, render
from services.identity.at_hand import Db, RequestId
from services.identity.errors import NO_IMAGE
from services.identity.images import pixels, upload
from services.identity.images.pixels import Edit
from services.identity.images.routes import TheImages, picture_href, picture_response
from services.identity.images.store import Kind, current, edit_of, own_place
from services.identity.organisations import store as organisations_store
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here
    from services.identity.images.store import Images, Place

router = APIRouter(prefix="/ui/identity/images", include_in_schema=False)

HERE: Final = "/ui/identity/images"
SEAL_PAGE: Final = f"{HERE}/seal"
SIGNATURE_PAGE: Final = f"{HERE}/signature"
TITLES: Final[dict[Kind, str]] = {"seal": "Thông tin hình ảnh con dấu", "signature": "Thông tin hình ảnh chữ ký"}
NOUNS: Final[dict[Kind, str]] = {"seal": "con dấu", "signature": "chữ ký"}
PARENTS: Final[dict[Kind, str]] = {"seal": SCHOOL_CERTIFICATE, "signature": SIGNING_ACCOUNT}
SIDES: Final = ("left", "top", "right", "bottom")


def _crumb(here: Here, kind: Kind) -> str:
    entry = entry_of(here.who, PARENTS[kind])
    return f"{entry.group} / {entry.title}"


@router.get("/{kind}")
async def show(request: Request, kind: Kind, here: Settled, db: Db) -> Response:
    return await _page(request, here, db, own_place(here.who, kind), _notices(request.query_params, kind))


@router.post("/{kind}")
async def save_upload(request: Request, kind: Kind, *, here: Settled, db: Db, images: TheImages, request_id: RequestId) -> Response:
    """The chosen file, in use at once; what is wrong with it is said beside the field."""
    place = own_place(here.who, kind)
    try:
        form = await upload.form_of(request)
        try:
            csrf = form.get("csrf")
            check_form(here, csrf if isinstance(csrf, str) else "")
            content = await upload.content_of(form)
        finally:
            await form.close()
        await images.upload(here.who, place, content, request_id=request_id)
    except Refused as refused:
        if not refused.code.startswith("HB-IDN-09"):
            raise
        words = f"{refused.cause} {refused.action}" if refused.refusal is not NO_IMAGE else "Chọn ảnh .png rồi kích nút Lưu."
        return await _page(request, here, db, place, errors={upload.FIELD: words}, status=refused.refusal.status)
    return RedirectResponse(f"{HERE}/{kind}?did=saved", status_code=303)


@router.get("/{kind}/edit")
async def show_edit(request: Request, kind: Kind, here: Settled, db: Db, images: TheImages) -> Response:
    return await _edit_page(request, here, db, own_place(here.who, kind), request.query_params, images=images)


@router.post("/{kind}/edit")
async def save_edit(request: Request, kind: Kind, *, here: Settled, db: Db, images: TheImages, request_id: RequestId) -> Response:
    place = own_place(here.who, kind)
    form = await request.form(max_files=0, max_fields=20)
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    check_form(here, fields.get("csrf", ""))
    try:
        await images.edit(here.who, place, _edit_in(fields), request_id=request_id)
    except Refused as refused:
        if refused.refusal.status != 422:
            raise
        return await _edit_page(request, here, db, place, fields, images=images)
    return RedirectResponse(f"{HERE}/{kind}?did=edited", status_code=303)


@router.post("/{kind}/restore")
async def restore(
    kind: Kind,
    *,
    here: Settled,
    images: TheImages,
    request_id: RequestId,
    number: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """The version of that number; without one the version before the present."""
    check_form(here, csrf)
    await images.restore(here.who, own_place(here.who, kind), count_in(number) or None, request_id=request_id)
    return RedirectResponse(f"{HERE}/{kind}?did=restored", status_code=303)


@router.get("/{kind}/preview.png")
async def show_preview(request: Request, kind: Kind, here: Settled, images: TheImages) -> Response:
    return picture_response(await images.preview(own_place(here.who, kind), _edit_in(request.query_params)), kind)


@router.get("/{kind}/sample.png")
async def show_sample(request: Request, kind: Kind, here: Settled, images: TheImages) -> Response:
    """With a query, what that edit would make of the picture."""
    edit = _edit_in(request.query_params) if request.query_params else None
    sealed = Role.MANAGER in here.who.roles
    return picture_response(await images.sample(own_place(here.who, kind), edit, sealed=sealed), kind)


async def _page(
    request: Request,
    here: Here,
    db: Database,
    place: Place,
    notices: tuple[Notice, ...] = (),
    *,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    document = await one(db, "images", place.key)
    now = current(document)
    versions = list(reversed(document["versions"])) if document else []
    people = await organisations_store.people_by_code(db, {v["by"] for v in versions})
    context: dict[str, Any] = {
        "shell": await frame(request, here, db, notices),
        "title": TITLES[place.kind],
        "crumb": _crumb(here, place.kind),
        "noun": NOUNS[place.kind],
        "of_seal": place.kind == "seal",
        "action": f"{HERE}/{place.kind}",
        "block": await _block(db, place),
        "edit_href": f"{HERE}/{place.kind}/edit" if now else "",
        "sample_href": f"{HERE}/{place.kind}/sample.png" if now else "",
        "picture_href": picture_href(place.kind, place.owner, now) if now else "",
        "parent_href": PARENTS[place.kind],
        "restore_action": f"{HERE}/{place.kind}/restore",
        "earlier": now is not None and any(v["number"] < now["number"] for v in versions),
        "rows": [
            {
                "number": v["number"],
                "at": v["at"],
                "by": people[v["by"]]["name"] if v["by"] in people else v["by"],
                "what": _made(edit_of(v)),
                "size": f"{v['width']} × {v['height']}",
                "bytes": v["picture"]["size"],
                "href": picture_href(place.kind, place.owner, v),
                "current": now is not None and v["number"] == now["number"],
            }
            for v in versions
        ],
        "errors": dict(errors or {}),
    }
    return render(request.app.state.pages, request, "identity/image.html", context, status_code=status)


async def _edit_page(request: Request, here: Here, db: Database, place: Place, fields: Mapping[str, str], *, images: Images) -> Response:
    version = current(await one(db, "images", place.key))
    if version is None:
        raise Refused(NO_IMAGE)
    if fields:
        edit = _edit_in(fields)
    else:
        made = edit_of(version)
        edit = made if made.background or made.crop or made.trims else Edit()
    errors: dict[str, str] = {}
    try:
        await images.preview(place, edit)
    except Refused as refused:
        if refused.refusal.status != 422:
            raise
        errors = {"threshold" if refused.code == "HB-IDN-097" else "left": f"{refused.cause} {refused.action}"}
    asked = "&".join(f"{key}={value}" for key, value in _fields_of(edit).items())
    context = {
        "shell": await frame(request, here, db),
        "title": f"Chỉnh sửa ảnh {NOUNS[place.kind]}",
        "crumb": _crumb(here, place.kind),
        "noun": NOUNS[place.kind],
        "of_seal": place.kind == "seal",
        "action": f"{HERE}/{place.kind}/edit",
        "block": await _block(db, place),
        "back_href": f"{HERE}/{place.kind}",
        "edit": edit,
        "fields": list(_fields_of(edit).items()),
        "trims": dict(zip(SIDES, edit.trims or (0, 0, 0, 0), strict=True)),
        "preview_href": "" if errors else f"{HERE}/{place.kind}/preview.png?{asked}",
        "sample_href": "" if errors else f"{HERE}/{place.kind}/sample.png?{asked}",
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/image_edit.html", context, status_code=422 if errors else 200)


async def _block(db: Database, place: Place) -> dict[str, str]:
    """What stands around the sample, as on a signed page."""
    person = await one(db, "people", place.owner) if place.kind == "signature" else None
    return {"position": person["position"].upper(), "name": person["name"]} if person else {"position": "HIỆU TRƯỞNG", "name": "Họ và tên"}


def _edit_in(fields: Mapping[str, str]) -> Edit:
    """What a form or an address asks for; what is not a number counts as nothing cut off."""
    background = fields.get("background") == "1"
    threshold = min(100, max(1, count_in(fields.get("threshold", "")) or pixels.THRESHOLD))
    left, top, right, bottom = (count_in(fields.get(side, "")) for side in SIDES)
    if fields.get("crop") == "numbers":
        return Edit(background, threshold, crop=False, trims=(left, top, right, bottom))
    return Edit(background, threshold, crop=fields.get("crop") == "auto")


def _fields_of(edit: Edit) -> dict[str, str | int]:
    fields: dict[str, str | int] = {"background": int(edit.background), "threshold": edit.threshold}
    if edit.trims is not None:
        return {**fields, "crop": "numbers", **dict(zip(SIDES, edit.trims, strict=True))}
    return {**fields, "crop": "auto" if edit.crop else "none"}


def _made(edit: Edit) -> str:
    done = [f"xóa nền, ngưỡng {edit.threshold}"] if edit.background else []
    if edit.trims is not None:
        done.append("cắt theo số điểm ảnh")
    elif edit.crop:
        done.append("cắt sát nét mực")
    return f"Đã {', '.join(done)}" if done else "Ảnh tải lên"


def _notices(query: Mapping[str, str], kind: Kind) -> tuple[Notice, ...]:
    words = {
        "saved": f"Đã lưu ảnh {NOUNS[kind]}.",
        "edited": f"Đã lưu ảnh {NOUNS[kind]} sau khi chỉnh sửa.",
        "restored": f"Đã dùng lại ảnh {NOUNS[kind]} trước đó.",
    }
    did = query.get("did", "")
    return (Notice("success", words[did]),) if did in words else ()
