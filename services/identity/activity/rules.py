"""What is unusual in the activity of a school: one plain rule each, with the reason to show. Plain data in, findings out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from services.chassis.clock import in_vietnam

FAILURES = 5
"""Wrong passwords for one account in a day from which it is worth a look."""
NIGHT_ENDS = 5
"""Hour in Vietnam; the night begins at 0."""
BULK = 50
"""Acts of one kind by one person in a day below which nothing counts as bulk."""
FAR_ABOVE = 5
"""Times what is usual."""
USUAL_DAYS = 3
"""Days with such acts that are needed to know what is usual."""
REFUSALS = 5
"""Refusals of one kind in a day."""
PASSWORD_RESETS = frozenset({"one-time password issued", "recovery link made", "password reset"})
CERTIFICATE_WATCHED = frozenset({"signing account watched", "school certificate watched"})
STILL_GOOD = "APPROVED"
REFUSED_STATES = frozenset({"REFUSED", "refused", "REJECTED"})


EVER = dt.datetime.min.replace(tzinfo=dt.UTC)
WATCHED = (
    "signed in",
    "password refused",
    "sign-in locked",
    "issue right set",
    "not signed",
    "package answered",
    "signing account decided",
    "school certificate decided",
    "refuse certificate",
    "stored file differs",
    *sorted(PASSWORD_RESETS),
    *sorted(CERTIFICATE_WATCHED),
)
"""The acts that the rules look at one by one; of people who have left, all."""


@dataclass(frozen=True)
class Act:
    """An entry as the rules see it."""

    id: str
    at: dt.datetime
    actor: str
    act: str
    subject: str
    device: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> dt.date:
        return in_vietnam(self.at).date()


@dataclass(frozen=True)
class Count:
    """How often somebody did something on a day, and when for the last time."""

    day: str
    act: str
    actor: str
    number: int
    last: dt.datetime


@dataclass(frozen=True)
class Known:
    """What the rules have to know beside the acts.

    `devices`: by person, the devices before the period. `privileged`: who may decide, issue or administer.
    `left`: since when somebody does not belong to the school any more. `counts` reach back further than the acts: what happened on
    days before `since` only tells what is usual.
    """

    devices: Mapping[str, set[str]] = field(default_factory=dict)
    privileged: frozenset[str] = frozenset()
    left: Mapping[str, dt.datetime] = field(default_factory=dict)
    counts: Sequence[Count] = ()
    since: dt.datetime = EVER


@dataclass(frozen=True)
class Finding:
    """`id` stays the same however often the rules are asked. `person` is a code, or "" when nobody is known."""

    id: str
    rule: str
    title: str
    reason: str
    at: dt.datetime
    person: str
    acts: tuple[str, ...] = ()


Rule = Callable[[Sequence[Act], Known], Iterable[Finding]]


def many_failures(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    grouped: dict[tuple[str, dt.date], list[Act]] = defaultdict(list)
    for act in acts:
        if act.act == "password refused":
            grouped[act.subject, act.day].append(act)
    for (subject, day), found in grouped.items():
        if len(found) >= FAILURES:
            reason = f"Nhập sai mật khẩu {len(found)} lần trong một ngày; bình thường dưới {FAILURES} lần."
            yield _finding("failures", f"{subject}:{day}", "Nhập sai mật khẩu nhiều lần", reason, found, person=subject)


def at_night(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    for act in acts:
        hour = in_vietnam(act.at).hour
        if act.act == "signed in" and hour < NIGHT_ENDS:
            reason = f"Đăng nhập lúc {in_vietnam(act.at):%H:%M}, trong khoảng 0 giờ đến {NIGHT_ENDS} giờ."
            yield _finding("night", act.id, "Đăng nhập ban đêm", reason, [act], person=act.actor)


def new_device(acts: Sequence[Act], known: Known) -> Iterable[Finding]:
    """Of people with rights over others, once they have signed in from somewhere before."""
    devices = {person: set(used) for person, used in known.devices.items()}
    for act in sorted(acts, key=lambda a: a.at):
        if act.act != "signed in" or act.actor not in known.privileged or not act.device:
            continue
        before = devices.setdefault(act.actor, set())
        if before and act.device not in before:
            reason = f"Tài khoản có quyền cao đăng nhập lần đầu từ {act.device}."
            yield _finding("device", act.id, "Đăng nhập từ thiết bị mới", reason, [act], person=act.actor)
        before.add(act.device)


def locked(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    for act in acts:
        if act.act == "sign-in locked":
            yield _finding(
                "locked", act.id, "Tài khoản tạm khoá đăng nhập", "Đăng nhập sai quá số lần cho phép.", [act], person=act.subject
            )


def far_above_usual(_acts: Sequence[Act], known: Known) -> Iterable[Finding]:
    """By person and kind of act, a day against the median of the school's other days with such acts."""
    by_day: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in known.counts:
        by_day[each.act][each.day] += each.number
    for each in known.counts:
        others = [number for day, number in by_day[each.act].items() if day != each.day]
        if each.last < known.since or each.number < BULK or len(others) < USUAL_DAYS:
            continue
        usual = median(others)
        if each.number > FAR_ABOVE * usual:
            reason = f"{each.number} lần trong ngày; bình thường toàn trường khoảng {usual:.0f} lần một ngày."
            key = f"bulk:{each.act}:{each.actor}:{each.day}"
            yield Finding(key, "bulk", "Thao tác hàng loạt nhiều hơn hẳn bình thường", reason, each.last, each.actor)


