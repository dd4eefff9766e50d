"""The rules of a life: who does what next. After every step databases and expectations are compared; at the end everything has arrived."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
from collections.abc import Callable, Coroutine
from operator import itemgetter
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.life.acts import Act, Acts
from tests.life.mail import Box
from tests.life.model import Answer, Model
from tests.life.place import Place
from tests.life.school import ADMINISTRATORS, CLASSES, HOMEROOMS, HOMES, LEADERS, REMARKS
from tests.life.seen import Outboxes, differences, disagreements, kept
from tests.life.standing import beside_others
from tests.life.table import CORRECTION_LEADS_TO, SEALED

T = TypeVar("T")
SEED = st.integers(0, 65535)
"""One draw a step; what is made of it is spread evenly, which draws themselves are not."""
ISSUER = "31300001004"
STEPS = ("forward", "turn-down", "approve", "refuse", "witness", "withdraw", "relock")
KINDS, HAND_OVER = 15, 5
"""How many kinds of acts meet others, and which of them hands over events."""
MEETING = 3
"""As many as act at once on the same things, in whatever order."""
PARTIES = ("management", "board", "inspection", "asker")


class Life(RuleBasedStateMachine):
    place: ClassVar[Place]
    runner: ClassVar[asyncio.Runner]
    stages: ClassVar[tuple[int, ...]]
    chosen_by: ClassVar[int] = 0
    """Added to every draw: the first life that Hypothesis makes has the least draws, whatever its seed."""

    def __init__(self) -> None:
        super().__init__()
        self.acts = Acts(self.place)
        self.m = Model.begun(dt.date.min, {})
        self.told: list[str] = []
        self.audited = 0
        self.taken = 0

    # --- how a step is taken

    @initialize(n=SEED)
    def begin(self, n: int) -> None:
        self.run(self._begin(self.stages[(n + self.chosen_by) % len(self.stages)]))

    async def _begin(self, stage: int) -> None:
        self.m = await self.place.begin(stage)
        self.acts = Acts(self.place)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def does(self, *acts: Act) -> None:
        """All at once: what came of it is what one after the other gives in some order, or somebody was told that another was quicker."""
        self.run(self._does(acts))

    async def _does(self, acts: tuple[Act, ...]) -> None:
        answers = await asyncio.gather(*(act.ask() for act in acts))
        self.told.append(" | ".join(f"{act.name}: {answer}" for act, answer in zip(acts, answers, strict=True)))
        seen, told = await self.place.see()
        wrong = [f"{act.name}: left out {act.left_out}" for act in acts if act.left_out and len(acts) == 1]
        assert not wrong, "\n".join([*wrong, "", "before it:", *self.told[-12:]])
        # more than a few at once do not meet each other
        orders = itertools.permutations(range(len(acts))) if len(acts) <= MEETING else [tuple(range(len(acts)))]
        for order in orders:
            m = self.m.copy()
            effective = [at for at in order if len(acts) == 1 or not beside_others(answers[at])]
            expected: dict[int, Answer] = {at: acts[at].expect(m) for at in effective}
            wrong = [f"{acts[at].name}: expected {expected[at]}, answered {answers[at]}" for at in effective if expected[at] != answers[at]]
            wrong = wrong or differences(m, seen)
            if not wrong:
                self.m = m
                break
        assert not wrong, "\n".join([*wrong, "", "before it:", *self.told[-12:]])
        for act, answer in zip(acts, answers, strict=True):
            for code in set(answer.values()) or {""}:
                self.place.met[act.name, code] += 1
        await self._collect(told)

    async def _collect(self, outboxes: Outboxes | None = None) -> None:
        """Events leave the outboxes; a request to send names the confirmation that it rests on."""
        for body in await self.place.mail.collect(outboxes):
            if body["type"] == "SubmissionRequestedV1":
                found = self.m.submissions[body["subject"]]
                found["attempt"] = body["data"]["submission"]
                self.m.asked_for[body["data"]["submission"]] = found["confirmation"]

    async def _nothing_lost(self) -> None:
        dbs = [self.place.world.db(service) for service in ("records", "signing", "publishing")]
        counts = await asyncio.gather(*(db["audit"].estimated_document_count() for db in dbs))
        assert sum(counts) >= self.audited, "the audit trail is shorter than it was"
        self.audited = sum(counts)

    def pick(self, n: int, fit: list[T], every: list[T] | None = None) -> T | None:
        """Mostly one that the act is for; every eighth time any."""
        these = (every if n % 8 == 7 else None) or fit or every or []
        return these[n // 8 % len(these)] if these else None

    def transcripts(self, *states: str) -> list[str]:
        return [i for i, t in self.m.transcripts.items() if not states or t["state"] in states]

    def tasks(self, *steps: str) -> list[str]:
        return [i for i, t in self.m.tasks.items() if t["step"] in steps and not t["stopped"]]

    @rule(seed=SEED)
    def something_happens(self, seed: int) -> None:
        """One rule for all, since rules of their own would be left out of half of the lives each, and no road would be long."""
        self.place.steps += 1
        self.taken += 1
        chance = random.Random((seed + self.chosen_by) * 1_000_003 + self.taken)
        names, weights = list(POSSIBLE), [weight for weight, _ in POSSIBLE.values()]
        possible = [weight if POSSIBLE[name][1](self) else 0 for name, weight in zip(names, weights, strict=True)]
        name = chance.choices(names, possible)[0]
        getattr(self, name)(chance.randrange(1 << 20))
        self.run(self._nothing_lost())

    # --- events and workers

    def some_events_arrive(self, n: int) -> None:
        box = self.a_box(n)
        self.does(self.acts.hand_over(box, most=1 + n % 3, again=n // 4 % 3, beside=n % 16 == 5))

    def a_box(self, n: int) -> Box:
        waiting = self.place.mail.waiting()
        return waiting[n % len(waiting)]

    def everything_arrives(self, _: int = 0) -> None:
        self.run(self._everything())

    async def _everything(self) -> None:
        """Of one subject one consumer group after the other, of different ones side by side."""
        while boxes := self.place.mail.waiting():
            by_subject = itertools.groupby(sorted(boxes, key=itemgetter(1)), key=itemgetter(1))
            await asyncio.gather(*(self._in_turn(list(of_one)) for _, of_one in by_subject))
            await self._collect()
        seen, _ = await self.place.see()
        wrong = [*differences(self.m, seen), *disagreements(self.m)]
        assert not wrong, "\n".join([*wrong, "", "before it:", *self.told[-12:]])

    async def _in_turn(self, boxes: list[Box]) -> None:
        for box in boxes:
            for body in await self.place.mail.deliver(box, most=200):
                self.m.heard(box[0], body)

    def the_workers_work(self, n: int) -> None:
        """Creation, assembling, rendering, sealing; sometimes a document cannot be made."""
        if any(j["state"] == "running" for j in self.m.jobs.values()):
            self.does(self.acts.work(self.m))
        work = [
            self.acts.set_aside(i) if n % 11 == 3 else self.acts.goes_on(i, self.m.tasks[i]["step"])
            for i in self.tasks("assembling", "sealing")
        ]
        if work:
            self.does(*work)
        if any(not problem for problem in self.m.renderings.values()):
            self.does(self.acts.render(broken=n % 9 == 4))

    # --- before and while creating

    def the_sector_database_changes_and_is_read(self, n: int) -> None:
        """Some pupil's remark, address or completeness; every fourth time nothing at all. Mostly confirmed at once."""
        pupil = sorted(self.m.filed)[n % len(self.m.filed)]
        if n % 4:
            what, most = (("remark", len(REMARKS)), ("home", len(HOMES)), ("whole", 2))[n // 4 % 3]
            if what != "whole" or n % 5 == 0 or not self.m.filed[pupil].whole:
                self.m.filed[pupil] = self.m.filed[pupil].changed(what, n // 16 % most)
        preview, row = self.run(self.acts.preview(self.m, n))
        self.m.previews[preview] = row
        self.place.met["preview", ""] += 1
        if n % 3:
            self.does(self.acts.import_(preview, n))

    def an_earlier_preview_is_confirmed(self, n: int) -> None:
        preview = self.pick(n, [i for i, p in self.m.previews.items() if not p["done"]], list(self.m.previews))
        assert preview is not None
        if n % 2 and not self.m.previews[preview]["done"]:
            answer = self.run(self.acts.review(preview))
            assert answer == {preview: ""}, answer
            self.m.previews[preview]["base"] = self.m.base(self.m.previews[preview]["filed"])
        self.does(self.acts.import_(preview, n))

    def a_class_is_finalised_or_opened_again(self, n: int) -> None:
        code = CLASSES[n % 2]
        undo = self.m.classes[code]["finalised"] if n % 8 else not self.m.classes[code]["finalised"]
        self.does(self.acts.finalise(code, n // 8, undo=undo))

    def a_leader_is_configured(self, n: int) -> None:
        self.does(self.acts.configure(CLASSES[n % 2], LEADERS[n // 2 % 2]))

    def transcripts_are_ordered(self, n: int) -> None:
        self.does(self.an_order(n))
        if n % 3:
            self.does(self.acts.work(self.m))

    def an_order(self, n: int) -> Act:
        code = CLASSES[n // 4 % 2]
        pupils = [p for p, row in self.m.pupils.items() if row["class"] == code]
        who = HOMEROOMS[code] if n % 2 else ADMINISTRATORS[0]
        if n % 4 < 2:
            return self.acts.order({"classes": [code]}, pupils, who)
        some = pupils[n // 8 % len(pupils) :]
        return self.acts.order({"pupils": some}, some, who)

    def a_creation_is_stopped(self, n: int) -> None:
        job = self.pick(n, [i for i, j in self.m.jobs.items() if j["state"] == "running"], list(self.m.jobs))
        assert job is not None
        self.does(self.acts.stop(job))

    # --- signing

    def a_signer(self, n: int) -> tuple[str, str, str] | None:
        """Somebody whom a transcript waits for; sometimes one for whom it does not."""
        fit = []
        for i in self.tasks("subjects", "homeroom", "leader", "issue"):
            task = self.m.tasks[i]
            waits = [p for p in task["need"][task["step"]] if p not in task["signed"][task["step"]]]
            fit += [(p, task["step"], i) for p in (waits or [ISSUER])]
        every = [(p, step, i) for i, t in self.m.tasks.items() for step, people in t["need"].items() for p in (people or [ISSUER])]
        return self.pick(n, fit, every)

    def somebody_signs(self, n: int) -> None:
        if (chosen := self.a_signer(n)) is None:
            return
        self.does(self.acts.start(*chosen))
        if n % 4 != 2 and self.m.tasks[chosen[2]]["claims"]:
            self.finishes(chosen[2], signed=n % 32 != 9)

    def a_batch_ends(self, n: int) -> None:
        claimed = [i for i, t in self.m.tasks.items() if t["claims"]]
        self.finishes(claimed[n % len(claimed)], signed=n % 4 != 1)

    def finishes(self, transcript: str, *, signed: bool) -> None:
        task = self.m.tasks[transcript]
        person = next(iter(task["claims"].values()))
        self.does(self.acts.finish(person, task["step"], transcript, signed=signed))

    def all_of_a_step_sign(self, n: int) -> None:
        """What one sitting brings forward: a transcript, or every one that is at the same step; of each one person after the other."""
        waiting = self.tasks("subjects", "homeroom", "leader", "issue")
        first = waiting[n % len(waiting)]
        step = self.m.tasks[first]["step"]
        self.run(self._sitting(step, self.tasks(step) if n % 2 else [first]))

    async def _sitting(self, step: str, transcripts: list[str]) -> None:
        """Looked at when it is over, as `somebody_signs` looks at each signature."""
        await asyncio.gather(*(self._signed_by_all(step, transcript) for transcript in transcripts))
        seen, told = await self.place.see()
        wrong = differences(self.m, seen)
        assert not wrong, "\n".join([*wrong, "", "before it:", *self.told[-40:]])
        await self._collect(told)

    async def _signed_by_all(self, step: str, transcript: str) -> None:
        task = self.m.tasks[transcript]
        for person in task["need"][step] or [ISSUER]:
            if person not in task["signed"][step] and not task["claims"]:
                await self._one(self.acts.start(person, step, transcript))
                if task["claims"]:
                    await self._one(self.acts.finish(person, step, transcript, signed=True))

    async def _one(self, act: Act) -> None:
        """Of several that do not meet each other."""
        answer = await act.ask()
        self.told.append(f"{act.name}: {answer}")
        expected = act.expect(self.m)
        assert answer == expected, "\n".join([f"{act.name}: expected {expected}, answered {answer}", "", "before it:", *self.told[-12:]])
        for code in set(answer.values()):
            self.place.met[act.name, code] += 1

    def a_signer_sends_it_back(self, n: int) -> None:
        if (chosen := self.a_signer(n)) is not None:
            self.does(self.acts.give_back(*chosen))

    # --- deciding

    def the_administrator_decides_a_return(self, n: int) -> None:
        still = [i for i, t in self.m.transcripts.items() if t["stopped"] and t["state"] != "RETURNED"]
        if still and n % 2:
            self.does(self.acts.decide("return stopped", still, n))
        elif (transcript := self.pick(n, self.transcripts("RETURNED"), self.transcripts())) is not None:
            self.does(self.acts.decide(("refuse", "cancel")[n // 2 % 2], [transcript], n, reason=n % 4 != 2 or n // 2 % 2 == 0))

    def the_administrator_cancels(self, n: int) -> None:
        transcript = self.pick(n, self.transcripts("SIGNED", "CONFIRMED", "REJECTED", "RETURNED"), self.transcripts())
        assert transcript is not None
        self.does(self.acts.decide("cancel", [transcript], n, reason=n % 16 != 4))

    def transcripts_are_confirmed_or_not(self, n: int) -> None:
        act, states = (("confirm", ("SIGNED",)), ("undo", ("CONFIRMED", "REJECTED")))[n % 4 == 1]
        if n % 3:
            transcript = self.pick(n, self.transcripts(*states), self.transcripts())
            assert transcript is not None
            return self.does(self.acts.decide(act, [transcript], n))
        code = CLASSES[n // 3 % 2]
        of_class = [i for i in self.transcripts(*states) if self.m.pupils[self.m.transcripts[i]["pupil"]]["class"] == code]
        return self.does(self.acts.decide(act, of_class, n, classes=[code]))

    # --- sending

    def a_transcript_is_submitted(self, n: int) -> None:
        transcript = self.pick(
            n, [i for i, s in self.m.submissions.items() if s["state"] in ("NOT_SENT", "REJECTED")], list(self.m.submissions)
        )
        assert transcript is not None
        self.does(self.acts.submit(transcript, n))

    def packages_go_out(self, n: int) -> None:
        if any(s["state"] == "CLEARED" for s in self.m.submissions.values()):
            self.does(self.acts.pack())
        ready = [i for i, p in self.m.packages.items() if p["state"] == "ready"]
        if ready:
            self.does(self.acts.send(ready[n % len(ready)], away=n % 8 == 3, early=n % 4 == 2))

    def the_gateway_answers(self, n: int) -> None:
        sent = [i for i, p in self.m.packages.items() if p["state"] == "sent"]
        package = sent[n % len(sent)]
        transcripts = self.m.packages[package]["transcripts"]
        self.does(self.acts.answer(package, transcripts if n % 4 else transcripts[:1]))

    # --- the year, corrections, copies, transfers

    def the_principal_plans_and_appoints(self, n: int) -> None:
        days = (60, 60, 8, 3)[n // 2 % 4]
        self.does(self.acts.year("inspector") if n % 2 else self.acts.year("plan", self.m.today + dt.timedelta(days=days)))

    def the_principal_locks_the_year_or_opens_it(self, n: int) -> None:
        if self.m.locked or n % 5 == 0:
            self.does(self.acts.year("unlock" if self.m.locked == (n % 8 != 7) else "lock"))

    def a_teacher_asks_for_a_correction(self, n: int) -> None:
        """Mostly in a year that is prepared for it: somebody witnesses, and the day of the lock is far."""
        if n % 8 != 7 and not self.m.locked and self.m.planned is None:
            self.does(self.acts.year("plan", self.m.today + dt.timedelta(days=60)))
            self.does(self.acts.year("inspector"))
        pupil = self.pick(n, [p for p in self.m.pupils if not self.m.live_of(p)], list(self.m.pupils))
        assert pupil is not None
        value = ((self.m.pupils[pupil]["remark"] or 0) + (n % 16 != 5)) % len(REMARKS)
        self.does(self.acts.ask_correction(self.m, pupil, value))

    def a_correction_goes_on(self, n: int) -> None:
        standing = [i for i, c in self.m.corrections.items() if CORRECTION_LEADS_TO[c["state"]]]
        correction = self.pick(n, standing, list(self.m.corrections))
        assert correction is not None
        found = self.m.corrections[correction]
        following = {"SUBMITTED": "forward", "FORWARDED": "approve", "APPROVED": "witness", "UNLOCKED": "correct"}
        act = following.get(found["state"], "witness") if n % 5 else ("correct", *STEPS)[n // 5 % 8]
        if act == "correct":
            return self.does(self.acts.correct(self.m, correction))
        missing = [p for p in PARTIES if p not in found["witnesses"]]
        party = (missing or list(PARTIES))[n // 8 % len(missing or PARTIES)] if n % 9 else PARTIES[n // 9 % 4]
        return self.does(self.acts.step(self.m, correction, act, party if act == "witness" else ""))

    def a_copy_is_asked_for_or_settled(self, n: int) -> None:
        if n % 2 and self.m.copies:
            act = ("issue", "decline", "revoke", "issue")[n // 2 % 4]
            fit = [i for i, c in self.m.copies.items() if c["state"] == ("ISSUED" if act == "revoke" else "ASKED")]
            copy_id = self.pick(n, fit, list(self.m.copies))
            assert copy_id is not None
            return self.does(self.acts.end_copy(copy_id, act))
        transcript = self.pick(n, self.transcripts(*SEALED), self.transcripts())
        assert transcript is not None
        return self.does(self.acts.ask_copy(transcript))

    def a_pupil_leaves_or_comes_back(self, n: int) -> None:
        standing = [i for i, t in self.m.transfers.items() if t["standing"]]
        if self.m.transfers and (n % 2 or len(standing) > 1):
            transfer = self.pick(n, standing, list(self.m.transfers))
            assert transfer is not None
            return self.does(self.acts.come_back(transfer))
        sealed = [self.m.transcripts[i]["pupil"] for i in self.transcripts(*SEALED)]
        pupil = self.pick(n, sealed, list(self.m.pupils))
        assert pupil is not None
        return self.does(self.acts.leave(pupil))

    def a_pupil_arrives(self, n: int) -> None:
        """The package is uploaded, mostly taken at once; a second time now and then."""
        if not self.m.arrivals or n % 4 == 1:
            self.does(self.acts.receive(n, sound=n % 16 != 9))
        for arrival in list(self.m.arrivals) if n % 4 else []:
            self.does(self.acts.take(arrival, (*CLASSES, "")[n // 16 % 3], n))

    # --- at once

    def two_act_at_once(self, n: int) -> None:
        first, second = n // 64 % KINDS, n // 1024 % KINDS
        transcript = self.pick(n, self.transcripts("SIGNED", "CONFIRMED", "RETURNED", "REJECTED"), self.transcripts())
        assert transcript is not None
        # one consumer group hands one box over once; two consumers of it are `beside`
        doing = [
            build
            for at in ((first,) if first == second == HAND_OVER else (first, second))
            if (build := self.one_of_two(at, transcript, n + at)) is not None
        ]
        if doing:
            self.does(*doing)
            self.place.met["two at once", ""] += len(doing) - 1

    def one_of_two(self, at: int, transcript: str, n: int) -> Act | None:
        found = self.m.transcripts[transcript]
        code = self.m.pupils[found["pupil"]]["class"]
        of_transcript = [b for b in self.place.mail.waiting() if b[1] == transcript] or self.place.mail.waiting()
        choices: list[Callable[[], Act | None]] = [
            lambda: self.acts.decide("confirm", [transcript], n),
            lambda: self.acts.decide("undo", [transcript], n),
            lambda: self.acts.decide("cancel", [transcript], n),
            lambda: self.acts.decide("refuse", [transcript], n),
            lambda: self.acts.submit(transcript, n) if transcript in self.m.submissions else None,
            lambda: self.acts.hand_over(of_transcript[0], most=2, again=1, beside=False) if of_transcript else None,
            lambda: self.acts.year("unlock" if self.m.locked else "lock") if n % 8 == 0 or self.m.locked else None,
            lambda: self.acts.work(self.m) if sum(j["state"] == "running" for j in self.m.jobs.values()) == 1 else self.an_order(n),
            lambda: self.acts.finalise(code, n, undo=self.m.classes[code]["finalised"]),
            lambda: self.acts.give_back(*chosen) if (chosen := self.a_signer(n)) else None,
            lambda: self.acts.start(*chosen) if (chosen := self.a_signer(n)) else None,
            lambda: next((self.acts.import_(i, n) for i, p in self.m.previews.items() if not p["done"]), None),
            lambda: self.acts.leave(found["pupil"]),
            lambda: next((self.acts.come_back(i) for i, t in self.m.transfers.items() if t["standing"]), None),
            lambda: next((self.acts.take(i, code, n) for i, a in self.m.arrivals.items() if a["state"] == "CHECKED"), self.acts.receive(n)),
        ]
        assert len(choices) == KINDS
        return choices[at]()

    # --- the end

    def teardown(self) -> None:
        if self.told:
            self.run(self._end())
            self.place.after_a_life()

    async def _end(self) -> None:
        await self._everything()
        await kept(self.place.world, self.m)


POSSIBLE: dict[str, tuple[int, Callable[[Life], object]]] = {
    "two_act_at_once": (14, lambda life: life.m.transcripts),
    "some_events_arrive": (9, lambda life: life.place.mail.waiting()),
    "everything_arrives": (5, lambda life: life.place.mail.waiting()),
    "the_workers_work": (6, lambda life: True),
    "the_sector_database_changes_and_is_read": (2, lambda life: True),
    "an_earlier_preview_is_confirmed": (1, lambda life: life.m.previews),
    "a_class_is_finalised_or_opened_again": (2, lambda life: True),
    "a_leader_is_configured": (1, lambda life: True),
    "transcripts_are_ordered": (3, lambda life: sum(j["state"] == "running" for j in life.m.jobs.values()) < 2),
    "a_creation_is_stopped": (1, lambda life: life.m.jobs),
    "somebody_signs": (4, lambda life: life.m.tasks),
    "a_batch_ends": (3, lambda life: any(t["claims"] for t in life.m.tasks.values())),
    "all_of_a_step_sign": (6, lambda life: life.tasks("subjects", "homeroom", "leader", "issue")),
    "a_signer_sends_it_back": (2, lambda life: life.m.tasks),
    "the_administrator_decides_a_return": (
        3,
        lambda life: life.transcripts("RETURNED") or any(t["stopped"] for t in life.m.transcripts.values()),
    ),
    "the_administrator_cancels": (2, lambda life: life.m.transcripts),
    "transcripts_are_confirmed_or_not": (5, lambda life: life.m.transcripts),
    "a_transcript_is_submitted": (4, lambda life: life.m.submissions),
    "packages_go_out": (4, lambda life: life.m.submissions),
    "the_gateway_answers": (4, lambda life: any(p["state"] == "sent" for p in life.m.packages.values())),
    "the_principal_plans_and_appoints": (1, lambda life: True),
    "the_principal_locks_the_year_or_opens_it": (3, lambda life: True),
    "a_teacher_asks_for_a_correction": (2, lambda life: True),
    "a_correction_goes_on": (8, lambda life: life.m.corrections),
    "a_copy_is_asked_for_or_settled": (3, lambda life: life.m.transcripts),
    "a_pupil_leaves_or_comes_back": (2, lambda life: life.m.transcripts),
    "a_pupil_arrives": (1, lambda life: True),
}
"""What can happen in a step: how often beside the others, and when it makes sense."""
