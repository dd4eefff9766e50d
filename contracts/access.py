"""Who may do what: rights = role × scope × state, in one place, deny by default.

The scope that is checked here is the organisation; a class, subject or single document is narrowed further
by the service that knows the assignment, with `own` = True telling that the actor is assigned to it.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    MANAGER = "manager"
    HOMEROOM_TEACHER = "homeroom_teacher"
    SUBJECT_TEACHER = "subject_teacher"
    ISSUER = "issuer"
    CLERK = "clerk"
    OFFICER = "officer"


class Action(StrEnum):
    IMPORT = "import"
    VIEW_SCHOOL = "view_school"
    VIEW_CLASS = "view_class"
    CREATE = "create"
    FINALISE = "finalise"
    REOPEN_CLASS = "reopen_class"
    CONFIGURE_PRINTING = "configure_printing"
    EXPORT = "export"
    FOLLOW_SIGNING = "follow_signing"
    CONFIRM = "confirm"
    DECIDE_RETURNS = "decide_returns"
    CANCEL = "cancel"
    PLAN_LOCK = "plan_lock"
    LOCK_YEAR = "lock_year"
    VIEW_CORRECTION = "view_correction"
    ASK_CORRECTION = "ask_correction"
    GATHER_CORRECTION = "gather_correction"
    DECIDE_CORRECTION = "decide_correction"
    WITNESS_CORRECTION = "witness_correction"
    SUBMIT = "submit"
    DRAFT_WITHDRAWAL = "draft_withdrawal"
    REQUEST_WITHDRAWAL = "request_withdrawal"
    SIGN = "sign"
    ISSUE = "issue"
    REGISTER_SIGNING_ACCOUNT = "register_signing_account"
    REGISTER_SCHOOL_CERTIFICATE = "register_school_certificate"
    APPROVE_SIGNING_ACCOUNT = "approve_signing_account"
    GRANT_ACCOUNTS = "grant_accounts"
    VIEW_ACCOUNTS = "view_accounts"
    MANAGE_SCHOOL_YEARS = "manage_school_years"
    MANAGE_ORGANISATIONS = "manage_organisations"
    DECIDE_CERTIFICATE = "decide_certificate"
    DECIDE_WITHDRAWAL = "decide_withdrawal"
    SET_LOCK_DATES = "set_lock_dates"
    VIEW_BRANCH = "view_branch"
    VIEW_AUDIT = "view_audit"
    ANSWER_PROBLEMS = "answer_problems"
    KEEP_COPIES = "keep_copies"
    CERTIFY_COPIES = "certify_copies"
    SHARE = "share"
    KEEP_TRANSFERS = "keep_transfers"
    TRANSFER = "transfer"
    ARCHIVE_YEAR = "archive_year"
    PLAN_DIGITISATION = "plan_digitisation"
    DIGITISE = "digitise"
    VIEW_DIGITISATION = "view_digitisation"
    REVIEW_DIGITISATION = "review_digitisation"


STAFF = frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, Role.ISSUER})

WHOLE_SCHOOL: dict[Action, frozenset[Role]] = {
    Action.IMPORT: frozenset({Role.ADMINISTRATOR}),
    Action.VIEW_SCHOOL: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER, Role.CLERK}),
    Action.VIEW_CLASS: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER, Role.CLERK}),
    Action.CREATE: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.FINALISE: frozenset({Role.ADMINISTRATOR}),
    Action.REOPEN_CLASS: frozenset({Role.MANAGER}),
    Action.CONFIGURE_PRINTING: frozenset({Role.ADMINISTRATOR}),
    Action.EXPORT: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.CLERK}),
    Action.FOLLOW_SIGNING: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER}),
    Action.CONFIRM: frozenset({Role.ADMINISTRATOR}),
    Action.DECIDE_RETURNS: frozenset({Role.ADMINISTRATOR}),
    Action.CANCEL: frozenset({Role.ADMINISTRATOR}),
    Action.PLAN_LOCK: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.LOCK_YEAR: frozenset({Role.MANAGER}),
    Action.VIEW_CORRECTION: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.GATHER_CORRECTION: frozenset({Role.ADMINISTRATOR}),
    Action.DECIDE_CORRECTION: frozenset({Role.MANAGER}),
    Action.WITNESS_CORRECTION: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.SUBMIT: frozenset({Role.ADMINISTRATOR}),
    Action.DRAFT_WITHDRAWAL: frozenset({Role.ADMINISTRATOR}),
    Action.REQUEST_WITHDRAWAL: frozenset({Role.ADMINISTRATOR}),
    Action.SIGN: STAFF,
    Action.ISSUE: frozenset({Role.ISSUER}),
    Action.REGISTER_SIGNING_ACCOUNT: STAFF,
    Action.REGISTER_SCHOOL_CERTIFICATE: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER}),
    Action.APPROVE_SIGNING_ACCOUNT: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.GRANT_ACCOUNTS: frozenset({Role.ADMINISTRATOR}),
    Action.MANAGE_SCHOOL_YEARS: frozenset({Role.ADMINISTRATOR}),
    Action.VIEW_ACCOUNTS: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.VIEW_AUDIT: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.ANSWER_PROBLEMS: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.KEEP_COPIES: frozenset({Role.ADMINISTRATOR, Role.CLERK}),
    Action.CERTIFY_COPIES: frozenset({Role.ADMINISTRATOR, Role.CLERK}),
    Action.SHARE: frozenset({Role.ADMINISTRATOR, Role.CLERK}),
    Action.KEEP_TRANSFERS: frozenset({Role.ADMINISTRATOR}),
    Action.TRANSFER: frozenset({Role.ADMINISTRATOR}),
    Action.ARCHIVE_YEAR: frozenset({Role.ADMINISTRATOR, Role.CLERK}),
    Action.PLAN_DIGITISATION: frozenset({Role.ADMINISTRATOR, Role.MANAGER}),
    Action.DIGITISE: frozenset({Role.ADMINISTRATOR, Role.CLERK}),
    Action.VIEW_DIGITISATION: frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.CLERK}),
}
"""Held for everything in the actor's school."""

