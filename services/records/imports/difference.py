"""What an import would change, row by row, and what exactly is written then. Pure: no database, no clock.

The preview shows `Row`s; the writing follows the `Plan` that was made with them, so nothing is written that was not shown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.records.imports.findings import RefusedPupil
from services.records.imports.labels import profile_words, result_words
from services.records.imports.preview import Preview
from services.records.locks.errors import YEAR_LOCKED
from services.records.locks.locking import Locks
from services.records.rules.completeness import missing, result_missing
from services.records.rules.reassessment import only_reassessed
from services.records.rules.ruleset import NoRuleSetError
from services.records.schoolyear import Assignment, PrimaryResult, Pupil, Result, School, SchoolClass, SecondaryResult, Staff
from services.records.transfers.words import LEFT

Kind = Literal["school", "staff", "class", "assignment", "pupil"]
State = Literal["new", "changed", "gone", "unchanged", "left_out"]
KINDS: tuple[Kind, ...] = ("school", "staff", "class", "assignment", "pupil")
STATES: tuple[State, ...] = ("new", "changed", "gone", "unchanged", "left_out")
HAS_TRANSCRIPT = "Đã có học bạ: thay đổi chỉ vào phiên bản sau."
_FINISHED = "Lớp đã xác nhận hoàn thành tổng kết; nhập dữ liệu không bỏ xác nhận này."
_STAYS = "Học sinh đã có học bạ nên được giữ lại."
_ARRIVED = "Học sinh chuyển đến chưa có trong CSDL ngành; giữ nguyên."
_FROM_PAPER = "Học sinh có học bạ giấy đang số hóa, không có trong tệp của năm học này; giữ nguyên."
_NOT_EMPTY = "Lớp còn học sinh được giữ lại."
_FINISHED_HEADER = "Hoàn thành tổng kết"
PEOPLE = ":people"
"""The part of a plan that is no class: no class code starts like this, since codes become parts of keys."""


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Field(Plain):
    """One value, under the export's header."""

    field: str
    before: str
    after: str


class Row(Plain):
    """One row of the data. `changes` are written, `left` are not, for `reason`. `live`: there is a transcript, which stays as it is."""

    kind: Kind
    key: str
    name: str = ""
    class_code: str = ""
    state: State
    changes: tuple[Field, ...] = ()
    left: tuple[Field, ...] = ()
    reason: str = ""
    live: bool = False


class PupilWrite(Plain):
    """What becomes of one pupil's document. `before`: digest of what it rests on. Without `after` the document goes."""

    code: str
    before: str
    after: dict[str, Any] | None


class ClassWrite(Plain):
    """What a class's document holds afterwards. `finalised`: it was when the plan was made; `gone`: it has no pupils left; `before`:
    `pupils` and `refused` as they were when the plan was made."""

    data: dict[str, Any]
    pupils: int
    refused: int
    finalised: bool
    before: tuple[int, int] = (0, 0)
    gone: bool = False


class People(Plain):
    """School, assignments and staff: they change together."""

    school: School
    assignments: tuple[Assignment, ...]
    staff: tuple[Staff, ...]
    homerooms: dict[str, tuple[str, ...]]


class Plan(Plain):
    """What confirming writes; classes and pupils by the class's code."""

    people: People | None
    classes: dict[str, ClassWrite]
    pupils: dict[str, tuple[PupilWrite, ...]]

    @property
    def parts(self) -> list[str]:
        """Names of the parts, each written as a whole: school and staff first, then class by class."""
        return [*([PEOPLE] if self.people else []), *sorted({*self.classes, *self.pupils})]


@dataclass(frozen=True)
class Stored:
    """A school year as it is stored. `pupils` are documents by code; `finalised` are codes of classes, in whatever way.

    `left`: codes of the pupils who left with a transfer package that stands, whatever the sector database still says of them.
    """

    school: dict[str, Any] | None = None
    assignments: Sequence[dict[str, Any]] = ()
    staff: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    classes: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    pupils: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)
    left: frozenset[str] = frozenset()


