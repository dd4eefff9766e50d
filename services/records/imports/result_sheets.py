"""Rows of results sheets, read into the results of `schoolyear`: one pupil a row, problems kept with the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from services.records import cells
from services.records.cells import BadCell, Cell, key, text
from services.records.imports import findings as found
from services.records.imports.findings import Report
from services.records.imports.result_layout import (
    LEAF_NAMES,
    NEEDED_LEAVES,
    OVERALL_NAMES,
    SEMESTERS,
    SIMPLE,
    Kind,
    Layout,
    kind_of,
    layout_of,
)
from services.records.imports.tables import IgnoredColumn, MatchedColumn
from services.records.imports.workbooks import Sheet
from services.records.rules.ruleset import PrimaryRules, SecondaryRules, Subject, rules_for
from services.records.schoolyear import (
    PrimaryResult,
    PrimarySubject,
    Result,
    School,
    SchoolClass,
    SecondaryResult,
    SecondarySubject,
    Trait,
)

T = TypeVar("T")
_RESULTS = "Kết quả"
_COMMENT = "Nhận xét"
_days = partial(cells.whole, least=0, most=366)
_height_cm = partial(cells.decimal, least=Decimal(50), most=Decimal(250))
_weight_kg = partial(cells.decimal, least=Decimal(5), most=Decimal(250))


@dataclass(frozen=True)
class Problem:
    header: str
    reason_vi: str


@dataclass
class ResultRow:
    """One pupil's row. `result` is None when `problems` says what cannot be read, or when the class is unknown."""

    sheet: Sheet
    number: int
    pupil: str
    class_code: str
    name: str
    born: Cell
    result: Result | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Results:
    """`blocked`: classes whose sheet lacks columns that their grade needs, and why."""

    rows: list[ResultRow] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    ignored: list[IgnoredColumn] = field(default_factory=list)
    matched: dict[tuple[str, str], None] = field(default_factory=dict)

    @property
    def columns(self) -> list[MatchedColumn]:
        """Each column once, though every class has a sheet of its own."""
        return [MatchedColumn(_RESULTS, column, meaning) for column, meaning in self.matched]


@dataclass(frozen=True)
class Plan:
    """Which columns of one sheet belong to which subject and trait of one grade."""

    grade: int
    rules: PrimaryRules | SecondaryRules
    subjects: list[tuple[Subject, dict[str, int]]]
    traits: dict[tuple[str, str], int]
    unknown: list[str]
    missing: list[str]


@dataclass
class _Line:
    """One row being read: a cell that cannot be read becomes a problem of the row."""

    row: list[Cell]
    layout: Layout
    problems: list[Problem]

    def at(self, column: int | None) -> Cell:
        return self.row[column] if column is not None and column < len(self.row) else ""

    def simple(self, name: str) -> Cell:
        return self.at(self.layout.simple.get(name))

    def take(self, header: str, value: Cell, reader: Callable[[Cell], T], otherwise: T) -> T:
        try:
            return reader(value)
        except BadCell as bad:
            self.problems.append(Problem(header, f"{header}: {bad}"))
            return otherwise


def read_results(sheets: Sequence[Sheet], school: School, classes: Mapping[str, SchoolClass], report: Report) -> Results:
    """All results sheets of the upload; those of another level, or without the needed columns, become findings."""
    results = Results()
    expected: Kind = "primary" if school.level == "TH" else "secondary"
    for sheet in sheets:
        kind = kind_of(sheet)
        if kind is None:
            continue
        if kind != expected:
            name = "tiểu học" if kind == "primary" else "trung học"
            report.add(found.WRONG_LEVEL, sheet.place(), f"Sheet “{sheet.name}” là kết quả {name}, không phải của cấp học {school.level}.")
            continue
        layout = layout_of(sheet, kind)
        if _has_columns(sheet, layout, report):
            _read_sheet(sheet, layout, school, classes=classes, results=results, report=report)
    return results


def _has_columns(sheet: Sheet, layout: Layout, report: Report) -> bool:
    missing = [column.header for column in SIMPLE[layout.kind] if column.required and column.field not in layout.simple]
    if layout.kind == "secondary":
        for part, title in OVERALL_NAMES.items():
            missing += [f"{title}: {LEAF_NAMES[leaf]}" for leaf in SEMESTERS if leaf not in layout.overall.get(part, {})]
    for header in missing:
        place = sheet.place(layout.last_header + 1, header)
        report.add(found.COLUMN_MISSING, place, f"Sheet kết quả “{sheet.name}” thiếu cột “{header}”.")
    return not missing


