"""identity: units, schools, school years, people, the audit trail, the school's activity, problem reports, notices."""

from __future__ import annotations

from contracts.access import Action
from services.identity.errors import UNKNOWN_PERSON, UNKNOWN_PROBLEM
from tests.access.needs import BRANCH_OF_A, OWN_BRANCH, OWN_SCHOOL, SCHOOL_A, only, own_account, right, signed_in
from tests.access.rows import Row, act, order, page

OWN = own_account()
OFFICERS = right(Action.MANAGE_ORGANISATIONS, OWN_BRANCH)
OVER_A = right(Action.MANAGE_ORGANISATIONS, BRANCH_OF_A)
HISTORY = right(Action.VIEW_SCHOOL, SCHOOL_A) | right(Action.VIEW_BRANCH, BRANCH_OF_A)
YEARS = right(Action.MANAGE_SCHOOL_YEARS, SCHOOL_A) | right(Action.MANAGE_SCHOOL_YEARS, BRANCH_OF_A)
GRANTING = right(Action.GRANT_ACCOUNTS, OWN_SCHOOL)
GRANTING_A = right(Action.GRANT_ACCOUNTS, SCHOOL_A)
SEEING = right(Action.VIEW_ACCOUNTS, OWN_SCHOOL)
SEEING_A = right(Action.VIEW_ACCOUNTS, SCHOOL_A)
WATCHING = right(Action.VIEW_AUDIT, OWN_SCHOOL)
TRAIL = WATCHING | right(Action.VIEW_AUDIT, OWN_BRANCH)
TRAIL_OF_A = right(Action.VIEW_AUDIT, SCHOOL_A) | right(Action.VIEW_AUDIT, BRANCH_OF_A)
ANSWERING = right(Action.ANSWER_PROBLEMS, SCHOOL_A)
REPORTER = only("homeroom_1a", reason="whoever reported it")
NOBODY_OF_OURS = (UNKNOWN_PERSON.code,)
NO_REPORT_OF_OURS = (UNKNOWN_PROBLEM.code,)
NEXT = {"year": "2026-2027"}
OPENED = {"year": "@year"}
TREE = "/ui/identity/organisations"
RENAMED = {"kind": "rename_school", "code": "@school", "day": "@later", "name": "Trường Tiểu học An Hồng 3"}
RENAMING = list(RENAMED.items())
SOMEBODY = [("code", "moi-1"), ("name", "Người Mới"), ("position", "Giáo viên"), ("personal_id", "")]
CORRECTED = [("code", "@by_hand"), ("name", "Tên Khác"), ("position", "Giáo viên"), ("personal_id", "")]
NEW_SCHOOL = {
    "code": "31300009",
    "name": "Trường mới",
    "levels": ["TH"],
    "tax_code": "0231300009",
    "unit": "@unit",
    "administrator": {"code": "31300009001", "name": "Người Mới"},
}
NEW_SCHOOL_FORM = [
    ("code", "31300009"),
    ("name", "Trường mới"),
    ("unit", "@unit"),
    ("levels", "TH"),
    ("tax_code", "0231300009"),
    ("valid_from", "@today"),
    ("person_code", "31300009001"),
    ("person_name", "Người Mới"),
]
DATES = {"starts_on": "2025-09-05", "ends_on": "2026-05-31"}
PERIOD = {"from": "2026-01-01", "to": "2026-01-31", "place": "@school"}
PERIOD_FORM = [("first", "2026-01-01"), ("last", "2026-01-31"), ("place", "@school")]

PLACES = (
    order("/api/identity/units", OVER_A, {"code": "03109", "name": "Phường mới", "parent": "@unit"}),
    order("/api/identity/schools", OVER_A, NEW_SCHOOL),
    page("/api/identity/schools", signed_in("the own school; for officers those of the branch")),
    order("/api/identity/schools/{school}/credentials", GRANTING_A, {"persons": ["@person"]}),
    order("/api/identity/issuers", GRANTING, {"persons": ["@person"]}),
    order("/api/identity/organisations/changes", OVER_A, RENAMED),
    order("/api/identity/organisations/changes/preview", OVER_A, RENAMED),
    page("/api/identity/organisations/changes", OFFICERS),
    order("/api/identity/organisations/changes/{change}/undo", OVER_A),
    page("/api/identity/units/{unit}/history", right(Action.VIEW_BRANCH, BRANCH_OF_A)),
    page("/api/identity/schools/{school}/history", HISTORY),
    page("/api/identity/schools/{school}/responsible", HISTORY, query={"day": "2026-01-01"}),
    order("/api/identity/schools/{school}/administrators", OVER_A, {"code": "@colleague", "name": "Giáo viên"}),
    order("/api/identity/schools/{school}/administrators/{person}/take", OVER_A, {"reason": "Nghỉ"}, values={"person": "@administrator"}),
    page("/api/identity/schools/{school}/years", HISTORY),
    order("/api/identity/schools/{school}/years", YEARS, NEXT),
    Row("PUT", "/api/identity/schools/{school}/years/{year}/dates", YEARS, json=DATES),
    page(TREE, OFFICERS),
    page(f"{TREE}/units/new", OFFICERS, query={"parent": "@unit"}),
    act(f"{TREE}/units", OVER_A, [("code", "03109"), ("name", "Phường mới"), ("parent", "@unit"), ("valid_from", "@today")]),
    page(f"{TREE}/units/{{code}}", right(Action.VIEW_BRANCH, BRANCH_OF_A), values={"code": "@unit"}),
    page(f"{TREE}/schools/new", OFFICERS, query={"unit": "@unit"}),
    act(f"{TREE}/schools", OVER_A, NEW_SCHOOL_FORM),
    page(f"{TREE}/schools/{{code}}", OVER_A),
    page(f"{TREE}/schools/{{code}}/edit", OVER_A),
    act(f"{TREE}/schools/{{code}}/edit", OVER_A, [("levels", "TH"), ("tax_code", "0231300001")]),
    page(f"{TREE}/schools/{{code}}/administrators", OVER_A),
    act(f"{TREE}/schools/{{code}}/administrators", OVER_A, [("person_code", "@colleague"), ("person_name", "Giáo viên")]),
    page(f"{TREE}/schools/{{code}}/administrators/{{person}}", OVER_A, values={"person": "@administrator"}),
    act(f"{TREE}/schools/{{code}}/administrators/{{person}}", OVER_A, [("reason", "Nghỉ")], values={"person": "@administrator"}),
    page(f"{TREE}/change", OVER_A, query={"kind": "rename_school", "code": "@school"}),
    act(f"{TREE}/change/preview", OVER_A, RENAMING),
    act(f"{TREE}/change", OVER_A, RENAMING),
    page(f"{TREE}/changes", OFFICERS),
    act(f"{TREE}/changes/{{change}}/undo", OVER_A),
    page("/ui/identity/own-school", right(Action.VIEW_SCHOOL, OWN_SCHOOL)),
    page("/ui/identity/school-years/{school}/{year}/open", YEARS, values=NEXT),
    act("/ui/identity/school-years/{school}/{year}/open", YEARS, values=NEXT),
    page("/ui/identity/school-years/{school}/{year}/dates", YEARS),
    act("/ui/identity/school-years/{school}/{year}/dates", YEARS, list(DATES.items())),
)

