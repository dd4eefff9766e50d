"""An import leaves standing what transfers did: who left has left, who arrived stays."""

from __future__ import annotations

from dataclasses import replace

from services.records.imports.difference import difference_of
from services.records.transfers.words import LEFT
from tests.unit.records.test_import_difference import FIRST, TH, seen, stored


def test_a_pupil_who_left_stays_left_whatever_the_sector_database_says() -> None:
    before = stored(TH)
    document = before.pupils[FIRST]
    gone = {**document, "data": {**document["data"], "status": LEFT}}
    held = replace(before, pupils={**before.pupils, FIRST: gone})
    back = difference_of(seen(TH), held)
    assert [c.after for row in back.rows if row.key == FIRST for c in row.changes if c.before == LEFT] == ["Đang học"]
    kept = difference_of(seen(TH), replace(held, left=frozenset({FIRST})))
    assert [row.changes for row in kept.rows if row.key == FIRST] == [()]


def test_a_pupil_who_came_with_a_package_is_not_taken_out_before_the_export_has_them() -> None:
    before = stored(TH)
    newcomer = {**before.pupils[FIRST], "code": "312500109999", "name": "Trần Văn Mới Đến", "result": None, "arrival": "a1"}
    found = difference_of(seen(TH), replace(before, pupils={**before.pupils, "312500109999": newcomer}))
    [row] = [row for row in found.rows if row.key == "312500109999"]
    assert (row.state, row.reason) == ("left_out", "Học sinh chuyển đến chưa có trong CSDL ngành; giữ nguyên.")
    assert all(write.code != "312500109999" for part in found.plan.pupils.values() for write in part)


def test_who_is_known_from_a_paper_alone_stays_when_the_workbooks_of_that_year_come() -> None:
    before = stored(TH)
    typed = {**before.pupils[FIRST], "code": "312500109999", "class_code": "SH-4C", "result": None, "from_paper": True}
    found = difference_of(seen(TH), replace(before, pupils={**before.pupils, "312500109999": typed}))
    [row] = [row for row in found.rows if row.key == "312500109999"]
    assert (row.state, row.reason) == ("left_out", "Học sinh có học bạ giấy đang số hóa, không có trong tệp của năm học này; giữ nguyên.")
    assert all(write.code != "312500109999" for part in found.plan.pupils.values() for write in part)
