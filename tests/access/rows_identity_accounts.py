"""identity: signing in, the own account, second factors, signing programs, recovery, sign-in elsewhere, descriptions."""

from __future__ import annotations

from contracts.access import Action
from services.identity.errors import WRONG_SIGN_IN
from services.identity.openid.errors import SIGN_IN_NOBODY
from tests.access.needs import OWN_BRANCH, OWN_SCHOOL, PROGRAM, halfway, open_to_all, own_account, right
from tests.access.rows import Row, act, order, page

OWN = own_account()
SIGNING_IN = open_to_all("signing in")
FORGOTTEN = open_to_all("asking for a new password; the answer tells nothing")
BY_LINK = open_to_all("the secret of the one-time link says who may")
DESCRIPTION = open_to_all("a description without data")
HALFWAY = halfway("what is left of signing in, and leaving")
DESK = right(Action.GRANT_ACCOUNTS, OWN_SCHOOL) | right(Action.MANAGE_ORGANISATIONS, OWN_BRANCH)
"""Whoever helps others with their accounts; for whom is decided for each person."""
NEW_PASSWORD = "sáu con trâu vàng"
CREDENTIALS = {"version": "TH", "username": "@person", "password": "@password"}
FORM = [("version", "TH"), ("username", "@person"), ("password", "@password")]
THEIRS = "whoever knows the password is taken for its person"
A_CODE = {"code": "000000"}

SESSIONS = (
    order("/api/identity/sessions", SIGNING_IN, CREDENTIALS, shows=THEIRS, touches=THEIRS),
    Row("DELETE", "/api/identity/sessions/current", HALFWAY),
    page("/api/identity/sessions", OWN),
    order("/api/identity/sessions/end-others", OWN),
    Row("DELETE", "/api/identity/sessions/{session}", OWN),
    order("/api/identity/password", HALFWAY, {"old": "wrong", "new": NEW_PASSWORD}),
    page("/api/identity/me", HALFWAY),
    page("/internal/session", open_to_all("the gateway's question; it answers nothing for nobody, and the gateway does not pass it on")),
    page("/ui/identity/", OWN),
    page("/ui/identity/sign-in", SIGNING_IN, leads=True),
    act("/ui/identity/sign-in", SIGNING_IN, FORM, leads=True, touches=THEIRS),
    act("/ui/identity/sign-out", open_to_all("leaving works with an ended session, too"), leads=True),
    page("/ui/identity/password", HALFWAY),
    act("/ui/identity/password", HALFWAY, [("current", "wrong"), ("new", NEW_PASSWORD), ("repeat", NEW_PASSWORD)]),
    page("/ui/identity/devices", OWN),
    act("/ui/identity/devices/end", OWN, [("session", "@session")]),
    act("/ui/identity/devices/end-others", OWN),
)

FACTORS = (
    order("/api/identity/sessions/current/second-factor", HALFWAY, A_CODE),
    order("/api/identity/confirmation", OWN, {"password": "wrong"}, meant=(WRONG_SIGN_IN.code,)),
    order("/api/identity/factors/challenge", HALFWAY),
    page("/api/identity/factors", OWN),
    order("/api/identity/factors/totp", OWN, step_up=True),
    order("/api/identity/factors/totp/confirm", OWN, A_CODE),
    order("/api/identity/factors/passkeys/options", OWN, step_up=True),
    order("/api/identity/factors/passkeys", OWN, {"credential": {}}),
    order("/api/identity/factors/spare-codes", OWN, step_up=True),
    Row("DELETE", "/api/identity/factors/{factor}", OWN, step_up=True),
    page("/ui/identity/second-factor", OWN),
    act("/ui/identity/second-factor", HALFWAY, [("code", "000000")]),
    page("/ui/identity/factors", OWN),
    act("/ui/identity/factors/totp/begin", OWN, step_up=True),
    page("/ui/identity/factors/totp", OWN),
    act("/ui/identity/factors/totp", OWN, [("code", "000000")]),
    act("/ui/identity/factors/passkeys", OWN, [("passkey", "{}")]),
    act("/ui/identity/factors/remove", OWN, [("factor", "@factor")], step_up=True),
    act("/ui/identity/factors/spare-codes", OWN, step_up=True),
    act("/ui/identity/confirm", OWN, [("password", "wrong"), ("target", "/ui/publishing/submissions")]),
)

