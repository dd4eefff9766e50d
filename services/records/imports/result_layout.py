"""Headers of results sheets: two or three merged rows, in any order of columns.

A sheet is known by its headers ("Mức đạt được" under a subject: primary; "HKI", "HKII" under it: secondary), never by its file's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.records.cells import key, text
from services.records.imports.profile_sheets import ORDINAL, PUPIL_CODE_SPELLINGS
from services.records.imports.tables import HEADER_SEARCH_ROWS, Column, match
from services.records.imports.workbooks import Sheet

Kind = Literal["primary", "secondary"]
_PRIMARY_LEAVES = {
    **dict.fromkeys(("muc dat duoc", "muc do dat duoc", "muc dat"), "level"),
    **dict.fromkeys(("diem ktdk", "diem", "diem kt", "diem kiem tra", "diem kiem tra dinh ki", "diem thi"), "mark"),
    **dict.fromkeys(("nhan xet", "nx", "noi dung nhan xet"), "comment"),
}
_SECONDARY_LEAVES = {
    **dict.fromkeys(("hki", "hk1", "hoc ki i", "hoc ki 1", "hk i", "hk 1", "tbm hk1", "tbm hki"), "semester1"),
    **dict.fromkeys(("hkii", "hk2", "hoc ki ii", "hoc ki 2", "hk ii", "hk 2", "tbm hk2", "tbm hkii"), "semester2"),
    **dict.fromkeys(("cn", "ca nam", "cnam", "c nam", "tbm cn", "tbm ca nam"), "year"),
    **dict.fromkeys(
        ("sau danh gia lai", "danh gia lai", "kiem tra lai", "thi lai", "sau ren luien trong he", "sau ren luien he"), "reassessed"
    ),
    "nhan xet": "comment",
}
_LEVEL_WORDS = {name for name, leaf in _PRIMARY_LEAVES.items() if leaf == "level"}
_FIRST_WORDS = {name for name, leaf in _SECONDARY_LEAVES.items() if leaf == "semester1"}
_SECOND_WORDS = {name for name, leaf in _SECONDARY_LEAVES.items() if leaf == "semester2"}
NEEDED_LEAVES = {"primary": ("level",), "secondary": ("semester1", "semester2", "year")}
LEAF_NAMES = {
    "level": "Mức đạt được",
    "mark": "Điểm KTĐK",
    "semester1": "HKI",
    "semester2": "HKII",
    "year": "CN",
    "reassessed": "Sau đánh giá lại",
}

_COMMON = (
    ORDINAL,
    Column("class_code", "Mã lớp", ("Lớp",), required=True),
    Column("code", "Mã học sinh", PUPIL_CODE_SPELLINGS, required=True),
    Column("name", "Họ tên", ("Họ và tên", "Họ tên học sinh", "Họ và tên học sinh")),
    Column("born", "Ngày sinh", ("Ngày tháng năm sinh",)),
    Column("absent_excused", "Nghỉ có phép", ("Số ngày nghỉ có phép", "Có phép", "Số buổi nghỉ có phép", "Nghỉ CP", "CP")),
    Column("absent_unexcused", "Nghỉ không phép", ("Số ngày nghỉ không phép", "Không phép", "Số buổi nghỉ không phép", "Nghỉ KP", "KP")),
    Column("homeroom_comment", "Nhận xét GVCN", ("Nhận xét của GVCN", "Nhận xét của giáo viên chủ nhiệm", "Nhận xét chung", "NX GVCN")),
    Column("promoted", "Lên lớp", ("Được lên lớp", "Kết quả lên lớp"), required=True),
)
SIMPLE: dict[Kind, tuple[Column, ...]] = {
    "primary": (
        *_COMMON,
        Column("competence_comment", "Nhận xét năng lực"),
        Column("quality_comment", "Nhận xét phẩm chất"),
        Column("height_cm", "Chiều cao (cm)", ("Chiều cao",)),
        Column("weight_kg", "Cân nặng (kg)", ("Cân nặng",)),
        Column("health", "Sức khoẻ"),
        Column("rating", "Xếp loại", ("Đánh giá kết quả giáo dục", "Kết quả giáo dục"), required=True),
        Column("award", "Khen thưởng", required=True),
        Column("completed", "Hoàn thành CTLH", ("Hoàn thành chương trình lớp học",), required=True),
    ),
    "secondary": (
        *_COMMON,
        Column("award", "Danh hiệu", ("Khen thưởng", "Danh hiệu thi đua"), required=True),
        Column("certificate", "Chứng chỉ"),
        Column("contests", "Giải thưởng", ("Kết quả tham gia các cuộc thi", "Cuộc thi, giải thưởng", "Thành tích")),
        Column("topics", "Chuyên đề học tập", ("Chuyên đề", "Các chuyên đề học tập")),
    ),
}
_OVERALL = {
    **dict.fromkeys(("ket qua hoc tap", "hoc tap", "kqht", "kq hoc tap", "danh gia ket qua hoc tap"), "study"),
    **dict.fromkeys(("ket qua ren luien", "ren luien", "kqrl", "kq ren luien", "danh gia ket qua ren luien"), "conduct"),
}
OVERALL_NAMES = {"study": "Kết quả học tập", "conduct": "Kết quả rèn luyện"}
SEMESTERS = ("semester1", "semester2", "year")


@dataclass
class Layout:
    """Where everything stands in one results sheet. Parts of subjects and traits are keyed by the header's words."""

    kind: Kind
    last_header: int
    simple: dict[str, int] = field(default_factory=dict)
    subjects: dict[str, dict[str, int]] = field(default_factory=dict)
    traits: dict[tuple[str, str], int] = field(default_factory=dict)
    overall: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def kind_of(sheet: Sheet) -> Kind | None:
    """Primary or secondary results, or neither."""
    for cells_ in sheet.rows[: HEADER_SEARCH_ROWS + 2]:
        words = {key(text(cell)) for cell in cells_}
        if words & _LEVEL_WORDS:
            return "primary"
        if words & _FIRST_WORDS and words & _SECOND_WORDS:
            return "secondary"
    return None


