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
AUDITED = Counter("documents_audited_total", "stored documents examined again", ["result"])
"""result: whole, or different (one alarm is enough: see infra/prometheus/rules.yml)."""
DIFFERING = Gauge("documents_differing", "stored documents that are not what was signed, as the leading auditor knows")
UNAUDITED_AGE = Gauge("documents_unaudited_age_seconds", "since the document was examined that has waited longest, or was taken up")
