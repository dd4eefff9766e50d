"""Metrics of signing."""

from prometheus_client import Counter, Histogram

SIGNATURES = Counter("signatures_total", "items of batches that ended", ["kind", "result"])
"""kind: the step; result: embedded, refused, expired, cancelled or failed."""
SEALED = Counter("archive_documents_total", "transcripts taken up for the archive level", ["result"])
"""result: sealed, postponed (tried again) or stopped (somebody has to look)."""
SIGNER_SECONDS = Histogram("signer_seconds", "one call for signature values", ["provider"])
