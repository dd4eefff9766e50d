"""What is printed for a class, and what its first sheet says of everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.chassis.errors import Refused
from services.chassis.objects import DamagedObject, MissingObject
from services.chassis.web.look import vn_time
from services.records.export import store
from services.records.export.errors import DAMAGED_PRINT, NOTHING_TO_PRINT
from services.records.export.exporting import EXPORTABLE, require_classes
from services.records.export.printing import Sheet, UnreadablePdf, bound
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.chassis.process import Parts
    from services.records.transcripts.reading import Reading

ACT = "class printed"
NO_PDF = "chưa có bản PDF"


async def class_pdf(parts: Parts, looked_at: Reading, code: str) -> bytes:
    """In the order of the class list. Raises Refused: FORBIDDEN, NOT_FOUND, NOTHING_TO_PRINT, DAMAGED_PRINT."""
    school, year = looked_at.school, looked_at.year
    school_class = await looked_at.store.school_class(school, year, code)
    require_classes(looked_at.who, school, [code])
    known = await store.live(parts.db, school, year, classes=[code])
    found = await store.needed(parts.db, [t["_id"] for t in sorted(known, key=lambda t: (t["number"], t["_id"]))])
    printed = [t for t in found if not remark(t)]
    if not printed:
        raise Refused(NOTHING_TO_PRINT)
    contents = [await _pdf(parts, t) for t in printed]
    recorded = await store.record(parts.db, act=ACT, school=school, actor=looked_at.who.person, transcripts=printed)
    sheet = Sheet(
        school=printed[0]["content"]["school"]["name"],
        title=f"Học bạ lớp {school_class['data']['name']}, năm học {year}",
        printed=f"In lúc {vn_time(recorded['at'])}",
        rows=tuple(rows_of(await looked_at.store.pupils(school, year, classes=[code]), found)),
    )
    try:
        return await parts.pool.run(bound, sheet, contents)
    except UnreadablePdf as problem:
        raise Refused(DAMAGED_PRINT, transcript=problem.transcript, problem=problem.problem) from problem


def remark(transcript: Document) -> str:
    """Why a transcript is not printed; "" for one that is."""
    state = State(transcript["state"])
    if state not in EXPORTABLE:
        return WORDS[state]
    return "" if transcript["pdf"] else f"{WORDS[state]}, {NO_PDF}"


def rows_of(pupils: Sequence[Document], transcripts: Sequence[Document]) -> list[tuple[str, str, str]]:
    """Everybody of the class list, with what is missing; whoever left the list but has a transcript stands at its end."""
    by_pupil = {t["pupil_code"]: t for t in transcripts}
    listed = {p["code"]: p["name"] for p in pupils} | {t["pupil_code"]: t["pupil_name"] for t in transcripts}
    return [(name, code, remark(by_pupil[code]) if code in by_pupil else WORDS[State.NOT_CREATED]) for code, name in listed.items()]


async def _pdf(parts: Parts, transcript: Document) -> tuple[str, bytes]:
    try:
        return transcript["_id"], await parts.objects.get(DocumentRef.model_validate(transcript["pdf"]))
    except (DamagedObject, MissingObject) as problem:
        raise Refused(DAMAGED_PRINT, transcript=transcript["_id"], problem=type(problem).__name__) from problem
