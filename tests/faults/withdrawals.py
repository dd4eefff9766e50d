"""Taking documents back while processes die: which process dies where, and the judge of what is left behind.

Pure, as `plan.py` and `history.py` are for the road: `violations` looks at collected evidence only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.faults.history import GAPLESS, Violation, effects_lost, events_from_nowhere, events_lost
from tests.faults.plan import AFTER_TAKING, Kill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.history import Evidence

# which process dies where

ROUNDS = 16
"""Seeds that together hit everything."""

GROUPS: dict[str, tuple[str, ...]] = {
    "publishing-worker": ("publishing.signing.requests", "publishing.district.decisions", "publishing.records.transcripts"),
    "signing-worker": ("signing.publishing.withdrawals",),
    "records-worker": ("records.publishing.withdrawals",),
    "district-worker": ("district.publishing.withdrawals", "district.records.transcripts"),
}
"""Who takes what while documents are taken back."""
WORK: dict[str, dict[str, int]] = {
    "publishing-worker": {
        "relay.published": 3,
        "publishing.withdrawal.examined": 1,
        "publishing.withdrawal.before-claim": 2,
        "publishing.withdrawal.before-telling": 2,
        "publishing.withdrawal.told": 2,
        "publishing.withdrawal.before-end": 2,
        "publishing.withdrawal.answered": 2,
    },
    "signing-worker": {
        "relay.published": 1,
        "signing.before-intent": 1,
        "signing.prepared": 1,
        "signing.asked": 1,
        "signing.signed": 1,
        "signing.returned": 1,
        "signing.before-store": 1,
        "signing.stored": 1,
        "signing.before-commit": 1,
        "signing.committed": 1,
    },
    "records-worker": {"relay.published": 3},
    "district-worker": {"relay.published": 1},
    "publishing-web": {"transaction.before-commit": 3, "transaction.committed": 3},
    "signing-web": {"transaction.before-commit": 1, "transaction.committed": 1},
    "district-web": {"transaction.before-commit": 3, "transaction.committed": 3},
    "records-web": {"transaction.before-commit": 1, "transaction.committed": 1},
}
"""Point → passes that every round has, when one document is refused, one recalled and two are withdrawn and cancelled."""


def points() -> dict[str, dict[str, int]]:
    """By process: its points, and how often a round passes each at least."""
    taken = {process: {f"{group}.{moment}": 1 for group in groups for moment in AFTER_TAKING} for process, groups in GROUPS.items()}
    return {process: {**taken.get(process, {}), **named} for process, named in WORK.items()}


def deal(seed: int) -> list[Kill]:
    """Three kills, each of another process; seeds 1 to 16 together hit every point once."""
    chance = Random(16)
    cards = [(process, point) for process, names in points().items() for point in chance.sample(sorted(names), len(names))]
    passes, nth = points(), Random(seed)
    return [Kill(process, point, nth.randint(1, passes[process][point])) for process, point in cards[seed - 1 :: ROUNDS]]


# what is left behind

BEGUN = ("draft", "send", "sign", "claim")
STEPS = {
    "withdrawn": (*BEGUN, "approve", "withdraw"),
    "refused": (*BEGUN, "refuse"),
    "recalled": (*BEGUN, "recall"),
}
"""What a request's own history tells, in order."""
ASKED = ("SealRequestedV1", "WithdrawalRequestedV1", "WithdrawalPendingV1")
TOLD = {
    "withdrawn": (*ASKED, "TranscriptWithdrawnV1"),
    "refused": (*ASKED, "WithdrawalRefusedV1"),
    "recalled": (*ASKED, "WithdrawalRecalledV1"),
}
"""What publishing tells of a request."""
WHERE = {
    "withdrawn": {"publishing": "WITHDRAWN", "district": "withdrawn", "records": "CANCELLED", "the gateway": "WITHDRAWN"},
    "refused": {"publishing": "REFUSED", "district": "refused", "records": "ACCEPTED", "the gateway": "ACCEPTED"},
    "recalled": {"publishing": "RECALLED", "district": "recalled", "records": "ACCEPTED", "the gateway": "ACCEPTED"},
}
"""Where everybody says it ended; what was withdrawn is cancelled before the round is over."""
ACTS = {
    "withdrawn": {"approve withdrawal", "withdrawal obeyed", "cancel transcript"},
    "refused": {"refuse withdrawal"},
    "recalled": {"recall withdrawal"},
}
ALWAYS = {"draft withdrawal", "send withdrawal", "sign"}
"""Audit entries: each of these exactly once, and no other end."""


