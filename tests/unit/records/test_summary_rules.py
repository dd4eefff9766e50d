"""When a class can have its summary, what it says and who signs it; and what its steps are. Plain data alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from contracts.event import Event
from contracts.events.records import TranscriptCreatedV1
from contracts.nouns import worded
from services.records.imports.preview import Preview, preview
from services.records.locks.locking import Locks
from services.records.render.summary_xml import summary_xml, validate_summary
from services.records.schoolyear import SchoolClass
from services.records.summaries.rules import reasons, required_signers, summary_content
from services.signing.policies import plan, policy_for
from services.signing.tasks import ASSEMBLING, new_task

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "an-hong"
NOW = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)
CLASS = "5A"
TEACHER = "31300001006"


@pytest.fixture(scope="module")
def seen() -> Preview:
    files = {str(f.relative_to(SAMPLE)): f.read_bytes() for f in (SAMPLE / "ho_so_truong.xlsx", SAMPLE / "ket_qua" / "5A.xlsx")}
    return preview(files, school_code="31300001")


def class_of(seen: Preview, **changes: Any) -> SchoolClass:
    return next(c for c in seen.classes if c.code == CLASS).model_copy(update=changes)


def pupils_of(seen: Preview) -> list[dict[str, Any]]:
    return [
        {
            "code": p.code,
            "name": p.name,
            "data": p.model_dump(mode="json"),
            "result": seen.results[p.code].model_dump(mode="json"),
            "missing": [],
        }
        for p in seen.pupils
        if p.class_code == CLASS
    ]


def why_not(seen: Preview, pupils: list[dict[str, Any]], *, live: bool = False, locks: Locks | None = None, **of_class: Any) -> list[str]:
    assert seen.school is not None
    staff = {s.code: s for s in seen.staff}
    found = reasons(class_of(seen, **of_class), pupils, staff, seen.school, live=live, locks=locks or Locks())
    return [f"{r['code']} {r['reason']}" for r in found]


def test_a_finalised_class_of_complete_pupils_can_have_one(seen: Preview) -> None:
    assert why_not(seen, pupils_of(seen)) == []


def test_a_class_that_has_one_is_told_so_and_nothing_else(seen: Preview) -> None:
    (only,) = why_not(seen, pupils_of(seen), live=True, finalised=False)
    assert only.startswith("HB-REC-191")


def test_the_final_lock_of_the_year_and_a_correction_under_way_refuse(seen: Preview) -> None:
    pupils = pupils_of(seen)
    assert [r[:10] for r in why_not(seen, pupils, locks=Locks(final=True))] == ["HB-REC-110"]
    assert [r[:10] for r in why_not(seen, pupils, locks=Locks(corrections={pupils[0]["code"]: "UNLOCKED"}))] == ["HB-REC-113"]


def test_what_class_leader_and_pupils_lack_is_told_each_for_itself(seen: Preview) -> None:
    pupils = pupils_of(seen)
    pupils[0]["result"]["rating"] = ""
    pupils[1]["data"]["personal_id"] = "123"
    pupils[2]["data"]["address"] = ""
    told = why_not(seen, pupils, finalised=False, leader=TEACHER)
    assert [r.split(" ", 1)[1] for r in told if r.startswith("HB-REC-006")] == [
        "Lớp 5A chưa hoàn thành tổng kết.",
        "Thiếu “Xếp loại”.",
        "Số định danh cá nhân không đủ 12 chữ số.",
    ]
    assert sum(r.startswith("HB-REC-050") for r in told) == 1


def test_who_has_left_the_school_neither_stands_in_it_nor_holds_it_up(seen: Preview) -> None:
    assert seen.school is not None
    pupils = pupils_of(seen)
    pupils[0]["data"]["status"] = "Chuyển trường"
    pupils[0]["result"] = None
    assert why_not(seen, pupils) == []
    content = summary_content(
        summary_id="0197f3a2-7d2c-7a55-8b1f-3c9d0e6f7a81",
        version=1,
        replaces=None,
        created_at=NOW,
        school=seen.school,
        school_class=class_of(seen),
        pupils=pupils,
        staff={s.code: s for s in seen.staff},
        public_url="https://hocba.example.vn",
    )
    assert [row.code for row in content.rows] == [p["code"] for p in pupils[1:]]
    assert validate_summary(summary_xml(content)) == []
    assert [s.role for s in required_signers(content)] == ["homeroom", "leader"]


def test_a_summary_goes_from_the_homeroom_teacher_over_the_leader_to_the_school(seen: Preview) -> None:
    school_class = class_of(seen)
    signers = [
        {"role": "homeroom", "person": school_class.homeroom, "name": "A"},
        {"role": "leader", "person": school_class.leader, "name": "B"},
    ]
    fact = TranscriptCreatedV1.model_validate(
        {
            "kind": "class_summary",
            "school": "31300001",
            "year": "2025-2026",
            "level": "TH",
            "class_code": CLASS,
            "grade": 5,
            "version": 1,
            "pupil_code": "",
            "pupil_name": "",
            "content": {"bucket": "records", "key": "k.xml", "sha256": "0" * 64, "size": 1},
            "required": signers,
        }
    )
    assert [s.name for s in plan(policy_for("TH", "2025-2026", "class_summary"), fact.required)] == ["homeroom", "leader", "issue"]
    event = Event[TranscriptCreatedV1](type="TranscriptCreatedV1", subject="s", sequence=1, occurred_at=NOW, actor="a", data=fact)
    task = new_task(event)
    assert (task["kind"], task["step"], task["waiting"]) == ("class_summary", ASSEMBLING, [])


@pytest.mark.parametrize("level", ["THCS", "THPT"])
def test_secondary_schools_have_no_policy_for_class_summaries(level: str) -> None:
    with pytest.raises(LookupError):
        policy_for(level, "2025-2026", "class_summary")


@pytest.mark.parametrize(
    ("said", "of_a_summary"),
    [
        ("Học bạ đã được trả lại", "Bảng tổng hợp đã được trả lại"),
        ("{n} học bạ điện tử", "{n} bảng tổng hợp"),
        ("Tạo lại học bạ tại mục 2.1 nếu cần.", "Tạo lại bảng tổng hợp tại mục 3.1 nếu cần."),
        ("Thực hiện mục 2.7 Xác nhận", "Thực hiện mục 3.5.1 Xác nhận"),
        ("mục 2.5.1", "mục 2.5.1"),
    ],
)
def test_a_refusal_written_of_transcripts_is_said_of_class_summaries(said: str, of_a_summary: str) -> None:
    assert worded("class_summary", said) == of_a_summary
    assert worded("transcript", said) == said
