"""People and their roles: what the sector database says of a school's staff, what was entered by hand, what was granted here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.access import Role
from services.chassis.errors import Refused
from services.chassis.vietnamese import clean
from services.identity.accounts.errors import ALREADY_LEFT
from services.identity.errors import CODE_TAKEN, OWN_ACCOUNT, REASON_NEEDED
from services.identity.organisations.errors import NOT_BY_HAND, NOT_LEFT, PERSONAL_ID_TAKEN, WRONG_LEAVING_DATE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from contracts.events.records import StaffMember
    from services.chassis.mongo import Document

MANAGERS = ("hiệu trưởng", "phó hiệu trưởng")
CLERKS = ("học vụ", "văn phòng")


def blank(code: str, name: str, *, school: str | None = None, unit: str | None = None) -> Document:
    """A person without any role yet.

    `listed`: the last import named them. `by_hand`: the administrator entered them. `left`: when and why they left, or None.
    """
    return {
        "_id": code,
        "name": clean(name),
        "personal_id": "",
        "position": "",
        "school": school,
        "unit": unit,
        "listed": False,
        "by_hand": False,
        "left": None,
        "administrator": False,
        "administrator_given": False,
        "issuer": False,
        "issuer_granted": False,
        "teaches": False,
        "homeroom_of": [],
        "roles": [],
    }


def with_roles(person: Document) -> Document:
    """The person with the roles that the facts in the document give.

    Whoever has left has none. Whoever is neither listed nor entered by hand keeps only what the oversight gave. What an import says
    of assignments and flags counts while it lists them.
    """
    if has_left(person):
        return {**person, "roles": []}
    roles: set[Role] = set()
    position = person["position"].casefold()
    if person["unit"]:
        roles.add(Role.OFFICER)
    named = person["administrator_given"] or (person["listed"] and person["administrator"])
    if named and not person.get("administrator_taken"):
        roles.add(Role.ADMINISTRATOR)
    if person["listed"]:
        if person["homeroom_of"]:
            roles.add(Role.HOMEROOM_TEACHER)
        if person["teaches"]:
            roles.add(Role.SUBJECT_TEACHER)
        if person["issuer"]:
            roles.add(Role.ISSUER)
    if is_staff(person):
        if position.startswith(MANAGERS):
            roles.add(Role.MANAGER)
        if person["issuer_granted"]:
            roles.add(Role.ISSUER)
        if any(word in position for word in CLERKS):
            roles.add(Role.CLERK)
    return {**person, "roles": sorted(roles)}


def place_of(person: Document) -> str | None:
    """The school or unit that the person belongs to."""
    place: str | None = person["school"] or person["unit"]
    return place


def by_hand(person: Document) -> bool:
    return bool(person.get("by_hand"))


def has_left(person: Document) -> bool:
    return bool(person.get("left"))


def is_staff(person: Document) -> bool:
    """At the school now: listed by the last import or entered by hand, and not gone."""
    return bool(person["listed"] or by_hand(person)) and not has_left(person)


def is_administrator(person: Document) -> bool:
    return Role.ADMINISTRATOR in person["roles"]


def is_manager(person: Document) -> bool:
    return Role.MANAGER in person["roles"]


def may_issue(person: Document) -> bool:
    return Role.ISSUER in person["roles"]


@dataclass
class Merged:
    """What an import changes. `foreign` are codes that belong to another school or unit: they are left alone."""

    new: list[Document] = field(default_factory=list)
    changed: list[Document] = field(default_factory=list)
    issuers_changed: list[Document] = field(default_factory=list)
    owners_changed: list[Document] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def merge(school: str, known: Mapping[str, Document], staff: Iterable[StaffMember]) -> Merged:
    """`known` holds everybody of the school and everybody with one of the staff codes.

    Somebody entered by hand is taken over by the code. That somebody has left outlasts imports, which lag behind.
    """
    merged = Merged()
    listed = set()
    for member in staff:
        before = known.get(member.code)
        if before is not None and before["school"] != school:
            merged.foreign.append(member.code)
            continue
        listed.add(member.code)
        after = with_roles(
            {
                **(before or blank(member.code, member.name, school=school)),
                "name": clean(member.name),
                "personal_id": member.personal_id.strip(),
                "position": clean(member.position),
                "listed": True,
                "by_hand": False,
                "administrator": member.administrator,
                "issuer": member.issuer,
                "teaches": member.teaches,
                "homeroom_of": list(member.homeroom_of),
            }
        )
        _sort_in(merged, before, after)
    for code, before in known.items():
        if before["school"] == school and code not in listed:
            _sort_in(merged, before, with_roles({**before, "listed": False, "teaches": False, "homeroom_of": []}))
    return merged


def _sort_in(merged: Merged, before: Document | None, after: Document) -> None:
    if before is None:
        merged.new.append(after)
    elif after != before:
        merged.changed.append(after)
        if may_issue(before) != may_issue(after):
            merged.issuers_changed.append(after)
        if before["personal_id"] and before["personal_id"] != after["personal_id"]:
            merged.owners_changed.append(after)


def as_administrator(before: Document | None, *, code: str, name: str, personal_id: str, school: str) -> Document:
    """The administrator whom the oversight names for a school. Raises Refused(CODE_TAKEN) for somebody of another place.

    What an import said of a person counts more than what is typed in here.
    """
    if before is not None and before["school"] != school:
        raise Refused(CODE_TAKEN, code=code)
    person = {**(before or blank(code, name, school=school)), "left": None}
    typed = {} if person["listed"] else {"name": clean(name), "personal_id": personal_id.strip()}
    return with_roles({**person, **typed, "administrator_given": True, "administrator_taken": False})


def as_officer(before: Document | None, *, code: str, name: str, unit: str) -> Document:
    """Somebody who lost their unit may be named again. Raises Refused(CODE_TAKEN) for somebody of another place."""
    if before is not None and (before["school"] is not None or before["unit"] not in (None, unit)):
        raise Refused(CODE_TAKEN, code=code)
    return with_roles({**(before or blank(code, name, unit=unit)), "unit": unit, "name": clean(name)})


def entered(before: Document | None, *, code: str, name: str, personal_id: str, position: str, school: str, actor: str) -> Document:
    """Somebody whom no import names, entered by hand. Whoever was once listed may be entered again.

    Raises Refused: CODE_TAKEN when somebody has the code already, OWN_ACCOUNT.
    """
    _not_oneself(code, actor)
    if before is not None and (before["school"] != school or is_staff(before) or has_left(before)):
        raise Refused(CODE_TAKEN, code=code)
    person = before or blank(code, name, school=school)
    return with_roles({**person, **_typed(name, personal_id, position), "by_hand": True})


def corrected(before: Document, *, name: str, personal_id: str, position: str, actor: str) -> Document:
    """Raises Refused: NOT_BY_HAND for somebody whom the import describes, OWN_ACCOUNT."""
    _not_oneself(before["_id"], actor)
    if not by_hand(before):
        raise Refused(NOT_BY_HAND, person=before["_id"])
    return with_roles({**before, **_typed(name, personal_id, position)})


def gone(before: Document, *, on: dt.date | None, reason: str, today: dt.date, actor: str) -> Document:
    """Somebody who has left the school: no roles any more, and everything else as it was.

    Raises Refused: OWN_ACCOUNT, ALREADY_LEFT, REASON_NEEDED, WRONG_LEAVING_DATE for none or one that has not come.
    """
    _not_oneself(before["_id"], actor)
    if has_left(before):
        raise Refused(ALREADY_LEFT, person=before["_id"])
    if not clean(reason):
        raise Refused(REASON_NEEDED)
    if on is None or on > today:
        raise Refused(WRONG_LEAVING_DATE)
    return with_roles({**before, "left": {"on": on.isoformat(), "reason": clean(reason)}})


def returned(before: Document, *, actor: str) -> Document:
    """Somebody who is back: with the roles that the import and the grants give now. Raises Refused: OWN_ACCOUNT, NOT_LEFT."""
    _not_oneself(before["_id"], actor)
    if not has_left(before):
        raise Refused(NOT_LEFT, person=before["_id"])
    return with_roles({**before, "left": None})


def check_personal_id(person: Document, others: Iterable[Document]) -> None:
    """Raises Refused(PERSONAL_ID_TAKEN) when another of the school has the person's personal id: a certificate names one person."""
    own = person["personal_id"]
    if own and any(other["personal_id"] == own and other["_id"] != person["_id"] for other in others):
        raise Refused(PERSONAL_ID_TAKEN)


