"""The demo's own judgement of what the system did."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from infra.demo.__main__ import forget_earlier, wrongly_judged
from infra.demo.people import STALE, Person, Refusal
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


def person(*answers: httpx.Response) -> tuple[Person, list[str]]:
    """Somebody to whom the system gives these answers, and what was asked."""
    left, asked = list(answers), []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return left.pop(0)

    http = httpx.AsyncClient(base_url="https://localhost", transport=httpx.MockTransport(answer))
    return Person("31300001003", "Ngô Công Hoàng", "TH", "một cụm từ dài", http), asked


async def test_a_person_who_is_asked_to_confirm_does_so_and_repeats_the_act_once() -> None:
    stale, confirmed = httpx.Response(403, json={"code": STALE}), httpx.Response(200, json={})
    somebody, asked = person(stale, confirmed, httpx.Response(200, json={"done": 1}))
    assert await somebody.post("/api/publishing/submissions", {"all": True}) == {"done": 1}
    assert asked == ["/api/publishing/submissions", "/api/identity/confirmation", "/api/publishing/submissions"]
    somebody, asked = person(stale, confirmed, stale)
    with pytest.raises(Refusal, match=STALE):
        await somebody.post("/api/publishing/submissions")
    somebody, asked = person(httpx.Response(403, json={"code": "HB-ACC-403"}))
    with pytest.raises(Refusal, match="HB-ACC-403"):
        await somebody.post("/api/publishing/submissions")
    assert asked == ["/api/publishing/submissions"]
