"""What importing refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

STALE_PREVIEW = Refusal(
    "HB-REC-070",
    409,
    "Cần xem lại trước khi nhập",
    "Dữ liệu của trường đã thay đổi sau khi lập bản xem trước này (lượt nhập khác, xác nhận hoàn thành tổng kết hoặc sửa dữ liệu).",
    "Bấm “Xem lại với dữ liệu hiện tại” để có bản xem trước mới rồi xác nhận.",
    "the preview rests on an older state than the one stored",
)
OTHER_IMPORT_RUNNING = Refusal(
    "HB-REC-071",
    409,
    "Đang có một lượt nhập dữ liệu khác",
    "Một lượt nhập dữ liệu của nhà trường đang được ghi.",
    "Chờ lượt nhập đó xong rồi thực hiện lại.",
    "another import of the school is being written",
)
NO_SECTOR_DATABASE = Refusal(
    "HB-REC-072",
    409,
    "Chưa kết nối CSDL ngành",
    "Hệ thống chưa được cấu hình kết nối đến CSDL ngành.",
    "Tải tệp Excel do CSDL ngành xuất ra, hoặc đề nghị đơn vị vận hành cấu hình kết nối.",
    "no address of a sector database is set",
)
PULL_RUNNING = Refusal(
    "HB-REC-073",
    409,
    "Đang lấy dữ liệu từ CSDL ngành",
    "Một lượt lấy dữ liệu của năm học này đang chạy.",
    "Chờ lượt đó xong rồi xem trước dữ liệu.",
    "a pull of this school year is running",
)
BAD_YEAR = Refusal(
    "HB-REC-074",
    422,
    "Năm học không hợp lệ",
    "“{year}” không phải là năm học dạng 2025-2026.",
    "Nhập năm học gồm hai năm liền nhau, ví dụ 2025-2026.",
    "{year} is no school year",
)
NOTHING_TO_REVIEW = Refusal(
    "HB-REC-075",
    409,
    "Không lập lại được bản xem trước",
    "Dữ liệu của lượt nhập này đã được ghi hoặc đang được ghi.",
    "Tải tệp lên lại nếu cần nhập lần nữa.",
    "the import is written already",
)
PULL_NOT_RESUMABLE = Refusal(
    "HB-REC-076",
    409,
    "Không tiếp tục được lượt lấy dữ liệu",
    "Chỉ lượt đã dừng vì CSDL ngành không trả lời mới tiếp tục được.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "the pull is {state}",
)