PROGRAMS = (
    page("/api/identity/agents", OWN),
    order("/api/identity/agents/pairing-codes", OWN),
    order(
        "/api/identity/sessions/agents",
        open_to_all("pairing: a one-time code proves it"),
        {"code": "AAAA-BBBB", "host": "may", "version": "1.0"},
    ),
    page("/api/identity/agents/keys", open_to_all("public keys")),
    page("/api/identity/agents/me", PROGRAM),
    page("/api/identity/agents/jobs", PROGRAM),
    order("/api/identity/agents/jobs/{job}", PROGRAM, {"failure": {"code": "no_token"}}),
    page("/ui/identity/agents", OWN),
    act("/ui/identity/agents/pairing-codes", OWN),
    act("/ui/identity/agents/end", OWN, [("session", "@session")]),
)

RECOVERY = (
    page("/api/identity/recoveries", DESK),
    order("/api/identity/recoveries/links", DESK, {"persons": ["@person"]}),
    order("/api/identity/recoveries/refuse", DESK, {"persons": ["@person"], "reason": "Không đúng người"}),
    page("/ui/identity/sign-in/forgotten", FORGOTTEN),
    act("/ui/identity/sign-in/forgotten", FORGOTTEN, [("version", "TH"), ("username", "@person")], touches="anybody may ask for a name"),
    page("/ui/identity/sign-in/forgotten/sent", FORGOTTEN),
    page("/ui/identity/sign-in/reset", BY_LINK, query={"t": "@reset_secret"}),
    act(
        "/ui/identity/sign-in/reset",
        BY_LINK,
        [("t", "@reset_secret"), ("new", NEW_PASSWORD), ("repeat", NEW_PASSWORD)],
        touches="whoever holds the link chooses the password of its person",
    ),
    page("/ui/identity/sign-in/reset/done", BY_LINK),
    page("/ui/identity/recovery", DESK),
    act("/ui/identity/recovery/links", DESK, [("ids", "@person")]),
    # without a reason: the page that asks for one names whom it is about
    act("/ui/identity/recovery/refuse", DESK, [("ids", "@person")]),
    page("/ui/identity/recovery/own", OWN),
    act("/ui/identity/recovery/own", OWN),
)

ELSEWHERE = (
    page("/api/identity/sign-in-links", DESK),
    order("/api/identity/sign-in-links/decisions", DESK, {"links": ["@link"], "approved": True}),
    page("/ui/identity/sign-in/oidc/{provider_id}", SIGNING_IN),
    page("/ui/identity/sign-in/oidc/{provider_id}/begin", SIGNING_IN, query={"version": "TH"}),
    page("/ui/identity/sign-in/oidc/{provider_id}/callback", SIGNING_IN, query={"code": "x"}, meant=(SIGN_IN_NOBODY.code,)),
    page("/ui/identity/sign-in-links", OWN),
    act("/ui/identity/sign-in-links", DESK, [("ids", "@link"), ("decision", "refuse")]),
    act("/ui/identity/sign-in-links/remove", OWN, [("link", "@link")]),
)

DESCRIBED = (
    page("/api/identity/openapi.json", DESCRIPTION),
    page("/static/{name}", open_to_all("style, script and icon"), values={"name": "@stylesheet"}),
    page("/openapi", DESCRIPTION),
    page("/openapi/", DESCRIPTION),
    page("/openapi/{name}", DESCRIPTION, values={"name": "start.js"}),
)

ROWS: tuple[Row, ...] = (*SESSIONS, *FACTORS, *PROGRAMS, *RECOVERY, *ELSEWHERE, *DESCRIBED)
