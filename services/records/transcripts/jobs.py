"""Creation jobs: starting, following, stopping and repeating them. The worker's side is `creation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from services.chassis import audit, clock
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import transaction
from services.chassis.origin import asking
from services.records.errors import NOTHING_SELECTED
from services.records.rules.reassessment import must_be_reassessed
from services.records.rules.ruleset import NoRuleSetError
from services.records.schoolyear import Plain, PrimaryResult, Result, SecondaryResult
from services.records.transcripts.errors import ALL_LEFT_OUT, JOB_ENDED, JOB_RUNNING, NOTHING_TO_RETRY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.records.store import Store

KIND = "create"


class Options(Plain):
    """`comments`: whether the teachers' comments on the single subjects are printed.

    `skip_reassessed`: leave out who must be assessed again or trained in summer.
    """

    comments: Literal["subject", "none"] = "subject"
    skip_reassessed: bool = False


async def start(
    store: Store,
    *,
    school: str,
    year: str,
    pupils: Sequence[Document],
    actor: str,
    options: Options | None = None,
    repeats: str | None = None,
) -> str:
    """Queue a creation job for these pupils; returns its id. Raises Refused(NOTHING_SELECTED) and Refused(ALL_LEFT_OUT)."""
    if not pupils:
        raise Refused(NOTHING_SELECTED)
    chosen = options or Options()
    left_out = waiting_for_summer(pupils, await grades(store, school, year), year) if chosen.skip_reassessed else frozenset()
    remaining = [p["code"] for p in pupils if p["code"] not in left_out]
    if not remaining:
        raise Refused(ALL_LEFT_OUT, count=len(left_out))
    job_id = str(uuid4())
    at_hand = asking()
    await store.add_job(
        {
            "_id": job_id,
            "kind": KIND,
            "school": school,
            "year": year,
            "actor": actor,
            "request_id": at_hand.request_id if at_hand else None,
            "at": clock.now(),
            "state": "running",
            "options": chosen.model_dump(mode="json"),
            "repeats": repeats,
            "total": len(remaining),
            "done": 0,
            "created": 0,
            "refused": [],
            "left_out": len(left_out),
            "remaining": remaining,
        }
    )
    return job_id


async def grades(store: Store, school: str, year: str) -> dict[str, int]:
    return {c["code"]: c["data"]["grade"] for c in await store.classes(school, year)}


def waiting_for_summer(pupils: Sequence[Document], grades: Mapping[str, int], year: str) -> frozenset[str]:
    """Codes of the pupils who must be assessed again or trained in summer; of whom nothing can be judged is not among them."""
    return frozenset(p["code"] for p in pupils if p["result"] is not None and _waits(p, grades.get(p["class_code"]), year))


def _waits(pupil: Document, grade: int | None, year: str) -> bool:
    if grade is None:
        return False
    try:
        return must_be_reassessed(result_of(pupil), grade, year)
    except NoRuleSetError:
        return False


def result_of(pupil: Document) -> Result:
    kind = PrimaryResult if pupil["result"]["kind"] == "primary" else SecondaryResult
    return kind.model_validate(pupil["result"])


def shown(job: Document) -> dict[str, Any]:
    keys = ("state", "total", "done", "created", "refused", "left_out")
    return {k: job[k] for k in keys}


async def job_of(db: Database, school: str, job_id: str) -> Document:
    found: Document | None = await db["jobs"].find_one({"_id": job_id, "school": school, "kind": KIND})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def running_of(db: Database, school: str, actor: str) -> Document | None:
    """The person's newest job that still runs."""
    found = db["jobs"].find({"school": school, "kind": KIND, "state": "running", "actor": actor})
    newest = await found.sort("at", -1).to_list(1)
    return newest[0] if newest else None


async def cancel(db: Database, job: Document, *, actor: str) -> None:
    """Nothing more is created by it; what was created stays. Raises Refused(JOB_ENDED) when it does not run any more."""

    async def work(session: Session) -> None:
        update = {"$set": {"state": "cancelled", "finished_at": clock.now(), "cancelled_by": actor}}
        done = await db["jobs"].update_one({"_id": job["_id"], "state": "running"}, update, session=session)
        if done.matched_count != 1:
            raise Refused(JOB_ENDED, state=job["state"])
        now = await db["jobs"].find_one({"_id": job["_id"]}, projection={"created": 1, "remaining": 1}, session=session)
        details = {"created": now["created"], "left": len(now["remaining"])} if now else {}
        await audit.record(db, session, actor=actor, act="cancel creation", subject=job["_id"], place=job["school"], details=details)

    await transaction(db, work)


async def repeatable(store: Store, job: Document) -> list[Document]:
    """The pupils whom an ended job did not create for, and who have no transcript now.

    Raises Refused(JOB_RUNNING) and Refused(NOTHING_TO_RETRY).
    """
    if job["state"] == "running":
        raise Refused(JOB_RUNNING)
    codes = {r["pupil"] for r in job["refused"]} | set(job["remaining"])
    pupils = await store.pupils(job["school"], job["year"], codes=codes)
    have = {t["pupil_code"] for t in await store.transcripts(job["school"], job["year"])}
    found = [p for p in pupils if p["code"] not in have]
    if not found:
        raise Refused(NOTHING_TO_RETRY)
    return found