def _read_sheet(
    sheet: Sheet, layout: Layout, school: School, *, classes: Mapping[str, SchoolClass], results: Results, report: Report
) -> None:
    plans: dict[int, Plan] = {}
    for at in range(layout.last_header + 1, len(sheet.rows)):
        line = _Line(sheet.rows[at], layout, [])
        if not any(text(line.at(column)) for name, column in layout.simple.items() if name != "ordinal"):
            continue
        class_code = cells.code(line.simple("class_code"))
        row = ResultRow(
            sheet, at + 1, cells.code(line.simple("code")), class_code, text(line.simple("name")), line.simple("born"), None, line.problems
        )
        results.rows.append(row)
        school_class = classes.get(class_code)
        if school_class is None:
            continue
        grade = school_class.grade
        plan = plans.get(grade) or plans.setdefault(grade, plan_of(layout, rules_for(grade, school.year), grade))
        if plan.missing and class_code not in results.blocked:
            results.blocked[class_code] = f"Tệp kết quả thiếu cột: {', '.join(plan.missing)}"
            for header in plan.missing:
                message = f"Kết quả lớp {class_code} thiếu cột “{header}”."
                report.add(found.SUBJECT_MISSING, sheet.place(layout.last_header + 1, header), message, class_code=class_code)
        result = _read_row(line, plan, row.pupil)
        row.result = None if row.problems else result
    for plan in plans.values():
        results.matched |= dict.fromkeys((layout.paths[at], meaning) for meaning, at in _meanings(layout, plan))
    unknown = [name for plan in plans.values() for name in plan.unknown]
    results.ignored += [IgnoredColumn(sheet.file, sheet.name, name) for name in dict.fromkeys([*layout.ignored, *unknown])]


def _meanings(layout: Layout, plan: Plan) -> Iterator[tuple[str, int]]:
    for column in SIMPLE[layout.kind]:
        if column.field in layout.simple:
            yield column.header, layout.simple[column.field]
    for subject, parts in plan.subjects:
        yield from ((f"{subject.name}: {LEAF_NAMES.get(leaf, _COMMENT)}", at) for leaf, at in parts.items())
    yield from ((f"{group}: {name}", at) for (group, name), at in plan.traits.items())
    for part, leaves in layout.overall.items():
        yield from ((f"{OVERALL_NAMES[part]}: {LEAF_NAMES[leaf]}", at) for leaf, at in leaves.items())


def plan_of(layout: Layout, rules: PrimaryRules | SecondaryRules, grade: int) -> Plan:
    """Settle once a sheet and grade what each column means; a subject that the grade does not have is ignored and listed."""
    subjects: list[tuple[Subject, dict[str, int]]] = []
    unknown: list[str] = []
    for name, parts in layout.subjects.items():
        subject = rules.subject(name, grade)
        if subject is None or any(subject is other for other, _ in subjects):
            unknown.append(layout.names[name])
            continue
        if layout.kind == "primary" and grade not in subject.scored and "mark" in parts:
            unknown.append(f"{subject.name}: {LEAF_NAMES['mark']}")
            subjects.append((subject, {leaf: at for leaf, at in parts.items() if leaf != "mark"}))
        else:
            subjects.append((subject, parts))
    subjects.sort(key=lambda known: rules.subjects.index(known[0]))  # the circular's order is the form's
    traits = _trait_columns(layout, rules, grade)
    return Plan(grade, rules, subjects, traits, unknown, _missing_columns(layout, rules, grade, subjects, traits))


def _trait_columns(layout: Layout, rules: PrimaryRules | SecondaryRules, grade: int) -> dict[tuple[str, str], int]:
    if not isinstance(rules, PrimaryRules):
        return {}
    return {
        (trait.group, trait.name): at
        for trait in rules.traits_of(grade)
        for (group, name), at in layout.traits.items()
        if name == key(trait.name) and (not group or key(trait.group).startswith(group) or group.startswith(key(trait.group)))
    }


def _missing_columns(
    layout: Layout,
    rules: PrimaryRules | SecondaryRules,
    grade: int,
    subjects: Sequence[tuple[Subject, Mapping[str, int]]],
    traits: Mapping[tuple[str, str], int],
) -> list[str]:
    have = {subject.name for subject, _ in subjects}
    missing = [subject.name for subject in rules.required(grade) if subject.name not in have]
    for subject, parts in subjects:
        needed = [*NEEDED_LEAVES[layout.kind], *(["mark"] if layout.kind == "primary" and grade in subject.scored else [])]
        missing += [f"{subject.name}: {LEAF_NAMES[leaf]}" for leaf in needed if leaf not in parts]
    if isinstance(rules, SecondaryRules):
        electives = sum(grade in subject.elective for subject, _ in subjects)
        if electives < rules.electives_needed.get(grade, 0):
            missing.append(f"môn học lựa chọn ({electives}/{rules.electives_needed[grade]})")
    else:
        missing += [f"{trait.group}: {trait.name}" for trait in rules.traits_of(grade) if (trait.group, trait.name) not in traits]
    return missing


def _read_row(line: _Line, plan: Plan, pupil: str) -> Result:
    if isinstance(plan.rules, PrimaryRules):
        return _primary(line, plan, plan.rules, pupil)
    return _secondary(line, plan, plan.rules, pupil)


