"""Around the question on the phone: what it is told of each hash, and when the provider is asked about the answer."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.nouns import NOUNS
from services.chassis import clock
from services.chassis.errors import Refused
from services.means.refusal_words import WORDS
from services.means.remote import Label, Refusal
from services.signing.errors import PROVIDER_REFUSED
from services.signing.queues import kind_of
from services.signing.steps import STEPS
from services.signing.steps.kind import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.means.remote import ProviderRefused

TICK_SECONDS = 0.5
log = logging.getLogger(__name__)
FILES: Final[tuple[Literal["xml", "pdf"], ...]] = ("xml", "pdf")
"""Of a document, in the order of `Prepared.hashes`."""
TRANSACTION = re.compile(r"[A-Za-z0-9-]{1,100}")


def labels_of(items: Sequence[Document]) -> list[Label]:
    """One a hash, in the order of `Prepared.hashes`; titles as the batch's page has them."""
    return [
        Label(_title(item), file)
        for item in items
        for file, _ in zip(FILES, Prepared.model_validate(item["prepared"]).hashes, strict=False)
    ]


def described(batch: Mapping[str, Any], number: int) -> str:
    """The question in one line."""
    return f"{STEPS[batch['step']].title}: {number} {NOUNS[kind_of(batch)]}"


def transaction_of(batch: Document) -> str:
    """Our name for the question: the same after a crash, another when the person has to be asked once more."""
    again = batch.get("asked_again", 0)
    return f"{batch['_id']}-{again}" if again else str(batch["_id"])


def refused_by(batch: Mapping[str, Any], problem: ProviderRefused) -> Refused:
    """In the person's words; the provider's own, without numbers that may name somebody, are for whoever looks into it."""
    said = "".join("#" if character.isdigit() else character for character in problem.description)
    told = {"batch": batch["_id"], "provider": batch["provider"], "problem": problem.code.value, "said": said}
    log.warning("a provider refused", extra=told)
    return refused_for(problem.code)


def refused_for(code: Refusal) -> Refused:
    meaning, advice = WORDS[code]
    return Refused(PROVIDER_REFUSED, meaning=meaning, advice=advice, problem=code.value)


async def pause(db: Database, batch: Document, seconds: float) -> None:
    """Leave the provider alone for a while: until a hint came, the person cancelled, or the deadline is over."""
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until and clock.now() <= batch["deadline"]:
        await asyncio.sleep(min(TICK_SECONDS, seconds))
        stirred = await db["batches"].find_one_and_update(
            {"_id": batch["_id"], "$or": [{"hinted": True}, {"cancel": True}]}, {"$unset": {"hinted": ""}}
        )
        if stirred is not None:
            return


async def hint(db: Database, provider: str, transaction: str) -> bool:
    """Somebody says that this transaction is over: the batch that waits for it asks at once. Whether there is one.

    Nobody vouches for it: nothing else changes, and what a batch believes is what it asked the provider itself.
    """
    if not TRANSACTION.fullmatch(transaction):
        return False
    # a handle is the transaction's id, which some protocols need more beside
    waiting = {"provider": provider, "state": "waiting", "handle": {"$regex": f"^{re.escape(transaction)}(\\.|$)"}}
    return bool((await db["batches"].update_many(waiting, {"$set": {"hinted": True}})).matched_count)


def _title(item: Document) -> str:
    name = item.get("pupil_name") or NOUNS[kind_of(item)].capitalize()
    return f"{name} {item['class_code']}"
