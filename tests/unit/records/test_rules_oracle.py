"""Rules against the data tool, which rates pupils and plants contradictions by its own code, and against the samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from services.records.imports.preview import Preview, preview
from services.records.rules.completeness import contradictions
from services.records.rules.primary import primary_verdict
from services.records.rules.remarks import remarks
from services.records.rules.ruleset import Contradiction
from services.records.rules.secondary import secondary_verdict
from services.records.schoolyear import PrimaryResult, Result, SecondaryResult
from tests.unit.records.import_files import SAMPLES, expected, load, made

LEVELS = ("TH", "THCS", "THPT")
CASES = [(level, seed) for level in LEVELS for seed in (11, 12)]
MANY = [(level, seed) for number, level in enumerate(LEVELS) for seed in range(1000, 1067 - (number == 0))]
"""Two hundred schools."""


def results_of(seen: Preview) -> Iterator[tuple[str, Result, int]]:
    """(pupil, result, grade) of everybody who has a result."""
    grades = {school_class.code: school_class.grade for school_class in seen.classes}
    return ((pupil.code, seen.results[pupil.code], grades[pupil.class_code]) for pupil in seen.pupils)


def found_in(seen: Preview) -> list[tuple[str, Contradiction]]:
    assert seen.school
    return [(pupil, wrong) for pupil, result, grade in results_of(seen) for wrong in contradictions(result, grade, seen.school.year)]


def planted_in(told: dict[str, Any]) -> Counter[tuple[str, ...]]:
    return Counter((p["pupil"], p["kind"], str(p["found"]), str(p["right"]), p["article"]) for p in told["contradictions"])


def computed(result: Result, grade: int, year: str) -> dict[str, object]:
    """What the rules give, in the words of expected.json."""
    if isinstance(result, PrimaryResult):
        right = primary_verdict(result, grade, year)
        assert right
        return {"rating": right.rating, "award": right.award, "promoted": right.completed}
    verdict = secondary_verdict(result, grade, year)
    studies = [study for study in verdict.study if study]
    return {
        "study": [level for level, _ in studies],
        "conduct": [*result.conduct[:2], verdict.conduct],
        "award": verdict.award,
        "promoted": verdict.promoted,
        "absent": result.absent_excused + result.absent_unexcused,
        "art_9_3": studies[2][1],
    }


def blind(result: Result) -> Result:
    """The same pupil with every rating, average, award and promotion taken out: nothing is left to be copied."""
    if isinstance(result, PrimaryResult):
        return result.model_copy(update={"rating": "", "award": "", "completed": False, "promoted": False})
    subjects = tuple(subject.model_copy(update={"year": ""}) for subject in result.subjects)
    empty = {"subjects": subjects, "study": ("", "", ""), "conduct": (*result.conduct[:2], ""), "award": "", "promoted": False}
    return result.model_copy(update=empty)


def agree(seen: Preview, told: dict[str, Any]) -> None:
    """Every pupil's computed ratings are the tool's; exactly what it planted is refused, with its article and both values."""
    assert seen.school
    for code, result, grade in results_of(seen):
        right = {key: value for key, value in told["pupils"][code].items() if key != "class"}
        assert computed(blind(result), grade, seen.school.year) == right, code
        assert remarks(result, grade, seen.school.year) == []
    found = found_in(seen)
    assert Counter((pupil, wrong.kind, wrong.found, wrong.right, wrong.article) for pupil, wrong in found) == planted_in(told)
    for _, wrong in found:
        assert (wrong.found or "để trống") in wrong.message_vi or wrong.kind in {"completion", "promotion"}
        assert wrong.right in wrong.message_vi or wrong.kind in {"completion", "promotion"}


@pytest.mark.parametrize("name", ["an-hong", "thcs-minh-hoa"])
def test_the_rules_agree_with_everybody_of_the_sample_schools(name: str) -> None:
    seen, told = preview(load(SAMPLES / name)), expected(SAMPLES / name)
    refused = {refusal.pupil for refusal in seen.refused_pupils}
    assert {code for code, _, _ in results_of(seen)} == told["pupils"].keys() - refused
    agree(seen, told)


@pytest.mark.parametrize(("level", "seed"), CASES)
def test_exactly_the_planted_contradictions_are_refused_with_their_articles(level: str, seed: int) -> None:
    files, told = made(level, seed, pupils=32, contradictions=8)
    seen = preview(files)
    assert len(seen.pupils) == len(told["pupils"])
    assert told["contradictions"]
    agree(seen, told)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "seed"), MANY)
def test_two_hundred_schools_of_all_levels_agree_with_the_tool(level: str, seed: int) -> None:
    files, told = made(level, seed, pupils=24, contradictions=6)
    agree(preview(files), told)


def test_the_tool_made_pupils_whom_article_9_3_raises() -> None:
    _, told = made("THCS", 11, pupils=32, contradictions=8)
    raised = [pupil for pupil in told["pupils"].values() if pupil["art_9_3"]]
    assert {pupil["study"][2] for pupil in raised} >= {"Khá"}


def test_results_are_of_the_kind_of_their_level() -> None:
    assert all(isinstance(result, PrimaryResult) for result in preview(made("TH")[0]).results.values())
    assert all(isinstance(result, SecondaryResult) for result in preview(made("THPT")[0]).results.values())
