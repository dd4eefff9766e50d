"""Every topic: who writes it, who reads it, what its key is, how it is laid out."""

from __future__ import annotations

from dataclasses import dataclass

TWO_WEEKS = 14 * 24


@dataclass(frozen=True)
class Topic:
    name: str
    owner: str
    consumers: tuple[str, ...]
    key: str
    partitions: int
    retention_hours: int = TWO_WEEKS

    def group(self, service: str) -> str:
        return f"{service}.{self.name}"


TOPICS: tuple[Topic, ...] = (
    Topic("identity.organisations", "identity", ("records", "publishing", "district"), "unit or school code", 3),
    Topic("identity.certificates", "identity", ("records", "signing", "district"), "request id or owner", 3),
    Topic("records.staff", "records", ("identity",), "school code and year", 3),
    Topic("records.classes", "records", ("district",), "class id", 6),
    Topic("records.corrections", "records", ("identity",), "correction request", 3),
    Topic("records.transcripts", "records", ("signing", "publishing", "district"), "transcript id, or the final lock of a school year", 12),
    Topic("signing.steps", "signing", ("records",), "transcript id", 12),
    Topic("publishing.submissions", "publishing", ("records",), "transcript id", 12),
    Topic("publishing.withdrawals", "publishing", ("signing", "records", "district"), "withdrawal request", 6),
    Topic("signing.requests", "signing", ("publishing",), "withdrawal request", 3),
    Topic("district.decisions", "district", ("identity", "publishing"), "request id", 3),
    Topic("district.windows", "district", ("records", "publishing"), "unit, school year and school", 3),
    Topic("records.audit", "records", ("identity",), "service", 1),
    Topic("signing.audit", "signing", ("identity",), "service", 1),
    Topic("publishing.audit", "publishing", ("identity",), "service", 1),
    Topic("district.audit", "district", ("identity",), "service", 1),
)


def topic(name: str) -> Topic:
    return next(t for t in TOPICS if t.name == name)


def dead_letter_topic(group: str) -> str:
    return f"{group}.dlq"


def dead_letter_topics() -> list[str]:
    return [dead_letter_topic(t.group(service)) for t in TOPICS for service in t.consumers]
