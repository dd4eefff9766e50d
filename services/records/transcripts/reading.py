"""Looking at a school year as one person: which classes are theirs to see, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal, allowed
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.records.errors import NOTHING_SELECTED
from services.records.locks.locking import class_finalised
from services.records.transcripts.assigned import in_year
from services.records.transcripts.needs import CLASS_FIELDS, of_class, of_pupil
from services.records.transcripts.states import AWAITED, WORDS, State
from services.records.transcripts.versions import replaced_of
from services.records.transcripts.year_data import YearData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.documents import DocumentKind
    from services.chassis.mongo import Document
    from services.records.store import Store


@dataclass
class Reading:
    """`who`: the person, with the classes that were theirs in this year."""

    store: Store
    who: Principal
    school: str
    year: str

    @classmethod
    async def of(cls, store: Store, who: Principal, school: str, year: str | None) -> Reading:
        """Raises Refused(NOT_FOUND) when the school has no data, or none of that year."""
        if who.school != school:
            raise Refused(NOT_FOUND)
        years = await store.years(school)
        chosen = year or (years[0] if years else None)
        if chosen is None or chosen not in years:
            raise Refused(NOT_FOUND)
        return cls(store, await in_year(store, who, school, chosen), school, chosen)

    async def _teaches_in(self) -> set[str]:
        return {a.class_code for a in await self.store.assignments(self.school, self.year) if a.staff == self.who.person}

    async def visible_classes(self) -> list[str]:
        """Codes of the classes that the person may look at."""
        own = set(self.who.homeroom_of) | await self._teaches_in()
        codes = [c["code"] for c in await self.store.classes(self.school, self.year)]
        return [c for c in codes if allowed(self.who, Action.VIEW_CLASS, school=self.school, own=c in own)]

    async def require_class(self, code: str) -> None:
        own = code in self.who.homeroom_of or code in await self._teaches_in()
        require(self.who, Action.VIEW_CLASS, school=self.school, own=own)

    def may_create(self, code: str) -> bool:
        return allowed(self.who, Action.CREATE, school=self.school, own=code in self.who.homeroom_of)

    def require_create(self, pupils: Sequence[Document]) -> None:
        """Raises Refused(FORBIDDEN) unless the person may create for every class among these pupils."""
        for code in {p["class_code"] for p in pupils}:
            require(self.who, Action.CREATE, school=self.school, own=code in self.who.homeroom_of)

    async def uncreated(self, classes: Sequence[str]) -> list[Document]:
        """The pupils of these classes who have no transcript yet."""
        have = {t["pupil_code"] for t in await self.store.transcripts(self.school, self.year, classes=classes)}
        return [p for p in await self.store.pupils(self.school, self.year, classes=classes) if p["code"] not in have]

    async def needs(self) -> dict[str, list[dict[str, Any]]]:
        """By class code, what the class itself lacks before transcripts can be created: {field, kind, message}."""
        data = await YearData.load(self.store, self.school, self.year)
        return {code: of_class(c, data.staff, data.schools[code]) for code, c in data.classes.items()}

    async def leaders(self) -> dict[str, str]:
        """By class code, the name of the leader who is configured to sign; "" while there is none."""
        data = await YearData.load(self.store, self.school, self.year)
        return {code: data.staff[c.leader].name if c.leader in data.staff else "" for code, c in data.classes.items()}

    async def lacking(self, classes: Sequence[str]) -> list[dict[str, Any]]:
        """The pupils of these classes who have no transcript and cannot get one yet, each with all that is missing."""
        needs = await self.needs()
        found = []
        for p in await self.uncreated(classes):
            missing = [*needs.get(p["class_code"], []), *of_pupil(p["missing"])]
            if missing:
                found.append({"code": p["code"], "class": p["class_code"], "name": p["name"], "missing": missing})
        return found

    async def classes(self) -> list[dict[str, Any]]:
        """Each visible class with the number of its pupils and of its transcripts in each state.

        `needs`: what the class itself lacks; `incomplete`: how many pupils lack something of their own.
        """
        visible = set(await self.visible_classes())
        counts = await self.store.state_counts(self.school, self.year)
        staff = await self.store.staff(self.school, self.year)
        needs = await self.needs()
        incomplete = await self.store.incomplete_counts(self.school, self.year, besides=CLASS_FIELDS)
        rows = []
        for c in await self.store.classes(self.school, self.year):
            if c["code"] not in visible:
                continue
            states = counts.get(c["code"], {})
            rows.append(
                {
                    "code": c["code"],
                    "name": c["data"]["name"],
                    "grade": c["data"]["grade"],
                    "finalised": class_finalised(c),
                    "homeroom": staff[c["data"]["homeroom"]].name if c["data"]["homeroom"] in staff else "",
                    "pupils": c["pupils"],
                    "refused": c["refused"],
                    "incomplete": incomplete.get(c["code"], 0),
                    "needs": [m["message"] for m in needs[c["code"]]],
                    "states": {State.NOT_CREATED.value: c["pupils"] - sum(states.values()), **states},
                }
            )
        return rows

    async def pupils(self, code: str) -> list[dict[str, Any]]:
        """The pupils of a class with the state of their transcripts and what is missing ("Thông tin cần bổ sung")."""
        await self.store.school_class(self.school, self.year, code)
        await self.require_class(code)
        transcripts = {t["pupil_code"]: t for t in await self.store.transcripts(self.school, self.year, classes=[code])}
        pupils = await self.store.pupils(self.school, self.year, classes=[code])
        replaced = await replaced_of(self.store.db, self.school, self.year, [p["code"] for p in pupils])
        of_this_class = (await self.needs()).get(code, [])
        rows = []
        for p in pupils:
            t = transcripts.get(p["code"])
            state = State(t["state"]) if t else State.NOT_CREATED
            rows.append(
                {
                    "code": p["code"],
                    "name": p["name"],
                    "born": (p["data"] or {}).get("born"),
                    "sex": (p["data"] or {}).get("sex", ""),
                    "personal_id": (p["data"] or {}).get("personal_id", ""),
                    "transcript": t["_id"] if t else None,
                    "state": state.value,
                    "state_text": WORDS[state],
                    "awaits": AWAITED.get(state, ""),
                    "refusal": (t or {}).get("refusal"),
                    "missing": [] if t else [*of_this_class, *of_pupil(p["missing"])],
                    "cancelled": replaced[p["code"]].version if p["code"] in replaced and not t else None,
                }
            )
        return rows

    async def selected_pupils(self, classes: Sequence[str] | None, pupils: Sequence[str] | None, *, everything: bool) -> list[Document]:
        if everything:
            return await self.store.pupils(self.school, self.year)
        if not classes and not pupils:
            raise Refused(NOTHING_SELECTED)
        found = await self.store.pupils(self.school, self.year, classes=classes) if classes else []
        if pupils:
            found += await self.store.pupils(self.school, self.year, codes=pupils)
        return list({p["_id"]: p for p in found}.values())

    async def selected_transcripts(
        self,
        classes: Sequence[str] | None,
        transcripts: Sequence[str] | None,
        *,
        everything: bool,
        states: Sequence[State],
        kind: DocumentKind = "transcript",
    ) -> list[str]:
        """Ids. Named transcripts are taken in whatever state they are, so that each gets its own answer; classes give those in `states`."""
        if transcripts:
            return list(transcripts)
        if not everything and not classes:
            raise Refused(NOTHING_SELECTED)
        found = await self.store.transcripts(self.school, self.year, classes=None if everything else classes, states=states, kind=kind)
        return [t["_id"] for t in found]
