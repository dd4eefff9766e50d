"""What can be known before a PIN or password is asked for: of every document whether it can be signed now, of the means whether it works.

Everything that would fail later is said here, each with its reason; those that can go on are counted and go on alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.chassis.errors import Refused
from services.chassis.objects import DamagedObject, MissingObject
from services.means.remote import ProviderError
from services.signing import revocation, token_means
from services.signing.batches import signs_pdf, why_not_now
from services.signing.errors import DAMAGED, NOT_WAITING, PROVIDER_AWAY
from services.signing.queues import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.errors import Refusal
    from services.chassis.mongo import Document
    from services.chassis.objects import Objects
    from services.signing.providers import Providers
    from services.signing.queues import Queue
    from services.signing.store import Store

READING = 8
"""Documents that one check reads at a time."""
PROVIDER_SECONDS = 3.0
"""Somebody waits at a page for the provider's sign of life."""


async def of_documents(
    store: Store, objects: Objects, who: Principal, queue: Queue, chosen: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, Refusal], dict[str, Document]]:
    """Which can go on, why the others cannot, and what is known of all of them. Reads every document that would be signed."""
    tasks = await store.load_tasks(None, chosen)
    locked = await store.locked_years(None, who.school)
    left_out: dict[str, Refusal] = {}
    for transcript in chosen:
        of_queue = kind_of(tasks.get(transcript, {})) == queue.kind
        why = why_not_now(tasks.get(transcript), who, queue.step, locked) if of_queue else NOT_WAITING
        if why is not None:
            left_out[transcript] = why
    places = asyncio.Semaphore(READING)

    async def damaged(transcript: str) -> str | None:
        async with places:
            return transcript if await _damaged(objects, tasks[transcript], queue.step) else None

    sound = [t for t in dict.fromkeys(chosen) if t not in left_out]
    found = await asyncio.gather(*(damaged(t) for t in sound))
    left_out |= {t: DAMAGED for t in found if t is not None}
    return tuple(t for t in sound if t not in left_out), left_out, tasks


async def _damaged(objects: Objects, task: Document, step: str) -> bool:
    parts = [task["xml"] or task["content"], *([task["pdf"]] if signs_pdf(step, kind_of(task)) else [])]
    if not all(parts):
        return True
    for part in parts:
        try:
            await objects.get(DocumentRef.model_validate(part))
        except (DamagedObject, MissingObject):
            return True
    return False


async def of_means(providers: Providers, account: Document) -> tuple[str, tuple[str, ...]]:
    """(what stops signing with this account now or "", warnings): the issuer's and the provider's answers, asked side by side."""
    issuer, alive = await asyncio.gather(_issuer(providers, account), _alive(providers, account))
    stops = issuer if isinstance(issuer, Refused) else alive
    if stops is not None:
        return f"{stops.cause} {stops.action}", ()
    if issuer == "unknown":
        return "", (
            "Chưa kiểm tra được chứng thư số có bị thu hồi không; việc kiểm tra sẽ được thực hiện lại trước khi học bạ hoàn thành.",
        )
    return "", ()


async def _issuer(providers: Providers, account: Document) -> str | Refused:
    try:
        return await revocation.refuse_revoked(account, providers.roots)
    except Refused as refused:
        return refused


async def _alive(providers: Providers, account: Document) -> Refused | None:
    if token_means.by_token(account):
        return None
    try:
        async with asyncio.timeout(PROVIDER_SECONDS):
            await providers.by_id(account["provider"]).answers()
    except (ProviderError, TimeoutError):
        return Refused(PROVIDER_AWAY)
    return None
