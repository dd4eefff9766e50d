"""What the pages of records have in common: the frame around them, and a creation job on its way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import Request

from contracts.nouns import worded
from services.chassis import errors as chassis_errors
from services.chassis.web.lists import catalogue_of, notices, reworded
from services.chassis.web.look import Progress, Shell, vn_number, with_query
from services.chassis.web.shell import shell
from services.records import errors
from services.records.archive import errors as archive_errors
from services.records.at_hand import own_school, store_of, year_asked
from services.records.cancellation import errors as cancellation_errors
from services.records.corrections import errors as correction_errors
from services.records.digitisation import errors as digitisation_errors
from services.records.finalisation import errors as finalisation_errors
from services.records.imports import errors as import_errors
from services.records.locks import errors as lock_errors
from services.records.locks.banner import with_lock
from services.records.printing import errors as printing_errors
from services.records.summaries import errors as summary_errors
from services.records.transcripts import errors as creation_errors
from services.records.transcripts.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from contracts.documents import DocumentKind

CATALOGUE = catalogue_of(
    chassis_errors,
    errors,
    finalisation_errors,
    import_errors,
    lock_errors,
    creation_errors,
    archive_errors,
    cancellation_errors,
    correction_errors,
    digitisation_errors,
    printing_errors,
    summary_errors,
)
WORDS = {
    "transfer": ("Đã lập gói chuyển trường; tải gói ở danh sách dưới đây và gửi cho trường nhận.", "Chưa lập được gói chuyển trường."),
    "untransfer": ("Đã hủy chuyển trường.", "Chưa hủy được chuyển trường."),
    "arrival": ("Đã tiếp nhận học sinh và lưu học bạ của trường chuyển đi.", "Chưa tiếp nhận được."),
    "archive": ("Đã nhận yêu cầu đóng gói lưu trữ.", "Chưa đóng gói được."),
    "create": ("Đã nhận {n} học sinh để tạo học bạ.", "Chưa chọn lớp hoặc học sinh nào chưa tạo học bạ."),
    "import": ("Đã nhập dữ liệu của {n} học sinh.", "Đã nhập dữ liệu, không có học sinh nào."),
    "finalise": ("Đã xác nhận hoàn thành tổng kết {n} lớp.", "Phần đã chọn không có lớp nào để xác nhận."),
    "reopen": ("Đã hủy xác nhận hoàn thành tổng kết {n} lớp.", "Phần đã chọn không có lớp nào để hủy xác nhận."),
    "printing": ("Đã lưu cấu hình in học bạ.", "Chưa chọn lớp nào để cấu hình."),
    "confirm": ("Đã xác nhận hoàn thành {n} học bạ.", "Phần đã chọn không có học bạ nào hoàn thành ký để xác nhận."),
    "cancel": ("Đã hủy {n} học bạ.", "Phần đã chọn không có học bạ nào hủy được."),
    "summaries": ("Đã tạo bảng tổng hợp của {n} lớp.", "Chưa chọn lớp nào chưa có bảng tổng hợp."),
    "summary-confirm": ("Đã xác nhận hoàn thành {n} bảng tổng hợp.", "Phần đã chọn không có bảng tổng hợp nào hoàn thành ký để xác nhận."),
    "summary-undo": ("Đã hủy xác nhận hoàn thành {n} bảng tổng hợp.", "Phần đã chọn không có bảng tổng hợp nào đã xác nhận hoàn thành."),
    "summary-cancel": ("Đã hủy {n} bảng tổng hợp.", "Phần đã chọn không có bảng tổng hợp nào hủy được."),
    "summary-refuse-cancel": (
        "Đã từ chối hủy {n} bảng tổng hợp; người ký ký tiếp được.",
        "Phần đã chọn không có bảng tổng hợp nào ở trạng thái Trả lại.",
    ),
    "summary-return": (
        "{n} bảng tổng hợp đã chuyển sang trạng thái Trả lại.",
        "Phần đã chọn không có bảng tổng hợp nào không ký tiếp được.",
    ),
    "refuse-cancel": ("Đã từ chối hủy {n} học bạ; người ký ký tiếp được.", "Phần đã chọn không có học bạ nào ở trạng thái Trả lại."),
    "return": ("{n} học bạ đã chuyển sang trạng thái Trả lại.", "Phần đã chọn không có học bạ nào không ký tiếp được."),
    "undo": ("Đã hủy xác nhận hoàn thành {n} học bạ.", "Phần đã chọn không có học bạ nào đã xác nhận hoàn thành."),
    "lock-plan": ("Đã ghi ngày khóa học bạ dự kiến.", "Chưa ghi được ngày khóa học bạ dự kiến."),
    "lock-inspector": ("Đã cử người của Ban thanh tra nhân dân.", "Chưa cử được người của Ban thanh tra nhân dân."),
    "lock-lock": ("Đã khóa học bạ của năm học.", "Chưa khóa được học bạ."),
    "lock-unlock": ("Đã mở khóa học bạ của năm học.", "Chưa mở khóa được học bạ."),
    "copy-issue": ("Đã cấp bản sao, ghi số vào sổ.", "Chưa cấp được bản sao."),
    "copy-decline": ("Đã ghi nhận không cấp bản sao.", "Chưa ghi nhận được."),
    "copy-revoke": ("Đã thu hồi bản sao; số được giữ trong sổ.", "Chưa thu hồi được bản sao."),
    "correction-ask": ("Đã gửi phiếu đề nghị sửa đến Ban quản trị.", "Chưa gửi được phiếu đề nghị sửa."),
    "correction-step": ("Đã ghi nhận.", "Chưa ghi nhận được."),
    "digitisation-plan": ("Đã mở số hóa năm học.", "Chưa mở được số hóa năm học."),
    "digitisation-pupil": ("Đã mở số hóa học bạ giấy của học sinh.", "Chưa mở được số hóa."),
    "digitisation-data": ("Đã lưu dữ liệu; phần thay đổi cần đối chiếu.", "Chưa lưu được dữ liệu."),
    "digitisation-scan": ("Đã lưu bản quét; các phần cần đối chiếu với bản quét này.", "Chưa lưu được bản quét."),
    "digitisation-check": ("Đã ghi nhận đối chiếu.", "Chưa ghi nhận được."),
    "digitisation-back": ("Đã trả lại kèm lý do.", "Chưa trả lại được."),
    "corrections-forward": ("Đã báo cáo Hiệu trưởng {n} phiếu đề nghị sửa.", "Chưa chọn phiếu nào đang chờ Ban quản trị."),
    "corrections-approve": ("Đã phê duyệt {n} phiếu đề nghị sửa.", "Chưa chọn phiếu nào đang chờ phê duyệt."),
    "correction-correct": ("Đã sửa dữ liệu, lập biên bản và khóa lại.", "Chưa sửa được dữ liệu."),
}
SHOWN_REFUSED = 50


async def newest(request: Request, who: Principal) -> Reading | None:
    """The newest school year of the person's school; None while nothing was imported."""
    if not await store_of(request).years(own_school(who)):
        return None
    return await Reading.of(store_of(request), who, own_school(who), None)