def digest(*parts: object) -> str:
    """Of plain data, whatever the order of its keys."""
    return sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def pupil_digest(document: Mapping[str, Any] | None) -> str:
    """Of what an import could change of a pupil's document; "" for none."""
    return digest(*(document.get(name) for name in ("class_code", "name", "data", "result"))) if document else ""


def base_of(rows: Sequence[Row], stored: Stored) -> str:
    """What a confirmation rests on: the differences that were shown, and which classes are finalised."""
    return digest([row.model_dump() for row in rows], sorted(stored.locks.finalised), stored.locks.final)


@dataclass(frozen=True)
class Difference:
    """`rows` of both sides, the `plan` of what is to be written, and by pupil code what forbids a transcript afterwards."""

    rows: list[Row]
    plan: Plan
    missing: dict[str, list[dict[str, Any]]]


def difference_of(preview: Preview, stored: Stored, *, judged: bool = True) -> Difference:
    """Compare an unblocked preview with what is stored. Not `judged`, the rows are the same, but what forbids a transcript is not asked."""
    assert preview.school is not None
    comparison = _Comparison(preview, preview.school, stored, judged)
    rows = [*comparison.people(), *comparison.classes(), *comparison.assignments(), *comparison.pupils()]
    rows += comparison.gone_classes()
    order = {kind: at for at, kind in enumerate(KINDS)}
    rows.sort(key=lambda row: order[row.kind])
    return Difference(rows, comparison.plan(), comparison.missing)


