"""Words of transfers that other topics need."""

from __future__ import annotations

LEFT = "Chuyển đi"
"""The status of a pupil who left, as the sector database writes it."""
