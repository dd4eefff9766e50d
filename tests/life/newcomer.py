"""A pupil of another school who arrives with a sealed package: really signed, since whoever takes it verifies it first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.chassis.settings import Settings
from services.records.archive.sealing import Seal
from tests.factories.transcripts import pupil
from tests.life.school import HOMES
from tests.unit.records.sealed_transcripts import changed, content_of, dossier_of, sealed, transfer_package
from tests.unit.signing.sealed import Sandbox

CODE = "312500199001"


@dataclass(frozen=True)
class Newcomer:
    """`package` is sound, `spoilt` the same with one other bit in a document."""

    code: str
    package: bytes
    spoilt: bytes

    @classmethod
    def made(cls, sandbox: Path, settings: Settings) -> Newcomer:
        """Signed by people of the sandbox PKI, sealed by an installation that this one believes."""
        content = content_of(pupil=pupil(code=CODE, address=HOMES[0]))
        package = transfer_package(Seal(settings), dossier_of([content]), [sealed(Sandbox.open(sandbox), content)])
        return cls(CODE, package, changed(package, len(package) // 3))
