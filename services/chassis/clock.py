"""The only place that asks what time it is. Stored times are UTC with milliseconds, as MongoDB keeps them."""

from __future__ import annotations

import datetime as dt

VIETNAM = dt.timezone(dt.timedelta(hours=7), "+07:00")


def now() -> dt.datetime:
    moment = dt.datetime.now(dt.UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def in_vietnam(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(VIETNAM)
