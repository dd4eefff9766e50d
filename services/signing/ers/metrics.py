"""Metrics of evidence records, as the database has them: every worker says the same."""

from prometheus_client import Gauge

WAITING = Gauge("evidence_waiting", "sealed documents that no evidence record covers yet")
OLDEST_WAITING = Gauge("evidence_oldest_waiting_seconds", "since the oldest of them was sealed")
BEHIND = Gauge("evidence_trees_behind", "hash trees with documents whose evidence file is not written or not renewed yet")
EARLIEST_END = Gauge("evidence_earliest_end_seconds", "until the certificate under the first hash tree to age ends; below 0 it has ended")
OVERDUE = Gauge("evidence_overdue", "hash trees that should have been renewed: half of the time ahead is gone")
LOST = Gauge("evidence_lost", "hash trees whose last timestamping unit is revoked or has ended, and documents that are damaged")
