"""publishing: the administrator sends, the board looks, the national gateway answers."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import OWN_SCHOOL, SCHOOL_A, only, open_to_all, right
from tests.access.rows import Row, act, order, page

SENDING = right(Action.SUBMIT, OWN_SCHOOL)
LOOKING_A = right(Action.VIEW_SCHOOL, SCHOOL_A)
LOOKING = right(Action.VIEW_SCHOOL, OWN_SCHOOL)
ANSWER = {"eventId": "e1", "packageId": "none", "results": []}

ROWS: tuple[Row, ...] = (
    page("/api/publishing/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    order("/api/publishing/submissions", SENDING, {"transcripts": ["@transcript_id"]}, step_up=True),
    page("/api/publishing/submissions", LOOKING),
    order("/api/publishing/gateway-callbacks", only("gateway", reason="the national gateway, by an HMAC over body and time"), ANSWER),
    page("/ui/publishing/submissions", LOOKING),
    page("/ui/publishing/submissions/{transcript}", LOOKING_A, values={"transcript": "@transcript_id"}, hidden=("HB-WEB-404",)),
    act("/ui/publishing/submissions", SENDING, [("ids", "@transcript_id")], step_up=True),
    order("/api/publishing/lookup", LOOKING, {"name": "An"}),
    page("/ui/publishing/lookup", LOOKING),
    act("/ui/publishing/lookup", LOOKING, [("name", "An")]),
    page("/ui/publishing/summaries", LOOKING),
    act("/ui/publishing/summaries", SENDING, [("ids", "@summary_id")], step_up=True),
)
