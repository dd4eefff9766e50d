"""HTTP face of the provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from infra.sandbox.common import Place, announce
from infra.sandbox.faults import install
from infra.sandbox.provider import control, csc
from infra.sandbox.provider.desk import METHODS, Desk
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.vault import Vault


def create_app(place: Place) -> FastAPI:
    """Open the vault under DIR/provider, with all keys loaded, and answer."""
    desk = Desk(place.directory, Vault(place.directory / "provider" / "provider.sqlite"))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        announce(place.directory, "provider", place.url)
        yield
        desk.workers.shutdown(cancel_futures=True)
        desk.vault.close()

    app = FastAPI(title="Sandbox remote signing provider (CSC API v2)", version="1.0", lifespan=lifespan)
    app.state.desk = desk
    app.add_exception_handler(CscError, _csc_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    install(app, desk.faults, _endpoint_of)
    app.include_router(csc.router)
    app.include_router(control.router)
    return app


def _endpoint_of(path: str) -> str | None:
    method = path.removeprefix("/csc/v2/")
    return method if path.startswith("/csc/v2/") and method in METHODS else None


async def _csc_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CscError)
    return JSONResponse({"error": error.error, "error_description": error.description}, error.status)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if not request.url.path.startswith("/csc/"):
        return JSONResponse({"detail": [{"loc": list(each["loc"]), "msg": each["msg"]} for each in error.errors()]}, 422)
    name = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse({"error": "invalid_request", "error_description": f"Missing (or invalid type) parameter {name}"}, 400)
