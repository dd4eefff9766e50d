"""What the circulars allow but somebody had better look at again: warnings, which keep nothing from going on."""

from __future__ import annotations

from collections.abc import Iterator

from services.records.rules.primary import primary_verdict
from services.records.rules.ruleset import Frozen, SecondaryRules, primary_rules, secondary_rules
from services.records.rules.secondary import PASSED, mark_of, secondary_verdict
from services.records.schoolyear import PrimaryResult, Result, SecondaryResult


class Remark(Frozen):
    """`kind` is the key of its article in the rule set: zero, decided, reassessment, training."""

    kind: str
    field: str
    article: str
    message_vi: str


def remarks(result: Result, grade: int, year: str) -> list[Remark]:
    """Raises NoRuleSetError."""
    return list(_primary(result, grade, year) if isinstance(result, PrimaryResult) else _secondary(result, grade, year))


def _primary(result: PrimaryResult, grade: int, year: str) -> Iterator[Remark]:
    articles = primary_rules(grade, year).articles
    for subject in result.subjects:
        if subject.mark == 0:
            message = f"Môn {subject.name} có điểm 0."
            yield Remark(kind="zero", field=f"{subject.name}: Điểm KTĐK", article=articles["zero"], message_vi=message)
    right = primary_verdict(result, grade, year)
    if right and not right.completed and result.promoted:
        message = "Học sinh chưa hoàn thành chương trình lớp học nhưng được lên lớp: cần có quyết định của hiệu trưởng."
        yield Remark(kind="decided", field="Lên lớp", article=articles["decided"], message_vi=message)


def _secondary(result: SecondaryResult, grade: int, year: str) -> Iterator[Remark]:
    rules = secondary_rules(grade, year)
    right = secondary_verdict(result, grade, year)
    for subject in result.subjects:
        if mark_of(subject.year) == 0:
            message = f"Môn {subject.name} có điểm trung bình cả năm là 0."
            yield Remark(kind="zero", field=f"{subject.name}: CN", article=rules.articles["zero"], message_vi=message)
        if subject.reassessed and not _may_be_reassessed(rules, right.averages.get(subject.name, subject.year)):
            message = f"Môn {subject.name} không thuộc diện đánh giá lại nhưng có kết quả sau đánh giá lại."
            yield _again(rules, f"{subject.name}: Sau đánh giá lại", message)
    again = any(subject.reassessed for subject in result.subjects)
    order, needed = rules.order, rules.reassessment.conduct
    if again and right.conduct_after and order.index(right.conduct_after) < order.index(needed):
        message = f"Học sinh chỉ được đánh giá lại môn học khi rèn luyện cả năm từ mức “{needed}” trở lên."
        yield _again(rules, "Kết quả rèn luyện: CN", message)
    if right.conduct_after != right.conduct:
        message = f"Rèn luyện cả năm theo hai học kỳ là “{right.conduct}”, ghi “{right.conduct_after}” sau rèn luyện trong hè."
        yield Remark(kind="training", field="Kết quả rèn luyện: CN", article=rules.articles["training"], message_vi=message)


def _again(rules: SecondaryRules, field: str, message: str) -> Remark:
    return Remark(kind="reassessment", field=field, article=rules.articles["reassessment"], message_vi=message)


def _may_be_reassessed(rules: SecondaryRules, year: str) -> bool:
    mark = mark_of(year)
    if mark is not None:
        return mark < rules.reassessment.below
    return year in rules.comment_levels and year != PASSED