@dataclass(frozen=True)
class Request:
    """One request after a round. `end`: what people did with it; `where`: who says what of it, the document itself in records and at the
    gateway; `orders`: ids under which the gateway took the document back; `hashes`: what stands signed in it → how often the provider
    signed that; `allowed`: how often at most."""

    id: str
    end: str
    where: Mapping[str, str]
    steps: tuple[str, ...]
    told: tuple[str, ...]
    decisions: int
    orders: tuple[str, ...]
    hashes: Mapping[str, int]
    allowed: int
    acts: Mapping[str, int]


@dataclass
class Left:
    """`events`: everything on the topics, in the outboxes and the inboxes."""

    events: Evidence
    requests: list[Request] = field(default_factory=list)


def violations(left: Left) -> list[Violation]:
    """Every breach of the promises, named; none when all is well."""
    rules = {
        "event lost": events_lost(left.events),
        "event from nowhere": events_from_nowhere(left.events),
        "effect lost": effects_lost(left.events),
        "set aside": iter(left.events.set_aside),
        "out of order": out_of_order(left.events),
        "end differs": ends_differ(left),
        "done twice": done_twice(left),
        "signature": signatures_wrong(left),
        "told twice": told_twice(left),
        "withdrawn twice": withdrawn_twice(left),
        "audit": audit_wrong(left),
    }
    return [Violation(rule, what) for rule, found in rules.items() for what in found]


def out_of_order(e: Evidence) -> Iterator[str]:
    """By subject, first arrivals: sequences only grow, without a gap where every change is told."""
    seen: set[str] = set()
    last: Counter[tuple[str, str]] = Counter()
    for t in e.topics:
        if t.id in seen:
            continue
        seen.add(t.id)
        before = last[t.topic, t.subject]
        if t.sequence <= before or (t.topic in GAPLESS and t.sequence != before + 1):
            yield f"{t.topic}: {t.subject}#{t.sequence} came after #{before}"
        last[t.topic, t.subject] = t.sequence


def ends_differ(left: Left) -> Iterator[str]:
    for r in left.requests:
        wanted = WHERE[r.end]
        yield from (f"{r.id} was {r.end}, but is {state} for {who}" for who, state in r.where.items() if state != wanted[who])
        yield from (f"{r.id}: nobody asked {who}" for who in wanted.keys() - r.where.keys())


def done_twice(left: Left) -> Iterator[str]:
    yield from (f"{r.id} was {r.end} by {', '.join(r.steps)}" for r in left.requests if r.steps != STEPS[r.end])


def told_twice(left: Left) -> Iterator[str]:
    for r in left.requests:
        if r.told != TOLD[r.end]:
            yield f"{r.id} was {r.end}, and {', '.join(r.told)} were told"
        if r.decisions != (0 if r.end == "recalled" else 1):
            yield f"{r.id} was {r.end} by {r.decisions} decisions"


def signatures_wrong(left: Left) -> Iterator[str]:
    """One signature in each request, made by the provider, and no oftener than values were lost on the way."""
    for r in left.requests:
        if len(r.hashes) != 1:
            yield f"{r.id} has {len(r.hashes)} signatures"
        yield from (f"{r.id} was signed {n} times, {r.allowed} allowed" for n in r.hashes.values() if not 1 <= n <= r.allowed)


def withdrawn_twice(left: Left) -> Iterator[str]:
    """The gateway took back what was withdrawn, under the request's own id, and nothing else."""
    for r in left.requests:
        if r.orders != ((r.id,) if r.end == "withdrawn" else ()):
            yield f"{r.id} was {r.end}, and the gateway took its document back {len(r.orders)} times"


def audit_wrong(left: Left) -> Iterator[str]:
    for r in left.requests:
        wanted = defaultdict(int, dict.fromkeys(ACTS[r.end] | ALWAYS, 1))
        for act in sorted(r.acts.keys() | wanted.keys()):
            if r.acts.get(act, 0) != wanted[act]:
                yield f"{r.id} was {r.end}: {act} is written down {r.acts.get(act, 0)} times"
