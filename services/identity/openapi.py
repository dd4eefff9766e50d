"""/openapi/: the descriptions of all services' APIs on one page, shown by Swagger UI from our own files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web.look import PAGE_HEADERS, render
from services.chassis.web.shell import shell

router = APIRouter(include_in_schema=False)

Described = Literal["identity", "records", "signing", "publishing", "district"]
SERVICES: dict[str, str] = {
    "identity": "Tài khoản, chứng thư số",
    "records": "Dữ liệu và học bạ",
    "signing": "Ký số",
    "publishing": "Gửi lên Cổng tiếp nhận",
    "district": "Phòng/Sở GD&ĐT",
}
FILES = Path(__file__).parent / "static-openapi"
MEDIA_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "start.js": "text/javascript"}
# Swagger UI's style sheet holds its icons as data addresses
HEADERS = {"Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' data:")}


@router.get("/openapi")
async def without_slash() -> Response:
    return RedirectResponse("/openapi/", status_code=308)


@router.get("/openapi/")
async def show(request: Request, service: Described = "identity") -> Response:
    context = {
        "shell": shell(request, None),
        "title": "Mô tả API",
        "services": [{"name": name, "text": text, "href": f"/api/{name}/openapi.json"} for name, text in SERVICES.items()],
        "chosen": service,
    }
    return render(request.app.state.pages, request, "identity/openapi.html", context, headers=HEADERS)


@router.get("/openapi/{name}")
async def file(name: str) -> Response:
    if name not in MEDIA_TYPES:
        raise Refused(NOT_FOUND)
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return FileResponse(FILES / name, media_type=MEDIA_TYPES[name], headers=headers)
