"""The page of the rules says what the data files say: a changed threshold changes the words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from services.records.rules.in_words import Described, described
from services.records.rules.routes import in_force, without_rules, year_of
from services.records.rules.ruleset import GRADES, primary_rules, secondary_rules

YEAR = "2025-2026"


def words(found: Described) -> str:
    said = []
    for part in found.parts:
        said += [part.title, part.article, *part.lines, *part.columns, *(cell for row in part.rows for cell in row)]
    return "\n".join(said)


@pytest.mark.parametrize("level", GRADES)
def test_every_threshold_article_and_subject_of_a_level_is_said(level: str) -> None:
    [found] = in_force(level, YEAR)
    said = words(found)
    rules = primary_rules(1, YEAR) if level == "TH" else secondary_rules(GRADES[level][0], YEAR)
    for grade in GRADES[level]:
        for subject in rules.required(grade):
            assert subject.name in said
    assert all(article in said for article in rules.articles.values())
    assert all(award in said for award in rules.award_names)
    assert (found.circular, found.version, found.source) == (rules.circular, rules.version, rules.source)


def test_secondary_thresholds_are_written_as_vietnam_writes_numbers() -> None:
    said = words(in_force("THCS", YEAR)[0])
    for text in ("8,0", "6,5", "5,0", "3,5", "9,0", "45 buổi", "(HKI × 1 + HKII × 2) / 3", "Đến 35 tiết"):
        assert text in said


def test_a_changed_threshold_changes_the_words() -> None:
    rules = secondary_rules(6, YEAR)
    stricter = rules.study[0].model_copy(update={"least": Decimal("6.6")})
    changed = rules.model_copy(update={"study": (stricter, *rules.study[1:])})
    assert "6,6" in words(described(changed, [6]))
    assert "6,6" not in words(described(rules, [6]))
    absent = rules.model_copy(update={"promotion": rules.promotion.model_copy(update={"most_absences": 30})})
    assert "không quá 30 buổi" in words(described(absent, [6]))


def test_every_row_of_a_table_has_a_cell_for_each_column() -> None:
    for level in GRADES:
        for found in in_force(level, YEAR):
            for part in found.parts:
                assert all(len(row) == len(part.columns) for row in part.rows)
                assert part.article


def test_grades_without_rules_in_a_year_are_named() -> None:
    [found] = in_force("TH", "2022-2023")
    assert found.grades == (1, 2, 3)
    assert without_rules("TH", [found]) == [4, 5]
    assert in_force("THPT", "2019-2020") == []


def test_a_school_year_begins_in_august() -> None:
    assert year_of(dt.date(2026, 7, 31)) == "2025-2026"
    assert year_of(dt.date(2026, 8, 1)) == "2026-2027"
