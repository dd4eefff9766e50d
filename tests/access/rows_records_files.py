"""records: what leaves a transcript behind it: look-up, export, copies, cancellation, learner records, transfers, archives."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import CLASS_1A, OWN_SCHOOL, SCHOOL_A, only, right, staff_of_a_school
from tests.access.rows import Row, act, order, page

SEEING = right(Action.VIEW_CLASS, CLASS_1A)
STAFF = staff_of_a_school("the list holds only what this person may see of the own school")
JOB = right(Action.CREATE, SCHOOL_A) | only("homeroom_1a", reason="whoever ordered it")
CREATING = right(Action.CREATE, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="homeroom teacher of the class")
EXPORTING = right(Action.EXPORT, CLASS_1A)
EXPORTING_OWN = right(Action.EXPORT, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="homeroom teacher of the class")
COPYING, COPY = right(Action.KEEP_COPIES, OWN_SCHOOL), right(Action.KEEP_COPIES, SCHOOL_A)
CERTIFYING = right(Action.CERTIFY_COPIES, SCHOOL_A)
RETURNED = right(Action.DECIDE_RETURNS, OWN_SCHOOL)
CANCELLING = right(Action.CANCEL, OWN_SCHOOL)
TRANSFERS, OF_TRANSFER = right(Action.KEEP_TRANSFERS, OWN_SCHOOL), right(Action.KEEP_TRANSFERS, SCHOOL_A)
TRANSFERRING = right(Action.TRANSFER, SCHOOL_A)
ARCHIVING, ARCHIVE = right(Action.ARCHIVE_YEAR, OWN_SCHOOL), right(Action.ARCHIVE_YEAR, SCHOOL_A)
REASON = "Thông tin học sinh trên học bạ bị sai"
LEAVING = {"pupil": "@pupil", "reason": REASON, "to_name": "Trường khác", "decision": "12/QĐ"}
ASKED = {
    "transcript": "@signed_transcript",
    "requester": "Phụ huynh",
    "relation": "Mẹ",
    "purpose": "Nộp hồ sơ",
}

ROWS: tuple[Row, ...] = (
    page("/ui/records/missing.xlsx", STAFF),
    order("/api/records/transcripts/review", CREATING, {"classes": ["@class"]}),
    order("/api/records/jobs/{job_id}/cancel", JOB),
    order("/api/records/jobs/{job_id}/retry", JOB),
    act("/ui/records/jobs/{job_id}/cancel", JOB),
    act("/ui/records/jobs/{job_id}/retry", JOB),
    page("/api/records/transcripts/{transcript_id}/dossier", SEEING),
    page("/api/records/transcripts/{transcript_id}/preview.pdf", SEEING),
    page("/ui/records/transcripts/{transcript_id}/dossier", SEEING),
    order("/api/records/exports", EXPORTING_OWN, {"classes": ["@class"]}),
    page("/api/records/transcripts/{transcript_id}/export.zip", EXPORTING),
    page("/api/records/classes/{code}/print.pdf", EXPORTING_OWN, values={"code": "@class"}),
    page("/ui/records/classes/{code}/print.pdf", EXPORTING_OWN, values={"code": "@class"}),
    act("/ui/records/classes/{code}/export", EXPORTING_OWN, [("ids", "@pupil")], values={"code": "@class"}),
    page("/api/records/lookup", STAFF),
    order("/api/records/lookup/personal-id", STAFF, {"personal_id": "000000000000"}),
    page("/ui/records/lookup", STAFF),
    act("/ui/records/lookup/personal-id", STAFF, [("personal_id", "000000000000")]),
    act("/ui/records/lookup/export", EXPORTING, [("ids", "@signed_transcript")]),
    page("/api/records/copies", COPYING),
    order("/api/records/copies", COPY, ASKED),
    page("/api/records/copies/{copy_id}", COPY),
    order("/api/records/copies/{copy_id}/issue", CERTIFYING, {"signer": "@leader"}, step_up=True),
    order("/api/records/copies/{copy_id}/decline", CERTIFYING, {"reason": REASON}, step_up=True),
    order("/api/records/copies/{copy_id}/revoke", CERTIFYING, {"reason": REASON}, step_up=True),
    page("/api/records/copies/{copy_id}/document.pdf", COPY),
    page("/ui/records/copies", COPYING),
    page("/ui/records/copies/register.xlsx", COPYING),
    page("/ui/records/copies/new", COPYING),
    act("/ui/records/copies/new", COPY, [("transcript", "@signed_transcript")]),
    page("/ui/records/copies/{copy_id}", COPY),
    act("/ui/records/copies/{copy_id}/issue", CERTIFYING, [("signer", "@leader")], step_up=True),
    page("/ui/records/copies/{copy_id}/decline", COPY),
    page("/ui/records/copies/{copy_id}/revoke", COPY),
    act("/ui/records/copies/{copy_id}/decline", CERTIFYING, [("reason", REASON)], step_up=True),
    act("/ui/records/copies/{copy_id}/revoke", CERTIFYING, [("reason", REASON)], step_up=True),
    page("/api/records/cancellations", RETURNED),
    order("/api/records/cancellations", CANCELLING, {"transcripts": ["@signed_transcript"], "reason": REASON}, step_up=True),
    order("/api/records/cancellations/refusals", RETURNED, {"transcripts": ["@signed_transcript"], "reason": REASON}),
    order("/api/records/cancellations/returns", RETURNED, {"transcripts": ["@signed_transcript"], "reason": REASON}),
    page("/ui/records/cancellation", RETURNED),
    act(
        "/ui/records/cancellation",
        CANCELLING,
        [("ids", "@signed_transcript"), ("act", "cancel"), ("reason", REASON), ("sure", "1")],
        step_up=True,
    ),
    page("/api/records/learners/{code}", SEEING, values={"code": "@pupil"}),
    page("/ui/records/learners", STAFF),
    page("/ui/records/learners/{code}", SEEING, values={"code": "@pupil"}),
    page("/api/records/transfers", TRANSFERS),
    order("/api/records/transfers", TRANSFERRING, LEAVING, step_up=True),
    order("/api/records/transfers/{transfer_id}/undo", TRANSFERRING, step_up=True),
    page("/api/records/transfers/{transfer_id}/package.zip", OF_TRANSFER),
    page("/ui/records/transfers", TRANSFERS),
    page("/ui/records/transfers/new", TRANSFERS),
    act("/ui/records/transfers", TRANSFERRING, [("pupil", "@pupil"), ("reason", REASON)], step_up=True),
    act("/ui/records/transfers/{transfer_id}/undo", TRANSFERRING, step_up=True),
    page("/api/records/arrivals", TRANSFERS),
    Row("POST", "/api/records/arrivals", TRANSFERS, file=("file", "picture")),
    page("/api/records/arrivals/{arrival_id}", OF_TRANSFER),
    order("/api/records/arrivals/{arrival_id}/take", TRANSFERRING, {"class_code": ""}, step_up=True),
    page("/api/records/received/{received_id}/document.{kind}", SEEING, values={"kind": "pdf"}),
    page("/ui/records/transfers/arrivals", TRANSFERS),
    Row("POST", "/ui/records/transfers/arrivals", TRANSFERS, file=("file", "picture")),
    page("/ui/records/transfers/arrivals/{arrival_id}", OF_TRANSFER),
    act("/ui/records/transfers/arrivals/{arrival_id}/take", TRANSFERRING, [("class_code", "")], step_up=True),
    page("/api/records/archives", ARCHIVING),
    order("/api/records/archives", ARCHIVING, {"year": "@year"}),
    page("/api/records/archives/{export_id}", ARCHIVE),
    page("/api/records/archives/{export_id}/package.zip", ARCHIVE),
    page("/ui/records/archives", ARCHIVING),
    act("/ui/records/archives", ARCHIVING, [("year", "@year")]),
)
