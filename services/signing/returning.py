"""Sending documents back ("Trả lại", in secondary schools "Đề xuất hủy"): whoever they wait for finds something wrong in them.

The administrator then cancels them or refuses to (menu 2.6, in records); until then nobody can sign them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal
from contracts.nouns import worded
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.chassis.vietnamese import readable
from services.signing.batches import told_kind
from services.signing.errors import NOTHING_TO_RETURN, REASON_NEEDED
from services.signing.queues import kind_of
from services.signing.tasks import given_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.aggregates import Change
    from services.chassis.mongo import Session
    from services.signing.store import Store

CHUNK = 100
SHORTEST, LONGEST = 10, 500
"""Characters of a reason: enough to say what is wrong, short enough to read in a list."""
MOST = 5000


def reason_of(text: str) -> str:
    """The reason as one clean line. Raises Refused(REASON_NEEDED)."""
    reason = readable(text)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Refused(REASON_NEEDED, least=SHORTEST, most=LONGEST)
    return reason


async def give_back(store: Store, who: Principal, *, step: str, transcripts: Sequence[str], reason: str, request_id: str) -> dict[str, Any]:
    """{"returned": n, "refused": [{transcript, code, reason}]}: each is decided on its own.

    No certificate is needed to send something back, only that it waits for this person. Raises Refused(REASON_NEEDED, NOTHING_TO_RETURN).
    """
    require(who, Action.ISSUE if step == "issue" else Action.SIGN, school=who.school)
    said = reason_of(reason)
    chosen = list(dict.fromkeys(transcripts))
    if not chosen or len(chosen) > MOST:
        raise Refused(NOTHING_TO_RETURN)
    moment = clock.now()
    returned = 0
    refused: list[dict[str, str]] = []
    for start in range(0, len(chosen), CHUNK):

        async def work(tx: Session, ids: Sequence[str] = chosen[start : start + CHUNK]) -> tuple[int, list[dict[str, str]]]:
            tasks = await store.load_tasks(tx, ids)
            locked = await store.locked_years(tx, who.school)
            changes: list[Change] = []
            no: list[dict[str, str]] = []
            for transcript in ids:
                try:
                    changes.append(
                        given_back(
                            tasks.get(transcript),
                            school=who.school,
                            step=step,
                            person=who.person,
                            name=who.name,
                            reason=said,
                            at=moment,
                            locked=locked,
                        )
                    )
                except Refused as refusal:
                    cause = worded(kind_of(tasks.get(transcript, {})), refusal.cause)
                    no.append({"transcript": transcript, "code": refusal.code, "reason": cause})
            await store.save_tasks(tx, changes, actor=who.person, cause=request_id)
            for change in changes:
                details = {"step": step, **told_kind(change.document), "reason": said}
                await audit.record(
                    store.db,
                    tx,
                    actor=who.person,
                    act="return",
                    subject=change.document["_id"],
                    place=who.school,
                    request_id=request_id,
                    details=details,
                )
            return len(changes), no

        count, no = await transaction(store.db, work)
        returned += count
        refused += no
    return {"returned": returned, "refused": refused}
