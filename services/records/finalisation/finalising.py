"""Finalising a class ("xác nhận hoàn thành tổng kết"), which sets the data lock, and taking it back. Plain data in, decision out.

Results that are missing or contradict the circular forbid it; what a profile lacks is only told, since profiles may still be completed.
Whoever finalises does not open the data lock again: when it is opened is decided by the head of the school, with a reason.
Sources: seed 001 II.1 (5.9.4); seed 003 Đ3 (the head decides when data are locked and opened), Đ8 (data are corrected with the head's
approval alone, until a week before the final lock).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis.errors import Refused
from services.records.cells import key
from services.records.finalisation.errors import (
    ALREADY_FINALISED,
    FINALISED_ELSEWHERE,
    NO_PUPILS,
    NOT_FINALISABLE,
    NOT_FINALISED,
    TRANSCRIPTS_STAND,
)
from services.records.locks.locking import class_finalised
from services.records.rules.completeness import STUDYING, profile_missing, result_missing
from services.records.schoolyear import PrimaryResult, Pupil, SecondaryResult
from services.records.summaries.errors import SUMMARY_STANDS
from services.records.transcripts.needs import of_pupil, of_results

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    Document = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """One pupil of a class: `blocking` is what forbids finalising, `lacking` what the profile lacks; sentences in Vietnamese."""

    pupil: str
    name: str
    blocking: tuple[str, ...]
    lacking: tuple[str, ...]


def standings(pupils: Sequence[Mapping[str, Any]], grade: int, year: str) -> list[Standing]:
    """Every pupil who counts for the class, those included about whom there is nothing to say. Who has left the school does not count."""
    return [_standing(p, grade, year) for p in pupils if p["data"] is None or key(p["data"].get("status", STUDYING)) == STUDYING]


def _standing(pupil: Mapping[str, Any], grade: int, year: str) -> Standing:
    result = pupil["result"]
    if result is None:
        # what the import found wrong in the row is why there is no result
        blocking = ["Chưa có kết quả cuối năm.", *(m["message"] for m in of_results(pupil["missing"]))]
    else:
        kind = PrimaryResult if result["kind"] == "primary" else SecondaryResult
        blocking = [m.message_vi for m in result_missing(kind.model_validate(result), grade, year)]
    if pupil["data"] is None:
        lacking = [m["message"] for m in of_pupil(pupil["missing"])]
    else:
        lacking = [m.message_vi for m in profile_missing(Pupil.model_validate(pupil["data"]))]
    return Standing(pupil["code"], pupil["name"], tuple(dict.fromkeys(blocking)), tuple(dict.fromkeys(lacking)))


def finalised(school_class: Document, pupils: Sequence[Mapping[str, Any]], *, by: str, at: dt.datetime) -> Document:
    """The class document after finalising. Raises Refused with what forbids it."""
    name = school_class["data"]["name"]
    if class_finalised(school_class):
        raise Refused(ALREADY_FINALISED, name=name)
    found = standings(pupils, school_class["data"]["grade"], school_class["year"])
    if not found:
        raise Refused(NO_PUPILS, name=name)
    wrong = sum(1 for standing in found if standing.blocking)
    if wrong:
        raise Refused(NOT_FINALISABLE, name=name, count=wrong)
    return {**school_class, "finalised_at": at, "finalised_by": by}


def reopened(
    school_class: Document, reason: str, *, by: str, at: dt.datetime, live_transcripts: int, summary_stands: bool = False
) -> Document:
    """The class document after taking it back; `reopenings` says when, by whom and why. Raises Refused."""
    name = school_class["data"]["name"]
    if not class_finalised(school_class):
        raise Refused(NOT_FINALISED, name=name)
    if live_transcripts:
        raise Refused(TRANSCRIPTS_STAND, name=name, count=live_transcripts)
    if summary_stands:
        raise Refused(SUMMARY_STANDS, name=name)
    if school_class["data"]["finalised"]:
        raise Refused(FINALISED_ELSEWHERE, name=name)
    told = {
        "at": at,
        "by": by,
        "reason": reason,
        "finalised_at": school_class["finalised_at"],
        "finalised_by": school_class["finalised_by"],
    }
    still = {k: v for k, v in school_class.items() if k not in ("finalised_at", "finalised_by")}
    return {**still, "reopenings": [*school_class.get("reopenings", ()), told]}
