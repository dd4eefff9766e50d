"""What verification says of a code and of a file, without stores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import uuid4

import pytest
from starlette.requests import Request

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.records import Signer, TranscriptConfirmedV1, TranscriptCreatedV1, TranscriptMovedV1
from services.chassis import clock
from services.chassis.errors import Refused
from services.means.judging.examined import Check, CheckState, Examined
from services.publishing.verification import source, upload
from services.publishing.verification.bounded import Bounded, Exceeded
from services.publishing.verification.errors import BUSY, FILE_TOO_LARGE, NO_FILE
from services.publishing.verification.source import Row, Source, code_of, source_of
from services.publishing.verification.verifying import Verified, verified

SCHOOL, YEAR, PUPIL = "31300072", "2025-2026", "3130007200042"
PDF, XML = (DocumentRef(bucket="records", key=kind, sha256=kind[0] * 64, size=1) for kind in ("a.pdf", "b.xml"))
SIGNERS = tuple(
    Signer(role=role, person=f"313000720{number}", name="Nguyễn Thị Kín")
    for number, role in enumerate(("subject_teacher", "subject_teacher", "homeroom", "leader"))
)


def made(version: int, **changes: object) -> Event[TranscriptCreatedV1]:
    fact = TranscriptCreatedV1.model_validate(
        {
            "school": SCHOOL,
            "year": YEAR,
            "level": "TH",
            "class_code": "5A",
            "grade": 5,
            "version": version,
            "pupil_code": PUPIL,
            "pupil_name": "Trần Văn Kín",
            "content": XML,
            "required": SIGNERS,
            **changes,
        }
    )
    return Event[TranscriptCreatedV1](
        type="TranscriptCreatedV1", subject=str(uuid4()), sequence=1, occurred_at=clock.now(), actor="records", data=fact
    )


def with_state(row: Row, state: str, sequence: int) -> Row:
    fact = TranscriptMovedV1(school=SCHOOL, year=YEAR, class_code="5A", grade=5, state=state)
    event = Event[TranscriptMovedV1](
        type="TranscriptMovedV1", subject=row["_id"], sequence=sequence, occurred_at=clock.now(), actor="records", data=fact
    )
    return source.moved(row, event)


def transcript(version: int, *states: str, **changes: object) -> Row:
    row = source.created(None, made(version, **changes))
    for sequence, state in enumerate(states, start=2):
        row = with_state(row, state, sequence)
    return row


def seen(row: Row, *others: Row) -> Source:
    return source_of(row, [row, *others], {SCHOOL: "Trường Tiểu học An Hồng"})


@pytest.mark.parametrize(
    ("states", "standing"),
    [
        ([], "not_issued"),
        (["AWAITING_SUBJECT_TEACHERS", "AWAITING_ISSUE"], "not_issued"),
        (["SIGNED"], "in_force"),
        (["SIGNED", "CONFIRMED", "SUBMITTED", "REJECTED"], "in_force"),
        (["ACCEPTED", "WITHDRAWAL_PENDING"], "in_force"),
        (["ACCEPTED", "WITHDRAWAL_PENDING", "WITHDRAWN"], "withdrawn"),
        (["SIGNED", "CANCELLED"], "cancelled"),
    ],
)
def test_the_standing_follows_the_state_that_records_tells(states: Sequence[str], standing: str) -> None:
    assert seen(transcript(1, *states)).standing == standing


def test_a_version_is_replaced_only_once_the_newer_one_is_issued() -> None:
    old, new = transcript(1, "SIGNED", "CANCELLED"), transcript(2, "AWAITING_HOMEROOM")
    assert old["chain"] == new["chain"]
    assert seen(old, new).standing == "cancelled"
    issued = with_state(new, "SIGNED", 9)
    assert seen(old, issued).standing == "replaced"
    assert seen(issued, old).standing == "in_force"


def test_an_older_move_that_comes_late_changes_nothing() -> None:
    row = transcript(1, "SIGNED", "CANCELLED")
    assert seen(with_state(row, "SIGNED", 2)).standing == "cancelled"


def test_a_move_that_comes_before_the_creation_is_kept() -> None:
    event = made(1)
    early = with_state({"_id": event.subject, "moved": 0, "files": []}, "AWAITING_HOMEROOM", 5)
    row = source.created(early, event)
    assert (row["state"], row["version"], row["moved"]) == ("AWAITING_HOMEROOM", 1, 5)


def test_class_summaries_of_one_class_and_year_do_not_replace_each_other() -> None:
    middle = transcript(1, "SIGNED", kind="class_summary", pupil_code="", period="GK1")
    end = transcript(2, "SIGNED", kind="class_summary", pupil_code="", period="CN")
    assert middle["chain"] != end["chain"]


def test_nothing_that_names_a_pupil_or_a_signer_is_kept_or_told() -> None:
    row = transcript(1, "SIGNED")
    assert "Kín" not in repr(row)
    told = repr(seen(row))
    assert PUPIL not in told
    assert "5A" not in told
    assert source.roles_in_words(seen(row).roles) == [
        "Giáo viên bộ môn (2 người)",
        "Giáo viên chủ nhiệm",
        "Lãnh đạo nhà trường",
        "Nhà trường ký phát hành",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0197C2F2-7B1E-4D55-A5A0-5F6F0C1D2E3F", "0197c2f2-7b1e-4d55-a5a0-5f6f0c1d2e3f"),
        (" 0197c2f27b1e4d55a5a05f6f0c1d2e3f ", "0197c2f2-7b1e-4d55-a5a0-5f6f0c1d2e3f"),
        ("0197c2f2-7b1e", "0197c2f2-7b1e"),
        ("0197c2f27b1e", "0197c2f2-7b1e"),
        ("0197c2f2", None),
        ("0197c2f2-7b1g", None),
        ({"$gt": ""}.__repr__(), None),
        ("", None),
    ],
)
def test_a_code_is_a_uuid_or_its_first_twelve_characters(text: str, code: str | None) -> None:
    assert code_of(text) == code


def confirmed(row: Row) -> Row:
    fact = TranscriptConfirmedV1(
        school=SCHOOL,
        year=YEAR,
        class_code="5A",
        grade=5,
        version=1,
        pupil_code=PUPIL,
        pupil_name="Trần Văn Kín",
        pdf=PDF,
        xml=XML,
        confirmed_at=clock.now(),
    )
    event = Event[TranscriptConfirmedV1](
        type="TranscriptConfirmedV1", subject=row["_id"], sequence=8, occurred_at=clock.now(), actor="records", data=fact
    )
    return source.confirmed(row, event)


def examined(state: CheckState = "passed", sha256: str = "a" * 64) -> Examined:
    check = Check(state=state, text="Nội dung còn nguyên vẹn từ khi ký.")
    return Examined(form="pdf", kind="transcript", sha256=sha256, integrity=check, trust=check, time=check)


def judged(row: Row | None, found: Examined, *others: Row, reached: bool = True) -> Verified:
    return verified(found, seen(row, *others) if row else None, reached=reached)


def test_the_issued_file_in_force_is_valid_and_a_withdrawn_one_is_not_in_force() -> None:
    row = confirmed(transcript(1, "SIGNED", "CONFIRMED"))
    assert judged(row, examined()).outcome == "valid"
    assert judged(with_state(row, "WITHDRAWN", 9), examined()).outcome == "not_in_force"


def test_a_sound_file_that_was_never_issued_under_its_code_is_no_transcript_of_that_code() -> None:
    found = judged(confirmed(transcript(1, "SIGNED", "CONFIRMED")), examined(sha256="c" * 64))
    assert (found.at_source.state, found.outcome) == ("failed", "not_in_force")
    assert "không phải là tệp mà nhà trường đã phát hành" in found.at_source.text


def test_what_the_source_does_not_know_or_cannot_be_asked_is_unchecked_and_not_invalid() -> None:
    unknown, away = judged(None, examined()), judged(None, examined(), reached=False)
    assert (unknown.outcome, away.outcome) == ("unchecked", "unchecked")
    assert "Nguồn không rõ" in unknown.at_source.text
    assert "không kết nối được" in away.at_source.text


def test_a_broken_file_is_invalid_whatever_the_source_says() -> None:
    assert judged(confirmed(transcript(1, "SIGNED", "CONFIRMED")), examined("failed")).outcome == "invalid"


def test_before_the_confirmation_the_file_cannot_be_compared() -> None:
    assert judged(transcript(1, "SIGNED"), examined()).outcome == "unchecked"


# what a stranger's file may cost


def _answers(number: int) -> int:
    return number + 1


def _refuses() -> None:
    raise ValueError("no")


def _never_ends() -> None:
    while True:
        time.sleep(0.01)


def _eats_memory() -> int:
    return len(bytearray(2_000_000_000))


async def test_bounded_work_answers_and_raises_what_it_raises() -> None:
    bounded = Bounded()
    assert await bounded.run(_answers, 1) == 2
    with pytest.raises(ValueError, match="no"):
        await bounded.run(_refuses)


async def test_bounded_work_that_does_not_end_or_eats_memory_is_stopped() -> None:
    with pytest.raises(Exceeded):
        await Bounded(seconds=0.3).run(_never_ends)
    with pytest.raises(Exceeded):
        await Bounded(megabytes=200).run(_eats_memory)


async def test_too_many_that_wait_are_told_to_come_again() -> None:
    with pytest.raises(Refused) as refused:
        await Bounded(at_once=0, waiting=0).run(_answers, 1)
    assert refused.value.refusal is BUSY


def request(parts: Sequence[bytes], **headers: str) -> tuple[Request, list[bytes]]:
    """And what of the body is still unread."""
    left = list(parts)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive), left


async def test_a_file_of_fifty_megabytes_is_refused_before_any_of_it_is_read() -> None:
    asked, left = request([b"x"], content_length="50000000")
    for read in (upload.of_body, upload.of_form):
        with pytest.raises(Refused) as refused:
            await read(asked)
        assert refused.value.refusal is FILE_TOO_LARGE
    assert left == [b"x"]


async def test_a_file_that_hides_its_length_is_read_no_further_than_the_limit() -> None:
    asked, left = request([b"x" * 5_000_000] * 10)
    with pytest.raises(Refused) as refused:
        await upload.of_body(asked)
    assert refused.value.refusal is FILE_TOO_LARGE
    assert len(left) == 5


async def test_an_empty_body_is_no_file() -> None:
    asked, _ = request([b""])
    with pytest.raises(Refused) as refused:
        await upload.of_body(asked)
    assert refused.value.refusal is NO_FILE
