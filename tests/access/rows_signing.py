"""signing: everybody sees what waits for their own signature; a batch is its owner's, the board may look at it."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import CLASS_1A, OWN_SCHOOL, PROGRAM, SCHOOL_A, only, open_to_all, right
from tests.access.rows import Row, act, order, page
from tests.integration.identity_world import YEAR

SIGNING = right(Action.SIGN, OWN_SCHOOL)
ISSUING = right(Action.ISSUE, OWN_SCHOOL)
LOGIN = {"user": "nobody-there", "password": "1234"}
OWNER = only("subject_1a", reason="whoever started the batch")
LOOKING = OWNER | right(Action.VIEW_SCHOOL, SCHOOL_A)
SEEING = right(Action.VIEW_CLASS, CLASS_1A)
SIGNED = {"transcript": "@transcript_id"}
REASON = "Nhận xét chưa đúng với học sinh"
JOB = {"job": "@sign_job"}
STARTED = [("ids", "@other_transcript")]

ROWS: tuple[Row, ...] = (
    page("/api/signing/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    page("/api/signing/reports/{transcript}", SEEING, values=SIGNED),
    page("/api/signing/reports/{transcript}/etsi.xml", SEEING, values=SIGNED),
    page("/api/signing/reports/{transcript}/certificates.zip", SEEING, values=SIGNED),
    page(
        "/api/signing/certificates.zip",
        right(Action.VIEW_CLASS, OWN_SCHOOL) | only("homeroom_1a", "subject_1a", reason="who signs documents of the class in that year"),
        query={"class": "1A", "year": YEAR},
    ),
    page("/ui/signing/reports/differing", right(Action.VIEW_SCHOOL, OWN_SCHOOL)),
    page("/ui/signing/reports/{transcript}", SEEING, values=SIGNED),
    page("/api/signing/queue", SIGNING, query={"step": "homeroom"}),
    order("/api/signing/batches", ISSUING, {"step": "issue", "transcripts": ["@other_transcript"], "login": LOGIN}, step_up=True),
    page("/api/signing/batches", SIGNING),
    order(
        "/api/signing/provider-callbacks/{provider}",
        open_to_all("a hint that nobody vouches for: the batch asks its provider, and nothing else changes"),
        {"transaction_id": "nobody-waits-for-it"},
        values={"provider": "sandbox"},
    ),
    page("/api/signing/batches/{batch_id}", LOOKING),
    page("/api/signing/batches/{batch_id}/events", LOOKING, query={"seconds": "0"}),
    order("/api/signing/batches/{batch_id}/cancel", LOOKING),
    page("/ui/signing/batches", SIGNING),
    page("/ui/signing/batches/{batch_id}", LOOKING),
    page("/ui/signing/batches/{batch_id}/events", LOOKING, query={"seconds": "0"}),
    act("/ui/signing/batches/{batch_id}/cancel", LOOKING),
    act("/ui/signing/batches", ISSUING, [("step", "issue"), *STARTED, ("username", "nobody-there"), ("password", "1234")], step_up=True),
    page("/ui/signing/batches/{batch_id}/confirmation", OWNER & SIGNING),
    act("/ui/signing/batches/{batch_id}/confirmation", OWNER & SIGNING, [("password-0", "1234")]),
    act("/ui/signing/batches/{batch_id}/confirmation/code", OWNER & SIGNING),
    page("/ui/signing/batches/{batch_id}/provider", OWNER & SIGNING),
    page("/ui/signing/provider-callback", SIGNING, query={"state": "nobody-left-with-it", "code": "x"}),
    # what failed is shown and may be signed again by whoever it waits for
    act("/ui/signing/batches/{batch_id}/retry", LOOKING & SIGNING),
    page("/ui/signing/{step}", SIGNING, values={"step": "homeroom"}),
    act("/ui/signing/{step}", ISSUING, STARTED, values={"step": "issue"}, step_up=True),
    page("/api/signing/agents/jobs", PROGRAM),
    page("/api/signing/agents/jobs/{job}/items", PROGRAM, values=JOB),
    page("/api/signing/agents/jobs/{job}/items/{number}", PROGRAM, values={**JOB, "number": "0"}),
    order("/api/signing/agents/jobs/{job}/items", PROGRAM, {"items": [{"number": 0, "failure": "refused"}]}, values=JOB),
    order("/api/signing/agents/jobs/{job}", PROGRAM, {"state": "PIN"}, values=JOB),
    order("/api/signing/returns", SIGNING, {"step": "homeroom", "transcripts": ["@other_transcript"], "reason": REASON}),
    act("/ui/signing/{step}/return", SIGNING, [*STARTED, ("reason", REASON)], values={"step": "homeroom"}),
)
