"""The committed descriptions are what the code says, and they hang together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from contracts.access import CONFIRMED, Action, Role
from contracts.topics import TOPICS, dead_letter_topics
from infra.generate import ROOT, SERVICES, openapi, schemas, tables
from infra.generate.__main__ import left_over, outputs, stale
from infra.generate.asyncapi import PATH, document


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return outputs()


def test_the_committed_files_are_what_the_code_says(generated: dict[str, str]) -> None:
    assert sorted(stale(generated)) == []
    assert left_over(generated) == []


def test_generating_twice_gives_the_same_bytes(generated: dict[str, str]) -> None:
    assert outputs() == generated


def test_a_stale_a_missing_and_a_left_over_file_are_each_named(tmp_path: Path) -> None:
    schemas_folder = tmp_path / "contracts" / "schemas"
    schemas_folder.mkdir(parents=True)
    (schemas_folder / "GoneV1.json").write_text("{}\n")
    (schemas_folder / "OldV1.json").write_text("old\n")
    wanted = {"contracts/schemas/OldV1.json": "new\n", "contracts/schemas/MissingV1.json": "{}\n"}
    assert {path: lines[-1] for path, lines in stale(wanted, tmp_path).items()} == {
        "contracts/schemas/OldV1.json": "+new",
        "contracts/schemas/MissingV1.json": "+{}",
    }
    assert left_over(wanted, tmp_path) == ["contracts/schemas/GoneV1.json"]


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        return [r for key, value in part.items() for r in ([value] if key == "$ref" else references(value))]
    return [r for each in part for r in references(each)] if isinstance(part, list) else []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    written: dict[str, Any] = yaml.safe_load((ROOT / PATH).read_text(encoding="utf-8"))
    assert written == document()
    for reference in references(written):
        if reference.startswith("./"):
            assert (ROOT / "contracts" / reference).is_file(), reference
            continue
        place: Any = written
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place, reference


def test_the_asyncapi_document_is_one_by_the_published_model() -> None:
    parsed = ApplicationSchema.model_validate(document())
    assert set(parsed.channels) == {t.name for t in TOPICS} | set(dead_letter_topics())
    assert {o.action if isinstance(o.action, str) else o.action.value for o in parsed.operations.values()} == {"send", "receive"}


def test_every_type_of_event_travels_on_exactly_one_topic() -> None:
    on_topics = [name for t in TOPICS for name in document()["channels"][t.name]["messages"]]
    assert sorted(on_topics) == [fact.__name__ for fact in schemas.facts()]


@pytest.mark.parametrize("name", SERVICES)
def test_an_openapi_description_holds_the_paths_of_its_service_alone(name: str) -> None:
    described = openapi.app_of(name).openapi()
    assert described["openapi"].startswith("3.1")
    assert described["paths"]
    assert all(path.startswith(f"/api/{name}/") for path in described["paths"])


def test_the_error_page_names_every_refusal_and_every_finding() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = [r.code for refusals in tables.catalogues().values() for r in refusals] + [c.code for c in tables.import_findings()]
    assert len(codes) > 80
    assert [code for code in codes if page.count(f"`{code}`") != 1] == []


def test_the_rights_page_has_a_row_for_every_action_and_a_column_for_every_role_and_the_confirmation() -> None:
    lines = (ROOT / "docs" / "architecture" / "access.md").read_text(encoding="utf-8").splitlines()
    rows = {line.split("|")[1].strip(" `"): line for line in lines if line.startswith("| `")}
    assert {a.value for a in Action} <= set(rows)
    assert all(rows[a.value].count("|") == len(Role) + 3 for a in Action)
    assert {a for a in Action if rows[a.value].endswith(" yes |")} == CONFIRMED
    assert rows[Action.CONFIRM.value].split("|")[2:4] == [" school ", " – "]
