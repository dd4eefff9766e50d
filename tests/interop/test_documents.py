"""Every kind of document at every level, as rendered, judged by veraPDF: archivable (PDF/A-3b) and accessible (PDF/UA-1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from services.records.render.pdf import summary_pdf, transcript_pdf
from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from services.records.schoolyear import SummaryContent, TranscriptContent
from tests.factories.copies import EVERYTHING, certified_copy
from tests.factories.pictures import signature_pictures
from tests.factories.summaries import summary_content
from tests.factories.transcripts import (
    filled_upper_secondary_content,
    primary_content,
    secondary_content,
    shared_subjects_content,
    subject_signatures,
    upper_secondary_content,
)
from tests.interop.oracles import Verdict, verapdf

FEW: dict[str, Callable[[], TranscriptContent | SummaryContent]] = {
    "primary": primary_content,
    "lower secondary": shared_subjects_content,
    "upper secondary": filled_upper_secondary_content,
    "summary of grade 5": lambda: summary_content(5, 12),
}
MORE: dict[str, Callable[[], TranscriptContent | SummaryContent]] = {
    "primary grade 1": lambda: primary_content(
        school_class=primary_content().school_class.model_copy(update={"grade": 1, "code": "1A", "name": "1A"})
    ),
    "lower secondary, a teacher a subject": secondary_content,
    "upper secondary, nothing optional": upper_secondary_content,
    "summary of grade 1": lambda: summary_content(1, 35),
    "summary of grade 3": lambda: summary_content(3, 60),
    "summary of grade 5, sixty pupils": lambda: summary_content(5, 60),
    "summary in the middle of the year": lambda: summary_content(4, 35, period="CK1"),
}


def rendered(content: TranscriptContent | SummaryContent, *, preview: bool = False, pictures: bool = False) -> bytes:
    if isinstance(content, SummaryContent):
        return summary_pdf(content, summary_xml(content), preview=preview)
    signatures = subject_signatures(content)
    drawn = signature_pictures(content) if pictures else None
    return transcript_pdf(content, signatures, transcript_xml(content), preview=preview, pictures=drawn)


def copies(*kinds: tuple[str, str]) -> dict[str, bytes]:
    """Certified copies of the first document of each level, by (kind, medium)."""
    made = {}
    for name, make in FEW.items():
        content = make()
        if isinstance(content, TranscriptContent):
            for kind, medium in kinds:
                parts = EVERYTHING if kind == "EXTRACT" else []
                copy = certified_copy(content, rendered(content), kind=kind, medium=medium, parts=parts, count=1)
                made[f"{name}, {kind.lower()} copy, {medium.lower()}"] = copy
    return made


def judged(folder: Path, made: dict[str, bytes], flavour: Literal["3b", "ua1"]) -> dict[str, Verdict]:
    files = {name: folder / f"{number}.pdf" for number, name in enumerate(made)}
    for name, file in files.items():
        file.write_bytes(made[name])
    verdicts = verapdf(files.values(), flavour)
    return {name: verdicts[file] for name, file in files.items()}


@pytest.fixture(scope="module")
def few() -> dict[str, bytes]:
    made = {name: rendered(make()) for name, make in FEW.items()}
    return {**made, "with pictures of signatures": rendered(shared_subjects_content(), pictures=True), **copies(("EXTRACT", "FILE"))}


@pytest.mark.parametrize("flavour", ["3b", "ua1"])
def test_verapdf_finds_a_document_of_each_kind_archivable_and_accessible(
    few: dict[str, bytes], flavour: Literal["3b", "ua1"], tmp_path: Path
) -> None:
    for name, verdict in judged(tmp_path, few, flavour).items():
        assert verdict.failures == (), name
        assert verdict.compliant, name


def test_verapdf_notices_a_field_outside_the_tags(few: dict[str, bytes], tmp_path: Path) -> None:
    untagged = few["primary"].replace(b"/S/Form/P", b"/S/Span/P")
    assert untagged != few["primary"]
    assert not judged(tmp_path, {"untagged": untagged}, "ua1")["untagged"].compliant


@pytest.mark.slow
@pytest.mark.parametrize("flavour", ["3b", "ua1"])
def test_verapdf_finds_every_kind_at_every_level_archivable_and_accessible(flavour: Literal["3b", "ua1"], tmp_path: Path) -> None:
    made = {name: rendered(make(), pictures=True) for name, make in (FEW | MORE).items()}
    made |= {f"{name}, preview": rendered(make(), preview=True) for name, make in FEW.items()}
    # a whole copy shows pages of the original, which are not read aloud
    kinds = ("EXTRACT",) if flavour == "ua1" else ("WHOLE", "EXTRACT")
    made |= copies(*((kind, medium) for kind in kinds for medium in ("PAPER", "FILE")))
    for name, verdict in judged(tmp_path, made, flavour).items():
        assert verdict.failures == (), name
        assert verdict.compliant, name
