"""The life of a transcript as the design tells it, written down a second time so that the product cannot agree with itself alone.

Source: the guides 000 and 001 (menus 2.1 to 2.10). Nothing here is imported from the product.
"""

from __future__ import annotations

AWAITED = ("AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "AWAITING_LEADER", "AWAITING_ISSUE")
"""Shown as "Chờ ký", one after the other."""
LEADS_TO: dict[str, tuple[str, ...]] = {
    "NOT_CREATED": ("AWAITING_SUBJECT_TEACHERS",),
    "AWAITING_SUBJECT_TEACHERS": ("AWAITING_HOMEROOM", "RETURNED"),
    "AWAITING_HOMEROOM": ("AWAITING_LEADER", "RETURNED"),
    "AWAITING_LEADER": ("AWAITING_ISSUE", "RETURNED"),
    "AWAITING_ISSUE": ("SIGNED", "RETURNED"),
    "RETURNED": ("CANCELLED", *AWAITED),
    "SIGNED": ("CONFIRMED", "CANCELLED"),
    "CONFIRMED": ("SIGNED", "SUBMITTED", "CANCELLED"),
    "SUBMITTED": ("ACCEPTED", "REJECTED"),
    "REJECTED": ("SIGNED", "SUBMITTED", "CANCELLED"),
    "ACCEPTED": ("WITHDRAWAL_PENDING",),
    "WITHDRAWAL_PENDING": ("WITHDRAWN", "ACCEPTED"),
    "WITHDRAWN": ("CANCELLED",),
    "CANCELLED": (),
}
SENT = ("SUBMITTED", "ACCEPTED", "WITHDRAWAL_PENDING")
SEALED = ("SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED")
"""The school's signature stands and the transcript is in force."""

SIGNING_AT: dict[str, tuple[str, ...]] = {
    "AWAITING_SUBJECT_TEACHERS": ("subjects", "assembling", "rendering"),
    "AWAITING_HOMEROOM": ("homeroom",),
    "AWAITING_LEADER": ("leader",),
    "AWAITING_ISSUE": ("issue", "sealing"),
    "RETURNED": ("returned", "assembling", "rendering", "sealing"),
    "CANCELLED": ("cancelled",),
    **dict.fromkeys(("SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED"), ("done",)),
}
"""Where the task in signing is once everybody has heard everything; what stands still is returned by the administrator where it is."""
PUBLISHING_AT: dict[str, tuple[str | None, ...]] = {
    **dict.fromkeys((*AWAITED, "RETURNED"), (None,)),
    "SIGNED": (None, "NOT_CONFIRMED"),
    "CONFIRMED": ("NOT_SENT",),
    "SUBMITTED": ("CLEARED", "PACKED", "SENT"),
    "ACCEPTED": ("ACCEPTED",),
    "REJECTED": ("REJECTED",),
    "CANCELLED": (None, "CANCELLED"),
}
"""The same of publishing; None: it never heard of the transcript."""

CORRECTION_LEADS_TO: dict[str, tuple[str, ...]] = {
    "SUBMITTED": ("FORWARDED", "REFUSED", "WITHDRAWN"),
    "FORWARDED": ("APPROVED", "REFUSED", "WITHDRAWN"),
    "APPROVED": ("UNLOCKED", "WITHDRAWN", "RELOCKED"),
    "UNLOCKED": ("DONE", "RELOCKED"),
    "DONE": (),
    "REFUSED": (),
    "WITHDRAWN": (),
    "RELOCKED": (),
}
