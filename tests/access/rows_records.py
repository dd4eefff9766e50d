"""records: import, classes, transcripts, confirmation. A class is for those who see the whole school, and for those assigned to it."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import CLASS_1A, OWN_CLASS, OWN_SCHOOL, SCHOOL_A, only, open_to_all, right, staff_of_a_school
from tests.access.rows import Row, act, order, page

IMPORTING = right(Action.IMPORT, OWN_SCHOOL)
SEEING = right(Action.VIEW_CLASS, CLASS_1A)
STAFF = staff_of_a_school("the list holds only what this person may see of the own school")
CREATING = right(Action.CREATE, OWN_CLASS)
JOB = right(Action.VIEW_SCHOOL, SCHOOL_A) | only("homeroom_1a", reason="whoever ordered it")
PUPIL = {"pupils": ["@pupil"]}
BY_STAFF = staff_of_a_school("what is ticked is found among what this person may create for")
NOT_1A = "HB-REC-009"

ROWS: tuple[Row, ...] = (
    page("/api/records/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    Row("POST", "/api/records/imports", IMPORTING, file=("files", "workbook"), shows="what the file says that was sent along"),
    page("/api/records/imports/{import_id}", right(Action.IMPORT, SCHOOL_A)),
    order("/api/records/imports/{import_id}/confirm", right(Action.IMPORT, SCHOOL_A)),
    page("/api/records/classes", STAFF),
    # both schools have a class 1A: everybody is asked about the own school's
    page(
        "/api/records/classes/{code}/pupils",
        right(Action.VIEW_CLASS, OWN_SCHOOL) | only("homeroom_1a", "subject_1a", "homeroom_b", reason="assigned to the class"),
        values={"code": "@class"},
    ),
    order(
        "/api/records/transcripts",
        right(Action.CREATE, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="homeroom teacher of the class"),
        {"classes": ["@class"]},
    ),
    page("/api/records/jobs/{job_id}", JOB),
    page("/api/records/transcripts", STAFF),
    page("/api/records/transcripts/{transcript_id}", SEEING),
    page("/api/records/transcripts/{transcript_id}/document.{kind}", SEEING, values={"kind": "pdf"}),
    page("/api/records/transcripts/{transcript_id}/evidence.ers", SEEING),
    order("/api/records/confirmations", right(Action.CONFIRM, OWN_SCHOOL), {"transcripts": ["@signed_transcript"]}),
    order("/api/records/confirmations/undo", right(Action.CONFIRM, OWN_SCHOOL), {"transcripts": ["@signed_transcript"]}),
    page("/ui/records/imports", IMPORTING),
    Row("POST", "/ui/records/imports", IMPORTING, file=("files", "workbook")),
    page("/ui/records/imports/{import_id}", right(Action.IMPORT, SCHOOL_A)),
    act("/ui/records/imports/{import_id}/confirm", right(Action.IMPORT, SCHOOL_A)),
    page("/ui/records/confirmation", right(Action.CONFIRM, OWN_SCHOOL)),
    act("/ui/records/confirmation", right(Action.CONFIRM, OWN_SCHOOL), [("ids", "@class"), ("act", "confirm"), ("sure", "1")]),
    page("/ui/records/classes", STAFF),
    # of 1A everybody at A has a transcript already, so classes of both schools are ticked in which nobody has one
    act("/ui/records/classes", right(Action.CREATE, OWN_SCHOOL), [("ids", "2A"), ("sure", "1")]),
    page(
        "/ui/records/classes/{code}",
        right(Action.VIEW_CLASS, OWN_SCHOOL) | only("homeroom_1a", "subject_1a", "homeroom_b", reason="assigned to the class"),
        values={"code": "@class"},
    ),
    act(
        "/ui/records/classes/{code}",
        right(Action.CREATE, OWN_SCHOOL),
        [("ids", "@pupil_of_2a"), ("ids", "@pupil_of_2a_b"), ("sure", "1")],
        values={"code": "2A"},
    ),
    page(
        "/ui/records/classes/{code}/missing.xlsx",
        right(Action.VIEW_CLASS, OWN_SCHOOL) | only("homeroom_1a", "subject_1a", "homeroom_b", reason="assigned to the class"),
        values={"code": "@class"},
    ),
    page("/ui/records/transcripts/{transcript_id}", SEEING),
)
