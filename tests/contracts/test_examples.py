"""Golden messages: what was written once must be read for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts.event import Event, Fact
from infra.generate import ROOT
from infra.generate.schemas import event_schema, facts
from tests.contracts.base import base_commit, edited, files_at

FOLDER = ROOT / "contracts" / "examples"
EXAMPLES = sorted(FOLDER.glob("*/*.json"))
FACTS = {fact.__name__: fact for fact in facts()}
NEWER = FOLDER / "TranscriptCreatedV1" / "from-a-newer-producer.json"


def read(path: Path) -> Event[Fact]:
    fact = FACTS[path.parent.name]
    event: Event[Fact] = Event[fact].model_validate_json(path.read_bytes())  # type: ignore[valid-type] # the type is data here
    return event


def validator(fact: type[Fact]) -> Draft202012Validator:
    schema = event_schema(fact)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
def test_the_current_model_reads_a_golden_message(path: Path) -> None:
    event = read(path)
    assert event.type == type(event.data).__name__ == path.parent.name
    assert event.occurred_at.tzinfo is not None


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
def test_a_golden_message_is_valid_by_its_schema(path: Path) -> None:
    problems = [e.message for e in validator(FACTS[path.parent.name]).iter_errors(json.loads(path.read_bytes()))]
    assert problems == []


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
def test_what_is_written_again_is_valid_and_says_the_same(path: Path) -> None:
    event = read(path)
    again = json.loads(event.model_dump_json())
    assert [e.message for e in validator(type(event.data)).iter_errors(again)] == []
    assert Event[type(event.data)].model_validate(again) == event  # type: ignore[misc] # the type is data here


def test_properties_of_a_newer_producer_are_ignored() -> None:
    raw = json.loads(NEWER.read_bytes())
    known, more = event_schema(FACTS["TranscriptCreatedV1"]), (raw, raw["data"], raw["data"]["required"][0])
    places = (known, known["$defs"]["TranscriptCreatedV1"], known["$defs"]["Signer"])
    assert all(set(said) - set(place["properties"]) for said, place in zip(more, places, strict=True)), "there is nothing unknown in it"
    assert "region" not in read(NEWER).model_dump()


def test_a_schema_refuses_the_message_of_another_type() -> None:
    raw: dict[str, Any] = json.loads((FOLDER / "SubmissionClearedV1" / "claimed.json").read_bytes())
    assert validator(FACTS["SubmissionClearedV1"]).is_valid(raw)
    assert not validator(FACTS["SubmissionClearedV1"]).is_valid({**raw, "type": "SubmissionDeniedV1"})
    assert not validator(FACTS["SubmissionDeniedV1"]).is_valid({**raw, "type": "SubmissionDeniedV1"})


def test_no_golden_message_was_ever_edited_or_removed() -> None:
    now = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in EXAMPLES}
    base = base_commit()
    before = files_at(base, "contracts/examples") if base else {}
    assert edited(before, now) == [], "add another message instead"
    assert len(now) >= len(FACTS)
