"""Metrics of publishing."""

from prometheus_client import Counter, Gauge

SUBMISSIONS = Counter("submissions_total", "answers of the gateway, transcript by transcript", ["result"])
BREAKER_OPEN = Gauge("gateway_breaker_open", "1 while nothing but a probe goes to the national gateway")
ADMISSIONS = Counter("admissions_total", "ends of pushes to the admissions portal", ["result"])
CALLBACKS = Counter("gateway_callbacks_total", "callbacks of the national gateway", ["outcome"])
