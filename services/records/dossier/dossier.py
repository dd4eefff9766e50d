"""\"Xem hồ sơ\": all that is known of one transcript, put together. Plain data in, plain data out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from services.records.cancellation.cancelling import STEPS as SIGNER_OF
from services.records.cancellation.cancelling import stands_still
from services.records.dossier import words
from services.records.dossier.certificates import told
from services.records.schoolyear import TranscriptContent
from services.records.transcripts.states import AWAITED, WORDS, State
from services.records.transcripts.transcript_page import awaited, facts_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.dossier.certificates import SignerCertificate

STEPS = (
    ("subjects", State.AWAITING_SUBJECT_TEACHERS, "Giáo viên bộ môn ký duyệt"),
    ("homeroom", State.AWAITING_HOMEROOM, "Giáo viên chủ nhiệm ký duyệt"),
    ("leader", State.AWAITING_LEADER, "Lãnh đạo ký duyệt"),
    ("issue", State.AWAITING_ISSUE, "Nhà trường ký phát hành"),
)
DONE, NOW, LATER, STOPPED = "done", "now", "later", "stopped"


def dossier(
    transcript: Document,
    *,
    certificates: Sequence[SignerCertificate],
    versions: Sequence[Document],
    acts: Sequence[Document],
    names: Mapping[str, str],
    rendering_problem: str,
) -> dict[str, Any]:
    """`names`: of the staff by code; `acts`: entries of the audit trail."""
    content = TranscriptContent.model_validate(transcript["content"])
    made = [SignatureFact.model_validate(s) for s in transcript["signatures"]]
    state = State(transcript["state"])
    return {
        "id": transcript["_id"],
        "version": transcript["version"],
        "live": bool(transcript.get("live")),
        "state": state.value,
        "state_text": WORDS[state],
        "school": {"code": content.school.code, "name": content.school.name, "unit": content.school.unit_name, "year": content.school.year},
        "class": {"code": content.school_class.code, "name": content.school_class.name, "grade": content.school_class.grade},
        "pupil": content.pupil.model_dump(mode="json"),
        "printed": {"place": content.school.print_place, "date": content.school.print_date},
        "verify_url": content.verify_url,
        "previous": content.previous.model_dump(mode="json") if content.previous else None,
        "facts": facts_of(content),
        "tables": tables_of(content),
        "signers": signers_of(content, made, certificates),
        "steps": steps_of(transcript, content, made, rendering_problem),
        "documents": [
            {"kind": kind, **{k: transcript[kind][k] for k in ("sha256", "size")}} for kind in ("xml", "pdf") if transcript[kind]
        ],
        "archive_level": transcript.get("level"),
        "timestamped_at": transcript.get("timestamped_at"),
        "versions": [version_of(v, versions) for v in versions],
        "objections": objections_of(transcript),
        "submission": submission_of(transcript),
        "history": [act_of(a, names) for a in acts],
    }


def signers_of(
    content: TranscriptContent, made: Sequence[SignatureFact], certificates: Sequence[SignerCertificate]
) -> list[dict[str, Any]]:
    """Who signed, with the certificate as it stands in the document; then who has still to sign."""
    by_serial = {c.facts.serial: told(c) for c in certificates}
    rows: list[dict[str, Any]] = [
        {
            "role": "subject_teacher" if s.role == "subjects" else s.role,
            "person": s.person,
            "name": s.name,
            "subjects": list(s.subjects),
            "signed_at": s.signed_at,
            "certificate": by_serial.get(s.certificate_serial) or {"subject": s.certificate_subject, "serial": s.certificate_serial},
        }
        for s in made
    ]
    empty = {"signed_at": None, "certificate": None}
    rows += [{"role": s.role, "person": s.person, "name": s.name, "subjects": list(s.subjects), **empty} for s in awaited(content, made)]
    if not any(s.role == "issue" for s in made):
        rows.append({"role": "issue", "person": None, "name": "", "subjects": [], **empty})
    return rows


def steps_of(transcript: Document, content: TranscriptContent, made: Sequence[SignatureFact], problem: str) -> list[dict[str, Any]]:
    """The life of the document: each step with its state and the time when it was done."""
    state = State(transcript["state"])
    at = _reached(transcript)
    steps: list[dict[str, Any]] = [{"text": "Tạo học bạ", "state": DONE, "at": transcript["created_at"], "detail": ""}]
    for number, (role, _, text) in enumerate(STEPS):
        times = [s.signed_at for s in made if s.role == role]
        where = DONE if number < at else LATER if number > at else NOW if state in AWAITED and not stands_still(transcript) else STOPPED
        steps.append({"text": text, "state": where, "at": max(times) if where == DONE and times else None, "detail": ""})
    if state is State.AWAITING_SUBJECT_TEACHERS:
        waiting = [s.name for s in awaited(content, made) if s.role == "subject_teacher"]
        steps[1]["detail"] = f"Không tạo được bản PDF: {problem}" if problem else ", ".join(waiting)
    steps += [
        {"text": text, "state": DONE, "at": transcript[field], "detail": ""}
        for field, text in (("confirmed_at", "Xác nhận hoàn thành"), ("decided_at", "Cổng tiếp nhận trả lời"))
        if transcript.get(field)
    ]
    return steps


def _reached(transcript: Document) -> int:
    """The number of the step that it waits for, or waited for when it was sent back; past the last one when all have signed."""
    state = State(transcript["state"])
    if state is State.CANCELLED:
        state = State(transcript["cancelled"]["from"])
    if state is State.RETURNED:
        state = State(transcript["returned_from"])
    order = [awaiting for _, awaiting, _ in STEPS]
    return order.index(state) if state in order else len(order)


def objections_of(transcript: Document) -> list[dict[str, Any]]:
    """Who sent it back, refused it or cancelled it, when and why; what stands still is told first."""
    told: list[dict[str, Any]] = []
    if stands_still(transcript):
        stopped = transcript["stopped"]
        told.append({"text": "Không ký tiếp được", "at": None, "name": "", "reason": f"{stopped['code']}: {stopped['reason']}"})
    returned, cancelled, refusal = (transcript.get(key) for key in ("returned", "cancelled", "refusal"))
    if returned:
        step = SIGNER_OF.get(returned["step"], "")
        told.append({"text": f"Trả lại{f' ở bước {step}' if step else ''}", **{k: returned[k] for k in ("at", "name", "reason")}})
        if returned.get("refused"):
            told.append({"text": "Từ chối hủy", **{k: returned["refused"][k] for k in ("at", "name", "reason")}})
    if cancelled:
        told.append({"text": "Hủy học bạ", **{k: cancelled[k] for k in ("at", "name", "reason")}})
    if refusal:
        reason = f"{refusal['code']}: {refusal['reason']}"
        told.append({"text": "Cổng tiếp nhận từ chối", "at": transcript.get("decided_at"), "name": "", "reason": reason})
    return told


def submission_of(transcript: Document) -> dict[str, Any] | None:
    if not transcript.get("submission"):
        return None
    return {"id": transcript["submission"], "decided_at": transcript.get("decided_at"), "refusal": transcript.get("refusal")}


def version_of(version: Document, versions: Sequence[Document]) -> dict[str, Any]:
    after = next((v for v in versions if v.get("replaces") == version["_id"]), None)
    return {
        "id": version["_id"],
        "version": version["version"],
        "state": version["state"],
        "state_text": WORDS[State(version["state"])],
        "created_at": version["created_at"],
        "live": bool(version.get("live")),
        "replaces": version.get("replaces"),
        "replaced_by": after["_id"] if after else None,
    }


def act_of(entry: Document, names: Mapping[str, str]) -> dict[str, Any]:
    actor = entry["actor"]
    return {
        "at": entry["at"],
        "act": entry["act"],
        "text": words.ACTS.get(entry["act"], entry["act"]),
        "actor": actor,
        "name": names.get(actor) or words.MACHINES.get(actor, actor),
        "details": entry.get("details") or {},
    }
