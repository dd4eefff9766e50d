"""Signing without keys: its tasks, claims, facts and returns as they are, with a signature that is only said to have been made."""

from __future__ import annotations

from contracts.documents import DocumentRef
from contracts.event import Fact
from contracts.events.signing import SignatureFact, StepSignedV1, SubjectSignedV1, SubjectsSignedV1, TranscriptSealedV1
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refusal, Refused
from services.chassis.mongo import Document, Session, transaction
from services.chassis.process import Parts
from services.signing.batches import being_signed, claimant
from services.signing.errors import BEING_SIGNED, UNPROVABLE, YEAR_LOCKED
from services.signing.store import Store
from services.signing.tasks import DONE, RENDERING, at_step, signed, waiting_in, why_not
from tests.integration.pages_world import SCHOOL, signature
from tests.life.school import signer


class Signers:
    """What people and workers do in signing beside its routes."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.store = Store(parts.db)

    async def start(self, person: str, step: str, transcript: str) -> Refusal | None:
        """A batch of one: checked and claimed as `batches.start` does; why it was refused."""

        async def work(session: Session) -> Refusal | None:
            task = (await self.store.load_tasks(session, [transcript])).get(transcript)
            locked = await self.store.locked_years(session, SCHOOL)
            why = why_not(task, school=SCHOOL, step=step, person=person)
            if why is None and task is not None and task["year"] in locked:
                why = YEAR_LOCKED
            if why is not None or task is None:
                return why
            if being_signed(task, step, person):
                return BEING_SIGNED
            claims = {**task["claims"], claimant(step, person): f"batch-{person}-{step}"}
            await self.store.save_tasks(session, [Change({**task, "claims": claims})], actor=person)
            return None

        return await transaction(self.store.db, work)

    async def finish(self, person: str, step: str, transcript: str, *, confirmed: bool) -> None:
        """The batch ends: the signature is embedded, or the claim is given back since nobody confirmed."""
        task = await self.store.task(transcript)
        files = await self._kept(task) if confirmed and step in {"homeroom", "issue"} else {}

        async def work(session: Session) -> None:
            now = (await self.store.load_tasks(session, [transcript]))[transcript]
            claims = {who: batch for who, batch in now["claims"].items() if who != claimant(step, person)}
            change = Change({**now, "claims": claims})
            if confirmed:
                said = signature(step, signer(person))
                after = signed({**now, "claims": claims}, person, step, said, f"{step}-{person}", **files)
                change = Change(after, _told(step, said, after))
            await self.store.save_tasks(session, [change], actor=person)

        await transaction(self.store.db, work)

    async def _kept(self, task: Document) -> Document:
        """The documents once more, as signing stores what it has signed."""
        kept = {}
        for kind, media in (("xml", "application/xml"), ("pdf", "application/pdf")):
            content = await self.parts.objects.get(DocumentRef.model_validate(task[kind]))
            reference = await self.parts.objects.put(f"transcripts/{task['_id']}", f".{kind}", content, media)
            kept[kind] = reference.model_dump(mode="json")
        return kept

    async def assemble(self, transcript: str) -> None:
        async def work(session: Session) -> None:
            task = (await self.store.load_tasks(session, [transcript]))[transcript]
            fact = SubjectsSignedV1(
                xml=DocumentRef.model_validate(task["content"]),
                signatures=tuple(SignatureFact.model_validate(s) for s in task["signatures"]),
            )
            await self.store.save_tasks(session, [Change(at_step({**task, "xml": task["content"]}, RENDERING), fact)], actor="signing")

        await transaction(self.store.db, work)

    async def seal(self, transcript: str) -> None:
        async def work(session: Session) -> None:
            task = (await self.store.load_tasks(session, [transcript]))[transcript]
            xml, pdf = (DocumentRef.model_validate(task[kind]) for kind in ("xml", "pdf"))
            last = SignatureFact.model_validate(task["signatures"][-1])
            fact = TranscriptSealedV1(signature=last, xml=xml, pdf=pdf, level="B-LTA", timestamped_at=clock.now())
            await self.store.save_tasks(session, [Change(at_step(task, DONE), fact)], actor="signing")

        await transaction(self.store.db, work)

    async def set_aside(self, transcript: str) -> None:
        await self.store.set_aside({transcript: Refused(UNPROVABLE, reason="Chứng thư số đã bị thu hồi.", problem="revoked")})


def _told(step: str, said: SignatureFact, after: Document) -> Fact | None:
    if step == "subjects":
        return SubjectSignedV1(signature=said, remaining=len(waiting_in(after, "subjects")))
    if step == "issue":
        return None
    xml, pdf = (DocumentRef.model_validate(after[kind]) for kind in ("xml", "pdf"))
    return StepSignedV1(step=step, signature=said, xml=xml, pdf=pdf)