async def asked_or_newest(request: Request, who: Principal) -> Reading | None:
    """The school year that the address names, else the newest one. Raises Refused for a year without data."""
    year = year_asked(request)
    return await Reading.of(store_of(request), who, own_school(who), year) if year else await newest(request, who)


async def framed(request: Request, who: Principal, looked_at: Reading | None, kind: DocumentKind = "transcript") -> Shell:
    """`kind`: of the documents that the page is about; what was done is told in its words."""
    told = notices(request, WORDS, reworded(CATALOGUE, partial(worded, kind)))
    if looked_at is None:
        return shell(request, who, notices=told)
    school = await looked_at.store.school(looked_at.school, looked_at.year)
    plain = shell(request, who, notices=told, organisation=school.name, period=f"Năm học {looked_at.year}")
    return await with_lock(plain, looked_at.store.db, looked_at.school, looked_at.year)


def grades_of(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(str(g), f"Khối {g}") for g in sorted({row["grade"] for row in rows})]


async def job_context(
    looked_at: Reading, found: Mapping[str, Any], job_id: str, query: Mapping[str, str], class_code: str = ""
) -> dict[str, Any]:
    """What records/job_panel.html needs beside the shell. `found`: as the API tells it; `class_code`: of the class whose page it is."""
    reasons: dict[str, list[str]] = {}
    classes = {r["pupil"]: r["class"] for r in found["refused"]}
    for refusal in found["refused"]:
        reasons.setdefault(refusal["pupil"], []).append(refusal["reason"].rstrip("."))
    shown = list(reasons)[:SHOWN_REFUSED]
    names = {p["code"]: p["name"] for p in await looked_at.store.pupils(looked_at.school, looked_at.year, codes=shown)} if shown else {}
    failed, waiting = found["done"] - found["created"], found["total"] - found["done"]
    running, cancelled = found["state"] == "running", found["state"] == "cancelled"
    said = f"Đã tạo {vn_number(found['created'])} học bạ trong {vn_number(found['total'])} học sinh."
    if cancelled:
        said = f"Đã dừng theo yêu cầu. {said} {vn_number(waiting)} học sinh chưa được xử lý; học bạ đã tạo được giữ nguyên."
    if found["left_out"]:
        said += f" Để lại {vn_number(found['left_out'])} học sinh phải đánh giá lại, rèn luyện trong hè."
    progress = Progress(
        title=f"Tạo học bạ cho {vn_number(found['total'])} học sinh",
        total=found["total"],
        done=found["created"],
        failed=failed,
        waiting=waiting,
        running=running,
        href=with_query(query, job=job_id),
        message=said,
        outcome="success" if not failed and not cancelled else "warning" if found["created"] or cancelled else "danger",
    )
    return {
        "progress": progress,
        "job_refused": [
            {"name": names.get(p) or f"Học sinh mã {p}", "class_name": classes[p], "reason": "; ".join(reasons[p])} for p in shown
        ],
        "job_refused_count": len(reasons),
        "job_done_href": with_query(query, job=None),
        "job_cancel": f"/ui/records/jobs/{job_id}/cancel" if running else "",
        "job_retry": f"/ui/records/jobs/{job_id}/retry" if not running and (failed or waiting) else "",
        "job_class": class_code,
        "running_href": "",
    }


NO_JOB: Mapping[str, Any] = {
    "progress": None,
    "job_refused": [],
    "job_refused_count": 0,
    "job_done_href": "",
    "job_cancel": "",
    "job_retry": "",
    "job_class": "",
    "running_href": "",
}
