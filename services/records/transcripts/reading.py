"""Looking at a school year as one person: which classes are theirs to see, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal, allowed
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.records.errors import NOTHING_SELECTED
from services.records.transcripts.states import AWAITED, WORDS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.records.store import Store


@dataclass
class Reading:
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
        return cls(store, who, school, chosen)

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

    async def classes(self) -> list[dict[str, Any]]:
        """Each visible class with the number of its pupils and of its transcripts in each state."""
        visible = set(await self.visible_classes())
        counts = await self.store.state_counts(self.school, self.year)
        staff = await self.store.staff(self.school, self.year)
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
                    "finalised": c["data"]["finalised"],
                    "homeroom": staff[c["data"]["homeroom"]].name if c["data"]["homeroom"] in staff else "",
                    "pupils": c["pupils"],
                    "refused": c["refused"],
                    "states": {State.NOT_CREATED.value: c["pupils"] - sum(states.values()), **states},
                }
            )
        return rows

    async def pupils(self, code: str) -> list[dict[str, Any]]:
        """The pupils of a class with the state of their transcripts and what is missing ("Thông tin cần bổ sung")."""
        await self.store.school_class(self.school, self.year, code)
        await self.require_class(code)
        transcripts = {t["pupil_code"]: t for t in await self.store.transcripts(self.school, self.year, classes=[code])}
        rows = []
        for p in await self.store.pupils(self.school, self.year, classes=[code]):
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
                    "missing": [] if t else p["missing"],
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
        self, classes: Sequence[str] | None, transcripts: Sequence[str] | None, *, everything: bool, state: State
    ) -> list[Document]:
        """Named transcripts are taken in whatever state they are, so that each gets its own answer; classes give those in `state`."""
        if transcripts:
            return await self.store.transcripts(self.school, self.year, ids=transcripts)
        if not everything and not classes:
            raise Refused(NOTHING_SELECTED)
        return await self.store.transcripts(self.school, self.year, classes=None if everything else classes, states=[state])