@dataclass
class _Comparison:
    preview: Preview
    school: School
    stored: Stored
    judged: bool
    people_changed: bool = False
    after: dict[str, SchoolClass] = field(default_factory=dict)
    gone: dict[str, SchoolClass] = field(default_factory=dict)
    pupil_writes: dict[str, list[PupilWrite]] = field(default_factory=dict)
    missing: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    kept: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.position = {code: at for at, code in enumerate(self.preview.names)}
        self.staff = {person.code: person for person in self.preview.staff}
        self.assigned: dict[str, list[Assignment]] = defaultdict(list)
        for each in self.preview.assignments:
            self.assigned[each.class_code].append(each)

    def plan(self) -> Plan:
        people = None
        if self.people_changed:
            homerooms: dict[str, tuple[str, ...]] = {}
            for each in self.after.values():
                homerooms[each.homeroom] = (*homerooms.get(each.homeroom, ()), each.code)
            people = People(school=self.school, assignments=self.preview.assignments, staff=self.preview.staff, homerooms=homerooms)
        classes = {code: self._class_write(each) for code, each in self.after.items()}
        classes |= {code: self._class_write(each, gone=True) for code, each in self.gone.items()}
        # where pupils change, the class's document is written too: so two who change one class at once cannot both have their way
        classes = {code: write for code, write in classes.items() if code in self.pupil_writes or not self._same(code, write)}
        return Plan(people=people, classes=classes, pupils={code: tuple(writes) for code, writes in self.pupil_writes.items()})

    def _class_write(self, each: SchoolClass, *, gone: bool = False) -> ClassWrite:
        members = self.members.get(each.code, [])
        refused = sum(1 for code in members if code in self.incomplete)
        finalised = each.code in self.stored.locks.finalised
        known = self.stored.classes.get(each.code, {})
        return ClassWrite(
            data=each.model_dump(mode="json"),
            pupils=len(members),
            refused=refused,
            finalised=finalised,
            gone=gone,
            before=(known.get("pupils", 0), known.get("refused", 0)),
        )

    def _same(self, code: str, write: ClassWrite) -> bool:
        document = self.stored.classes.get(code)
        now = (write.data, write.pupils, write.refused, write.gone)
        return document is not None and (document["data"], document["pupils"], document["refused"], bool(document.get("gone"))) == now

    def people(self) -> Iterator[Row]:
        before = School.model_validate(self.stored.school) if self.stored.school else None
        yield self._model_row("school", self.school.code, self.school.name, before=before, after=self.school)
        old = {code: Staff.model_validate(data) for code, data in self.stored.staff.items()}
        for person in self.preview.staff:
            yield self._model_row("staff", person.code, person.name, before=old.pop(person.code, None), after=person)
        for person in old.values():
            yield self._model_row("staff", person.code, person.name, before=person, after=None)

    def _model_row(self, kind: Kind, key: str, name: str, *, before: School | Staff | None, after: School | Staff | None) -> Row:
        state: State = "unchanged" if before == after else "new" if before is None else "gone" if after is None else "changed"
        changes = _changes(profile_words(before), profile_words(after)) if before and after else ()
        return self._row(kind, key, name, state=state, changes=changes)

    def _row(self, kind: Kind, key: str, name: str, *, state: State, changes: tuple[Field, ...] = (), class_code: str = "") -> Row:
        """A row of school, staff or assignments: they change together, with one document."""
        if state != "unchanged" and self.stored.locks.final:
            return Row(kind=kind, key=key, name=name, class_code=class_code, state="left_out", left=changes, reason=YEAR_LOCKED.cause)
        self.people_changed |= state != "unchanged"
        return Row(kind=kind, key=key, name=name, class_code=class_code, state=state, changes=changes)

    def assignments(self) -> Iterator[Row]:
        old = {Assignment.model_validate(each) for each in self.stored.assignments}
        new = dict.fromkeys(self.preview.assignments)
        for each in (*new, *sorted(old - new.keys(), key=_assignment_key)):
            state: State = "gone" if each not in new else "unchanged" if each in old else "new"
            name = f"{each.subject_name}, học kỳ {each.semester}"
            yield self._row("assignment", each.staff, name, state=state, class_code=each.class_code)

    def classes(self) -> Iterator[Row]:
        for each in self.preview.classes:
            document = self.stored.classes.get(each.code)
            before = SchoolClass.model_validate(document["data"]) if document and not document.get("gone") else None
            after = each
            left: tuple[Field, ...] = ()
            if each.code in self.stored.locks.finalised and before and before.finalised and not each.finalised:
                after = each.model_copy(update={"finalised": True})
                left = (Field(field=_FINISHED_HEADER, before="x", after=""),)
            changes = _changes(profile_words(before), profile_words(after)) if before else ()
            if self.stored.locks.final and (before is None or changes):
                held = (*changes, *left)
                yield Row(
                    kind="class", key=each.code, name=each.name, class_code=each.code, state="left_out", left=held, reason=YEAR_LOCKED.cause
                )
                continue
            self.after[each.code] = after
            self.people_changed |= before is None or before.homeroom != after.homeroom
            state: State = "new" if before is None else "changed" if changes else "left_out" if left else "unchanged"
            yield Row(
                kind="class",
                key=each.code,
                name=each.name,
                class_code=each.code,
                state=state,
                changes=changes,
                left=left,
                reason=_FINISHED if left else "",
            )

    def gone_classes(self) -> Iterator[Row]:
        """Asked last: a class goes when none of its pupils stays."""
        listed = {each.code for each in self.preview.classes}
        for code, document in self.stored.classes.items():
            if code in listed or document.get("gone"):
                continue
            name = document["data"]["name"]
            if self.stored.locks.final or code in self.kept:
                reason = YEAR_LOCKED.cause if self.stored.locks.final else _NOT_EMPTY
                yield Row(kind="class", key=code, name=name, class_code=code, state="left_out", reason=reason)
            else:
                self.gone[code] = SchoolClass.model_validate(document["data"])
                self.people_changed = True
                yield Row(kind="class", key=code, name=name, class_code=code, state="gone")

    def pupils(self) -> Iterator[Row]:
        grades = {each.code: each.grade for each in self.preview.classes}
        for listed_pupil in self.preview.pupils:
            pupil = listed_pupil.model_copy(update={"status": LEFT}) if listed_pupil.code in self.stored.left else listed_pupil
            yield self._pupil(pupil, self.preview.results.get(pupil.code), self.position[pupil.code], grades)
        refused: dict[str, list[RefusedPupil]] = {}
        for each in self.preview.refused_pupils:
            refused.setdefault(each.pupil, []).append(each)
        for code, refusals in refused.items():
            number = self.position.get(code, len(self.position))
            yield self._refused(code, refusals[0].class_code, number=number, refusals=refusals)
        listed = {pupil.code for pupil in self.preview.pupils} | refused.keys()
        for code, document in self.stored.pupils.items():
            if code not in listed:
                yield self._gone(code, document)

    def _pupil(self, pupil: Pupil, result: Result | None, number: int, grades: Mapping[str, int]) -> Row:
        document, code = self.stored.pupils.get(pupil.code), pupil.code
        was = Pupil.model_validate(document["data"]) if document and document["data"] else None
        had = result_of(document["result"]) if document and document["result"] else None
        held_at = document["class_code"] if document else pupil.class_code
        locks, live = self.stored.locks, code in self.stored.locks.transcripts
        changes: list[Field] = []
        left: list[Field] = []
        reasons: list[str] = []
        if was is None:
            held = YEAR_LOCKED if locks.final else None
        else:
            held = locks.why_not(held_at, code, what="profile") if was != pupil else None
        (left if held else changes).extend(_changes(profile_words(was), profile_words(pupil)) if was else ())
        if held:
            reasons.append(held.cause)
            if was is None:
                return Row(kind="pupil", key=code, name=pupil.name, class_code=pupil.class_code, state="left_out", reason=held.cause)
            pupil = was
            self.kept.add(held_at)
        if had != result:
            summer = had is not None and result is not None and _summer(had, result, grades.get(held_at), self.school.year)
            held = None if (had is None or summer) and not locks.final else locks.why_not(held_at, code, what="results")
            if had is not None or was is not None:
                (left if held else changes).extend(_changes(result_words(had), result_words(result)))
            if held:
                reasons.append(held.cause)
                result = had
        if live and changes:
            reasons.append(HAS_TRANSCRIPT)
        self._write(document, pupil, result, number)
        state: State = "new" if was is None else "changed" if changes else "left_out" if left else "unchanged"
        return Row(
            kind="pupil",
            key=code,
            name=pupil.name,
            class_code=pupil.class_code,
            state=state,
            changes=tuple(changes),
            left=tuple(left),
            reason=" ".join(dict.fromkeys(reasons)),
            live=live,
        )

    def _write(self, document: Mapping[str, Any] | None, pupil: Pupil, result: Result | None, number: int) -> None:
        lacking = self._missing(pupil, result)
        after = {
            "code": pupil.code,
            "class_code": pupil.class_code,
            "number": number,
            "name": pupil.name,
            "data": pupil.model_dump(mode="json"),
            "result": result.model_dump(mode="json") if result else None,
            "missing": lacking,
        }
        self._stays(pupil.code, pupil.class_code, lacking)
        self._plan(document, after)

    def _missing(self, pupil: Pupil, result: Result | None) -> list[dict[str, Any]]:
        if not self.judged:
            return []
        each = self.after.get(pupil.class_code)
        if each is None:
            return [{"field": "Mã lớp", "kind": "invalid", "message": f"Lớp “{pupil.class_code}” không có trong dữ liệu."}]
        lacking = missing(
            pupil=pupil,
            result=result,
            school_class=each.model_copy(update={"finalised": each.finalised or each.code in self.stored.locks.finalised}),
            assignments=self.assigned.get(each.code, []),
            staff=self.staff,
            school=self.school,
        )
        return [{"field": m.field, "kind": m.kind, "message": m.message_vi, "article": m.article} for m in lacking]

    def _stays(self, code: str, class_code: str, lacking: list[dict[str, Any]]) -> None:
        self.members[class_code].append(code)
        if lacking:
            self.missing[code] = lacking
            self.incomplete.add(code)

    def _refused(self, code: str, class_code: str, *, number: int, refusals: Sequence[RefusedPupil]) -> Row:
        """What is stored of a pupil whose row cannot be used stays; one who is not stored gets a document that says why."""
        document = self.stored.pupils.get(code)
        name = self.preview.names.get(code, "") or (document or {}).get("name", "")
        lacking = [{"field": r.field, "kind": r.kind, "message": r.reason_vi} for r in refusals]
        if document and document["data"]:
            self.kept.add(document["class_code"])
            self._stays(code, document["class_code"], document["missing"])
            self.missing[code] = lacking
        elif not self.stored.locks.final:
            self._stays(code, class_code, lacking)
            listed = {"code": code, "class_code": class_code, "number": number, "name": name}
            self._plan(document, {**listed, "data": None, "result": None, "missing": lacking})
        reason = " ".join(dict.fromkeys(r.reason_vi for r in refusals))
        live = code in self.stored.locks.transcripts
        return Row(kind="pupil", key=code, name=name, class_code=class_code, state="left_out", reason=reason, live=live)

    def _gone(self, code: str, document: Mapping[str, Any]) -> Row:
        locks, class_code, live = self.stored.locks, document["class_code"], code in self.stored.locks.transcripts
        held = locks.why_not(class_code, code, what="results") if document["result"] or locks.final else None
        apart = _ARRIVED if document.get("arrival") else _FROM_PAPER if document.get("from_paper") else ""
        reason = held.cause if held else _STAYS if live else apart
        if reason:
            self.kept.add(class_code)
            self._stays(code, class_code, document["missing"])
        else:
            self.pupil_writes.setdefault(class_code, []).append(PupilWrite(code=code, before=pupil_digest(document), after=None))
        state: State = "left_out" if reason else "gone"
        return Row(kind="pupil", key=code, name=document["name"], class_code=class_code, state=state, reason=reason, live=live)

    def _plan(self, document: Mapping[str, Any] | None, after: dict[str, Any]) -> None:
        if document is None or any(document.get(name) != value for name, value in after.items()):
            write = PupilWrite(code=after["code"], before=pupil_digest(document), after=after)
            self.pupil_writes.setdefault(after["class_code"], []).append(write)


