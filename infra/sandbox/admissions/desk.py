"""The portal's work behind the counter: examining what came in, and signing receipts with the portal's own key."""

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from pydantic import Field

from infra.sandbox.admissions.ledger import Ledger, Push, compact
from infra.sandbox.faults import ANY, FaultOrder, Faults
from infra.sandbox.gateway.errors import TranscriptRefused
from infra.sandbox.gateway.ledger import moment
from infra.sandbox.gateway.manifest import Entry, open_package
from infra.sandbox.gateway.search import said_in
from infra.sandbox.gateway.trust import Trust
from infra.sandbox.gateway.validation import examine

log = logging.getLogger("sandbox.admissions")

ENDPOINTS = frozenset({"pushes"})
FINAL_GRADES = (5, 9, 12)
AGAIN_SECONDS = 2.0


class PortalFaults(FaultOrder):
    refuse_uuids: list[str] | None = Field(default=None, description="transcripts to refuse with TS-901; an empty list ends it")
    refuse_next: int | None = Field(default=None, ge=0, description="refuse this many pushes with TS-901")
    skip_validation: bool | None = Field(default=None, description="FOR LOAD ONLY: receipt whatever the manifest lists, look into no file")
    timeout_after_accept: int | None = Field(default=None, ge=0, description="take this many pushes, then hang until the caller gives up")
    no_receipt: bool | None = Field(default=None, description="keep answers back until switched off")
    wrong_receipt: int | None = Field(default=None, ge=0, description="give this many receipts for other bytes than came")
    forged_receipt: int | None = Field(default=None, ge=0, description="spoil the signature of this many receipts")


@dataclass
class Signer:
    key: ec.EllipticCurvePrivateKey
    x5c: list[str]

    def jws(self, content: bytes) -> str:
        """RFC 7515, compact."""
        header = compact({"alg": "ES256", "typ": "admissions-receipt+jws", "x5c": self.x5c})
        signed = f"{base64url(header)}.{base64url(content)}"
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def portal_signer(directory: Path) -> Signer:
    """The key that the PKI made for the portal (DIR/admissions-portal.*)."""
    key = load_pem_private_key((directory / "admissions-portal.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    chain = x509.load_pem_x509_certificates((directory / "admissions-portal.pem").read_bytes())
    return Signer(key, [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain])


@dataclass
class Desk:
    ledger: Ledger
    trust: Trust
    signer: Signer
    faults: Faults = field(default_factory=lambda: Faults(ENDPOINTS))
    refuse_uuids: set[str] = field(default_factory=set)
    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up where the last run stopped."""
        self._may_answer.set()
        for push_id in self.ledger.waiting():
            self.queue.put_nowait(push_id)
        self._work = asyncio.create_task(self._examine_all())

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def follow_faults(self) -> None:
        """Let answers go or hold them, after the faults have changed."""
        if self.faults.value(ANY, "no_receipt"):
            self._may_answer.clear()
        else:
            self._may_answer.set()

    async def _examine_all(self) -> None:
        while True:
            push_id = await self.queue.get()
            await self._may_answer.wait()
            try:
                push = self.ledger.push(push_id)
                assert push is not None
                await self._answer(push)
            except Exception:
                # one push must not hold up the others, and is not forgotten either
                log.exception("push %s could not be worked on and will be tried again", push_id)
                asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.queue.put_nowait, push_id)

    async def _answer(self, push: Push) -> None:
        try:
            grade = await self._judge(push)
        except TranscriptRefused as refusal:
            self.ledger.settle(push.id, code=refusal.code, reason=refusal.reason)
            return
        number = self.ledger.next_number(push.year)
        receipt = self.signer.jws(compact(self._receipt(push, number, grade)))
        if self.faults.take("pushes", "forged_receipt"):
            receipt = f"{receipt[:-8]}{'A' * 8}"
        self.ledger.settle(push.id, number=number, receipt=receipt, code=None, reason=None)

    async def _judge(self, push: Push) -> int:
        """The grade. Raises TranscriptRefused."""
        if push.uuid in self.refuse_uuids or self.faults.take("pushes", "refuse_next"):
            raise TranscriptRefused("TS-901", "Từ chối theo yêu cầu thử nghiệm")
        if self.ledger.has_receipt(push.uuid):
            raise TranscriptRefused("TS-203", "Học bạ này đã có biên nhận")
        package = self.ledger.file_of(push.id)
        manifest = await asyncio.to_thread(lambda: open_package(package.read_bytes()))
        (entry,) = manifest.entries
        grade, _, _ = await asyncio.to_thread(said_in, package, entry)
        if self.faults.value(ANY, "skip_validation"):
            return grade or 0
        if grade not in FINAL_GRADES:
            raise TranscriptRefused("TS-201", "Cổng Tuyển sinh chỉ nhận học bạ lớp 5, lớp 9 và lớp 12")
        await asyncio.to_thread(_sound, package, push, entry, self.trust)
        return grade

    def _receipt(self, push: Push, number: str, grade: int) -> dict[str, str | int]:
        digest = "0" * 64 if self.faults.take("pushes", "wrong_receipt") else push.digest
        return {
            "receiptNumber": number,
            "pushId": push.id,
            "uuid": push.uuid,
            "version": push.version,
            "schoolCode": push.school,
            "schoolYear": push.year,
            "className": push.class_name,
            "grade": grade,
            "packageSha256": digest,
            "pdfSha256": push.pdf_sha256,
            "xmlSha256": push.xml_sha256,
            "receivedAt": push.received_at,
            "issuedAt": moment(),
        }


def _sound(package: Path, push: Push, entry: Entry, trust: Trust) -> None:
    """Digests, content and signatures as the national gateway judges them; its code goes into the reason."""
    try:
        examine(package, push.school, push.year, entry, trust)
    except TranscriptRefused as refusal:
        raise TranscriptRefused("TS-202", f"Học bạ không hợp lệ ({refusal.code}): {refusal.reason}") from refusal
