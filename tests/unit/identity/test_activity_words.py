"""Acts in words: none without, and what was before and after can be read."""

from __future__ import annotations

import unicodedata

import pytest

from services.identity.activity import rules
from services.identity.activity.words import ACTS, FIELDS, KINDS, VALUES, lines, value, words_of
from services.records.transcripts.confirmation import ACTS as CONFIRMATION_ACTS
from tests.unit.identity import recorded_acts


def test_every_act_that_any_service_records_has_words() -> None:
    found = recorded_acts.acts()
    assert len(found) > 25
    assert {act: where for act, where in found.items() if act not in ACTS} == {}
    assert set(CONFIRMATION_ACTS) <= set(ACTS)


def test_every_line_of_the_table_is_an_act_that_is_recorded() -> None:
    assert sorted(set(ACTS) - set(recorded_acts.acts()) - set(CONFIRMATION_ACTS)) == []


def test_every_act_is_recorded_with_the_place_that_it_concerns() -> None:
    found = recorded_acts.recordings()
    assert len(found) > 25
    assert [each.place for each in found if "place" not in each.keywords] == []


def test_every_detail_that_is_recorded_has_a_name_in_words() -> None:
    assert sorted(recorded_acts.detail_names() - set(FIELDS)) == []


def test_the_rules_watch_acts_that_are_recorded() -> None:
    assert sorted(set(rules.WATCHED) - set(recorded_acts.acts())) == []


def test_the_words_are_vietnamese_and_whole() -> None:
    for text in (*(words.text for words in ACTS.values()), *FIELDS.values(), *VALUES.values()):
        assert unicodedata.is_normalized("NFC", text)
        assert text.strip() == text
        assert text[0].isupper(), text
    assert {words.kind for words in ACTS.values()} == set(KINDS)


def test_an_act_of_a_newer_service_is_shown_as_it_is_recorded() -> None:
    assert words_of("moved the moon").text == "moved the moon"


def test_before_and_after_of_a_state_stand_in_one_line() -> None:
    details = {"before": "PENDING", "after": "APPROVED", "reason": ""}
    assert list(lines(details)) == [("Thay đổi", "Chờ duyệt → Đã duyệt"), ("Lý do", "không có")]


def test_of_two_documents_only_what_differs_is_shown() -> None:
    details = {"before": {"name": "An", "roles": ["a"]}, "after": {"name": "An", "roles": ["a", "b"]}}
    assert list(lines(details)) == [("Vai trò", "a → a, b")]


def test_what_came_into_being_shows_what_it_is() -> None:
    assert list(lines({"before": None, "after": True})) == [("Thay đổi", "không có → có")]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (None, "không có"),
        ([], "không có"),
        (False, "không"),
        (1240, "1.240"),
        ({"$datetime": "2026-05-28T07:03:00.000+00:00"}, "28/05/2026 14:03 +07:00"),
        ({"step": "issue"}, "Bước ký: Ký phát hành"),
        ([str(n) for n in range(12)], "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 và 2 mục khác"),
    ],
)
def test_a_value_is_said_in_words(held: object, words: str) -> None:
    assert value(held) == words
