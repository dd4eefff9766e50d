"""The pictures of the school's seal and of the own signature, for programs; and the pictures themselves, for pages too."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.errors import NOT_FOUND, Refused
from services.identity.at_hand import Db, RequestId
from services.identity.images import pixels, upload
from services.identity.images.pixels import Edit
from services.identity.images.store import Images, Kind, Place, current, own_place
from services.identity.messages import Body, Code
from services.identity.store import one

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter(prefix="/api/identity/images")

PICTURE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
FILE_NAMES: Final[dict[Kind, str]] = {"seal": "con-dau.png", "signature": "chu-ky.png"}
Trim = Annotated[int, Field(ge=0, le=pixels.LONGEST_ORIGINAL)]


def _images(request: Request) -> Images:
    images: Images = request.app.state.images
    return images


TheImages = Annotated[Images, Depends(_images)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EditOrder(Body):
    """`trims` are pixels of the original to cut off left, top, right, bottom; without them `crop` cuts close to the ink."""

    background: bool = True
    threshold: Annotated[int, Field(ge=1, le=100)] = pixels.THRESHOLD
    crop: bool = True
    trims: tuple[Trim, Trim, Trim, Trim] | None = None

    def edit(self) -> Edit:
        return Edit(self.background, self.threshold, self.crop, self.trims)


class RestoreOrder(Body):
    """Without `number` the version before the present one."""

    number: Annotated[int, Field(ge=1)] | None = None


class Version(BaseModel):
    number: int
    saved_at: dt.datetime
    saved_by: str
    width: int
    height: int
    sha256: str
    size: int
    href: str


class ImageHistory(BaseModel):
    """`current` is the version in use; `versions` is newest first."""

    kind: Kind
    owner: str
    current: Version | None
    versions: list[Version]


@router.get("/{kind}")
async def show_image(kind: Kind, who: Who, db: Db) -> ImageHistory:
    place = own_place(who, kind)
    return history_of(place, await one(db, "images", place.key))


@router.post("/{kind}")
async def upload_image(kind: Kind, request: Request, who: Who, images: TheImages, request_id: RequestId) -> ImageHistory:
    """`multipart/form-data` with the PNG file as `image`."""
    place = own_place(who, kind)
    form = await upload.form_of(request)
    try:
        content = await upload.content_of(form)
    finally:
        await form.close()
    return history_of(place, await images.upload(who, place, content, request_id=request_id))


@router.post("/{kind}/edit")
async def edit_image(kind: Kind, order: EditOrder, who: Who, images: TheImages, request_id: RequestId) -> ImageHistory:
    """Made anew from the uploaded original, whatever was done to it before."""
    place = own_place(who, kind)
    return history_of(place, await images.edit(who, place, order.edit(), request_id=request_id))


@router.post("/{kind}/restore")
async def restore_image(kind: Kind, order: RestoreOrder, who: Who, images: TheImages, request_id: RequestId) -> ImageHistory:
    place = own_place(who, kind)
    return history_of(place, await images.restore(who, place, order.number, request_id=request_id))


@router.get("/{kind}/{owner}/{sha256}.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def show_picture(kind: Kind, owner: Code, sha256: Digest, *, who: Who, db: Db, images: TheImages) -> Response:
    """The own ones, those of the own school's seal, and for those who approve signing accounts their staff's signatures."""
    place = await _seen_place(who, kind, owner, db)
    return picture_response(await images.content(place, sha256), kind)


def picture_response(content: bytes, kind: Kind) -> Response:
    disposition = f'inline; filename="{FILE_NAMES[kind]}"'
    return Response(content, media_type="image/png", headers={**PICTURE_HEADERS, "Content-Disposition": disposition})


def picture_href(kind: Kind, owner: str, version: Document) -> str:
    return f"/api/identity/images/{kind}/{owner}/{version['picture']['sha256']}.png"


def history_of(place: Place, document: Document | None) -> ImageHistory:
    now = current(document)
    versions = [_version(place, v) for v in reversed(document["versions"] if document else [])]
    return ImageHistory(kind=place.kind, owner=place.owner, current=_version(place, now) if now else None, versions=versions)


async def _seen_place(who: Principal, kind: Kind, owner: str, db: Db) -> Place:
    """Raises Refused: FORBIDDEN; NOT_FOUND for somebody of another school."""
    if kind == "signature" and owner != who.person:
        require(who, Action.APPROVE_SIGNING_ACCOUNT, school=who.school or "")
        person = await one(db, "people", owner)
        if person is None or person["school"] != who.school:
            raise Refused(NOT_FOUND)
        return Place(kind, person["school"], owner)
    place = own_place(who, kind)
    if owner != place.owner:
        raise Refused(NOT_FOUND)
    return place


def _version(place: Place, version: Document) -> Version:
    return Version(
        number=version["number"],
        saved_at=version["at"],
        saved_by=version["by"],
        width=version["width"],
        height=version["height"],
        sha256=version["picture"]["sha256"],
        size=version["picture"]["size"],
        href=picture_href(place.kind, place.owner, version),
    )
