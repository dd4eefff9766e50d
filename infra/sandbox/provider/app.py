"""HTTP face of the provider: one server program, one protocol a process, the same vault, phones and control for all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from infra.sandbox.common import Place, announce
from infra.sandbox.faults import install
from infra.sandbox.provider import control, csc, mysign, oauth, sp769
from infra.sandbox.provider.desk import METHODS, Desk, Webhook
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.transactions import Notice, Transactions
from infra.sandbox.provider.vault import Vault


async def _csc_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CscError)
    return JSONResponse({"error": error.error, "error_description": error.description}, error.status)


def _csc_invalid(error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse({"error": "invalid_request", "error_description": f"Missing (or invalid type) parameter {name}"}, 400)


def _csc_endpoint(path: str) -> str | None:
    method = path.removeprefix("/csc/v2/")
    return method if path.startswith("/csc/v2/") and method in METHODS else None


@dataclass(frozen=True)
class Protocol:
    """`part` names the server in sandbox.json and its directory."""

    part: str
    name: str
    prefix: str
    routers: tuple[APIRouter, ...]
    endpoint_of: Callable[[str], str | None]
    notice: Notice | None = None


PROTOCOLS = {
    "csc": Protocol("provider", "Nhà cung cấp ký số thử nghiệm", "/csc/", (csc.router, oauth.router), _csc_endpoint),
    "sp769": Protocol("sp769", sp769.NAME, sp769.PREFIX, (sp769.router,), sp769.endpoint_of, sp769.notice),
    "mysign": Protocol("mysign", mysign.NAME, mysign.PREFIX, (mysign.router,), mysign.endpoint_of, mysign.notice),
}


def create_app(place: Place, protocol: str, clients: dict[str, str], webhook: Webhook) -> FastAPI:
    """Open the vault under DIR/provider (or DIR/sp769, DIR/mysign), with all keys loaded, and answer. `clients`: secrets by name."""
    spoken = PROTOCOLS[protocol]
    vault = Vault(place.directory / spoken.part / "provider.sqlite")
    desk = Desk(place.directory, vault, name=spoken.name, clients=clients, webhook=webhook)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        announce(place.directory, spoken.part, place.url)
        yield
        desk.workers.shutdown(cancel_futures=True)
        desk.vault.close()

    app = FastAPI(title=f"Sandbox remote signing provider ({protocol})", version="1.0", lifespan=lifespan)
    app.state.desk = desk
    if spoken.notice is not None:
        app.state.transactions = Transactions(desk, spoken.notice)
    _explain(app, protocol, spoken)
    install(app, desk.faults, spoken.endpoint_of)
    for router in (*spoken.routers, control.router):
        app.include_router(router)
    return app


def _explain(app: FastAPI, protocol: str, spoken: Protocol) -> None:
    """Errors in the protocol's own shape."""
    app.add_exception_handler(CscError, {"csc": _csc_error, "sp769": sp769.on_refusal, "mysign": mysign.on_refusal}[protocol])
    app.add_exception_handler(sp769.Sp769Error, sp769.on_error)
    app.add_exception_handler(mysign.MySignError, mysign.on_error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        if not request.url.path.startswith(spoken.prefix):
            return JSONResponse({"detail": [{"loc": list(each["loc"]), "msg": each["msg"]} for each in error.errors()]}, 422)
        if protocol == "csc":
            return _csc_invalid(error)
        where = ".".join(str(part) for part in error.errors()[0]["loc"] if part != "body")
        return JSONResponse({"status_code": 400, "message": f"BAD_REQUEST: {where}", "error": "invalid_request", "data": None}, 400)

    app.add_exception_handler(RequestValidationError, invalid)
