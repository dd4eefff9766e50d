"""A rule set in words, made from its data file alone, so that teachers check the very thing that judges their pupils."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from services.records.rules.ruleset import Circular, Frozen, PrimaryRules, Rating, SecondaryRules, StudyLevel, Subject

NONE = "–"


class Part(Frozen):
    """One rule, or a few that belong together: sentences, then a table where there is one."""

    title: str
    article: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Described(Frozen):
    """A rule set for some grades: what it is, from which school year each grade has it, and its rules."""

    circular: str
    version: int
    source: str
    grades: tuple[int, ...]
    since: tuple[tuple[int, str], ...]
    until: str | None
    parts: tuple[Part, ...]


def described(rules: PrimaryRules | SecondaryRules, grades: Sequence[int]) -> Described:
    parts = _primary(rules, grades) if isinstance(rules, PrimaryRules) else _secondary(rules, grades)
    return Described(
        circular=rules.circular,
        version=rules.version,
        source=rules.source,
        grades=tuple(grades),
        since=tuple((grade, rules.applies_from[grade]) for grade in grades),
        until=rules.applies_until,
        parts=tuple(parts),
    )


def _number(value: Decimal) -> str:
    """As Vietnam writes it: 6.5 as 6,5."""
    return format(value, "f").replace(".", ",")


def _levels(levels: Iterable[tuple[str, Sequence[str]]]) -> str:
    return "; ".join(f"{short} ({long[0]})" if long else short for short, long in levels)


def _subjects(rules: Circular, grades: Sequence[int], marked: str, unmarked: str) -> Part:
    rows = tuple(
        (subject.name, *(_how(subject, grade, marked, unmarked) for grade in grades))
        for subject in rules.subjects
        if any(subject.taught_in(grade) for grade in grades)
    )
    columns = ("Môn học và hoạt động giáo dục", *(f"Lớp {grade}" for grade in grades))
    return Part(title="Môn học và hoạt động giáo dục", article=rules.articles["subject"], columns=columns, rows=rows)


def _how(subject: Subject, grade: int, marked: str, unmarked: str) -> str:
    if not subject.taught_in(grade):
        return NONE
    how = marked if grade in subject.scored else unmarked
    if grade in subject.elective:
        return f"{how} (lựa chọn)"
    return f"{how} (tự chọn)" if grade in subject.optional else how


# --- primary


def _primary(rules: PrimaryRules, grades: Sequence[int]) -> list[Part]:
    least, most = rules.mark_range
    return [
        _subjects(rules, grades, "Mức và điểm", "Mức"),
        Part(
            title="Giá trị được phép",
            article=rules.articles["value"],
            lines=(
                f"Mức đạt được của môn học, hoạt động giáo dục: {_levels(rules.subject_levels.items())}.",
                f"Mức đạt được của phẩm chất, năng lực: {_levels(rules.trait_levels.items())}.",
                f"Điểm bài kiểm tra định kì là số nguyên từ {least} đến {most}, không có điểm thập phân.",
            ),
        ),
        Part(
            title="Phẩm chất và năng lực",
            article=rules.articles["value"],
            columns=("Nhóm", "Nội dung", "Lớp"),
            rows=tuple(
                (trait.group, trait.name, ", ".join(str(grade) for grade in trait.grades if grade in grades))
                for trait in rules.traits
                if set(trait.grades) & set(grades)
            ),
        ),
        Part(
            title="Đánh giá kết quả giáo dục cuối năm học",
            article=rules.articles["rating"],
            lines=("Học sinh được xếp vào mức cao nhất mà mọi điều kiện đều đạt.",),
            columns=("Xếp loại", "Mọi môn học ở mức", "Mọi phẩm chất, năng lực ở mức", "Mọi điểm cuối năm từ"),
            rows=(
                *((r.name, ", ".join(r.subjects), ", ".join(r.traits), str(r.least_mark)) for r in rules.ratings),
                (rules.lowest_rating.name, "Các trường hợp còn lại", "", ""),
            ),
        ),
        Part(
            title="Khen thưởng cuối năm học",
            article=rules.articles["award"],
            lines=("Hình thức khen khác do nhà trường quyết định và không bị kiểm tra.",),
            columns=("Danh hiệu", "Xếp loại", "Điều kiện"),
            rows=tuple((r.award, r.name, _owed(r)) for r in rules.ratings if r.award),
        ),
        Part(
            title="Hoàn thành chương trình lớp học và lên lớp",
            article=rules.articles["completion"],
            lines=(
                f"Học sinh xếp loại khác “{rules.lowest_rating.name}” hoàn thành chương trình lớp học và được lên lớp.",
                f"Học sinh “{rules.lowest_rating.name}” chưa hoàn thành chương trình lớp học; hiệu trưởng có thể quyết định cho lên lớp "
                f"({rules.articles['decided']}). Trường hợp này được nhắc để kiểm tra lại, không bị chặn.",
            ),
        ),
        _zero(rules),
    ]


def _owed(rating: Rating) -> str:
    return "Luôn được tặng" if rating.award_required else "Được tặng khi lớp bình chọn"


def _zero(rules: Circular) -> Part:
    return Part(title="Nhắc kiểm tra lại", article=rules.articles["zero"], lines=("Điểm 0 được nhắc để kiểm tra lại, không bị chặn.",))


# --- secondary


def _secondary(rules: SecondaryRules, grades: Sequence[int]) -> list[Part]:
    least, most = (_number(each) for each in rules.mark_range)
    needed = [f"lớp {grade}: {rules.electives_needed[grade]}" for grade in grades if rules.electives_needed.get(grade)]
    subjects = _subjects(rules, grades, "Điểm", "Nhận xét")
    if needed:
        subjects = subjects.model_copy(update={"lines": (f"Số môn học lựa chọn: {', '.join(needed)}.",)})
    return [
        subjects,
        Part(
            title="Giá trị được phép",
            article=rules.articles["value"],
            lines=(
                f"Điểm từ {least} đến {most}, lấy đến chữ số thập phân thứ nhất.",
                f"Môn đánh giá bằng nhận xét: {_levels(rules.comment_levels.items())}.",
                f"Kết quả học tập, rèn luyện: {', '.join(reversed(rules.order))}.",
            ),
        ),
        _averages(rules),
        *_study(rules),
        _conduct(rules),
        _promotion(rules),
        *_summer(rules),
        Part(
            title="Khen thưởng cuối năm học",
            article=rules.articles["award"],
            columns=("Danh hiệu", "Học tập", "Rèn luyện", "Điểm trung bình môn cả năm"),
            rows=tuple(
                (a.name, a.study, a.conduct, f"Ít nhất {a.subjects} môn từ {_number(a.mark)}" if a.mark is not None else NONE)
                for a in rules.awards
            ),
        ),
        _zero(rules),
    ]


def _averages(rules: SecondaryRules) -> Part:
    weights = rules.mark_weights
    one, two = rules.semester_weights
    return Part(
        title="Điểm trung bình môn",
        article=rules.articles["average"],
        lines=(
            f"Học kỳ: (tổng điểm thường xuyên × {weights.regular} + điểm giữa kì × {weights.midterm} + điểm cuối kì × {weights.final}) / "
            f"(số điểm thường xuyên × {weights.regular} + {weights.midterm + weights.final}).",
            f"Cả năm: (HKI × {one} + HKII × {two}) / {one + two}, tính từ điểm học kỳ đã làm tròn.",
            "Làm tròn đến một chữ số thập phân, nửa đơn vị làm tròn lên.",
            "Môn đánh giá bằng nhận xét: kết quả cả năm là kết quả học kỳ II.",
            "Điểm học kỳ lấy từ dữ liệu nhập; hệ thống tính lại điểm cả năm và mọi kết quả sau đó.",
            f"Số điểm thường xuyên mỗi học kỳ ({rules.articles['regular']}):",
        ),
        columns=("Số tiết trong năm", "Số điểm thường xuyên"),
        rows=tuple(
            (f"Đến {each.most_periods} tiết" if each.most_periods else "Nhiều hơn", str(each.marks)) for each in rules.regular_marks
        ),
    )


def _study(rules: SecondaryRules) -> list[Part]:
    lowest = rules.order[0]
    levels = Part(
        title="Kết quả học tập",
        article=rules.articles["study"],
        lines=(
            "Học kỳ xét theo điểm trung bình môn học kỳ, cả năm xét theo điểm trung bình môn cả năm. Học sinh được xếp vào mức cao nhất "
            "mà mọi điều kiện đều đạt.",
        ),
        columns=("Mức", "Môn nhận xét chưa đạt", "Mọi môn tính điểm từ", "Và có"),
        rows=(*(_level(each) for each in rules.study), (lowest, "Các trường hợp còn lại", "", "")),
    )
    raised = Part(
        title="Điều chỉnh khi chỉ một môn kéo xuống",
        article=rules.articles["raise"],
        lines=(
            f"Nếu chỉ do đúng một môn mà kết quả thấp hơn mức {' hoặc '.join(_from(rules))} từ {rules.raising.drop} mức trở lên thì được "
            "điều chỉnh lên mức liền kề.",
        ),
    )
    return [levels, raised]


def _from(rules: SecondaryRules) -> list[str]:
    order = rules.order
    return list(reversed(order[order.index(rules.raising.from_at_least) :]))


def _level(level: StudyLevel) -> tuple[str, ...]:
    failed = f"Nhiều nhất {level.failed_comments}" if level.failed_comments else "Không có"
    return level.level, failed, _number(level.least), f"Ít nhất {level.strong_subjects} môn từ {_number(level.strong)}"


def _conduct(rules: SecondaryRules) -> Part:
    first = tuple(reversed(rules.order))
    return Part(
        title="Kết quả rèn luyện cả năm",
        article=rules.articles["conduct"],
        columns=("Học kỳ II", *(f"Học kỳ I: {level}" for level in first)),
        rows=tuple((second, *(rules.conduct_year[second][level] for level in first)) for second in first),
    )


def _promotion(rules: SecondaryRules) -> Part:
    needed = rules.promotion
    return Part(
        title="Lên lớp",
        article=rules.articles["promotion"],
        lines=(
            f"Rèn luyện cả năm từ mức “{needed.conduct}” trở lên (kể cả sau rèn luyện trong hè).",
            f"Học tập cả năm từ mức “{needed.study}” trở lên (kể cả sau đánh giá lại).",
            f"Nghỉ học không quá {needed.most_absences} buổi trong năm học, tính cả có phép và không phép.",
        ),
    )


def _summer(rules: SecondaryRules) -> list[Part]:
    again = rules.reassessment
    return [
        Part(
            title="Rèn luyện trong hè",
            article=rules.articles["training"],
            lines=(
                f"Học sinh có rèn luyện cả năm dưới mức “{rules.promotion.conduct}” phải rèn luyện trong hè. Nếu đạt, kết quả cả năm ghi "
                f"“{rules.promotion.conduct}” và được xét lên lớp; trường hợp này được nhắc để kiểm tra lại.",
            ),
        ),
        Part(
            title="Đánh giá lại môn học trong hè",
            article=rules.articles["reassessment"],
            lines=(
                f"Chỉ đánh giá lại môn chưa đạt hoặc có điểm trung bình cả năm dưới {_number(again.below)}, khi rèn luyện từ mức "
                f"“{again.conduct}” trở lên; trường hợp khác được nhắc để kiểm tra lại.",
                "Kết quả đánh giá lại thay cho kết quả cả năm của môn đó khi xét lên lớp.",
            ),
        ),
    ]
