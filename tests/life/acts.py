"""What people and workers do: each act as it is asked for, beside what is expected of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.publishing.breaker import Breaker
from services.publishing.delivery import apply
from services.publishing.gateways.national import Result
from services.publishing.store import Store as PublishingStore
from tests.life.desk import CATALOGUE
from tests.life.mail import Box
from tests.life.model import Answer, Model, Row
from tests.life.place import Place
from tests.life.school import ADMINISTRATORS, CLERK, DEPUTY, HOMEROOMS, INSPECTOR, PEOPLE, PRINCIPAL, REMARK, REMARKS, signer

REASON = "Điểm môn Tiếng Việt chưa đúng với sổ điểm."
NO_FAULT = "Đã đối chiếu với sổ điểm, không có sai sót."
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
R = "/api/records"
WITNESSES = {"management": DEPUTY, "board": ADMINISTRATORS[0], "inspection": CLERK}


@dataclass(frozen=True)
class Act:
    """`ask` does it and says what came of it; `expect` says the same of the model and changes it."""

    name: str
    ask: Callable[[], Coroutine[Any, Any, Answer]]
    expect: Callable[[Model], Answer]
    left_out: list[str] = field(default_factory=list)
    """Of an import: what changed while it was being written and so stayed as it was. Nothing, unless somebody acted beside it."""


class Acts:
    """The acts of one life; numbers choose people, so that two administrators and two managers act by turns."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.desk = place.desk

    # --- events

    def hand_over(self, box: Box, *, most: int, again: int, beside: bool) -> Act:
        told: list[Row] = []

        async def ask() -> Answer:
            told.extend(await self.place.mail.deliver(box, most=most, again=again, beside=beside))
            return {}

        def expect(m: Model) -> Answer:
            for body in told:
                m.heard(box[0], body)
            return {}

        return Act("hand over", ask, expect)

    # --- before creating

    async def preview(self, m: Model, n: int) -> tuple[str, Row]:
        """Upload what the sector database says now."""
        files = [("files", file) for file in self.place.workbooks.files(m.filed)]
        refused, told = await self.desk.send(ADMINISTRATORS[n % 2], "POST", f"{R}/imports", files=files)
        assert not refused, refused
        return told["id"], {"done": False, "filed": dict(m.filed), "base": m.base(m.filed)}

    async def review(self, preview: str) -> Answer:
        refused, _ = await self.desk.send(ADMINISTRATORS[0], "POST", f"{R}/imports/{preview}/review")
        return refused or {preview: ""}

    def import_(self, preview: str, n: int) -> Act:
        left_out: list[str] = []

        async def ask() -> Answer:
            refused, told = await self.desk.send(ADMINISTRATORS[n % 2], "POST", f"{R}/imports/{preview}/confirm")
            left_out.extend(each.get("pupil") or each["part"] for each in told.get("skipped", ()))
            return refused or {preview: ""}

        return Act("import", ask, lambda m: m.import_(preview, left_out), left_out)

    def finalise(self, code: str, n: int, *, undo: bool = False) -> Act:
        """Homeroom teacher or administrator finalise; who of the management takes it back, and now and then one who may not."""
        finalisers, managers = (ADMINISTRATORS[0], HOMEROOMS[code]), (PRINCIPAL, DEPUTY)
        may = not undo or n % 8 != 3
        who = managers[n % 2] if undo and may else finalisers[n % 2]
        path = f"{R}/finalisation{'/undo' if undo else ''}"
        body = {"classes": [code], **({"reason": REASON} if undo else {})}

        async def ask() -> Answer:
            return await self.desk.many(who, path, body, [code], of="class")

        return Act("undo finalisation" if undo else "finalise", ask, lambda m: m.reopen(code, may=may) if undo else m.finalise(code))

    def configure(self, code: str, leader: str) -> Act:
        async def ask() -> Answer:
            body = {"classes": [code], "leader": leader, "place": "Hải Phòng"}
            refused, _ = await self.desk.send(ADMINISTRATORS[0], "PUT", f"{R}/printing/classes", body)
            return refused or {code: ""}

        return Act("configure printing", ask, lambda m: m.configure(code, leader))

    # --- creating

    def order(self, body: Mapping[str, Any], pupils: list[str], who: Any) -> Act:
        made: list[str] = []

        async def ask() -> Answer:
            refused, told = await self.desk.send(who, "POST", f"{R}/transcripts", body)
            if refused:
                return refused
            made.append(told["job"])
            return {"order": ""}

        def expect(m: Model) -> Answer:
            m.order(made[0] if made else "?", pupils)
            return {"order": ""}

        return Act("order creation", ask, expect)

    def stop(self, job: str) -> Act:
        async def ask() -> Answer:
            refused, _ = await self.desk.send(ADMINISTRATORS[0], "POST", f"{R}/jobs/{job}/cancel")
            return {job: refused.get("", "")}

        return Act("cancel creation", ask, lambda m: m.stop(job))

    def work(self, known: Model) -> Act:
        """The worker's round: every pupil of the job gets a transcript, or a reason."""
        made: dict[str, Row] = {}
        db = self.place.world.db("records")
        running = [i for i, j in known.jobs.items() if j["state"] == "running"]

        async def ask() -> Answer:
            await self.place.creation.round()
            answer: Answer = {}
            for i in running:
                job = await db["jobs"].find_one({"_id": i})
                assert job is not None
                if job["state"] == "finished":
                    codes: dict[str, set[str]] = {}
                    for row in job["refused"]:
                        codes.setdefault(row["pupil"], set()).add(row["code"])
                        assert row["code"] in CATALOGUE
                        assert row["reason"]
                    answer |= {p: "+".join(sorted(codes.get(p, ()))) for p in known.jobs[i]["pupils"]}
                    assert job["created"] == sum(1 for code in answer.values() if not code)
            shown = dict.fromkeys(("pupil_code", "version", "replaces", "state"), 1)
            async for t in db["transcripts"].find({"_id": {"$nin": list(known.transcripts)}}, projection=shown):
                made[t["pupil_code"]] = {**t, "id": t["_id"]}
            for code in answer.values():
                self.desk.heard.update([code] if code else [])
            return answer

        return Act("create", ask, lambda m: m.work(made))

    # --- signing

    def start(self, person: str, step: str, transcript: str) -> Act:
        async def ask() -> Answer:
            why = await self.place.signers.start(person, step, transcript)
            if why is not None:
                self.desk.heard[why.code] += 1
            return {transcript: why.code if why else ""}

        return Act("start signing", ask, lambda m: m.start(person, step, transcript))

    def finish(self, person: str, step: str, transcript: str, *, signed: bool) -> Act:
        async def ask() -> Answer:
            await self.place.signers.finish(person, step, transcript, confirmed=signed)
            return {transcript: ""}

        return Act(f"sign {step}" if signed else "let it expire", ask, lambda m: m.finish(person, step, transcript, signed=signed))

    def goes_on(self, transcript: str, step: str) -> Act:
        after, work = ("rendering", self.place.signers.assemble) if step == "assembling" else ("done", self.place.signers.seal)

        async def ask() -> Answer:
            await work(transcript)
            return {transcript: ""}

        return Act("assemble" if step == "assembling" else "seal", ask, lambda m: m.goes_on(transcript, after))

    def set_aside(self, transcript: str) -> Act:
        async def ask() -> Answer:
            await self.place.signers.set_aside(transcript)
            return {transcript: ""}

        return Act("stand still", ask, lambda m: m.set_aside(transcript))

    def render(self, *, broken: bool) -> Act:
        due: list[str] = []

        async def ask() -> Answer:
            found = await self.place.world.db("records")["renderings"].find({"problem": None}).to_list(None)
            due.extend(d["_id"] for d in found)
            await (self.place.broken if broken else self.place.rendering).round()
            return dict.fromkeys(due, "")

        return Act("fail to render" if broken else "render", ask, lambda m: m.render(broken=broken))

    def give_back(self, person: str, step: str, transcript: str) -> Act:
        async def ask() -> Answer:
            body = {"step": step, "transcripts": [transcript], "reason": REASON}
            return await self.desk.many(signer(person), "/api/signing/returns", body, [transcript])

        return Act("return", ask, lambda m: m.give_back(person, step, transcript))

    # --- deciding

    def decide(self, act: str, ids: list[str], n: int, *, reason: bool = True, classes: list[str] | None = None) -> Act:
        """`classes`: asked for by class, where `ids` are those that such an order takes."""
        path = {
            "confirm": f"{R}/confirmations",
            "undo": f"{R}/confirmations/undo",
            "cancel": f"{R}/cancellations",
            "refuse": f"{R}/cancellations/refusals",
            "return stopped": f"{R}/cancellations/returns",
        }[act]
        body: dict[str, Any] = {"classes": classes} if classes else {"transcripts": ids}
        if act in ("cancel", "refuse", "return stopped"):
            body["reason"] = (NO_FAULT if act == "refuse" else REASON) if reason else ""

        async def ask() -> Answer:
            return await self.desk.many(ADMINISTRATORS[n % 2], path, body, ids)

        def expect(m: Model) -> Answer:
            answer: Answer = {}
            for i in ids:
                if act == "cancel":
                    answer |= m.cancel(i, reason=reason)
                else:
                    answer |= {"confirm": m.confirm, "undo": m.undo, "refuse": m.refuse, "return stopped": m.return_stopped}[act](i)
            return answer

        return Act(act, ask, expect)

    # --- sending

    def submit(self, transcript: str, n: int) -> Act:
        async def ask() -> Answer:
            body = {"transcripts": [transcript]}
            return await self.desk.many(ADMINISTRATORS[n % 2], "/api/publishing/submissions", body, [transcript])

        return Act("submit", ask, lambda m: m.submit(transcript))

    def pack(self) -> Act:
        made: list[Row] = []
        db = self.place.world.db("publishing")

        async def ask() -> Answer:
            known = {p["_id"] async for p in db["packages"].find({}, projection={"_id": 1})}
            await self.place.delivery.pack()
            made.extend(await db["packages"].find({"_id": {"$nin": list(known)}}).to_list(None))
            return {t: "" for p in made for t in p["transcripts"]}

        return Act("pack", ask, lambda m: m.pack(made[0]["_id"] if made else "?"))

    def send(self, package: str, *, away: bool, early: bool) -> Act:
        """One package goes out; the gateway may be away, or answer before the sender knows that it took it."""
        gateway, db = self.place.gateway, self.place.world.db("publishing")
        verdicts: dict[str, bool] = {}

        async def ask() -> Answer:
            found = await db["packages"].find_one({"_id": package})
            assert found is not None
            verdicts.update(self._verdicts(found["transcripts"]))
            # its turn has come, also after a pause
            await db["packages"].update_many({"_id": {"$ne": package}, "state": "ready"}, {"$set": {"next_at": LATER}})
            await db["packages"].update_one({"_id": package}, {"$set": {"next_at": found["made_at"], "attempts": 0}})

            async def answer(sent: str) -> None:
                await self._answer(sent, verdicts)

            gateway.away, gateway.early = away, answer if early else None
            self.place.delivery.breaker = Breaker()  # its pauses are of no matter to the life of a transcript
            await self.place.delivery.send()
            return {package: ""}

        def expect(m: Model) -> Answer:
            if away:
                return {package: ""}
            if early:
                m.answered(package, verdicts)
            return m.sent(package)

        return Act("send in vain" if away else "send", ask, expect)

    def answer(self, package: str, transcripts: list[str]) -> Act:
        """The gateway's callback; it comes once, twice, or for some of the package first."""
        verdicts = self._verdicts(transcripts)

        async def ask() -> Answer:
            await self._answer(package, verdicts)
            return {package: ""}

        return Act("gateway answers", ask, lambda m: m.answered(package, verdicts))

    def _verdicts(self, transcripts: list[str]) -> dict[str, bool]:
        """Every third is refused, and always the same ones: the gateway does not change its mind."""
        return {t: int(t[:4], 16) % 3 != 0 for t in transcripts}

    async def _answer(self, package: str, verdicts: Mapping[str, bool]) -> None:
        store = PublishingStore(self.place.world.db("publishing"))
        words = {True: ("ACCEPTED", None, None), False: ("REJECTED", "HB-GW-012", "Sai số định danh cá nhân.")}
        results = [Result(uuid=t, status=words[ok][0], code=words[ok][1], reason=words[ok][2]) for t, ok in verdicts.items()]
        await apply(store, package, results)

    # --- locks and corrections

    def year(self, act: str, day: dt.date | None = None) -> Act:
        body = {"plan": {"day": day.strftime("%d/%m/%Y") if day else ""}, "inspector": {"person": INSPECTOR}}.get(act, {"reason": REASON})
        name = {"plan": "plan the lock", "inspector": "appoint", "lock": "lock the year", "unlock": "unlock the year"}[act]
        key = {"inspector": "appoint"}.get(act, act)

        async def ask() -> Answer:
            refused, _ = await self.desk.send(PRINCIPAL, "POST", f"{R}/locks/{act}", body)
            return refused or {key: ""}

        def expect(m: Model) -> Answer:
            if act == "plan":
                return m.plan(day)
            return {"inspector": m.appoint, "lock": m.lock, "unlock": m.unlock}[act]()

        return Act(name, ask, expect)

    def ask_correction(self, m: Model, pupil: str, value: int) -> Act:
        code = m.pupils[pupil]["class"]
        who, made = HOMEROOMS[code], list[str]()
        form = {"class": code, "pupil": pupil, "field": REMARK, "value": REMARKS[value], "reason": "Nhập nhầm nhận xét của học sinh khác."}

        async def ask() -> Answer:
            files = [("files", ("minh-chung.pdf", PDF, "application/pdf"))]
            refused, told = await self.desk.send(who, "POST", f"{R}/corrections", data=form, files=files)
            made.extend([told["correction"]] if told else [])
            return refused or {"ask": ""}

        return Act("ask for a correction", ask, lambda m: m.ask(made, pupil, value, who.person))

    def step(self, m: Model, correction: str, act: str, party: str = "") -> Act:
        asker = PEOPLE[m.corrections[correction]["asker"]]
        who = {"forward": ADMINISTRATORS[1], "turn-down": ADMINISTRATORS[1], "withdraw": asker}.get(act, PRINCIPAL)
        if act == "witness":
            who = WITNESSES.get(party, asker)

        async def ask() -> Answer:
            path = f"{R}/corrections/{correction}/steps/{act}"
            refused, _ = await self.desk.send(who, "POST", path, {"reason": REASON, "party": party})
            return refused or {correction: ""}

        return Act(f"correction: {act}", ask, lambda m: m.step(correction, act, party))

    def correct(self, m: Model, correction: str) -> Act:
        found = m.corrections[correction]

        async def ask() -> Answer:
            body = {"value": REMARKS[found["after"]]}
            refused, _ = await self.desk.send(PEOPLE[found["asker"]], "POST", f"{R}/corrections/{correction}/correct", body)
            return refused or {correction: ""}

        return Act("correction: correct", ask, lambda m: m.correct(correction))

    # --- copies, transfers

    def ask_copy(self, transcript: str) -> Act:
        made: list[str] = []
        body = {"transcript": transcript, "requester": "Nguyễn Văn Bình", "relation": "Cha", "purpose": "Nộp hồ sơ chuyển trường"}

        async def ask() -> Answer:
            refused, told = await self.desk.send(CLERK, "POST", f"{R}/copies", body)
            made.extend([told["id"]] if told else [])
            return refused or {"ask": ""}

        return Act("ask for a copy", ask, lambda m: m.ask_copy(made, transcript))

    def end_copy(self, copy_id: str, act: str) -> Act:
        body = {"signer": PRINCIPAL.person} if act == "issue" else {"reason": REASON}

        async def ask() -> Answer:
            refused, _ = await self.desk.send(CLERK, "POST", f"{R}/copies/{copy_id}/{act}", body)
            return refused or {copy_id: ""}

        return Act(f"copy: {act}", ask, lambda m: m.end_copy(copy_id, act))

    def leave(self, pupil: str) -> Act:
        made: list[str] = []
        body = {"pupil": pupil, "reason": "Chuyển nơi ở theo gia đình", "to_name": "Trường Tiểu học Lê Lợi", "decision": "12/QĐ-CT"}

        async def ask() -> Answer:
            refused, told = await self.desk.send(ADMINISTRATORS[0], "POST", f"{R}/transfers", body)
            made.extend([told["id"]] if told else [])
            return refused or {"leave": ""}

        return Act("transfer out", ask, lambda m: m.leave(made, pupil))

    def receive(self, n: int, *, sound: bool = True) -> Act:
        """The package of a pupil of another school is uploaded; now and then with one other bit."""
        made: list[str] = []
        newcomer = self.place.newcomer
        files = [("file", ("goi.zip", newcomer.package if sound else newcomer.spoilt, "application/zip"))]

        async def ask() -> Answer:
            refused, told = await self.desk.send(ADMINISTRATORS[n % 2], "POST", f"{R}/arrivals", files=files)
            made.extend([told["id"]] if told else [])
            assert not told or told["verdict"] == "VALID", told
            return refused or {"receive": ""}

        return Act("transfer in: upload", ask, lambda m: m.receive(made, newcomer.code, sound=sound))

    def take(self, arrival: str, code: str, n: int) -> Act:
        async def ask() -> Answer:
            path, body = f"{R}/arrivals/{arrival}/take", {"class_code": code}
            refused, _ = await self.desk.send(ADMINISTRATORS[n % 2], "POST", path, body)
            return refused or {arrival: ""}

        return Act("transfer in: take", ask, lambda m: m.take(arrival, code))

    def come_back(self, transfer: str) -> Act:
        async def ask() -> Answer:
            refused, _ = await self.desk.send(ADMINISTRATORS[1], "POST", f"{R}/transfers/{transfer}/undo")
            return refused or {transfer: ""}

        return Act("undo a transfer", ask, lambda m: m.come_back(transfer))


LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