def _typed(name: str, personal_id: str, position: str) -> Document:
    return {"name": clean(name), "personal_id": personal_id.strip(), "position": clean(position)}


def _not_oneself(person: str, actor: str) -> None:
    if person == actor:
        raise Refused(OWN_ACCOUNT)


@dataclass(frozen=True)
class Reason:
    """Why somebody holds a role. `source`: what it comes from; `act`: the recorded act that tells who gave it when, if a person did."""

    role: Role
    source: str
    act: str = ""


IMPORTED = "Dữ liệu cán bộ đã nhập"


def reasons(person: Document) -> list[Reason]:
    """Every reason for every role that the person holds, in the order of the roles."""
    typed = "người nhập thêm" if by_hand(person) else "dữ liệu cán bộ đã nhập"
    given = {
        Role.ADMINISTRATOR: [
            (person["administrator_given"], Reason(Role.ADMINISTRATOR, "Phòng/Sở GD&ĐT phân công", "administrator set")),
            (person["listed"] and person["administrator"], Reason(Role.ADMINISTRATOR, IMPORTED)),
        ],
        Role.MANAGER: [(True, Reason(Role.MANAGER, f"Chức vụ {person['position']} ({typed})"))],
        Role.ISSUER: [
            (person["listed"] and person["issuer"], Reason(Role.ISSUER, IMPORTED)),
            (person["issuer_granted"], Reason(Role.ISSUER, "Phân quyền Ký phát hành", "issue right set")),
        ],
        Role.HOMEROOM_TEACHER: [(True, Reason(Role.HOMEROOM_TEACHER, f"{IMPORTED}: lớp {', '.join(person['homeroom_of'])}"))],
        Role.SUBJECT_TEACHER: [(True, Reason(Role.SUBJECT_TEACHER, f"{IMPORTED}: phân công giảng dạy"))],
        Role.CLERK: [(True, Reason(Role.CLERK, f"Chức vụ {person['position']} ({typed})"))],
        Role.OFFICER: [(True, Reason(Role.OFFICER, "Cán bộ của đơn vị quản lý", "officer set"))],
    }
    return [reason for role, found in given.items() if role in person["roles"] for holds, reason in found if holds]
