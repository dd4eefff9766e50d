"""A signature is used only for the document that it was prepared on, while that still waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.access import Principal, Role
from services.signing.batches import why_not_now
from services.signing.errors import BEING_SIGNED, NOT_WAITING, STALE, YEAR_LOCKED
from services.signing.errors import RETURNED as RETURNED_ALREADY
from services.signing.tasks import at_step, basis_of, dropped, new_task, outdated
from tests.unit.signing.test_policies_and_tasks import HOMEROOM, MUSIC, created

BATCH = {"_id": "batch-1", "step": "subjects", "person": MUSIC}
PDF = {"bucket": "records", "key": "k", "sha256": "1" * 64, "size": 1}


def claimed(**more: Any) -> dict[str, Any]:
    return {**new_task(created()), "claims": {MUSIC: "batch-1"}, **more}


def why(task: dict[str, Any] | None, item: dict[str, Any] | None = None, locked: tuple[str, ...] = ()) -> Any:
    return outdated(task, item or {"basis": ["0" * 64]}, BATCH, claimant=MUSIC, locked=locked)


def test_a_document_that_still_waits_for_this_signature_gets_it() -> None:
    assert basis_of(claimed()) == ["0" * 64]
    assert why(claimed()) is None


@pytest.mark.parametrize(
    "task",
    [
        None,
        dropped(claimed()),
        at_step(claimed(), "homeroom"),
        claimed(claims={}),
        claimed(claims={MUSIC: "batch-2"}),
        claimed(waiting=[HOMEROOM]),
        claimed(pdf=PDF),
    ],
    ids=["gone", "cancelled", "a step on", "let go", "in another batch", "signed by then", "rendered anew"],
)
def test_a_document_that_went_on_without_the_signature_makes_it_stale(task: dict[str, Any] | None) -> None:
    assert why(task) is STALE


def test_a_year_that_was_locked_meanwhile_takes_no_signature() -> None:
    assert why(claimed(), locked=("2025-2026",)) is YEAR_LOCKED


def test_an_item_from_before_its_basis_was_kept_is_judged_by_the_rest() -> None:
    assert why(claimed(), {"transcript": "t-1"}) is None


def test_before_anything_is_asked_each_document_says_why_it_cannot_go_on() -> None:
    who = Principal(person=MUSIC, name="N", roles=frozenset({Role.SUBJECT_TEACHER}), school="31300001", level="TH")
    task = new_task(created())
    assert why_not_now(task, who, "subjects", ()) is None
    assert why_not_now(None, who, "subjects", ()) is NOT_WAITING
    assert why_not_now(task, who, "homeroom", ()) is NOT_WAITING
    assert why_not_now({**task, "school": "31300002"}, who, "subjects", ()) is NOT_WAITING
    assert why_not_now(claimed(), who, "subjects", ()) is BEING_SIGNED
    assert why_not_now(task, who, "subjects", ("2025-2026",)) is YEAR_LOCKED
    assert why_not_now(at_step(task, "returned"), who, "subjects", ()) is RETURNED_ALREADY
