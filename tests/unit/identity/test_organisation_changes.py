"""Dated changes of the tree: what follows from each, what is refused, and that the past stays as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Refused
from services.identity.organisations import spans
from services.identity.organisations.changes import Effects, Kind, Order, Tree, check_planned, effects, foreseen, order_of, outcomes
from services.identity.organisations.units_and_schools import school_change, school_fact, unit_change, unit_fact

BEGINNING = dt.date(2000, 1, 1)
REFORM = dt.date(2025, 7, 1)
TODAY = dt.date(2026, 3, 2)
Document = dict[str, Any]


def made_unit(tree: Tree, code: str, parent: str | None, since: dt.date = BEGINNING) -> Tree:
    above = tree.units[parent] if parent else None
    change = unit_change(None, code=code, name=f"Đơn vị {code}", parent=above, today=TODAY, valid_from=since)
    assert change is not None
    return tree.after(Effects(units=[change.document]))


def made_school(tree: Tree, code: str, unit: str, since: dt.date = BEGINNING) -> Tree:
    change = school_change(
        None,
        code=code,
        name=f"Trường {code}",
        levels=["TH"],
        tax_code="0231300001",
        unit=tree.units[unit],
        unit_code=unit,
        today=TODAY,
        valid_from=since,
    )
    assert change is not None
    return tree.after(Effects(schools=[change.document]))


def sample() -> Tree:
    """Sở → two Phòng, one with a commune; a school each in the commune and in the Phòng."""
    tree = Tree({}, {})
    for code, parent in (("so", None), ("phong1", "so"), ("phong2", "so"), ("xa", "phong1")):
        tree = made_unit(tree, code, parent)
    tree = made_school(tree, "s-xa", "xa")
    return made_school(tree, "s-phong", "phong1")


def done(tree: Tree, kind: Kind, code: str, day: dt.date = REFORM, **more: Any) -> Tree:
    return tree.after(effects(tree, Order(kind, code, day, **more)))


def path_at(document: Document, day: dt.date) -> list[str] | None:
    found = spans.at(document, day)
    return found["path"] if found else None


def test_schools_and_units_of_a_merged_unit_pass_to_the_successor_from_that_day() -> None:
    tree = done(sample(), Kind.MERGE_UNIT, "phong1", target="phong2")
    assert tree.schools["s-phong"]["path"] == ["so", "phong2"]
    assert tree.units["xa"]["path"] == ["so", "phong2", "xa"]
    assert tree.schools["s-xa"]["path"] == ["so", "phong2", "xa"]
    over = tree.units["phong1"]
    assert (over["ended_on"], over["successor"]) == ("2025-07-01", "phong2")


def test_who_was_responsible_on_a_day_of_the_past_is_not_told_anew() -> None:
    tree = done(sample(), Kind.MERGE_UNIT, "phong1", target="phong2")
    school = tree.schools["s-phong"]
    day_before = REFORM - dt.timedelta(days=1)
    assert path_at(school, day_before) == ["so", "phong1"]
    assert path_at(school, REFORM) == ["so", "phong2"]
    assert path_at(school, BEGINNING - dt.timedelta(days=1)) is None
    assert path_at(tree.units["phong1"], day_before) == ["so", "phong1"]
    assert path_at(tree.units["phong1"], REFORM) is None


def test_a_split_is_new_units_and_moved_schools() -> None:
    tree = made_unit(sample(), "phong3", "so", REFORM)
    tree = done(tree, Kind.MOVE_SCHOOL, "s-phong", target="phong3")
    assert tree.schools["s-phong"]["unit"] == "phong3"
    assert [(s["parent"], s["to"]) for s in tree.schools["s-phong"]["spans"]] == [("phong1", "2025-07-01"), ("phong3", None)]


def test_a_moved_unit_takes_its_whole_branch_along() -> None:
    tree = done(sample(), Kind.MOVE_UNIT, "xa", target="so")
    assert (tree.units["xa"]["parent"], tree.units["xa"]["path"]) == ("so", ["so", "xa"])
    assert tree.schools["s-xa"]["path"] == ["so", "xa"]
    assert tree.schools["s-phong"]["path"] == ["so", "phong1"]


def test_a_closed_school_names_its_successor_and_keeps_its_past() -> None:
    tree = done(sample(), Kind.CLOSE_SCHOOL, "s-xa", target="s-phong")
    fact = school_fact(tree.schools["s-xa"])
    assert (fact.abolished_on, fact.successor, fact.path) == (REFORM, "s-phong", ("so", "phong1", "xa"))
    assert path_at(tree.schools["s-xa"], REFORM - dt.timedelta(days=1)) == ["so", "phong1", "xa"]


def test_a_school_goes_by_its_new_name_from_the_day_on() -> None:
    tree = done(sample(), Kind.RENAME_SCHOOL, "s-xa", name="  Trường   mới ")
    found = [spans.at(tree.schools["s-xa"], day) for day in (REFORM - dt.timedelta(days=1), REFORM)]
    assert [s["name"] for s in found if s] == ["Trường s-xa", "Trường mới"]


def test_an_empty_unit_may_be_abolished_without_a_successor() -> None:
    tree = done(sample(), Kind.ABOLISH_UNIT, "phong2")
    fact = unit_fact(tree.units["phong2"])
    assert (fact.abolished_on, fact.successor) == (REFORM, None)


@pytest.mark.parametrize(
    ("kind", "code", "target", "refusal"),
    [
        (Kind.ABOLISH_UNIT, "phong1", "", "HB-IDN-064"),
        (Kind.ABOLISH_UNIT, "so", "", "HB-IDN-063"),
        (Kind.MOVE_UNIT, "so", "phong1", "HB-IDN-063"),
        (Kind.MERGE_UNIT, "so", "phong1", "HB-IDN-063"),
        (Kind.MOVE_UNIT, "phong1", "xa", "HB-IDN-062"),
        (Kind.MOVE_UNIT, "phong1", "phong1", "HB-IDN-062"),
        (Kind.MERGE_UNIT, "phong1", "xa", "HB-IDN-062"),
        (Kind.MERGE_UNIT, "phong1", "phong1", "HB-IDN-062"),
        (Kind.CLOSE_SCHOOL, "s-xa", "s-xa", "HB-IDN-062"),
        (Kind.MOVE_SCHOOL, "s-xa", "xa", "HB-IDN-069"),
        (Kind.MOVE_UNIT, "xa", "phong1", "HB-IDN-069"),
        (Kind.MOVE_SCHOOL, "s-xa", "nowhere", "HB-IDN-010"),
        (Kind.MERGE_UNIT, "nowhere", "xa", "HB-IDN-010"),
        (Kind.CLOSE_SCHOOL, "nobody", "", "HB-IDN-011"),
    ],
)
def test_a_wrong_order_is_refused_with_its_reason(kind: Kind, code: str, target: str, refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        effects(sample(), Order(kind, code, REFORM, target=target))


def test_a_successor_that_has_ended_takes_nothing_over() -> None:
    tree = done(sample(), Kind.ABOLISH_UNIT, "phong2")
    for order in (
        Order(Kind.MERGE_UNIT, "phong1", REFORM, target="phong2"),
        Order(Kind.MOVE_SCHOOL, "s-xa", REFORM, target="phong2"),
        Order(Kind.RENAME_UNIT, "phong2", REFORM, name="Tên mới"),
    ):
        with pytest.raises(Refused, match="HB-IDN-060"):
            effects(tree, order)


def test_no_change_is_dated_before_the_last_one_of_anything_that_it_touches() -> None:
    tree = done(sample(), Kind.RENAME_SCHOOL, "s-xa", name="Trường mới")
    day_before = REFORM - dt.timedelta(days=1)
    for order in (
        Order(Kind.MOVE_SCHOOL, "s-xa", day_before, target="phong2"),
        Order(Kind.MERGE_UNIT, "phong1", day_before, target="phong2"),
        Order(Kind.MOVE_SCHOOL, "s-phong", BEGINNING - dt.timedelta(days=1), target="phong2"),
    ):
        with pytest.raises(Refused, match="HB-IDN-061"):
            effects(tree, order)
    assert effects(tree, Order(Kind.MERGE_UNIT, "phong1", REFORM, target="phong2")).schools


def test_a_unit_takes_nothing_over_before_it_is_there() -> None:
    tree = made_unit(sample(), "phong3", "so", REFORM)
    with pytest.raises(Refused, match="HB-IDN-061"):
        effects(tree, Order(Kind.MERGE_UNIT, "phong1", REFORM - dt.timedelta(days=1), target="phong3"))


def test_a_unit_that_stood_below_another_on_a_later_day_cannot_take_it_from_an_earlier_one() -> None:
    tree = done(sample(), Kind.MOVE_UNIT, "xa", target="so", day=dt.date(2025, 9, 1))
    with pytest.raises(Refused, match="HB-IDN-062"):
        effects(tree, Order(Kind.MOVE_UNIT, "phong1", REFORM, target="xa"))
    assert effects(tree, Order(Kind.MOVE_UNIT, "phong1", dt.date(2025, 9, 1), target="xa")).units


def test_something_that_was_there_for_no_day_cannot_end() -> None:
    tree = made_unit(sample(), "phong3", "so", REFORM)
    with pytest.raises(Refused, match="HB-IDN-061"):
        effects(tree, Order(Kind.ABOLISH_UNIT, "phong3", REFORM))


def test_a_name_given_on_the_day_of_the_end_was_never_had() -> None:
    tree = done(done(sample(), Kind.RENAME_UNIT, "phong2", name="Tên mới"), Kind.ABOLISH_UNIT, "phong2")
    assert tree.units["phong2"]["name"] == sample().units["phong2"]["name"]


def test_a_move_into_a_unit_follows_what_happened_to_that_unit_since() -> None:
    tree = done(sample(), Kind.MOVE_UNIT, "xa", target="phong2", day=dt.date(2025, 9, 1))
    tree = done(tree, Kind.MOVE_SCHOOL, "s-phong", target="xa")
    found = [(s["from"], s["path"]) for s in tree.schools["s-phong"]["spans"]]
    assert found == [
        ("2000-01-01", ["so", "phong1"]),
        ("2025-07-01", ["so", "phong1", "xa"]),
        ("2025-09-01", ["so", "phong2", "xa"]),
    ]


def test_a_planned_change_is_judged_with_what_is_planned_before_it() -> None:
    tree, later = sample(), TODAY + dt.timedelta(days=30)
    plan = [Order(Kind.MERGE_UNIT, "phong2", later, target="phong1")]
    with pytest.raises(Refused, match="HB-IDN-060"):
        check_planned(tree, plan, Order(Kind.MOVE_SCHOOL, "s-xa", later + dt.timedelta(days=1), target="phong2"))
    with pytest.raises(Refused, match="HB-IDN-066"):
        check_planned(tree, plan, Order(Kind.ABOLISH_UNIT, "phong2", later - dt.timedelta(days=1)))
    check_planned(tree, plan, Order(Kind.MOVE_SCHOOL, "s-xa", later - dt.timedelta(days=1), target="phong2"))
    assert foreseen(tree, plan, later).units["phong2"]["successor"] == "phong1"
    assert foreseen(tree, plan, later - dt.timedelta(days=1)) == tree


def test_an_order_survives_being_written_down() -> None:
    order = Order(Kind.MERGE_UNIT, "phong1", REFORM, target="phong2", officers=("cb1",), basis="Quyết định số 12")
    assert order_of(order.document) == order


def test_a_document_from_before_spans_were_kept_has_always_been_as_it_is() -> None:
    old = {"_id": "s", "name": "Trường", "unit": "xa", "path": ["so", "xa"]}
    assert path_at(old, dt.date(1990, 1, 1)) == ["so", "xa"]
    assert path_at(old, TODAY) == ["so", "xa"]


UNITS = tuple(f"u{n}" for n in range(6))
SCHOOLS = tuple(f"s{n}" for n in range(4))
DAYS = st.integers(0, 40).map(lambda n: BEGINNING + dt.timedelta(days=n))
ORDERS = st.lists(
    st.builds(
        Order,
        kind=st.sampled_from(list(Kind)),
        code=st.sampled_from((*UNITS, *SCHOOLS)),
        day=DAYS,
        name=st.sampled_from(("A", "B", "C")),
        target=st.sampled_from((*UNITS, *SCHOOLS)),
    ),
    max_size=14,
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    tree = made_unit(Tree({}, {}), UNITS[0], None)
    for n, code in enumerate(UNITS[1:], start=1):
        parent = draw(st.sampled_from(UNITS[:n]))
        tree = made_unit(tree, code, parent, spans.begun(tree.units[parent]) + dt.timedelta(days=draw(st.integers(0, 5))))
    for code in SCHOOLS:
        unit = draw(st.sampled_from(UNITS))
        tree = made_school(tree, code, unit, spans.begun(tree.units[unit]) + dt.timedelta(days=draw(st.integers(0, 5))))
    return tree


def days_of(tree: Tree) -> Iterator[dt.date]:
    yield from (BEGINNING + dt.timedelta(days=n) for n in range(90))


def check_spans(document: Document) -> None:
    found = spans.spans_of(document)
    assert found
    assert all(s["to"] is None or s["from"] < s["to"] for s in found), "no span is empty"
    assert all(a["to"] == b["from"] for a, b in pairwise(found)), "no gap, no overlap"
    assert found[-1]["to"] == document.get("ended_on")
    last = found[-1]
    assert (last["name"], last["parent"], last["path"]) == (document["name"], spans.above(document), document["path"])


@settings(max_examples=300, deadline=None)
@given(tree=trees(), orders=ORDERS)
def test_after_any_changes_the_tree_is_a_tree_on_every_day(tree: Tree, orders: list[Order]) -> None:
    for order in sorted(orders, key=lambda o: o.day):
        try:
            tree = tree.after(effects(tree, order))
        except Refused:
            continue
    for document in (*tree.units.values(), *tree.schools.values()):
        check_spans(document)
    for day in days_of(tree):
        there = {code: s for code, u in tree.units.items() if (s := spans.at(u, day)) is not None}
        for code, unit in there.items():
            if unit["parent"] is None:
                assert unit["path"] == [code]
            else:
                assert unit["path"] == [*there[unit["parent"]]["path"], code]
            assert len(set(unit["path"])) == len(unit["path"])
        for school in tree.schools.values():
            found = spans.at(school, day)
            over = spans.ended_on(school)
            assert (found is not None) == (spans.begun(school) <= day and (over is None or day < over)), "exactly one unit each day"
            if found is not None:
                assert found["path"] == there[found["parent"]]["path"]


@settings(max_examples=200, deadline=None)
@given(tree=trees(), orders=ORDERS)
def test_no_change_tells_the_days_before_it_anew(tree: Tree, orders: list[Order]) -> None:
    for order in orders:
        try:
            after = tree.after(effects(tree, order))
        except Refused:
            continue
        for kind, documents in (("units", tree.units), ("schools", tree.schools)):
            for code, document in documents.items():
                for day in (order.day - dt.timedelta(days=n) for n in (1, 7, 30)):
                    assert spans.at(document, day) is None or _same(spans.at(document, day), spans.at(getattr(after, kind)[code], day))
        tree = after


def _same(before: Document | None, after: Document | None) -> bool:
    return before is not None and after is not None and all(before[k] == after[k] for k in ("name", "parent", "path"))


@settings(max_examples=100, deadline=None)
@given(tree=trees(), orders=ORDERS)
def test_what_is_told_of_a_plan_is_what_happens(tree: Tree, orders: list[Order]) -> None:
    plan = sorted(orders, key=lambda o: o.day)
    said = outcomes(tree, plan)
    last = max((o.day for o in plan), default=BEGINNING)
    expected = tree
    for order, refused in zip(plan, said, strict=True):
        if refused is None:
            expected = expected.after(effects(expected, order))
    assert foreseen(tree, plan, last) == expected
