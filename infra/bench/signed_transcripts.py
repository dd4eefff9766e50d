"""Documents for the benchmarks of signing: a lower secondary transcript with real words, signed by people of a sandbox PKI.

The PKI is a process of its own, so its work does not count where processor time is measured.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.records.render.xml import transcript_xml
from tests.interop.transcripts import Case, People, Transcript, content_of, make_transcript
from tests.unit.sandbox.conftest import Server, free_port

CASE = Case("THCS", 3)
"""Six signatures in the XML, three in the PDF, in all three schemes."""


@dataclass(frozen=True)
class Desk:
    """`folder` is the sandbox's, with trust/ and crl/."""

    folder: Path
    address: str
    people: People

    @property
    def tsa(self) -> str:
        return f"{self.address}/tsa"

    @property
    def roots(self) -> list[bytes]:
        found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in sorted((self.folder / "trust").glob("*.pem"))]
        return [one.public_bytes(Encoding.DER) for one in found]

    def transcript(self) -> Transcript:
        """All signatures, level B."""
        return make_transcript(CASE, self.people, dt.datetime.now(dt.UTC).replace(microsecond=0))


@contextmanager
def desk() -> Iterator[Desk]:
    with TemporaryDirectory(prefix="hocba-bench-") as place:
        server = Server("pki", Path(place) / "sandbox", free_port(), [])
        try:
            server.start()
            yield Desk(server.directory, f"http://127.0.0.1:{server.port}", People(server.client))
        finally:
            server.stop()


def content_xml() -> bytes:
    """Unsigned."""
    return transcript_xml(content_of(CASE))
