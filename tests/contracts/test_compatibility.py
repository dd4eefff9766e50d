"""`breaks` says no to every change but an optional addition, and the committed schemas pass it against the base commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from contracts.compatibility import breaks
from contracts.documents import DocumentRef
from contracts.event import Fact
from infra.generate import ROOT
from infra.generate.schemas import event_schema, facts
from tests.contracts.base import base_commit, files_at

Schema = dict[str, Any]


class SampleV1(Fact):
    topic: ClassVar[str] = "records.classes"
    school: str
    grade: int = Field(ge=1, le=12)
    code: str = Field(pattern=r"^[0-9A-Z]+$")
    kind: Literal["manager", "school"]
    state: str | None = None
    names: tuple[str, ...]
    content: DocumentRef
    copies: tuple[DocumentRef, ...] = ()


def sample() -> Schema:
    return deepcopy(event_schema(SampleV1))


def fact(schema: Schema) -> Schema:
    found: Schema = schema["$defs"]["SampleV1"]
    return found


def rewritten(change: Callable[[Schema], object]) -> Schema:
    schema = sample()
    change(schema)
    return schema


def test_a_schema_stands_in_for_itself() -> None:
    assert breaks(sample(), sample()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda s: fact(s)["properties"].update(extra={"type": "string"}),
        lambda s: fact(s)["properties"].update(extra={"$ref": "#/$defs/DocumentRef"}),
        lambda s: s["properties"].update(region={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
        lambda s: s["$defs"]["DocumentRef"]["properties"].update(version={"type": "integer", "default": 0}),
        lambda s: fact(s)["properties"]["school"].update(description="other words", title="Another"),
        lambda s: fact(s)["required"].reverse(),
    ],
    ids=["property", "property with a definition", "in the envelope", "in a nested object", "words", "order"],
)
def test_an_optional_addition_or_other_words_break_nothing(change: Callable[[Schema], object]) -> None:
    assert breaks(sample(), rewritten(change)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: fact(s)["properties"].pop("state"), "data.state: was removed"),
        (lambda s: s["properties"].pop("cause"), "cause: was removed"),
        (lambda s: fact(s)["required"].append("state"), "data.state: is newly required"),
        (lambda s: fact(s)["required"].remove("school"), "data.school: is no longer required, but older consumers need it"),
        (
            lambda s: (fact(s)["properties"].update(new={"type": "string"}), fact(s)["required"].append("new")),
            "data.new: is new and required",
        ),
        (lambda s: fact(s)["properties"]["school"].update(type="integer"), "data.school: type changed from string to integer"),
        (
            lambda s: fact(s)["properties"]["grade"].update(type=["integer", "string"]),
            "data.grade: type changed from integer to integer or string",
        ),
        (lambda s: fact(s)["properties"]["kind"].update(enum=["manager"]), "data.kind: value 'school' was removed"),
        (
            lambda s: fact(s)["properties"]["kind"]["enum"].append("unit"),
            "data.kind: value 'unit' was added, which older consumers refuse",
        ),
        (lambda s: fact(s)["properties"]["school"].update(enum=["a"]), "data.school: is now limited to a list of values"),
        (lambda s: fact(s)["properties"]["kind"].pop("enum"), "data.kind: is no longer limited to a list of values"),
        (
            lambda s: fact(s)["properties"]["code"].update(pattern="^[0-9]+$"),
            "data.code: pattern changed from '^[0-9A-Z]+$' to '^[0-9]+$'",
        ),
        (lambda s: fact(s)["properties"]["school"].update(minLength=8), "data.school: minLength changed from nothing to 8"),
        (lambda s: fact(s)["properties"]["grade"].update(maximum=9), "data.grade: maximum changed from 12 to 9"),
        (lambda s: fact(s)["properties"]["copies"].update(default=[1]), "data.copies: default changed from [] to [1]"),
        (lambda s: fact(s)["properties"]["names"]["items"].update(type="integer"), "data.names[]: type changed from string to integer"),
        (lambda s: fact(s)["properties"]["state"]["anyOf"].pop(), "data.state: anyOf changed from 2 to 1 choices"),
        (lambda s: s["$defs"]["DocumentRef"]["properties"].pop("size"), "data.content.size: was removed"),
        (
            lambda s: s["$defs"]["DocumentRef"].update(additionalProperties=False),
            "data.content: additionalProperties changed from nothing to False",
        ),
        (lambda s: s["properties"]["type"].update(const="OtherV1"), "type: value 'SampleV1' was removed"),
    ],
)
def test_any_other_change_is_named_with_its_place(change: Callable[[Schema], object], said: str) -> None:
    assert said in breaks(sample(), rewritten(change))


def test_a_definition_that_refers_to_itself_ends_the_comparison() -> None:
    tree: Schema = {"$ref": "#/$defs/T", "$defs": {"T": {"type": "object", "properties": {"below": {"items": {"$ref": "#/$defs/T"}}}}}}
    assert breaks(tree, deepcopy(tree)) == []


def committed_schemas() -> dict[str, Schema]:
    return {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (ROOT / "contracts" / "schemas").glob("*.json")}


def test_every_type_of_event_has_its_schema_and_an_example() -> None:
    names = {f.__name__ for f in facts()}
    assert len(names) > 20
    assert set(committed_schemas()) == names
    assert {p.parent.name for p in (ROOT / "contracts" / "examples").glob("*/*.json")} == names


def test_no_schema_breaks_the_one_of_the_base_commit() -> None:
    now, base = committed_schemas(), base_commit()
    before = {path: json.loads(text) for path, text in files_at(base, "contracts/schemas").items()} if base else {}
    found = [
        f"{name}: {sentence}"
        for path, schema in before.items()
        for name in [path.rpartition("/")[2].removesuffix(".json")]
        for sentence in (breaks(schema, now[name]) if name in now else ["the type was removed"])
    ]
    assert {event_schema(f)["title"] for f in facts()} == set(now)
    assert found == [], "give the changed fact a new class with the next number instead"
