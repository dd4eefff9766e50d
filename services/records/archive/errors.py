"""What the archive export of a year refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

YEAR_NOT_LOCKED = Refusal(
    "HB-REC-160",
    409,
    "Năm học chưa khóa học bạ",
    "Chỉ đóng gói lưu trữ sau khi Hiệu trưởng đã khóa học bạ của năm học {year}.",
    "Đề nghị Hiệu trưởng khóa học bạ, rồi đóng gói lưu trữ.",
    "the school year {year} has no final lock",
)
EXPORT_RUNNING = Refusal(
    "HB-REC-161",
    409,
    "Đang đóng gói năm học này",
    "Một lượt đóng gói lưu trữ của năm học đang chạy.",
    "Chờ lượt đang chạy hoàn thành; có thể đóng trang, công việc vẫn tiếp tục.",
    "an export of this year is under way",
)
EXPORT_UNFINISHED = Refusal(
    "HB-REC-162",
    409,
    "Gói lưu trữ chưa hoàn thành",
    "Gói lưu trữ này chưa đóng xong nên chưa tải về được.",
    "Chờ đến khi trạng thái là «Hoàn thành» rồi tải về.",
    "the package is not finished",
)
STORED_FILE_DAMAGED = Refusal(
    "HB-REC-163",
    409,
    "Tệp lưu trữ bị hỏng",
    "Tệp {name} không còn đúng như khi được niêm phong nên gói không được lập.",
    "Gửi mã lỗi và tên tệp cho bộ phận vận hành để khôi phục từ bản sao lưu, rồi đóng gói lại.",
    "a stored document is damaged: {name}",
)
