"""Creating class summaries (menu 3.1): a class is one document, so it is done while the person waits, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.events.records import TranscriptCreatedV1
from services.chassis import audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import Session, transaction
from services.records.errors import UNPRINTABLE
from services.records.locks.locking import locks_of
from services.records.render.pooled import build_summary, preview_summary
from services.records.store import document_ref
from services.records.summaries import store
from services.records.summaries.errors import NOT_READY, PRIMARY_ONLY
from services.records.summaries.rules import reasons, required_signers, studying, summary_content
from services.records.summaries.signers import chosen, is_earlier, signing_year
from services.records.transcripts.holding import hold
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.chassis.process import Parts
    from services.records.schoolyear import SummaryContent
    from services.records.transcripts.reading import Reading


async def require_primary(looked_at: Reading) -> None:
    """Raises Refused(PRIMARY_ONLY)."""
    if (await looked_at.store.school(looked_at.school, looked_at.year)).level != "TH":
        raise Refused(PRIMARY_ONLY)


async def create(parts: Parts, looked_at: Reading, classes: Sequence[str], *, leader: str, request_id: str) -> dict[str, Any]:
    """{"created": [{class, summary}], "refused": [{class, pupil, name, code, reason}]}: each class is decided on its own.

    `leader`: the staff code of who signs; "" for each class the one whom the print configuration names. Raises Refused(PRIMARY_ONLY).
    """
    await require_primary(looked_at)
    created: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for code in dict.fromkeys(classes):
        outcome = await _settled(parts, looked_at, code, leader, request_id)
        if isinstance(outcome, str):
            created.append({"class": code, "summary": outcome})
        else:
            refused += [{"class": code, **reason} for reason in outcome]
    return {"created": created, "refused": refused}


async def _settled(parts: Parts, looked_at: Reading, code: str, leader: str, request_id: str) -> str | list[dict[str, str]]:
    """When somebody else was quicker all is looked at anew, and what they did is the reason then."""
    while True:
        try:
            return await _create(parts, looked_at, code, leader, request_id)
        except Refused as refusal:
            if refusal.refusal is not CONFLICT:
                raise


async def _create(parts: Parts, looked_at: Reading, code: str, leader: str, request_id: str) -> str | list[dict[str, str]]:
    """The id of the summary, or the reasons."""
    db, school, year = looked_at.store.db, looked_at.school, looked_at.year
    data = await signing_year(looked_at)
    school_class = chosen(data, code, leader, earlier=await is_earlier(looked_at))
    pupils = await looked_at.store.pupils(school, year, classes=[code])
    live = await store.live_summary(db, school, year, code) is not None
    locks = await locks_of(db, school, year, pupils=[p["code"] for p in pupils])
    why_not = reasons(school_class, pupils, data.staff, data.schools[code], live=live, locks=locks)
    if not why_not and not any(studying(p) for p in pupils):
        why_not = [{"pupil": "", "name": "", "code": NOT_READY.code, "reason": "Lớp không có học sinh đang học."}]
    if why_not:
        return why_not
    before = await store.last_cancelled(db, school, year, code)
    content = summary_content(
        summary_id=str(uuid4()),
        version=before["version"] + 1 if before else 1,
        replaces=before["_id"] if before else None,
        created_at=clock.now(),
        school=data.schools[code],
        school_class=school_class,
        pupils=pupils,
        staff=data.staff,
        public_url=parts.settings.public_url,
    )
    xml, problem = await parts.pool.run(build_summary, content.model_dump_json())
    if problem:
        return [{"pupil": "", "name": "", "code": UNPRINTABLE.code, "reason": Refused(UNPRINTABLE, problem=problem).cause}]
    reference = document_ref(await parts.objects.put(f"transcripts/{content.id}", ".xml", xml, "application/xml"))

    async def work(session: Session) -> None:
        await hold(db, session, school, year, pupils)
        await looked_at.store.save(session, [_change(content, reference)], actor=looked_at.who.person, cause=request_id)
        details = {"class": code, "year": year, "version": content.version, "pupils": len(content.rows)}
        await audit.record(
            db,
            session,
            actor=looked_at.who.person,
            act="create summary",
            subject=content.id,
            place=school,
            request_id=request_id,
            details=details,
        )

    await transaction(db, work)
    return content.id


def _change(content: SummaryContent, xml: Document) -> Change:
    school, school_class = content.school, content.school_class
    document: Document = {
        "_id": content.id,
        "kind": "class_summary",
        "school": school.code,
        "year": school.year,
        "class_code": school_class.code,
        "grade": school_class.grade,
        "pupil_code": "",
        "pupil_name": "",
        "number": 0,
        "pupils": len(content.rows),
        "leader": content.leader,
        "leader_name": content.leader_name,
        "homeroom_name": content.homeroom_name,
        "version": content.version,
        "replaces": content.replaces,
        "live": True,
        "state": State.AWAITING_SUBJECT_TEACHERS.value,
        "content": content.model_dump(mode="json"),
        "xml": xml,
        "pdf": None,
        "signatures": [],
        "created_at": content.created_at,
    }
    fact = TranscriptCreatedV1.model_validate(
        {
            **{k: document[k] for k in ("kind", "school", "year", "class_code", "grade", "version", "pupil_code", "pupil_name")},
            "period": content.period,
            "level": school.level,
            "content": xml,
            "required": required_signers(content),
        }
    )
    return Change(document, fact)


async def preview(parts: Parts, looked_at: Reading, code: str, leader: str) -> bytes:
    """The PDF as it would be now, under a watermark and without fields; nothing of it is kept. Raises Refused: PRIMARY_ONLY, NOT_READY."""
    await require_primary(looked_at)
    data = await signing_year(looked_at)
    school_class = chosen(data, code, leader, earlier=await is_earlier(looked_at))
    for role, person in (("Giáo viên chủ nhiệm", school_class.homeroom), ("Lãnh đạo ký", school_class.leader)):
        if person not in data.staff:
            raise Refused(NOT_READY, reason=f"{role} chưa được phân công.")
    content = summary_content(
        summary_id=str(uuid4()),
        version=1,
        replaces=None,
        created_at=clock.now(),
        school=data.schools[code],
        school_class=school_class,
        pupils=await looked_at.store.pupils(looked_at.school, looked_at.year, classes=[code]),
        staff=data.staff,
        public_url=parts.settings.public_url,
    )
    if not content.rows:
        raise Refused(NOT_READY, reason="Chưa có kết quả cuối năm của học sinh nào trong lớp.")
    pdf, problem = await parts.pool.run(preview_summary, content.model_dump_json())
    if problem:
        raise Refused(UNPRINTABLE, problem=problem)
    return pdf