def _flag(line: _Line, header: str, name: str) -> bool:
    return line.take(header, line.simple(name), cells.flag, otherwise=False)


def _primary(line: _Line, plan: Plan, rules: PrimaryRules, pupil: str) -> PrimaryResult:
    award = text(line.simple("award"))
    titles = {key(title): title for title in rules.award_names}
    level = partial(cells.choice, allowed=rules.trait_levels)
    return PrimaryResult(
        pupil=pupil,
        subjects=tuple(_primary_subjects(line, plan, rules)),
        traits=tuple(
            Trait(group=group, name=name, level=line.take(f"{group}: {name}", line.at(at), level, ""))
            for (group, name), at in plan.traits.items()
        ),
        competence_comment=text(line.simple("competence_comment")),
        quality_comment=text(line.simple("quality_comment")),
        height_cm=line.take("Chiều cao (cm)", line.simple("height_cm"), _height_cm, None),
        weight_kg=line.take("Cân nặng (kg)", line.simple("weight_kg"), _weight_kg, None),
        health=text(line.simple("health")),
        absent_excused=line.take("Nghỉ có phép", line.simple("absent_excused"), _days, None) or 0,
        absent_unexcused=line.take("Nghỉ không phép", line.simple("absent_unexcused"), _days, None) or 0,
        homeroom_comment=text(line.simple("homeroom_comment")),
        rating=line.take("Xếp loại", line.simple("rating"), partial(cells.choice, allowed=rules.rating_names), ""),
        award=titles.get(key(award), award),
        completed=_flag(line, "Hoàn thành CTLH", "completed"),
        promoted=_flag(line, "Lên lớp", "promoted"),
    )


def _primary_subjects(line: _Line, plan: Plan, rules: PrimaryRules) -> Iterator[PrimarySubject]:
    level = partial(cells.choice, allowed=rules.subject_levels)
    mark = partial(cells.whole, least=rules.mark_range[0], most=rules.mark_range[1])
    for subject, parts in plan.subjects:
        comment = text(line.at(parts.get("comment")))
        read = PrimarySubject(
            name=subject.name,
            level=line.take(f"{subject.name}: Mức đạt được", line.at(parts.get("level")), level, ""),
            mark=line.take(f"{subject.name}: Điểm KTĐK", line.at(parts.get("mark")), mark, None),
            comment=comment,
        )
        if read.level or read.mark is not None or comment or plan.grade in subject.required:
            yield read


def _secondary(line: _Line, plan: Plan, rules: SecondaryRules, pupil: str) -> SecondaryResult:
    def overall(part: str) -> tuple[str, str, str]:
        level = partial(cells.choice, allowed=rules.result_levels)
        columns = line.layout.overall[part]
        one, two, year = (line.take(f"{OVERALL_NAMES[part]}: {LEAF_NAMES[leaf]}", line.at(columns[leaf]), level, "") for leaf in SEMESTERS)
        return one, two, year

    def again(part: str) -> str:
        level = partial(cells.choice, allowed=rules.result_levels)
        at = line.layout.overall[part].get("reassessed")
        return line.take(f"{OVERALL_NAMES[part]}: {LEAF_NAMES['reassessed']}", line.at(at), level, "")

    return SecondaryResult(
        pupil=pupil,
        subjects=tuple(_secondary_subjects(line, plan, rules)),
        study=overall("study"),
        conduct=overall("conduct"),
        absent_excused=line.take("Nghỉ có phép", line.simple("absent_excused"), _days, None) or 0,
        absent_unexcused=line.take("Nghỉ không phép", line.simple("absent_unexcused"), _days, None) or 0,
        award=line.take("Danh hiệu", line.simple("award"), partial(cells.choice, allowed=rules.award_names), ""),
        promoted=_flag(line, "Lên lớp", "promoted"),
        certificate=text(line.simple("certificate")),
        contests=text(line.simple("contests")),
        homeroom_comment=text(line.simple("homeroom_comment")),
        topics=tuple(filter(None, map(str.strip, text(line.simple("topics")).split(";")))),
        study_reassessed=again("study"),
        conduct_reassessed=again("conduct"),
    )


def _secondary_subjects(line: _Line, plan: Plan, rules: SecondaryRules) -> Iterator[SecondarySubject]:
    comment_level = partial(cells.choice, allowed=rules.comment_levels)

    def mark(value: Cell) -> str:
        read = cells.decimal(value, *rules.mark_range)
        return "" if read is None else str(read)

    for subject, parts in plan.subjects:
        reader = mark if plan.grade in subject.scored else comment_level
        one, two, year, again = (
            line.take(f"{subject.name}: {LEAF_NAMES[leaf]}", line.at(parts.get(leaf)), reader, "") for leaf in (*SEMESTERS, "reassessed")
        )
        comment = text(line.at(parts.get("comment")))
        if one or two or year or again or comment or plan.grade in subject.required:
            yield SecondarySubject(name=subject.name, semester1=one, semester2=two, year=year, reassessed=again, comment=comment)