def layout_of(sheet: Sheet, kind: Kind) -> Layout:
    """Read the header rows: merged headers are carried over the columns that they cover."""
    leaves = {*_LEVEL_WORDS, "muc"} if kind == "primary" else set(_SECONDARY_LEAVES)
    last_row = leaves if kind == "primary" else _FIRST_WORDS
    last = next(at for at, row in enumerate(sheet.rows) if any(key(text(cell)) in last_row for cell in row))
    first = max(0, last - (2 if kind == "primary" else 1))
    paths = _paths(sheet, first, last)
    layout = Layout(kind, last, paths=[" / ".join(path) for path in paths])
    # the last word of a column's path names a simple column; a subject's or trait's name stands above its leaf
    layout.simple, _ = match([_simple_name(path, leaves) for path in paths], SIMPLE[kind])
    taken = set(layout.simple.values())
    for at, path in enumerate(paths):
        if at in taken or not path:
            continue
        if not (_place_primary(layout, path, at) if kind == "primary" else _place_secondary(layout, path, at)):
            layout.ignored.append(" / ".join(path))
    return layout


def _simple_name(path: Sequence[str], leaves: set[str]) -> str:
    return "" if not path or key(path[-1]) in leaves else path[-1]


def _paths(sheet: Sheet, first: int, last: int) -> list[tuple[str, ...]]:
    """Each column's header texts from top to bottom. A blank upper cell continues its left neighbour if the column says more below."""
    width = max(len(row) for row in sheet.rows[first : last + 1])
    grid = [[text(row[at]) if at < len(row) else "" for at in range(width)] for row in sheet.rows[first : last + 1]]
    covered = {
        (row, column): (top, left)
        for (top, left), (bottom, right) in sheet.merged
        if first <= top and bottom <= last
        for row in range(top, bottom + 1)
        for column in range(left, min(right, width - 1) + 1)
    }
    for at in range(len(grid) - 1):
        carried = ""
        for column in range(width):
            own, below = grid[at][column], any(grid[lower][column] for lower in range(at + 1, len(grid)))
            source = covered.get((first + at, column))
            if own:
                carried = own
            elif source and source != (first + at, column):
                grid[at][column] = grid[source[0] - first][source[1]]
            elif below and (at == 0 or grid[at - 1][column] == grid[at - 1][column - 1]):
                grid[at][column] = carried
            else:
                carried = ""
    return [_path([row[column] for row in grid]) for column in range(width)]


def _path(words: Sequence[str]) -> tuple[str, ...]:
    path: list[str] = []
    for word in words:
        if word and (not path or path[-1] != word):
            path.append(word)
    return tuple(path)


def _place_primary(layout: Layout, path: tuple[str, ...], at: int) -> bool:
    if len(path) < 2:
        return False
    group, name, leaf = key(path[0]) if len(path) > 2 else "", path[-2], key(path[-1])
    if leaf == "muc" or "nang luc" in group or "pham chat" in group:
        return layout.traits.setdefault((group, key(name)), at) == at
    if leaf in _PRIMARY_LEAVES:
        layout.names.setdefault(key(name), name)
        return layout.subjects.setdefault(key(name), {}).setdefault(_PRIMARY_LEAVES[leaf], at) == at
    return False


def _place_secondary(layout: Layout, path: tuple[str, ...], at: int) -> bool:
    if len(path) < 2 or key(path[-1]) not in _SECONDARY_LEAVES:
        return False
    name, leaf = path[-2], _SECONDARY_LEAVES[key(path[-1])]
    if key(name) in _OVERALL:
        return layout.overall.setdefault(_OVERALL[key(name)], {}).setdefault(leaf, at) == at
    layout.names.setdefault(key(name), name)
    return layout.subjects.setdefault(key(name), {}).setdefault(leaf, at) == at
