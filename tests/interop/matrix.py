"""All documents of the matrix, made, tampered with and judged once a run: what the tests then look at."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop import tampering
from tests.interop.archived import PlainTimestamps, archivist
from tests.interop.oracles import Signature, Verdict, dss, verapdf
from tests.interop.transcripts import CASES, KINDS, Case, People, make_transcript
from tests.unit.sandbox.conftest import Server, free_port

XML_CHANGES: Mapping[str, tampering.Change] = {
    each.__name__: each
    for each in (
        tampering.changed_mark,
        tampering.changed_signing_time,
        tampering.changed_value,
        tampering.element_inside_content,
        tampering.element_beside_content,
        tampering.element_among_signatures,
        tampering.comment_inside_mark,
        tampering.without_first_signature,
        tampering.without_last_signature,
        tampering.foreign_signature_timestamp,
        tampering.foreign_archive_timestamp,
    )
}
PDF_CHANGES: Mapping[str, tampering.Change] = {
    each.__name__: each
    for each in (
        tampering.changed_byte,
        tampering.added_content,
        tampering.added_annotation,
        tampering.emptied_field,
        tampering.appended_bytes,
        tampering.without_last_revision,
        tampering.without_school,
        tampering.foreign_timestamp,
    )
}
LATER_CHANGES = ("added_content", "added_annotation", "emptied_field")
"""Of a PDF: what EU DSS's default policy and a stricter one see differently."""
TAMPERED_TEACHERS, OTHER_TEACHERS = 3, 1
YEARS = dt.timedelta(days=5 * 365)
"""Past the end of the signers' certificates (three years), before that of the timestamping unit's (ten)."""


@dataclass(frozen=True)
class Matrix:
    """Where the documents are, and what the slow validators say of them; `nothing` is an empty folder in place of revocation lists."""

    place: Path
    trust: Path
    lists: Path
    made: dt.datetime
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def nothing(self) -> Path:
        return self.place / "nothing"

    @property
    def at(self) -> dt.datetime:
        """When our own verification and pyHanko look: after everything was archived, while OCSP responses are fresh."""
        return self.made + dt.timedelta(minutes=10)

    @cached_property
    def roots(self) -> list[bytes]:
        found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in sorted(self.trust.glob("*.pem"))]
        return [one.public_bytes(Encoding.DER) for one in found]

    def keep(self, name: str, document: bytes) -> None:
        self.files[name] = self.place / name
        self.files[name].write_bytes(document)

    def _of(self, *words: str) -> list[Path]:
        return [file for name, file in self.files.items() if any(word in name for word in words)]

    @cached_property
    def judged(self) -> dict[Path, list[Signature]]:
        """EU DSS, strict on later changes, with the roots and what is in each document."""
        return dss([file for name, file in self.files.items() if "alone" not in name], self.trust, self.nothing, strict=True)

    @cached_property
    def judged_by_default(self) -> dict[Path, list[Signature]]:
        """EU DSS with its default policy and the lists at hand."""
        return dss(self._of("alone", *LATER_CHANGES), self.trust, self.lists)

    @cached_property
    def judged_later(self) -> dict[Path, list[Signature]]:
        """EU DSS, years later."""
        files = [self.files[f"{kind}-{TAMPERED_TEACHERS + 3}.{sort}"] for kind in KINDS for sort in ("xml", "pdf")]
        return dss(files, self.trust, self.nothing, at=self.at + YEARS)

    @cached_property
    def archival(self) -> dict[Path, Verdict]:
        pdfs = self._of(".pdf")
        return verapdf([file for file in pdfs if not any(change in file.name for change in PDF_CHANGES)] + self._of("appended_bytes"))

    @cached_property
    def accessible(self) -> dict[Path, Verdict]:
        """The documents as they are, against PDF/UA-1."""
        return verapdf([file for file in self._of(".pdf") if not any(change in file.name for change in PDF_CHANGES)], "ua1")


def make_matrix(place: Path) -> Matrix:
    """Everything that needs the sandbox PKI, which has ended when this returns."""
    server = Server("pki", place / "sandbox", free_port(), [])
    try:
        server.start()
        matrix = Matrix(place, place / "sandbox" / "trust", place / "sandbox" / "crl", dt.datetime.now(dt.UTC).replace(microsecond=0))
        matrix.nothing.mkdir()
        asyncio.run(_fill(matrix, server))
    finally:
        server.stop()
    return matrix


async def _fill(matrix: Matrix, server: Server) -> None:
    people = People(server.client)
    transcripts = {case: make_transcript(case, people, matrix.made) for case in CASES}
    async with archivist(f"http://127.0.0.1:{server.port}/tsa", matrix.roots) as archive:
        closed = {case: await archive.close(transcript) for case, transcript in transcripts.items()}
        for case, documents in closed.items():
            matrix.keep(f"{case}.xml", documents.xml)
            matrix.keep(f"{case}.pdf", documents.pdf)
        for kind in KINDS:
            subject, other = Case(kind, TAMPERED_TEACHERS), Case(kind, OTHER_TEACHERS)
            own, foreign = closed[subject], closed[other]
            for name, change in XML_CHANGES.items():
                matrix.keep(f"{kind}-{name}.xml", change(own.xml, foreign.xml))
            for name, change in PDF_CHANGES.items():
                matrix.keep(f"{kind}-{name}.pdf", change(own.pdf, foreign.pdf))
            renewed = await archive.renew(own)
            matrix.keep(f"{kind}-renewed.xml", renewed.xml)
            matrix.keep(f"{kind}-renewed.pdf", renewed.pdf)
            matrix.keep(f"{kind}-stamped_again.pdf", await tampering.with_another_timestamp(own.pdf, PlainTimestamps(server.client)))
            matrix.keep(f"{kind}-alone.xml", transcripts[subject].alone_xml)
            matrix.keep(f"{kind}-alone.pdf", transcripts[subject].alone_pdf)
