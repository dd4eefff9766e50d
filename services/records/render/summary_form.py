"""What the template of the class summary prints: every word and number ready, in the official form's order of columns."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.records.render.compose import composed, number, panels, qr
from services.records.render.fields import A3_LANDSCAPE, A4_LANDSCAPE, Sheet
from services.records.render.summary import (
    PERIODS,
    SUBJECT_LEVELS,
    TRAIT_LEVELS,
    Columns,
    awarded,
    columns,
    completed,
    mark_count,
    rating_counts,
    subject_counts,
    trait_counts,
)
from services.records.render.text import GENERAL_COMPETENCES, QUALITIES, SPECIFIC_COMPETENCES, clean, date_words, traits_of
from services.records.schoolyear import SummaryContent, SummaryRow


def sheet_of(content: SummaryContent) -> Sheet:
    """Grades 1 and 2 have few enough columns for A4."""
    return A4_LANDSCAPE if content.school_class.grade <= 2 else A3_LANDSCAPE


def summary_form(content: SummaryContent, *, preview: bool) -> dict[str, Any]:
    """JSON-able; all text cleaned. Raises ValueError for traits of a group that the form does not have."""
    school, shown, at_the_end = content.school, columns(content), content.period == "CN"
    sheet = sheet_of(content)
    period = PERIODS[content.period]
    data: dict[str, Any] = {
        "preview": preview,
        "title": f"Bảng tổng hợp kết quả đánh giá giáo dục - Lớp {content.school_class.name} - {period} {school.year}",
        "period": f"{period} {school.year}" if at_the_end else f"{period}, năm học {school.year}",
        "id_label": "Mã định danh bảng tổng hợp",
        "id": content.id,
        "version": content.version,
        "replaces": content.replaces or "",
        "school": {"name": school.name, "unit": school.unit_name, "year": school.year},
        "class": {"name": content.school_class.name, "grade": content.school_class.grade},
        "place_date": f"{school.print_place}, {date_words(school.print_date)}",
        "sheet": {"width": sheet.width, "height": sheet.height},
        "panels": panels(sheet, homeroom=content.homeroom_name, leader=content.leader_name, leader_position=content.leader_position),
        "columns": {
            "subjects": [[subject.name, subject.marked] for subject in shown.subjects],
            "general": list(shown.general),
            "specific": list(shown.specific),
            "qualities": list(shown.qualities),
            "at_the_end": at_the_end,
        },
        "rows": [_row(order, row, shown, at_the_end=at_the_end) for order, row in enumerate(content.rows, start=1)],
        "totals": _totals(content, shown),
        "outcome": _outcome(content.rows) if at_the_end else [],
    }
    return {**composed(data), "qr": qr(content.verify_url), "verify_url": content.verify_url}


def _row(order: int, row: SummaryRow, shown: Columns, *, at_the_end: bool) -> list[str]:
    subjects = {clean(subject.name): subject for subject in row.subjects}
    cells = [str(order), row.name]
    for column in shown.subjects:
        subject = subjects.get(column.name)
        cells.append(subject.level if subject else "")
        if column.marked:
            cells.append(number(subject.mark) if subject else "")
    for group, names in ((GENERAL_COMPETENCES, shown.general), (SPECIFIC_COMPETENCES, shown.specific), (QUALITIES, shown.qualities)):
        levels = {clean(trait.name): trait.level for trait in traits_of(row.traits, group)}
        cells += [levels.get(name, "") for name in names]
    return [*cells, row.rating, row.award, _completed(row)] if at_the_end else cells


def _completed(row: SummaryRow) -> str:
    if row.completed is None:
        return ""
    return "Hoàn thành" if row.completed else "Chưa hoàn thành"


def _totals(content: SummaryContent, shown: Columns) -> list[list[str]]:
    """For each column the pupils by level, the best first, in three lines; a column of marks has one number: who has a mark."""
    rows = content.rows
    totals = []
    for subject in shown.subjects:
        totals.append(_levels(subject_counts(rows, subject.name), SUBJECT_LEVELS))
        if subject.marked:
            totals.append([str(mark_count(rows, subject.name))])
    for group, names in ((GENERAL_COMPETENCES, shown.general), (SPECIFIC_COMPETENCES, shown.specific), (QUALITIES, shown.qualities)):
        totals += [_levels(trait_counts(rows, group, name), TRAIT_LEVELS) for name in names]
    if content.period == "CN":
        rated = sum(pupils for _, pupils in rating_counts(rows))
        totals += [[str(rated)], [str(awarded(rows))], [str(completed(rows))]]
    return totals


def _levels(found: Counter[str], levels: tuple[str, ...]) -> list[str]:
    return [str(found[level]) for level in levels]


def _outcome(rows: tuple[SummaryRow, ...]) -> list[str]:
    return [f"{rating}: {pupils}" for rating, pupils in rating_counts(rows)]
