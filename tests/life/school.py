"""A small school: two classes of three pupils, their workbooks with what a life may change in them, and the people who act."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl

from contracts.access import Principal, Role
from tests.conftest import make_school
from tests.integration.pages_world import SCHOOL, staff

CLASSES = ("1A", "2A")
YEAR = "2025-2026"
REMARK = "Nhận xét GVCN"
REMARKS = ("Em chăm học.", "Em cần luyện đọc thêm.", "Em tiến bộ nhiều trong học kỳ II.")
HOMES = ("Thôn Đông, An Hồng", "Số 5, tổ 2, An Hồng", "Số 12, đường 208, An Hồng")
INSPECTOR = f"{SCHOOL}005"
LEADERS = (f"{SCHOOL}001", f"{SCHOOL}002")

ADMINISTRATORS = (staff(3, "Quản trị viên", Role.ADMINISTRATOR), staff(16, "Quản trị viên hai", Role.ADMINISTRATOR))
PRINCIPAL = staff(1, "Hiệu trưởng", Role.MANAGER)
DEPUTY = staff(2, "Phó hiệu trưởng", Role.MANAGER)
ISSUER = staff(4, "Văn thư", Role.ISSUER)
CLERK = staff(5, "Nhân viên học vụ", Role.CLERK)
HOMEROOMS = {
    code: staff(6 + at, f"Giáo viên chủ nhiệm {code}", Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=(code,))
    for at, code in enumerate(CLASSES)
}
PEOPLE: dict[str, Principal] = {p.person: p for p in (*ADMINISTRATORS, PRINCIPAL, DEPUTY, ISSUER, CLERK, *HOMEROOMS.values())}


def signer(person: str) -> Principal:
    """Whoever a task waits for: one of those above, or a subject teacher."""
    return PEOPLE.get(person) or staff(int(person[-3:]), f"Giáo viên {person[-3:]}", Role.SUBJECT_TEACHER)


@dataclass(frozen=True)
class Filed:
    """What the sector database says of a pupil, as far as a life changes it. `whole`: the results are complete."""

    remark: int = 0
    home: int = 0
    whole: bool = True

    def changed(self, what: str, value: int) -> Filed:
        if what == "whole":
            return replace(self, whole=not self.whole)
        return replace(self, remark=value) if what == "remark" else replace(self, home=value)


class Workbooks:
    """Made once; every state of the sector database is written out of the same rows."""

    def __init__(self, folder: Path, pupils: int = 3) -> None:
        made = make_school(folder, code=SCHOOL, province="031", pupils=pupils, defects=0)
        self._sheets = _rows(made / "ho_so_truong.xlsx")
        for title in ("Lớp", "Phân công", "Học sinh"):
            rows = self._sheets[title]
            column = rows[0].index("Mã lớp")
            self._sheets[title] = [rows[0], *(r for r in rows[1:] if r[column] in CLASSES)]
        for row in self._sheets["Lớp"][1:]:
            row[self._sheets["Lớp"][0].index("Hoàn thành tổng kết")] = None
        listed = self._sheets["Học sinh"]
        self.pupils: dict[str, str] = {r[listed[0].index("Mã học sinh")]: r[listed[0].index("Mã lớp")] for r in listed[1:]}
        self._results = {code: _rows(made / "ket_qua" / f"{code}.xlsx") for code in CLASSES}

    def files(self, filed: Mapping[str, Filed]) -> list[tuple[str, bytes]]:
        profile = {title: [list(row) for row in rows] for title, rows in self._sheets.items()}
        head, *rows = profile["Học sinh"]
        for row in rows:
            row[head.index("Chỗ ở hiện nay")] = HOMES[filed[row[head.index("Mã học sinh")]].home]
        made = [("ho_so_truong.xlsx", _book(profile))]
        for code, sheets in self._results.items():
            changed = {title: [list(row) for row in rows] for title, rows in sheets.items()}
            for rows in changed.values():
                headers = [next((r[at] for r in reversed(rows[:3]) if r[at]), None) for at in range(len(rows[0]))]
                for row in rows[3:]:
                    pupil = filed[row[headers.index("Mã học sinh")]]
                    row[headers.index(REMARK)] = REMARKS[pupil.remark]
                    if not pupil.whole:
                        row[headers.index("Mức đạt được")] = None
            made.append((f"ket_qua/{code}.xlsx", _book(changed)))
        return made


def _rows(path: Path) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: [list(row) for row in sheet.values] for sheet in book.worksheets}


def _book(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
