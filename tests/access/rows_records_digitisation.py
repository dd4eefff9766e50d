"""records: paper transcripts that are digitised. The one that stands in the world is the clerk's to review and the manager's to sign."""

from __future__ import annotations

from contracts.access import Action
from tests.access.needs import OWN_PART, OWN_SCHOOL, SCHOOL_A, only, right
from tests.access.rows import Row, act, order, page

OPENED = {"pupil": "@pupil_of_2a", "year": "2024-2025", "grade": "1", "class_name": "1C", "reviewer": "@clerk", "leader": "@leader"}
ONE = {"year": "2024-2025", "pupil": "@pupil_of_2a"}
PLANNED = {"year": "2023-2024", "reviewer": "@clerk", "leader": "@leader"}
CHECKED = {"part": "profile", "digest": "0", "verdict": "reviewed", "ticked": True}
LISTED = right(Action.VIEW_DIGITISATION, OWN_PART)
SEEN = right(Action.VIEW_DIGITISATION, SCHOOL_A)
PLANNING = right(Action.PLAN_DIGITISATION, OWN_SCHOOL)
ENTERING = right(Action.DIGITISE, SCHOOL_A)
REVIEWING = only("clerk_a", reason="whom the part was assigned to")
CREATING = right(Action.CREATE, OWN_SCHOOL)
NOT_OPEN = ("HB-REC-175",)
"""Another school has no such paper."""

API, UI = "/api/records/digitisation", "/ui/records/digitisation"
HERE = "/{year}/{pupil}"

ROWS: tuple[Row, ...] = (
    page(API, LISTED),
    order(f"{API}/years", PLANNING, PLANNED),
    order(f"{API}/pupils", PLANNING, OPENED),
    page(f"{API}{HERE}", SEEN, values=ONE, hidden=NOT_OPEN),
    order(f"{API}{HERE}/data", ENTERING, {"values": {}}, values=ONE, hidden=NOT_OPEN),
    Row("POST", f"{API}{HERE}/scan", ENTERING, values=ONE, file=("files", "picture"), hidden=NOT_OPEN),
    page(f"{API}{HERE}/scan.pdf", SEEN, values=ONE, hidden=NOT_OPEN),
    order(f"{API}{HERE}/checks", REVIEWING, CHECKED, values=ONE, hidden=NOT_OPEN),
    order(f"{API}/{{year}}/transcripts", CREATING, {"pupils": ["@pupil_of_2a"]}, values={"year": "2024-2025"}),
    page(UI, LISTED),
    act(UI, CREATING, [("ids", "@pupil_of_2a")]),
    page(f"{UI}/plan", PLANNING),
    act(f"{UI}/plan", PLANNING, list(PLANNED.items())),
    act(f"{UI}/pupils", PLANNING, list(OPENED.items())),
    page(f"{UI}{HERE}", SEEN, values=ONE, hidden=NOT_OPEN),
    page(f"{UI}{HERE}/data", ENTERING, values=ONE, hidden=NOT_OPEN),
    act(f"{UI}{HERE}/data", ENTERING, [("v:Toán: Điểm KTĐK", "9")], values=ONE, hidden=NOT_OPEN),
    Row("POST", f"{UI}{HERE}/scan", ENTERING, values=ONE, file=("files", "picture"), hidden=NOT_OPEN),
    act(f"{UI}{HERE}/check", REVIEWING, [("part", "profile"), ("digest", "0"), ("ticked", "1")], values=ONE, hidden=NOT_OPEN),
)
