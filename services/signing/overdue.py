"""Nothing stays pending in silence: how many batches wait and run, and how many are past their deadline.

The runner ends what is late as soon as it has it in hand; what is counted here as late has nobody who could end it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import TYPE_CHECKING

from services.chassis import clock
from services.signing.metrics import BATCHES, OVERDUE
from services.signing.store import UNFINISHED

if TYPE_CHECKING:
    from services.signing.store import Store

EVERY_SECONDS = 15
GRACE = dt.timedelta(minutes=1)
"""A worker that has died is missed after its lease; whoever takes its batch up ends it then."""
log = logging.getLogger(__name__)


async def look(store: Store) -> int:
    """Set the metrics; how many batches are overdue."""
    counts = await store.unfinished_counts()
    for state in UNFINISHED:
        BATCHES.labels(state).set(counts.get(state, 0))
    late = await store.overdue_batches(clock.now() - GRACE)
    OVERDUE.set(len(late))
    for batch in late:
        log.error("a batch is past its deadline and nobody has ended it", extra={"batch": batch["_id"], "state": batch["state"]})
    return len(late)


async def round_of(store: Store) -> int:
    """For `work.forever`."""
    await look(store)
    await asyncio.sleep(EVERY_SECONDS)
    return 0
