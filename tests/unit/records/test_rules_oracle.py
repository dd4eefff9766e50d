"""Rules against the data tool, which rates pupils and plants contradictions by its own code."""

from __future__ import annotations

import pytest

from services.records.imports.preview import preview
from services.records.rules.completeness import contradictions
from services.records.schoolyear import PrimaryResult, SecondaryResult
from tests.unit.records.import_files import made

CASES = [(level, seed) for level in ("TH", "THCS", "THPT") for seed in (11, 12, 13)]


@pytest.mark.parametrize(("level", "seed"), CASES)
def test_exactly_the_planted_contradictions_are_found_with_their_articles(level: str, seed: int) -> None:
    files, expected = made(level, seed, pupils=32, contradictions=8)
    seen = preview(files)
    assert seen.school
    assert len(seen.pupils) == len(expected["pupils"])
    grades = {school_class.code: school_class.grade for school_class in seen.classes}
    found = {
        (pupil.code, wrong.kind, wrong.found, wrong.right, wrong.article)
        for pupil in seen.pupils
        for wrong in contradictions(seen.results[pupil.code], grades[pupil.class_code], seen.school.year)
    }
    planted = {
        (wrong["pupil"], wrong["kind"], str(wrong["found"]), str(wrong["right"]), wrong["article"]) for wrong in expected["contradictions"]
    }
    assert planted
    assert found == planted


@pytest.mark.parametrize(("level", "seed"), CASES)
def test_ratings_that_the_tool_computed_are_found_right(level: str, seed: int) -> None:
    files, expected = made(level, seed, pupils=32)
    seen = preview(files)
    assert seen.school
    grades = {school_class.code: school_class.grade for school_class in seen.classes}
    for pupil in seen.pupils:
        result, right = seen.results[pupil.code], expected["pupils"][pupil.code]
        assert contradictions(result, grades[pupil.class_code], seen.school.year) == []
        assert (result.award, result.promoted) == (right["award"], right["promoted"])
        if isinstance(result, PrimaryResult):
            assert result.rating == right["rating"]
        else:
            assert [*result.study] == right["study"]
            assert [*result.conduct] == right["conduct"]
            assert result.absent_excused + result.absent_unexcused == right["absent"]


def test_the_tool_made_pupils_whom_article_9_3_raises() -> None:
    _, expected = made("THCS", 11, pupils=32)
    assert any(pupil["art_9_3"] for pupil in expected["pupils"].values())


def test_results_are_of_the_kind_of_their_level() -> None:
    assert all(isinstance(result, PrimaryResult) for result in preview(made("TH")[0]).results.values())
    assert all(isinstance(result, SecondaryResult) for result in preview(made("THPT")[0]).results.values())
