"""The demo's own judgement of what the system did."""

from __future__ import annotations

import json
from pathlib import Path

from infra.demo.__main__ import forget_earlier, wrongly_judged
from infra.demo.road import Outcome


def outcome_with(*refused: str) -> Outcome:
    entries = [{"pupil": p, "class": "1A", "field": "Họ tên", "reason": "Thiếu “Họ tên”."} for p in refused]
    return Outcome("31300001", refused=entries)


def told(folder: Path, *, defects: list[str], contradictions: list[str]) -> Path:
    content = {"defects": [{"pupil": p} for p in defects], "contradictions": [{"pupil": p} for p in contradictions]}
    (folder / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_complete_pupil_who_was_refused_and_an_incomplete_one_who_was_not_are_both_named(tmp_path: Path) -> None:
    folder = told(tmp_path, defects=["1"], contradictions=["2"])
    assert wrongly_judged(folder, outcome_with("1", "2")) == []
    assert wrongly_judged(folder, outcome_with("1", "3")) == ["2", "3"]


def test_what_an_earlier_run_left_does_not_lie_among_the_new_documents(tmp_path: Path) -> None:
    for made in ("documents/old.pdf", "trust/old.pem", "summary.json", "notes.txt"):
        (tmp_path / made).parent.mkdir(exist_ok=True)
        (tmp_path / made).write_text("x")
    forget_earlier(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["notes.txt"]


def test_a_school_without_an_answer_sheet_is_taken_as_the_system_judges_it(tmp_path: Path) -> None:
    assert wrongly_judged(tmp_path, outcome_with("1")) == []
