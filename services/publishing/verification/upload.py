"""One file from outside, read no further than it may be large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.chassis.errors import INVALID_INPUT, Refused
from services.publishing.verification.errors import FILE_TOO_LARGE, NO_FILE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request

MOST_BYTES: Final = 20_000_000
_FORM_BYTES: Final = 64 * 1024
"""What the rest of a form may take."""
_FIELD: Final = "file"


async def of_form(request: Request) -> bytes:
    """The file of a form. Raises Refused: FILE_TOO_LARGE as soon as that is known, NO_FILE, INVALID_INPUT for what is no such form."""
    _check_length(request, MOST_BYTES + _FORM_BYTES)
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise Refused(INVALID_INPUT, fields=_FIELD)
    stream = _bounded(request, MOST_BYTES + _FORM_BYTES)
    try:
        form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=5, max_part_size=_FORM_BYTES).parse()
    except MultiPartException as problem:
        raise Refused(INVALID_INPUT, fields=_FIELD) from problem
    try:
        file = form.get(_FIELD)
        if not isinstance(file, UploadFile) or not file.size:
            raise Refused(NO_FILE)
        if file.size > MOST_BYTES:
            raise Refused(FILE_TOO_LARGE)
        return await file.read()
    finally:
        await form.close()


async def of_body(request: Request) -> bytes:
    """The body as it is. Raises Refused: FILE_TOO_LARGE as soon as that is known, NO_FILE."""
    _check_length(request, MOST_BYTES)
    content = b"".join([part async for part in _bounded(request, MOST_BYTES)])
    if not content:
        raise Refused(NO_FILE)
    return content


def _check_length(request: Request, most: int) -> None:
    told = request.headers.get("Content-Length", "")
    if told.isascii() and told.isdigit() and int(told[:20]) > most:
        raise Refused(FILE_TOO_LARGE)


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    left = most
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise Refused(FILE_TOO_LARGE)
        yield part
