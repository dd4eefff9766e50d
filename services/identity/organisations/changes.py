"""What may change in the oversight tree, from which day on, and what follows from it. Plain data in, the changed documents out.

A change is dated: the day may lie in the past, but not before the last change of anything that it touches, so that the past is never
told anew. One of a future day is planned; it is judged with all that is planned before it, and once more when its day has come.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from services.chassis.errors import INVALID_INPUT, Refused
from services.chassis.vietnamese import clean
from services.identity.errors import UNKNOWN_SCHOOL, UNKNOWN_UNIT
from services.identity.organisations import spans
from services.identity.organisations.errors import AGAINST_PLAN, CYCLE, ENDED, NOT_EMPTY, NOTHING_CHANGES, ROOT_FIXED, TOO_EARLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from services.chassis.mongo import Document


class Kind(StrEnum):
    RENAME_UNIT = "rename_unit"
    MOVE_UNIT = "move_unit"
    ABOLISH_UNIT = "abolish_unit"
    MERGE_UNIT = "merge_unit"
    RENAME_SCHOOL = "rename_school"
    MOVE_SCHOOL = "move_school"
    CLOSE_SCHOOL = "close_school"

    @property
    def of_school(self) -> bool:
        return self in OF_SCHOOL


OF_SCHOOL = frozenset({Kind.RENAME_SCHOOL, Kind.MOVE_SCHOOL, Kind.CLOSE_SCHOOL})
TO_UNIT = frozenset({Kind.MOVE_UNIT, Kind.MERGE_UNIT, Kind.MOVE_SCHOOL})
RENAMES = frozenset({Kind.RENAME_UNIT, Kind.RENAME_SCHOOL})


@dataclass(frozen=True)
class Order:
    """One change of the unit or school `code` from `day` on.

    `target`: the new unit above, or the successor; only a school may be closed without one. `officers` of a merged unit go over to
    the successor, the others lose the branch. `basis`: the decision that it rests on, in the officer's words.
    """

    kind: Kind
    code: str
    day: dt.date
    name: str = ""
    target: str = ""
    officers: tuple[str, ...] = ()
    basis: str = ""

    @property
    def document(self) -> Document:
        return {
            "kind": self.kind.value,
            "code": self.code,
            "day": self.day.isoformat(),
            "name": clean(self.name),
            "target": self.target,
            "officers": list(self.officers),
            "basis": self.basis,
        }


def order_of(document: Document) -> Order:
    return Order(
        kind=Kind(document["kind"]),
        code=document["code"],
        day=dt.date.fromisoformat(document["day"]),
        name=document["name"],
        target=document["target"],
        officers=tuple(document["officers"]),
        basis=document["basis"],
    )


@dataclass(frozen=True)
class Effects:
    """The documents that a change leaves behind, the unit or school itself first."""

    units: list[Document] = field(default_factory=list)
    schools: list[Document] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """All units and schools by code, those that have ended as well."""

    units: Mapping[str, Document]
    schools: Mapping[str, Document]

    def after(self, effects: Effects) -> Tree:
        return Tree(
            {**self.units, **{u["_id"]: u for u in effects.units}},
            {**self.schools, **{s["_id"]: s for s in effects.schools}},
        )

    def subject(self, order: Order) -> Document:
        """Raises Refused: UNKNOWN_UNIT, UNKNOWN_SCHOOL."""
        return self.school(order.code) if order.kind.of_school else self.unit(order.code)

    def unit(self, code: str) -> Document:
        if code not in self.units:
            raise Refused(UNKNOWN_UNIT, unit=code)
        return self.units[code]

    def school(self, code: str) -> Document:
        if code not in self.schools:
            raise Refused(UNKNOWN_SCHOOL, school=code)
        return self.schools[code]

    def below(self, code: str) -> Iterator[Document]:
        """Units and schools below a unit, those above before those under them."""
        yield from sorted((u for u in self.units.values() if code in u["path"][:-1]), key=lambda u: len(u["path"]))
        yield from (s for s in self.schools.values() if code in s["path"])


def effects(tree: Tree, order: Order) -> Effects:
    """Raises Refused: UNKNOWN_UNIT, UNKNOWN_SCHOOL, ENDED, TOO_EARLY, CYCLE, ROOT_FIXED, NOT_EMPTY, NOTHING_CHANGES.

    Raises Refused(INVALID_INPUT) when the new name or the other unit is missing.
    """
    if order.kind in RENAMES and not clean(order.name):
        raise Refused(INVALID_INPUT, fields="name")
    if order.kind in TO_UNIT and not order.target:
        raise Refused(INVALID_INPUT, fields="target")
    document = _living(tree.subject(order))
    _not_before_last_change(document, order.day)
    if order.kind.of_school:
        return Effects(schools=[_school(tree, document, order)])
    if order.kind is Kind.RENAME_UNIT:
        return Effects(units=[_renamed(document, order)])
    if document["parent"] is None:
        raise Refused(ROOT_FIXED, unit=document["_id"])
    if order.kind is Kind.ABOLISH_UNIT:
        _empty(tree, document, order.day)
        return Effects(units=[_over(document, order)])
    if order.kind is Kind.MOVE_UNIT:
        unit = _place(tree, document, order)
        _no_cycle(document, unit, order.day)
        moved = placed(document, unit, order.day)
        return _with_branch(tree, Effects(units=[moved]), document, {document["_id"]: moved}, order.day)
    unit = tree.unit(order.target)
    _no_cycle(document, unit, order.day)
    _successor(document, unit, order.day)
    return _with_branch(tree, Effects(units=[_over(document, order)]), document, {document["_id"]: unit}, order.day)


def _school(tree: Tree, document: Document, order: Order) -> Document:
    if order.kind is Kind.RENAME_SCHOOL:
        return _renamed(document, order)
    if order.kind is Kind.MOVE_SCHOOL:
        return placed(document, _place(tree, document, order), order.day)
    if order.target:
        _successor(document, tree.school(order.target), order.day)
    return _over(document, order)


def _with_branch(tree: Tree, done: Effects, document: Document, places: dict[str, Document], day: dt.date) -> Effects:
    """And everything below: `places` says which unit now stands where a unit above stood."""
    for each in tree.below(document["_id"]):
        _not_before_last_change(each, day)
        if spans.ended_on(each):
            continue
        after = placed(each, places[spans.above(each) or ""], day)
        if "unit" in each:
            done.schools.append(after)
        else:
            done.units.append(after)
            places[each["_id"]] = after
    return done


def _place(tree: Tree, document: Document, order: Order) -> Document:
    unit = _living(tree.unit(order.target))
    if unit["_id"] == spans.above(document):
        raise Refused(NOTHING_CHANGES, code=order.code)
    if spans.begun(unit) > order.day:
        raise Refused(TOO_EARLY, code=unit["_id"], day=f"{order.day:%d/%m/%Y}", last=f"{spans.begun(unit):%d/%m/%Y}")
    return unit


def _successor(document: Document, successor: Document, day: dt.date) -> None:
    _living(successor)
    if successor["_id"] == document["_id"]:
        raise Refused(CYCLE, code=document["_id"], target=successor["_id"])
    if spans.begun(successor) > day:
        raise Refused(TOO_EARLY, code=successor["_id"], day=f"{day:%d/%m/%Y}", last=f"{spans.begun(successor):%d/%m/%Y}")


def _living(document: Document) -> Document:
    day = spans.ended_on(document)
    if day is not None:
        raise Refused(ENDED, code=document["_id"], day=f"{day:%d/%m/%Y}")
    return document


def _not_before_last_change(document: Document, day: dt.date) -> None:
    last = spans.last_change(document)
    if day < last:
        raise Refused(TOO_EARLY, code=document["_id"], day=f"{day:%d/%m/%Y}", last=f"{last:%d/%m/%Y}")


def _no_cycle(document: Document, unit: Document, day: dt.date) -> None:
    """On no day from then on does the other unit stand below this one."""
    if any(document["_id"] in s["path"] for s in spans.follow(unit, day, name="")):
        raise Refused(CYCLE, code=document["_id"], target=unit["_id"])


def _empty(tree: Tree, document: Document, day: dt.date) -> None:
    left = [each for each in tree.below(document["_id"]) if not spans.ended_on(each)]
    if left:
        schools = sum("unit" in each for each in left)
        raise Refused(NOT_EMPTY, unit=document["_id"], units=len(left) - schools, schools=schools)
    for each in tree.below(document["_id"]):
        _not_before_last_change(each, day)


def _renamed(document: Document, order: Order) -> Document:
    name = clean(order.name)
    if name == document["name"]:
        raise Refused(NOTHING_CHANGES, code=order.code)
    return renamed(document, name, order.day)


def renamed(document: Document, name: str, day: dt.date) -> Document:
    """From a day on that is not before the last change."""
    later = spans.span(name, spans.above(document), document["path"], day)
    return {**document, "name": name, "spans": spans.continued(document, day, [later])}


def placed(document: Document, unit: Document, day: dt.date) -> Document:
    """Below a unit from a day on: a school has the path of the unit, a unit adds its own code."""
    is_school = "unit" in document
    later = spans.follow(unit, day, name=document["name"], own=() if is_school else (document["_id"],))
    after = {**document, "path": later[-1]["path"], "spans": spans.continued(document, day, later)}
    return {**after, "unit" if is_school else "parent": unit["_id"]}


def _over(document: Document, order: Order) -> Document:
    """It must have been there for a day at least, or nothing of it would stay."""
    if spans.begun(document) >= order.day:
        last = spans.begun(document) + dt.timedelta(days=1)
        raise Refused(TOO_EARLY, code=document["_id"], day=f"{order.day:%d/%m/%Y}", last=f"{last:%d/%m/%Y}")
    left = spans.continued(document, order.day, [])
    final = left[-1]  # a name or place given on the day of the end was never had
    return {
        **document,
        "name": final["name"],
        "unit" if "unit" in document else "parent": final["parent"],
        "path": final["path"],
        "ended_on": order.day.isoformat(),
        "successor": order.target or None,
        "spans": left,
    }


def outcomes(tree: Tree, orders: Iterable[Order]) -> list[Refused | None]:
    """One after the other, in the order given; one that is refused leaves everything as it is."""
    found: list[Refused | None] = []
    for order in orders:
        try:
            tree = tree.after(effects(tree, order))
        except Refused as refused:
            found.append(refused)
        else:
            found.append(None)
    return found


def check_against_plan(before: Sequence[Refused | None], after: Sequence[Refused | None], planned: Sequence[Order]) -> None:
    """Raises Refused(AGAINST_PLAN) when a planned change that would have gone well no longer would."""
    for order, was, is_now in zip(planned, before, after, strict=True):
        if was is None and is_now is not None:
            raise Refused(AGAINST_PLAN, code=order.code, day=f"{order.day:%d/%m/%Y}", why=is_now.cause)


def check_planned(tree: Tree, planned: Sequence[Order], order: Order) -> None:
    """Raises Refused: the reason why the order cannot be done on its day, or AGAINST_PLAN. `planned` is sorted by day."""
    position = sum(each.day <= order.day for each in planned)
    found = outcomes(tree, (*planned[:position], order, *planned[position:]))
    reason = found.pop(position)
    if reason is not None:
        raise reason
    check_against_plan(outcomes(tree, planned), found, planned)


def foreseen(tree: Tree, planned: Sequence[Order], day: dt.date) -> Tree:
    """The tree as it will be on a day, with what is planned until then and goes well."""
    for order in (each for each in planned if each.day <= day):
        try:
            tree = tree.after(effects(tree, order))
        except Refused:
            continue
    return tree
