"""What may be digitised, who reviews and who signs which part, and how far it is. Plain data in, plain data out.

Source: plan of a school on Quyết định 1789/QĐ-SGDĐT (seed 004), V: teachers who are still at the school review and sign what they taught;
of those who left, and of whatever a pupil brought along from another school, the clerk reviews it and the head signs and answers for it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from services.chassis.errors import Refused
from services.records.cells import key
from services.records.digitisation.errors import REASON_NEEDED, WRONG_PAPER, WRONG_PERSON, WRONG_YEAR
from services.records.printing.settings import may_lead
from services.records.rules.ruleset import GRADES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from services.records.schoolyear import Level, Result, Semester, Staff

PROFILE, HOMEROOM, LEFT = "profile", "homeroom", "subjects"
"""Keys of parts; a present teacher's is `subjects:<staff code>`."""
LEAST_REASON, LONGEST_REASON, LONGEST_NAME = 10, 500, 100
OLDEST_YEAR = 2000
FIRST_YEAR = "2020-2021"
"""The first year of the 2018 programme, whose grades become digital transcripts (seed 004, V); signing has policies from it on."""


class Progress(StrEnum):
    NO_SCAN = "NO_SCAN"
    NO_DATA = "NO_DATA"
    REVIEWING = "REVIEWING"
    SENT_BACK = "SENT_BACK"
    REVIEWED = "REVIEWED"
    CREATED = "CREATED"


PROGRESS_WORDS = {
    Progress.NO_SCAN: "Chưa có bản quét",
    Progress.NO_DATA: "Chưa có dữ liệu",
    Progress.REVIEWING: "Đang đối chiếu",
    Progress.SENT_BACK: "Trả lại",
    Progress.REVIEWED: "Đã đối chiếu",
    Progress.CREATED: "Đã tạo học bạ",
}


class Seen(StrEnum):
    """Where the review of one part stands; `STALE`: what it covers changed afterwards."""

    WAITING = "WAITING"
    CHECKED = "CHECKED"
    STALE = "STALE"
    SENT_BACK = "SENT_BACK"


SEEN_WORDS = {
    Seen.WAITING: "Chưa đối chiếu",
    Seen.CHECKED: "Đã đối chiếu",
    Seen.STALE: "Dữ liệu đã đổi, cần đối chiếu lại",
    Seen.SENT_BACK: "Trả lại",
}


@dataclass(frozen=True)
class Taught:
    """Whom the paper names for a subject, and for which semesters; `staff` is "" where no code is known."""

    subject: str
    staff: str
    name: str
    semesters: tuple[Semester, ...] = (1, 2)


@dataclass(frozen=True)
class Part:
    """`reviewer` and `signer`: staff codes. `written_by`: names on the paper of those who do not sign themselves."""

    key: str
    kind: Literal["profile", "subjects", "homeroom"]
    title: str
    reviewer: str
    signer: str
    subjects: tuple[str, ...] = ()
    written_by: tuple[str, ...] = ()
    one_semester: tuple[tuple[str, Semester], ...] = ()


@dataclass(frozen=True)
class Assigned:
    """Who does what in digitising: the clerk who reviews, the head who signs and answers, and whether the paper was brought along."""

    reviewer: str
    leader: str
    brought: bool = False


def year_to_digitise(words: str, newest: str, today: dt.date) -> str:
    """Raises Refused(WRONG_YEAR) for what is no school year, one to come, one that runs, and the newest one of the school."""
    first, _, last = words.strip().partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit() and len(first) == len(last) == 4):
        raise Refused(WRONG_YEAR, reason="Năm học ghi dạng 2023-2024.")
    if int(last) != int(first) + 1 or int(first) < OLDEST_YEAR:
        raise Refused(WRONG_YEAR, reason="Không có năm học này.")
    ended = today.year > int(last) or (today.year == int(last) and today.month >= 8)
    if not ended:
        raise Refused(WRONG_YEAR, reason=f"Năm học {first}-{last} chưa kết thúc.")
    if f"{first}-{last}" >= newest:
        raise Refused(WRONG_YEAR, reason=f"Chỉ số hóa năm học trước năm học {newest}.")
    return f"{first}-{last}"


def assigned(reviewer: str, leader: str, staff: Mapping[str, Staff], *, brought: bool = False) -> Assigned:
    """Raises Refused(WRONG_PERSON). `staff`: who is at the school now."""
    if reviewer not in staff:
        raise Refused(WRONG_PERSON, reason="Chưa chọn nhân viên học vụ rà soát, hoặc người được chọn không còn công tác tại trường.")
    if leader not in staff or not may_lead(staff[leader]):
        raise Refused(WRONG_PERSON, reason="Chưa chọn lãnh đạo ký, hoặc người được chọn không phải là Hiệu trưởng, Phó Hiệu trưởng.")
    return Assigned(reviewer, leader, brought)


