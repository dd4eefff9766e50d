"""What the locks of a school year allow: the one question that importing, creating, signing, confirming and cancelling ask.

Data lock ("khoá dữ liệu"): from the finalisation of a class on, its pupils' complete and uncontradicted results change only by a
correction. Final lock ("khoá học bạ"): nothing of the year changes. Source: Quy chế Học bạ số of a school
(28/11/2025), Điều 3, 8 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from services.records.corrections.states import APPROVED, UNLOCKED
from services.records.locks.errors import BEING_CORRECTED, DATA_LOCKED, TRANSCRIPT_STANDS, YEAR_LOCKED
from services.records.locks.store import lock_of
from services.records.rules.completeness import result_missing
from services.records.schoolyear import PrimaryResult, SecondaryResult

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from services.chassis.errors import Refusal
    from services.chassis.mongo import Database, Document, Session

What = Literal["results", "profile", "create", "sign", "cancel", "confirm"]


@dataclass(frozen=True)
class Locks:
    """The locks of one school year as they are now. Plain data, so that rules and tests need no database.

    `finalised`: codes of the classes that are finalised. `incomplete`: codes of pupils whose results are not complete or contradict the
    circular. `transcripts`: codes of pupils with a live transcript. `corrections`: by pupil code, the state of the correction that the
    principal approved and that is not finished.
    """

    final: bool = False
    finalised: frozenset[str] = frozenset()
    incomplete: frozenset[str] = frozenset()
    transcripts: frozenset[str] = frozenset()
    corrections: Mapping[str, str] = field(default_factory=dict)

    def why_not(self, class_code: str, pupil_code: str, *, what: What) -> Refusal | None:
        """None when `what` may be done for this pupil; else the refusal, to be raised as `Refused(refusal)` or told of one item.

        - "results": change a result that is there (a result that is new or the same needs no question; nor do re-assessed values).
        - "profile": change the profile.
        - "create", "sign", "confirm" (also its undoing), "cancel": acts on the transcript.
        None of these refusals has values to fill in.
        """
        if self.final:
            return YEAR_LOCKED
        correction = self.corrections.get(pupil_code)
        if what == "results":
            locked = class_code in self.finalised and pupil_code not in self.incomplete
            return DATA_LOCKED if locked and correction != UNLOCKED else None
        if what == "profile":
            return TRANSCRIPT_STANDS if pupil_code in self.transcripts else None
        return BEING_CORRECTED if correction and what != "cancel" else None


async def locks_of(db: Database, school: str, year: str, *, pupils: Collection[str] | None = None, session: Session | None = None) -> Locks:
    """The locks of a school's year; `pupils` limits what is read to these pupils' codes.

    Inside a transaction pass its session: then the answer and the write that it allows see the same moment.
    """
    prefix: Document = {"school": school, "year": year}
    lock = await lock_of(db, school, year, session)
    classes = await db["classes"].find(prefix, session=session).to_list(None)
    finalised = {c["code"]: c["data"]["grade"] for c in classes if class_finalised(c)}
    theirs: Document = {} if pupils is None else {"$in": list(pupils)}
    by_code: Document = {} if pupils is None else {"code": theirs}
    by_pupil: Document = {} if pupils is None else {"pupil_code": theirs}
    # whoever lacks nothing has a complete result; only of the others it has to be judged
    doubtful = db["pupils"].find(
        {**prefix, **by_code, "class_code": {"$in": list(finalised)}, "missing": {"$ne": []}},
        projection={"code": 1, "class_code": 1, "result": 1},
        session=session,
    )
    incomplete = [p["code"] async for p in doubtful if not complete(p["result"], finalised[p["class_code"]], year)]
    transcripts = await db["transcripts"].distinct("pupil_code", {**prefix, **by_pupil, "live": True}, session=session)
    approved = db["corrections"].find(
        {**prefix, **by_pupil, "state": {"$in": [APPROVED, UNLOCKED]}}, projection={"pupil_code": 1, "state": 1}, session=session
    )
    return Locks(
        final=lock["locked"],
        finalised=frozenset(finalised),
        incomplete=frozenset(incomplete),
        transcripts=frozenset(transcripts),
        corrections={c["pupil_code"]: c["state"] async for c in approved},
    )


def class_finalised(school_class: Document) -> bool:
    """Whether the class is finalised, in the sector database or here."""
    return bool(school_class["data"]["finalised"] or school_class.get("finalised_at"))


def complete(result: Document | None, grade: int, year: str) -> bool:
    """Whether a stored result has all that its grade needs and nothing that contradicts the circular."""
    if result is None:
        return False
    kind = PrimaryResult if result["kind"] == "primary" else SecondaryResult
    return not result_missing(kind.model_validate(result), grade, year)
