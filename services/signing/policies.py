"""Which steps a document goes through, by kind, level, school type and school year: data, not code.

Secondary: subject teachers (in parallel) → homeroom → leader → issue (guide 001). Primary: the same, where the homeroom
teacher's one signature covers the subjects that they teach in the class (regulation of a school, 003 Đ5, Đ11; guide 000).
Class summaries, which primary schools alone have: homeroom → leader → issue (guide 000, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.documents import DocumentKind
    from contracts.events.records import Signer


@dataclass(frozen=True)
class Policy:
    level: str
    steps: tuple[str, ...]
    homeroom_signs_own_subjects_once: bool
    from_year: str = "2020-2021"
    """The year of the 2018 programme's first grade: earlier years than the regulations' are digitised and signed alike (seed 004, V)."""
    kind: DocumentKind = "transcript"


POLICIES: tuple[Policy, ...] = (
    Policy("TH", ("subjects", "homeroom", "leader", "issue"), homeroom_signs_own_subjects_once=True),
    Policy("THCS", ("subjects", "homeroom", "leader", "issue"), homeroom_signs_own_subjects_once=False),
    Policy("THPT", ("subjects", "homeroom", "leader", "issue"), homeroom_signs_own_subjects_once=False),
    Policy("TH", ("homeroom", "leader", "issue"), homeroom_signs_own_subjects_once=False, kind="class_summary"),
)


@dataclass(frozen=True)
class PlannedStep:
    name: str
    signers: tuple[Signer, ...]


def policy_for(level: str, year: str, kind: DocumentKind = "transcript") -> Policy:
    """The newest policy of kind and level that holds in the school year. Raises LookupError when there is none."""
    fitting = [p for p in POLICIES if (p.kind, p.level) == (kind, level) and p.from_year <= year]
    if not fitting:
        raise LookupError(f"no signing policy for a {kind} of {level} in {year}")
    return max(fitting, key=lambda p: p.from_year)


def plan(policy: Policy, required: Sequence[Signer]) -> tuple[PlannedStep, ...]:
    """From who is assigned to who signs in which step; the issue step belongs to whoever holds the issue right."""
    homeroom = next(s for s in required if s.role == "homeroom")
    leader = next(s for s in required if s.role == "leader")
    teachers = [s for s in required if s.role == "subject_teacher"]
    if policy.homeroom_signs_own_subjects_once:
        own = [s for s in teachers if s.person == homeroom.person]
        teachers = [s for s in teachers if s.person != homeroom.person]
        homeroom = homeroom.model_copy(update={"subjects": own[0].subjects if own else ()})
    signers = {"subjects": tuple(teachers), "homeroom": (homeroom,), "leader": (leader,), "issue": ()}
    return tuple(PlannedStep(name, signers[name]) for name in policy.steps)
