"""Writing a confirmed import: part by part, each part in one transaction; whoever finds it unfinished goes on with what remains.

Readers see school and staff, and then every class with its pupils, either as they were or as they are now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from contracts.events.records import ClassImportedV1, StaffImportedV1, StaffMember
from services.chassis import aggregates, audit, clock, failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, Refused
from services.chassis.leases import claim, owner_token, release, renew
from services.chassis.mongo import DeleteOne, UpdateOne, transaction
from services.records.imports.difference import PEOPLE, Plan, forbidden, pupil_digest
from services.records.imports.store import WRITING
from services.records.locks.errors import YEAR_LOCKED
from services.records.locks.locking import class_finalised, locks_of
from services.records.locks.store import lock_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.chassis.process import Parts
    from services.records.imports.difference import ClassWrite, People, PupilWrite

CHANGED_MEANWHILE = "Dữ liệu đã thay đổi trong lúc nhập; tải tệp lên lại để xem trước phần này."
ATTEMPTS = 5


class LeaseLost(Exception):
    """Somebody else goes on with this import."""


class Writing:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.db = parts.db
        self.owner = owner_token()
        self.lease_seconds = parts.settings.lease_seconds

    async def round(self) -> int:
        """The worker's side: take up an import whose writing stopped in the middle; returns how many parts were written."""
        found = await claim(self.db["imports"], {"state": WRITING}, self.owner, self.lease_seconds)
        return await self.finish(found) if found else 0

    async def finish(self, document: Document) -> int:
        """Write all that remains of an import that this owner holds the lease of. A lost lease ends it quietly: another one goes on."""
        content = await self.parts.objects.get(DocumentRef.model_validate(document["plan"]))
        plan = Plan.model_validate_json(content)
        remaining: list[str] = document["remaining"]
        try:
            for at, name in enumerate(remaining):
                if not await renew(self.db["imports"], document["_id"], self.owner, self.lease_seconds):
                    return at
                await self._write(document, plan, name, last=name == remaining[-1])
            if not remaining:
                await self._write(document, plan, "", last=True)
        except LeaseLost:
            return 0
        await release(self.db["imports"], document["_id"], self.owner)
        return len(remaining)

    async def _write(self, document: Document, plan: Plan, name: str, *, last: bool) -> None:
        async def work(session: Session) -> None:
            skipped = await self._part(session, document, plan, name)
            update: Document = {"$pull": {"remaining": name}, "$push": {"skipped": {"$each": skipped}}}
            if last:
                update["$set"] = {"state": "confirmed", "confirmed_at": clock.now()}
            mine = {"_id": document["_id"], "state": WRITING, "lease.owner": self.owner}
            if (await self.db["imports"].update_one(mine, update, session=session)).modified_count != 1:
                raise LeaseLost
            if last:
                await self._record(session, document)
            failpoints.reach("records.import.before-commit")

        for attempt in range(ATTEMPTS):
            try:
                await transaction(self.db, work)
            except Refused as refused:
                # a class that somebody changes at this moment: read anew, and what rests on an older state is left out then
                if refused.code != CONFLICT.code or attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    async def _part(self, session: Session, document: Document, plan: Plan, name: str) -> list[Document]:
        """Write one part; returns what of it was left out, since it changed after the preview."""
        school, year = document["school"], document["year"]
        if (await lock_of(self.db, school, year, session))["locked"]:
            return [{"part": name, "reason": YEAR_LOCKED.cause}] if name else []
        act = {"actor": document["confirmed_by"], "cause": document["_id"]}
        if name == PEOPLE and plan.people:
            await self._people(session, plan.people, **act)
            return []
        class_id = f"{school}:{year}:{name}"
        current = await self.db["classes"].find_one({"_id": class_id}, session=session)
        planned, writes = plan.classes.get(name), plan.pupils.get(name, ())
        if planned and current and class_finalised(current) != planned.finalised:
            return [{"part": name, "reason": CHANGED_MEANWHILE}]
        skipped = await self._pupils(session, school, year, writes, grades=await self._grades(session, school, year))
        if planned:
            await self._class(session, {"_id": class_id, "school": school, "year": year, "code": name, **(current or {})}, planned, **act)
        return [{"part": name, "pupil": code, "reason": CHANGED_MEANWHILE} for code in skipped]

    async def _people(self, session: Session, people: People, *, actor: str, cause: str) -> None:
        school, year = people.school.code, people.school.year
        prefix = {"school": school, "year": year}
        key = f"{school}:{year}"
        before = await self.db["years"].find_one({"_id": key}, session=session)
        document = {
            **(before or {"_id": key, **prefix, "sequence": 0}),
            "data": people.school.model_dump(mode="json"),
            "assignments": [each.model_dump(mode="json") for each in people.assignments],
        }
        fact = StaffImportedV1(school=school, year=year, staff=_members(people))
        await aggregates.save(self.db, session, "years", [Change(document, fact)], actor=actor, cause=cause)
        data = {f"{key}:{each.code}": each.model_dump(mode="json") for each in people.staff}
        old = {each["_id"] async for each in self.db["staff"].find(prefix, projection={"_id": 1}, session=session)}
        writes: list[Any] = [UpdateOne({"_id": i}, {"$set": {**prefix, "data": d}}, upsert=True) for i, d in data.items()]
        writes += [DeleteOne({"_id": i}) for i in old - data.keys()]
        if writes:
            await self.db["staff"].bulk_write(writes, ordered=False, session=session)

    async def _grades(self, session: Session, school: str, year: str) -> dict[str, int]:
        classes = self.db["classes"].find({"school": school, "year": year}, projection={"code": 1, "data.grade": 1}, session=session)
        return {each["code"]: each["data"]["grade"] async for each in classes}

    async def _pupils(
        self, session: Session, school: str, year: str, writes: Sequence[PupilWrite], *, grades: Mapping[str, int]
    ) -> list[str]:
        """What others added to a pupil's document stays. Returns the codes of pupils who are not as they were in the preview, or whom
        a lock, a transcript or a correction of a moment ago protects by now."""
        ids = {write.code: f"{school}:{year}:{write.code}" for write in writes}
        found = self.db["pupils"].find({"_id": {"$in": list(ids.values())}}, session=session)
        current = {each["code"]: each async for each in found}
        locks = await locks_of(self.db, school, year, pupils=ids.keys(), session=session)
        skipped = [
            write.code
            for write in writes
            if pupil_digest(here := current.get(write.code)) != write.before
            or forbidden(here, write.after, locks, grade=grades.get(here["class_code"]) if here else None, year=year)
        ]
        orders: list[Any] = []
        for write in writes:
            if write.code in skipped:
                continue
            if write.after is None:
                orders.append(DeleteOne({"_id": ids[write.code]}))
            else:
                fields = {"school": school, "year": year, **write.after}
                orders.append(UpdateOne({"_id": ids[write.code]}, {"$set": fields}, upsert=True))
        if orders:
            await self.db["pupils"].bulk_write(orders, ordered=False, session=session)
        return skipped

    async def _class(self, session: Session, document: Mapping[str, Any], planned: ClassWrite, *, actor: str, cause: str) -> None:
        """Who arrived from another school since the plan was made is counted, too."""
        pupils, refused = (
            plans + max(0, document.get(name, 0) - before)
            for name, plans, before in zip(("pupils", "refused"), (planned.pupils, planned.refused), planned.before, strict=True)
        )
        after = {**document, "data": planned.data, "pupils": pupils, "refused": refused, "gone": planned.gone and not pupils}
        fact = ClassImportedV1(
            school=document["school"],
            year=document["year"],
            code=document["code"],
            name=planned.data["name"],
            grade=planned.data["grade"],
            pupils=pupils,
            refused=refused,
        )
        await aggregates.save(self.db, session, "classes", [Change(after, fact)], actor=actor, cause=cause)

    async def _record(self, session: Session, document: Document) -> None:
        pupils = document["difference"]["pupil"]
        details = {
            "import": document["_id"],
            "year": document["year"],
            "pupils": document["counts"]["pupils"],
            "classes": document["counts"]["classes"],
            **{state: pupils[state] for state in ("new", "changed", "gone", "left_out")},
        }
        await audit.record(
            self.db,
            session,
            actor=document["confirmed_by"],
            act="import",
            subject=f"{document['school']}:{document['year']}",
            place=document["school"],
            request_id=document.get("request_id"),
            details=details,
        )


def _members(people: People) -> tuple[StaffMember, ...]:
    teaching = {each.staff for each in people.assignments}
    return tuple(
        StaffMember(
            code=each.code,
            name=each.name,
            personal_id=each.personal_id,
            position=each.position,
            administrator=each.administrator,
            issuer=each.issuer,
            teaches=each.code in teaching,
            homeroom_of=people.homerooms.get(each.code, ()),
        )
        for each in people.staff
    )


async def begin(db: Database, import_id: str, fields: Mapping[str, Any], owner: str) -> Document | None:
    """Set an import that `owner` holds to being written; None when it is no longer waiting for that. Raises DuplicateKeyError
    when another import of the school's year is being written."""
    found: Document | None = await db["imports"].find_one_and_update(
        {"_id": import_id, "state": "previewed", "lease.owner": owner}, {"$set": {"state": WRITING, **fields}}, return_document=True
    )
    return found
