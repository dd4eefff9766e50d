"""records: class summaries, of class 1A of school A. Acts on them that have the addresses of transcripts stand with those."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import CLASS_1A, OWN_SCHOOL, only, right, staff_of_a_school
from tests.access.rows import Row, act, order, page

SEEING = right(Action.VIEW_CLASS, CLASS_1A)
STAFF = staff_of_a_school("the list holds only what this person may see of the own school")
# both schools have a class 1A: everybody is asked about the own school's
CREATING = right(Action.CREATE, OWN_SCHOOL) | only("homeroom_1a", "homeroom_b", reason="homeroom teacher of the class")
EXPORTING = right(Action.EXPORT, CLASS_1A)

ROWS: tuple[Row, ...] = (
    page("/api/records/summaries", STAFF),
    order("/api/records/summaries", CREATING, {"classes": ["@class"]}),
    page("/api/records/summaries/preview.pdf", CREATING, query={"class": "@class"}),
    page("/api/records/summaries/{summary_id}", SEEING),
    page("/api/records/summaries/{summary_id}/document.{kind}", SEEING, values={"kind": "pdf"}),
    page("/api/records/summaries/{summary_id}/evidence.ers", SEEING),
    page("/api/records/summaries/{summary_id}/export.zip", EXPORTING),
    page("/ui/records/summaries", STAFF),
    act("/ui/records/summaries", CREATING, [("ids", "@class"), ("sure", "1")]),
    page("/ui/records/summaries/{summary_id}", SEEING),
    page("/ui/records/summary-confirmation", right(Action.CONFIRM, OWN_SCHOOL)),
    act("/ui/records/summary-confirmation", right(Action.CONFIRM, OWN_SCHOOL), [("ids", "@summary_id"), ("act", "confirm"), ("sure", "1")]),
    page("/ui/records/summary-lookup", STAFF),
    act("/ui/records/summary-lookup/export", EXPORTING, [("ids", "@summary_id")]),
    page("/ui/records/summary-cancellation", right(Action.DECIDE_RETURNS, OWN_SCHOOL)),
    act(
        "/ui/records/summary-cancellation",
        right(Action.CANCEL, OWN_SCHOOL),
        [("ids", "@summary_id"), ("act", "cancel"), ("tab", "signed"), ("sure", "1"), ("reason", "Mức đạt được môn Toán chưa đúng")],
        step_up=True,
    ),
)
