"""The page "Xem hồ sơ" of one transcript."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.chassis.access import Who
from services.chassis.web.look import render
from services.records.at_hand import own_school, store_of, visible_transcript
from services.records.dossier.dossier_page import parts_of, steps_of
from services.records.dossier.gathering import gathered
from services.records.export.exporting import export_address
from services.records.page_parts import framed
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import WORDS

router = APIRouter(prefix="/ui/records", include_in_schema=False)


@router.get("/transcripts/{transcript_id}/dossier")
async def show_dossier(request: Request, who: Who, transcript_id: str) -> Response:
    found = await visible_transcript(request, who, transcript_id)
    told = await gathered(request, found)
    looked_at = await Reading.of(store_of(request), who, own_school(who), found["year"])
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Hồ sơ học bạ: {told['pupil']['name']}",
        "crumb": f"Lớp {told['class']['name']} · Năm học {told['school']['year']}",
        "back_href": f"/ui/records/transcripts/{transcript_id}",
        "state": told["state"],
        "version": told["version"],
        "id": transcript_id,
        "steps": steps_of(told),
        "parts": parts_of(told, state_words={state.value: text for state, text in WORDS.items()}),
        "export_href": export_address(looked_at.who, found),
        "verify_href": told["verify_url"],
    }
    return render(request.app.state.pages, request, "records/dossier.html", context)
