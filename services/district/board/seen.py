"""What the live board shows of a branch: how many are done, how fast it goes, which schools are not done. Plain data in, plain data out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.deadlines import national_deadline
from services.chassis import clock
from services.chassis.web.look import vn_number, vn_percent
from services.district.overtime import by_hour, hours_left, per_hour
from services.district.statistics import is_done

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

SHOWN = 50
"""Schools that are not done, on the board; the rest stands in menu 6.4."""


def board_of(told: Mapping[str, Any], days: Sequence[Mapping[str, Any]], now: dt.datetime) -> dict[str, Any]:
    """`told` is what `routes.numbers` tells of a year with data, `days` the last two days at least."""
    total, year = told["total"], told["year"]
    submitted, accepted = by_hour(days, "submitted", now), by_hour(days, "accepted", now)
    speed = per_hour(accepted, now)
    done = total["accepted"] + total["withdrawn"]
    left = hours_left(total["pupils"] - done, speed)
    behind = sorted((s for s in told["schools"] if not is_done(s)), key=lambda s: (-_remaining(s), s["name"]))
    deadline = national_deadline(year)
    return {
        "year": year,
        "deadline": deadline,
        "days_left": (deadline - clock.in_vietnam(now).date()).days,
        "updated_at": now,
        "boxes": [
            ("Học sinh", total["pupils"], "neutral"),
            ("Chưa tạo", total["not_created"], "neutral"),
            ("Đang ký, trả lại", total["awaiting"] + total["returned"], "waiting"),
            ("Chờ xác nhận", total["signed"], "info"),
            ("Chờ gửi", total["confirmed"], "info"),
            ("Đã gửi", total["submitted"], "info"),
            ("Đã tiếp nhận", total["accepted"], "success"),
            ("Bị từ chối", total["rejected"], "danger"),
        ],
        "accepted": f"{vn_number(total['accepted'])} trong {vn_number(total['pupils'])} ({vn_percent(total['accepted'], total['pupils'])})",
        "speeds": [
            ("Gửi", f"{vn_number(per_hour(submitted, now))} học bạ mỗi giờ"),
            ("Tiếp nhận", f"{vn_number(speed)} học bạ mỗi giờ"),
            ("Với tốc độ này xong sau", f"{vn_number(left)} giờ" if left is not None else "chưa tính được"),
        ],
        "hours": [
            {"text": f"{hour:%H}h ngày {hour:%d/%m}", "short": f"{hour:%H}h", "submitted": n, "accepted": m}
            for (hour, n), (_, m) in zip(submitted, accepted, strict=True)
        ],
        "done_schools": len(told["schools"]) - len(behind),
        "all_schools": len(told["schools"]),
        "behind": [
            {"school": s["school"], "name": s["name"], "remaining": _remaining(s), "share": vn_percent(s["accepted"], s["pupils"])}
            for s in behind[:SHOWN]
        ],
        "more": max(0, len(behind) - SHOWN),
    }


def _remaining(line: Mapping[str, int]) -> int:
    return line["pupils"] - line["accepted"] - line["withdrawn"]
