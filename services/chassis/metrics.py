"""Metrics of the shared runtime. Labels never hold ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_PENDING = Gauge("outbox_pending", "events that wait for the relay")
OUTBOX_OLDEST_SECONDS = Gauge("outbox_oldest_seconds", "age of the oldest event that waits for the relay")
RELAY_SENT = Counter("relay_sent_total", "events handed to Kafka", ["topic"])
EVENT_AGE_SECONDS = Histogram(
    "event_age_seconds",
    "from the fact to the end of its handling",
    ["topic", "group"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
INBOX_DUPLICATES = Counter("inbox_duplicates_total", "events that had been handled before", ["group"])
DEADLETTERS = Counter("deadletters_total", "events given up", ["group", "reason"])
UNKNOWN_TYPES = Counter("events_skipped_total", "events of a type that this consumer does not know", ["group", "type"])
CONSUMER_POLL_AGE = Gauge("consumer_poll_age_seconds", "since the broker last answered the consumer", ["group"])
CONSUMER_LAG = Gauge("consumer_lag", "records that wait for the consumer", ["group"])
CONSUMER_ASSIGNED = Gauge("consumer_assigned", "partitions assigned", ["group"])
HTTP_SECONDS = Histogram(
    "http_server_request_duration_seconds", "HTTP requests", ["http_request_method", "http_route", "http_response_status_code"]
)
WORK_SECONDS = Histogram("work_seconds", "one round of a work loop that found something to do", ["work"])
WORK_ITEMS = Counter("work_items_total", "items that a work loop finished", ["work", "result"])
EVENT_LOOP_LAG = Gauge("event_loop_lag_seconds", "how late the event loop ran its last heartbeat")