def paper_grade(words: str, level: Level, *, now: int, years: int) -> int:
    """The grade on the paper; `now`: the pupil's grade, `years` later. Raises Refused(WRONG_PAPER)."""
    grade = int(words) if words.strip().isascii() and words.strip().isdigit() and len(words.strip()) < 3 else 0
    if grade not in GRADES[level]:
        reason = f"Khối phải từ {GRADES[level][0]} đến {GRADES[level][-1]}; học bạ giấy của cấp học khác không số hóa ở đây."
        raise Refused(WRONG_PAPER, reason=reason)
    if grade > now or now - grade > years:
        raise Refused(WRONG_PAPER, reason=f"Học sinh học khối {now} sau {years} năm nên học bạ giấy không thể của khối {grade}.")
    return grade


def parts_of(
    who: Assigned,
    taught: Sequence[Taught],
    homeroom: tuple[str, str],
    present: Collection[str],
    subjects: Sequence[str],
) -> tuple[Part, ...]:
    """All parts of one paper transcript. `subjects`: those of the result; `homeroom`: (code, name); `present`: staff codes of now.

    A subject that the paper gives to two teachers has both: who is still here signs, and the head for the one who left.
    """
    by_key = {key(s): s for s in subjects}
    own: dict[str, dict[str, set[Semester]]] = {}
    left: dict[str, set[Semester]] = {}
    names: dict[str, None] = {}
    for each in taught:
        subject = by_key.get(key(each.subject))
        if subject is None:
            continue
        here = not who.brought and each.staff in present
        theirs = own.setdefault(each.staff, {}) if here else left
        theirs.setdefault(subject, set()).update(each.semesters)
        if not here and each.name:
            names[each.name] = None
    covered = set(left).union(*own.values())
    left |= {s: {1, 2} for s in subjects if s not in covered}
    found = [Part(PROFILE, "profile", "Hồ sơ học sinh và bản quét", who.reviewer, who.leader)]
    for code, theirs in own.items():
        found.append(Part(f"{LEFT}:{code}", "subjects", ", ".join(theirs), code, code, tuple(theirs), (), _one_semester(theirs)))
    if left:
        ordered = {s: left[s] for s in subjects if s in left}
        title = ", ".join(ordered)
        found.append(Part(LEFT, "subjects", title, who.reviewer, who.leader, tuple(ordered), tuple(names), _one_semester(ordered)))
    code, name = homeroom
    if not who.brought and code in present:
        found.append(Part(HOMEROOM, "homeroom", "Phần của giáo viên chủ nhiệm", code, code))
    else:
        written = (name,) if name else ()
        found.append(Part(HOMEROOM, "homeroom", "Phần của giáo viên chủ nhiệm", who.reviewer, who.leader, (), written))
    return tuple(found)


def _one_semester(taught: Mapping[str, set[Semester]]) -> tuple[tuple[str, Semester], ...]:
    return tuple((subject, next(iter(semesters))) for subject, semesters in taught.items() if len(semesters) == 1)


def digest_of(part: Part, profile: Mapping[str, Any] | None, result: Result | None, scan: str) -> str:
    """Of all that the part covers, so that a review holds for what was seen and nothing else."""
    covered: Any = profile
    if result is not None and part.kind == "subjects":
        covered = [s.model_dump(mode="json") for s in result.subjects if s.name in part.subjects]
    elif result is not None and part.kind == "homeroom":
        covered = result.model_dump(mode="json", exclude={"subjects"})
    told = [part.key, part.kind, part.subjects, part.written_by, part.reviewer, part.signer, covered, scan]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def seen(check: Mapping[str, Any] | None, digest: str) -> Seen:
    """`check`: {digest, ok} as it was stored, or None."""
    if check is None:
        return Seen.WAITING
    if check["digest"] != digest:
        return Seen.STALE
    return Seen.CHECKED if check["ok"] else Seen.SENT_BACK


def progress_of(*, scan: bool, data: bool, created: bool, parts: Sequence[Seen]) -> Progress:
    if created:
        return Progress.CREATED
    if not scan:
        return Progress.NO_SCAN
    if not data:
        return Progress.NO_DATA
    if Seen.SENT_BACK in parts:
        return Progress.SENT_BACK
    return Progress.REVIEWED if all(p is Seen.CHECKED for p in parts) else Progress.REVIEWING


def reason_in(words: str) -> str:
    """Raises Refused(REASON_NEEDED)."""
    reason = " ".join(words.split())
    if not LEAST_REASON <= len(reason) <= LONGEST_REASON:
        raise Refused(REASON_NEEDED, most=LONGEST_REASON)
    return reason


def name_in(words: str, what: str) -> str:
    """Raises Refused(WRONG_PAPER)."""
    name = " ".join(words.split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(WRONG_PAPER, reason=f"Nhập {what} (không quá {LONGEST_NAME} ký tự).")
    return name


def class_code_of(class_name: str, paper_school: str) -> str:
    """The code of a class that is known from paper alone; of another school it has that school's mark."""
    plain = "".join(c if c.isalnum() else "-" for c in key(class_name)).strip("-").upper() or "X"
    mark = hashlib.sha256(key(paper_school).encode()).hexdigest()[:6] if paper_school else ""
    return "-".join(filter(None, ("SH", plain[:20], mark)))
