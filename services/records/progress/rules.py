"""\"Tiến độ ký\": who holds up which class at which step, and since when. Plain data in, rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.vietnamese import given_name_key
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

STEPS = tuple(AWAITED)
ANY_ISSUER = "Nhân sự ký phát hành"
NOBODY = "đang xử lý"
"""All of the step have signed, and the next one has not begun yet."""
DONE = (
    State.SIGNED,
    State.CONFIRMED,
    State.SUBMITTED,
    State.ACCEPTED,
    State.REJECTED,
    State.WITHDRAWAL_PENDING,
    State.WITHDRAWN,
)
"""Signed by everybody."""


def name_of(person: str, names: Mapping[str, str]) -> str:
    """Whom a transcript waits for, in words; a code without a name stays a code."""
    if person == "":
        return ANY_ISSUER
    return NOBODY if person == "*" else names.get(person) or person


def class_rows(
    classes: Sequence[Mapping[str, Any]],
    waiting: Sequence[Mapping[str, Any]],
    stuck: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
) -> list[dict[str, Any]]:
    """A row a class: `steps` has for each awaited state how many transcripts wait (each once), `people` who they wait for.

    `classes` are the rows of `Reading.classes`; the people with the most to sign come first.
    """
    rows = []
    for c in classes:
        own = [w for w in waiting if w["class"] == c["code"]]
        people: list[dict[str, Any]] = [
            {
                "person": w["person"],
                "name": name_of(w["person"], names),
                "step": w["state"],
                "step_text": AWAITED[State(w["state"])],
                "count": w["count"],
                "since": w["since"],
            }
            for w in own
        ]
        people.sort(key=lambda p: (STEPS.index(State(p["step"])), -p["count"], given_name_key(p["name"])))
        states = c["states"]
        rows.append(
            {
                "code": c["code"],
                "name": c["name"],
                "grade": c["grade"],
                "pupils": c["pupils"],
                "not_created": states.get(State.NOT_CREATED, 0),
                "steps": {state.value: states.get(state, 0) for state in STEPS},
                "returned": states.get(State.RETURNED, 0),
                "stuck": sum(s["class_code"] == c["code"] for s in stuck),
                "done": sum(states.get(state, 0) for state in DONE),
                "since": min((w["since"] for w in own), default=None),
                "people": people,
            }
        )
    return rows


def people_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By person and step over all classes: how many transcripts wait for them, in how many classes, since when; the longest wait first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        for p in row["people"]:
            known = found.setdefault((p["person"], p["step"]), {**p, "count": 0, "classes": []})
            known["count"] += p["count"]
            known["classes"].append(row["name"])
            known["since"] = min(known["since"], p["since"])
    return sorted(found.values(), key=lambda p: (p["since"], given_name_key(p["name"])))


def pupil_rows(
    transcripts: Sequence[Mapping[str, Any]], stuck: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    problems = {s["_id"]: s for s in stuck}
    rows = []
    for t in transcripts:
        returned = t.get("returned") or {}
        waits = State(t["state"]) in AWAITED
        problem = problems.get(t["_id"])
        rows.append(
            {
                "id": t["_id"],
                "code": t["pupil_code"],
                "name": t["pupil_name"],
                "state": t["state"],
                "people": list(t.get("person") or []) if waits else [],
                "waits_for": [name_of(p, names) for p in t.get("person") or ["*"]] if waits else [],
                "since": t["since"] if waits else returned.get("at"),
                "problem": _problem(problem) if problem else "" if waits else returned.get("reason", ""),
            }
        )
    return rows


def _problem(stuck: Mapping[str, Any]) -> str:
    return f"{stuck['code']}: {stuck['reason']}" if stuck["code"] else f"Không tạo được bản PDF: {stuck['reason']}"


def waited_days(since: dt.datetime | None, now: dt.datetime) -> int:
    """Whole days."""
    return max(0, (now - since).days) if since else 0
