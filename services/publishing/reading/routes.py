"""The read API under /api/publishing/reading. A request is a JWT as the body, signed with a key that the consumer has registered."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.chassis import clock
from services.chassis.errors import TOO_LARGE, Refused
from services.chassis.web.app import problem
from services.publishing.reading import desk, rules
from services.publishing.reading.consumers import AUDIENCE, GOOD_FOR, LONGEST_ID
from services.publishing.reading.errors import TOO_FAST

if TYPE_CHECKING:
    from services.chassis.mongo import Database
    from services.chassis.objects import Objects
    from services.publishing.reading.consumers import Consumers, Signed

router = APIRouter(prefix="/api/publishing/reading")
MEDIA: Final = "application/jwt"
MOST_BYTES: Final = 16_384


class File(BaseModel):
    form: rules.Form
    sha256: str
    size: int


class Transcript(BaseModel):
    """`status` is in_force: others are not listed. `document`: the UUID that is printed on it, for the verification page."""

    document: str
    version: int
    year: str
    grade: int
    school: str
    school_name: str
    status: str
    status_text: str
    confirmed_at: dt.datetime
    files: list[File]


class Answer(BaseModel):
    """`reading` with `document` and `form` fetches a file until `files_until`."""

    reading: str
    files_until: dt.datetime
    transcripts: list[Transcript]


def _signed_body(claims: type[BaseModel]) -> dict[str, Any]:
    """How the body is described: JSON Schema's contentSchema tells what the JWT holds."""
    own = claims.model_json_schema()
    registered = {
        "iss": {"type": "string", "description": "the consumer's id"},
        "aud": {"const": AUDIENCE},
        "iat": {"type": "integer"},
        "exp": {"type": "integer", "description": f"at most {GOOD_FOR} seconds after iat"},
        "jti": {"type": "string", "maxLength": LONGEST_ID, "description": "new for each request"},
    }
    whole = {**own, "properties": {**registered, **own["properties"]}, "required": [*registered, *own["required"]]}
    told = "JWS compact serialisation; header: alg ES256 or Ed25519, kid of a registered key"
    body = {"type": "string", "contentMediaType": MEDIA, "contentSchema": whole, "description": told}
    return {"requestBody": {"required": True, "content": {MEDIA: {"schema": body}}}}


async def _proved(request: Request) -> Signed:
    """Raises Refused for what is too large, not proved, used before, or too much in a minute."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused(TOO_LARGE, limit="16 KB")
    consumers: Consumers = request.app.state.consumers
    signed = consumers.proved(body.decode("ascii", "replace").strip())
    await desk.admit(_db(request), signed)
    return signed


def _db(request: Request) -> Database:
    db: Database = request.app.state.store.db
    return db


def _slower(request: Request, refused: Refused) -> Response:
    """Says when the next window begins; any other refusal goes its usual way."""
    if refused.refusal is not TOO_FAST:
        raise refused
    answer = problem(request, refused)
    answer.headers["Retry-After"] = str(rules.window_of(clock.now())[1])
    return answer


@router.post("/transcripts", response_model=Answer, openapi_extra=_signed_body(rules.Asked))
async def transcripts(request: Request, response: Response) -> Answer | Response:
    """Transcripts of one person that are in force; an empty list for whoever has none, or none that the consumer may see."""
    try:
        found = await desk.transcripts(_db(request), await _proved(request))
    except Refused as refused:
        return _slower(request, refused)
    response.headers["Cache-Control"] = "no-store"
    return Answer(
        reading=found.reading,
        files_until=found.until,
        transcripts=[
            Transcript(
                document=s["_id"],
                version=s["version"],
                year=s["year"],
                grade=s["grade"],
                school=s["school"],
                school_name=source.school,
                status=source.standing,
                status_text=source.words[0],
                confirmed_at=s["confirmed_at"],
                files=[File(form=form, sha256=s[form]["sha256"], size=s[form]["size"]) for form in desk.FORMS],
            )
            for s, source in found.transcripts
        ],
    )


@router.post(
    "/files",
    response_class=Response,
    openapi_extra=_signed_body(rules.FileAsked),
    responses={200: {"content": {kind: {} for kind in ("application/pdf", "application/xml")}, "description": "the sealed file"}},
)
async def file(request: Request) -> Response:
    """One sealed file of an answer, byte for byte as the school issued it."""
    objects: Objects = request.app.state.objects
    try:
        content, form = await desk.file(_db(request), objects, await _proved(request))
    except Refused as refused:
        return _slower(request, refused)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=f"application/{form}", headers=headers)
