"""Tells what was sealed, so that the trails of all services can be searched in one place.

The telling is part of the sealing transaction: every entry is told once, with its number, and none that was not sealed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from contracts.audit import ActsSealed, SealedAct
from services.chassis import outbox
from services.chassis.audit_chain import Entry, canonical, digest
from services.chassis.mongo import Database, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

Tell = Callable[[Session, Sequence[SealedAct]], Awaitable[None]]
MAX_BYTES = 500_000
"""Of the entries in one event; well below what an event may hold (`outbox.MAX_BODY`)."""


def sealed_act(entry: Entry) -> SealedAct:
    """Of a whole entry with its link."""
    origin = entry.get("origin")
    details: Mapping[str, Any] = entry.get("details") or {}
    return SealedAct(
        number=entry["number"],
        previous=entry["previous"],
        hash=entry["hash"],
        id=str(entry["_id"]),
        at=entry["at"],
        actor=entry["actor"],
        act=entry["act"],
        subject=entry["subject"],
        place=entry.get("place"),
        origin=dict(origin) if origin else None,
        request_id=entry.get("request_id"),
        details=canonical(details),
    )


def entry_of(act: SealedAct) -> dict[str, Any]:
    """The entry again, as the chain's digest covers it."""
    fields = act.model_dump(exclude={"id", "details_left_out"})
    return {"_id": act.id, **fields}


def is_sound(act: SealedAct) -> bool:
    """Whether the hash fits the content."""
    return digest(entry_of(act)) == act.hash


def told_as(fact: type[ActsSealed]) -> Callable[[Database], Tell]:
    """Tell it as facts of this type through the outbox; the key is the service, the sequence the last number told."""
    service = fact.topic.partition(".")[0]

    def tell_from(db: Database) -> Tell:
        async def tell(session: Session, acts: Sequence[SealedAct]) -> None:
            parts = [fact(acts=part) for part in portions(acts)]
            events = [outbox.event(part, subject=service, sequence=part.acts[-1].number, actor=service) for part in parts]
            await outbox.append(db, session, events)

        return tell

    return tell_from


def portions(acts: Sequence[SealedAct], limit: int = MAX_BYTES) -> Iterator[tuple[SealedAct, ...]]:
    """In order, as many together as fit; one that does not fit alone goes without its details."""
    portion: list[SealedAct] = []
    size = 0
    for each in acts:
        act, length = each, _length(each)
        if length > limit:
            act = each.model_copy(update={"details": {}, "details_left_out": True})
            length = _length(act)
        if portion and size + length > limit:
            yield tuple(portion)
            portion, size = [], 0
        portion.append(act)
        size += length
    if portion:
        yield tuple(portion)


def _length(act: SealedAct) -> int:
    return len(act.model_dump_json().encode())
