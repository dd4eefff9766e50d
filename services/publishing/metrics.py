"""Metrics of publishing."""

from prometheus_client import Counter

SUBMISSIONS = Counter("submissions_total", "answers of the gateway, transcript by transcript", ["result"])
