"""What every service's HTTP side has in common: refusals as answers, request ids, metrics, protection of forms."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from contracts.menu import PRODUCT
from services.chassis.access import ConfirmationNeeded, TokenVerifier
from services.chassis.errors import CROSS_SITE, FORBIDDEN, INVALID_INPUT, NOT_FOUND, SIGN_IN_NEEDED, UNAVAILABLE, UNEXPECTED, Refused
from services.chassis.logging import log_context
from services.chassis.metrics import HTTP_SECONDS
from services.chassis.mongo import PyMongoError
from services.chassis.origin import answering, origin_of
from services.chassis.web.confirming import confirm_page, kept_of
from services.chassis.web.look import error_page, mount_static, templates
from services.chassis.web.shell import shell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.chassis.settings import Settings

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
RETRY_AFTER = 30
"""Seconds."""
SIGN_IN_PAGE = "/ui/identity/sign-in"
log = logging.getLogger(__name__)


def problem(request: Request, refused: Refused) -> Response:
    """RFC 9457 for programs, a page for people."""
    request_id = getattr(request.state, "request_id", "")
    retry_after = RETRY_AFTER if refused.refusal.status in (429, 503) else None
    if request.url.path.startswith("/ui/"):
        if refused.refusal is SIGN_IN_NEEDED:
            return RedirectResponse(SIGN_IN_PAGE, status_code=303)
        return error_page(request.app.state.pages, request, refused, shell=shell(request, None, failed=True), retry_after=retry_after)
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return JSONResponse(
        {
            "type": f"urn:hocba:error:{refused.code}",
            "title": refused.refusal.title,
            "status": refused.refusal.status,
            "detail": refused.detail,
            "code": refused.code,
            "cause": refused.cause,
            "action": refused.action,
            "request_id": request_id,
        },
        status_code=refused.refusal.status,
        media_type="application/problem+json",
        headers=headers,
    )


def make_app(settings: Settings, service: str) -> FastAPI:
    """JSON under /api/<service>, pages under /ui/<service>, OpenAPI at /api/<service>/openapi.json."""
    app = FastAPI(title=f"{PRODUCT}: {service}", version="1", openapi_url=f"/api/{service}/openapi.json", docs_url=None, redoc_url=None)
    app.state.tokens = TokenVerifier(settings.token_keys_file)
    app.state.pages = templates(f"services.{service}")
    app.state.pages.env.globals["second_factor_off"] = settings.second_factor == "off-for-demo"
    mount_static(app)

    @app.exception_handler(Refused)
    async def refused(request: Request, exc: Refused) -> Response:
        if isinstance(exc, ConfirmationNeeded) and request.url.path.startswith("/ui/"):
            return confirm_page(request, exc.who, await kept_of(request))
        return problem(request, exc)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, exc: RequestValidationError) -> Response:
        fields = ", ".join(".".join(str(p) for p in e["loc"][1:]) or str(e["loc"][0]) for e in exc.errors())
        return problem(request, Refused(INVALID_INPUT, fields=fields))

    @app.exception_handler(HTTPException)
    async def http(request: Request, exc: HTTPException) -> Response:
        if exc.status_code in (404, 405):
            return problem(request, Refused(NOT_FOUND))
        if exc.status_code == 403:
            return problem(request, Refused(FORBIDDEN, action=""))
        return problem(request, Refused(INVALID_INPUT, fields=str(exc.detail)))

    @app.middleware("http")
    async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        given = request.headers.get("X-Request-ID", "")
        request.state.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        started = time.perf_counter()
        with log_context(request_id=request.state.request_id), answering(request.state.request_id, origin_of(request)):
            if _cross_site(request, settings.public_url):
                response = problem(request, Refused(CROSS_SITE))
            else:
                try:
                    response = await call_next(request)
                except (PyMongoError, OSError):
                    log.exception("a dependency is unavailable")
                    response = problem(request, Refused(UNAVAILABLE))
                except Exception:
                    log.exception("unexpected failure")
                    response = problem(request, Refused(UNEXPECTED))
        route = getattr(request.scope.get("route"), "path", "unmatched")
        HTTP_SECONDS.labels(request.method, route, str(response.status_code)).observe(time.perf_counter() - started)
        response.headers["X-Request-ID"] = request.state.request_id
        return response

    return app


def _cross_site(request: Request, public_url: str) -> bool:
    """A browser tells where a request comes from; programs without a cookie send neither header."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin)[:2] != urlsplit(public_url)[:2]
