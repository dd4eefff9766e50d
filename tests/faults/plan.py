"""Which process dies where in which round: every service process at every named point within twenty-five seeds."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from contracts.topics import TOPICS
from infra.stack.instance import SERVICES

ROUNDS = 25
"""Seeds that together hit everything; the next twenty-five deal anew."""

OFF_THE_ROAD = frozenset(
    {
        "signing.publishing.withdrawals",
        "records.publishing.withdrawals",
        "district.publishing.withdrawals",
        "publishing.signing.requests",
        "publishing.district.decisions",
        "identity.records.corrections",
    }
)
"""Groups that have nothing to take while a school goes the road: nobody corrects anything or takes a transcript back on it."""
AFTER_TAKING = ("before-commit", "committed", "handled")
PASSES: dict[str, int] = {
    "signing.records.transcripts": 2,
    "records.signing.steps": 4,
    "records.publishing.submissions": 2,
    "publishing.records.transcripts": 2,
    "district.records.transcripts": 4,
}
"""Batches that a consumer takes at the very least while one small school goes the road; one for others."""

RELAYS: dict[str, int] = {"identity": 3, "records": 4, "signing": 4, "publishing": 2, "district": 1}

WORK: dict[str, dict[str, int]] = {
    "identity-web": {
        "identity.proof.authorised": 3,
        "identity.proof.signed": 3,
        "identity.proof.kept": 3,
    },
    "records-web": {"records.import.before-commit": 1},
    "records-worker": {
        "records.create.stored": 1,
        "records.create.before-commit": 1,
        "records.create.committed": 1,
        "records.render.stored": 1,
        "records.render.before-commit": 1,
        "records.render.committed": 1,
    },
    "signing-worker": {
        "signing.before-intent": 8,
        "signing.prepared": 8,
        "signing.asked": 8,
        "signing.signed": 8,
        "signing.returned": 8,
        "signing.before-store": 8,
        "signing.stored": 8,
        "signing.before-commit": 8,
        "signing.committed": 8,
        "signing.assembled": 1,
        "signing.sealing.stored": 1,
        "signing.sealing.before-commit": 1,
        "signing.sealing.committed": 1,
    },
    "publishing-worker": {
        "publishing.pack.stored": 3,
        "publishing.pack.before-commit": 3,
        "publishing.pack.committed": 3,
        "publishing.before-send": 3,
        "publishing.sent": 3,
        "publishing.sent.committed": 3,
    },
}
"""What processes do besides taking events and handing them over: point → passes that every road has."""

ELSEWHERE = (
    "signing.evidence.stamped",
    "signing.evidence.before-commit",
    "signing.evidence.made",
    "signing.evidence.stored",
    "signing.evidence.written",
    "signing.evidence.renewal-stamped",
    "signing.evidence.renewed",
    "signing.audit.examined",
    "signing.audit.recorded",
    "publishing.withdrawal.examined",
    "publishing.withdrawal.before-claim",
    "publishing.withdrawal.before-telling",
    "publishing.withdrawal.told",
    "publishing.withdrawal.before-end",
    "publishing.withdrawal.answered",
)
"""Points of work that no road waits for; `test_archive_faults.py` and `test_withdrawal_faults.py` kill there."""

WEB: dict[str, int] = {"identity-web": 25, "records-web": 2, "signing-web": 6, "publishing-web": 4, "district-web": 2}


@dataclass(frozen=True)
class Kill:
    process: str
    point: str
    nth: int

    @property
    def failpoint(self) -> str:
        return f"{self.point}:{self.nth}"


def points() -> dict[str, dict[str, int]]:
    """By process: its named points, and how often a round passes each at least."""
    found: dict[str, dict[str, int]] = {}
    for service in SERVICES:
        groups = [topic.group(service) for topic in TOPICS if service in topic.consumers and topic.group(service) not in OFF_THE_ROAD]
        found[f"{service}-worker"] = {
            **{f"{group}.{moment}": PASSES.get(group, 1) for group in groups for moment in AFTER_TAKING},
            "relay.published": RELAYS[service],
            **WORK.get(f"{service}-worker", {}),
        }
        found[f"{service}-web"] = {
            **{f"transaction.{moment}": WEB[f"{service}-web"] for moment in ("before-commit", "committed")},
            **WORK.get(f"{service}-web", {}),
        }
    return found


def deal(seed: int) -> list[Kill]:
    """Three to five kills, each of another process. Seeds 1 to 25 together, 26 to 50 together … hit every point once."""
    deck, place = divmod(seed - 1, ROUNDS)
    chance = Random(deck)
    # one process's points lie side by side, and are fewer than the rounds: no round gets two of them
    cards = [(process, point) for process, names in points().items() for point in chance.sample(sorted(names), len(names))]
    passes = points()
    nth = Random(seed)
    return [Kill(process, point, nth.randint(1, passes[process][point])) for process, point in cards[place::ROUNDS]]
