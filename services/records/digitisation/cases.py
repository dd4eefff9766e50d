"""One pupil's paper transcript as it stands now: data, scan, parts and their reviews, read for a whole school year at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.records.corrections.fields import result_from
from services.records.digitisation import rules, store
from services.records.digitisation.form import circular_of
from services.records.digitisation.rules import Assigned, Part, Progress, Seen, Taught
from services.records.store import class_of, key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from services.chassis.mongo import Document
    from services.records.schoolyear import Assignment, Result, SchoolClass, Semester, Staff
    from services.records.store import Store


@dataclass(frozen=True)
class Case:
    """`item` may be new and stored nowhere yet; `transcript`: the live one, {_id, state}."""

    item: Document
    pupil: Document
    school_class: SchoolClass
    who: Assigned
    parts: tuple[Part, ...]
    from_paper: bool
    transcript: Document | None

    @property
    def result(self) -> Result | None:
        return result_from(self.pupil["result"]) if self.pupil["result"] else None

    @property
    def scan(self) -> str:
        """Its digest; "" while there is none."""
        return self.item["scan"]["document"]["sha256"] if self.item["scan"] else ""

    @property
    def circular(self) -> str:
        return circular_of(self.school_class.grade, self.item["year"])

    def part(self, part_key: str) -> Part | None:
        return next((p for p in self.parts if p.key == part_key), None)

    def digest(self, part: Part) -> str:
        return rules.digest_of(part, self.pupil["data"], self.result, self.scan)

    def check(self, part: Part) -> Mapping[str, Any] | None:
        return next((c for c in self.item["checks"] if c["part"] == part.key), None)

    def seen(self, part: Part) -> Seen:
        return rules.seen(self.check(part), self.digest(part))

    @property
    def progress(self) -> Progress:
        return rules.progress_of(
            scan=bool(self.scan),
            data=self.pupil["result"] is not None and self.pupil["data"] is not None,
            created=self.transcript is not None,
            parts=[self.seen(p) for p in self.parts],
        )

    def concerns(self, person: str) -> bool:
        """Whether the person reviews or signs any part of it."""
        return any(person in (p.reviewer, p.signer) for p in self.parts)


@dataclass(frozen=True)
class Digitised:
    """What the paper transcripts of a school year share. `now`: the staff of the newest year; `then`: that of the year itself."""

    school: str
    year: str
    plan: Document | None
    items: Mapping[str, Document]
    classes: Mapping[str, Document]
    assignments: Sequence[Assignment]
    now: Mapping[str, Staff]
    then: Mapping[str, Staff]
    transcripts: Mapping[str, Document]

    @classmethod
    async def of(cls, records: Store, school: str, year: str, *, pupils: Collection[str] | None = None) -> Digitised:
        """`pupils` limits of whom the items are read."""
        years = await records.years(school)
        return cls(
            school=school,
            year=year,
            plan=await store.plan_of(records.db, school, year),
            items=await store.items_of(records.db, school, year, pupils),
            classes={c["code"]: c for c in await records.classes(school, year)},
            assignments=await records.assignments(school, year),
            now=await records.staff(school, years[0]) if years else {},
            then=await records.staff(school, year),
            transcripts=await store.live_transcripts(records.db, school, year),
        )

    def case(self, pupil: Document) -> Case | None:
        """None for a pupil who is not to be digitised in that year, or whose class is gone."""
        stored = self.items.get(pupil["code"])
        found = self.classes.get(pupil["class_code"])
        if found is None or (stored is None and self.plan is None):
            return None
        item = stored or new_item(self.school, self.year, pupil["code"])
        source: Document = item if item["reviewer"] else self.plan or item
        who = Assigned(source["reviewer"], source["leader"], item["brought"])
        school_class = class_of(found)
        subjects = [s["name"] for s in pupil["result"]["subjects"]] if pupil["result"] else []
        return Case(
            item=item,
            pupil=pupil,
            school_class=school_class,
            who=who,
            parts=rules.parts_of(who, self._taught(item, school_class), self._homeroom(item, school_class), self.now, subjects),
            from_paper=bool(found.get("from_paper")),
            transcript=self.transcripts.get(pupil["code"]),
        )

    def name(self, code: str) -> str:
        person = self.now.get(code) or self.then.get(code)
        return person.name if person else code

    def _taught(self, item: Document, school_class: SchoolClass) -> list[Taught]:
        if item["teachers"] is not None:
            return [Taught(t["subject"], t["staff"], self.name(t["staff"]) if t["staff"] else t["name"]) for t in item["teachers"]]
        pairs: dict[tuple[str, str], list[Semester]] = {}
        for a in self.assignments:
            if a.class_code == school_class.code:
                pairs.setdefault((a.subject_name, a.staff), []).append(a.semester)
        return [Taught(subject, staff, self.name(staff), tuple(semesters)) for (subject, staff), semesters in pairs.items()]

    def _homeroom(self, item: Document, school_class: SchoolClass) -> tuple[str, str]:
        if item["homeroom"] is not None:
            own = item["homeroom"]
            return own["staff"], self.name(own["staff"]) if own["staff"] else own["name"]
        return school_class.homeroom, self.name(school_class.homeroom)


def new_item(school: str, year: str, pupil: str) -> Document:
    """`reviewer` and `leader` "" follow the year's plan; `teachers` and `homeroom` None follow the assignments of the year."""
    return {
        "_id": key(school, year, pupil),
        "school": school,
        "year": year,
        "pupil_code": pupil,
        "reviewer": "",
        "leader": "",
        "brought": False,
        "paper_school": "",
        "teachers": None,
        "homeroom": None,
        "scan": None,
        "checks": [],
        "history": [],
    }


async def cases_of(records: Store, school: str, year: str) -> tuple[Digitised, list[Case]]:
    """All of the year; of one that is not planned as a whole, those that were opened one by one."""
    shared = await Digitised.of(records, school, year)
    codes = None if shared.plan else list(shared.items)
    found = [shared.case(p) for p in await records.pupils(school, year, codes=codes)]
    # whoever has a transcript that was not made from paper is no case of digitising
    return shared, [c for c in found if c is not None]


async def case_of(records: Store, school: str, year: str, pupil: str) -> tuple[Digitised, Case | None]:
    shared = await Digitised.of(records, school, year, pupils=[pupil])
    found = await records.pupils(school, year, codes=[pupil])
    return shared, shared.case(found[0]) if found else None
