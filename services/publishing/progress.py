"""How far the latest sending of a school has come: what one press of "Gửi lên hệ thống" asked for. Plain data in, a panel out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from services.chassis.web.look import Progress, vn_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document

SHOWN_FOR = dt.timedelta(hours=1)
"""After the order, when nothing is on the way any more."""
UNDER_WAY = ("REQUESTED", "CLEARED", "PACKED", "SENT")


def of_latest(every: Sequence[Document], href: str, noun: str, at: dt.datetime) -> Progress | None:
    """None when nothing was sent lately."""
    sent = [s for s in every if s.get("sending") and s.get("requested_at")]
    if not sent:
        return None
    latest = max(sent, key=lambda s: s["requested_at"])
    states = Counter(s["state"] for s in sent if s["sending"] == latest["sending"])
    total = states.total()
    waiting = sum(states[state] for state in UNDER_WAY)
    if not waiting and at - latest["requested_at"] > SHOWN_FOR:
        return None
    answered = total - waiting
    passed_on = states["SENT"] + answered
    packed = states["PACKED"] + passed_on
    failed = answered - states["ACCEPTED"]
    numbers = [vn_number(n) for n in (packed, passed_on, answered, total)]
    return Progress(
        title=f"Gửi {vn_number(total)} {noun}",
        total=total,
        done=states["ACCEPTED"],
        failed=failed,
        running=waiting > 0,
        href=href,
        message="Đã đóng gói {}, đã chuyển đến Cổng tiếp nhận {}, đã có kết quả {} trong {} {}.".format(*numbers, noun),
        waiting=waiting,
        outcome="success" if not failed else "warning" if failed < total else "danger",
    )
