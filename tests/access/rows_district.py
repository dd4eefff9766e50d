"""district: officers, each within the own branch."""

from __future__ import annotations

from contracts.access import Action
from tests.access.actors import CLASS, A
from tests.access.needs import BRANCH_OF_A, OWN_BRANCH, only, open_to_all, right
from tests.access.rows import Row, act, order, page

DECIDING = right(Action.DECIDE_CERTIFICATE, OWN_BRANCH)
OF_A = right(Action.DECIDE_CERTIFICATE, BRANCH_OF_A)
SETTING = right(Action.SET_LOCK_DATES, OWN_BRANCH)
SETTING_A = right(Action.SET_LOCK_DATES, BRANCH_OF_A)
LOOKING = right(Action.VIEW_BRANCH, OWN_BRANCH)
NUMBERS_OF_A = right(Action.VIEW_BRANCH, BRANCH_OF_A)
REFUSAL = {"ids": ["@request_key"], "reason": "Sai người"}
WITHDRAWING = right(Action.DECIDE_WITHDRAWAL, OWN_BRANCH)
WITHDRAWAL_OF_A = right(Action.DECIDE_WITHDRAWAL, BRANCH_OF_A)
ONE = {"request_key": "@withdrawal_request"}
NO = "Thông tin trên học bạ đã đúng"
FOUND = "menu 6.3 finds transcripts of the own branch by the pupil"
HELD_UP = "drilling down to whose transcript is held up, and by whom"
PUPIL = "who decides on a request sees whose transcript it is about"

ROWS: tuple[Row, ...] = (
    page("/api/district/openapi.json", open_to_all("a description without data")),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    page("/api/district/statistics", LOOKING),
    page("/api/district/certificates", DECIDING),
    page("/api/district/certificates/{request_key}", OF_A),
    order("/api/district/certificates/approve", DECIDING, {"ids": ["@request_key"]}, step_up=True),
    order("/api/district/certificates/refuse", DECIDING, REFUSAL, step_up=True),
    page("/ui/district/certificates", DECIDING),
    page("/ui/district/certificates.xlsx", DECIDING),
    page("/ui/district/certificates/outcomes/{key}", only("officer_a", reason="whoever did the bulk act"), values={"key": "@outcome"}),
    page("/ui/district/certificates/{key}", OF_A),
    # without a reason: the page that asks for one names what was ticked
    act("/ui/district/certificates", DECIDING, [("ids", "@request_key"), ("act", "refuse")], step_up=True),
    page("/api/district/withdrawals", WITHDRAWING, shows=PUPIL),
    page("/api/district/withdrawals/{request_key}", WITHDRAWAL_OF_A, values=ONE, shows=PUPIL),
    page("/api/district/withdrawals/{request_key}/request.xml", WITHDRAWAL_OF_A, values=ONE),
    order("/api/district/withdrawals/approve", WITHDRAWING, {"ids": ["@withdrawal_request"]}, step_up=True),
    order("/api/district/withdrawals/refuse", WITHDRAWING, {"ids": ["@withdrawal_request"], "reason": NO}, step_up=True),
    page("/ui/district/withdrawals", WITHDRAWING, shows=PUPIL),
    page("/ui/district/withdrawals/outcomes/{key}", only("officer_a", reason="whoever did the bulk act"), values={"key": "@outcome"}),
    page("/ui/district/withdrawals/{key}", WITHDRAWAL_OF_A, values={"key": "@withdrawal_request"}, shows=PUPIL),
    # without a reason: the page that asks for one names what was ticked
    act("/ui/district/withdrawals", WITHDRAWING, [("ids", "@withdrawal_request"), ("act", "refuse")], step_up=True, shows=PUPIL),
    page("/api/district/lock-dates", SETTING, query={"year": "@year"}),
    page("/api/district/lock-dates/history", SETTING, query={"year": "@year"}),
    order("/api/district/lock-dates", SETTING, {"year": "@year", "matter": "intake", "on": "@today"}, step_up=True),
    page("/ui/district/lock-dates", SETTING),
    page("/ui/district/lock-dates/history", SETTING),
    page("/ui/district/lock-dates/{school}", SETTING_A),
    act("/ui/district/lock-dates", SETTING, [("year", "@year"), ("act", "intake"), ("scope", "common")], step_up=True),
    act("/ui/district/lock-dates/{school}", SETTING_A, [("year", "@year"), ("intake-1", "@today")], step_up=True),
    page("/ui/district/statistics", LOOKING),
    page("/ui/district/statistics.xlsx", LOOKING),
    page("/ui/district/statistics/overtime", LOOKING),
    page("/ui/district/statistics/overtime.xlsx", LOOKING),
    page("/ui/district/statistics/schools/{code}", NUMBERS_OF_A, values={"code": A}),
    page("/ui/district/statistics/schools/{code}/classes.xlsx", NUMBERS_OF_A, values={"code": A}),
    page(
        "/ui/district/statistics/schools/{code}/classes/{class_code}", NUMBERS_OF_A, values={"code": A, "class_code": CLASS}, shows=HELD_UP
    ),
    page("/ui/district/lookup", LOOKING),
    act("/ui/district/lookup", LOOKING, [("name", "Nguyễn")], shows=FOUND),
    act("/ui/district/lookup.xlsx", LOOKING, [("name", "Nguyễn")], shows=FOUND),
    order("/api/district/lookup", LOOKING, {"name": "Nguyễn"}, shows=FOUND),
    page("/ui/district/board", LOOKING),
    page("/ui/district/board/events", LOOKING, query={"seconds": "0"}),
    page("/api/district/board", LOOKING),
    page("/api/district/board/events", LOOKING, query={"seconds": "0"}),
)
