"""records: a school year before and around its transcripts: import, review, finalising, printing, locks and corrections."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import CLASS_1A, OWN_CLASS, OWN_PART, OWN_SCHOOL, SCHOOL_A, only, right, staff_of_a_school
from tests.access.rows import Row, act, order, page

IMPORT_OF_A = right(Action.IMPORT, SCHOOL_A)
IMPORTING = right(Action.IMPORT, OWN_SCHOOL)
STAFF = staff_of_a_school("the list holds only what this person may see of the own school")
RULES = right(Action.VIEW_CLASS, OWN_PART)
IN_1A = right(Action.VIEW_CLASS, OWN_SCHOOL) | only("homeroom_1a", "subject_1a", "homeroom_b", reason="assigned to the class")
FINALISING = right(Action.FINALISE, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="homeroom teacher of the class")
REOPENING = right(Action.REOPEN_CLASS, OWN_SCHOOL)
PRINTING = right(Action.CONFIGURE_PRINTING, OWN_SCHOOL)
PLANNING = right(Action.PLAN_LOCK, OWN_SCHOOL)
LOCKING = right(Action.LOCK_YEAR, OWN_SCHOOL)
FOLLOWING = right(Action.FOLLOW_SIGNING, OWN_SCHOOL) | only("homeroom_1a", "homeroom_1b", "homeroom_b", reason="of the own class")
FOLLOWING_1A = right(Action.FOLLOW_SIGNING, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="of the own class")
LOCK_SEEN = right(Action.VIEW_CORRECTION, OWN_PART)
ASKING = right(Action.ASK_CORRECTION, OWN_CLASS)

ASKING_IN_1A = right(Action.ASK_CORRECTION, CLASS_1A)
SEEN = right(Action.VIEW_CORRECTION, SCHOOL_A) | only("homeroom_1a", "subject_1a", reason="who asked for it, and who is to witness it")
ASKER = only("homeroom_1a", reason="who asked for it")
REASON = "Nhập nhầm điểm, có minh chứng kèm theo"

ROWS: tuple[Row, ...] = (
    page("/api/records/imports/{import_id}/rows", IMPORT_OF_A),
    order("/api/records/imports/{import_id}/review", IMPORT_OF_A),
    page("/ui/records/imports/{import_id}/rows", IMPORT_OF_A),
    page("/ui/records/imports/{import_id}/report.xlsx", IMPORT_OF_A),
    act("/ui/records/imports/{import_id}/review", IMPORT_OF_A),
    order("/api/records/pulls", IMPORTING, {"year": "@year"}),
    page("/api/records/pulls/{pull_id}", IMPORT_OF_A),
    order("/api/records/pulls/{pull_id}/resume", IMPORT_OF_A),
    act("/ui/records/pulls", IMPORTING, [("year", "@year")]),
    page("/ui/records/pulls/{pull_id}", IMPORT_OF_A),
    act("/ui/records/pulls/{pull_id}/resume", IMPORT_OF_A),
    page("/api/records/review", STAFF),
    page("/api/records/review/{part}", STAFF, values={"part": "pupils"}),
    page("/ui/records/review", STAFF),
    page("/ui/records/review/{part}", STAFF, values={"part": "pupils"}),
    page("/ui/records/review/{part}/list.xlsx", STAFF, values={"part": "pupils"}),
    page("/api/records/rules", RULES),
    page("/ui/records/rules", RULES),
    page("/api/records/finalisation", STAFF),
    page("/api/records/finalisation/{code}", IN_1A, values={"code": "@class"}),
    order("/api/records/finalisation", FINALISING, {"classes": ["@class"]}),
    order("/api/records/finalisation/undo", REOPENING, {"classes": ["@class"], "reason": REASON}, step_up=True),
    page("/ui/records/finalisation", STAFF),
    page("/ui/records/finalisation/{code}", IN_1A, values={"code": "@class"}),
    act("/ui/records/finalisation", FINALISING, [("ids", "@class"), ("act", "finalise"), ("sure", "1")]),
    page("/api/records/printing", PRINTING),
    Row("PUT", "/api/records/printing", PRINTING, json={"place": "An Hải"}),
    Row("PUT", "/api/records/printing/classes", PRINTING, json={"classes": ["@class"], "place": "An Hải"}),
    order("/api/records/printing/classes/clear", PRINTING, {"classes": ["@class"]}),
    page("/ui/records/printing", PRINTING),
    act("/ui/records/printing", PRINTING, [("act", "school"), ("place", "An Hải")]),
    page("/api/records/locks", LOCK_SEEN),
    order("/api/records/locks/plan", PLANNING, {"day": ""}),
    order("/api/records/locks/inspector", LOCKING, {"person": "@person"}, step_up=True),
    order("/api/records/locks/lock", LOCKING, {"reason": REASON}, step_up=True),
    order("/api/records/locks/unlock", LOCKING, {"reason": REASON}, step_up=True),
    page("/ui/records/locks", LOCK_SEEN),
    act("/ui/records/locks/plan", PLANNING, [("day", "")]),
    act("/ui/records/locks/inspector", LOCKING, [("person", "@person")], step_up=True),
    act("/ui/records/locks/lock", LOCKING, [("reason", REASON)], step_up=True),
    act("/ui/records/locks/unlock", LOCKING, [("reason", REASON)], step_up=True),
    page("/api/records/progress", FOLLOWING),
    page("/api/records/progress/{code}", FOLLOWING_1A, values={"code": "@class"}),
    page("/ui/records/progress", FOLLOWING),
    page("/ui/records/progress.xlsx", FOLLOWING),
    page("/ui/records/progress/{code}", FOLLOWING_1A, values={"code": "@class"}),
    page("/ui/records/progress/{code}/list.xlsx", FOLLOWING_1A, values={"code": "@class"}),
    page("/api/records/corrections", LOCK_SEEN),
    page("/api/records/corrections/{correction_id}", SEEN),
    Row(
        "POST",
        "/api/records/corrections",
        ASKING_IN_1A,
        form=[("class", "@class"), ("pupil", "@pupil"), ("field", "@field"), ("value", "Tốt"), ("reason", REASON)],
        file=("files", "picture"),
    ),
    order("/api/records/corrections/{correction_id}/steps/{step}", ASKER, {"reason": REASON}, values={"step": "withdraw"}),
    order("/api/records/corrections/{correction_id}/correct", ASKER, {"value": "Tốt"}),
    page("/api/records/corrections/{correction_id}/evidence/{number}", SEEN, values={"number": "1"}),
    page("/api/records/corrections/{correction_id}/minutes.pdf", SEEN),
    page("/ui/records/corrections", LOCK_SEEN),
    act("/ui/records/corrections", right(Action.GATHER_CORRECTION, OWN_SCHOOL), [("ids", "@correction_id"), ("act", "forward")]),
    page("/ui/records/corrections/new", ASKING),
    act("/ui/records/corrections/new", ASKING_IN_1A, [("class", "@class"), ("pupil", "@pupil")]),
    page("/ui/records/corrections/{correction_id}", SEEN),
    act("/ui/records/corrections/{correction_id}/correct", ASKER, [("value", "Tốt")]),
    act("/ui/records/corrections/{correction_id}/{step}", ASKER, [("reason", REASON)], values={"step": "withdraw"}),
)