def many_refusals(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    grouped: dict[tuple[str, dt.date], list[Act]] = defaultdict(list)
    for act in acts:
        if _refused(act):
            grouped[act.act, act.day].append(act)
    for (kind, day), found in grouped.items():
        number = sum(_refused(a) for a in found)
        if number >= REFUSALS:
            reason = f"{number} mục bị từ chối hoặc không thực hiện được trong một ngày; bình thường dưới {REFUSALS} mục."
            yield _finding("refusals", f"{kind}:{day}", "Nhiều mục bị từ chối, trả lại", reason, found, person=found[-1].actor)


def issue_right_granted(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    for act in acts:
        if act.act == "issue right set" and act.details.get("after") is True:
            yield _finding(
                "issue", act.id, "Phân quyền Ký phát hành", "Người được phân quyền ký thay mặt nhà trường.", [act], person=act.subject
            )


def privileged_reset(acts: Sequence[Act], known: Known) -> Iterable[Finding]:
    for act in acts:
        if act.act in ("one-time password issued", "recovery link made", "password reset") and act.subject in known.privileged:
            yield _finding(
                "reset", act.id, "Cấp lại mật khẩu tài khoản có quyền cao", "Kiểm tra đúng là người đó đề nghị.", [act], person=act.subject
            )


def certificate_ended(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    for act in acts:
        if act.act in CERTIFICATE_WATCHED and act.details.get("after") != STILL_GOOD:
            reason = "Chứng thư số đã duyệt bị thu hồi, tạm dừng hoặc hết hạn nên không ký được."
            yield _finding("certificate", act.id, "Chứng thư số ngừng hiệu lực", reason, [act], person=act.subject)


def stored_file_differs(acts: Sequence[Act], _known: Known) -> Iterable[Finding]:
    for act in acts:
        if act.act == "stored file differs":
            reason = f"HB-SIG-090: không dùng tệp này, báo ngay cho bộ phận hỗ trợ. {act.details.get('reason', '')}".strip()
            yield _finding("stored", act.id, "Tệp lưu trữ sai khác với tệp đã ký", reason, [act], person="")


def after_leaving(acts: Sequence[Act], known: Known) -> Iterable[Finding]:
    grouped: dict[tuple[str, dt.date], list[Act]] = defaultdict(list)
    for act in acts:
        since = known.left.get(act.actor)
        if since is not None and act.at > since:
            grouped[act.actor, act.day].append(act)
    for (actor, day), found in grouped.items():
        reason = "Người này không còn trong danh sách nhân sự của năm học."
        yield _finding("left", f"{actor}:{day}", "Thao tác của người đã rời trường", reason, found, person=actor)


RULES: tuple[Rule, ...] = (
    stored_file_differs,
    after_leaving,
    locked,
    many_failures,
    certificate_ended,
    privileged_reset,
    issue_right_granted,
    new_device,
    at_night,
    far_above_usual,
    many_refusals,
)


def unusual(acts: Sequence[Act], known: Known) -> list[Finding]:
    """Of all rules, the newest first."""
    found = [finding for rule in RULES for finding in rule(acts, known)]
    return sorted(found, key=lambda f: (f.at, f.id), reverse=True)


def _refused(act: Act) -> int:
    """How many items the act refused."""
    if act.act == "package answered":
        return len(act.details.get("rejected", ()))
    if act.act == "not signed":
        return len(act.details.get("transcripts", ()))
    return int(act.details.get("after") in REFUSED_STATES if isinstance(act.details.get("after"), str) else 0)


def _finding(rule: str, key: str, title: str, reason: str, acts: Sequence[Act], *, person: str) -> Finding:
    return Finding(f"{rule}:{key}", rule, title, reason, max(a.at for a in acts), person, tuple(a.id for a in acts))
