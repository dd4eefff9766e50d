"""What an owner tells at the end of a republishing, so that whoever loads its snapshots knows when all of them are there."""

from __future__ import annotations

from pydantic import Field

from contracts.event import Fact


class SnapshotsTold(Fact):
    """`run` names the republishing, `subjects` how many snapshots it told. Each topic has its own type; the subject is the run."""

    run: str
    subjects: int = Field(ge=0)