PEOPLE = (
    page("/api/identity/people", SEEING),
    page("/api/identity/people/one", SEEING_A, query={"code": "@person"}, hidden=NOBODY_OF_OURS),
    order("/api/identity/people", GRANTING, dict(SOMEBODY)),
    order("/api/identity/people/correct", GRANTING_A, dict(CORRECTED), hidden=NOBODY_OF_OURS),
    order("/api/identity/people/leave", GRANTING_A, {"code": "@person", "on": "2026-01-01", "reason": "Nghỉ"}, hidden=NOBODY_OF_OURS),
    order("/api/identity/people/return", GRANTING_A, {"code": "@left"}, hidden=NOBODY_OF_OURS),
    order("/api/identity/people/unlock", GRANTING, {"persons": ["@person"]}),
    order("/api/identity/people/sign-out", GRANTING, {"persons": ["@person"]}),
    page("/ui/identity/accounts", SEEING),
    # slips with passwords name whom they were refused for
    act("/ui/identity/accounts", GRANTING, [("ids", "@person"), ("act", "passwords")]),
    page("/ui/identity/accounts/person", SEEING_A, query={"code": "@person"}, hidden=NOBODY_OF_OURS),
    page("/ui/identity/accounts/new", GRANTING),
    act("/ui/identity/accounts/new", GRANTING, SOMEBODY),
    act("/ui/identity/accounts/correct", GRANTING_A, CORRECTED, hidden=NOBODY_OF_OURS),
    act("/ui/identity/accounts/leave", GRANTING_A, [("code", "@person"), ("on", "2026-01-01"), ("reason", "Nghỉ")], hidden=NOBODY_OF_OURS),
    act("/ui/identity/accounts/return", GRANTING_A, [("code", "@left")], hidden=NOBODY_OF_OURS),
)

TOLD = (
    page("/api/identity/notices", OWN),
    order("/api/identity/notices/read", OWN, {}),
    page("/ui/identity/notices", OWN),
    act("/ui/identity/notices", OWN),
    page("/api/identity/audit", TRAIL),
    order("/api/identity/audit/exports", TRAIL_OF_A, PERIOD),
    page("/api/identity/activity", WATCHING),
    order("/api/identity/activity/seen", WATCHING, {"ids": ["none"]}),
    page("/ui/identity/activity", WATCHING),
    act("/ui/identity/activity/seen", WATCHING, [("ids", "none")]),
    page("/ui/identity/audit", TRAIL),
    page("/ui/identity/my-activity", OWN),
    act("/ui/identity/audit/export", TRAIL_OF_A, PERIOD_FORM),
    order("/api/identity/problems", signed_in("anybody may report a problem"), {"what": "Không mở được trang"}),
    page("/api/identity/problems", signed_in("the own reports, and those that one answers")),
    order("/api/identity/problems/{problem}/answer", ANSWERING, {"state": "WORKING"}, hidden=NO_REPORT_OF_OURS),
    page("/ui/identity/problems", signed_in("the own reports, and those that one answers")),
    page("/ui/identity/problems/new", signed_in("anybody may report a problem")),
    act("/ui/identity/problems/new", signed_in("anybody may report a problem"), [("what", "Không mở được trang")]),
    page("/ui/identity/problems/{problem}", ANSWERING | REPORTER, hidden=NO_REPORT_OF_OURS),
    act("/ui/identity/problems/{problem}", ANSWERING, [("state", "WORKING")], hidden=NO_REPORT_OF_OURS),
)

ROWS: tuple[Row, ...] = (*PLACES, *PEOPLE, *TOLD)
