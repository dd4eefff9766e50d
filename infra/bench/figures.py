"""`bench.json`: one line a figure, whichever benchmark it comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from infra.stack.instance import write_json


class Figure(BaseModel):
    """`value` and `peer_value` are in `unit`; `peer` says what the other value was measured on; `ratio` is value / peer_value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9.-]*$")
    value: float = Field(gt=0)
    unit: str = Field(min_length=1)
    peer: str = Field(min_length=1)
    peer_value: float = Field(gt=0)
    ratio: float = Field(gt=0)
    command: str = Field(min_length=1)


@dataclass(frozen=True)
class Options:
    """What a benchmark is told: the school's size, that of the peer's sample, where files go, and which instance it may start anew."""

    pupils: int
    peer_pupils: int
    out: Path
    instance: str
    documents: int = 0
    """How many a benchmark works on; 0 leaves it to the benchmark."""


FIGURES = TypeAdapter(list[Figure])


def read(path: Path) -> list[Figure]:
    """Raises ValidationError when the file is not of this form."""
    return FIGURES.validate_json(path.read_bytes()) if path.is_file() else []


def write(path: Path, new: Sequence[Figure]) -> None:
    """Figures of the same name are replaced, others stay; in the order of their names."""
    kept = {figure.name: figure for figure in (*read(path), *new)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, json.loads(FIGURES.dump_json([kept[name] for name in sorted(kept)])))
