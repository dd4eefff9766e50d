"""What the pages of records have in common: the frame around them, and a creation job on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request

from services.chassis import errors as chassis_errors
from services.chassis.web.lists import catalogue_of, notices
from services.chassis.web.look import Progress, Shell, vn_number, with_query
from services.chassis.web.shell import shell
from services.records import errors
from services.records.at_hand import own_school, store_of
from services.records.transcripts.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal

CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {
    "create": ("Đã nhận {n} học sinh để tạo học bạ.", "Chưa chọn lớp hoặc học sinh nào chưa tạo học bạ."),
    "import": ("Đã nhập dữ liệu của {n} học sinh.", "Đã nhập dữ liệu, không có học sinh nào."),
    "confirm": ("Đã xác nhận hoàn thành {n} học bạ.", "Phần đã chọn không có học bạ nào hoàn thành ký để xác nhận."),
    "undo": ("Đã hủy xác nhận hoàn thành {n} học bạ.", "Phần đã chọn không có học bạ nào đã xác nhận hoàn thành."),
}
SHOWN_REFUSED = 50


async def newest(request: Request, who: Principal) -> Reading | None:
    """The newest school year of the person's school; None while nothing was imported."""
    if not await store_of(request).years(own_school(who)):
        return None
    return await Reading.of(store_of(request), who, own_school(who), None)


async def framed(request: Request, who: Principal, looked_at: Reading | None) -> Shell:
    told = notices(request, WORDS, CATALOGUE)
    if looked_at is None:
        return shell(request, who, notices=told)
    school = await looked_at.store.school(looked_at.school, looked_at.year)
    return shell(request, who, notices=told, organisation=school.name, period=f"Năm học {looked_at.year}")


def grades_of(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(str(g), f"Khối {g}") for g in sorted({row["grade"] for row in rows})]


async def job_context(looked_at: Reading, found: Mapping[str, Any], job_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """What records/job_panel.html needs; `found` is the job as the API tells it."""
    reasons: dict[str, list[str]] = {}
    classes = {r["pupil"]: r["class"] for r in found["refused"]}
    for refusal in found["refused"]:
        reasons.setdefault(refusal["pupil"], []).append(refusal["reason"].rstrip("."))
    shown = list(reasons)[:SHOWN_REFUSED]
    names = {p["code"]: p["name"] for p in await looked_at.store.pupils(looked_at.school, looked_at.year, codes=shown)} if shown else {}
    failed = found["done"] - found["created"]
    running = found["state"] == "running"
    said = f"Đã tạo {vn_number(found['created'])} học bạ trong {vn_number(found['total'])} học sinh."
    progress = Progress(
        title=f"Tạo học bạ cho {vn_number(found['total'])} học sinh",
        total=found["total"],
        done=found["created"],
        failed=failed,
        waiting=found["total"] - found["done"],
        running=running,
        href=with_query(query, job=job_id),
        message=said,
        outcome="success" if not failed else "warning" if found["created"] else "danger",
    )
    return {
        "progress": progress,
        "job_refused": [
            {"name": names.get(p) or f"Học sinh mã {p}", "class_name": classes[p], "reason": "; ".join(reasons[p])} for p in shown
        ],
        "job_refused_count": len(reasons),
        "job_done_href": with_query(query, job=None),
    }


NO_JOB: Mapping[str, Any] = {"progress": None, "job_refused": [], "job_refused_count": 0, "job_done_href": ""}
