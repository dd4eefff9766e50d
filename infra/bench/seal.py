"""`seal`: transcripts brought to the archive level a second and core, beside pyHanko's own calls for the PDF alone.

Ours: both documents, with validation data of all signers, three timestamps, every token checked. The peer: validation data of the
PDF's three signers and one document timestamp. Processor time of this process; the timestamping authority, responders and lists are
the sandbox's, in a process of their own. Both sides keep what they have fetched about the same signers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from io import BytesIO
from statistics import median

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation.dss import async_add_validation_info
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

from infra.bench.figures import Figure, Options
from infra.bench.signed_transcripts import Desk, desk
from infra.stack.instance import write_json
from services.means.timestamps import outgoing
from tests.interop.archived import archivist
from tests.interop.transcripts import Transcript

DOCUMENTS, PEER_DOCUMENTS = 40, 10
TOLERANCE = dt.timedelta(minutes=1)
"""What is fetched meanwhile may be younger than the moment at which the peer began."""


def seal(options: Options) -> Figure:
    with desk() as sandbox:
        transcript = sandbox.transcript()
        own, grown = asyncio.run(_own(sandbox, transcript))
        plain = asyncio.run(_pyhanko(sandbox, transcript))
    told = {"milliseconds": {"own": round(own * 1000, 1), "pyhanko": round(plain * 1000, 1)}, "bytes_added": grown}
    (options.out / "bench").mkdir(parents=True, exist_ok=True)
    write_json(options.out / "bench" / "seal.json", told)
    print(f"seal: {told}")
    return Figure(
        name="seal",
        value=round(1 / own, 1),
        unit="transcripts (XML and PDF) brought to LTA/s and core",
        peer="pyHanko's own calls, the PDF alone, same run",
        peer_value=round(1 / plain, 1),
        ratio=round(plain / own, 1),
        command="make bench NAMES=seal",
    )


async def _own(sandbox: Desk, transcript: Transcript) -> tuple[float, dict[str, int]]:
    """Seconds of a transcript, and by how much the files grow."""
    async with archivist(sandbox.tsa, sandbox.roots) as archive:
        closed = await archive.close(transcript)
        grown = {"xml": len(closed.xml) - len(transcript.xml), "pdf": len(closed.pdf) - len(transcript.pdf)}
        spent = []
        for _ in range(DOCUMENTS):
            began = time.process_time()
            await archive.close(transcript)
            spent.append(time.process_time() - began)
    return median(spent), grown


async def _pyhanko(sandbox: Desk, transcript: Transcript) -> float:
    """Seconds of a PDF."""
    roots = [asn1_x509.Certificate.load(root) for root in sandbox.roots]
    async with outgoing() as session:
        fetchers = AIOHttpFetcherBackend(session).get_fetchers()
        stamper = HTTPTimeStamper(sandbox.tsa, session=session)
        spent = []
        for _ in range(PEER_DOCUMENTS + 1):
            began = time.process_time()
            context = ValidationContext(
                trust_roots=roots, allow_fetching=True, fetchers=fetchers, revocation_mode="require", time_tolerance=TOLERANCE
            )
            document = transcript.pdf
            for number in range(3):
                signature = PdfFileReader(BytesIO(document)).embedded_regular_signatures[number]
                document = (await async_add_validation_info(signature, context)).getvalue()
            writer = IncrementalPdfFileWriter(BytesIO(document))
            await PdfTimeStamper(stamper).async_timestamp_pdf(writer, "sha256", context)
            spent.append(time.process_time() - began)
    return median(spent[1:])
