"""One uploaded file, read no further than it may be large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.chassis.errors import INVALID_INPUT, Refused
from services.identity.errors import IMAGE_TOO_LARGE, NO_IMAGE
from services.identity.images.png import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request
    from starlette.datastructures import FormData

FORM_BYTES: Final = 64 * 1024
"""What the rest of the form may take."""
FIELD: Final = "image"


async def form_of(request: Request) -> FormData:
    """The form with one file at most. To be closed.

    Raises Refused: IMAGE_TOO_LARGE as soon as the body is known to be too large, INVALID_INPUT for what is no such form.
    """
    most = MOST_BYTES + FORM_BYTES
    told = request.headers.get("Content-Length", "")
    if told.isascii() and told.isdigit() and int(told[:20]) > most:
        raise Refused(IMAGE_TOO_LARGE)
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise Refused(INVALID_INPUT, fields=FIELD)
    try:
        return await MultiPartParser(request.headers, _bounded(request, most), max_files=1, max_fields=10, max_part_size=FORM_BYTES).parse()
    except MultiPartException as problem:
        raise Refused(INVALID_INPUT, fields=FIELD) from problem


async def content_of(form: FormData) -> bytes:
    """Raises Refused: NO_IMAGE, IMAGE_TOO_LARGE."""
    file = form.get(FIELD)
    if not isinstance(file, UploadFile) or not file.size:
        raise Refused(NO_IMAGE)
    if file.size > MOST_BYTES:
        raise Refused(IMAGE_TOO_LARGE)
    return await file.read()


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    left = most
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise Refused(IMAGE_TOO_LARGE)
        yield part
