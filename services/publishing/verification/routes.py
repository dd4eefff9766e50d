"""JSON under /api/publishing/verification, open to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from services.chassis.errors import NOT_FOUND, Refused
from services.publishing.verification.source import roles_in_words
from services.publishing.verification.upload import of_body

if TYPE_CHECKING:
    from services.means.judging.examined import Signer
    from services.publishing.verification.source import Source
    from services.publishing.verification.verifying import Verifier

router = APIRouter(prefix="/api/publishing/verification")
CACHED = "public, max-age=60"
"""A withdrawal shows a minute later at the latest."""


def verifier_of(request: Request) -> Verifier:
    verifier: Verifier = request.app.state.verifier
    return verifier


@router.get("/documents/{code}")
async def by_code(request: Request, response: Response, code: str) -> dict[str, Any]:
    """By UUID or short code: status, school, year and the roles of the signers; nothing about a pupil."""
    source = await verifier_of(request).by_code(code)
    if source is None:
        raise Refused(NOT_FOUND)
    response.headers["Cache-Control"] = CACHED
    return told(source)


@router.post(
    "/files",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("application/pdf", "application/xml")},
        }
    },
)
async def file(request: Request, response: Response) -> dict[str, Any]:
    """A PDF or XML as the body, 20 MB at most; nothing of it is kept. `state` of each verdict: passed, failed, unchecked."""
    found = await verifier_of(request).file(await of_body(request))
    examined = found.examined
    response.headers["Cache-Control"] = "no-store"
    return {
        "outcome": found.outcome,
        "form": examined.form,
        "kind": examined.kind,
        "sha256": examined.sha256,
        "copy_of_original": examined.copy_of_original,
        "integrity": examined.integrity.model_dump(),
        "trust": examined.trust.model_dump(),
        "time": examined.time.model_dump(),
        "at_source": found.at_source.model_dump(),
        "source": told(found.source) if found.source else None,
        "signers": [_signer(one) for one in examined.signers],
    }


def _signer(one: Signer) -> dict[str, Any]:
    return {**one.model_dump(mode="json"), "state": one.state}


def told(source: Source) -> dict[str, Any]:
    return {
        "document": source.document,
        "kind": source.kind,
        "school": source.school,
        "year": source.year,
        "version": source.version,
        "status": source.standing,
        "status_text": source.words[0],
        "roles": list(roles_in_words(source.roles)),
    }
