"""The first half of what is expected: what stands, and how a school year comes to its transcripts."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self

from tests.life.school import CLASSES, Filed
from tests.life.table import LEADS_TO

STUDYING, LEFT = "Đang học", "Chuyển đi"
Row = dict[str, Any]
Answer = dict[str, str]
"""By what was asked about, "" where it was done, else the code of the refusal; under "" the code of a refusal of the whole."""
NATIONAL_DAY = dt.date(2026, 8, 20)
CONFLICT, IMPORTING = "HB-WEB-409", "HB-REC-071"


def beside_others(answer: Answer) -> bool:
    """Somebody else was quicker, and nothing of it was done."""
    return answer in ({"": CONFLICT}, {"": IMPORTING})


@dataclass
class Standing:
    today: dt.date
    pupils: dict[str, Row]
    classes: dict[str, Row]
    filed: dict[str, Filed]
    locked: bool = False
    planned: dt.date | None = None
    inspector: bool = False
    locked_in_signing: bool = False
    transcripts: dict[str, Row] = field(default_factory=dict)
    tasks: dict[str, Row] = field(default_factory=dict)
    renderings: dict[str, bool] = field(default_factory=dict)
    submissions: dict[str, Row] = field(default_factory=dict)
    packages: dict[str, Row] = field(default_factory=dict)
    corrections: dict[str, Row] = field(default_factory=dict)
    copies: dict[str, Row] = field(default_factory=dict)
    transfers: dict[str, Row] = field(default_factory=dict)
    arrivals: dict[str, Row] = field(default_factory=dict)
    jobs: dict[str, Row] = field(default_factory=dict)
    previews: dict[str, Row] = field(default_factory=dict)
    asked_for: dict[str, int] = field(default_factory=dict)
    """By submission, the confirmation that it rests on."""

    @classmethod
    def begun(cls, today: dt.date, pupils: dict[str, str]) -> Self:
        """As the first import leaves the school: nothing is finalised, nothing planned."""
        blank: Row = {"remark": 0, "home": 0, "whole": True, "status": STUDYING}
        return cls(
            today,
            {code: {"class": class_code, **blank} for code, class_code in pupils.items()},
            {code: {"finalised": False, "leader": None} for code in CLASSES},
            dict.fromkeys(pupils, Filed()),
        )

    def copy(self) -> Self:
        return copy.deepcopy(self)

    # --- what stands

    def live_of(self, pupil: str) -> str | None:
        found = [i for i, t in self.transcripts.items() if t["pupil"] == pupil and t["live"]]
        assert len(found) <= 1, f"{len(found)} live transcripts of {pupil}"
        return found[0] if found else None

    def correcting(self, pupil: str) -> str | None:
        """The state of the correction that the principal approved and that is not finished."""
        states = [c["state"] for c in self.corrections.values() if c["pupil"] == pupil and c["state"] in ("APPROVED", "UNLOCKED")]
        assert len(states) <= 1
        return states[0] if states else None

    def results_held(self, pupil: str) -> bool:
        here = self.pupils[pupil]
        return self.classes[here["class"]]["finalised"] and here["whole"] and self.correcting(pupil) != "UNLOCKED"

    def move(self, transcript: str, after: str) -> None:
        found = self.transcripts[transcript]
        assert after in LEADS_TO[found["state"]], f"{found['state']} → {after}"
        if after == "RETURNED":
            found["returned_from"] = found["state"]
        if found["state"] == "RETURNED" and after != "CANCELLED":
            assert after == found["returned_from"]
        found |= {"state": after, "live": after != "CANCELLED", "stopped": False}

    # --- creating

    def import_(self, preview: str, left_out: Collection[str] = ()) -> Answer:
        """`left_out`: pupils, or classes with all of theirs, that changed while it was being written."""
        kept = self.previews[preview]
        if kept["done"]:
            return {"": "HB-REC-003"}
        if self.locked:
            return {"": "HB-REC-110"}
        if self.base(kept["filed"]) != kept["base"]:
            return {"": "HB-REC-070"}
        for code, after in self.imported(kept["filed"]).items():
            if code not in left_out and self.pupils[code]["class"] not in left_out:
                self.pupils[code] |= after
        kept["done"] = True
        return {preview: ""}

    def imported(self, filed: dict[str, Filed]) -> dict[str, Row]:
        """By pupil, the values that this state of the sector database would change now; what is held is left out."""
        left = {t["pupil"] for t in self.transfers.values() if t["standing"]}
        found: dict[str, Row] = {}
        for code, said in filed.items():
            here = self.pupils[code]
            profile = {"home": said.home, "status": LEFT if code in left else STUDYING}
            results = {"remark": said.remark, "whole": said.whole}
            after: Row = {}
            if not self.live_of(code) and not self.locked:
                after |= {k: v for k, v in profile.items() if here[k] != v}
            if not self.results_held(code) and not self.locked:
                after |= {k: v for k, v in results.items() if here[k] != v}
            found[code] = after
        return found

    def base(self, filed: dict[str, Filed]) -> object:
        """What a preview shows, and so rests on: the present values beside the new ones, what is held and why."""
        found = []
        for code in filed:
            here = self.pupils[code]
            left = any(t["pupil"] == code and t["standing"] for t in self.transfers.values())
            found.append((dict(here), left, self.live_of(code) is not None, self.results_held(code)))
        newcomers = [code for code in self.pupils if code not in filed]
        return (found, newcomers, [c["finalised"] for c in self.classes.values()], self.locked)

    def finalise(self, code: str) -> Answer:
        pupils = [p for p in self.pupils.values() if p["class"] == code and p["status"] == STUDYING]
        if self.locked:
            return {code: "HB-REC-110"}
        if self.classes[code]["finalised"]:
            return {code: "HB-REC-041"}
        if not pupils:
            return {code: "HB-REC-045"}
        if not all(p["whole"] for p in pupils):
            return {code: "HB-REC-040"}
        self.classes[code]["finalised"] = True
        return {code: ""}

    def why_too_late(self) -> str:
        """Data are corrected until a week before the final lock, and not at all under it."""
        if self.locked:
            return "HB-REC-110"
        return "HB-REC-121" if self.today > (self.planned or NATIONAL_DAY) - dt.timedelta(days=7) else ""

    def reopen(self, code: str, *, may: bool) -> Answer:
        if not may:
            return {"": "HB-ACC-403"}
        why = "HB-REC-110" if self.locked else self._why_not_reopened(code) or self.why_too_late()
        if not why:
            self.classes[code]["finalised"] = False
        return {code: why}

    def _why_not_reopened(self, code: str) -> str:
        pupils = [p for p, row in self.pupils.items() if row["class"] == code]
        if not self.classes[code]["finalised"]:
            return "HB-REC-043"
        if any(self.live_of(p) for p in pupils):
            return "HB-REC-044"
        return "HB-REC-113" if any(self.correcting(p) for p in pupils) else ""

    def configure(self, code: str, leader: str) -> Answer:
        if self.locked:
            return {"": "HB-REC-110"}
        self.classes[code]["leader"] = leader
        return {code: ""}

    def order(self, job: str, pupils: list[str]) -> Answer:
        self.jobs[job] = {"pupils": pupils, "state": "running"}
        return {job: ""}

    def stop(self, job: str) -> Answer:
        if self.jobs[job]["state"] != "running":
            return {job: "HB-REC-047"}
        self.jobs[job]["state"] = "cancelled"
        return {job: ""}

    def why_not_created(self, pupil: str) -> str:
        here = self.pupils[pupil]
        if self.live_of(pupil):
            return "HB-REC-007"
        if self.locked:
            return "HB-REC-110"
        if self.correcting(pupil):
            return "HB-REC-113"
        ready = self.classes[here["class"]]["finalised"] and here["whole"] and here["status"] == STUDYING
        return "" if ready else "HB-REC-006"

    def work(self, made: dict[str, Row]) -> Answer:
        """A worker takes the first job that runs. `made`: by pupil the transcript that was found afterwards."""
        running = sorted(i for i, j in self.jobs.items() if j["state"] == "running")
        if not running:
            return {}
        job = self.jobs[running[0]]
        job["state"] = "finished"
        answer = {pupil: self.why_not_created(pupil) for pupil in job["pupils"]}
        for pupil, code in answer.items():
            if not code and pupil in made:
                self.created(pupil, made[pupil])
        return answer

    def created(self, pupil: str, found: Row) -> None:
        earlier = {i: t["version"] for i, t in self.transcripts.items() if t["pupil"] == pupil}
        version = max(earlier.values(), default=0) + 1
        assert found["version"] == version, f"version {found['version']} of {pupil}, expected {version}"
        assert found["replaces"] == next((i for i, v in earlier.items() if v == version - 1), None)
        assert found["state"] in LEADS_TO["NOT_CREATED"]
        row = {"pupil": pupil, "version": version, "state": found["state"], "live": True, "stopped": False, "signatures": 0}
        self.transcripts[found["id"]] = {**row, "returned_from": None, "confirmation": 0, "content": self._content(pupil)}

    def _content(self, pupil: str) -> Row:
        return {k: self.pupils[pupil][k] for k in ("remark", "home")}
