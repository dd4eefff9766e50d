"""The road, stage by stage, on a running instance."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import secrets
import ssl
import subprocess
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from contracts.documents import DocumentKind
from infra.demo.people import Person, Refusal
from infra.demo.school import Export
from infra.stack.instance import Instance
from infra.stack.processes import service_environment

ROOT = Path(__file__).resolve().parents[2]
PROVIDER = "sandbox"
SANDBOXES = {"sandbox": "provider", "smartca": "sp769", "mysign": "mysign"}
"""The part of the sandbox that plays each configured provider."""
PATIENCE = 600.0
"""Seconds that a stage may take without any progress."""
SAY_EVERY = 5.0
"""Seconds between two lines of progress within a stage."""
PHONE_SECONDS = 0.2
"""Between two questions whether a phone has answered."""
AT_ONCE = 6
"""People who work at the same time."""


@dataclass
class Stage:
    name: str
    seconds: float
    items: int


@dataclass
class Outcome:
    """What became of the school; `refused` as the system says, one entry a reason."""

    school: str
    pupils: int = 0
    created: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    signatures: int = 0
    accepted: int = 0
    stages: list[Stage] = field(default_factory=list)
    logins: list[dict[str, str]] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)


class Road:
    def __init__(self, info: dict[str, Any], export: Export, say: Callable[[str], None], providers: tuple[str, ...] = (PROVIDER,)) -> None:
        """The people's accounts are spread over `providers`, ids of the configured ones."""
        self.info = info
        self.export = export
        self.say = say
        self.providers = providers
        self.base: str = info["public_url"]
        self.trust = ssl.create_default_context(cafile=info["ca_file"])
        self.outcome = Outcome(export.school.code)
        self.staff: dict[str, Person] = {}
        self.provider_passwords: dict[str, str] = {}

    async def run(self) -> Outcome:
        """Raises Refusal, or TimeoutError when a stage stands still."""
        await self._stage("Khai báo đơn vị, trường", self.organisations)
        await self._stage("Đặt ngày khóa tiếp nhận", self.lock_dates)
        await self._stage("Nhập dữ liệu", self.import_year)
        await self._stage("Cấp tài khoản, đăng nhập", self.accounts)
        await self._stage("Đăng ký, duyệt chứng thư số", self.certificates)
        await self._stage("Tạo học bạ", self.create)
        await self._stage("Giáo viên bộ môn ký", lambda: self.sign("subjects"))
        await self._stage("Giáo viên chủ nhiệm ký", lambda: self.sign("homeroom"))
        await self._stage("Lãnh đạo ký", lambda: self.sign("leader"))
        await self._stage("Nhà trường ký phát hành", lambda: self.sign("issue"))
        await self._stage("Xác nhận hoàn thành", self.confirm)
        await self._stage("Gửi và tiếp nhận", self.submit)
        await self._stage("Cấp trên thống kê", self.district)
        return self.outcome

    async def _stage(self, name: str, work: Callable[[], Awaitable[int]]) -> None:
        started = time.monotonic()
        items = await work()
        seconds = time.monotonic() - started
        self.outcome.stages.append(Stage(name, round(seconds, 1), items))
        self.say(f"  {name}: {items} ({seconds:.1f} giây)")

    def _person(self, username: str, name: str, version: str, one_time_password: str) -> Person:
        return Person.make(self.base, self.trust, username=username, name=name, version=version, one_time_password=one_time_password)

    def _remember(self, person: Person, role: str) -> None:
        self.outcome.logins.append({"role": role, "username": person.username, "password": person.password, "version": person.version})

    # setting up

    async def organisations(self) -> int:
        school = self.export.school
        root = f"{school.unit_code}-cap-tren"
        environment = service_environment(Instance(self.info["instance"], self.info["ports"]), "identity")
        command = [sys.executable, "-m", "services.identity.bootstrap", "--unit", root, "--name", f"Sở GD&ĐT {school.province}"]
        command += ["--officer", f"{root}-cb01", "--officer-name", "Cán bộ cấp Sở", "--reset"]
        done = await asyncio.to_thread(
            subprocess.run, command, env={**_plain_environment(), **environment}, cwd=ROOT, check=True, capture_output=True, text=True
        )
        made = json.loads(done.stdout)
        top = self._person(made["username"], "Cán bộ cấp Sở", "OVERSIGHT", made["one_time_password"])
        await top.first_sign_in()
        officer = {"code": f"{school.unit_code}-cb01", "name": "Cán bộ đơn vị quản lý"}
        unit = await top.post(
            "/api/identity/units", {"code": school.unit_code, "name": school.unit_name, "parent": root, "officer": officer}
        )
        self.officer = self._person(officer["code"], officer["name"], "OVERSIGHT", unit["officer"]["one_time_password"])
        await self.officer.first_sign_in()
        self._remember(self.officer, "Cán bộ đơn vị quản lý")
        admin = self.export.administrator
        made = await self.officer.post(
            "/api/identity/schools",
            {
                "code": school.code,
                "name": school.name,
                "levels": [school.level],
                "tax_code": school.tax_code,
                "unit": school.unit_code,
                "administrator": {"code": admin.code, "name": admin.name, "personal_id": admin.personal_id},
            },
        )
        self.admin = self._person(admin.code, admin.name, school.level, made["administrator"]["one_time_password"])
        await self.admin.first_sign_in()
        self._remember(self.admin, "Quản trị viên")
        return 2

    async def import_year(self) -> int:
        preview = await self.admin.upload("/api/records/imports", self.export.files)
        self.outcome.pupils = preview["counts"]["pupils"]
        await self.admin.post(f"/api/records/imports/{preview['id']}/confirm")
        return int(preview["counts"]["pupils"])

    async def accounts(self) -> int:
        issued: dict[str, dict[str, str]] = {}
        wanted = self.export.signing_staff | {self.export.issuer.code}

        async def issue() -> int:
            given = await self.admin.post(f"/api/identity/schools/{self.export.school.code}/credentials")
            issued.update({c["person"]: c for c in given if c["one_time_password"]})
            return len(wanted & issued.keys())

        await self.until(issue, len(wanted))
        limit = asyncio.Semaphore(AT_ONCE)

        async def enter(code: str) -> None:
            given = issued[code]
            person = self._person(given["username"], given["name"], self.export.school.level, given["one_time_password"])
            async with limit:
                await person.first_sign_in()
            self.staff[code] = person

        await asyncio.gather(*(enter(code) for code in sorted(wanted)))
        self._remember(self.staff[self.export.classes[0].homeroom], f"Giáo viên chủ nhiệm {self.export.classes[0].code}")
        self._remember(self.staff[self.export.classes[0].leader], "Lãnh đạo")
        self._remember(self.staff[self.export.issuer.code], "Nhân sự ký phát hành")
        return len(self.staff)

    async def lock_dates(self) -> int:
        """A year from now, common to all schools of the unit."""
        on = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=365)
        order = {"year": self.export.school.year, "matter": "intake", "on": on.isoformat()}

        async def known() -> int:
            return len((await self.officer.get("/api/district/lock-dates", year=order["year"]))["schools"])

        await self.until(known, 1)
        return int((await self.officer.post("/api/district/lock-dates", order))["changed"])

    async def certificates(self) -> int:
        school, people = self.export.school, {s.code: s for s in self.export.staff}
        users = [
            {"user": code, "password": self._provider_password(code), "kind": "personal", "name": people[code].name}
            | {"identifier": people[code].personal_id}
            for code in sorted(self.export.signing_staff)
        ]
        seal = f"mst-{school.tax_code}"
        users.append(
            {
                "user": seal,
                "password": self._provider_password(seal),
                "kind": "organisation",
                "name": school.name,
                "identifier": school.tax_code,
            }
        )
        async with httpx.AsyncClient(timeout=300) as outside:
            for provider in self.providers:
                held = [user for user in users if self._provider_of(user["user"]) == provider]
                where = self.info["sandbox"][SANDBOXES[provider]]
                (await outside.post(f"{where}/control/users", json={"users": held})).raise_for_status()
        limit = asyncio.Semaphore(AT_ONCE)

        async def register(code: str) -> None:
            login = {"provider": self._provider_of(code), "username": code, "password": self.provider_passwords[code]}
            await self._register(self.staff[code], "/api/identity/signing-accounts", login, limit)

        await asyncio.gather(*(register(code) for code in self.export.signing_staff))
        order = {"provider": self._provider_of(seal), "username": seal, "password": self.provider_passwords[seal]}
        await self._register(self.staff[self.export.issuer.code], "/api/identity/school-certificate", order, limit)
        await self.admin.post("/api/identity/signing-accounts/approve", {"all": True})

        async def approved() -> int:
            pending = (await self.officer.get("/api/district/certificates", state="pending"))["certificates"]
            if pending:
                await self.officer.post("/api/district/certificates/approve", {"all": True})
            accounts = await self.admin.get("/api/identity/signing-accounts")
            done = sum(1 for a in accounts if a["state"] == "APPROVED" and a["person"] in self.export.signing_staff)
            sealed = await self.admin.get("/api/identity/school-certificate")
            return done + (1 if sealed["state"] == "APPROVED" else 0)

        await self.until(approved, len(self.export.signing_staff) + 1)
        return len(self.export.signing_staff) + 1

    async def _register(self, person: Person, path: str, order: dict[str, str], limit: asyncio.Semaphore) -> None:
        """Until the phone has said yes and the signature has proved that the key is held. Raises Refusal when it does not."""
        async with limit:
            proof = await person.post(path, order)
        while proof["state"] == "WAITING_FOR_KEY":
            await asyncio.sleep(PHONE_SECONDS)
            proof = await person.get(f"/api/identity/proofs/{proof['proof']}")
        if proof["state"] != "PROVED":
            raise Refusal(f"{path}: {proof['state']} {proof['code']} {proof['cause']}")

    def _provider_of(self, user: str) -> str:
        """Always the same for one account."""
        return self.providers[zlib.crc32(user.encode()) % len(self.providers)]

    def _provider_password(self, user: str) -> str:
        return self.provider_passwords.setdefault(user, secrets.token_urlsafe(9))

    # the year's work

    async def create(self) -> int:
        job = (await self.admin.post("/api/records/transcripts", {"all": True}))["job"]
        state: dict[str, Any] = {}

        async def done() -> int:
            state.update(await self.admin.get(f"/api/records/jobs/{job}"))
            return int(state["done"])

        await self.until(done, self.outcome.pupils)
        await self.until(self._finished(job), 1)
        state.update(await self.admin.get(f"/api/records/jobs/{job}"))
        self.outcome.created = state["created"]
        self.outcome.refused = [
            {"pupil": r["pupil"], "class": r["class"], "field": r["field"], "reason": r["reason"]} for r in state["refused"]
        ]
        return self.outcome.created

    def _finished(self, job: str) -> Callable[[], Awaitable[int]]:
        async def finished() -> int:
            return 1 if (await self.admin.get(f"/api/records/jobs/{job}"))["state"] == "finished" else 0

        return finished

    async def sign(self, step: str) -> int:
        """Everybody of the step signs what waits for them, again and again until nothing is left to wait for."""
        signers = {
            "subjects": sorted(self.export.signing_staff),
            "homeroom": sorted({c.homeroom for c in self.export.classes}),
            "leader": sorted({c.leader for c in self.export.classes}),
            "issue": [self.export.issuer.code],
        }[step]
        after = {
            "subjects": {"AWAITING_SUBJECT_TEACHERS"},
            "homeroom": {"AWAITING_HOMEROOM"},
            "leader": {"AWAITING_LEADER"},
            "issue": {"AWAITING_ISSUE"},
        }[step]
        limit = asyncio.Semaphore(AT_ONCE)
        signed = 0

        async def work(code: str) -> int:
            async with limit:
                return await self.sign_waiting(self.staff[code], step)

        async def left() -> int:
            nonlocal signed
            signed += sum(await asyncio.gather(*(work(code) for code in signers)))
            rows = (await self.admin.get("/api/records/classes"))["classes"]
            return self.outcome.created - sum(int(n) for row in rows for state, n in row["states"].items() if state in after)

        await self.until(left, self.outcome.created, pause=0.5)
        self.outcome.signatures += signed * (1 if step == "subjects" else 2)
        return signed

    async def sign_waiting(self, person: Person, step: str, kind: DocumentKind = "transcript") -> int:
        queue = (await person.get("/api/signing/queue", step=step, kind=kind))["transcripts"]
        ids = [t["id"] for t in queue if not t["in_batch"] or step == "subjects"]
        if not ids:
            return 0
        user = f"mst-{self.export.school.tax_code}" if step == "issue" else person.username
        login = {"user": user, "password": self.provider_passwords[user]}
        started = await person.post("/api/signing/batches", {"step": step, "kind": kind, "transcripts": ids, "login": login})
        if started["batch"] is None:
            return 0
        progress: dict[str, Any] = {}

        async def ended() -> int:
            progress.update(await person.get(f"/api/signing/batches/{started['batch']}"))
            return 1 if progress["state"] == "finished" else -int(progress["total"] - progress["signed"])

        await self.until(ended, 1, pause=0.4)
        return int(progress["signed"])

    async def confirm(self) -> int:
        async def signed() -> int:
            rows = (await self.admin.get("/api/records/classes"))["classes"]
            return sum(int(row["states"].get("SIGNED", 0)) for row in rows)

        await self.until(signed, self.outcome.created)
        return int((await self.admin.post("/api/records/confirmations", {"all": True}))["done"])

    async def submit(self) -> int:
        async def known() -> int:
            return len((await self.admin.get("/api/publishing/submissions"))["submissions"])

        await self.until(known, self.outcome.created)
        await self.admin.post("/api/publishing/submissions", {"all": True})

        async def accepted() -> int:
            rows = (await self.admin.get("/api/records/classes"))["classes"]
            settled = sum(int(row["states"].get(state, 0)) for row in rows for state in ("ACCEPTED", "REJECTED"))
            self.outcome.accepted = sum(row["states"].get("ACCEPTED", 0) for row in rows)
            return settled

        await self.until(accepted, self.outcome.created)
        return self.outcome.accepted

    async def district(self) -> int:
        seen = 0

        async def counted() -> int:
            nonlocal seen
            numbers = await self.officer.get("/api/district/statistics")
            seen = int(numbers["total"]["accepted"])
            return seen

        await self.until(counted, self.outcome.accepted)
        return seen

    # what remains

    async def save_documents(self, folder: Path) -> None:
        """Every transcript's PDF and XML as <uuid>.{pdf,xml}."""
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        rows = (await self.admin.get("/api/records/transcripts"))["transcripts"]
        limit = asyncio.Semaphore(AT_ONCE)

        async def save(transcript: str) -> None:
            async with limit:
                for kind in ("pdf", "xml"):
                    content = await self.admin.download(f"/api/records/transcripts/{transcript}/document.{kind}")
                    await asyncio.to_thread((folder / f"{transcript}.{kind}").write_bytes, content)

        await asyncio.gather(*(save(row["id"]) for row in rows))
        self.outcome.transcripts = [row["id"] for row in rows]

    async def until(self, measure: Callable[[], Awaitable[int]], goal: int, *, pause: float = 0.3) -> None:
        """Ask until the measure reaches the goal; raises TimeoutError when it has stood still for too long."""
        best = await measure()
        moved = said = time.monotonic()
        while best < goal:
            await asyncio.sleep(pause)
            now = await measure()
            if time.monotonic() - said > SAY_EVERY and now >= 0:
                said = time.monotonic()
                self.say(f"    … {now}/{goal}")
            if now > best:
                best, moved = now, time.monotonic()
            elif time.monotonic() - moved > PATIENCE:
                raise TimeoutError(f"no progress for {PATIENCE:.0f} s at {best} of {goal}")


def _plain_environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
