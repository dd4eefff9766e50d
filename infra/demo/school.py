"""The school's export as its administrator has it on disk; only what the demo's people know from daily life is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.records.imports.preview import preview
from services.records.schoolyear import School, SchoolClass, Staff


@dataclass(frozen=True)
class Export:
    files: dict[str, bytes]
    school: School
    staff: tuple[Staff, ...]
    classes: tuple[SchoolClass, ...]
    signing_staff: frozenset[str]
    pupils: int
    incomplete: int

    @property
    def administrator(self) -> Staff:
        return next(s for s in self.staff if s.administrator)

    @property
    def issuer(self) -> Staff:
        return next(s for s in self.staff if s.issuer)


def read(folder: Path) -> Export:
    """Raises SystemExit when the folder holds no export (see samples/)."""
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.xlsx"))}
    if not files:
        raise SystemExit(f"{folder}: no workbooks")
    seen = preview(files)
    if seen.school is None:
        raise SystemExit(f"{folder}: {[f.message_vi for f in seen.findings if f.severity == 'error'][:5]}")
    signing = {a.staff for a in seen.assignments} | {c.homeroom for c in seen.classes} | {c.leader for c in seen.classes}
    refused = {r.pupil for r in seen.refused_pupils}
    return Export(
        files=files,
        school=seen.school,
        staff=seen.staff,
        classes=seen.classes,
        signing_staff=frozenset(signing),
        pupils=len({p.code for p in seen.pupils} | refused),
        incomplete=len(refused),
    )