def forbidden(document: Mapping[str, Any] | None, after: Mapping[str, Any] | None, locks: Locks, *, grade: int | None, year: str) -> bool:
    """Whether the locks as they are now forbid a pupil's write that was planned under others. `grade`: of the pupil's class."""
    if locks.final:
        return True
    if document is None:
        return False
    code, class_code = document["code"], document["class_code"]
    if after is None:
        arrived = bool(document.get("arrival") or document.get("from_paper"))
        held = document["result"] and locks.why_not(class_code, code, what="results")
        return bool(held) or code in locks.transcripts or arrived
    if document["data"] and document["data"] != after["data"] and locks.why_not(class_code, code, what="profile"):
        return True
    had, result = (result_of(each["result"]) if each["result"] else None for each in (document, after))
    if had is None or had == result or (result is not None and _summer(had, result, grade, year)):
        return False
    return locks.why_not(class_code, code, what="results") is not None


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Field, ...]:
    """Values that differ; what one side does not have counts as blank."""
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(Field(field=name, before=one, after=two) for name, one, two in pairs if one != two)


def _assignment_key(each: Assignment) -> tuple[str, ...]:
    return (each.class_code, each.subject_name, str(each.semester), each.staff)


def _summer(before: Result, after: Result, grade: int | None, year: str) -> bool:
    """What was assessed again, as a whole: a value that went blank, or contradicts the others, would open the data lock."""
    if grade is None:
        return False
    try:
        return only_reassessed(before, after, grade, year) and not result_missing(after, grade, year)
    except NoRuleSetError:
        return False


def result_of(document: Mapping[str, Any]) -> Result:
    kind = PrimaryResult if document["kind"] == "primary" else SecondaryResult
    return kind.model_validate(document)
