"""The contents that `render` prints: the pupils of the sample schools over and over, each time with words of their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from uuid import UUID

from infra.bench.peer import contents
from infra.demo.school import read
from services.records.imports.preview import preview
from services.records.schoolyear import TranscriptContent

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SCHOOLS = ("an-hong", "thcs-minh-hoa")
LETTERS = "abcdefghij"


@cache
def _schools() -> tuple[tuple[TranscriptContent, ...], ...]:
    return tuple(tuple(contents(preview(read(SAMPLES / name).files))) for name in SCHOOLS)


def bench_content(number: int) -> TranscriptContent:
    """Primary and lower secondary by turns; no two numbers give the same document."""
    pupils = _schools()[number % len(SCHOOLS)]
    content = pupils[number // len(SCHOOLS) % len(pupils)]
    identifier = str(UUID(int=(0x0197F3A2 << 96) + (7 << 76) + (8 << 62) + number))
    name = f"{content.pupil.name} {''.join(LETTERS[int(digit)] for digit in str(number))}"
    return content.model_copy(
        update={
            "id": identifier,
            "pupil": content.pupil.model_copy(update={"name": name}),
            "verify_url": content.verify_url.replace(content.id, identifier),
        }
    )
