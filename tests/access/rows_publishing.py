"""publishing: the administrator sends, the board looks, the national gateway answers."""

from __future__ import annotations

from contracts.access import Action
from services.chassis.errors import NOT_FOUND
from tests.access.needs import OWN_SCHOOL, SCHOOL_A, only, open_to_all, right
from tests.access.rows import Row, act, order, page

SENDING = right(Action.SUBMIT, OWN_SCHOOL)
LOOKING_A = right(Action.VIEW_SCHOOL, SCHOOL_A)
LOOKING = right(Action.VIEW_SCHOOL, OWN_SCHOOL)
ANSWER = {"eventId": "e1", "packageId": "none", "results": []}
DRAFTING = right(Action.DRAFT_WITHDRAWAL, OWN_SCHOOL)
REQUESTING = right(Action.REQUEST_WITHDRAWAL, OWN_SCHOOL)
OF_A = right(Action.VIEW_SCHOOL, SCHOOL_A)
OWN_DRAFT = right(Action.DRAFT_WITHDRAWAL, SCHOOL_A)
REASON = "Sai điểm môn Toán học kỳ II"
REQUEST = {"requests": ["@withdrawal"]}
ONE = {"request_key": "@withdrawal"}
API = "/api/publishing/withdrawals"
UI = "/ui/publishing"
HIDDEN = (NOT_FOUND.code,)
FINAL = {"transcript": "@final_transcript"}

SHARING, OWN_SHARE = right(Action.SHARE, OWN_SCHOOL), right(Action.SHARE, SCHOOL_A)
LINK = "whoever holds a share link sees what it shares, until it runs out or is revoked"
SHARED = {"transcripts": ["@transcript_id"], "asker": "Ai", "relation": "Cha", "purpose": "Thi", "reference": "Số 1", "days": 3}
ASKED = [(name, str(value)) for name, value in SHARED.items() if name != "transcripts"]
CONSUMER = "a registered system, by its signature over the request"
CODE_ALONE = "status, school, year and roles by the code on the document, nothing about a pupil"

ROWS: tuple[Row, ...] = (
    page("/api/publishing/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    order("/api/publishing/submissions", SENDING, {"transcripts": ["@transcript_id"]}, step_up=True),
    page("/api/publishing/submissions", LOOKING),
    order("/api/publishing/gateway-callbacks", only("gateway", reason="the national gateway, by an HMAC over body and time"), ANSWER),
    page("/ui/publishing/submissions", LOOKING),
    page("/ui/publishing/submissions/{transcript}", LOOKING_A, values={"transcript": "@transcript_id"}, hidden=("HB-WEB-404",)),
    act("/ui/publishing/submissions", SENDING, [("ids", "@transcript_id"), ("sure", "1")], step_up=True),
    order("/api/publishing/lookup", LOOKING, {"name": "An"}),
    page("/ui/publishing/lookup", LOOKING),
    act("/ui/publishing/lookup", LOOKING, [("name", "An")]),
    page("/ui/publishing/summaries", LOOKING),
    act("/ui/publishing/summaries", SENDING, [("ids", "@summary_id"), ("sure", "1")], step_up=True),
    page(API, LOOKING),
    order(API, DRAFTING, {"transcripts": ["@transcript_id"], "reason": REASON}),
    order(f"{API}/delete", DRAFTING, REQUEST),
    order(f"{API}/send", REQUESTING, REQUEST, step_up=True),
    order(f"{API}/recall", REQUESTING, REQUEST, step_up=True),
    page(f"{API}/{{request_key}}", OF_A, values=ONE, hidden=HIDDEN),
    order(f"{API}/{{request_key}}/reason", OWN_DRAFT, {"reason": REASON}, values=ONE, hidden=HIDDEN),
    page(f"{API}/{{request_key}}/request.xml", OF_A, values=ONE, hidden=HIDDEN),
    page(f"{UI}/withdrawals", LOOKING),
    page(f"{UI}/withdrawal-sending", LOOKING),
    page(f"{UI}/withdrawals/new", DRAFTING),
    act(f"{UI}/withdrawals/new", DRAFTING, [("ids", "@transcript_id")]),
    page(f"{UI}/withdrawals/{{key}}", OF_A, values={"key": "@withdrawal"}, hidden=HIDDEN),
    act(f"{UI}/withdrawals/{{key}}", OWN_DRAFT, [("reason", REASON)], values={"key": "@withdrawal"}, hidden=HIDDEN),
    act(f"{UI}/withdrawals", DRAFTING, [("ids", "@withdrawal")]),
    act(f"{UI}/withdrawal-sending", REQUESTING, [("ids", "@withdrawal"), ("act", "send")], step_up=True),
    order("/api/publishing/reading/transcripts", only(reason=CONSUMER), {"no": "signature"}),
    order("/api/publishing/reading/files", only(reason=CONSUMER), {"no": "signature"}),
    page("/api/publishing/shares", SHARING),
    order("/api/publishing/shares", SHARING, SHARED, step_up=True),
    order("/api/publishing/shares/{key}/revoke", OWN_SHARE, {"reason": REASON}, values={"key": "@share"}, hidden=HIDDEN, step_up=True),
    page(f"{UI}/shares", SHARING),
    page(f"{UI}/shares/new", SHARING),
    act(f"{UI}/shares", SHARING, [("transcripts", "@transcript_id"), ("key", "@transcript_id"), *ASKED], step_up=True),
    page(f"{UI}/shares/{{key}}", OWN_SHARE, values={"key": "@share"}, hidden=HIDDEN),
    page(f"{UI}/shares/{{key}}/revoke", OWN_SHARE, values={"key": "@share"}, hidden=HIDDEN),
    act(f"{UI}/shares/{{key}}/revoke", OWN_SHARE, [("reason", REASON)], values={"key": "@share"}, hidden=HIDDEN, step_up=True),
    page(f"{UI}/shared", open_to_all("where share links lead; no data")),
    act(f"{UI}/shared", open_to_all(LINK), [("code", "@share_code")], shows=LINK, touches="openings are counted"),
    act(
        f"{UI}/shared/file",
        open_to_all(LINK),
        [("code", "@share_code"), ("document", "@transcript_id"), ("form", "pdf")],
        shows=LINK,
        touches="openings are counted",
    ),
    page("/api/publishing/admissions", LOOKING),
    order("/api/publishing/admissions", SENDING, {"transcripts": ["@final_transcript"]}, step_up=True),
    page("/api/publishing/admissions/{transcript}", LOOKING_A, values=FINAL, hidden=HIDDEN),
    page("/api/publishing/admissions/{transcript}/receipt", LOOKING_A, values=FINAL, hidden=HIDDEN),
    page("/ui/publishing/admissions", LOOKING),
    act("/ui/publishing/admissions", SENDING, [("ids", "@final_transcript")], step_up=True),
    page("/ui/publishing/admissions/{transcript}", LOOKING_A, values=FINAL, hidden=HIDDEN),
    page("/ui/publishing/verify", open_to_all("anybody checks a document")),
    Row("POST", "/ui/publishing/verify", open_to_all("anybody checks a file of their own"), file=("file", "picture")),
    page("/ui/publishing/verify/{code}", open_to_all(CODE_ALONE), values={"code": "@transcript_id"}, shows=CODE_ALONE),
    page("/api/publishing/verification/documents/{code}", open_to_all(CODE_ALONE), values={"code": "@transcript_id"}, shows=CODE_ALONE),
    order("/api/publishing/verification/files", open_to_all("anybody checks a file of their own"), {"no": "document"}),
)
