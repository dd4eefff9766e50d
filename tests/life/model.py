"""What is expected of the services, in plain dicts: each act says in advance who will be refused with which code, and what moves.

It knows codes and words as people read them and nothing of the product's own rules. Every move of a transcript and of a correction is held
against the table that was written down a second time. `standing.py` holds what stands, and the acts up to the creation.
"""

from __future__ import annotations

import datetime as dt

from tests.life.standing import CONFLICT, LEFT, STUDYING, Answer, Row, Standing
from tests.life.table import AWAITED, CORRECTION_LEADS_TO, SEALED, SENT

__all__ = ["CONFLICT", "Answer", "Model", "Row"]

STEPS = ("subjects", "homeroom", "leader", "issue")


class Model(Standing):
    # --- signing: `tasks` is what signing knows

    def start(self, person: str, step: str, transcript: str) -> Answer:
        why = self._why_not_signed(person, step, transcript)
        task = self.tasks.get(transcript)
        claimant = "school" if step == "issue" else person
        if not why and self.locked_in_signing:
            why = "HB-SIG-030"
        if not why and task and claimant in task["claims"]:
            why = "HB-SIG-007"
        if not why and task:
            task["claims"][claimant] = person
        return {transcript: why}

    def _why_not_signed(self, person: str, step: str, transcript: str) -> str:
        task = self.tasks.get(transcript)
        if task is None or (step != "issue" and person not in task["need"][step]):
            return "HB-SIG-006"
        if task["step"] == "returned":
            return "HB-SIG-018"
        if task["step"] == "cancelled":
            return "HB-SIG-019"
        return "HB-SIG-006" if task["step"] != step or person in task["signed"][step] else ""

    def finish(self, person: str, step: str, transcript: str, *, signed: bool) -> Answer:
        """The batch comes to its end: the signature stands, or nobody confirmed it."""
        task = self.tasks[transcript]
        del task["claims"]["school" if step == "issue" else person]
        if signed:
            task["signed"][step].append(person)
            if set(task["need"][step]) <= set(task["signed"][step]):
                following = {"subjects": "assembling", "homeroom": "leader", "leader": "issue", "issue": "sealing"}
                task["step"] = following[step]
        return {transcript: ""}

    def give_back(self, person: str, step: str, transcript: str) -> Answer:
        why = self._why_not_signed(person, step, transcript)
        task = self.tasks.get(transcript)
        if not why and self.locked_in_signing:
            why = "HB-SIG-030"
        if not why and task and task["claims"]:
            why = "HB-SIG-007"
        if not why and task:
            task |= {"returned_from": task["step"], "step": "returned"}
        return {transcript: why}

    def goes_on(self, transcript: str, after: str) -> Answer:
        """Work of signing itself: assembled, or sealed."""
        self.tasks[transcript]["step"] = after
        return {transcript: ""}

    def set_aside(self, transcript: str) -> Answer:
        self.tasks[transcript]["stopped"] = True
        return {transcript: ""}

    def render(self, *, broken: bool) -> Answer:
        answer = {}
        for transcript in [i for i, problem in self.renderings.items() if not problem]:
            answer[transcript] = ""
            if broken:
                self.renderings[transcript] = True
                self.transcripts[transcript]["stopped"] = True
            else:
                del self.renderings[transcript]
                if self.transcripts[transcript]["state"] == "AWAITING_SUBJECT_TEACHERS":
                    self.move(transcript, "AWAITING_HOMEROOM")
        return answer

    # --- deciding

    def _held(self, transcript: str, *, cancelling: bool = False) -> str:
        if self.locked:
            return "HB-REC-110"
        return "HB-REC-113" if self.correcting(self.transcripts[transcript]["pupil"]) and not cancelling else ""

    def confirm(self, transcript: str) -> Answer:
        why = self._held(transcript) or ("" if self.transcripts[transcript]["state"] == "SIGNED" else "HB-REC-008")
        if not why:
            self.move(transcript, "CONFIRMED")
            self.transcripts[transcript]["confirmation"] += 1
        return {transcript: why}

    def undo(self, transcript: str) -> Answer:
        why = self._held(transcript) or ("" if self.transcripts[transcript]["state"] in ("CONFIRMED", "REJECTED") else "HB-REC-008")
        if not why:
            self.move(transcript, "SIGNED")
        return {transcript: why}

    def cancel(self, transcript: str, *, reason: bool) -> Answer:
        state, why = self.transcripts[transcript]["state"], self._held(transcript, cancelling=True)
        if not why:
            if state in SENT:
                why = "HB-REC-020"
            elif state in AWAITED:
                why = "HB-REC-021"
            elif state == "CANCELLED":
                why = "HB-REC-024"
            elif state != "RETURNED" and not reason:
                why = "HB-REC-022"
        if not why:
            self.move(transcript, "CANCELLED")
            self.renderings.pop(transcript, None)
        return {transcript: why}

    def refuse(self, transcript: str) -> Answer:
        found = self.transcripts[transcript]
        why = self._held(transcript, cancelling=True) or ("" if found["state"] == "RETURNED" else "HB-REC-008")
        if not why:
            self.move(transcript, found["returned_from"])
            if transcript in self.renderings:
                self.renderings[transcript] = False
        return {transcript: why}

    def return_stopped(self, transcript: str) -> Answer:
        found, why = self.transcripts[transcript], self._held(transcript, cancelling=True)
        if not why and found["state"] not in AWAITED:
            why = "HB-REC-008"
        if not why and not found["stopped"]:
            why = "HB-REC-023"
        if not why:
            self.move(transcript, "RETURNED")
        return {transcript: why}

    # --- sending: `submissions` is what publishing knows

    def submit(self, transcript: str) -> Answer:
        found = self.submissions.get(transcript)
        if found is None or found["state"] in ("NOT_CONFIRMED", "CANCELLED"):
            return {transcript: "HB-PUB-001"}
        if found["state"] not in ("NOT_SENT", "REJECTED"):
            return {transcript: "HB-PUB-002"}
        found |= {"state": "REQUESTED", "package": None}
        return {transcript: ""}

    def pack(self, package: str) -> Answer:
        cleared = [t for t, s in self.submissions.items() if s["state"] == "CLEARED"]
        of_class = {t: self.pupils[self.transcripts[t]["pupil"]]["class"] for t in cleared}
        first = min(of_class.values(), default=None)
        answer = {t: "" for t in cleared if of_class[t] == first}
        for transcript in answer:
            self.submissions[transcript] |= {"state": "PACKED", "package": package}
        if answer:
            self.packages[package] = {"state": "ready", "transcripts": sorted(answer)}
        return answer

    def sent(self, package: str) -> Answer:
        self.packages[package]["state"] = "sent"
        mine = [t for t in self.packages[package]["transcripts"] if self.submissions[t]["package"] == package]
        for transcript in mine:
            if self.submissions[transcript]["state"] == "PACKED":
                self.submissions[transcript]["state"] = "SENT"
        return {package: ""}

    def answered(self, package: str, verdicts: dict[str, bool]) -> Answer:
        """The gateway's word; what it says of an earlier package, or a second time, is not heard."""
        for transcript, accepted in verdicts.items():
            found = self.submissions[transcript]
            if found["package"] == package and found["state"] in ("PACKED", "SENT"):
                found["state"] = "ACCEPTED" if accepted else "REJECTED"
        return {package: ""}

    # --- locks and corrections

    def plan(self, day: dt.date | None) -> Answer:
        if self.locked:
            return {"": "HB-REC-110"}
        self.planned = day
        return {"plan": ""}

    def appoint(self) -> Answer:
        if self.locked:
            return {"": "HB-REC-110"}
        self.inspector = True
        return {"appoint": ""}

    def lock(self) -> Answer:
        if self.locked:
            return {"": "HB-REC-114"}
        if any(c["state"] == "UNLOCKED" for c in self.corrections.values()):
            return {"": "HB-REC-118"}
        self.locked = True
        return {"lock": ""}

    def unlock(self) -> Answer:
        if not self.locked:
            return {"": "HB-REC-114"}
        self.locked = False
        return {"unlock": ""}

    def ask(self, made: list[str], pupil: str, value: int, asker: str) -> Answer:
        """`made`: the id that the request got, once it is known."""
        here = self.pupils[pupil]
        standing = [c for c in self.corrections.values() if c["pupil"] == pupil and CORRECTION_LEADS_TO[c["state"]]]
        why = "HB-REC-110" if self.locked else ""
        if not why and not (self.classes[here["class"]]["finalised"] and here["whole"]):
            why = "HB-REC-120"
        why = why or self.why_too_late() or ("HB-REC-125" if standing else "") or ("HB-REC-123" if value == here["remark"] else "")
        if why:
            return {"": why}
        row = {"pupil": pupil, "state": "SUBMITTED", "asker": asker, "before": here["remark"], "after": value, "witnesses": []}
        self.corrections[made[0] if made else "?"] = row
        return {"ask": ""}

    def step(self, correction: str, act: str, party: str = "") -> Answer:
        found = self.corrections[correction]
        why = self._why_no_step(found, act, party)
        if why:
            return {"": why}
        if act == "witness":
            found["witnesses"].append(party)
            if len(found["witnesses"]) == 4:
                found["unlocked"] = {k: self.pupils[found["pupil"]][k] for k in ("remark", "whole")}
                self._lead(found, "UNLOCKED")
        else:
            after = {"forward": "FORWARDED", "turn-down": "REFUSED", "approve": "APPROVED", "refuse": "REFUSED", "withdraw": "WITHDRAWN"}
            self._lead(found, {**after, "relock": "RELOCKED"}[act])
        return {correction: ""}

    def _lead(self, correction: Row, after: str) -> None:
        assert after in CORRECTION_LEADS_TO[correction["state"]]
        correction["state"] = after

    def _why_no_step(self, found: Row, act: str, party: str) -> str:
        starts = {
            "forward": ("SUBMITTED",),
            "turn-down": ("SUBMITTED",),
            "approve": ("FORWARDED",),
            "refuse": ("FORWARDED",),
            "witness": ("APPROVED",),
            "withdraw": ("SUBMITTED", "FORWARDED", "APPROVED"),
            "relock": ("APPROVED", "UNLOCKED"),
        }[act]
        here = self.pupils[found["pupil"]]
        if party == "inspection" and not self.inspector:
            # neither of the school's board or management, nor appointed: it is none of their business
            return "HB-ACC-403"
        if found["state"] not in starts:
            return "HB-REC-128"
        if act == "witness" and party in found["witnesses"]:
            return "HB-REC-130"
        why = self.why_too_late() if act in ("forward", "approve", "witness") else ""
        if not why and act == "approve" and not self.inspector:
            why = "HB-REC-134"
        if not why and act == "witness":
            why = "HB-REC-131" if self.live_of(found["pupil"]) else "HB-REC-133" if here["remark"] != found["before"] else ""
        if not why and act == "relock" and found["state"] == "UNLOCKED" and {k: here[k] for k in ("remark", "whole")} != found["unlocked"]:
            why = "HB-REC-135"
        return why

    def correct(self, correction: str) -> Answer:
        found = self.corrections[correction]
        here = self.pupils[found["pupil"]]
        why = "" if found["state"] == "UNLOCKED" else "HB-REC-128"
        why = why or self.why_too_late() or ("HB-REC-131" if self.live_of(found["pupil"]) else "")
        if not why and here["remark"] not in (found["before"], found["after"]):
            why = "HB-REC-133"
        if not why and here["remark"] == found["before"] and not here["whole"]:
            why = "HB-REC-124"
        if why:
            return {"": why}
        here["remark"] = found["after"]
        self._lead(found, "DONE")
        return {correction: ""}

    # --- copies, transfers

    def ask_copy(self, made: list[str], transcript: str) -> Answer:
        found = self.transcripts[transcript]
        if found["state"] not in SEALED:
            return {"": "HB-REC-080"}
        self.copies[made[0] if made else "?"] = {"transcript": transcript, "state": "ASKED"}
        return {"ask": ""}

    def end_copy(self, copy_id: str, act: str) -> Answer:
        found = self.copies[copy_id]
        if found["state"] != ("ISSUED" if act == "revoke" else "ASKED"):
            return {"": "HB-REC-081"}
        if act == "issue" and self.transcripts[found["transcript"]]["state"] not in SEALED:
            return {"": "HB-REC-080"}
        found["state"] = {"issue": "ISSUED", "decline": "DECLINED", "revoke": "REVOKED"}[act]
        return {copy_id: ""}

    def leave(self, made: list[str], pupil: str) -> Answer:
        if any(t["pupil"] == pupil and t["standing"] for t in self.transfers.values()):
            return {"": "HB-REC-141"}
        live = self.live_of(pupil)
        brought = any(a["state"] == "TAKEN" and a["pupil"] == pupil for a in self.arrivals.values())
        if not brought and (live is None or self.transcripts[live]["state"] not in SEALED):
            return {"": "HB-REC-142"}
        before = None if self.locked else self.pupils[pupil]["status"]
        if not self.locked:
            self.pupils[pupil]["status"] = LEFT
        self.transfers[made[0] if made else "?"] = {"pupil": pupil, "standing": True, "before": before}
        return {"leave": ""}

    def come_back(self, transfer: str) -> Answer:
        found = self.transfers[transfer]
        if not found["standing"]:
            return {"": "HB-REC-144"}
        found["standing"] = False
        if found["before"] is not None and not self.locked:
            self.pupils[found["pupil"]]["status"] = found["before"]
        return {transfer: ""}

    def receive(self, made: list[str], pupil: str, *, sound: bool) -> Answer:
        """`made`: the arrival that the package led to, once it is known. One that was not taken is examined anew."""
        if not sound:
            return {"": "HB-REC-152"}
        arrival = made[0] if made else "?"
        if not any(a["state"] == "TAKEN" for a in self.arrivals.values()):
            self.arrivals = {arrival: {"pupil": pupil, "state": "CHECKED"}}
        elif made and arrival not in self.arrivals:
            return {"": "a package that was taken led to another arrival"}
        return {"receive": ""}

    def take(self, arrival: str, code: str) -> Answer:
        """Into a class of the year, or "" for the record alone."""
        found = self.arrivals.get(arrival)
        if found is None:
            return {"": "HB-WEB-404"}
        if found["state"] == "TAKEN":
            return {"": "HB-REC-158"}
        if code and self.locked:
            return {"": "HB-REC-165"}
        found["state"] = "TAKEN"
        if code:
            self.pupils[found["pupil"]] = {"class": code, "remark": None, "home": 0, "whole": False, "status": STUDYING}
        return {arrival: ""}

    # --- what others told

    def heard(self, group: str, body: Row) -> None:
        service, _, topic = group.partition(".")
        kind, about, fact = body["type"], body["subject"], body["data"]
        if service == "records" and topic == "signing.steps":
            self._records_hears(kind, about, fact)
        elif service == "records" and topic == "publishing.submissions":
            self._records_hears_of_sending(kind, about, fact)
        elif service == "signing" and topic == "records.transcripts":
            self._signing_hears(kind, about, fact)
        elif service == "publishing" and topic == "records.transcripts":
            self._publishing_hears(kind, about, fact)

    def _records_hears(self, kind: str, about: str, fact: Row) -> None:
        if kind in ("SubjectSignedV1", "StepSignedV1", "TranscriptSealedV1"):
            self.transcripts[about]["signatures"] += 1
        if kind == "SubjectsSignedV1":
            self.renderings[about] = False
        elif kind == "StepSignedV1":
            self.move(about, {"homeroom": "AWAITING_LEADER", "leader": "AWAITING_ISSUE"}[fact["step"]])
        elif kind == "TranscriptSealedV1":
            self.move(about, "SIGNED")
        elif kind == "TranscriptReturnedV1":
            self.move(about, "RETURNED")
        elif kind == "TranscriptStoppedV1":
            self.transcripts[about]["stopped"] = True

    def _records_hears_of_sending(self, kind: str, about: str, fact: Row) -> None:
        found = self.transcripts[about]
        if kind == "SubmissionRequestedV1":
            # only what is confirmed now, and confirmed as it was when somebody asked for it to be sent
            if found["state"] in ("CONFIRMED", "REJECTED") and self.asked_for[fact["submission"]] == found["confirmation"]:
                self.move(about, "SUBMITTED")
        else:
            self.move(about, {"TranscriptAcceptedV1": "ACCEPTED", "TranscriptRefusedV1": "REJECTED"}[kind])

    def _signing_hears(self, kind: str, about: str, fact: Row) -> None:
        if kind == "TranscriptCreatedV1":
            homeroom, leader = (next(s["person"] for s in fact["required"] if s["role"] == r) for r in ("homeroom", "leader"))
            teachers = [s["person"] for s in fact["required"] if s["role"] == "subject_teacher" and s["person"] != homeroom]
            need = {"subjects": teachers, "homeroom": [homeroom], "leader": [leader], "issue": []}
            step = "subjects" if teachers else "assembling"
            signed: Row = {s: [] for s in STEPS}
            self.tasks[about] = {"step": step, "need": need, "signed": signed, "claims": {}, "returned_from": None, "stopped": False}
        elif kind in ("SchoolYearLockedV1", "SchoolYearUnlockedV1"):
            self.locked_in_signing = kind == "SchoolYearLockedV1"
        elif kind == "TranscriptRenderedV1" and self.tasks[about]["step"] == "rendering":
            self.tasks[about]["step"] = "homeroom"
        elif kind == "TranscriptCancelledV1":
            self.tasks[about] |= {"step": "cancelled", "claims": {}}
        elif kind == "CancellationRefusedV1":
            task = self.tasks[about]
            if task["step"] == "returned":
                task["step"] = task["returned_from"]
            else:
                task["stopped"] = False

    def _publishing_hears(self, kind: str, about: str, fact: Row) -> None:
        found = self.submissions.get(about)
        if kind == "TranscriptConfirmedV1":
            confirmation = (found or {"confirmation": 0})["confirmation"] + 1
            self.submissions[about] = {"state": "NOT_SENT", "package": None, "confirmation": confirmation, "attempt": None}
        elif found is None:
            return
        elif kind == "ConfirmationUndoneV1":
            found["state"] = "NOT_CONFIRMED"
        elif kind == "TranscriptCancelledV1":
            found["state"] = "CANCELLED"
        elif (
            kind in ("SubmissionClearedV1", "SubmissionDeniedV1")
            and found["state"] == "REQUESTED"
            and found["attempt"] == fact["submission"]
        ):
            found["state"] = "CLEARED" if kind == "SubmissionClearedV1" else "NOT_SENT"
