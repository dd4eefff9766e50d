"""publishing: the administrator sends, the board looks, the national gateway answers."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import OWN_SCHOOL, only, open_to_all, right
from tests.access.rows import Row, act, order, page

SENDING = right(Action.SUBMIT, OWN_SCHOOL)
LOOKING = right(Action.VIEW_SCHOOL, OWN_SCHOOL)
ANSWER = {"eventId": "e1", "packageId": "none", "results": []}

CODE_ALONE = "status, school, year and roles by the code on the document, nothing about a pupil"

ROWS: tuple[Row, ...] = (
    page("/api/publishing/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    order("/api/publishing/submissions", SENDING, {"transcripts": ["@transcript_id"]}, step_up=True),
    page("/api/publishing/submissions", LOOKING),
    order("/api/publishing/gateway-callbacks", only("gateway", reason="the national gateway, by an HMAC over body and time"), ANSWER),
    page("/ui/publishing/submissions", LOOKING),
    act("/ui/publishing/submissions", SENDING, [("ids", "@transcript_id")], step_up=True),
    page("/ui/publishing/summaries", LOOKING),
    act("/ui/publishing/summaries", SENDING, [("ids", "@summary_id")], step_up=True),
    page("/ui/publishing/verify", open_to_all("anybody checks a document")),
    Row("POST", "/ui/publishing/verify", open_to_all("anybody checks a file of their own"), file=("file", "picture")),
    page("/ui/publishing/verify/{code}", open_to_all(CODE_ALONE), values={"code": "@transcript_id"}, shows=CODE_ALONE),
    page("/api/publishing/verification/documents/{code}", open_to_all(CODE_ALONE), values={"code": "@transcript_id"}, shows=CODE_ALONE),
    order("/api/publishing/verification/files", open_to_all("anybody checks a file of their own"), {"no": "document"}),
)
