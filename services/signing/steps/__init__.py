"""What each step's signature is: one file a step. A step says what its XML signature covers and which PDF field it fills."""

from __future__ import annotations

from services.signing.steps import homeroom_teacher, issue, kind, leader, subject_teacher
from services.signing.steps.kind import Intent, Prepared, Step

STEPS: dict[str, Step] = {s.STEP.name: s.STEP for s in (subject_teacher, homeroom_teacher, leader, issue)}


def prepare(intent: Intent, xml: bytes, pdf: bytes | None) -> Prepared:
    """In a process of the pool, so the step goes by its name."""
    return kind.prepare(STEPS[intent.step], intent, xml, pdf)