OWN_PART: dict[Action, frozenset[Role]] = {
    Action.VIEW_CLASS: frozenset({Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER}),
    Action.CREATE: frozenset({Role.HOMEROOM_TEACHER}),
    Action.EXPORT: frozenset({Role.HOMEROOM_TEACHER}),
    Action.FOLLOW_SIGNING: frozenset({Role.HOMEROOM_TEACHER}),
    Action.FINALISE: frozenset({Role.HOMEROOM_TEACHER}),
    # the own class or subject, the own request, and what the person was appointed to witness
    Action.VIEW_CORRECTION: STAFF | {Role.CLERK},
    Action.ASK_CORRECTION: frozenset({Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER}),
    Action.WITNESS_CORRECTION: STAFF | {Role.CLERK},
    # the part of a digitised transcript that the person taught, or that was assigned to them
    Action.VIEW_DIGITISATION: STAFF | {Role.CLERK},
    Action.REVIEW_DIGITISATION: STAFF | {Role.CLERK},
}
"""Held for the class that the actor is assigned to."""

BRANCH: dict[Action, frozenset[Role]] = {
    Action.MANAGE_ORGANISATIONS: frozenset({Role.OFFICER}),
    Action.MANAGE_SCHOOL_YEARS: frozenset({Role.OFFICER}),
    Action.DECIDE_CERTIFICATE: frozenset({Role.OFFICER}),
    Action.DECIDE_WITHDRAWAL: frozenset({Role.OFFICER}),
    Action.SET_LOCK_DATES: frozenset({Role.OFFICER}),
    Action.VIEW_BRANCH: frozenset({Role.OFFICER}),
    Action.VIEW_AUDIT: frozenset({Role.OFFICER}),
    Action.ANSWER_PROBLEMS: frozenset({Role.OFFICER}),
}
"""Held for the oversight unit of the actor and everything below it."""


CONFIRMED = frozenset(
    {
        Action.SUBMIT,
        Action.REQUEST_WITHDRAWAL,
        Action.CANCEL,
        Action.APPROVE_SIGNING_ACCOUNT,
        Action.DECIDE_CERTIFICATE,
        Action.DECIDE_WITHDRAWAL,
        Action.SET_LOCK_DATES,
        Action.ISSUE,
        Action.LOCK_YEAR,
        Action.REOPEN_CLASS,
        Action.DECIDE_CORRECTION,
        Action.WITNESS_CORRECTION,
        Action.CERTIFY_COPIES,
        Action.SHARE,
        Action.TRANSFER,
    }
)
"""Acts, not views, that need to know anew that it is the person: a session left open, or stolen, is not enough for them."""

CONFIRMED_FOR = 300
"""Seconds for which one confirmation is good for all of them."""

SECOND_FACTOR = frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER, Role.OFFICER})
"""Roles that need more than a password to sign in."""


class Principal(BaseModel):
    """The signed-in person, as the internal token says; `unit` is set for officers, `school` for staff.

    `level` is the version that staff chose at sign-in ("TH", "THCS", "THPT"): it decides the numbers and words of the menu.
    `auth_time` is when the person last proved who they are, in seconds since 1970, as OpenID Connect calls it.
    `second_factor`: the account has one, so a confirmation asks for it in place of the password.
    `agent` is the id of the person's signing program when not the person but that program asks; it may ask for its jobs alone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    person: str
    name: str
    roles: frozenset[Role]
    school: str | None = None
    unit: str | None = None
    homeroom_of: tuple[str, ...] = ()
    level: str | None = None
    auth_time: int | None = None
    second_factor: bool = False
    agent: str | None = None

    @property
    def place(self) -> str | None:
        """The school or unit that the person belongs to."""
        return self.school or self.unit


def allowed(
    who: Principal,
    action: Action,
    *,
    school: str | None = None,
    own: bool = False,
    path: tuple[str, ...] = (),
) -> bool:
    """May `who` do `action` on something of `school` (or of the units in `path`, root first)?"""
    if school is not None and who.school == school:
        if who.roles & WHOLE_SCHOOL.get(action, frozenset()):
            return True
        if own and who.roles & OWN_PART.get(action, frozenset()):
            return True
    return who.unit is not None and who.unit in path and bool(who.roles & BRANCH.get(action, frozenset()))


def confirmed(who: Principal, action: Action, *, at: int) -> bool:
    """Is `who` known well enough at the moment `at` (seconds since 1970) to do `action`, apart from being allowed to?"""
    return action not in CONFIRMED or recently_confirmed(who, at=at)


def recently_confirmed(who: Principal, *, at: int) -> bool:
    return who.auth_time is not None and at - who.auth_time <= CONFIRMED_FOR
