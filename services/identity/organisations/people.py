"""People and their roles: what the sector database says of a school's staff, and what was granted here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.access import Role
from services.chassis.errors import Refused
from services.chassis.vietnamese import clean
from services.identity.errors import CODE_TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.events.records import StaffMember
    from services.chassis.mongo import Document

MANAGERS = ("hiệu trưởng", "phó hiệu trưởng")
CLERKS = ("học vụ", "văn phòng")


def blank(code: str, name: str, *, school: str | None = None, unit: str | None = None) -> Document:
    """A person without any role yet; `listed` tells whether the last import named them."""
    return {
        "_id": code,
        "name": clean(name),
        "personal_id": "",
        "position": "",
        "school": school,
        "unit": unit,
        "listed": False,
        "administrator": False,
        "administrator_given": False,
        "issuer": False,
        "issuer_granted": False,
        "teaches": False,
        "homeroom_of": [],
        "roles": [],
    }


def with_roles(person: Document) -> Document:
    """The person with the roles that the facts in the document give. Whoever is not listed keeps only what the oversight gave."""
    roles: set[Role] = set()
    position = person["position"].casefold()
    if person["unit"]:
        roles.add(Role.OFFICER)
    if person["administrator_given"] or (person["listed"] and person["administrator"]):
        roles.add(Role.ADMINISTRATOR)
    if person["listed"]:
        if position.startswith(MANAGERS):
            roles.add(Role.MANAGER)
        if person["homeroom_of"]:
            roles.add(Role.HOMEROOM_TEACHER)
        if person["teaches"]:
            roles.add(Role.SUBJECT_TEACHER)
        if person["issuer"] or person["issuer_granted"]:
            roles.add(Role.ISSUER)
        if any(word in position for word in CLERKS):
            roles.add(Role.CLERK)
    return {**person, "roles": sorted(roles)}


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
    """`known` holds everybody of the school and everybody with one of the staff codes."""
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
    person = before or blank(code, name, school=school)
    typed = {} if person["listed"] else {"name": clean(name), "personal_id": personal_id.strip()}
    return with_roles({**person, **typed, "administrator_given": True})


def as_officer(before: Document | None, *, code: str, name: str, unit: str) -> Document:
    """Raises Refused(CODE_TAKEN) for somebody of another place."""
    if before is not None and before["unit"] != unit:
        raise Refused(CODE_TAKEN, code=code)
    return with_roles({**(before or blank(code, name, unit=unit)), "name": clean(name)})
