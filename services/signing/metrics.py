"""Metrics of signing."""

from prometheus_client import Counter, Gauge, Histogram

SIGNATURES = Counter("signatures_total", "items of batches that ended", ["kind", "result"])
"""kind: the step; result: embedded, refused, expired, cancelled or failed."""
SEALED = Counter("archive_documents_total", "transcripts taken up for the archive level", ["result"])
"""result: sealed, postponed (tried again) or stopped (somebody has to look)."""
SIGNER_SECONDS = Histogram("signer_seconds", "one call for signature values", ["provider"])
AUDITED = Counter("documents_audited_total", "stored documents examined again", ["result"])
"""result: whole, or different (one alarm is enough: see infra/prometheus/rules.yml)."""
DIFFERING = Gauge("documents_differing", "stored documents that are not what was signed, as the leading auditor knows")
UNAUDITED_AGE = Gauge("documents_unaudited_age_seconds", "since the document was examined that has waited longest, or was taken up")
