"""Issuing a copy and making its file: the number first, then the file that bears it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.documents import DocumentRef
from contracts.events.signing import SignatureFact
from services.chassis import clock
from services.chassis.errors import Refused
from services.records.copies import rules, store
from services.records.copies.errors import COPY_NOT_MADE
from services.records.copies.pooled import make
from services.records.copies.rules import Ask, CopyState
from services.records.copies.sheet import sheet
from services.records.render.pdf import RenderError
from services.records.schoolyear import Staff, TranscriptContent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.chassis.process import Parts
    from services.records.store import Store


async def ask(parts: Parts, school: str, transcript_id: str, asked: Ask, *, actor: str) -> str:
    """Record a request; its id. Raises Refused."""
    transcript = await store.transcript_of(parts.db, school, transcript_id)
    copy = rules.requested(str(uuid4()), transcript, asked, actor=actor, at=clock.now())
    await store.add(parts.db, copy, actor=actor)
    return str(copy["_id"])


async def leaders(records: Store, school: str) -> list[Staff]:
    """Who may sign copies now: the leaders of the newest school year."""
    years = await records.years(school)
    return rules.signers((await records.staff(school, years[0])).values()) if years else []


async def issue(parts: Parts, records: Store, school: str, copy_id: str, signer_code: str, *, actor: str) -> Document:
    """Raises Refused. The file is made at once; should the process die before, the first download makes it."""
    may_sign = await leaders(records, school)
    at = clock.now()

    def decide(copy: Document, transcript: Document, number: int) -> Document:
        return rules.issued(copy, transcript, number=number, signer=rules.signer_of(may_sign, signer_code), actor=actor, at=at)

    issued = await store.issue(parts.db, school, copy_id, clock.in_vietnam(at).year, decide, actor=actor)
    return await with_file(parts, issued)


async def with_file(parts: Parts, copy: Document) -> Document:
    """The issued copy with its file, made now if it was not yet. Raises Refused(COPY_NOT_MADE, WRONG_COPY_STATE)."""
    rules.require_state(copy, CopyState.ISSUED)
    if copy["pdf"]:
        return copy
    transcript = await store.transcript_of(parts.db, copy["school"], copy["transcript"])
    asked = Ask.model_validate(copy["ask"])
    content = TranscriptContent.model_validate(transcript["content"])
    words = json.dumps(sheet(copy, content, signatures_of(transcript["signatures"])), ensure_ascii=False)
    original = await parts.objects.get(DocumentRef.model_validate(copy["source"]["pdf"]))
    try:
        made = await parts.pool.run(make, words, original, asked.medium, asked.kind, copy["issued_at"])
    except RenderError as problem:
        raise Refused(COPY_NOT_MADE, problem=str(problem)) from problem
    file = await parts.objects.put(f"copies/{copy['school']}", ".pdf", made, "application/pdf")
    return await store.keep_file(parts.db, copy, file)


def signatures_of(stored: Sequence[Document]) -> list[SignatureFact]:
    return [SignatureFact.model_validate(each) for each in stored]
