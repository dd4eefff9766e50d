"""The states of a batch's items, as everybody who asks for some of them names them (`batches.py` says what each means)."""

HASHED = ("prepared", "sent", "waiting")
"""Their hashes are stored and their signature values are not."""
OPEN = ("queued", *HASHED, "returned")
"""They have no outcome yet."""
ENDED_BADLY = ("refused", "expired", "stale", "failed", "cancelled")
