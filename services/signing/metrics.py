"""Metrics of signing."""

from prometheus_client import Counter, Gauge, Histogram

SIGNATURES = Counter("signatures_total", "items of batches that ended", ["kind", "result"])
"""kind: the step; result: embedded, refused, expired, stale, cancelled or failed."""
SEALED = Counter("archive_documents_total", "transcripts taken up for the archive level", ["result"])
"""result: sealed, postponed (tried again) or stopped (somebody has to look)."""
SIGNER_SECONDS = Histogram("signer_seconds", "one call for signature values", ["provider"])
BATCHES = Gauge("signing_batches", "batches that have not ended", ["state"])
OVERDUE = Gauge("signing_batches_overdue", "batches past their deadline that nobody has ended: somebody has to look when it is not 0")
"""Both of the whole installation, told alike by every worker."""
