"""Brings transcripts to the archive level as the signing service does, with the sandbox's timestamps and revocation data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from services.means.timestamps import TimestampAuthority, outgoing
from services.means.validation_data import ValidationSource
from services.signing import archive, pdf_archive, xml_archive
from services.signing.archive import Closed, Evidence

if TYPE_CHECKING:
    from services.signing.archive import Signer
    from tests.interop.transcripts import Transcript
PATIENCE_SECONDS = 60.0
"""What the tests are about is no matter of time."""


@dataclass(frozen=True)
class Archivist:
    authority: TimestampAuthority
    source: ValidationSource

    async def close(self, transcript: Transcript) -> Closed:
        opened = archive.open_documents(transcript.xml)
        evidence = Evidence(
            xml=await self.source.gather(_pairs(opened.xml_signers)),
            pdf=await self.source.gather(_pairs(opened.pdf_signers)),
            signature_token=await self.authority.token(opened.value_digest),
            room=(await self.authority.unit()).room,
        )
        prepared = archive.prepare(transcript.xml, transcript.pdf, evidence)
        xml_token, pdf_token = await self.authority.token(prepared.xml.digest), await self.authority.token(prepared.pdf.digest)
        return archive.finish(transcript.pdf, prepared, xml_token, pdf_token)

    async def renew(self, closed: Closed) -> Closed:
        """A further archive timestamp on both, with what proves the unit that made the last one."""
        proof = await self.source.gather([])
        xml = xml_archive.prepare_renewal(closed.xml, proof)
        pdf = pdf_archive.prepare(closed.pdf, proof, room=(await self.authority.unit()).room)
        return Closed(
            xml=xml_archive.finish(xml, await self.authority.token(xml.digest)),
            pdf=pdf_archive.finish(closed.pdf, pdf, await self.authority.token(pdf.digest)),
        )


@asynccontextmanager
async def archivist(tsa: str, roots: Sequence[bytes]) -> AsyncIterator[Archivist]:
    """`tsa` is the address of the timestamping authority; OCSP responders and lists are those that the certificates name."""
    async with outgoing() as session:
        authority = TimestampAuthority(tsa, roots, session, timeout_seconds=PATIENCE_SECONDS)
        yield Archivist(authority, ValidationSource(roots, authority, session, timeout_seconds=PATIENCE_SECONDS))


def _pairs(signers: Sequence[Signer]) -> list[tuple[bytes, tuple[bytes, ...]]]:
    return [(each.certificate, each.chain) for each in signers]


class PlainTimestamps(TimeStamper):
    """pyHanko's client on the same authority, with none of the product in it, for timestamps that others add later."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
        self._client = client

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._client.post("/tsa", content=req.dump()).raise_for_status().content)
