"""Which steps a document goes through, by kind, level, school type and school year: data (`policies.toml`), checked when it is read.

Secondary: subject teachers (in parallel) → homeroom → leader → issue (guide 001). Primary: the same, where the homeroom
teacher's one signature covers the subjects that they teach in the class (regulation of a school, 003 Đ5, Đ11; guide 000).
Class summaries, which primary schools alone have: homeroom → leader → issue (guide 000, section 3).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.documents import DocumentKind
from services.signing.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.events.records import Signer

WHO = {"subjects": "subject_teachers", "homeroom": "homeroom_teacher", "leader": "leader", "issue": "school"}
ORDER = tuple(STEPS)
KINDS_STEPS: dict[DocumentKind, tuple[str, ...]] = {"transcript": ORDER, "class_summary": tuple(s for s in ORDER if s != "subjects")}
"""Every kind's steps: what comes after a step (rendering, the archive level, telling records) is built for these."""


class PolicyStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["subjects", "homeroom", "leader", "issue"]
    who: Literal["subject_teachers", "homeroom_teacher", "leader", "school"]
    order: Literal["parallel", "serial"]
    formats: tuple[Literal["xml", "pdf"], ...]
    signature_level: Literal["B-B", "B-LTA"]

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.who != WHO[self.name]:
            raise ValueError(f"the step {self.name} is signed by {WHO[self.name]}, not by {self.who}")
        signed = ("xml",) if STEPS[self.name].pdf_field is None else ("xml", "pdf")
        if self.formats != signed:
            raise ValueError(f"the step {self.name} signs {' and '.join(signed)}")
        if (self.signature_level == "B-LTA") != (self.name == "issue"):
            raise ValueError("the archive level comes with the school's signature, and with no other")
        if self.order == "parallel" and self.name != "subjects":
            raise ValueError(f"the step {self.name} has one signer: it is serial")
        return self


class Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DocumentKind
    level: Literal["TH", "THCS", "THPT"]
    school_types: tuple[str, ...]
    from_year: str = Field(pattern=r"^\d{4}-\d{4}$")
    homeroom_signs_own_subjects_once: bool
    steps: tuple[PolicyStep, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if tuple(s.name for s in self.steps) != KINDS_STEPS[self.kind]:
            raise ValueError(f"the steps of a {self.kind} are {', '.join(KINDS_STEPS[self.kind])}, in this order")
        first, second = self.from_year.split("-")
        if int(second) != int(first) + 1:
            raise ValueError(f"{self.from_year} is no school year")
        return self


class PolicyFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: tuple[Policy, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        places = Counter((p.kind, p.level, p.from_year, t) for p in self.policy for t in (p.school_types or ("",)))
        twice = [place for place, count in places.items() if count > 1]
        if twice:
            raise ValueError(f"two policies for the same documents: {twice[0]}")
        return self


def read(text: str) -> tuple[Policy, ...]:
    """Raises ValueError (pydantic's, or of TOML) with everything that is wrong: the service does not start with it."""
    return PolicyFile.model_validate(tomllib.loads(text)).policy


POLICIES = read(Path(__file__).with_name("policies.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class PlannedStep:
    name: str
    order: str
    signers: tuple[Signer, ...]


def policy_for(
    level: str, year: str, kind: DocumentKind = "transcript", school_type: str = "", *, policies: Sequence[Policy] = POLICIES
) -> Policy:
    """The newest policy of kind and level that holds in the school year, one for the school's type first.

    `school_type` "" is a school whose type is not known. Raises LookupError when there is none.
    """
    fitting = [
        p
        for p in policies
        if (p.kind, p.level) == (kind, level) and p.from_year <= year and (not p.school_types or school_type in p.school_types)
    ]
    if not fitting:
        raise LookupError(f"no signing policy for a {kind} of {level} in {year}")
    return max(fitting, key=lambda p: (bool(p.school_types), p.from_year))


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
    return tuple(PlannedStep(step.name, step.order, signers[step.name]) for step in policy.steps)
